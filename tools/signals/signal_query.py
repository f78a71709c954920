"""Understands questions that measured signals can answer; says which words no sense can answer.

A small grammar, not a guess: every content word of a question must be one that a claim of
``tools.signals.claims`` accounts for, or belong to the text that is asked for. The others are
reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

from tools.signals.claims import COLOURS, Kind
from tools.signals.phrasing import Stage, film_term, nearer, plain, without_stage
from tools.signals.strange_words import is_foreign
from tools.signals.text_forms import form_named, text_by_itself, with_signs
from tools.signals.vocabulary import (
    ANYBODY,
    DEEDS,
    FILLERS,
    MANNERS,
    NEGATIONS,
    NUMBERED,
    ORDERS,
    PEOPLE,
    PERSON,
    PLAIN_WORDS,
    SLOW_CHANGES,
    SPOKEN,
    TEXT_BEARERS,
    TEXT_KINDS,
    TEXT_MAY,
    TEXT_NOUNS,
    TEXT_STANDS,
    TEXT_VERBS,
    meanings_of,
    words_of,
)

Pick = Literal["all", "first", "last", "longest", "shortest"]
PICKS: tuple[Pick, ...] = ("first", "last", "longest", "shortest")
Wants = Literal["stretch", "entrance", "end", "cut", "shots"]


class Rule(NamedTuple):
    """A form of question.

    Attributes:
        kinds: Claims that answer it.
        need: Concepts that must be there, ``|`` between alternatives.
        may: Concepts that may be there.
        wants: What the answer is: the stretch itself, one that starts with the first kind, its
            end, the moment of a cut, or what lies between two cuts.
        doubt: As in ``Ask``.
    """

    kinds: tuple[Kind, ...]
    need: str
    may: str = ""
    wants: Wants = "stretch"
    doubt: str = ""


PANS: tuple[Kind, ...] = ("pans left", "pans right")
TILTS: tuple[Kind, ...] = ("tilts up", "tilts down")
ZOOMS: tuple[Kind, ...] = ("zooms in", "zooms out")
FROZEN = "The picture is unchanged at {times}; whether it is frozen or only still cannot be told."
WHERE = "screen place big small turn stay"
LASTING = "screen turn stay"

PICTURE: frozenset[Kind] = frozenset(
    {
        *("black", "white", "dark", "bright", "colour", "cut", "camera still", "flickers"),
        *("nothing moves", "unchanged"),
        *PANS,
        *TILTS,
        *ZOOMS,
    }
)
"""Claims about the picture itself, whatever is in it."""

RULES = (
    Rule(("cut",), "cut", "shot scene screen new change happen turn", "cut"),
    Rule(("cut",), "shot|scene new|change", "shot scene screen new change happen turn", "cut"),
    Rule(("cut",), "shot|scene", "shot scene screen happen", "shots"),
    Rule(("pans left",), "pan left", "camera turn move"),
    Rule(("pans right",), "pan right", "camera turn move"),
    Rule(("pans left",), "camera move|turn left", "turn"),
    Rule(("pans right",), "camera move|turn right", "turn"),
    Rule(PANS, "pan", "camera turn move"),
    Rule(("tilts up",), "camera tilt|move up", "turn"),
    Rule(("tilts down",), "camera tilt|move down", "turn"),
    Rule(TILTS, "tilt", "camera turn move"),
    Rule(("zooms in",), "zoom in", "camera turn"),
    Rule(("zooms out",), "zoom out", "camera turn"),
    Rule(ZOOMS, "zoom", "camera turn"),
    Rule(("camera still",), "camera still", "turn stay shot"),
    Rule(("camera still",), "still shot", "camera stay"),
    Rule(("camera still",), "camera not move|pan|tilt|turn", "turn stay"),
    Rule((*PANS, *TILTS, *ZOOMS), "camera move", "turn stay"),
    Rule(("black",), "black", f"{LASTING} present cut"),
    Rule(("white",), "white", f"{LASTING} present cut"),
    Rule(("dark", "black"), "dark", LASTING),
    Rule(("bright", "white"), "bright", LASTING),
    Rule(("nothing moves", "unchanged"), "nothing move|happen|change", LASTING),
    Rule(("nothing moves", "unchanged"), "not move|change", f"{LASTING} present something"),
    Rule(("nothing moves", "unchanged"), "still", LASTING),
    Rule(("unchanged",), "freeze", LASTING, doubt=FROZEN),
    Rule(("empty",), "nothing", f"present background {LASTING}"),
    Rule(("empty",), "empty", f"background {LASTING}"),
    Rule(("flickers",), "flicker", "screen turn something bright"),
    Rule(("flickers", "white"), "flash", "screen turn something bright"),
    Rule(("gone",), "something leave", "turn screen place", "end"),
    Rule(("appears", "present"), "something appear", WHERE, "entrance"),
    Rule(("moves",), "move", f"something happen {WHERE}"),
    Rule(("present", "appears"), "something", "present screen place big small stay"),
    Rule(("colour",), "colour", f"area present appear something most {WHERE}"),
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a question asks of the senses.

    Attributes:
        kinds: Claims that answer it; empty where text is asked for, or nothing is understood.
        wants: As in ``Rule``.
        colour: Wanted name, or empty.
        places: Words that the claim's place must contain.
        percent: Least and most share of the picture, in percent.
        text: The text asked for, as words; empty for any text; None where text is not asked for.
        pick: Which of several.
        stage: Where in the video it should be; empty for anywhere.
        unknown: Words that no sense accounts for; not empty where the question is beyond them.
        notes: What was left out of the question, or taken for something else; sentences.
        is_spoken: Whether it may as well be asked of what is said: "saying …", "the subtitles …".
        is_said: Whether it is said rather than shown, if one goes by the verb: not "a sign says".
        names_thing: Whether it asks for a thing, of whatever kind: "something red".
        is_slow: Whether what it asks for may come about slowly: a fade, another scene.
        doubt: Why what is measured of it does not show it, with ``{times}`` for when; empty where
            it does.
        form: The form of the text that is asked for, such as "a price"; empty for any.
        itself: The price or the address that is asked for; empty for other text.
        is_guess: Whether its words were taken for text by where they stand alone.
    """

    kinds: tuple[Kind, ...] = ()
    wants: Wants = "stretch"
    colour: str = ""
    places: tuple[str, ...] = ()
    percent: tuple[int, int] = (0, 100)
    text: tuple[str, ...] | None = None
    pick: Pick = "all"
    stage: Stage = ""
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_spoken: bool = False
    is_said: bool = False
    names_thing: bool = False
    is_slow: bool = False
    doubt: str = ""
    form: str = ""
    itself: str = ""
    is_guess: bool = False

    @property
    def is_of_picture(self) -> bool:
        """Whether it asks of the picture itself, which is measured, or of text, which is read.

        What things do is seen better by who knows what they are.
        """
        return self.text is not None or (bool(set(self.kinds) & PICTURE) and not self.names_thing)


