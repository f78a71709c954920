"""From a question to the event that it asks about, by rule: "why did the boy jump at the end?".

A question is about something that happens, and says what: captions are compared with that, not with
the why, how, where or when. "What does the man do after he eats" says what happens just before
what is asked for, which is open; and "at the end of the video" says where to look. A question that
fits no rule stays as it is.

    why / how / when / where did the boy jump        the boy jump
    how many times does he jump, how many dogs run   he jump, dogs run
    who sits on the table, is the table red          someone sits on the table, the table red
    what happens to the dog, what does the dog eat   the dog, the dog eat
    what does the man do after / before CLAUSE       open, next to CLAUSE
    the first thing he does after CLAUSE             the same; also the last thing before it
    what happens after CLAUSE, after X, what comes   whatever is next to it
    after X, just before CLAUSE, the part after X    the same
    every time / whenever / how often CLAUSE         CLAUSE, each time
    EVENT at the start / in the middle / near the end of the video

A statement is placed in time only if it says "of the video": flowers may stand in the middle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from tools.grounding.place import Place
from tools.retrieval.temporal_query import SOON, Part, Single, names_something, split_query
from tools.retrieval.thing_words import read_thing
from tools.signals.phrasing import without_courtesy
from tools.signals.said_times import take_stretch

Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks about.

    Attributes:
        text: The event as a statement; of an open question all that is said of it.
        place: Where in the video it is said to be; None where nothing is said of that.
        is_presupposed: Whether it is taken for granted that it happens: "why" says that it does,
            "when" and "how many times" may be asked of what never does.
        beside: Of an open question, what happens just before or after what is asked for.
        side: On which side of ``beside`` that is.
        is_next: Whether whatever happens there is asked for, and not what somebody named does.
        every_time: Whether the words ask for all the times: "whenever", "how many".
        is_counted: Whether it asks how many there are.
        is_open: Whether it asks what happens, whatever that is, as "what happens at 1:20" does.
        is_bare: Whether its verb has no ending, as after "does": "the dog jump".
        at_s: Of "is she still there at 1:20?", the moment in seconds.
    """

    text: str
    place: Place | None = None
    is_presupposed: bool = False
    beside: str = ""
    side: Side = "after"
    is_next: bool = False
    every_time: bool = False
    is_counted: bool = False
    is_open: bool = False
    is_bare: bool = False
    at_s: float | None = None


def read_question(query: str) -> Asked:
    """Reduce a question to its event; a statement stays as it is, except for where it is placed."""
    rest, stretch = take_stretch(query)
    whole = " ".join((rest or query).split()).rstrip(".!? ,").rstrip()
    is_whatever = _WHATEVER.fullmatch(whole) is not None
    if stretch and (is_whatever or not rest.strip(" .!?,")):
        return Asked(whole, is_open=True)
    if is_whatever and not whole.lower().startswith(("who", "and who")):
        return Asked(whole, is_open=True)
    if stretch and stretch.moment_s is not None and _WHO_THERE.fullmatch(whole):
        return Asked(whole, is_open=True)
    if stretch and (at_s := stretch.moment_s) is not None and (found := _THERE.fullmatch(whole)):
        what = re.sub(r"\b(?:still|already|yet) ?", "", found["what"], flags=re.IGNORECASE)
        return Asked(what.strip(), at_s=at_s)
    query = rest or query
    return _read_event(query, whole)


def _read_event(query: str, whole: str) -> Asked:
    """A question for an event, from which a stretch of time has been taken."""
    if found := _NEXT.fullmatch(whole) or _NEXT_FRONTED.fullmatch(whole) or _read_bare(whole):
        side: Side = "before" if found["side"].lower() in {"before", "precedes"} else "after"
        clause = found["clause"]
        return Asked(f"{side} {clause}", None, True, clause, side, is_next=True)
    if match := _EVERY.match(whole):
        return replace(read_question(whole[match.end() :]), every_time=True)
    said = without_courtesy(whole)
    is_counted = _COUNTING.match(said) is not None
    if is_counted:
        said = _IN_ALL.sub("", said)
    text, place = _take_place(said)
    if found := _NEXT_THING.fullmatch(text):
        return _next_to(found, place)
    match = _QUESTION.fullmatch(text)
    if not match:
        is_placed = place and not _BARE_PLACE.search(said)
        return Asked(text, place) if is_placed else Asked(query if said == whole else said)
    event = _event_of(match)
    if found := _OPEN.fullmatch(event):
        return _next_to(found, place)
    is_presupposed = any(match[name] for name in ("clause", "happens", "object"))
    return Asked(
        _DOING.sub("", event).strip() or event,
        place,
        is_presupposed,
        every_time=is_counted,
        is_counted=is_counted,
        is_bare=_DO.search(text[: len(text) - len(event)]) is not None,
    )


