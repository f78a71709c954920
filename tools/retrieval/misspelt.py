"""Words of a question that are no words, taken for those that captions say, or that ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from tools.grounding.lexical import words_of
from tools.retrieval.unanswerable import is_english
from tools.retrieval.unsaid import words_said

_ASKING = ("when", "where", "what", "which", "while", "before", "after", "does", "there")

_SLIPS = {"wen": "when", "wat": "what", "wich": "which", "wo": "who", "wile": "while"}
"""Words, or parts of some, that at the beginning of a question are none."""

_NAMED = re.compile(r"[“\"«‘].*?[”\"»’]|(?<=\S )[A-Z]\w*")
"""Names and what stands in quotes are as they are meant."""

_ENDINGS = ("ing", "ed", "er", "s")

LIKENESS = 0.8
"""Of the letters of two words, how many are the same, as difflib counts them."""

FORM_LIKENESS = 0.9
"""The same for a form of a known word, such as "flips", which is no slip for "flies"."""

SHORTEST = 3
"""Letters; shorter words are near too many others."""


def mended(query: str, said: Sequence[str]) -> tuple[str, str]:
    """The question with the words that are misspelt, and a note on what each was taken for.

    Args:
        query: As it was written.
        said: Captions: what they say is spelt right.

    Returns:
        The question as it is, and an empty note, where every word is one, or near none.
    """
    known = words_said(tuple(said))
    words = words_of(_NAMED.sub(" ", query))
    strange = [
        word
        for word in dict.fromkeys(words)
        if len(word) >= SHORTEST and word.isalpha() and word not in known and not is_english(word)
    ]
    near = {word: _SLIPS[word] for word in words[:1] if word in _SLIPS and word not in known}
    for word in strange:
        cutoff = FORM_LIKENESS if _is_form(word) else LIKENESS
        if one := _near(word, _ASKING, cutoff) or _near(word, sorted(known), cutoff):
            near[word] = one
    for word, one in near.items():
        query = re.sub(rf"\b{re.escape(word)}\b", one, query, flags=re.IGNORECASE)
    if not near:
        return query, ""
    told = ", ".join(f"“{word}” for “{one}”" for word, one in near.items())
    return query, f"Taken: {told}."


def _is_form(word: str) -> bool:
    """Whether it is a known word with an ending: "flips", "juggling"."""
    base = next((word[: -len(end)] for end in _ENDINGS if word.endswith(end)), "")
    bases = {base, f"{base}e", base[:-1] if base[-1:] == base[-2:-1] else base}
    return len(base) >= SHORTEST and any(map(is_english, bases))


def _near(word: str, known: Sequence[str], cutoff: float) -> str:
    """The likeliest; hardly anybody misses the first letter."""
    same = [one for one in known if len(one) >= SHORTEST and one[0] == word[0]]
    found = get_close_matches(word, same, n=1, cutoff=cutoff)
    return found[0] if found else ""
