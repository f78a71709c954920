"""What an answer by likeness must not claim: what nobody heard, understood or named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.clock import clock
from tools.grounding.lexical import terms_of, words_of
from tools.grounding.seen_edges import SAID
from tools.ranking import Ranking
from tools.retrieval.measured_need import measured_need
from tools.retrieval.misspelt import mended
from tools.retrieval.negation import is_negative
from tools.retrieval.question import read_question
from tools.retrieval.thing_words import names_of, read_thing
from tools.retrieval.unanswerable import NO_SOUND, is_only_heard, why_unheard, why_unread
from tools.retrieval.unsaid import (
    closest_to,
    first_saying,
    names_something,
    said_in,
    unsaid_in,
)
from tools.signals.said_times import why_no_time

if TYPE_CHECKING:
    from tools.embedders.embedder import Embedder
    from tools.timeline import Caption

UNSURE = 0.3
"""An answer that is less sure is none where no caption says one of a short question's words."""

SHORT_WORDS, NAME_WORDS = 7, 4
"""Words of a short question, and of a name; of longer ones some are always said otherwise."""


def thought_over(
    query: str,
    ranking: Ranking,
    captions: Sequence[Caption],
    *,
    embedder: Embedder,
    has_sound: Callable[[], bool],
) -> Ranking:
    """The ranking, or that it cannot be told, with the reason.

    Args:
        query: The question.
        ranking: The answer of all tracks together.
        captions: All that were searched, of all tracks.
        embedder: Compares single words.
        has_sound: Whether the video has a sound track; asked only where that matters.
    """
    if ranking.is_exact or ranking.is_unclear:
        return ranking
    if why := why_no_time(query):
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=why, is_unclear=True)
    described = [one for one in captions if one.source in {"vision", *SAID}]
    return _thought_over(query, ranking, described, embedder, has_sound) if described else ranking


def _thought_over(
    query: str,
    ranking: Ranking,
    described: Sequence[Caption],
    embedder: Embedder,
    has_sound: Callable[[], bool],
) -> Ranking:
    texts = list(dict.fromkeys(one.text for one in described))
    query, _ = mended(query, texts)
    if ranking.verdict != "found" and (why := why_unread(query, texts)):
        return replace(ranking, verdict="cannot_tell", reasoning=why, is_unclear=True)
    if ranking.verdict != "found" or is_only_heard(query):
        near = _texts_of(ranking, described) if ranking.verdict == "found" else texts
        is_transcribed = any(one.source in SAID for one in described)
        is_written = measured_need(query) == "text"
        why = "" if is_written else why_unheard(query, near, is_transcribed=is_transcribed)
        if why and is_only_heard(query) and not has_sound():
            return replace(ranking, verdict="not_found", events=(), reasoning=NO_SOUND)
        if why and has_sound():
            return replace(
                ranking, verdict="cannot_tell", events=(), reasoning=why, is_unclear=True
            )
    if ranking.verdict == "found":
        return _unnamed(query, ranking, described, embedder)
    return ranking


def _texts_of(ranking: Ranking, captions: Sequence[Caption]) -> list[str]:
    spans = [one.span for one in ranking.events]
    return [one.text for one in captions if any(one.span.overlap_s(span) > 0 for span in spans)]


def _unnamed(
    query: str, ranking: Ranking, captions: Sequence[Caption], embedder: Embedder
) -> Ranking:
    """Without events, or with a note, where no caption names what is asked for."""
    asked = read_question(query)
    is_seen = any(one.answers and one.kind in {"seen", "measured"} for one in ranking.heard)
    is_plain = not (asked.beside or asked.is_open or ranking.parts or is_seen)
    if not is_plain or is_negative(asked.text) or not embedder.name.startswith("minilm"):
        return ranking
    head = _head(asked.text)
    why = _far_off(head, ranking, captions, embedder) if head else ""
    if why:
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=why)
    return _unsaid(asked.text, ranking, [one.text for one in captions], embedder)


def _unsaid(text: str, ranking: Ranking, said: Sequence[str], embedder: Embedder) -> Ranking:
    """Without events that are unsure where no caption says a word of a short statement."""
    if len(words_of(text)) > SHORT_WORDS:
        return ranking
    missing = closest_to(unsaid_in(text, said), said, embedder)
    if missing and max(one.confidence for one in ranking.events) < UNSURE:
        # What is asked for stands after what is done with it: "someone sits on a chair".
        why = str(missing[-1])
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=why)
    far = [str(one) for one in missing if not one.is_near]
    return replace(ranking, reasoning=" ".join([ranking.reasoning, *far[-1:]]))


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


def _far_off(head: str, ranking: Ranking, captions: Sequence[Caption], embedder: Embedder) -> str:
    """That no caption of the answer names it, nor anything close to it; else empty."""
    names = names_of(head)
    near = _texts_of(ranking, captions)
    if any(names & said_in(text) for text in near):
        return ""
    if any(one.is_near for one in closest_to([head], near, embedder)):
        return ""
    first_of = first_saying(tuple(one.text for one in captions))
    if at := [first_of[name] for name in names if name in first_of]:
        elsewhere = captions[min(at)]
        return (
            f"What is most like it does not say “{head}”; the caption at "
            f"{clock(elsewhere.start_s)} does: “{elsewhere.text}”"
        )
    closest = closest_to([head], [one.text for one in captions], embedder)
    return str(closest[0]) if closest else ""
