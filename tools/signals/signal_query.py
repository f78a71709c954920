"""Understands questions that measured signals can answer; says which words no sense can answer.

A small grammar, not a guess: every content word of a question must be one that a claim of
``tools.signals.claims`` accounts for, or belong to the text that is asked for. The others are
reported.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from tools.signals.ask import PANS, PICKS, TILTS, ZOOMS, Ask, Edge, Pick, Wants
from tools.signals.claims import COLOURS, Kind
from tools.signals.counting import take_numbers
from tools.signals.phrasing import (
    GONE_AWAY,
    film_term,
    nearer,
    plain,
    sum_asked,
    without_edge,
    without_shots,
    without_stage,
)
from tools.signals.plain_words import in_english
from tools.signals.said_times import UNIT, take_stretch
from tools.signals.strange_words import mended
from tools.signals.text_forms import form_named, text_by_itself, with_signs
from tools.signals.text_query import (
    CUES,
    beyond_text,
    frames_text,
    shouted,
    stripped,
    text_wants,
    understand_text,
)
from tools.signals.vocabulary import (
    ANYBODY,
    FADES,
    FILLERS,
    MANNERS,
    NUMBERED,
    ORDERS,
    PERSON,
    SLOW_CHANGES,
    SPOKEN,
    TEXT_BEARERS,
    TEXT_NOUNS,
    TEXT_STANDS,
    meanings_of,
    words_of,
)


class Rule(NamedTuple):
    """A form of question.

    Attributes:
        kinds: Claims that answer it.
        need: Concepts that must be there, ``|`` between alternatives.
        may: Concepts that may be there.
        wants: What the answer is: the stretch itself, one that starts with the first kind, its
            end, the moment of a cut, or what lies between two cuts.
        doubt: As in ``Ask``.
        is_negated: As in ``Ask``.
    """

    kinds: tuple[Kind, ...]
    need: str
    may: str = ""
    wants: Wants = "stretch"
    doubt: str = ""
    is_negated: bool = False


FROZEN = "The picture is unchanged at {times}; whether it is frozen or only still cannot be told."
WHERE = "screen place big small turn stay"
LASTING = "screen turn stay"


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
    Rule(("dark", "black"), "dark", f"{LASTING} shot scene"),
    Rule(("bright", "white"), "bright", f"{LASTING} shot scene"),
    Rule(("black",), "not black", f"{LASTING} present", is_negated=True),
    Rule(("white",), "not white", f"{LASTING} present", is_negated=True),
    Rule(("dark", "black"), "not dark", LASTING, is_negated=True),
    Rule(("bright", "white"), "not bright", LASTING, is_negated=True),
    Rule(("flickers",), "not flicker", "screen turn", is_negated=True),
    Rule(("nothing moves", "unchanged"), "nothing move|happen|change", LASTING),
    Rule(("nothing moves", "unchanged"), "not move|change", f"{LASTING} present"),
    Rule(("moves",), "move", "happen screen"),
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


@lru_cache(maxsize=2000)
def understand(query: str) -> Ask:
    """Read a question in English; of other languages and misspelled words the plainest alone."""
    ask = _understand(query)
    if not ask.unknown:
        return ask
    if english := in_english(words_of(query)):
        again, note = _understand(english), f"It was read as “{english}”."
    else:
        text, near = mended(query, ask.unknown)
        again = _understand(text) if text else ask
        note = " ".join(f"“{word}” was read as “{known}”." for word, known in near.items())
    return ask if again.unknown else replace(again, notes=(*again.notes, note))


def _understand(query: str) -> Ask:
    query, _ = take_stretch(query)
    quoted = [next(filter(None, found)) for found in _QUOTED.findall(query)]
    said = with_signs(_QUOTED.sub(" ", query))
    rest, edge = without_edge(plain(said))
    rest, shots = without_shots(rest)
    rest, notes, stage = without_stage(rest)
    words = words_of(rest)
    which, numbers = take_numbers(rest)
    is_numbered_shot = _is_shot(words_of(which)) and bool(numbers)
    itself, around = text_by_itself(rest)
    stressed = [] if query.isupper() else shouted(rest)
    pick: Pick = next((one for one in PICKS if one in words), "all")
    cue = min((words.index(one) for one in CUES & {*words}), default=len(words))
    if quoted or stressed:
        wanted = words_of(" ".join(quoted or stressed))
        spare = [word for word in words_of(which) if quoted or word not in wanted]
        ask = Ask(
            text=tuple(wanted),
            wants=text_wants(spare),
            unknown=beyond_text(spare),
            is_guess=not quoted and not CUES & {*words},
        )
    elif itself and not beyond_text(words_of(around)):
        ask = Ask(text=tuple(words_of(itself)), itself=itself)
    elif form := form_named([one for one in words if one == "timecode" or not frames_text(one)]):
        ask = Ask(text=(), form=form)
    elif term := film_term(rest):
        ask = Ask(unknown=(term,))
    elif is_numbered_shot:
        ask, told = _understand_measured(words_of(which))
        notes += told
    elif (named := _NUMBERED.search(rest)) and not beyond_text(words_of(named["after"])):
        ask = Ask(text=tuple(words_of(named["number"])))
    elif shown := _SHOWN_NUMBER.search(rest):
        # "10 seconds" on a clock is seldom written so.
        is_guess = UNIT.search(shown["number"]) is not None
        ask = Ask(text=tuple(stripped(words_of(shown["number"]))), is_guess=is_guess)
    elif CUES & {*words}:
        if take_numbers(" ".join(words[:cue]))[1]:
            words = words_of(which)
        else:
            numbers = ()
        ask = understand_text(words, rest)
    else:
        ask, told = _understand_measured(words_of(which))
        notes += told
        content = [word for word in words if word not in FILLERS]
        if ask.unknown and content and all(word[0].isdigit() for word in content):
            ask = Ask(text=tuple(content), is_guess=True)
    return replace(
        ask,
        numbers=numbers,
        pick=pick,
        sum=sum_asked(said),
        edge=edge,
        is_always="always" in words,
        in_shots=shots,
        stage=stage,
        notes=() if ask.unknown else tuple(notes),
        is_spoken=bool(SPOKEN & {*words}),
        is_said=bool(SPOKEN & {*words}) and not (TEXT_NOUNS | TEXT_BEARERS) & {*words},
        names_thing=any("something" in meanings_of(word) for word in words),
        is_slow=bool(SLOW_CHANGES & {*words}),
        fades=_fades(ask, words),
    )


def _is_shot(words: list[str]) -> bool:
    """Whether only shots, scenes or cuts are asked for."""
    content = [word for word in words if word not in FILLERS]
    return any(meanings_of(word) & {"cut", "shot", "scene"} for word in content) and all(
        meanings_of(word) & {"cut", "shot", "scene", "change", "longest", "shortest"}
        for word in content
    )


def _understand_measured(words: list[str]) -> tuple[Ask, list[str]]:
    """What is asked of what is measured, and notes on what was left out or taken for it."""
    ask, notes = _understand_signals(words), []
    if ask.unknown:
        measured, taken = nearer(words)
        # What is measured has no manner: asked again without the words for it.
        again = _understand_signals([word for word in measured if word not in MANNERS])
        if not again.unknown:
            ask = again
            notes += taken
            if left_out := dict.fromkeys(
                word for word in measured if word in MANNERS and word != "always"
            ):
                notes.append(f"Left out: {', '.join(f'“{word}”' for word in left_out)}.")
    sizes = [word for word in words if meanings_of(word) & {"big", "small"}]
    if sizes and {*ask.kinds} & {"appears", "present", "moves", "gone"}:
        notes.append(f"Left out: “{sizes[0]}”, as things look larger when they come nearer.")
    if meant := [word for word in words if word in ANYBODY | PERSON]:
        what = "nothing" if "nobody" in meant else "something"
        notes.append(f"“{meant[0].capitalize()}” was taken for “{what}”: who it is cannot be told.")
    return ask, notes


def _fades(ask: Ask, words: list[str]) -> Edge:
    """Whether it asks for a screen that fades in, or out."""
    if not FADES & {*words} or not {*ask.kinds} & {"black", "white"}:
        return ""
    return "end" if {"from", "in", "up"} & {*words} else "start"


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


_SIDE = r"( the)?( \w+)? (left|right|top|bottom)\b"
_TOWARDS = re.compile(rf"\b(to|towards?|across){_SIDE}")
_WAY = re.compile(rf"\b(from|to|towards?|off|through|via){_SIDE}")


def _understand_signals(words: list[str]) -> Ask:
    content = [word for word in words if word not in FILLERS or word in {"in", "there"}]
    for rule in RULES:
        if _fits(rule, content) and not _asks_direction(rule, words):
            return Ask(
                kinds=rule.kinds,
                wants=rule.wants,
                doubt=rule.doubt,
                is_negated=rule.is_negated,
                colour=next((word for word in words if word in COLOURS), "")
                if rule.kinds == ("colour",)
                else "",
                places=_places(words) if "place" in rule.may else (),
                is_way="place" in rule.may and _WAY.search(" ".join(words)) is not None,
                percent=_percent(words) if rule.kinds == ("colour",) else (0, 100),
            )
    content = [word for word in content if word not in FILLERS]
    strange = [word for word in content if not meanings_of(word)]
    strange = [word for word in strange if word not in ORDERS]
    # Where each word is known, it is what they say together that is not.
    places = [place for place, word in enumerate(words) if word in content] or [0, len(words) - 1]
    spoken = ["left" if word == GONE_AWAY else word for word in words]
    together = [" ".join(spoken[places[0] : places[-1] + 1])]
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
    towards = (_TOWARDS if rule.wants == "entrance" else _WAY).search(" ".join(words))
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
