"""Predictions and truth as others publish them, whatever their fields are called.

Both may be JSON Lines, a JSON list, or JSON by query name; the file says which. Known forms:

==================  ==========================================  ====================================
form                a prediction                                its truth
==================  ==========================================  ====================================
QVHighlights        ``qid, pred_relevant_windows``              ``qid, vid, duration,
                    (start, end, score)                         relevant_windows``
TimeChat            ``{ID: {timestamp: [[start, end]]}}``       ``{annotations: [{id, image_id,
                                                                caption, timestamp}]}``
VUE-TR              ``query_id, answer: [[start, end]]``        ``query_id, video_id, duration, gt``
ActivityNet         ``{results: {VIDEO: [{label, score,         ``{VIDEO: {duration, annotations:
                    segment}]}}``                               [{label, segment}]}}``
==================  ==========================================  ====================================

ActivityNet's detection becomes retrieval: each label that a video truly has is a query asked of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.results import BenchmarkError, Span

_ID = ("qid", "query_id", "id")
_VIDEO = ("vid", "video_id", "image_id")
_QUERY = ("query", "caption")
_PREDICTED = ("pred_relevant_windows", "answer", "timestamp")
_TRUE = ("relevant_windows", "gt", "timestamp")

Row = tuple[str, dict[str, Any]]
"""Where a row stands (file and line, or file and entry), and its fields."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A query with its truth.

    Attributes:
        qid: The dataset's name for it.
        query: Its text.
        video: The video it is about.
        duration_s: Length of that video; None where the file does not say.
        windows: True windows in seconds, one at least.
    """

    qid: str
    query: str
    video: str
    duration_s: float | None
    windows: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a file predicts.

    Attributes:
        form: Name of the field that holds the spans: tells the forms apart.
        spans: By query: what is listed as its spans, best first, as it stands in the file; these
            may be anything.
    """

    form: str
    spans: dict[str, tuple[object, ...]]


def read_predictions(path: Path) -> Predictions:
    """Read a file of predictions, in any of the forms of this module.

    Raises:
        BenchmarkError: If the file cannot be read, a row is no prediction, or two are for the same
            query; names file and line or entry. What a span holds is not checked here.
    """
    document = _load(path)
    if isinstance(document, dict) and isinstance(document.get("results"), dict):
        rows: Iterable[Row] = _detections(path, document["results"])
    else:
        rows = _rows(path, document)
    form = ""
    spans: dict[str, tuple[object, ...]] = {}
    for where, row in rows:
        name, field = _named(row, _ID), _named(row, _PREDICTED)
        if name is None or field is None or not isinstance(row[field], list):
            raise BenchmarkError(
                f"{where}: not a prediction; expected one of {', '.join(_ID)}, and a list of spans "
                f"as one of {', '.join(_PREDICTED)}"
            )
        qid, form = str(row[name]), field
        if qid in spans:
            raise BenchmarkError(f"{where}: a second prediction for query {qid}")
        spans[qid] = tuple(row[field])
    return Predictions(form, spans)


def read_annotations(path: Path) -> dict[str, Annotation]:
    """Read queries with their truth by name, in the file's order.

    Raises:
        BenchmarkError: If the file cannot be read, a row is no annotation, or two are of the same
            query; names file and line or entry.
    """
    document = _load(path)
    if isinstance(document, dict) and isinstance(document.get("annotations"), list):
        rows: Iterable[Row] = _rows(path, document["annotations"])
    elif isinstance(document, dict) and _named(document, _ID) is None:
        rows = _labels(path, document)
    else:
        rows = _rows(path, document)
    annotations: dict[str, Annotation] = {}
    for where, row in rows:
        try:
            one = _annotation(row)
        except (KeyError, TypeError, ValueError, OverflowError) as exc:
            raise BenchmarkError(
                f"{where}: not an annotation ({exc}); expected {' or '.join(_ID)}, "
                f"{' or '.join(_VIDEO)}, {' or '.join(_QUERY)}, and true windows as "
                f"{' or '.join(_TRUE)}"
            ) from exc
        if one.qid in annotations:
            raise BenchmarkError(f"{where}: query {one.qid} is annotated a second time")
        annotations[one.qid] = one
    if not annotations:
        raise BenchmarkError(f"{path}: no annotation in it")
    return annotations


