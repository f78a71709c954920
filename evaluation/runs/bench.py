"""Asks the questions of a run through the graph that ``ask`` uses, several at a time.

Captions are made, where they are missing, in the order of the questions and in one thread; the
questions whose captions are there are asked meanwhile. What an answer is does not depend on how
many are asked at a time, nor on which is answered first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.api import Grounder, Grounding, make_question
from agent.grounding import Cost
from evaluation.datasets.nulls import AskedQuestion
from evaluation.datasets.qvhighlights_files import relevance_by_clip
from evaluation.results import BenchmarkError, Result, Span
from evaluation.runs.run_folder import CaptionsPaid, RunFolder
from evaluation.runs.videos import Videos
from tools.captioners.protocol import Metered
from tools.errors import WhenaboutsError
from tools.indexing.indexer import Progress
from tools.llm.in_flight import run_in_flight
from tools.llm.prices import TokenUsage

ERRORS_IN_A_ROW = 10
"""If this many questions fail one after the other, it is no accident: a service is gone, say."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run has come.

    Attributes:
        done: Questions that have an answer.
        total: All of them.
        errors: Those of the first that failed.
        usd: What the run has cost; None where a price is not known.
        doing: The video that is being described; empty where none is.
    """

    done: int
    total: int
    errors: int
    usd: float | None
    doing: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """A question whose video can be asked, or why it cannot."""

    question: AskedQuestion
    asked_as: str
    failure: str = ""


class _StoppedError(Exception):
    """Ends the description of a video that is no longer wanted; what was made is kept."""


class Bench:
    """Asks questions and writes the results down.

    Args:
        grounder: Answers.
        videos: What is asked.
        folder: Where results go; open.
        at_once: Questions under way at a time.
        max_usd: Stop when the run, all starts of it, has cost so much; None for no limit. What is
            under way then is finished.
        with_relevance: Whether results say how relevant each 2 s clip is.
        report: Told how far it has come.
    """

    def __init__(
        self,
        grounder: Grounder,
        videos: Videos,
        folder: RunFolder,
        *,
        at_once: int = 1,
        max_usd: float | None = None,
        with_relevance: bool = False,
        report: Callable[[Standing], None] = lambda _: None,
    ) -> None:
        self._grounder = grounder
        self._videos = videos
        self._folder = folder
        self._at_once = at_once
        self._max_usd = max_usd
        self._with_relevance = with_relevance
        self._report = report
        self._stopping = threading.Event()
        self._watching = threading.Lock()
        self._why = ""
        self._error: BenchmarkError | None = None
        self._doing = ""
        self._failures: dict[str, str] = {}

    def run(self, questions: Sequence[AskedQuestion]) -> str:
        """Ask what has no answer yet.

        Returns:
            Why it stopped before the end; empty where everything was asked.

        Raises:
            BenchmarkError: If ``ERRORS_IN_A_ROW`` questions failed, or the limit of dollars cannot
                be kept because a price is not known.
        """
        pending = self._unanswered(questions)
        in_a_row = 0
        self._check_budget()
        try:
            for result in run_in_flight(self._answer, self._ready(pending), limit=self._at_once):
                if result is not None:
                    self._folder.add(result)
                    in_a_row = in_a_row + 1 if result.verdict == "error" else 0
                    if in_a_row == ERRORS_IN_A_ROW:
                        self._stop(error=f"{in_a_row} questions in a row failed: {result.error}")
                    self._check_budget()
                self._tell(len(questions))
        finally:
            self._stopping.set()
            # Ctrl-C stops the description of a video, too, and what it has paid for is kept.
            with self._watching:
                pass
        if self._error:
            raise self._error
        # The last answer may reach the limit: nothing was stopped then.
        return self._why if self._unanswered(questions) else ""

    def _unanswered(self, questions: Sequence[AskedQuestion]) -> list[AskedQuestion]:
        """Those that were not asked, or failed."""
        results = self._folder.results
        return [
            question
            for question in questions
            if question.key not in results or results[question.key].verdict == "error"
        ]

    def _ready(self, pending: Sequence[AskedQuestion]) -> Iterator[_Ready]:
        """Questions whose captions are there; makes them first."""
        by_question = self._grounder.settings.strategy == "activity"
        for question in pending:
            name = question.video_id
            if self._stopping.is_set():
                return
            if by_question:
                yield _Ready(question, self._videos.asked_as(name))
                continue
            try:
                yield _Ready(question, self._watch(question))
            except _StoppedError:
                return
            except WhenaboutsError as exc:
                self._failures[name] = str(exc)
                yield _Ready(question, name, failure=str(exc))

    def _watch(self, question: AskedQuestion) -> str:
        """Describe the question's video where that is to be done; returns its id in the store."""
        name = question.video_id
        if name in self._failures:
            raise BenchmarkError(self._failures[name])
        meter = _Meter(self._grounder, self._folder, question.key)

        def report(progress: Progress) -> None:
            self._doing = name
            meter.read(progress.captions)
            self._check_budget()
            if self._stopping.is_set():
                raise _StoppedError

        with self._watching:
            try:
                record = self._videos.watch(name, self._grounder, report=report)
            finally:
                meter.close()
                self._doing = ""
        return record.video_id

    def _answer(self, ready: _Ready, cancelled: threading.Event) -> Result | None:
        """The result of one question; None where it is not asked any more."""
        if cancelled.is_set() or self._stopping.is_set():
            return None
        question = ready.question
        captioning = self._folder.captioning.get(question.key, CaptionsPaid())
        if ready.failure:
            return _failed(question, ready.failure, captioning)
        try:
            asked = make_question(ready.asked_as, question.query.text)
            state = self._grounder.run(asked)
        except WhenaboutsError as exc:
            return _failed(question, str(exc), captioning)
        result = result_of(question, state, captioning)
        if self._with_relevance:
            shown = [plain for plain in state["evidence"] if plain["relevance"] is not None]
            relevance = relevance_by_clip(
                question.query.duration_s or result.duration_s,
                [(plain["start_s"], plain["end_s"]) for plain in shown],
                [plain["relevance"] for plain in shown],
            )
            result = replace(result, relevance=relevance)
        return result

    def _check_budget(self) -> None:
        if self._max_usd is None:
            return
        spent_usd = self._folder.spent_usd()
        if spent_usd is None:
            self._stop(
                error=f"what this costs is not known, so --max-usd {self._max_usd:g} cannot be "
                "kept; name a file in WHENABOUTS_PRICES that says what they cost, in US dollars "
                'per million tokens: {"MODEL": {"in": 0.25, "out": 2.0}}'
            )
        elif spent_usd >= self._max_usd:
            self._stop(why=f"${spent_usd:.4f} of --max-usd {self._max_usd:g} are spent")

    def _stop(self, *, why: str = "", error: str = "") -> None:
        self._why = self._why or why
        if error and not self._error:
            self._error = BenchmarkError(
                f"{error} (what was answered is kept; the same command goes on from there)"
            )
        self._stopping.set()

    def _tell(self, total: int) -> None:
        results = list(self._folder.results.values())
        errors = sum(result.verdict == "error" for result in results)
        spent_usd = self._folder.spent_usd()
        self._report(Standing(len(results), total, errors, spent_usd, self._doing))


