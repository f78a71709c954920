"""What people ask of the real videos, by the classical describer: how many answers are false.

    python -m evaluation.experiments.natural_questions [FOLDER] [--only VIDEO] [--store FOLDER]

The folder holds the recorded videos. The truth of each question was seen by eye or stands in the
labels beside the videos. False is an interval that lies for the most part outside of the truth, and
"not found" where there is something; "cannot tell" is never false, but counted where a sense could
have known. Bar: no false answer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.api import Grounder, load_settings
from evaluation.experiments.labelled_questions import (
    GALLERY,
    HEAD,
    MIX,
    QUESTIONS,
    VISITOR,
    Labelled,
)
from tools.terminal import put
from tools.timeline import Interval

if TYPE_CHECKING:
    from agent.grounding import Grounding

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "videos"

Outcome = Literal["right", "false", "open", "unanswered"]


def outcome(question: Labelled, answer: Grounding) -> Outcome:
    """What becomes of an answer beside the truth."""
    if answer.verdict == "cannot_tell":
        return "unanswered" if question.is_knowable else "open"
    if answer.verdict == "not_found":
        return "false" if question.truth else "right"
    inside = [_share_inside(one.span, question) for one in answer.intervals]
    return "right" if all(share > 0.5 for share in inside) else "false"


def _share_inside(span: Interval, question: Labelled) -> float:
    truth = [
        Interval(max(0.0, start_s - question.slack_s), end_s + question.slack_s)
        for start_s, end_s in question.truth
    ]
    return max((span.overlap_s(one) / span.length_s for one in truth), default=0.0)


def ask(folder: Path, store: Path, questions: Sequence[Labelled]) -> list[Outcome]:
    """Ask them one after another; prints each answer."""
    outcomes = []
    with Grounder(load_settings(store=store, captioner="classical")) as grounder:
        for question in questions:
            answer = grounder.find(folder / f"{question.video}.mp4", question.query)
            outcomes.append(outcome(question, answer))
            spans = ", ".join(f"{one.start_s:.2f}–{one.end_s:.2f}" for one in answer.intervals)
            said = spans if answer.verdict == "found" else answer.verdict.replace("_", " ")
            put(f"{outcomes[-1]:>10}  {question.video}: {question.query}  →  {said}")
            put(f"{'':12}{answer.reasoning}")
    return outcomes


def main() -> int:
    """Ask, count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument(
        "--only", choices=(VISITOR, GALLERY, MIX, HEAD), help="ask of one video alone"
    )
    parser.add_argument("--store", type=Path, help="where captions are kept from run to run")
    options = parser.parse_args()
    if not options.folder.is_dir():
        put(f"skipped: the real videos are not at {options.folder}")
        return 0
    questions = [one for one in QUESTIONS if options.only in {None, one.video}]
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = ask(options.folder, options.store or Path(scratch), questions)
    count = {kind: outcomes.count(kind) for kind in ("right", "false", "open", "unanswered")}
    put(
        f"{len(questions)} questions: {count['right']} right, {count['false']} false (bar 0), "
        f"{count['open']} that no sense can know, {count['unanswered']} that one could have known"
    )
    return int(count["false"] > 0)


if __name__ == "__main__":
    sys.exit(main())
