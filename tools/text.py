"""Text that comes from models, screens and files, made fit to be stored, counted and shown."""

import unicodedata
from collections import Counter

JOINERS = "\u200c\u200d"
"""Invisible, and part of words in several scripts."""


def whole_unicode(text: str) -> str:
    """Text that any encoder takes: half a surrogate pair, which JSON can spell, becomes ``?``."""
    return text.encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """Text on a single line, without control characters and marks that change its direction."""
    words = whole_unicode(text).split()
    return "".join(
        char
        for char in " ".join(words)
        if char in JOINERS or unicodedata.category(char) not in {"Cc", "Cf"}
    )


def shorten(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis, of at most ``limit`` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def main_script(text: str) -> str:
    """The script that most letters of a text are of, as Unicode names it (``LATIN``, ``CJK``).

    Empty where there is no letter. Japanese counts as what it has most of.
    """
    scripts = Counter(
        unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha()
    )
    return scripts.most_common(1)[0][0] if scripts else ""


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is, on the high side: one for every three bytes of UTF-8.

    English has four letters or more a token, Chinese and Japanese about one character of three
    bytes. No tokenizer is loaded: models differ, and a budget needs no more.
    """
    return -(-len(whole_unicode(text).encode()) // 3)
