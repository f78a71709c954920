"""What people ask of the real videos, by the classical describer: how many answers are false.

    python -m evaluation.experiments.natural_questions [FOLDER] [--captions] [--only VIDEO]
        [--store FOLDER]

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
from typing import TYPE_CHECKING, Literal, get_args

from agent.api import Grounder, load_settings
from evaluation.experiments.captioned_questions import CAPTIONED
from evaluation.experiments.labelled_questions import (
    GALLERY,
    HEAD,
    MIX,
    QUESTIONS,
    VISITOR,
    Labelled,
)
from tools.retrieval.word_by_word import DOUBT as UNSURE
from tools.terminal import put
from tools.timeline import Interval

if TYPE_CHECKING:
    from agent.grounding import Grounding

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "videos"

Outcome = Literal["right", "unsure", "false", "open", "unanswered"]


def outcome(question: Labelled, answer: Grounding) -> Outcome:
    """What becomes of an answer beside the truth."""
    if answer.verdict == "cannot_tell":
        return "unanswered" if question.is_knowable else "open"
    if answer.verdict == "not_found":
        return "false" if question.truth else "right"
    inside = [_share_inside(one.span, question) for one in answer.intervals]
    if all(share > 0.5 for share in inside):
        return "right"
    return "unsure" if answer.reasoning.startswith(UNSURE) else "false"


def _share_inside(span: Interval, question: Labelled) -> float:
    truth = [
        Interval(max(0.0, start_s - question.slack_s), end_s + question.slack_s)
        for start_s, end_s in question.truth
    ]
    return max((span.overlap_s(one) / span.length_s for one in truth), default=0.0)


def ask(
    folder: Path, store: Path, questions: Sequence[Labelled], *, captioned: bool = False
) -> list[Outcome]:
    """Ask them one after another, beside recorded captions if ``captioned``; prints each answer."""
    outcomes = []
    with Grounder(load_settings(store=store, captioner="classical")) as grounder:
        for question in questions:
            beside = folder / "captions" / f"{question.video}.jsonl" if captioned else None
            film = folder / f"{question.video}.mp4"
            answer = grounder.find(film, question.query, captions=beside)
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
    parser.add_argument("--captions", action="store_true", help="ask beside recorded captions")
    parser.add_argument("--store", type=Path, help="where captions are kept from run to run")
    options = parser.parse_args()
    if not options.folder.is_dir():
        put(f"skipped: the real videos are not at {options.folder}")
        return 0
    known = CAPTIONED if options.captions else QUESTIONS
    questions = [one for one in known if options.only in {None, one.video}]
    with tempfile.TemporaryDirectory() as scratch:
        store = options.store or Path(scratch)
        outcomes = ask(options.folder, store, questions, captioned=options.captions)
    count = {kind: outcomes.count(kind) for kind in get_args(Outcome)}
    if options.captions:
        put(
            f"{len(questions)} questions: {count['right']} right, {count['unsure']} that say they "
            f"are unsure, {count['false']} false, {count['open'] + count['unanswered']} left open"
        )
        return 0
    put(
        f"{len(questions)} questions: {count['right']} right, {count['false']} false (bar 0), "
        f"{count['open']} that no sense can know, {count['unanswered']} that one could have known"
    )
    return int(count["false"] > 0)


if __name__ == "__main__":
    sys.exit(main())
