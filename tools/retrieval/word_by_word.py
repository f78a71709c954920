"""An answer by likeness beside the words of the question: what captions of it do not say.

Where one word of two is missing, or captions say its contrary, the answer is only what comes
closest. Where what is done is told in other words, it is unsure, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.clock import clock, clock_span
from tools.grounding.lexical import terms_of, words_of
from tools.ranking import Ranking
from tools.retrieval.contraries import contrary_in, contrary_of_name
from tools.retrieval.negation import is_negative, read_negation
from tools.retrieval.question import Asked, read_question
from tools.retrieval.said_there import Missing, missing_there, telling_deed, telling_in
from tools.retrieval.thing_words import names_of, read_thing
from tools.retrieval.two_things import read_two
from tools.retrieval.unsaid import (
    Unsaid,
    closest_to,
    first_saying,
    names_something,
    said_in,
    unsaid_in,
)
from tools.retrieval.verb_forms import in_third_person
from tools.timeline import Interval

if TYPE_CHECKING:
    from tools.embedders.embedder import Embedder
    from tools.timeline import Caption

UNSURE = 0.3
"""An answer that is less sure is none where no caption says one of a short question's words."""

DOUBT = "Unsure:"
"""How the reasoning of an answer begins whose captions do not say a word of the question."""

CONTRARY_WORDS = 3
"""Words that tell what is asked for, of which one may be contrary to what captions say. In longer
statements of QVHighlights it was as often the captions that called a thing by a wrong colour."""

MOMENT_SHARE = 0.2
"""What is told of in no more of a scene than this happens there, and not all through it."""

SHORT_WORDS, NAME_WORDS = 7, 4
"""Words of a short question, and of a name; of longer ones some are always said otherwise."""


def judged_by_words(
    query: str, ranking: Ranking, captions: Sequence[Caption], *, embedder: Embedder
) -> Ranking:
    """The ranking, or without events, or with a doubt, by what captions say of its words.

    Args:
        query: The question, spelt right.
        ranking: The answer of all tracks together.
        captions: Those that tell what is seen or said.
        embedder: Compares single words; only what the built-in one holds for close is known.
    """
    is_measured = any(one.answers and one.kind in {"seen", "measured"} for one in ranking.heard)
    if is_measured or not embedder.name.startswith("minilm"):
        return ranking
    asked = read_question(query)
    if ranking.parts:
        is_granted = asked.is_presupposed and ranking.verdict == "found"
        is_told = ranking.verdict != "cannot_tell" and not is_granted
        return _in_order(ranking, captions, embedder) if is_told else ranking
    if ranking.verdict != "found" or asked.is_open or is_negative(asked.text):
        return ranking
    if negated := read_negation(asked.text):
        # That captions do not say the rest is what is asked for.
        asked = replace(asked, text=negated.what)
    if asked.beside:
        # Where it was found, only what lies next to it tells.
        missing = missing_there(asked.beside, [one.text for one in captions], embedder)
        return _doubted(ranking, missing) if missing.words else ranking
    return ranking if read_two(asked.text) else _plain(asked, ranking, captions, embedder)


def _plain(
    asked: Asked, ranking: Ranking, captions: Sequence[Caption], embedder: Embedder
) -> Ranking:
    """The ranking of one statement."""
    text = in_third_person(asked.text) if asked.is_bare else asked.text
    near = texts_of(ranking, captions)
    head = _head(text)
    why = _far_off(head, near, captions, embedder) if head else ""
    missing = Missing()
    # "Why is the mug red": then it is, whatever captions call it.
    if not (why or asked.is_presupposed):
        if len(telling_in(text)) <= CONTRARY_WORDS:
            why = contrary_in(text, near) or contrary_of_name(
                text, near, [one.text for one in captions]
            )
        missing = missing_there(text, near, embedder)
        if not why and missing.is_of_few and (missing.things or _surest(ranking) < UNSURE):
            unsaid = missing.things or missing.deeds
            why = _why_missing(unsaid, captions) if unsaid else ""
    if why:
        return _withdrawn(ranking, why)
    left = _unsaid(text, ranking, [one.text for one in captions], embedder)
    if left.verdict == "found" and missing.words:
        return _doubted(left, missing)
    is_whole = left.verdict == "found" and not asked.is_presupposed
    return _cut_to_moment(text, left, captions, embedder) if is_whole else left


def _in_order(ranking: Ranking, captions: Sequence[Caption], embedder: Embedder) -> Ranking:
    """An order told only of parts whose words captions say where each of them was found."""
    doubts: list[Missing] = []
    for part in ranking.parts:
        near = _texts_in([one.span for one in part.times], captions)
        if not near or is_negative(part.text):
            continue
        missing = missing_there(part.text, near, embedder)
        is_denied = ranking.verdict == "not_found" and missing.words
        if is_denied or (missing.is_of_few and missing.things):
            unsaid = (*missing.things, *missing.deeds)[0]
            why = f"Where “{part.text}” may be, no caption says “{unsaid.word}”."
            return _withdrawn(ranking, why)
        if missing.words:
            doubts.append(missing)
    return _doubted(ranking, min(doubts, key=lambda one: one.trust)) if doubts else ranking