def _annotation(row: dict[str, Any]) -> Annotation:
    fields = {what: _named(row, names) for what, names in _FIELDS.items()}
    missing = [what for what, name in fields.items() if name is None]
    if missing:
        raise ValueError(f"no {' and no '.join(missing)}")
    found = {what: row[name] for what, name in fields.items() if name is not None}
    windows = found["true windows"]
    if windows and not isinstance(windows[0], list):
        windows = [windows]
    spans = tuple((float(start_s), float(end_s)) for start_s, end_s in windows)
    if not spans:
        raise ValueError("no true window")
    for start_s, end_s in spans:
        if not 0 <= start_s < end_s < float("inf"):
            raise ValueError(f"the true window {start_s} to {end_s} s is none")
    duration_s = row.get("duration")
    return Annotation(
        qid=str(found["name"]),
        query=str(found["query"]),
        video=str(found["video"]),
        duration_s=None if duration_s is None else float(duration_s),
        windows=spans,
    )


_FIELDS = {"name": _ID, "video": _VIDEO, "query": _QUERY, "true windows": _TRUE}


def _load(path: Path) -> Any:
    """The document, or a list of rows with their places for JSON Lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise BenchmarkError(f"cannot read {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise BenchmarkError(f"cannot read {path}: not UTF-8 text ({exc.reason})") from exc
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        if exc.msg != "Extra data":
            raise BenchmarkError(f"{path}:{exc.lineno}: not JSON ({exc.msg})") from exc
    return _Lines(_lines(path, text))


class _Lines(list[Row]):
    """Rows of JSON Lines, each with its place."""


def _lines(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as exc:
                raise BenchmarkError(f"{path}:{number}: not JSON ({exc})") from exc
            yield _row(f"{path}:{number}", row)


def _rows(path: Path, document: Any) -> Iterator[Row]:
    """Rows of a list, or of an object by query name; a lone row is a file of one line."""
    if isinstance(document, _Lines):
        yield from document
    elif isinstance(document, list):
        for number, row in enumerate(document, start=1):
            yield _row(f"{path}: entry {number}", row)
    elif isinstance(document, dict) and _named(document, _ID) is None:
        for name, row in document.items():
            where, fields = _row(f"{path}: entry {name!r}", row)
            yield where, {"id": name, **fields}
    else:
        yield _row(f"{path}:1", document)


def _row(where: str, row: Any) -> Row:
    if not isinstance(row, dict):
        raise BenchmarkError(f"{where}: not a JSON object")
    return where, row


def _detections(path: Path, results: dict[str, Any]) -> Iterator[Row]:
    """ActivityNet's detections by video and label, best score first."""
    for video, detections in results.items():
        where = f"{path}: results of {video!r}"
        by_label: dict[str, list[list[Any]]] = {}
        try:
            for one in sorted(detections, key=lambda one: -float(one["score"])):
                spans = by_label.setdefault(str(one["label"]), [])
                spans.append([*one["segment"], one["score"]])
        except (KeyError, TypeError, ValueError, OverflowError) as exc:
            raise BenchmarkError(
                f"{where}: not detections ({type(exc).__name__}: {exc}); expected a list of "
                "label, score and segment"
            ) from exc
        for label, spans in by_label.items():
            yield where, {"qid": _detected(video, label), "pred_relevant_windows": spans}


def _labels(path: Path, document: dict[str, Any]) -> Iterator[Row]:
    """ActivityNet's true segments by video and label."""
    for video, entry in document.items():
        where = f"{path}: entry {video!r}"
        by_label: dict[str, list[Any]] = {}
        try:
            for one in entry["annotations"]:
                by_label.setdefault(str(one["label"]), []).append(one["segment"])
            duration_s = entry["duration"]
        except (KeyError, TypeError) as exc:
            raise BenchmarkError(
                f"{where}: not an annotated video ({type(exc).__name__}: {exc}); expected duration "
                "and annotations with label and segment"
            ) from exc
        for label, segments in by_label.items():
            yield (
                where,
                {
                    "qid": _detected(video, label),
                    "vid": video,
                    "query": label,
                    "duration": duration_s,
                    "relevant_windows": segments,
                },
            )


def _detected(video: str, label: str) -> str:
    """A query's name; ActivityNet's truth has a ``v_`` before its videos, its results have not."""
    return f"{video.removeprefix('v_')}/{label}"


def _named(row: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in row), None)
