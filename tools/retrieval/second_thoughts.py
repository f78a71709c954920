"""What an answer by likeness must not claim: what nobody heard, understood or named."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.grounding.lexical import terms_of, words_of
from tools.grounding.seen_edges import SAID
from tools.ranking import Ranking
from tools.retrieval.measured_need import measured_need
from tools.retrieval.misspelt import mended
from tools.retrieval.question import read_question
from tools.retrieval.said_there import FEW_WORDS, deeds_at, telling_in
from tools.retrieval.unanswerable import (
    NO_SOUND,
    is_only_heard,
    sound_words,
    why_unheard,
    why_unread,
)
from tools.retrieval.unsaid import closest_to, names_something, said_in
from tools.retrieval.word_by_word import DOUBT, judged_by_words, texts_of, withdrawn
from tools.signals.said_times import why_no_time

if TYPE_CHECKING:
    from tools.embedders.embedder import Embedder
    from tools.timeline import Caption

SEEN_WORDS = 2
"""Words for what is seen that have to stand beside a sound nobody heard: "the dog barks" has one,
and "a woman in glasses shouts into a microphone" two."""

_SAYS = re.compile(
    r"\b(?:say|says|said|saying|shouts?|shouting|whispers?|whispering) (?P<words>.+)",
    re.IGNORECASE,
)


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
    unheard = _unheard(query, ranking, described, has_sound)
    if unheard and not _is_seen_beside(query, ranking):
        return unheard
    unspoken = None if ranking.parts else _unspoken(query, ranking, described, embedder)
    if unspoken:
        return withdrawn(ranking, unspoken)
    # Words that are said are there as they are; that somebody says them is not said itself.
    is_spoken = unspoken is not None
    judged = ranking if is_spoken else judged_by_words(query, ranking, described, embedder=embedder)
    if not unheard or judged.verdict != "found" or judged.reasoning.startswith(DOUBT):
        return judged
    return replace(judged, reasoning=f"{DOUBT} {unheard.reasoning}")


def _unspoken(
    query: str, ranking: Ranking, captions: Sequence[Caption], embedder: Embedder
) -> str | None:
    """Why an answer does not hold the words that somebody is asked to say.

    Empty where it does, and None where nobody is asked to say anything.
    """
    said = _SAYS.search(read_question(query).text)
    if ranking.verdict != "found" or ranking.is_exact or not said:
        return None
    words = [one for one in dict.fromkeys(words_of(said["words"])) if names_something(one)]
    near = texts_of(ranking, captions)
    stems = {stem for text in near for stem in said_in(text)}
    unsaid = [one for one in words if stems.isdisjoint({one, *terms_of(one)})]
    far = [one for one in closest_to(unsaid, near, embedder) if not one.is_near]
    # Of a longer sentence it is the sense that is asked for, of which some word has to be said.
    is_spoken = not far or (len(words) > FEW_WORDS and len(far) < len(words))
    return "" if is_spoken else f"What is most like it does not say “{far[0].word}”."


def _is_seen_beside(query: str, ranking: Ranking) -> bool:
    """Whether more than a sound was found: "they drive through a desert as music plays".

    Not where the sound is what is done: "the white dog barks", "the siren of a red car".
    """
    text = read_question(query).text
    words, heard = words_of(text), set(sound_words(text))
    done_at = next(iter(deeds_at(words)), len(words))
    if ranking.verdict != "found" or is_only_heard(" ".join(words[: done_at + 1])):
        return False
    return len({words[at] for at in telling_in(text)} - heard) >= SEEN_WORDS


def _unheard(
    query: str, ranking: Ranking, captions: Sequence[Caption], has_sound: Callable[[], bool]
) -> Ranking | None:
    """The ranking of a sound that nobody heard; None where no sound is asked for, or it is told."""
    is_found = ranking.verdict == "found"
    if is_found and not is_only_heard(query):
        return None
    near = texts_of(ranking, captions) if is_found else [one.text for one in captions]
    is_transcribed = any(one.source in SAID for one in captions)
    is_written = measured_need(query) == "text"
    why = "" if is_written else why_unheard(query, near, is_transcribed=is_transcribed)
    if why and is_only_heard(query) and not has_sound():
        return replace(ranking, verdict="not_found", events=(), reasoning=NO_SOUND)
    if why and has_sound():
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=why, is_unclear=True)
    return None