class _Meter:
    """Writes down what captioning costs while it goes on, so that a kill loses next to nothing."""

    def __init__(self, grounder: Grounder, folder: RunFolder, key: str) -> None:
        self._captioner = grounder.captioner
        self._folder = folder
        self._key = key
        self._made = 0
        self._used = self._usage()
        self._read_at = time.perf_counter()

    def read(self, made: int) -> None:
        """Note what came since the last time.

        Args:
            made: Captions stored for this video so far; a captioner that has a meter knows better.
        """
        used, now = self._usage(), time.perf_counter()
        if made > self._made or used != self._used:
            is_metered = isinstance(self._captioner, Metered)
            usd = None
            if used.usd is not None and self._used.usd is not None:
                usd = used.usd - self._used.usd
            cost = Cost(
                captions=used.captions - self._used.captions if is_metered else made - self._made,
                tokens_in=used.tokens_in - self._used.tokens_in,
                tokens_out=used.tokens_out - self._used.tokens_out,
                usd=usd,
            )
            self._folder.add_captioning(self._key, cost, seconds=now - self._read_at)
            self._made, self._used, self._read_at = made, used, now

    def close(self) -> None:
        """Note what came after the last report."""
        self.read(self._made)

    def _usage(self) -> TokenUsage:
        return self._captioner.usage if isinstance(self._captioner, Metered) else TokenUsage()


def result_of(question: AskedQuestion, state: dict[str, Any], captioning: CaptionsPaid) -> Result:
    """A result from the graph's last state, and from what its captions took before it ran."""
    grounding = Grounding.model_validate(state["grounding"])
    # Without a calibrated number, answers stand in their own order, below the grounder's presence.
    presence, count = grounding.presence or 0.0, max(1, len(grounding.intervals))
    intervals = [
        (
            one.start_s,
            one.end_s,
            presence * (1 - place / count) if one.confidence is None else one.confidence,
        )
        for place, one in enumerate(grounding.intervals)
    ]
    confidences = [one.confidence for one in grounding.candidates]
    costs: dict[str, Cost] = dict(grounding.usage.stages.items())
    seconds = dict(grounding.usage.seconds)
    return Result(
        **_facts(question),
        duration_s=grounding.video.duration_s,
        verdict=grounding.verdict,
        presence=grounding.presence,
        confidence=intervals[0][2] if intervals else max(confidences, default=0.0),
        intervals=tuple(intervals),
        candidates=tuple((one.start_s, one.end_s, one.score) for one in grounding.candidates),
        shown=merged([(plain["start_s"], plain["end_s"]) for plain in state["evidence"]]),
        by=grounding.by,
        attempts=grounding.attempts,
        refusals=tuple({"kind": one.kind, "message": one.message} for one in grounding.refusals),
        look_ups=len(grounding.look_ups),
        costs={**costs, "captioner": costs["captioner"].plus(captioning.cost)},
        kept=dict(grounding.usage.kept.items()),
        seconds=seconds | {"watch": seconds.get("watch", 0.0) + captioning.seconds},
        models=grounding.models.model_dump(),
    )


def merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same time as fewest spans, in order; those that touch are joined."""
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return tuple(joined)


def _failed(question: AskedQuestion, error: str, captioning: CaptionsPaid) -> Result:
    return Result(
        **_facts(question),
        duration_s=(question.query.duration_s or 0.0) if question.kind == "own" else 0.0,
        verdict="error",
        presence=None,
        confidence=0.0,
        intervals=(),
        candidates=(),
        shown=(),
        by="",
        attempts=0,
        costs={"captioner": captioning.cost},
        seconds={"watch": captioning.seconds},
        error=" ".join(error.split()),
    )


def _facts(question: AskedQuestion) -> dict[str, Any]:
    """What a result says of its question."""
    query = question.query
    windows = query.windows.tolist() if question.kind == "own" else []
    return {
        "key": question.key,
        "kind": question.kind,
        "qid": query.qid,
        "query": query.text,
        "video": question.video_id,
        "truth": tuple((start_s, end_s) for start_s, end_s in windows),
    }