@lru_cache(maxsize=2000)
def understand(query: str) -> Ask:
    """Read a question in English; in any other language its words are unknown."""
    quoted = [next(filter(None, found)) for found in _QUOTED.findall(query)]
    rest, notes, stage = without_stage(plain(with_signs(_QUOTED.sub(" ", query))))
    words = words_of(rest)
    itself, around = text_by_itself(rest)
    shouted = [] if query.isupper() else _shouted(rest)
    pick: Pick = next((one for one in PICKS if one in words), "all")
    if quoted or shouted:
        wanted = words_of(" ".join(quoted or shouted))
        spare = [word for word in words if quoted or word not in wanted]
        ask = Ask(
            text=tuple(wanted),
            wants=_text_wants(spare),
            unknown=_beyond_text(spare),
            is_guess=not quoted and not _CUES & {*words},
        )
    elif itself and not _beyond_text(words_of(around)):
        ask = Ask(text=tuple(words_of(itself)), itself=itself)
    elif form := form_named([one for one in words if one == "timecode" or not _frames_text(one)]):
        ask = Ask(text=(), form=form)
    elif term := film_term(rest):
        ask = Ask(unknown=(term,))
    elif (named := _NUMBERED.search(rest)) and not _beyond_text(words_of(named["after"])):
        ask = Ask(text=tuple(words_of(named["number"])))
    elif shown := _SHOWN_NUMBER.search(rest):
        ask = Ask(text=tuple(_stripped(words_of(shown["number"]))))
    elif _CUES & {*words}:
        ask = _understand_text(words, rest)
    else:
        ask = _understand_signals(words)
        if ask.unknown:
            measured, taken = nearer(words)
            # What is measured has no manner: asked again without the words for it.
            again = _understand_signals([word for word in measured if word not in MANNERS])
            if not again.unknown:
                ask = again
                notes += taken
                if left_out := dict.fromkeys(word for word in measured if word in MANNERS):
                    notes.append(f"Left out: {', '.join(f'“{word}”' for word in left_out)}.")
        if meant := [word for word in words if word in ANYBODY | PERSON]:
            what = "nothing" if "nobody" in meant else "something"
            notes.append(
                f"“{meant[0].capitalize()}” was taken for “{what}”: who it is cannot be told."
            )
    return replace(
        ask,
        pick=pick,
        stage=stage,
        notes=() if ask.unknown else tuple(notes),
        is_spoken=bool(SPOKEN & {*words}),
        is_said=bool(SPOKEN & {*words}) and not (TEXT_NOUNS | TEXT_BEARERS) & {*words},
        names_thing=any("something" in meanings_of(word) for word in words),
        is_slow=bool(SLOW_CHANGES & {*words}),
    )


