"""ActivityNet Captions (Krishna et al., "Dense-Captioning Events in Videos", 2017).

Published as ``val_1.json`` and ``val_2.json``, two annotators over the same videos; successors
publish it as JSON Lines in QVHighlights' form.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.datasets.query import Annotations
from evaluation.datasets.qvhighlights import read_rows
from evaluation.datasets.sentences import read_sentences

FORM = '{"VIDEO": {"duration", "timestamps": [[start, end], …], "sentences": […]}}'


def read(path: Path, durations_s: Mapping[str, float]) -> Annotations:
    """Read a file; one whose name ends in ``.json`` is in the first form, any other in the second.

    Raises:
        BenchmarkError: If the file cannot be read.
    """
    if path.suffix == ".json":
        return read_sentences(path, _clock, form=FORM)
    return read_rows(path, durations_s)


def _clock(entry: dict[str, Any]) -> tuple[object, float]:
    return entry["duration"], 1.0
