"""One line of a run: what was asked, what is true, what was answered, and what that took.

``results.jsonl`` of a run is the only thing that figures, reports and comparisons read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from agent.grounding import Cost
from tools.errors import WhenaboutsError

Kind = Literal["own", "random", "hard", "labelled"]
"""Asked of its own video; null: of a random other one, of another segment of the same source, or of
its own video, which never shows it as its label says."""

Span = tuple[float, float]

ScoredSpan = tuple[float, float, float]


WHOLE = "all"
"""Beside the nodes in a result's ``seconds``, where it was taken: the question from end to end."""


class BenchmarkError(WhenaboutsError):
    """A file of a benchmark cannot be read; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Result:
    """One question of a run with its outcome.

    Attributes:
        key: Names the question within the run: ``own:QID``, ``random:QID`` or ``hard:QID``.
        kind: ``own`` where the query was asked of its own video; otherwise the video is not about
            it, and right is an answer other than "found".
        qid: The dataset's name for the query.
        query: Its text.
        video: The video asked.
        duration_s: Its length.
        truth: True windows in seconds; empty for null queries.
        verdict: ``found``, ``not_found``, ``cannot_tell``, or ``error``.
        presence: Estimated probability that it is in the video at all, None where unknown.
        confidence: Of the best interval or candidate; what risk is measured against.
        intervals: The answer: start, end, confidence, best first; empty unless found.
        candidates: Ranked windows: start, end, score, best first; they may overlap.
        shown: The stretches whose captions the reasoner was shown, merged and in time order.
        by: ``llm``, ``similarity``, ``fallback``, or empty with an error.
        attempts: Answers asked of the reasoner.
        refusals: ``{"kind", "message"}`` of each that was not accepted.
        look_ups: Captions looked up on the way, as number of look-ups.
        costs: By stage, what it cost in this run.
        kept: By stage, what verdicts and replies that were kept from before cost when they were
            given: this run did not pay for them again.
        seconds: Wall time by graph node.
        models: ``captioner``, ``reasoner``, ``embedder``, and ``prompts``: versions by name.
        relevance: One value per 2 s clip, for benchmarks that ask for it; otherwise empty.
        error: Why there is no answer, in a line; empty where there is one.
    """

    key: str
    kind: Kind
    qid: str
    query: str
    video: str
    duration_s: float
    truth: tuple[Span, ...]
    verdict: Literal["found", "not_found", "cannot_tell", "error"]
    presence: float | None
    confidence: float
    intervals: tuple[ScoredSpan, ...]
    candidates: tuple[ScoredSpan, ...]
    shown: tuple[Span, ...]
    by: str
    attempts: int
    refusals: tuple[dict[str, str], ...] = ()
    look_ups: int = 0
    costs: dict[str, Cost] = field(default_factory=dict)
    kept: dict[str, Cost] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    relevance: tuple[float, ...] = ()
    error: str = ""

    @property
    def costs_alone(self) -> dict[str, Cost]:
        """By stage, what it would have cost if nothing but captions had been kept from before."""
        return {
            stage: self.costs.get(stage, Cost()).plus(self.kept.get(stage, Cost()))
            for stage in dict.fromkeys((*self.costs, *self.kept))
        }

    def as_line(self) -> str:
        """The result as a line of ``results.jsonl``, newline and all."""
        plain = {
            name: {stage: cost.model_dump() for stage, cost in costs.items()}
            for name, costs in (("costs", self.costs), ("kept", self.kept))
        }
        return json.dumps(asdict(self) | plain, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Result:
        """The result that ``as_line`` wrote.

        Raises:
            KeyError, TypeError, ValueError: If it is no such thing.
        """
        return cls(
            **{
                **plain,
                "truth": tuple((float(start), float(end)) for start, end in plain["truth"]),
                "intervals": tuple(_scored(one) for one in plain["intervals"]),
                "candidates": tuple(_scored(one) for one in plain["candidates"]),
                "shown": tuple((float(start), float(end)) for start, end in plain["shown"]),
                "refusals": tuple(plain.get("refusals", ())),
                "costs": {name: Cost(**cost) for name, cost in plain.get("costs", {}).items()},
                "kept": {name: Cost(**cost) for name, cost in plain.get("kept", {}).items()},
                "relevance": tuple(plain.get("relevance", ())),
            }
        )


def sum_usd(usd: Iterable[float | None]) -> float | None:
    """The sum of US dollars; None where a part of it is not known."""
    parts = list(usd)
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def read_results(path: Path) -> list[Result]:
    """The results of a file, in its order; a last line that was cut off in writing is left out.

    Raises:
        BenchmarkError: If the file cannot be read, or a line is no result; names file and line.
    """
    return list(_results(path))


def _results(path: Path) -> Iterator[Result]:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise BenchmarkError(f"cannot read {path}: {exc.strerror}") from exc
    whole = content[: content.rfind(b"\n") + 1]
    for number, line in enumerate(whole.decode("utf-8", "replace").split("\n")[:-1], start=1):
        try:
            yield Result.from_dict(json.loads(line))
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise BenchmarkError(
                f"{path}:{number}: not a result of whenabouts eval ({type(exc).__name__}: {exc})"
            ) from exc


def _scored(plain: Any) -> ScoredSpan:
    start_s, end_s, score = plain
    return float(start_s), float(end_s), float(score)