_QUOTED = re.compile(r"[“\"«]([^”\"»]+)[”\"»]|(?<!\w)['‘]([^'’]+)['’](?!\w)")
_SHOWN_NUMBER = re.compile(
    rf"\b(?:{'|'.join(sorted(TEXT_STANDS))}) "
    r"(?:shows?|showing|displays?|reach|reaches|at|is at|stands at) "
    r"(?P<number>\S*\d.*)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    rf"\b(?:{NUMBERED}) (?:(?:is|of|reads?|shows?|reaches) (?:at )?)?(?P<number>\S*\d\S*)"
    r"(?P<after>.*)",
    re.IGNORECASE,
)
_SHOUTED = re.compile(r"\b[A-Z][A-Z0-9]{3,}\b")
_CUES = TEXT_NOUNS | TEXT_VERBS


def _shouted(text: str) -> list[str]:
    """Words in capitals, which are meant as they stand: but "goes BLACK" only stresses one."""
    found: list[str] = _SHOUTED.findall(text)
    is_stress = not _CUES & {*words_of(text)} and any(meanings_of(one.casefold()) for one in found)
    return [] if is_stress else found


def _understand_signals(words: list[str]) -> Ask:
    content = [word for word in words if word not in FILLERS or word in {"in", "there"}]
    for rule in RULES:
        if _fits(rule, content) and not _asks_direction(rule, words):
            return Ask(
                kinds=rule.kinds,
                wants=rule.wants,
                doubt=rule.doubt,
                colour=next((word for word in words if word in COLOURS), "")
                if rule.kinds == ("colour",)
                else "",
                places=_places(words) if "place" in rule.may else (),
                percent=_percent(words) if rule.kinds == ("colour",) else (0, 100),
            )
    content = [word for word in content if word not in FILLERS]
    strange = [word for word in content if not meanings_of(word)]
    strange = [word for word in strange if word not in ORDERS]
    # Where each word is known, it is what they say together that is not.
    places = [place for place, word in enumerate(words) if word in content] or [0, len(words) - 1]
    together = [" ".join(words[places[0] : places[-1] + 1])]
    return Ask(unknown=tuple(dict.fromkeys(strange or together)))


def _fits(rule: Rule, content: list[str]) -> bool:
    needs = [set(need.split("|")) for need in rule.need.split()]
    if not all(any(meanings_of(word) & need for word in content) for need in needs):
        return False
    allowed = set(rule.may.split()).union(*needs) | {"in", "present", *PICKS}
    if {word for word in content if word in COLOURS} and len({*COLOURS} & {*content}) > 1:
        return False
    return all(meanings_of(word) & allowed for word in content)


