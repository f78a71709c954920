"""The options of ``whenabouts tune``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.terminal import Parser
from training.recipe import RECIPES

EXAMPLE = """\
examples:
  whenabouts tune exclude --dataset charades-sta --annotations charades_sta_test.txt --out test.list
  whenabouts tune data --dataset charades-sta --annotations charades_sta_train.txt \\
      --videos Charades_v1_480/ --teacher openai:gpt-5 --exclude test.list --max-usd 20 --out data/
  whenabouts tune inspect --data data/ --out sheet.png
  whenabouts tune train --model HuggingFaceTB/SmolVLM2-500M-Video-Instruct --data data/ --out tuned/
  whenabouts ask clip.mp4 "someone opens the fridge" --strategy activity \\
      --captioner local:HuggingFaceTB/SmolVLM2-500M-Video-Instruct --adapter tuned/adapter
  whenabouts tune merge --adapter tuned/adapter --out merged/

base against tuned:
  whenabouts eval experiment tuning --annotations charades_sta_test.txt --videos Charades_v1_480/ \\
      --captioner local:MODEL --adapter tuned/adapter --reasoner similarity --out runs/tuning

several GPUs:
  accelerate launch --num_processes 4 -m agent.cli tune train --model … --data … --out …

exit codes:
  0  done
  1  stopped by --max-usd; the same command goes on from there
  2  bad input, or a failure; the message says what to do, and what was bought is kept
"""


def build_parser() -> Parser:
    """The options of ``whenabouts tune``."""
    parser = Parser(
        prog="whenabouts tune",
        description="Tune a small image model on a teacher's descriptions (extra `train`).",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    data = commands.add_parser("data", help="have a teacher describe frames of annotated videos")
    _add_annotations(data)
    data.add_argument("--videos", type=Path, required=True, metavar="DIR")
    data.add_argument(
        "--teacher",
        required=True,
        metavar="NAME",
        help="openai:MODEL, or human: the annotators' sentences",
    )
    data.add_argument("--out", type=Path, required=True, metavar="DIR")
    data.add_argument(
        "--exclude",
        type=Path,
        action="append",
        default=[],
        metavar="LIST",
        help="videos that must not be trained on, from `tune exclude`; may be given several times",
    )
    data.add_argument("--inside", type=_positive, default=2, metavar="N", help="frames an event")
    data.add_argument(
        "--outside", type=_count, default=1, metavar="N", help="frames outside of it (0: none)"
    )
    data.add_argument("--mode", default="frame", metavar="MODE", help="frame, grid4 or clip4")
    data.add_argument(
        "--strategy",
        choices=("activity", "general"),
        default="activity",
        help="the prompt that descriptions answer, as of `ask --strategy`; what was bought serves "
        "for both",
    )
    data.add_argument("--rate", type=float, default=2.0, metavar="HZ", help="of frames of a grid")
    data.add_argument("--max-usd", type=float, metavar="USD", help="stop when so much is spent")
    data.add_argument("--dry-run", action="store_true", help="only say what it would take")
    data.add_argument("--env", metavar="FILE", help="read settings from this file")
    data.add_argument("--json", action="store_true")

    exclude = commands.add_parser("exclude", help="list a benchmark's videos, as digests")
    _add_annotations(exclude)
    exclude.add_argument("--out", type=Path, required=True, metavar="LIST")

    inspect = commands.add_parser("inspect", help="draw random samples of a data set, to look at")
    inspect.add_argument("--data", type=Path, required=True, metavar="DIR")
    inspect.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    inspect.add_argument("--count", type=_positive, default=16, metavar="N")
    inspect.add_argument("--seed", type=int, default=0)

    train = commands.add_parser("train", help="LoRA; goes on where it was stopped")
    train.add_argument("--model", required=True, metavar="NAME_OR_DIR")
    train.add_argument("--data", type=Path, required=True, metavar="DIR")
    train.add_argument("--out", type=Path, required=True, metavar="DIR")
    train.add_argument("--exclude", type=Path, action="append", default=[], metavar="LIST")
    train.add_argument("--recipe", choices=sorted(RECIPES), default="default")
    train.add_argument(
        "--device-batch", type=_positive, default=4, metavar="N", help="conversations at a time"
    )
    train.add_argument(
        "--checkpointing",
        action=argparse.BooleanOptionalAction,
        help="less memory, more time (default: on a GPU)",
    )
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--json", action="store_true")

    merge = commands.add_parser("merge", help="make an adapter a part of its base's weights")
    merge.add_argument("--adapter", type=Path, required=True, metavar="DIR")
    merge.add_argument("--base", metavar="NAME_OR_DIR", help="where it is now, if it was moved")
    merge.add_argument("--out", type=Path, required=True, metavar="DIR")
    return parser


def _add_annotations(parser: argparse.ArgumentParser) -> None:
    from evaluation.datasets.registry import DATASETS

    parser.add_argument("--dataset", choices=sorted(DATASETS), required=True)
    parser.add_argument("--annotations", type=Path, required=True, metavar="FILE")
    parser.add_argument("--durations", type=Path, metavar="FILE.csv", help="lengths of videos")


def _positive(text: str) -> int:
    if not (count := _count(text)):
        raise argparse.ArgumentTypeError("must be 1 or more, not 0")
    return count


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"must be a whole number up to 1000, not {text}")
    return int(text)
