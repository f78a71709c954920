"""Runs a captioned benchmark through the graph that ``ask`` uses, and sums up what came out.

Captions go into a store that is kept between runs, so that each is embedded once. Every answer is
written down as it comes: a run that was stopped goes on where it was, and asks nothing twice.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from agent.api import Grounder, Grounding, make_question
from evaluation.metrics import (
    auroc,
    bootstrap,
    expected_calibration_error,
    pairwise_iou,
    score_by_length,
    score_queries,
    summarise,
)
from evaluation.nulls import hard_nulls, random_nulls
from evaluation.qvhighlights import CaptionedVideo, Query, submission_line
from evaluation.results import BenchmarkError
from tools.store import VideoRecord
from tools.timeline import Caption, Track

Report = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a run: a query, and the video it is asked of.

    Attributes:
        kind: ``own`` for the query's own video; ``random`` or ``hard`` for one that it is not
            about.
        query: The query.
        video_id: The video asked.
    """

    kind: str
    query: Query
    video_id: str

    @property
    def key(self) -> str:
        """Names this question in the answers file."""
        return f"{self.kind}:{self.query.qid}"


def index_captions(
    videos: Iterable[CaptionedVideo],
    durations_s: dict[str, float],
    *,
    captioner: str,
    grounder: Grounder,
    report: Report,
) -> None:
    """Put the captions of every video into the store, under its id, unless they are there."""
    track = Track(model=captioner, prompt_version="", mode="file")
    complete = {
        record.video_id
        for record in grounder.records()
        if record.complete and record.track == track
    }
    missing = [video for video in videos if video.video_id not in complete]
    for done, video in enumerate(missing):
        report("captions", done, len(missing))
        duration_s = durations_s[video.video_id]
        captions = video.captions(duration_s=duration_s, track=track)
        vectors = grounder.embedder.embed([caption.text for caption in captions])
        grounder.store.add(captions, vectors)
        grounder.store.put_record(
            VideoRecord(
                video_id=video.video_id,
                path=video.video_id,
                duration_s=duration_s,
                track=track,
                rate_hz=1 / video.step_s,
                complete=True,
                warning="",
                indexed_at=datetime.now(UTC).isoformat(timespec="seconds"),
                captions=len(captions),
            )
        )
    report("captions", len(missing), len(missing))


def questions_of(queries: Sequence[Query], *, seed: int) -> list[Asked]:
    """Every query asked of its own video, then of a random other one, then of a hard other one."""
    asked = [Asked("own", query, query.video_id) for query in queries]
    others = random_nulls(queries, seed=seed)
    asked += [Asked("random", query, other) for query, other in zip(queries, others, strict=True)]
    segments = hard_nulls(queries, seed=seed)
    asked += [
        Asked("hard", query, segment)
        for query, segment in zip(queries, segments, strict=True)
        if segment is not None
    ]
    return asked


def answer_all(
    asked: Sequence[Asked], *, grounder: Grounder, answers: Path, report: Report
) -> list[dict[str, Any]]:
    """Ask what has no answer in the file yet; returns all answers, in the order asked.

    Raises:
        BenchmarkError: If the answers file belongs to other questions.
    """
    known = _read_answers(answers)
    with answers.open("a", encoding="utf-8") as file:
        for done, question in enumerate(asked):
            report("questions", done, len(asked))
            if question.key not in known:
                line = _ask(question, grounder)
                file.write(json.dumps(line) + "\n")
                file.flush()
                known[question.key] = line
    report("questions", len(asked), len(asked))
    for question in asked:
        if known[question.key]["vid"] != question.video_id:
            raise BenchmarkError(
                f"{answers}: {question.key} was asked of {known[question.key]['vid']}, not of "
                f"{question.video_id}; give another --out for another seed or split"
            )
    return [known[question.key] for question in asked]


