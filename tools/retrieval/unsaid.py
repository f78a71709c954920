"""Words of a question that no caption of the video says, and what comes closest to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from tools.grounding.lexical import terms_of, words_of
from tools.retrieval.thing_words import is_person, names_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder

MOST_COMPARED = 1_000
"""Words of captions that one of a question is compared with: each is embedded, once."""

MOST_KEPT = 5_000
"""Single words whose vectors are kept: 8 MB of them. Captions of one video say a few hundred."""

NEAR_WORD = 0.7
"""Cosine from which a word of a caption stands for one of a question: lady and woman have 0.77, car
and vehicle 0.80; truck and car 0.69, football and basketball 0.68, tea and coffee 0.62."""

FORMAL = frozenset(
    "under below above behind beside between inside outside against across within toward towards "
    "during without like "
    "together down away back off again now then just still only there here out up over around "
    "along through video scene clip picture frame shot camera time times moment part start end "
    "begin beginning first last next something anything everything nothing thing things many "
    "much more several each every ever all any no not without do does did don get gets got go "
    "goes going come comes take takes make makes have has having show shows shown see seen look "
    "looks looking give put puts use using try trying front side top left right middle scenes "
    "shots view views couple couples pair group groups vlogger vloggers wear wears wearing "
    "himself herself itself themselves".split()
)
"""Words that say how, where or that something is, or whose captions name its members."""

_LEADS = frozenset("a an with wearing wears".split())
_COUNTS = frozenset("two three four five six seven eight nine ten".split())


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A word of a question, and the closest one that captions say.

    Attributes:
        word: As it is asked.
        closest: The closest word of the captions.
        cosine: Of the two.
    """

    word: str
    closest: str
    cosine: float

    @property
    def is_near(self) -> bool:
        """Whether the closest word may stand for it."""
        return self.cosine >= NEAR_WORD

    def __str__(self) -> str:
        return f"No caption says “{self.word}”; the closest word is “{self.closest}”."


def unsaid_in(text: str, said: Sequence[str]) -> list[str]:
    """Words of a statement for things and how they are that none of these texts says.

    Words are compared without their endings; a man is a person, and a truck a vehicle. What
    somebody does, and where, may be told in many words, so that only what stands after "a", "with"
    or "wearing" is among them, and how many there are.

    Args:
        text: A statement: "a man with a hat".
        said: Captions.
    """
    words = words_of(text)
    asked = [
        word
        for at, word in enumerate(words)
        if word in _COUNTS
        or (names_something(word) and _LEADS.intersection(words[max(0, at - 2) : at]))
    ]
    stems = _stems_said(tuple(said)) if asked else frozenset()
    return [one for one in dict.fromkeys(asked) if stems.isdisjoint({*names_of(one), *_stems(one)})]


@lru_cache(maxsize=8)
def words_said(said: tuple[str, ...]) -> frozenset[str]:
    """Every word of some captions; kept, as those of a video are the same in every question."""
    return frozenset(word for text in dict.fromkeys(said) for word in words_of(text))


@lru_cache(maxsize=8)
def _compared(said: tuple[str, ...]) -> list[str]:
    """The words that are compared with, in the order of the alphabet: those said most often."""
    counts = Counter(word for text in dict.fromkeys(said) for word in words_of(text))
    telling = (word for word, _ in counts.most_common() if terms_of(word))
    return sorted(islice(telling, MOST_COMPARED))


@lru_cache(maxsize=8)
def _stems_said(said: tuple[str, ...]) -> frozenset[str]:
    return frozenset(stem for word in words_said(said) for stem in _stems(word))


def said_in(text: str) -> set[str]:
    """The words of a text, and what is left of each without its ending."""
    return {stem for word in words_of(text) for stem in _stems(word)}


@lru_cache(maxsize=8)
def first_saying(said: tuple[str, ...]) -> dict[str, int]:
    """Of each word in ``said_in`` of some captions, the number of the first that says it."""
    first: dict[str, int] = {}
    for at, text in enumerate(said):
        for stem in said_in(text):
            first.setdefault(stem, at)
    return first


def names_something(word: str) -> bool:
    """Whether a word may name a thing, or say what one is like."""
    is_deed = len(word) > 4 and word.endswith(("ing", "ed", "ly"))
    return bool(terms_of(word)) and not (is_deed or word in FORMAL or is_person(word))


def closest_to(words: Sequence[str], said: Sequence[str], embedder: Embedder) -> list[Unsaid]:
    """The closest word that captions say for each of some words; none where they say nothing."""
    known = _compared(tuple(said))
    if not words or not known:
        return []
    cosines = _vectors(words, embedder) @ _vectors(known, embedder).T
    return [
        Unsaid(word, known[int(row.argmax())], float(row.max()))
        for word, row in zip(words, cosines, strict=True)
    ]


_kept: WeakKeyDictionary[Embedder, dict[str, NDArray[np.float32]]] = WeakKeyDictionary()


def _vectors(words: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    """As the embedder gives them; the words of a video are compared with in every question."""
    kept = _kept.setdefault(embedder, {})
    found = {word: vector for word in words if (vector := kept.get(word)) is not None}
    if new := [word for word in dict.fromkeys(words) if word not in found]:
        found |= zip(new, embedder.embed(new), strict=True)
        if len(kept) + len(new) > MOST_KEPT:
            kept.clear()
        kept.update({word: found[word].copy() for word in new})
    return np.stack([found[word] for word in words])


def _stems(word: str) -> set[str]:
    return {word, *terms_of(word)}
