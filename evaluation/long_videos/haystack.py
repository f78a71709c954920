"""``whenabouts eval haystack``: how finding a moment gets harder as videos get longer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.results import BenchmarkError

if TYPE_CHECKING:
    from argparse import _SubParsersAction

DESCRIPTION = """\
Videos of hours are put together from the captions of short ones, in a seeded order. Every query is
asked of the long video that its own is part of, through the graph that ask uses. Only its windows
in its own part are true, though other hours may show something similar.
"""

EXAMPLE = """\
example:
  whenabouts eval haystack --captions val_captions.jsonl.gz --annotations val.jsonl \\
      --hours 0.04 0.5 1 4 10 --out runs/haystack

writes into --out, and goes on from there when started again:
  1h/results.jsonl  a line for every question of that length
  summary.json      figures with 95% intervals, and where all this is from

For videos of 10 hours, about 115,000 captions go into a store, which takes some minutes to write;
--limit asks fewer questions.
"""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of ``whenabouts eval haystack``."""
    parser = subparsers.add_parser(
        "haystack",
        help="videos of hours, put together from short ones",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--annotations", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--captions",
        type=Path,
        required=True,
        metavar="FILE|DIR",
        help="{vid, step, captions} lines, or a folder of VIDEO.jsonl",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.add_argument(
        "--hours", type=float, nargs="+", default=[0.04, 0.5, 1, 4, 10], metavar="H", help="lengths"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only N queries of each length")
    parser.add_argument(
        "--nulls", action="store_true", help="ask each query of another long video too"
    )
    parser.add_argument("--reasoner", metavar="NAME", default="similarity", help="who decides")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the videos")
    parser.add_argument("--json", action="store_true", help="print summary.json, not a table")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code.

    Raises:
        BenchmarkError: If an option or a file cannot be used.
    """
    if options.limit is not None and options.limit < 1:
        raise BenchmarkError(f"--limit must be at least 1, not {options.limit}")
    # Late: help and bad options need no graph.
    from evaluation.long_videos.haystack_run import run_haystack

    return run_haystack(options)
