"""Questions for what is not so: "a woman but not blonde", "nobody wears a hat", "not a car"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tools.grounding.grounder import claim_events
from tools.grounding.lexical import terms_of
from tools.ranking import Ranking, Window
from tools.timeline import Caption, Interval

SAID_SHARE = 0.2
"""What more of a window's captions say than this, is in it."""

MOST_WORDS = 3
"""What somebody must not have is named in a word or two; longer text goes on to something else."""


@dataclass(frozen=True, slots=True)
class Negated:
    """A thing, and what it must not be or have.

    Attributes:
        what: The thing.
        without: Words for what it must not have.
    """

    what: str
    without: str


def read_negation(text: str) -> Negated | None:
    """The two sides of "WHAT, not WITHOUT"; None where it has no such form."""
    found = _BUT_NOT.fullmatch(text.strip(" .?!"))
    if not found or not terms_of(found["without"]):
        return None
    # "A man without a tie near a table smiles" tells of a man who smiles.
    if len(found["without"].split()) > MOST_WORDS or _BESIDE.search(found["without"]):
        return None
    return Negated(found["what"], found["without"])


def read_rest(text: str) -> str:
    """What "everything except WITHOUT" leaves out; empty where it has no such form."""
    found = _REST.fullmatch(text.strip(" .?!"))
    return found["without"] if found and terms_of(found["without"]) else ""


def is_negative(text: str) -> bool:
    """Whether it asks for what does not happen, or is not there."""
    return _NOT.search(text) is not None


def rank_without(
    negated: Negated,
    ask: Callable[[str], Ranking],
    times_of: Callable[[str], Sequence[Window]],
    captions: Sequence[Caption],
) -> Ranking:
    """The windows of a thing of which captions do not say what it must not have.

    Args:
        negated: The question.
        ask: Ranks windows for some words.
        times_of: The times at which captions name something; see ``named_times``.
        captions: In time order.
    """
    ranking, named = ask(negated.what), tuple(times_of(negated.what))
    unwanted = frozenset(terms_of(negated.without))
    said = [frozenset(terms_of(one.text)) for one in captions]
    if not any(unwanted <= some for some in said):
        why = (
            f"No caption says “{negated.without}”, so where it is missing cannot be told; "
            f"ask for “{negated.what}”."
        )
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=why)
    have = [one.span for one in times_of(f"{negated.what} with {negated.without}")]

    def has_it(window: Window) -> bool:
        if named:
            return any(window.span.overlap_s(span) > 0 for span in have)
        inside = [
            some
            for one, some in zip(captions, said, strict=True)
            if window.span.overlap_s(one.span) > 0
        ]
        return sum(unwanted <= some for some in inside) > SAID_SHARE * len(inside)

    left = tuple(one for one in named or ranking.windows if not has_it(one))
    is_found = bool(left) and (bool(named) or ranking.verdict == "found")
    told = f"Left out: where captions say “{negated.without}”."
    if not left:
        told = f"Wherever it was found, captions say “{negated.without}”."
    return replace(
        ranking,
        verdict="found" if is_found else "not_found",
        windows=left or ranking.windows,
        events=(named and left) or claim_events(left) if is_found else (),
        reasoning=told,
    )


def rank_rest(without: str, ranking: Ranking, captions: Sequence[Caption]) -> Ranking:
    """All of the video but the times of one thing.

    Args:
        without: Words for the thing.
        ranking: Of that, with all its times as events.
        captions: In time order.
    """
    if ranking.verdict != "found":
        why = f"“{without}” could not be found, so what is left without it cannot be told."
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=why)
    spans: list[Interval] = []
    is_next = False
    for one in captions:
        has_it = sum(one.span.overlap_s(event.span) for event in ranking.events)
        if 2 * has_it > one.span.length_s:
            is_next = False
        elif is_next:
            spans[-1] = Interval(spans[-1].start_s, max(spans[-1].end_s, one.end_s))
        else:
            spans.append(one.span)
            is_next = True
    if not spans:
        why = f"All of it is “{without}”, as far as captions tell."
        return replace(ranking, verdict="not_found", events=(), reasoning=why)
    sure = min(event.confidence for event in ranking.events)
    rest = tuple(Window(span, sure, sure) for span in spans)
    why = f"This is all but the times at which “{without}” was found."
    return replace(
        ranking, verdict="found", windows=rest, events=rest, reasoning=why, is_exact=False
    )


def left_open(ranking: Ranking) -> Ranking:
    """That what does not happen is not told of by captions: nothing was denied for that."""
    why = (
        "It asks for what is not so, and captions tell what is: compared by likeness, they would "
        "answer with what is. Ask for the thing itself."
    )
    return replace(ranking, verdict="cannot_tell", events=(), reasoning=why)


_BUT_NOT = re.compile(
    r"(?P<what>[^,]+?)(?:,? (?:but|and|though|with),? (?:not|no)|, not|,? (?:but |and )?without"
    r"|,? except(?: for)?|,? other than|,? excluding"
    r"|,? (?:(?:who|that|which) )?(?:is|are|does|do|has|have)(?: not|n['’]t))"
    r"(?: (?:wearing|wear|having|have|holding|with|in))?"
    r"(?: (?:the|an?|any|his|her))? (?P<without>[^,]+?)(?: (?:ones?|people|person))?",
    re.IGNORECASE,
)
_REST = re.compile(
    r"(?:everything|anything|all(?: of it)?"
    r"|(?:all|every)(?: the)? (?:scenes?|parts?|moments?|times?)"
    r"|the (?:(?:whole|entire|rest of the) )?(?:video|clip|film|rest))(?: there is)?,? "
    r"(?:except(?: for)?|but(?: not)?|other than|apart from|besides|excluding|without|minus) "
    r"(?P<without>[^,]+)",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"\b(?:near|beside|behind|under|over|on|in|at|by|from|to|into|through|while|and|as|of)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|never|nobody|no one|no-one|none|nothing|neither|nor|cannot)\b|n['’]t\b|"
    r"(?:^|\b(?:there|is|are|was|were) )no \w",
    re.IGNORECASE,
)
