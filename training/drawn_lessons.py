"""A drawn world as ``tune data`` takes it: videos, questions about them, and who teaches them."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from evaluation.datasets.query import Query
from prompts.catalog import Prompts
from tools.captioners.looks import LookMode
from tools.llm.prices import TokenUsage
from training.collect import Strategy, collect, finish, plan
from training.drawn_world import WAITS, DrawnEvent, make_events, write_video
from training.teacher import NOT_SHOWN, HumanTeacher, Lesson, QuestionAnswer, Taught, Teacher

if TYPE_CHECKING:
    import threading

    from tools.captioners.looks import Look
    from training.samples import Sample

Drawn = Mapping[str, Sequence[DrawnEvent]]
"""What is to be seen in each video."""

PROMPTS: Mapping[str, str] = {
    "describe_activity": "Is this shown: $query?",
    "describe_general": "Describe the picture.",
}
"""Short, for a model with few words."""

LABELS = "labels.csv"
HUMAN = "human"


class DrawnTeacher:
    """Knows what was drawn."""

    name = "drawn"
    prompts: ClassVar[Mapping[str, str]] = {}

    def __init__(self, events: Drawn) -> None:
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


def draw_videos(folder: Path, name: str, count: int, *, seed: int) -> dict[str, list[DrawnEvent]]:
    """Draw videos that are not there yet, and write the labels of all as of your own videos."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    drawn = {f"{name}{index}": make_events(chance) for index in range(count)}
    for video, events in drawn.items():
        if not (file := folder / f"{video}.mp4").is_file():
            write_video(file, events)
    with (folder / LABELS).open("w", newline="", encoding="utf-8") as labels:
        rows = csv.writer(labels)
        rows.writerow(["video", "query", "start", "end"])
        for query in queries_of(drawn):
            rows.writerows([query.video_id, query.text, *window] for window in query.windows)
    return drawn


def queries_of(drawn: Drawn) -> list[Query]:
    """A question for each event; waiting is none."""
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


def make_lessons(
    folder: Path,
    videos: Path,
    drawn: Drawn,
    prompts: Prompts,
    *,
    teacher: str = DrawnTeacher.name,
    mode: str = "frame",
    strategy: Strategy = "activity",
    frames: int = 3,
) -> Path:
    """Have a teacher describe drawn videos, through the code of ``tune data``; returns ``folder``.

    Args:
        folder: For the data set.
        videos: Where the videos lie.
        drawn: What is in them.
        prompts: With which the model is going to be asked.
        teacher: ``drawn`` or ``human``.
        mode: What is shown at a time.
        strategy: Which prompt descriptions answer.
        frames: How many, inside of each event and outside of it.
    """
    look = LookMode.parse(mode)
    to_ask = plan(queries_of(drawn), videos, inside=frames, outside=frames)
    who: Teacher = HumanTeacher() if teacher == HUMAN else DrawnTeacher(drawn)
    collected = collect(
        to_ask,
        who,
        folder,
        mode=look,
        rate_hz=2.0,
        in_flight=1,
        max_usd=None,
        report=lambda done, usd: None,  # noqa: ARG005 - it costs nothing
    )
    finish(
        to_ask,
        collected,
        folder,
        teacher=who,
        prompts=prompts,
        about={},
        mode=look,
        strategy=strategy,
    )
    return folder


def write_prompts(folder: Path) -> Prompts:
    """Put the short prompts into a folder, as ``--prompts`` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in PROMPTS.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return Prompts.read(folder)


def _at(events: Sequence[DrawnEvent], time_s: float) -> DrawnEvent:
    return next((one for one in events if time_s < one.end_s), events[-1])
