"""TACoS (Regneri et al., "Grounding Action Descriptions in Videos", 2013), as 2D-TAN publishes it.

Times are frame numbers: frame ``n`` is shown from ``n / fps`` s on. The same sentence may describe
several stretches of a video; as published, each of those is a query.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.datasets.query import Annotations, LineError, number
from evaluation.datasets.sentences import read_sentences

FORM = '{"VIDEO": {"fps", "num_frames", "timestamps": [[first, last], …], "sentences": […]}}'


def read(path: Path, _: Mapping[str, float]) -> Annotations:
    """Read a split.

    Raises:
        BenchmarkError: If the file cannot be read.
    """
    return read_sentences(path, _clock, form=FORM)


def _clock(entry: dict[str, Any]) -> tuple[object, float]:
    rate_hz = number(entry["fps"], "fps")
    if rate_hz <= 0:
        raise LineError(f"fps is {rate_hz:g}")
    return number(entry["num_frames"], "num_frames") / rate_hz, rate_hz
