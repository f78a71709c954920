"""What people corrected, as the rows that ``whenabouts eval own --annotations`` reads.

The last word on a question about a video counts: rows that say two things would be refused there.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.errors import QueryError
from agent.web.plain_files import write_whole
from tools.timeline import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Corrections:
    """The file of corrections: JSON Lines, a row for each true stretch.

    Args:
        file: Where it is; made with the first correction.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._writing = threading.Lock()

    def rows(self) -> list[dict[str, Any]]:
        """All rows, the oldest first.

        Raises:
            QueryError: If somebody else has written there what is none; nothing is changed then.
        """
        if not self.file.exists():
            return []
        lines = self.file.read_bytes().split(b"\n")
        return [
            _row(line, self.file, number) for number, line in enumerate(lines, 1) if line.strip()
        ]

    def put(
        self, video: str, query: str, duration_s: float, spans_s: Sequence[tuple[float, float]]
    ) -> list[dict[str, Any]]:
        """Note where a thing really happens, in place of what was said before; returns its rows.

        Args:
            video: What labels call the video; see ``Library.label_name``.
            query: What was asked.
            duration_s: Length of the video.
            spans_s: Start and end of each time that it happens; none: it never does.

        Raises:
            QueryError: If the query is empty, or a stretch is none of the video's.
        """
        if not query.strip():
            raise QueryError("the query is empty; say what the correction is about")
        for start_s, end_s in spans_s:
            _check(start_s, end_s, duration_s)
        about: dict[str, Any] = {"video": video, "query": query.strip()}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        places: list[tuple[float | None, float | None]] = [*sorted(set(spans_s))] or [(None, None)]
        new = [
            about | {"start": start, "end": end, "duration": duration_s, "corrected_at": at}
            for start, end in places
        ]
        with self._writing:
            self._write([*self._others(about), *new])
        return new

    def remove(self, video: str, query: str) -> int:
        """Take back what was said about a query; returns how many rows that were."""
        with self._writing:
            rows = self.rows()
            others = self._others({"video": video, "query": query.strip()})
            self._write(others)
        return len(rows) - len(others)

    def _others(self, about: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in self.rows() if not about.items() <= row.items()]

    def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        write_whole(self.file, "".join(f"{line}\n" for line in lines))


def _row(line: bytes, file: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line.decode())
    except ValueError:
        row = None
    if not isinstance(row, dict) or not {"video", "query", "start", "end"} <= row.keys():
        raise QueryError(
            f"line {number} of {file} is no correction, as if it was edited or cut off; mend or "
            "delete that line, and nothing else is lost"
        )
    return row


def _check(start_s: float, end_s: float, duration_s: float) -> None:
    try:
        Interval(start_s, end_s)
    except ValueError as exc:
        raise QueryError(f"{exc}; drag the edges so that the start is before the end") from None
    if end_s > duration_s + 1e-6:
        raise QueryError(f"the stretch ends at {end_s:g} s, past the video's {duration_s:g} s")
