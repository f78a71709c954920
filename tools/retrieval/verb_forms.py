"""Forms of verbs: "taken" is of "take", and after "does" a verb has no ending at all."""

from __future__ import annotations

import re

from tools.retrieval.contraries import COLOURS
from tools.retrieval.thing_words import is_person

_FORMS = (
    "begin began begun|bend bent|bite bit bitten|blow blew blown|break broke broken|"
    "bring brought|build built|buy bought|catch caught|choose chose chosen|come came|dig dug|"
    "draw drew drawn|drink drank drunk|drive drove driven|eat ate eaten|fall fell fallen|"
    "feed fed|feel felt|fight fought|find found|fly flew flown|freeze froze frozen|get got gotten|"
    "give gave given|go went gone|grow grew grown|hang hung|hide hid hidden|hold held|keep kept|"
    "kneel knelt|lay laid|lead led|leave left|lie lay lain|light lit|lose lost|make made|meet met|"
    "pay paid|ride rode ridden|ring rang rung|rise rose risen|run ran|say said|see saw seen|"
    "sell sold|send sent|shake shook shaken|shine shone|shoot shot|sing sang sung|sink sank sunk|"
    "sit sat|sleep slept|slide slid|speak spoke spoken|spin spun|stand stood|steal stole stolen|"
    "stick stuck|strike struck|sweep swept|swim swam swum|swing swung|take took taken|"
    "teach taught|tear tore torn|tell told|think thought|throw threw thrown|wake woke woken|"
    "wear wore worn|win won|wind wound|write wrote written"
)
_AMBIGUOUS = frozenset("lay left saw shot found felt light ring lead wound rose bit".split())
"""Forms that are as often another word: "on the left", "a saw", "a shot"."""

_BASES = {
    form: base
    for base, *forms in (verb.split() for verb in _FORMS.split("|"))
    for form in forms
    if form not in _AMBIGUOUS
}


def base_of(word: str) -> str:
    """The verb that a lower-cased word is an irregular form of; else the word itself."""
    return _BASES.get(word, word)


def in_third_person(statement: str) -> str:
    """A statement whose verb is bare, as after "does", with the ending by which verbs are known.

    Args:
        statement: "the dog jump over the fence"; the verb is taken to follow its subject.

    Returns:
        "the dog jumps over the fence"; as it was where no verb follows a subject.
    """
    found = _BARE.match(statement)
    if not found or is_person(found["verb"].lower()):
        return statement
    verb = found["verb"]
    if verb.lower() in _THIRD:
        said = _THIRD[verb.lower()]
    elif re.search(r"(?:s|x|z|ch|sh|o)$", verb):
        said = f"{verb}es"
    elif re.search(r"[^aeiou]y$", verb):
        said = f"{verb[:-1]}ies"
    else:
        said = f"{verb}s"
    return statement[: found.start("verb")] + said + statement[found.end("verb") :]


_THIRD = {"have": "has", "be": "is"}
_OF_A_THING = (
    r"(?:(?:the|an?|his|her|its|their|my|your|our|this|that|some|any) )"
    rf"(?:(?:{'|'.join(sorted(COLOURS))}|big|small|little|old|young|tall|short|long|large|other|"
    r"first|second|third|last|next|same) )*\w+"
)
_BARE = re.compile(
    rf"{_OF_A_THING}(?: (?:in|with|at|on|of|near|by) (?:{_OF_A_THING}|\w+))* "
    r"(?!(?:in|with|at|on|of|near|by|and|or|to|not|the|an?)\b)(?P<verb>[A-Za-z]+)\b",
    re.IGNORECASE,
)
