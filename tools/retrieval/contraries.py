"""What speaks against an answer: captions that say of it the contrary of what is asked for.

Words of one kind exclude each other: what is white is not red, and who stands does not sit. An
embedder holds such words for alike (red and blue have a cosine of 0.73, open and closed 0.70), so
that only a list can tell them apart; these few kinds are closed, and the same in every video.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from tools.grounding.lexical import terms_of, words_of

REACH = 3
"""How many words before a thing its colour or number may stand: "a red plastic cup"."""

_COLOURS = (
    "black dark|white|grey gray silver|red|green|blue|yellow golden gold|orange|brown|"
    "purple violet|pink|beige"
)
_COUNTS = "two both|three|four|five|six|seven|eight|nine|ten"
_POSTURES = "sit sits sat sitting seated|stand stands stood standing|kneel kneels kneeling"
_FILLS = "empty|full filled"


def _families(kinds: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(one.split()) for one in kinds.split("|"))


_COLOUR_FAMILIES, _COUNT_FAMILIES = _families(_COLOURS), _families(_COUNTS)
COLOURS = frozenset().union(*_COLOUR_FAMILIES)
COUNTS = frozenset().union(*_COUNT_FAMILIES)
_KINDS = tuple(map(_families, (_POSTURES, _FILLS)))


def contrary_in(text: str, near: Sequence[str]) -> str:
    """Why captions speak against a statement; empty where none says the contrary.

    Args:
        text: The statement: "a red mug", "somebody sits at the table".
        near: The captions of its answer.
    """
    asked = words_of(text)
    for at, word in enumerate(asked):
        if word in COLOURS and (other := _otherwise(word, _bearer(asked, at), near)):
            return f"Captions of what is closest say “{other}”, and not “{word}”."
        if word in COUNTS and (other := _otherwise(word, _counted(asked, at), near)):
            return f"Captions of what is closest say “{other}”, and not “{word}”."
    said = _all_words(tuple(near))
    for word in asked:
        for kind in _KINDS:
            family = next((one for one in kind if word in one), None)
            if family is None or family & said:
                continue
            if other := _first_of((one for one in kind if one is not family), near):
                return f"Captions of what is closest say “{other}”, and not “{word}”."
    return ""


def contrary_of_name(text: str, near: Sequence[str], said: Sequence[str]) -> str:
    """Why other captions speak against a statement, which name a thing that those near it do not.

    Args:
        text: The statement: "is the mug red", answered by captions of red cups.
        near: The captions of its answer.
        said: All captions.
    """
    asked = words_of(text)
    for at, word in enumerate(asked):
        thing = _bearer(asked, at) if word in COLOURS else ""
        names = frozenset(terms_of(thing))
        is_named = not names.isdisjoint(terms_of(" ".join(dict.fromkeys(near))))
        if names and not is_named and (other := _otherwise(word, thing, said)):
            return f"Captions say “{other}”, and not “{word} {thing}”."
    return ""


def number_said(heads: frozenset[str], near: Sequence[str]) -> str:
    """The greatest number of a thing in captions: "three red cups"; empty where none says one.

    Args:
        heads: Stems that name the thing.
        near: The captions.
    """
    found: list[tuple[int, str]] = []
    for words in map(words_of, dict.fromkeys(near)):
        for at, one in enumerate(words):
            if heads.isdisjoint(terms_of(one)):
                continue
            for first in range(max(0, at - REACH), at):
                number = next((n for n, of in enumerate(_COUNT_FAMILIES) if words[first] in of), -1)
                if number >= 0:
                    found.append((number, " ".join(words[first : at + 1])))
    return max(found, key=lambda one: one[0], default=(0, ""))[1]


def _bearer(words: Sequence[str], at: int) -> str:
    """What a colour is said of: the thing after it, or else the one before: "the mug is red".

    Of somebody "in grey" nothing else says what is grey.
    """
    if at and words[at - 1] == "in":
        return ""
    after = words[at + 1 : at + 2]
    if after and terms_of(after[0]):
        return after[0]
    return next((one for one in reversed(words[:at]) if terms_of(one)), "")


def _counted(words: Sequence[str], at: int) -> str:
    """What there are so many of: the next word in the plural."""
    return next((one for one in words[at + 1 : at + 1 + REACH] if one.endswith("s")), "")


def _otherwise(word: str, thing: str, near: Sequence[str]) -> str:
    """How captions call or count a thing that they never call or count so: "white mug"."""
    kind = _COLOUR_FAMILIES if word in COLOURS else _COUNT_FAMILIES
    family = next(one for one in kind if word in one)
    others = frozenset().union(*kind)
    names = frozenset(terms_of(thing))
    found = ""
    for text in dict.fromkeys(near):
        words = words_of(text)
        for at, one in enumerate(words):
            if not names.intersection(terms_of(one)):
                continue
            before = [other for other in words[max(0, at - REACH) : at] if other in others]
            if family.intersection(before):
                return ""
            if before and not found:
                found = f"{before[-1]} {one}"
    return found


def _first_of(families: Iterable[frozenset[str]], near: Sequence[str]) -> str:
    wanted = frozenset().union(*families)
    return next((word for text in near for word in words_of(text) if word in wanted), "")


@lru_cache(maxsize=64)
def _all_words(near: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for text in near for word in words_of(text))
