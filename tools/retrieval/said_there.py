"""Which words of a short question the captions of its answer do not say.

Likeness of a sentence as a whole is blind for one wrong word of two: whoever asks for tea is shown
the coffee. In a longer question the other words tell enough, and some are always said otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tools.grounding.lexical import terms_of, words_of
from tools.retrieval.contraries import COLOURS, COUNTS, REACH
from tools.retrieval.thing_words import (
    ACTS,
    PEOPLE,
    is_person,
    names_of,
    other_sex,
    read_thing,
)
from tools.retrieval.unsaid import FORMAL, Unsaid, closest_to
from tools.retrieval.verb_forms import base_of

if TYPE_CHECKING:
    from tools.embedders.embedder import Embedder

FEW_WORDS, MOST_WORDS = 2, 4
"""Words that tell what is asked for, beside who does it. Of so few none may be missing; from more
than four on, some are always said otherwise. Of the statements of QVHighlights that have three,
captions of the right window leave out one or two as often as none."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Words that the captions of an answer say in no form.

    Attributes:
        things: For things and what they are like.
        deeds: For what is done, and where: captions tell that in many words, or leave it out.
        telling: How many words of the statement tell what is asked for.
    """

    things: tuple[Unsaid, ...] = ()
    deeds: tuple[Unsaid, ...] = ()
    telling: int = 0

    @property
    def words(self) -> tuple[Unsaid, ...]:
        """All of them."""
        return (*self.deeds, *self.things)

    @property
    def is_of_few(self) -> bool:
        """Whether nothing else speaks for an answer."""
        return self.telling <= FEW_WORDS

    @property
    def trust(self) -> float:
        """What is left of the confidence in the answer.

        By the rule of succession, how likely one more word would be said; of a short statement,
        half: four in five such answers to QVHighlights' statements are right, but there all that
        is asked for happens, and of "he drinks the milk" where he pours it none is.
        """
        if self.is_of_few:
            return 0.5
        return (self.telling - len(self.words) + 1) / (self.telling + 1)


def missing_there(text: str, near: Sequence[str], embedder: Embedder) -> Missing:
    """Words of a statement that captions neither say nor have a close word for.

    Args:
        text: The statement: "tea is poured". Of a long one, nothing is missing.
        near: The captions of its answer.
        embedder: Compares single words.
    """
    words = words_of(text)
    deed = _deed_at(words)
    telling = telling_in(text)
    phrase = _phrase_in(words)
    telling = [at for at in telling if at not in phrase]
    count = len({words[at] for at in telling}) + bool(phrase)
    if count > MOST_WORDS:
        return Missing()
    said = _families_said(tuple(dict.fromkeys(near)))
    unsaid = {
        words[at]: at
        for at in telling
        if said.isdisjoint(_family(words[at])) or (at == deed and not is_done(words[at], near))
    }
    closest = closest_to(list(unsaid), near, embedder)
    # Where a thing is called like what is done, it is no word for that.
    far = [one for one in closest if not (one.is_near and said.isdisjoint(_family(one.word)))]
    told_freely = {at for at in telling if at == deed or _is_where(words, at)}
    deeds = [one for one in far if unsaid[one.word] in told_freely]
    said_in_two = " ".join(words[at] for at in phrase)
    if phrase and not any(_says(said_in_two, words_of(one)) for one in dict.fromkeys(near)):
        deeds += closest_to([said_in_two], near, embedder)
    deeds += _of_other_sex(words, near)
    things = (one for one in far if unsaid[one.word] not in told_freely)
    return Missing(tuple(things), tuple(deeds), count)


def _of_other_sex(words: Sequence[str], near: Sequence[str]) -> list[Unsaid]:
    """The word for a man where captions tell of women alone, or the other way round."""
    said = [word for text in dict.fromkeys(near) for word in words_of(text) if is_person(word)]
    for word in words:
        others = other_sex(word)
        if others and said and others.issuperset(said):
            return [Unsaid(word, said[0], 0.0)]
    return []


def telling_deed(text: str, near: Sequence[str], embedder: Embedder) -> list[bool]:
    """Which captions say what a short statement says to be done; none where it is a longer one.

    Args:
        text: The statement: "the dog jumps", "when does it come back".
        near: Captions, in time order.
        embedder: Compares single words.
    """
    words = words_of(text)
    deed = _deed_at(words)
    if phrase := _phrase_in(words):
        said_in_two = " ".join(words[at] for at in phrase)
        return [_says(said_in_two, words_of(one)) for one in near]
    telling = telling_in(text)
    if deed not in telling or len(telling) > FEW_WORDS:
        return [False] * len(near)
    known = sorted({word for one in near for word in words_of(one) if terms_of(word)})
    wanted = _family(words[deed])
    if not any(wanted & _family(word) for word in known):
        close = [one for one in closest_to([words[deed]], near, embedder) if one.is_near]
        wanted = frozenset().union(*(_family(one.closest) for one in close))
    return [any(wanted & _family(word) for word in words_of(one)) for one in near]


def is_done(deed: str, near: Sequence[str]) -> bool:
    """Whether captions say a deed, and not only a thing of the same name: "a drink"."""
    family = _family(deed)
    said = (words_of(text) for text in dict.fromkeys(near))
    return any(
        family & _family(word) and not _is_thing(words, at)
        for words in said
        for at, word in enumerate(words)
    )


def _is_thing(words: Sequence[str], at: int) -> bool:
    """Whether a word names a thing there: "a drink is poured", and not "the open fridge"."""
    then = words[at + 1] if at + 1 < len(words) else ""
    return at > 0 and words[at - 1] in _LEADS and not terms_of(then)


def _phrase_in(words: Sequence[str]) -> tuple[int, ...]:
    """Where the two words of what is done stand; none where one word tells it."""
    found = _PHRASE.search(text := " ".join(map(base_of, words)))
    return tuple(text.count(" ", 0, found.start(one)) for one in (1, 2)) if found else ()


def _says(phrase: str, words: Sequence[str]) -> bool:
    verb, particle = phrase.split()
    deed = _family(verb)
    return particle in words and any(deed & _family(one) for one in words)


def telling_in(text: str) -> list[int]:
    """Where the words of a statement stand that say what is looked for; see ``words_of``."""
    thing = read_thing(text)
    acts = ACTS if thing else ()
    return [at for at, word in enumerate(words_of(text)) if _tells(word) and word not in acts]


def _tells(word: str) -> bool:
    """Whether a word says what is looked for, and not only that somebody does something."""
    stems = set(terms_of(base_of(word)))
    is_formal = word in COUNTS or (len(word) > 4 and word.endswith("ly")) or stems & _FORMAL
    is_anybody = is_person(word) and word not in _OF_AGE
    return bool(stems) and not (is_formal or is_anybody)


_FORMAL = frozenset(stem for word in FORMAL for stem in terms_of(word))


_OF_AGE = frozenset("child children kid kids baby boy boys girl girls".split())
"""People who are not meant where captions speak of a man or a woman."""

_PHRASE = re.compile(
    r"\b(puts?|putting|takes?|taking|turns?|turning|switch(?:es)?|picks?|picking|gives?|giving|"
    r"comes?|goes|go|gets?|looks?)(?: \w+){0,3} (off|on|down|up|back|away|over|part|place)\b"
)
"""What is done in two words, of which neither says it alone: "puts the mug down"."""

_WHERE = frozenset("in on at through from near outside inside across along".split())


def _is_where(words: Sequence[str], at: int) -> bool:
    """Whether a word tells where it happens: "in a large house", and not "in red"."""
    return words[at] not in COLOURS and not _WHERE.isdisjoint(words[max(0, at - REACH) : at])


_LEADS = frozenset("a an the his her its their some any this that".split())
_BEFORE_DEEDS = PEOPLE | frozenset("he she it they we you i".split())


def _deed_at(words: Sequence[str]) -> int | None:
    """Where the word for what is done stands, by its ending and what stands before it.

    A rule of thumb: "the parrot flies", "he drinks", "coffee being poured", "pouring milk".
    """
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if not terms_of(word) or before in _LEADS or before in COLOURS:
            continue
        # "Coloured blocks" and a "short-haired man" are so; "pouring milk" is done.
        is_quality = word.endswith("ed") and any(map(terms_of, words[at + 1 : at + 2]))
        if len(word) > 4 and word.endswith(("ing", "ed")) and not is_quality:
            return at
        if at and (before in _BEFORE_DEEDS or is_person(before)):
            return at
        if at and word.endswith("s") and not word.endswith(("ss", "us")) and terms_of(before):
            return at
    return None


@lru_cache(maxsize=8_192)
def _family(word: str) -> frozenset[str]:
    """Stems that name it, and of one who does something the deed: runner, run."""
    stems = {word, *terms_of(word), *terms_of(base_of(word))}
    if not is_person(word) or word in _OF_AGE:
        stems |= names_of(word)
    for stem in list(stems):
        if len(stem) > 4 and stem.endswith("er"):
            deed = stem[:-2]
            stems.add(deed[:-1] if deed[-1] == deed[-2] else deed)
    return frozenset(stems)


@lru_cache(maxsize=64)
def _families_said(near: tuple[str, ...]) -> frozenset[str]:
    return frozenset(stem for text in near for word in words_of(text) for stem in _family(word))
