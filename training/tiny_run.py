"""The whole of tuning on a drawn world, in minutes on two cores: does a model learn from our data?

A tiny model is made and first trained on drawn pictures. A teacher that knows what was drawn
describes frames of drawn videos through ``tune data``; the model is tuned on that; base and tuned
model then describe other drawn videos, and the graph finds events in their captions::

    python -m training.tiny_run --out runs/tiny

It shows that the pipeline learns. It says nothing about real video.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.datasets.query import Query
from evaluation.figures.resampling import interval_95, resampled
from prompts.catalog import Prompts
from tools.captioners.looks import LookMode
from tools.llm.prices import TokenUsage
from training.collect import collect, finish, plan
from training.conversations import read_data
from training.drawn_world import WAITS, DrawnEvent, make_events, write_video
from training.recipe import Recipe
from training.teacher import NOT_SHOWN, Lesson, QuestionAnswer, Taught
from training.tiny_model import make_base
from training.train import Trained, train
from training.training_log import LOG, plot_log

if TYPE_CHECKING:
    import threading

    from tools.captioners.looks import Look
    from training.samples import Sample

PROMPTS: Mapping[str, str] = {
    "describe_activity": "Is this shown: $query?",
    "describe_general": "Describe the picture.",
}
"""Short, for a model with few words."""

RECIPE = Recipe(rank=16, alpha=32, dropout=0.0, learning_rate=3e-3, epochs=12, batch=32, patience=8)
"""A tiny model takes larger steps than a large one."""

DRAWS = 2000


class DrawnTeacher:
    """Knows what was drawn."""

    name = "drawn"
    sees = True

    def __init__(self, events: Mapping[str, Sequence[DrawnEvent]]) -> None:
        self._events = events

    def teach(self, sample: Sample, look: Look, stopping: threading.Event) -> Taught:  # noqa: ARG002 - it need not look
        """What is done at that time, in a sentence."""
        event = _at(self._events[sample.query.video_id], sample.time_s)
        done = f"T{event.scene.sentence[1:]}."
        visible = event.scene.sentence == sample.query.text
        questions = [QuestionAnswer(question=f"What does the {event.scene.thing} do?", answer=done)]
        lesson = Lesson(
            visible=visible,
            description=done if visible else f"{NOT_SHOWN} {done}",
            questions=questions,
        )
        return Taught(lesson, "", TokenUsage())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        base: IoU of the first answer to each question with captions of the base model.
        tuned: The same with captions of the tuned one.
        trained: How training went.
        seconds: All of it.
    """

    base: Sequence[float]
    tuned: Sequence[float]
    trained: Trained
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """Figures with their 95 % intervals, over questions drawn at random."""
        base, tuned = np.array(self.base), np.array(self.tuned)
        count = len(base)
        blocks = resampled(count, draws=DRAWS, seed=0)
        gains = np.concatenate([weights @ (tuned - base) / count for weights in blocks])
        low, high = interval_95(gains)
        fallen = 1 - self.trained.last_loss / self.trained.first_loss
        return {
            "questions": len(base),
            "base_miou": round(100 * float(base.mean()), 1),
            "tuned_miou": round(100 * float(tuned.mean()), 1),
            "gain": round(100 * float((tuned - base).mean()), 1),
            "gain_95": [round(100 * low, 1), round(100 * high, 1)],
            "first_loss": round(self.trained.first_loss, 3),
            "last_loss": round(self.trained.last_loss, 4),
            "loss_fell_by": round(100 * fallen, 1),
            "steps": self.trained.steps,
            "seconds": round(self.seconds),
        }


