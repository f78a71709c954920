"""Charades-CD (Yuan et al., "A Closer Look at Temporal Sentence Grounding in Videos", 2021).

Charades-STA split again by where in the video events lie: ``charades_test_iid.json`` as in
training, ``charades_test_ood.json`` elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.datasets.query import Annotations
from evaluation.datasets.sentences import read_sentences

FORM = '{"VIDEO": {"video_duration", "timestamps": [[start, end], …], "sentences": […]}}'


def read(path: Path, _: Mapping[str, float]) -> Annotations:
    """Read a split; what it says of frames is not needed.

    Raises:
        BenchmarkError: If the file cannot be read.
    """
    return read_sentences(path, _clock, form=FORM)


def _clock(entry: dict[str, Any]) -> tuple[object, float]:
    return entry["video_duration"], 1.0
