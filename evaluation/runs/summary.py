"""What a run says of itself: its figures, and where they come from.

Nothing in ``summary.json`` depends on time or on what was answered first: two runs over the same
answers write the same bytes. How long things took is in ``timing.json``.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from agent.grounding import Cost
from evaluation.figures.decomposition import decompose
from evaluation.figures.measures import measure
from evaluation.figures.metrics import score_by_length, summarise
from evaluation.results import Kind, Result
from evaluation.runs.selection import Selection

EXAMPLES = 5
"""Bad videos that are named: with a part of a dataset at hand, nearly all may be missing."""


def summarise_run(
    results: Sequence[Result],
    selection: Selection,
    *,
    stopped: str,
    by_length: bool,
    is_benchmark: bool = True,
) -> dict[str, Any]:
    """The figures, and what was asked for them.

    Args:
        results: In the order of the questions.
        selection: The questions.
        stopped: Why some have no answer; empty where all have one.
        is_benchmark: Whether figures that are a published benchmark's own belong to it.
        by_length: Whether to give QVHighlights' figures for short, middle and long windows.
    """
    cuts_s = [query.cut_s for query in selection.queries if query.cut_s]
    kinds = Counter(result.kind for result in results)
    return {
        "figures": {
            name: figure.as_dict()
            for name, figure in measure(results).items()
            if is_benchmark or not name.startswith("QVHighlights")
        },
        "outcomes": decompose(results).counts if results else {},
        **({"by_length": _by_length(results)} if by_length else {}),
        "questions": {
            "asked": len(results),
            "of": len(selection.questions),
            **{kind: kinds[kind] for kind in get_args(Kind)},
            "errors": sum(result.verdict == "error" for result in results),
            "fallback_answers": sum(result.by == "fallback" for result in results),
            "refused_replies": sum(len(result.refusals) for result in results),
        },
        "stopped": stopped,
        "bad_lines": list(selection.bad_lines),
        "bad_videos": {
            "videos": len(selection.bad_videos),
            "queries": selection.left_out,
            "examples": list(selection.bad_videos.values())[:EXAMPLES],
        },
        "windows_cut_to_video": {
            "queries": len(cuts_s),
            "furthest_s": round(max(cuts_s, default=0.0), 3),
        },
        "cost": _plain(costs_of(one.costs for one in results)),
        "kept": _plain(costs_of(one.kept for one in results)),
    }


def timing_of(results: Sequence[Result]) -> dict[str, Any]:
    """Seconds by graph node: the median question, and all of them."""
    nodes = dict.fromkeys(node for result in results for node in result.seconds)
    seconds = {
        node: [result.seconds[node] for result in results if node in result.seconds]
        for node in nodes
    }
    return {
        node: {"median_s": float(np.median(spent)), "total_s": float(np.sum(spent))}
        for node, spent in seconds.items()
    }


def costs_of(costs: Iterable[dict[str, Cost]]) -> dict[str, Cost]:
    """By stage, over all questions."""
    total: dict[str, Cost] = {}
    for of_question in costs:
        for stage, cost in of_question.items():
            total[stage] = total.get(stage, Cost()).plus(cost)
    return total


def _plain(costs: dict[str, Cost]) -> dict[str, dict[str, Any]]:
    return {stage: cost.model_dump() for stage, cost in costs.items()}


def file_hash(path: Path) -> str:
    """Tells files apart by what they hold."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def commit() -> str:
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


def as_json(value: object) -> str:
    """How the files of a run are written."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _by_length(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    own = [result for result in results if result.kind == "own"]
    scores = score_by_length(
        [np.array(one.candidates, dtype=np.float64).reshape(-1, 3) for one in own],
        [np.array(one.truth, dtype=np.float64).reshape(-1, 2) for one in own],
    )
    return {name: summarise(part) for name, part in scores.items() if len(part.top_iou)}