def _asks_direction(rule: Rule, words: list[str]) -> bool:
    """Whether a thing's direction is asked for, which is not measured; the camera's is."""
    sides = {"left", "right", "top", "bottom"} & set(words)
    if "place" not in rule.may or not sides or "end" in rule.wants:
        return False
    towards = re.search(r"\b(to|towards?|across)( the)? (left|right|top|bottom)\b", " ".join(words))
    bare = rule.kinds == ("moves",) and not {"on", "at", "in"} & set(words)
    return len(sides & {"left", "right"}) > 1 or bool(towards) or bare


def _places(words: list[str]) -> tuple[str, ...]:
    names = {"upper": "top", "lower": "bottom", "centre": "middle", "center": "middle"}
    known = ("left", "right", "top", "bottom", "middle")
    return tuple(name for word in words if (name := names.get(word, word)) in known)


def _percent(words: list[str]) -> tuple[int, int]:
    """A coloured screen is coloured for the most part; a coloured area need not be."""
    meant = frozenset().union(*(meanings_of(word) for word in words))
    whole = "screen" in meant and not meant & {"area", "place", "something", "big", "small"}
    if whole or "most" in meant:
        return (50, 100)
    return (15, 100) if "big" in meant else (0, 12) if "small" in meant else (0, 100)


def _understand_text(words: list[str], said: str) -> Ask:
    cue = next(i for i, word in enumerate(words) if word in _CUES)
    before, after = words[:cue], words[cue + 1 :]
    wanted = _stripped(after)
    unknown = _beyond_text(before)
    if NEGATIONS & {*before}:
        return Ask(unknown=(" ".join(words),))
    if words[cue] in DEEDS and (unknown or not TEXT_BEARERS & set(before)):
        # Somebody does it: reads a book, writes a letter.
        rest = [word for word in words if word not in FILLERS and word not in ANYBODY]
        return Ask(unknown=tuple(dict.fromkeys(one for one in rest if not meanings_of(one))))
    if unknown and words[cue] in TEXT_VERBS and not (words[cue] == "written" and not wanted):
        # Somebody says it, which cannot be seen.
        spoken = [*unknown, *(word for word in words[cue:] if word not in FILLERS)]
        return Ask(unknown=tuple(dict.fromkeys(spoken)))
    is_named = bool(_CUES & {*after}) or any(one.capitalize() in said for one in wanted)
    is_guess = bool(wanted) and words[cue] in TEXT_NOUNS - PLAIN_WORDS and not is_named
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
        wants=_text_wants(words),
        unknown=unknown,
        is_guess=is_guess,
        doubt="" if wanted else _doubt(words),
    )


def _doubt(words: list[str]) -> str:
    """Why any text need not be of the kind that is asked for."""
    kind = next((word for word in words if word in TEXT_KINDS), "")
    return kind and f"Text can be read at {{times}}; whether it is “{kind}” cannot be told."


def _stripped(words: list[str]) -> list[str]:
    """Without what only frames the text: "saying … is on screen"; "the" inside it stays."""
    low, high = 0, len(words)
    while high > low and _frames_text(words[high - 1]):
        high -= 1
    framing = FILLERS | TEXT_NOUNS | TEXT_VERBS
    while low < high and (words[low] in framing or _leads_on(words[low:high])):
        low += 1
    return words[low:high]


def _leads_on(words: list[str]) -> bool:
    """Whether "card" or "sign" only leads on to a text: "a title card saying …"."""
    return words[0] in TEXT_STANDS and bool((TEXT_NOUNS | TEXT_VERBS) & set(words[1:]))


def _frames_text(word: str) -> bool:
    meanings = meanings_of(word)
    frames = word in FILLERS | TEXT_NOUNS | TEXT_VERBS | TEXT_STANDS or meanings & TEXT_MAY
    return bool(frames) and "place" not in meanings


def _beyond_text(words: list[str]) -> tuple[str, ...]:
    beyond = (word for word in words if not _frames_text(word) and word not in MANNERS)
    return tuple(dict.fromkeys(beyond))


def _text_wants(words: list[str]) -> Wants:
    leaves = any("leave" in meanings_of(word) and word != "left" for word in words)
    return "end" if leaves else "stretch"