def texts_of(ranking: Ranking, captions: Sequence[Caption]) -> list[str]:
    """What the captions of the answer say."""
    return _texts_in([one.span for one in ranking.events], captions)


def _texts_in(spans: Sequence[Interval], captions: Sequence[Caption]) -> list[str]:
    edges = [(span.start_s, span.end_s) for span in spans]
    return [
        one.text
        for one in captions
        if any(one.start_s < end_s and start_s < one.end_s for start_s, end_s in edges)
    ]


def _cut_to_moment(
    text: str, ranking: Ranking, captions: Sequence[Caption], embedder: Embedder
) -> Ranking:
    """What is done once in a longer scene, by the captions that say so: "the dog jumps"."""
    if len(ranking.events) != 1:
        return ranking
    event = ranking.events[0]
    inside = [
        one
        for one in captions
        if event.span.start_s <= one.start_s and one.end_s <= event.span.end_s
    ]
    told = telling_deed(text, [one.text for one in inside], embedder)
    saying = [at for at, does in enumerate(told) if does]
    if not saying or saying[-1] - saying[0] + 1 != len(saying):
        return ranking
    span = Interval(inside[saying[0]].start_s, inside[saying[-1]].end_s)
    if span.length_s > MOMENT_SHARE * event.span.length_s:
        return ranking
    why = f"It is part of {clock_span(event.span)}, where captions tell of it only here."
    return replace(ranking, events=(replace(event, span=span),), reasoning=why)


def _surest(ranking: Ranking) -> float:
    return max(one.confidence for one in ranking.events)


def _withdrawn(ranking: Ranking, why: str) -> Ranking:
    """What was found is no answer, but the closest there is."""
    best = ranking.events or ranking.windows
    told = f"{why} The closest is {clock_span(best[0].span)}." if best else why
    return replace(ranking, verdict="cannot_tell", events=(), reasoning=told)


def _doubted(ranking: Ranking, missing: Missing) -> Ranking:
    """Less sure of what is found where no caption of it says a word."""
    windows, events = (
        tuple(replace(one, confidence=missing.trust * one.confidence) for one in some)
        for some in (ranking.windows, ranking.events)
    )
    said = " or ".join(f"“{one.word}”" for one in missing.words)
    told = f"{DOUBT} no caption of it says {said}."
    return replace(ranking, windows=windows, events=events, reasoning=told)


def _why_missing(unsaid: Sequence[Unsaid], captions: Sequence[Caption]) -> str:
    """Of words that the captions of the answer do not say, first one that none says."""
    told = [_elsewhere(one, captions) for one in unsaid]
    return next((why for one, why in zip(unsaid, told, strict=True) if why == str(one)), told[-1])


def _elsewhere(unsaid: Unsaid, captions: Sequence[Caption]) -> str:
    """That no caption of the answer says a word, and where another one does."""
    first_of = first_saying(tuple(one.text for one in captions))
    at = [first_of[name] for name in names_of(unsaid.word) if name in first_of]
    if not at:
        return str(unsaid)
    other = captions[min(at)]
    return (
        f"What is most like it does not say “{unsaid.word}”; the caption at "
        f"{clock(other.start_s)} does: “{other.text}”"
    )


def _unsaid(text: str, ranking: Ranking, said: Sequence[str], embedder: Embedder) -> Ranking:
    """Without events that are unsure where no caption says a word of a short statement."""
    if len(words_of(text)) > SHORT_WORDS:
        return ranking
    far = [one for one in closest_to(unsaid_in(text, said), said, embedder) if not one.is_near]
    # What is asked for stands after what is done with it: "someone sits on a chair".
    if far and _surest(ranking) < UNSURE:
        return _withdrawn(ranking, str(far[-1]))
    return replace(ranking, reasoning=" ".join([ranking.reasoning, *map(str, far[-1:])]))


def _head(text: str) -> str:
    """The word that names what is asked for; empty where more is said than "a red car"."""
    thing, words = read_thing(text), words_of(text)
    if thing is None or thing.is_absent:
        return ""
    head = next((word for word in words if thing.heads & set(terms_of(word))), "")
    is_name = words[0] in {"a", "an"} and head == words[-1] and len(words) <= NAME_WORDS
    if not names_something(head):
        return ""
    # "A dog jumps" and "a dog jumping" say what it does.
    return head if thing.is_bare or (is_name and not head.endswith("s")) else ""


def _far_off(
    head: str, near: Sequence[str], captions: Sequence[Caption], embedder: Embedder
) -> str:
    """That no caption of the answer names it, nor anything close to it; else empty."""
    names = names_of(head)
    if any(names & said_in(text) for text in near):
        return ""
    if any(one.is_near for one in closest_to([head], near, embedder)):
        return ""
    closest = closest_to([head], [one.text for one in captions], embedder)
    return _elsewhere(closest[0], captions) if closest else ""
