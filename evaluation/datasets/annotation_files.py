"""Reading files of annotations so that every bad line is known by file and number."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.datasets.query import Annotations, LineError, Query, number
from evaluation.results import BenchmarkError


class Reading:
    """Collects the queries of a file, and what is wrong with its bad lines.

    Args:
        form: What a line should look like, for a message about a bad one.
    """

    def __init__(self, form: str) -> None:
        self._form = form
        self._queries: list[Query] = []
        self._bad: list[str] = []

    @contextmanager
    def line(self, where: str) -> Iterator[None]:
        """What goes wrong inside is put down to this place, and reading goes on."""
        try:
            yield
        except KeyError as exc:
            self._complain(where, f"there is no {exc.args[0]!r}; expected {self._form}")
        except (LineError, OverflowError) as exc:
            self._complain(where, str(exc))

    def add(self, query: Query) -> None:
        """Note a good one."""
        self._queries.append(query)

    def annotations(self, path: Path) -> Annotations:
        """What was read.

        Raises:
            BenchmarkError: If there was neither a good line nor a bad one.
        """
        if not (self._queries or self._bad):
            raise BenchmarkError(f"{path} holds no annotation; expected {self._form}")
        return Annotations(tuple(self._queries), tuple(self._bad))

    def _complain(self, where: str, why: str) -> None:
        self._bad.append(f"{where}: {why}")


_DELIMITER = re.compile(r"sep=(?P<delimiter>[,;\t])\r?\n", re.IGNORECASE)

MAX_TEXT_BYTES = 1 << 30
"""Of one file of annotations or captions, unpacked."""


def read_text(path: Path) -> str:
    """A whole text file, gzipped or not.

    Raises:
        BenchmarkError: If it cannot be read.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_TEXT_BYTES + 1)
    except OSError as exc:
        raise BenchmarkError(f"cannot read {path}: {exc.strerror or exc}") from exc
    except (EOFError, zlib.error) as exc:
        raise BenchmarkError(f"cannot read {path}: {exc}") from exc
    if len(content) > MAX_TEXT_BYTES:
        raise BenchmarkError(
            f"{path} holds more than {MAX_TEXT_BYTES:,} bytes of text; is it the right file?"
        )
    # What Excel calls "Unicode text" is UTF-16, and begins with this mark.
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise BenchmarkError(
            f"{path}:{line}: not UTF-8 text (byte {exc.start}); save it as UTF-8, which "
            "spreadsheets call “CSV UTF-8”"
        ) from exc


def numbered_lines(path: Path) -> Iterator[tuple[str, str]]:
    """``FILE:NUMBER`` and text of every line that is not blank."""
    # Not splitlines: that would also cut at characters which JSON allows inside a text.
    for index, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield f"{path}:{index}", line.rstrip("\r")


def json_object(line: str) -> dict[str, Any]:
    """A line of JSON Lines.

    Raises:
        LineError: If it is no JSON object.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise LineError(f"not JSON ({exc})") from exc
    if not isinstance(row, dict):
        raise LineError("not a JSON object; write one object a line, and no list around them")
    return row


def read_durations(path: Path) -> dict[str, float]:
    """Lengths of videos in seconds, from a CSV file such as ``Charades_v1_test.csv``.

    Its columns ``id`` or ``video``, and ``length`` or ``duration``, are read.

    Raises:
        BenchmarkError: If it cannot be read, or a row is no such thing.
    """
    durations_s: dict[str, float] = {}
    video = length = None
    for where, row in csv_rows(path):
        video = video or next((name for name in ("id", "video") if name in row), None)
        length = length or next((name for name in ("length", "duration") if name in row), None)
        if not (video and length):
            raise BenchmarkError(
                f"{path}:1: the columns are {', '.join(row)}; expected id (or video) and length "
                "(or duration)"
            )
        try:
            durations_s[row[video]] = number(row[length], "the length")
        except LineError as exc:
            raise BenchmarkError(f"{where}: {exc}") from exc
    return durations_s


def csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """``FILE:NUMBER`` and fields by column of every row under the line that names the columns.

    Spreadsheets write semicolons or tabs in some countries; columns may be named in capitals. A row
    with more fields than columns has the rest of them under None, and one with fewer has None for
    those that it lacks; one without any is left out.

    Raises:
        BenchmarkError: If the file cannot be read, or is no CSV.
    """
    text = read_text(path)
    # A line that tells Excel the delimiter.
    told = _DELIMITER.match(text)
    text, first = (text[told.end() :], 2) if told else (text, 1)
    named = text.lstrip().partition("\n")[0]
    # Of equally many, the comma.
    delimiter = told["delimiter"] if told else max(",;\t", key=named.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    twice = [name for name in rows.fieldnames if name and rows.fieldnames.count(name) > 1]
    if twice:
        raise BenchmarkError(f"{path}:{first}: two columns are named {twice[0]}; rename one")
    try:
        for row in rows:
            if any(str(value).strip() for value in row.values() if value is not None):
                yield f"{path}:{rows.line_num + first - 1}", row
    except csv.Error as exc:
        raise BenchmarkError(f"{path}:{rows.line_num}: not CSV ({exc})") from exc


NO_DURATIONS: Mapping[str, float] = {}
