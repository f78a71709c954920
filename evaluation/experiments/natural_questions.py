"""What people ask of the real videos, by default senses: how many answers are false.

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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.api import Grounder, load_settings
from tools.terminal import put
from tools.timeline import Interval

if TYPE_CHECKING:
    from agent.grounding import Grounding

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "videos"

SLACK_S = 1.25
"""Frames are a second apart, and come a moment late; labels are right to half a second or so."""

CUT_SLACK_S = 0.1

Spans = tuple[tuple[float, float], ...]
Outcome = Literal["right", "false", "open", "unanswered"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with its truth.

    Attributes:
        video: Its file's name without ending.
        query: As somebody would ask.
        truth: When it is so; none where it never is.
        is_knowable: Whether an embedded sense could know it.
        slack_s: How far an answer may reach beyond the truth.
    """

    video: str
    query: str
    truth: Spans = ()
    is_knowable: bool = True
    slack_s: float = SLACK_S


VISITS: Spans = (
    (6, 20.2),
    (22.8, 45),
    (50.6, 70.2),
    (74.7, 87),
    (92.7, 120.2),
    (123.6, 136.2),
)
NOBODY: Spans = (
    (0, 6),
    (20.2, 22.8),
    (45, 50.6),
    (70.2, 74.7),
    (87, 92.7),
    (120.2, 123.6),
    (136.2, 139.4),
)
LEAVING: Spans = tuple((end_s - 0.5, end_s + 0.5) for _, end_s in VISITS)
JOINS: Spans = tuple((at_s, at_s + 0.05) for at_s in (9.63, 19.63, 29.38, 38.96))
VISITOR, GALLERY, MIX = "one_by_one", "sam2_gallery_concat", "permissive_composite"

QUESTIONS = (
    Labelled(VISITOR, "When does someone enter the room?", VISITS),
    Labelled(VISITOR, "something is present", VISITS),
    Labelled(VISITOR, "When does somebody leave?", LEAVING),
    Labelled(VISITOR, "Nobody is in the room.", NOBODY),
    Labelled(VISITOR, "does the camera move?"),
    Labelled(VISITOR, "When does the screen go black?"),
    Labelled(VISITOR, "the scene changes"),
    Labelled(VISITOR, "a dissolve", is_knowable=False),
    Labelled(VISITOR, "When does the text “GAME OVER” appear?"),
    Labelled(VISITOR, "a man in a polo shirt comes in last", ((123.6, 136.2),), is_knowable=False),
    Labelled(VISITOR, "someone reads a book", ((22.8, 45),), is_knowable=False),
    Labelled(GALLERY, "When does the scene change?", JOINS, slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "the first cut", JOINS[:1], slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "a new shot begins suddenly", JOINS, slack_s=CUT_SLACK_S),
    Labelled(GALLERY, "When does the logo appear?", is_knowable=False),
    Labelled(GALLERY, "a woman plays with her dog", ((0, 9.63),), is_knowable=False),
    Labelled(GALLERY, "Coffee is being poured.", ((30.4, 38.96),), is_knowable=False),
    Labelled(GALLERY, "does the picture flicker?"),
    Labelled(GALLERY, "the screen is completely white"),
    Labelled(MIX, "the last cut", ((599.58, 599.68),), slack_s=CUT_SLACK_S),
    Labelled(MIX, "somebody tosses a pancake", ((393.75, 404.08),), is_knowable=False),
    Labelled(MIX, "when does $48,230 appear?", is_knowable=False),
    Labelled(MIX, "people demonstrate sign language", ((525.33, 569.42),), is_knowable=False),
    Labelled(MIX, "the screen is white in the intro"),
    Labelled(MIX, "a train arrives fast", is_knowable=False),
)


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
    parser.add_argument("--only", choices=(VISITOR, GALLERY, MIX), help="ask of one video alone")
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
