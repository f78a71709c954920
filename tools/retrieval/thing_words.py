"""What a question names, in the few forms whose times can be read off captions word by word.

    the blonde woman · a man with glasses · somebody          it is there
    a car drives by · the woman is at the table               it is there
    a person comes to the table · who arrives                 it comes: a time begins with it
    the man in black leaves                                   it goes: a time ends with it
    nobody is at the table · no car                           it is not there
    the table is empty                                        nobody is there, and it is named

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
        name: The word that names it in the statement.
        place: Stems of what has nobody at it, one of which captions name there: "table".
        others: Of a man or a woman, stems that name the other one; "a person" may be either.
    """

    heads: frozenset[str]
    more: frozenset[str] = frozenset()
    act: Act = "is"
    is_absent: bool = False
    is_bare: bool = False
    name: str = ""
    place: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    @property
    def is_nobody(self) -> bool:
        """Whether it asks for when nobody at all is there."""
        return self.is_absent and self.heads == names_of("nobody")


def read_thing(text: str) -> Thing | None:
    """What a statement names, or None where it says more than that it is there, comes or goes."""
    if empty := _EMPTY_PLACE.fullmatch(text.strip(" .?!")):
        where = frozenset(terms_of(empty["where"])) - _EVERYWHERE
        return Thing(names_of("nobody"), is_absent=True, place=where)
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
    acts = {ACTS[word] for word in words[at:] if word in ACTS}
    rest = [*words[: at - 1], *(word for word in words[at:] if word not in ACTS)]
    if _says_more(words, at, acts, is_absent=is_absent):
        return None
    act: Act = next(iter(acts - {"is"}), "is")
    if head in _HAIR:
        rest.append(head)
    more = frozenset(term for word in rest if word not in _IDLE for term in terms_of(word))
    others = names_of("woman" if head in _MEN.split() else "man") if head in _EITHER else ()
    return Thing(names_of(head), more, act, is_absent, at == 1, head, others=frozenset(others))


def _says_more(words: list[str], at: int, acts: set[Act], *, is_absent: bool) -> bool:
    """Whether words, of which the thing ends before ``at``, tell what it does or how it is."""
    after = words[at:]
    if len(acts - {"is"}) > 1 or _ALSO.intersection(words) or words[at - 1] in _NO_HEADS:
        return True
    # Where nobody does it, somebody may be there.
    if is_absent and any(word in ACTS and word not in _BEING for word in after):
        return True
    # A further verb that is no coming and no going says what it does.
    if any(word.endswith(("ing", "ed")) and word not in _LOOKS for word in after):
        return True
    # Captions of one stay may say a state at one time and not at another.
    is_state = len(after) > 1 and after[0] in _COPULAS and after[1] not in _PLACING
    if _STATES.intersection(words) or is_state:
        return True
    return bool(after) and not acts and after[0] not in _WITH


def stems_in(text: str) -> frozenset[str]:
    """The stems of all words of a caption, but for what it says is not there."""
    said = _ABSENT.sub(" ", text.lower())
    people = (word for word in words_of(said) if word in _PERSON_WORDS or word in _OF_SOMEBODY)
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


def other_sex(word: str) -> frozenset[str]:
    """Of a word for a man those for a woman, and the other way round; empty of other words."""
    men, women = frozenset(_MEN.split()), frozenset(_WOMEN.split())
    return women if word in men else men if word in women else frozenset()


