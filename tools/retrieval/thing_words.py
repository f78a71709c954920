"""What a question names, in the few forms whose times can be read off captions word by word.

    the blonde woman · a man with glasses · somebody          it is there
    a car drives by · the woman is at the table               it is there
    a person comes to the table · who arrives                 it comes: a time begins with it
    the man in black leaves                                   it goes: a time ends with it
    nobody is at the table · no car                           it is not there

What somebody does besides ("the dog jumps") is not read here: captions that name the dog do not
say that it jumps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tools.grounding.lexical import terms_of, words_of

Act = Literal["is", "comes", "goes"]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that captions may name.

    Attributes:
        heads: Stems, each of which names it.
        more: Stems that are said of it beside that: "black", "glasses", "table".
        act: Whether it is there, comes, or goes.
        is_absent: Whether the time is meant when it is not there.
        is_bare: Whether one word names it: "an elephant", "a dog comes", not "a big dog".
    """

    heads: frozenset[str]
    more: frozenset[str] = frozenset()
    act: Act = "is"
    is_absent: bool = False
    is_bare: bool = False


def read_thing(text: str) -> Thing | None:
    """What a statement names, or None where it says more than that it is there, comes or goes."""
    words = [word for word in words_of(_NO_ONE.sub("nobody", text.lower())) if word not in _FRAMES]
    while words and words[0] in {"there", "is", "are"}:
        words = words[1:]
    is_absent = bool(words) and words[0] in _NEGATIONS
    if is_absent and words[0] not in _PERSON_WORDS:
        words = words[1:]
    while words and words[0] in _DETERMINERS:
        words = words[1:]
    at = next((at for at, word in enumerate(words) if at and word in _BORDERS), len(words))
    if not words[:at]:
        return None
    head = words[at - 1]
    acts = {_ACTS[word] for word in words[at:] if word in _ACTS}
    rest = [*words[: at - 1], *(word for word in words[at:] if word not in _ACTS)]
    if len(acts - {"is"}) > 1 or _ALSO.intersection(words) or head in _NO_HEADS:
        return None
    # A further verb that is no coming and no going says what it does.
    if any(word.endswith(("ing", "ed")) and word not in _LOOKS for word in words[at:]):
        return None
    is_state = words[at : at + 1] and words[at] in _COPULAS and at + 1 < len(words)
    if _STATES.intersection(words) or (is_state and words[at + 1] not in _PLACING):
        return None  # Captions of one stay may say it at one time and not at another.
    if at < len(words) and not acts and words[at] not in _WITH:
        return None
    act: Act = next(iter(acts - {"is"}), "is")
    if head in _HAIR:
        rest.append(head)
    more = frozenset(term for word in rest if word not in _IDLE for term in terms_of(word))
    return Thing(names_of(head), more, act, is_absent, is_bare=at == 1)


def stems_in(text: str) -> frozenset[str]:
    """The stems of all words of a caption, but for what it says is not there."""
    said = _ABSENT.sub(" ", text.lower())
    people = (word for word in words_of(said) if word in _PERSON_WORDS)
    return frozenset([*terms_of(said), *people])


def says_empty(text: str) -> bool:
    """Whether a caption says that nothing or nobody is there."""
    return _EMPTY.search(text) is not None


def names_of(head: str) -> frozenset[str]:
    """The stems of all words that name a kind of it; of an unknown word its own."""
    for names, of in _SORTS:
        if head in names:
            return frozenset(term for word in of for term in (word, *terms_of(word)))
    return frozenset(terms_of(head)) or frozenset({head})


def is_person(word: str) -> bool:
    """Whether a word names somebody, as "man", "lady", "who" and "visitors" do."""
    return word in _PERSON_WORDS


_WORDS_OF: dict[Act, str] = {
    "is": "is are was were be there stands stand standing stay stays remain remains visible seen "
    "sits sit sitting visits visit drives drive driving passes pass passing by appear",
    "comes": "comes come coming came arrives arrive arriving arrived enters enter entering entered "
    "appears steps approaches approach approaching walks joins join",
    "goes": "leaves leave leaving left goes go exits exit disappears disappear departs",
}
_ACTS = {word: act for act, words in _WORDS_OF.items() for word in words.split()}
_MEN = "man men guy guys gentleman gentlemen boy boys male dude"
_WOMEN = "woman women lady ladies girl girls female blonde blond brunette"
_PEOPLE = (
    "person persons people somebody someone anybody anyone who whoever visitor visitors human "
    "humans individual individuals customer customers guest guests nobody player adult adults "
    "child children kid kids pedestrian pedestrians"
)
_PERSON_WORDS = frozenset(f"{_MEN} {_WOMEN} {_PEOPLE}".split())
_NEGATIONS = frozenset("no nobody none without not".split())
_HAIR = frozenset("blonde blond brunette".split())
_NO_ONE = re.compile(r"\b(?:no one|no-one|not? any ?(?:body|one)|no (?:person|people|human)s?)\b")
_EMPTY = re.compile(
    r"\b(?:empty|nobody|no one|no-one|alone|nothing|without|no (?:person|people|vehicles?|cars?)|"
    r"deserted|vacant|unoccupied)\b",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"\b(?:nobody|no one|no-one|(?:no|without|empty of)(?: an?| any)? \w+)\b")
_VEHICLES = "car cars automobile vehicle vehicles truck trucks van vans bus buses lorry taxi taxis"
_SORTS = tuple(
    (frozenset(names.split()), frozenset(of.split()))
    for names, of in (
        (_MEN, _MEN),
        (_WOMEN, _WOMEN),
        ("child children kid kids", "child children kid kids boy boys girl girls"),
        (_PEOPLE, f"{_MEN} {_WOMEN} {_PEOPLE}"),
        ("vehicle vehicles", _VEHICLES),
        ("car cars automobile", "car cars automobile saloon limousine taxi taxis"),
    )
)
_DETERMINERS = frozenset(
    "the a an his her its their my our this that some any one other another only single".split()
)
_FRAMES = frozenset("when that then again time times exactly please".split())
_WITH = frozenset("in with at on wearing near by next of who that from whose having".split())
_BORDERS = frozenset(_ACTS) | _WITH | {"to", "into", "up"}
_COPULAS = frozenset("is are was were".split())
_STATES = frozenset(
    "empty full open opened closed shut alone broken lit dark bright moving still busy free".split()
)
_IDLE = frozenset(
    "to the a an in with at on wearing near by next of who that from whose having into up off out "
    "away is are was were there his her its their very room picture scene frame video screen "
    "right left in back here first last over around".split()
)
_PLACING = _IDLE | _WITH | frozenset(_ACTS) | {"wearing"}
_ALSO = frozenset("and or but not while as because if say says said reads".split())
_NO_HEADS = frozenset("he she it they we you i thing things something anything what".split())
_LOOKS = frozenset("wearing standing sitting coming leaving arriving passing driving".split())
