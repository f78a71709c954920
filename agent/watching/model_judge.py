"""An image model says of windows whether they show what is looked for.

What it says is kept in the store, in a track of its own, so that nobody pays for it twice, and
forgetting a video forgets it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from agent.errors import (
    CaptionerError,
    SettingsError,
    VideoError,
)
from agent.grounding import Cost
from agent.reasoning.conversation import QUERY_CHARS, tame
from agent.reasoning.judge import ODDS, Judged, JudgedSpan, read_verdict
from agent.watching.model_costs import cost_of
from tools.errors import ServiceError
from tools.llm.in_flight import run_in_flight
from tools.llm.outage import outages_of_run
from tools.text import shorten
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    import threading

    from agent.watching.image_paths import ImagePaths
    from prompts.catalog import Prompts
    from tools.captioners.image_model import AskedModel, FrameAnswer, FrameQuestion, ShownFrame
    from tools.store.store import VideoRecord

    _Question = tuple[int, Callable[[Sequence[ShownFrame]], FrameQuestion], Sequence[ShownFrame]]

ENDS_JUDGING: Final = frozenset(
    {"settings", "key", "credit", "model", "unreachable", "busy", "stopped", "timeout"}
)
"""Failures that have nothing to do with what was shown."""


class ModelJudge:
    """An image model judges windows, a few at a time; see ``Judge``."""

    def __init__(self, paths: ImagePaths) -> None:
        self._paths = paths

    @property
    def name(self) -> str:
        return self._paths.captioner_model()

    @property
    def prompts(self) -> dict[str, str]:
        return {"judge": self._paths.prompts.version("judge")}

    @property
    def is_asked_for(self) -> bool:
        return self._paths.settings.verify is True

    def __call__(
        self, record: VideoRecord, query: str, spans: Sequence[Interval], *, frames: Sequence[int]
    ) -> Judged:
        """See ``Judge``."""
        try:
            return self._judge(record, query, spans, frames)
        except (CaptionerError, SettingsError, VideoError) as exc:
            return Judged(note=f"the likeliest windows were not judged: {exc}")

    def _judge(
        self, record: VideoRecord, query: str, spans: Sequence[Interval], frames: Sequence[int]
    ) -> Judged:
        from tools.indexing.shown_frames import frames_inside

        paths = self._paths
        model = paths.model(self.name)
        told = shorten(tame(query), QUERY_CHARS)
        tracks = [_track(model.name, paths.prompts, told, count) for count in frames]
        known, kept = self._known(record, spans, tracks)
        todo = [place for place in range(len(spans)) if place not in known]
        if not todo:
            return Judged(tuple(known[place] for place in range(len(spans))), kept=kept)
        budget, work = paths.runs.budget(), paths.under_way()
        wanted = [frames[place] for place in todo]
        usd = [model.most_usd(self._prompt(told, spans[place], 0), frames[place]) for place in todo]
        is_priced = all(one is not None for one in usd)
        budget.check_frames(sum(wanted), sum(one or 0.0 for one in usd) if is_priced else None)
        path = paths.check_file(record)
        paths.name_host(model.name)
        with paths.describing, work.in_order():
            shown = frames_inside(
                path,
                [spans[place] for place in todo],
                wanted,
                max_bytes=paths.max_bytes,
                go_on=work.go_on,
            )
        questions = [
            (place, partial(self._question, told, spans[place], duration_s=record.duration_s), one)
            for place, one in zip(todo, shown, strict=True)
            if one
        ]
        found, costs, cost, note = self._ask(model, questions, spans)
        budget.spend_frames(cost.frames, cost.usd)
        self._keep(record, found, costs, tracks)
        known |= found
        missing = len(spans) - len(known)
        if missing and not note:
            note = f"{missing} of {len(spans)} windows got no verdict that could be read"
        return Judged(tuple(known[place] for place in sorted(known)), cost, note, kept)

    def _ask(
        self,
        model: AskedModel,
        questions: Sequence[_Question],
        spans: Sequence[Interval],
    ) -> tuple[dict[int, JudgedSpan], dict[int, Cost], Cost, str]:
        from tools.captioners.image_model import fewer
        from tools.captioners.traced_calls import TracedCalls

        calls, until = TracedCalls.of_this_step(), self._paths.runs.until()
        outages = outages_of_run()
        ended: list[str] = []
        lost: list[ServiceError] = []

        def ask(asked: _Question, stopping: threading.Event) -> tuple[int, FrameAnswer | None, int]:
            place, question_about, pictures = asked
            while not ended:
                shown = fewer(pictures, model.most_frames)
                try:
                    answer = model.ask(
                        question_about(shown),
                        calls,
                        stopping=stopping,
                        until=until,
                        outages=outages,
                    )
                except ServiceError as exc:
                    if exc.kind == "pictures" and len(fewer(shown, model.most_frames)) < len(shown):
                        continue
                    lost.append(exc)
                    if exc.known or exc.kind in ENDS_JUDGING:
                        ended.append(str(exc))
                    return place, None, 0 if exc.known else len(shown)
                return place, answer, len(shown)
            return place, None, 0

        found: dict[int, JudgedSpan] = {}
        costs: dict[int, Cost] = {}
        cost = Cost()
        at_once = self._paths.settings.in_flight
        for done in run_in_flight(ask, questions, limit=at_once):
            if done is None:
                continue
            place, answer, frames = done
            if answer is None:
                cost = cost.plus(Cost(calls=int(frames > 0), frames=frames))
                continue
            costs[place] = cost_of(answer, frames)
            cost = cost.plus(costs[place])
            verdict = read_verdict(answer.reply, spans[place], frames)
            if verdict:
                found[place] = verdict
        for failed in lost:
            paid = Cost(tokens_in=failed.tokens_in, tokens_out=failed.tokens_out, usd=failed.usd)
            cost = cost.plus(paid if failed.tokens_in else Cost())
        if not (ended or lost):
            return found, costs, cost, ""
        why = ended[0] if ended else str(lost[0])
        told = f"the likeliest windows were not all judged: {model.name}: {why}"
        return found, costs, cost, told

    def _question(
        self, told: str, span: Interval, pictures: Sequence[ShownFrame], *, duration_s: float
    ) -> FrameQuestion:
        from tools.captioners.image_model import FrameQuestion

        prompt = self._prompt(told, span, len(pictures))
        return FrameQuestion(prompt, pictures, duration_s, odds=ODDS)

    def _prompt(self, told: str, span: Interval, count: int) -> str:
        return self._paths.prompts.render(
            "judge",
            query=told,
            count=str(count),
            start=f"{span.start_s:.1f}",
            end=f"{span.end_s:.1f}",
        )

    def _known(
        self, record: VideoRecord, spans: Sequence[Interval], tracks: Sequence[Track]
    ) -> tuple[dict[int, JudgedSpan], Cost]:
        """What was said of some of these spans before, and what that cost then."""
        store = self._paths.opened.store
        kept = {track: store.read(record.video_id, track)[0] for track in set(tracks)}
        known: dict[int, JudgedSpan] = {}
        cost = Cost()
        for place, (span, track) in enumerate(zip(spans, tracks, strict=True)):
            for caption in kept[track]:
                read = _verdict_in(caption.text, span) if caption.span == span else None
                if read and place not in known:
                    known[place] = read[0]
                    cost = cost.plus(read[1])
        return known, cost

    def _keep(
        self,
        record: VideoRecord,
        found: dict[int, JudgedSpan],
        costs: dict[int, Cost],
        tracks: Sequence[Track],
    ) -> None:
        captions = [
            Caption(
                record.video_id,
                one.span,
                _told(one, costs[place]),
                "vision",
                tracks[place],
            )
            for place, one in found.items()
        ]
        if captions:
            vectors = self._paths.opened.embedder.embed([one.says for one in found.values()])
            self._paths.opened.store.add(captions, vectors, during=record)


def _track(model: str, prompts: Prompts, told: str, frames: int) -> Track:
    """The track that verdicts are kept in: of one model, prompt, question and number of frames."""
    digest = hashlib.sha256(told.encode()).hexdigest()[:12]
    return Track(model, f"{prompts.version('judge')}.{digest}", f"judge{frames}")


def _told(verdict: JudgedSpan, cost: Cost) -> str:
    """How a verdict is kept, with what it cost."""
    said = f"{verdict.says} {verdict.shows!r} {verdict.by} {verdict.frames}"
    return f"{said} {cost.tokens_in} {cost.tokens_out} {cost.usd!r}"


def _verdict_in(text: str, span: Interval) -> tuple[JudgedSpan, Cost] | None:
    """The verdict that was kept, and what it cost; None where it is none of this version."""
    try:
        says, shown, by, frames, *paid = text.split()
        plain = {"shows": float(shown), "says": says, "by": by, "frames": int(frames)}
        # An earlier version did not keep what it cost.
        tokens_in, tokens_out, usd = paid or ("0", "0", "None")
        cost = Cost(
            tokens_in=int(tokens_in),
            tokens_out=int(tokens_out),
            usd=None if usd == "None" else float(usd),
            calls=1,
            frames=int(frames),
        )
    except ValueError:
        return None
    verdict = JudgedSpan.from_dict({"start_s": span.start_s, "end_s": span.end_s} | plain)
    return verdict, cost