_WORDS_OF: dict[Act, str] = {
    "is": "is are was were be there stands stand standing stay stays remain remains visible seen "
    "visits visit drives drive driving passes pass passing by appear",
    "comes": "comes come coming came arrives arrive arriving arrived enters enter entering entered "
    "appears steps approaches approach approaching walks joins join",
    "goes": "leaves leave leaving left goes go exits exit disappears disappear departs",
}
ACTS = {word: act for act, words in _WORDS_OF.items() for word in words.split()}
"""Words for being there, coming and going: captions tell it by who is there and who is not."""
_MEN = "man men guy guys gentleman gentlemen boy boys male dude"
_WOMEN = "woman women lady ladies girl girls female blonde blond brunette"
_PEOPLE = (
    "person persons people somebody someone anybody anyone who whoever visitor visitors human "
    "humans individual individuals customer customers guest guests nobody player adult adults "
    "child children kid kids pedestrian pedestrians"
)
_EITHER = frozenset(f"{_MEN} {_WOMEN}".split())
PEOPLE = frozenset(_PEOPLE.split()) - {"nobody"}
"""Words for somebody of whom they do not say whether it is a man or a woman."""
_PERSON_WORDS = frozenset(f"{_MEN} {_WOMEN} {_PEOPLE}".split())
_BODY = "hand hands arm arms finger fingers he she they"
"""What shows that somebody is there, though captions do not say who."""
_OF_SOMEBODY = frozenset(_BODY.split())
_BEING = frozenset("is are was were be there visible seen by stay stays remain remains".split())
_NEGATIONS = frozenset("no nobody none without not".split())
_HAIR = frozenset("blonde blond brunette".split())
_NO_ONE = re.compile(r"\b(?:no one|no-one|not? any ?(?:body|one)|no (?:person|people|human)s?)\b")
_EMPTY = re.compile(
    r"\b(?:empty|nobody|no one|no-one|alone|nothing|without|no (?:person|people|vehicles?|cars?)|"
    r"deserted|vacant|unoccupied)\b",
    re.IGNORECASE,
)
_EMPTY_PLACE = re.compile(
    r"(?:the |this |that |a |an )?(?:\w+ ){0,2}?(?P<where>room|table|lobby|hall|hallway|corridor|"
    r"office|kitchen|street|road|path|beach|park|square|stage|bench|chair|seat|sofa|couch|bed|"
    r"classroom|playground|court|pitch|place|scene)"
    r"(?: (?:is|was|stands|remains))?(?: (?:all|completely|left|quite))? "
    r"(?:empty|deserted|vacant|unoccupied)(?: of people)?(?: again)?",
    re.IGNORECASE,
)
"""What is empty where nobody is there; a mug, a box or a fridge is not."""
_EVERYWHERE = frozenset(terms_of("room place scene"))
_ABSENT = re.compile(r"\b(?:nobody|no one|no-one|(?:no|without|empty of)(?: an?| any)? \w+)\b")
_VEHICLES = "car cars automobile vehicle vehicles truck trucks van vans bus buses lorry taxi taxis"
_SORTS = tuple(
    (frozenset(names.split()), frozenset(of.split()))
    for names, of in (
        (_MEN, _MEN),
        (_WOMEN, _WOMEN),
        ("child children kid kids", "child children kid kids boy boys girl girls"),
        (_PEOPLE, f"{_MEN} {_WOMEN} {_PEOPLE} {_BODY}"),
        ("vehicle vehicles", _VEHICLES),
        ("dog dogs", "dog dogs puppy puppies pup pups doggy"),
        ("cat cats", "cat cats kitten kittens"),
        ("fridge fridges refrigerator refrigerators", "fridge refrigerator"),
        ("car cars automobile", "car cars automobile saloon limousine taxi taxis"),
        ("shut shuts closed close closes", "shut shuts closed"),
    )
)
_DETERMINERS = frozenset(
    "the a an his her its their my our this that some any one other another only single".split()
)
_FRAMES = frozenset("when that then again time times exactly please".split())
_WITH = frozenset(
    "in with at on wearing wears wear wore near by next of who that from whose having".split()
)
_BORDERS = frozenset(ACTS) | _WITH | {"to", "into", "up"}
_COPULAS = frozenset("is are was were".split())
_STATES = frozenset(
    "empty full open opened closed shut alone broken lit dark bright moving still busy free".split()
)
_IDLE = frozenset(
    "to the a an in with at on wearing wears wear wore near by next of who that from whose having "
    "into up off out away is are was were there his her its their very room picture scene frame "
    "video screen right left in back here first last over around".split()
)
_PLACING = _IDLE | _WITH | frozenset(ACTS) | {"wearing"}
_ALSO = frozenset(
    "and or but not while as because if say says said reads sit sits sat sitting seated".split()
)
_NO_HEADS = frozenset("he she it they we you i thing things something anything what".split())
_LOOKS = frozenset("wearing standing coming leaving arriving passing driving".split())
