"""Understands questions for text on the screen: which words are the text, and which frame it."""

from __future__ import annotations

import re

from tools.signals.ask import Ask, Wants
from tools.signals.strange_words import is_foreign
from tools.signals.vocabulary import (
    ANYBODY,
    DEEDS,
    FILLERS,
    MANNERS,
    NEGATIONS,
    PEOPLE,
    PLAIN_WORDS,
    TEXT_BEARERS,
    TEXT_KINDS,
    TEXT_MAY,
    TEXT_NOUNS,
    TEXT_STANDS,
    TEXT_VERBS,
    meanings_of,
    words_of,
)

_SHOUTED = re.compile(r"\b[A-Z][A-Z0-9]{3,}\b")
CUES = TEXT_NOUNS | TEXT_VERBS

BEING = frozenset({"is", "are", "was", "were", "gets", "being"})
DOES = frozenset({"appear", "leave", "turn", "move", "flash", "flicker", "change"})
PLACING = frozenset({"on", "in", "at", "under", "behind", "above", "below", "across", "beside"})


def shouted(text: str) -> list[str]:
    """Words in capitals, which are meant as they stand: but "goes BLACK" only stresses one."""
    found: list[str] = _SHOUTED.findall(text)
    is_stress = not CUES & {*words_of(text)} and any(meanings_of(one.casefold()) for one in found)
    return [] if is_stress else found


def understand_text(words: list[str], said: str) -> Ask:
    """What a question with a word for text asks for.

    Args:
        words: Of the question, one of ``CUES`` among them.
        said: The question, for the capital letters in it.
    """
    cue = next(i for i, word in enumerate(words) if word in CUES)
    before, after = words[:cue], words[cue + 1 :]
    wanted = stripped(after)
    if wanted and after[0] in PLACING and words[cue] in TEXT_NOUNS | {"written"}:
        # "words on the wall": what they stand on is no part of them.
        doubt = f"Text can be read at {{times}}; whether it is “{' '.join(after)}” cannot be told."
        return Ask(text=(), unknown=beyond_text(before), doubt=doubt)
    unknown = beyond_text(before)
    if NEGATIONS & {*before}:
        is_plain = words[cue] in TEXT_NOUNS - TEXT_KINDS and not {*unknown} - NEGATIONS
        is_any = is_plain and not wanted
        return Ask(text=(), is_negated=True) if is_any else Ask(unknown=(" ".join(words),))
    if words[cue] in DEEDS and (unknown or not TEXT_BEARERS & set(before)):
        # Somebody does it: reads a book, writes a letter.
        rest = [word for word in words if word not in FILLERS and word not in ANYBODY]
        return Ask(unknown=tuple(dict.fromkeys(one for one in rest if not meanings_of(one))))
    if unknown and words[cue] in TEXT_VERBS and not (words[cue] == "written" and not wanted):
        # Somebody says it, which cannot be seen.
        spoken = [*unknown, *(word for word in words[cue:] if word not in FILLERS)]
        return Ask(unknown=tuple(dict.fromkeys(spoken)))
    # "A word is spelled" says what is done with it, and "words come up" what it does.
    is_deed = after[:1] and after[0].endswith("ing") and after[0] not in TEXT_VERBS
    does = is_deed or (after[:1] and (after[0] in BEING or meanings_of(after[0]) & DOES))
    is_named = (not does and bool(CUES & {*after})) or any(
        one.capitalize() in said for one in wanted if one[0].isalpha()
    )
    is_plain = words[cue] in PLAIN_WORDS and not does
    is_guess = bool(wanted) and words[cue] in TEXT_NOUNS and not (is_plain or is_named)
    if unknown and not wanted and (words[cue] in TEXT_NOUNS or words[cue] == "written"):
        # "the game over title": the words right before the cue are the text.
        first = next(i for i, word in enumerate(before) if word in unknown)
        named = before[first:]
        if not is_foreign(named) and not any(
            word in FILLERS | PEOPLE | ANYBODY or meanings_of(word) & {"colour", "big", "small"}
            for word in named
        ):
            wanted, unknown, is_guess = named, (), True
    return Ask(
        text=tuple(wanted),
        wants=text_wants(words),
        unknown=unknown,
        is_guess=is_guess,
        doubt="" if wanted else _doubt(words),
    )


def _doubt(words: list[str]) -> str:
    """Why any text need not be of the kind that is asked for."""
    kind = next((word for word in words if word in TEXT_KINDS), "")
    return kind and f"Text can be read at {{times}}; whether it is “{kind}” cannot be told."


def stripped(words: list[str]) -> list[str]:
    """Without what only frames the text: "saying … is on screen"; "the" inside it stays."""
    low, high = 0, len(words)
    while high > low and frames_text(words[high - 1]):
        high -= 1
    framing = FILLERS | TEXT_NOUNS | TEXT_VERBS
    while low < high and (words[low] in framing or _leads_on(words[low:high])):
        low += 1
    return words[low:high]


def _leads_on(words: list[str]) -> bool:
    """Whether "card" or "sign" only leads on to a text: "a title card saying …"."""
    return words[0] in TEXT_STANDS and bool((TEXT_NOUNS | TEXT_VERBS) & set(words[1:]))


def frames_text(word: str) -> bool:
    """Whether a word may stand around a text without being part of it."""
    meanings = meanings_of(word)
    frames = word in FILLERS | TEXT_NOUNS | TEXT_VERBS | TEXT_STANDS or meanings & TEXT_MAY
    return bool(frames) and "place" not in meanings


def beyond_text(words: list[str]) -> tuple[str, ...]:
    """The words that neither frame a text nor say how."""
    beyond = (word for word in words if not frames_text(word) and word not in MANNERS)
    return tuple(dict.fromkeys(beyond))


def text_wants(words: list[str]) -> Wants:
    """Whether the end of a text is asked for: "the title disappears"."""
    leaves = any("leave" in meanings_of(word) and word != "left" for word in words)
    return "end" if leaves else "stretch"
