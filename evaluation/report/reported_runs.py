"""The runs that a report is about, as their folders hold them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.results import BenchmarkError, Result, read_results


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        name: Its folder's name, or the path as given where two folders have the same name.
        results: In the order of the file; at least one, and one for each question.
        summary: What ``summary.json`` holds; empty where there is none.
    """

    name: str
    results: tuple[Result, ...]
    summary: dict[str, Any]

    @property
    def own(self) -> list[Result]:
        """Queries asked of their own videos."""
        return [one for one in self.results if one.kind == "own"]

    @property
    def nulls(self) -> list[Result]:
        """Queries asked of videos that they are not about."""
        return [one for one in self.results if one.kind != "own"]

    @property
    def errors(self) -> list[Result]:
        """Questions that have no answer."""
        return [one for one in self.results if one.verdict == "error"]


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Read runs, in the order given.

    Raises:
        BenchmarkError: If a folder is given twice, holds no result, or a file in it cannot be read.
    """
    resolved = [folder.resolve() for folder in folders]
    names = [folder.name for folder in resolved]
    runs = []
    for given, folder, name in zip(folders, resolved, names, strict=True):
        if resolved.count(folder) > 1:
            raise BenchmarkError(f"{given} is given twice; name every run once")
        # A run that is under way, or was killed, may have asked again what failed before.
        results = {one.key: one for one in read_results(given / "results.jsonl")}
        if not results:
            raise BenchmarkError(
                f"{given / 'results.jsonl'} holds no result yet; let whenabouts eval run first"
            )
        label = name if names.count(name) == 1 else str(given)
        runs.append(Run(label, tuple(results.values()), _read_summary(given / "summary.json")))
    return runs


_PARTS = {"questions": dict, "bad_lines": list, "bad_videos": dict, "provenance": dict}
"""What a report takes from a summary."""


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise BenchmarkError(f"cannot read {path}: {exc}") from exc
    if not isinstance(summary, dict):
        raise BenchmarkError(f"{path} is no summary of whenabouts eval: it holds no JSON object")
    for name, kind in _PARTS.items():
        if name in summary and not isinstance(summary[name], kind):
            raise BenchmarkError(f"{path} is no summary of whenabouts eval: see its {name!r}")
    return summary