def _read_bare(whole: str) -> re.Match[str] | None:
    """A clause with "after" and no more: no second clause says what happens then."""
    found = _BARE.fullmatch(whole) or _FOLLOWS.fullmatch(whole)
    is_bare = found and names_something(found["clause"]) and not _AND_HE.search(found["clause"])
    return found if is_bare else None


def parts_of(query: str) -> Part:
    """The parts of what a question asks about; an open one is one sentence."""
    asked = read_question(query)
    return Single(asked.text) if asked.beside else split_query(asked.text)


_AUXILIARY = (
    r"(?:(?:did|does|do|is|are|was|were|has|have|had|can|could|will|would)(?:n't| not)?|'s|'re)"
)
_DO = re.compile(r"\b(?:do|does|did)(?:n['’]t| not)? $", re.IGNORECASE)
_THE_VIDEO = r"(?:the|this) (?:video|clip|film|movie|recording|footage)"
_QUESTION = re.compile(
    rf"(?:and |but |so )?(?:"
    rf"how many times(?: {_AUXILIARY})? (?P<times>.+)"
    rf"|how many (?P<many>.+?)(?: {_AUXILIARY} (?:there|{_THE_VIDEO} (?:have|show|contain)))?"
    rf"|(?:at (?:what|which) (?:time|point|moment|second|minute)|how (?:long|often))"
    rf"(?: exactly)?(?: {_AUXILIARY})? (?P<point>.+)"
    # "When the man leaves, the dog barks" is not a question.
    rf"|when(?: exactly)? {_AUXILIARY} (?P<moment>.+)"
    rf"|(?:why|how|where)(?: exactly)?(?: ?{_AUXILIARY})? (?P<clause>.+)"
    rf"|what (?:happens|happened|is happening|was happening)(?: to| with)? (?P<happens>.+)"
    rf"|(?:what|which|whom?)(?: (?P<of>(?!{_AUXILIARY} )\w+))? ?{_AUXILIARY} (?P<object>.+)"
    rf"|who (?P<who>.+)"
    rf"|(?:did|does|is|are|was|were|has|have) "
    rf"(?P<whether>(?:the|a|an|there|any\w*|some\w*|he|she|it|they) .+)"
    rf")",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?P<who>.+?) (?:do|doing|react|reacts|respond|responds)(?: next)?,? "
    r"(?:(?:right|just|shortly|soon|immediately|directly) )?(?P<side>after|before) (?P<clause>.+)",
    re.IGNORECASE,
)
_NEXT_THING = re.compile(
    r"(?:what (?:is|was) )?the (?:(?P<first>first|next)|last) thing (?:that )?(?P<who>.+?) "
    r"(?:does|did|do)(?: next)?,? (?P<side>(?(first)after|before)) (?P<clause>.+)",
    re.IGNORECASE,
)
_DOING = re.compile(r"\b(?:do|doing|react|respond)\b(?: to| with)? ?", re.IGNORECASE)
_SOON = f"(?:{SOON} )?"
_WHAT_IS = (
    r"(?:and |so )?what(?:['’]s| is| was| else)? ?(?:happens|happened|happening|comes|came|next|"
    r"goes on|going on|follows|to be seen|(?:do|can|did) (?:we|you|i) see|can be seen|shown|seen|"
    r"there)(?: next| then)?"
)
_NEXT = re.compile(
    rf"{_WHAT_IS},? {_SOON}(?P<side>after|before|following) (?P<clause>.+)", re.IGNORECASE
)
_NEXT_FRONTED = re.compile(
    rf"{_SOON}(?P<side>after|before|following) (?P<clause>[^,]+), {_WHAT_IS}", re.IGNORECASE
)
_BARE = re.compile(
    r"(?:(?:and |so )?(?:(?:find|show|give)(?: me)? )?(?:(?:the |a )?"
    r"(?:(?:first |next |last )?thing|part|bit|time|stretch|seconds|moments?|scene)|"
    r"everything|anything|something|all)(?: that)?(?: is| comes| happens)? )?"
    rf"{_SOON}(?P<side>after|before) (?P<clause>[^,]+)",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    rf"(?:and )?(?:what|everything that) {_SOON}(?P<side>follows|precedes) (?P<clause>[^,]+)",
    re.IGNORECASE,
)
_AND_HE = re.compile(
    r"(?<!and)(?<!that)(?<!who)(?<!when)(?<!while)(?<!as) (?:he|she|they|we|someone|somebody) \w",
    re.IGNORECASE,
)
_WHATEVER = re.compile(
    rf"{_WHAT_IS}(?: there| here| in (?:the )?(?:video|picture|room))?"
    r"|(?:and )?(?:who|what)(?:['’]s| is| was| are)? ?(?:(?:there|here|visible|shown|seen|in it)"
    r"|on (?:the )?screen|in the (?:picture|room|frame|video))"
    r"|(?:show|tell|describe)(?: me)? (?:what happens|the video|it|the scene)|describe",
    re.IGNORECASE,
)
_THERE = re.compile(
    r"(?:and |so )?(?:is|are|was|were)(?:n['’]t)? (?:there )?"
    r"(?P<what>(?!he\b|she\b|it\b|they\b).+?)"
    r"(?: still| already)?(?: there| here| visible| present| around| to be seen|"
    r" in the (?:picture|frame|video|shot)| on (?:the )?screen)?(?: still)?",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"(?:(?:find |show |list |give )(?:me )?)?(?:(?:at )?(?:everytime|(?:every|each)(?: single)? "
    r"(?:time|occasion|moment|instance))|all(?: of)?(?: the)? "
    r"(?:times|occasions|moments|instances)|whenever)(?:,? (?:that|when|where|in which|of))?,? ",
    re.IGNORECASE,
)
_WHO_IS = re.compile(r"(?:and |but |so )?who\b", re.IGNORECASE)
_SOMEWHERE = re.compile(
    r"(?:at|in|on|there|here|near|beside|by|with|behind|next|standing|sitting|visible)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"^(?:he|she|it|they) ", re.IGNORECASE)
_COUNTING = re.compile(r"(?:and |but |so )?how (?:many|often)\b", re.IGNORECASE)
_IN_ALL = re.compile(
    r",? (?:in total|in all|all in all|altogether|overall|all together)$", re.IGNORECASE
)
_WHO_THERE = re.compile(
    r"(?:and |so )?who(?:['’]s| is| was| stands| is standing)"
    r"(?: (?:there|at|in|on|near|by|beside|standing|visible)\b.*)?",
    re.IGNORECASE,
)
"""Of a moment: who that is, the caption there says."""
_NO_SUBJECT = re.compile(r"\w+ing\b", re.IGNORECASE)

_AT = (
    r",? ?\b(?:right )?(?:at|near|towards?|in|around|by|close to|on|from) (?:the )?(?:very )?"
    r"(?P<part>start|beginning|middle|end)(?: part)?"
)
_OF_THE_VIDEO = rf" of {_THE_VIDEO}"
_STOP = r"(?=$|,| (?:after|before|when|while|as|because)\b)"
_PLACE = re.compile(rf"{_AT}(?:{_OF_THE_VIDEO})?{_STOP}", re.IGNORECASE)
_BARE_PLACE = re.compile(rf"{_AT}{_STOP}", re.IGNORECASE)


def _next_to(found: re.Match[str], place: Place | None) -> Asked:
    subject, clause = found["who"], found["clause"]
    side: Side = "after" if found["side"].lower() == "after" else "before"
    beside = f"{subject} {clause}" if _NO_SUBJECT.match(clause) else clause
    thing = read_thing(whose := _PRONOUN.sub(f"{subject} ", clause))
    # Somebody's coming or going is read by name; other deeds by likeness, with or without it.
    if thing and thing.act != "is":
        beside = whose
    return Asked(f"{subject} {side} {clause}", place, True, beside, side)


def _event_of(match: re.Match[str]) -> str:
    if match["who"]:
        who: str = match["who"]
        return f"someone {who}"
    names = ("times", "many", "point", "moment", "clause", "happens", "object", "whether")
    event = next(match[name] for name in names if match[name])
    if match["object"] and _WHO_IS.match(match[0]) and _SOMEWHERE.match(event):
        return f"someone {event}"
    return f"{match['of']} {event}" if match["of"] else event


def _take_place(text: str) -> tuple[str, Place | None]:
    match = _PLACE.search(text)
    left = (text[: match.start()] + text[match.end() :]).strip(" ,") if match else ""
    if not match or not left:
        return text, None
    places: dict[str, Place] = {"middle": "middle", "end": "end"}
    return left, places.get(match["part"].lower(), "start")