def summarise_run(asked: Sequence[Asked], lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a run: retrieval metrics, null queries, calibration, time."""
    by_kind: dict[str, list[tuple[Asked, dict[str, Any]]]] = {"own": [], "random": [], "hard": []}
    for question, line in zip(asked, lines, strict=True):
        by_kind[question.kind].append((question, line))
    own = by_kind["own"]
    truth = [question.query.windows for question, _ in own]
    predicted = [
        np.array(line["pred_relevant_windows"], dtype=np.float64).reshape(-1, 3) for _, line in own
    ]
    scores = score_queries(predicted, truth)
    presence = {
        kind: np.array([line["presence"] for _, line in rows]) for kind, rows in by_kind.items()
    }
    summary: dict[str, Any] = {
        "queries": len(own),
        "metrics": summarise(scores),
        "interval_95": bootstrap(scores),
        "by_length": {
            name: summarise(part)
            for name, part in score_by_length(predicted, truth).items()
            if len(part.top_iou)
        },
        "found": {
            kind: float(np.mean([line["verdict"] == "found" for _, line in rows]))
            for kind, rows in by_kind.items()
            if rows
        },
        "null_auroc": {
            kind: auroc(presence["own"], presence[kind])
            for kind in ("random", "hard")
            if len(presence[kind])
        },
        "calibration_error": _calibration(own, by_kind["random"]),
        "refused": sum(line["by"] == "fallback" for line in lines),
        "ms_per_query": {
            node: round(1000 * float(np.median([line["seconds"][node] for line in lines])), 2)
            for node in lines[0]["seconds"]
        },
    }
    return summary


def provenance(files: Iterable[Path], *, grounder: Grounder, captioner: str) -> dict[str, Any]:
    """What a figure must say of where it comes from."""
    return {
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files},
        "captioner": captioner,
        "reasoner": grounder.reasoner.name,
        "prompts": grounder.reasoner.prompts,
        "embedder": grounder.embedder.name,
        "commit": _commit(),
    }


def _ask(question: Asked, grounder: Grounder) -> dict[str, Any]:
    asked = make_question(question.video_id, question.query.text)
    *_, state = grounder.graph.stream(asked, stream_mode="values")
    grounding = Grounding.model_validate(state["grounding"])
    line = submission_line(
        question.query,
        [(one.start_s, one.end_s, one.score) for one in grounding.candidates],
        [Caption.from_dict(plain) for plain in state["evidence"]],
        [plain["relevance"] for plain in state["evidence"]],
    )
    return line | {
        "key": question.key,
        "vid": question.video_id,
        "verdict": grounding.verdict,
        "presence": grounding.presence,
        "confidence": max((one.confidence for one in grounding.candidates), default=0.0),
        "by": grounding.by,
        "attempts": grounding.attempts,
        "seconds": grounding.usage.seconds,
    }


def _read_answers(path: Path) -> dict[str, dict[str, Any]]:
    """Answers by key; a last line that was cut off in writing is dropped from the file."""
    if not path.exists():
        return {}
    whole = path.read_bytes()
    kept = whole[: whole.rfind(b"\n") + 1]
    if len(kept) < len(whole):
        with path.open("r+b") as file:
            file.truncate(len(kept))
    return {line["key"]: line for line in _lines(kept, path)}


def _lines(content: bytes, path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(content.decode().splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise BenchmarkError(f"{path}:{number}: not an answer of this program ({exc})") from exc
        yield row


def _calibration(
    own: Sequence[tuple[Asked, dict[str, Any]]], null: Sequence[tuple[Asked, dict[str, Any]]]
) -> dict[str, float]:
    """Expected calibration error over own and random null queries together."""
    rows = [*own, *null]
    is_own = np.array([question.kind == "own" for question, _ in rows])
    right = np.array([_is_right(question, line) for question, line in rows])
    presence = np.array([line["presence"] for _, line in rows])
    confidence = np.array([line["confidence"] for _, line in rows])
    return {
        "presence": expected_calibration_error(presence, is_own),
        "confidence": expected_calibration_error(confidence, right),
    }


def _is_right(question: Asked, line: dict[str, Any]) -> bool:
    """Whether the best window has a temporal IoU of 0.5 with a true one."""
    windows = np.array(line["pred_relevant_windows"], dtype=np.float64).reshape(-1, 3)[:1, :2]
    if question.kind != "own" or not len(windows):
        return False
    return bool(pairwise_iou(windows, question.query.windows).max() >= 0.5)


def _commit() -> str:
    """The commit of this code, with a ``+`` where files differ from it; empty outside git."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
