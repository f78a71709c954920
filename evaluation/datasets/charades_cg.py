"""Charades-CG: does a grounder understand words and compositions that it has not learnt from?

From Li et al., "Compositional Temporal Grounding with Structured Variational Cross-Graph
Correspondence Learning", 2022: Charades-STA split again. ``novel_word.json`` holds words that
training has not, ``novel_composition.json`` new pairs of words that it has. ``spl_test.json``
(Charades-STA by video) has the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.datasets.query import Annotations
from evaluation.datasets.sentences import read_sentences

FORM = '{"VIDEO": {"duration", "timestamps": [[start, end], …], "sentences": […]}}'


def read(path: Path, _: Mapping[str, float]) -> Annotations:
    """Read a split.

    Raises:
        BenchmarkError: If the file cannot be read.
    """
    return read_sentences(path, _clock, form=FORM)


def _clock(entry: dict[str, Any]) -> tuple[object, float]:
    return entry["duration"], 1.0
