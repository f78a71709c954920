"""What an answer by likeness must not claim: what nobody heard, understood or named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.grounding.lexical import terms_of, words_of
from tools.grounding.seen_edges import SAID
from tools.ranking import Ranking
from tools.retrieval.measured_need import measured_need
from tools.retrieval.question import read_question
from tools.retrieval.thing_words import read_thing
from tools.retrieval.unanswerable import NO_SOUND, is_only_heard, why_unheard, why_unread

if TYPE_CHECKING:
    from tools.embedders.embedder import Embedder
    from tools.timeline import Caption

NEAR_WORD = 0.65
"""Cosine from which a word of a caption stands for one of a question: lady and woman have 0.77, car
and vehicle 0.80, elephant and frog 0.60."""


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
    described = [one for one in captions if one.source in {"vision", *SAID}]
    if not described or ranking.is_exact or ranking.is_unclear:
        return ranking
    texts = list(dict.fromkeys(one.text for one in described))
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
    if ranking.verdict == "found" and (why := _unnamed(query, ranking, described, embedder)):
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=why)
    return ranking


def _texts_of(ranking: Ranking, captions: Sequence[Caption]) -> list[str]:
    spans = [one.span for one in ranking.events]
    return [one.text for one in captions if any(one.span.overlap_s(span) > 0 for span in spans)]


def _unnamed(query: str, ranking: Ranking, captions: Sequence[Caption], embedder: Embedder) -> str:
    """That no caption names the thing that is asked for, nor anything close to it; else empty."""
    asked = read_question(query)
    thing = None if asked.beside or ranking.parts else read_thing(asked.text)
    if (
        thing is None
        or thing.is_absent
        or not thing.is_bare
        or not embedder.name.startswith("minilm")
    ):
        return ""
    near = _texts_of(ranking, captions)
    said = sorted({word for text in near for word in words_of(text) if terms_of(word)})
    head = next((word for word in words_of(asked.text) if thing.heads & set(terms_of(word))), "")
    if not head or not said or any(thing.heads & {word, *terms_of(word)} for word in said):
        return ""
    cosines = embedder.embed(said) @ embedder.embed([head])[0]
    nearest = int(cosines.argmax())
    if cosines[nearest] >= NEAR_WORD:
        return ""
    return f"No caption there says “{head}”; the closest word is “{said[nearest]}”."
