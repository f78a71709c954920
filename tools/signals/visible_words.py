"""Questions whose words stand on the screen, though nobody said that they are text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.signals.ask import Ask
from tools.signals.claims import read_screen_text
from tools.signals.screen_text import ANY_ORDER, text_fit
from tools.signals.text_forms import is_other_currency
from tools.signals.vocabulary import FILLERS, meanings_of, words_of
from tools.timeline import Caption

FRAMING = frozenset({"screen", "appear", "present", "leave", "turn"})
"""Meanings of the words that such a question has around those that are read."""


def read_on_screen(query: str, captions: Sequence[Caption]) -> Ask | None:
    """The question for the text that its words are, where they can be read as they stand in it.

    A single ordinary word is not enough: the word "dog" on a sign is not a dog. Several words in
    order are enough, and so is a number or a name.

    Args:
        query: A question that no sense accounts for.
        captions: What was read, among others.
    """
    wanted = _without_frame(query)
    if not wanted or not (len(wanted) > 1 or _stands_out(wanted[0], query)):
        return None
    shown = (read_screen_text(one.text) for one in captions if one.source == "screen")
    if not any(
        text_fit(wanted, text) > ANY_ORDER and not is_other_currency(query, text) for text in shown
    ):
        return None
    said = " ".join(wanted)
    note = f"“{said}” was looked for as text on the screen, where it can be read."
    return Ask(text=tuple(wanted), notes=(note,))


def names_title(query: str) -> bool:
    """Whether its words are written as a title is: "The Silent Sea", "when does Big Buck appear".

    Such words are meant as they stand, whether or not somebody says that they are text.
    """
    wanted = [word for word in _without_frame(query) if word not in FILLERS]
    capitals = [re.search(rf"\b{re.escape(word.capitalize())}\b", query) for word in wanted]
    return len(wanted) > 1 and all(capitals)


def _without_frame(query: str) -> list[str]:
    """Without what only asks: "when does … appear"; words between others, or in capitals, stay."""
    words = words_of(query)
    capitals = {word.casefold() for word in re.findall(r"\b[A-Z]{2,}\b", query)}
    low, high = 0, len(words)
    while low < high and _frames(words[low]) and words[low] not in capitals:
        low += 1
    while high > low and _frames(words[high - 1]) and words[high - 1] not in capitals:
        high -= 1
    return words[low:high]


def _frames(word: str) -> bool:
    return word in FILLERS or bool(meanings_of(word) & FRAMING)


def _stands_out(word: str, query: str) -> bool:
    if any(sign.isdigit() for sign in word):
        return True
    if query.strip().isupper():
        return True
    # A capital letter that is not the sentence's own.
    return re.search(rf"\S\s+{re.escape(word.capitalize())}\b", query) is not None