def main() -> None:
    """Read the options, run, print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Try tuning on a drawn world.")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all of it")
    parser.add_argument("--base-steps", type=int, default=900, help="of the first training")
    parser.add_argument("--videos", type=int, default=40, help="to tune on")
    parser.add_argument("--questions", type=int, default=36, help="of other videos, three each")
    parser.add_argument("--mode", default="frame", help="what is shown: frame or grid4")
    parser.add_argument("--prompt", choices=("activity", "general"), default="activity")
    options = parser.parse_args()
    outcome = run(
        options.out,
        base_steps=options.base_steps,
        videos=options.videos,
        questions=options.questions,
        mode=options.mode,
        strategy=options.prompt,
    )
    sys.stdout.write(f"{json.dumps(outcome.as_dict(), indent=2)}\n")


def run(
    out: Path,
    *,
    base_steps: int,
    videos: int,
    questions: int,
    mode: str = "frame",
    strategy: str = "activity",
) -> Outcome:
    """Make, train, tune, ask; what is in ``out`` already is not done again."""
    started_s = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    prompts = _prompts(out / "prompts")
    base = out / "base"
    if not (base / "config.json").is_file():
        make_base(base, prompts, steps=base_steps, report=_say_every("first training", 100))
    seen = _draw_videos(out / "seen", "seen", videos, seed=1)
    data = _make_data(out / "data", out / "seen", seen, prompts, mode=mode)
    say = _say_every("tuning", 25)
    trained = train(
        str(base),
        read_data(data),
        out / "tuned",
        RECIPE,
        device_batch=32,
        report=lambda done: None if done.loss is None else say(done.step, done.loss),
    )
    plot_log(out / "tuned" / LOG, out / "tuned" / "loss.png")
    unseen = _draw_videos(out / "unseen", "unseen", -(-questions // 3), seed=2)
    asked = _queries(unseen)[:questions]
    ious = [
        _ask(out, asked, base, adapter=adapter, mode=mode, strategy=strategy)
        for adapter in (None, trained.adapter)
    ]
    return Outcome(ious[0], ious[1], trained, time.perf_counter() - started_s)


def _ask(
    out: Path,
    asked: Sequence[Query],
    base: Path,
    *,
    adapter: Path | None,
    mode: str,
    strategy: str,
) -> list[float]:
    from agent.api import Grounder, load_settings
    from tools.timeline import Interval

    name = "tuned" if adapter else "base"
    settings = load_settings(
        store=out / f"store-{name}-{mode}-{strategy}",
        captioner=f"local:{base}",
        adapter=adapter,
        strategy=strategy,
        mode=mode,
        prompts=out / "prompts",
        reasoner="similarity",
        rate_hz=2.0,
        every_frame=True,
        refine=False,
        subtitles="off",
    )
    ious = []
    with Grounder(settings) as grounder:
        for query in asked:
            answer = grounder.find(out / "unseen" / f"{query.video_id}.mp4", query.text)
            (start_s, end_s), *_ = query.windows
            truth = Interval(float(start_s), float(end_s))
            # The first of the list, whatever the verdict: how good captions are, not how sure.
            best = next(iter(answer.intervals or answer.candidates), None)
            ious.append(truth.iou(Interval(best.start_s, best.end_s)) if best else 0.0)
    return ious


def _make_data(
    folder: Path,
    videos: Path,
    drawn: Mapping[str, Sequence[DrawnEvent]],
    prompts: Prompts,
    *,
    mode: str,
) -> Path:
    look = LookMode.parse(mode)
    to_ask = plan(_queries(drawn), videos, inside=3, outside=3)
    teacher = DrawnTeacher(drawn)
    collected = collect(
        to_ask,
        teacher,
        folder,
        mode=look,
        rate_hz=2.0,
        in_flight=1,
        max_usd=None,
        report=lambda done, usd: None,  # noqa: ARG005 - it costs nothing
    )
    finish(to_ask, collected, folder, teacher=teacher, prompts=prompts, about={}, mode=look)
    return folder


def _queries(drawn: Mapping[str, Sequence[DrawnEvent]]) -> list[Query]:
    return [
        Query(
            qid=f"{name}-{place}",
            text=event.scene.sentence,
            video_id=name,
            duration_s=events[-1].end_s,
            windows=np.array([[event.start_s, event.end_s]]),
        )
        for name, events in drawn.items()
        for place, event in enumerate(events)
        if event.scene.action != WAITS
    ]


def _draw_videos(folder: Path, name: str, count: int, *, seed: int) -> dict[str, list[DrawnEvent]]:
    folder.mkdir(exist_ok=True)
    chance = random.Random(seed)
    drawn = {f"{name}{index}": make_events(chance) for index in range(count)}
    for video, events in drawn.items():
        if not (file := folder / f"{video}.mp4").is_file():
            write_video(file, events)
    return drawn


def _at(events: Sequence[DrawnEvent], time_s: float) -> DrawnEvent:
    return next((one for one in events if time_s < one.end_s), events[-1])


def _prompts(folder: Path) -> Prompts:
    folder.mkdir(exist_ok=True)
    for name, text in PROMPTS.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return Prompts.read(folder)


def _say_every(what: str, steps: int) -> Callable[[int, float], None]:
    def say(step: int, loss: float) -> None:
        if step % steps == 0:
            sys.stderr.write(f"{what}: step {step}, loss {loss:.4f}\n")
            sys.stderr.flush()

    return say


if __name__ == "__main__":
    main()
