"""A small grammar of follow-ups, for where no text model reads the turns.

It knows a dozen forms (``FORMS``) and no more. A turn that fits none of them is a new question if
it says what to look for; one that only points ("and her?") is refused, with the forms that are
understood. The form that matched is shown to the user as "understood: …".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.chat.doors import TERMINAL, Door
from agent.chat.follow_up import CLOCK, FollowUp, FollowUpError
from agent.chat.named_videos import check_names_no_other, plain_words, take_videos
from agent.chat.one_question import check_is_one
from agent.chat.places import check_is_no_place, with_a_stretch
from agent.chat.pronouns import check_is_known, meant_by_pronoun, with_what_is_meant
from agent.chat.small_talk import without_lead
from agent.chat.turns import ChatAnswer, latest_focus, latest_query

ORDINALS: Final = {
    name: number
    for number, names in {
        1: "first 1st earliest",
        2: "second 2nd",
        3: "third 3rd",
        4: "fourth 4th",
        5: "fifth 5th",
        6: "sixth 6th",
        7: "seventh 7th",
        8: "eighth 8th",
        9: "ninth 9th",
        10: "tenth 10th",
        -1: "last final latest",
    }.items()
    for name in names.split()
}

# Words that say nothing by themselves about what is looked for.
POINTING: Final = frozenset(
    "a about again all an and any are at be before but can did do does for from go had has "
    "have he her here hers him his how i in is it its many me more much not of often on one "
    "ones or really she show so sure tell that the their them then there these they thing "
    "this those time times to too us was we were what when where which who whom whose why "
    "will with would you".split()
)
SMALL_TALK: Final = frozenset("bye exit no ok okay please quit sorry thank thanks yes".split())

_SAY_NOTHING: Final = POINTING | SMALL_TALK | set(ORDINALS)

TIME: Final = re.compile(r"\b\d{1,2}:\d{2}\b")
QUOTED: Final = re.compile(r"[\"“”«»„]")

_ORD = rf"(?P<which>{'|'.join(ORDINALS)})"
_ONE = r"(?:one|time|occurrence|interval|moment)"
_THAT = r"(?:that|this|it|then|him|her|them)"
_THERE = r"(?:then|there|that(?: (?:point|moment|time))?)"
_WHO = r"(?:it|that|this|he|she|they|one)"
_PRONOUN = r"(?:he|she|it|they)"
_COMES: Final = re.compile(
    rf"{_PRONOUN} (?:comes?|came|appear(?:s|ed)?|is there|are there|be there|arrives?)",
    re.IGNORECASE,
)
_GONE: Final = re.compile(
    rf"{_PRONOUN} (?:(?:has |is |had )?(?:leaves?|left|gone|goes(?: away)?|disappears?|over)"
    r"|ends?|walks (?:away|off))",
    re.IGNORECASE,
)
_SOMEBODY: Final = re.compile(r"\b(?:he|she|they)\b", re.IGNORECASE)
_OPEN = r"(?:and |so |but )?(?:what|who)(?:'s|’s)?\b"
_BETWEEN = rf"(?:between|from)\s(?P<from>{CLOCK})\s?(?:and|to|until|till|-|–)\s?(?P<to>{CLOCK})"
_SIDE = r"(?P<side>after|before)"
_IN_ALL = r",? (?:in total|in all|all in all|altogether|overall)"
_LEAD = r"(?:and |so |but |ok |okay )?"
_HAPPENS = r"(?:happens?|occurs?|takes? place|comes?|appears?|returns?)"
_CUT = r"(?:cut|clip|save|download|export)(?: out)?"
_CUT_TO_FILE: Final = re.compile(
    rf"{_CUT} (?:{_THAT}|the {_ORD} {_ONE})(?: out)?"
    rf",? (?:and save (?:{_THAT} )?)?(?:as|to|into) (?P<file>\S+)",
    re.IGNORECASE,
)
_WHAT_ABOUT: Final = re.compile(
    r"^(?:and |so |but )?(?:what|how) about (?:when )?(?=.*\w{3})", re.IGNORECASE
)
_STAYS = (
    r"(?:been )?(?:last|take|go on|stay|remain|linger|wait|there|here|around|visible|present|seen"
    r"|(?:stay |remain )?(?:there|here|in (?:the )?(?:picture|frame|view|video|shot|room)))"
)
_THE_SAME: Final = re.compile(
    r"(?:and|also|(?:and )?the same|and (?:it|that)|(?:what|how) about (?:it|that|the same))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of follow-up: how it is said, for example, and what it then means."""

    example: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], list[ChatAnswer]], dict[str, Any]]


def parse_follow_up(
    said: str, *, turns: list[ChatAnswer], videos: Sequence[str], door: Door = TERMINAL
) -> FollowUp:
    """Read a turn by the grammar.

    Args:
        said: The user's words.
        turns: The turns before it, oldest first.
        videos: Paths of the videos that can be named.
        door: Where it was said.

    Raises:
        FollowUpError: If it is not understood, or refers to something that is not there.
    """
    led = without_lead(said)
    check_is_one(led)
    plain = plain_words(without_lead(plain_words(led)))
    if match := _CUT_TO_FILE.fullmatch(plain):
        raise FollowUpError("unclear", door.named_clip.format(file=match["file"]))
    words, named = take_videos(plain, videos)
    if not named:
        check_names_no_other(words, videos, door)
    if not words:
        raise FollowUpError("unclear", f"“{said}” names no moment and nothing to look for")
    check_is_known(words, turns)
    for form in FORMS:
        if match := form.pattern.fullmatch(words):
            fields = _with_a_name(form.read(match, turns), turns)
            try:
                return FollowUp(**(fields | ({"videos": named} if named else {})))
            except ValueError as exc:
                raise FollowUpError("contradiction", f"“{said}”: {_reason(exc)}") from None
    if named and _THE_SAME.fullmatch(words):
        return FollowUp(**(_same(turns)[1] | {"videos": named}))
    latest = latest_query(turns)
    if latest and (placed := with_a_stretch(words, latest)):
        return FollowUp(**(placed | ({"videos": named} if named else {})))
    if latest and not named:
        check_is_no_place(words, latest, videos)
    # A time that is not quoted, as text on the screen would be, is meant for us.
    if TIME.search(words) and not QUOTED.search(said):
        raise _not_understood(said, door)
    about_last = None if named else with_what_is_meant(words, turns)
    says_nothing = not set(re.findall(r"\w+", words.casefold())) - _SAY_NOTHING
    if about_last and (about_last["kind"] == "describe" or not says_nothing):
        return FollowUp(**about_last)
    if says_nothing:
        raise _not_understood(said, door)
    return FollowUp(kind="find", query=_WHAT_ABOUT.sub("", words), videos=named)


def _not_understood(said: str, door: Door) -> FollowUpError:
    return FollowUpError("unclear", f"“{said}” is not understood.\n{door.instead}")


def understood_forms(door: Door = TERMINAL) -> str:
    """What the grammar understands, by example."""
    examples = "".join(f"\n  {form.example}" for form in FORMS)
    return f"{door.forms_lead}{examples}"


def _reason(exc: ValueError) -> str:
    """What pydantic says about the first fault, without its own words around it."""
    errors = getattr(exc, "errors", None)
    return str(errors()[0]["msg"]).removeprefix("Value error, ") if errors else str(exc)


def _with_a_name(fields: dict[str, Any], turns: list[ChatAnswer]) -> dict[str, Any]:
    """With what is meant in place of a pronoun: "is it there first?", "when does he sit first?"."""
    query = fields.get("query")
    if query is None:
        return fields
    others = {name: one for name, one in fields.items() if name != "query"}
    if _only_points(query) or _COMES.fullmatch(query):
        meant = meant_by_pronoun(turns)
        return _same([meant] if meant else turns)[1] | others
    is_placed = fields.get("relation", "anywhere") != "anywhere"
    meant_now = None if is_placed else with_what_is_meant(query, turns)
    return fields if meant_now is None else others | meant_now


def _only_points(words: str) -> bool:
    return not set(re.findall(r"\w+", words.casefold())) - POINTING


def _that(turns: list[ChatAnswer], meant: ChatAnswer | None = None) -> dict[str, Any]:
    """The anchor "that": the surest interval of the latest turn, and of no earlier one."""
    turn = meant or (turns[-1] if turns else None)
    if turn is None:
        raise FollowUpError(
            "unknown_turn",
            "there is nothing before this to refer to: no answer so far has an interval; ask for "
            "something first",
        )
    if not turn.result.intervals:
        earlier = latest_focus(turns)
        instead = f"name what you mean; “{earlier.said}” had one" if earlier else "ask for another"
        raise FollowUpError(
            "unknown_turn",
            f"the answer to “{turn.said}” has no interval to refer to; {instead}",
        )
    return {"turn": turn.turn, "videos": _videos_of(turn)}


def _same(turns: list[ChatAnswer]) -> tuple[ChatAnswer, dict[str, Any]]:
    """The latest turn that looked for something, and its question once more."""
    turn = latest_query(turns)
    if turn is None:
        raise FollowUpError(
            "unknown_turn", "there is no question before this to refer to; ask one first"
        )
    return turn, {"kind": "find", "query": turn.follow_up.query, "videos": _videos_of(turn)}


def _videos_of(turn: ChatAnswer) -> tuple[str, ...]:
    return (turn.result.video.path,) if turn.result.video else ()


def _cut_that(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    anchor = _that(turns)
    if match["which"]:
        turn = turns[anchor["turn"] - turns[0].turn]
        anchor["interval"] = _interval_named(match["which"], turn)
    return {"kind": "cut"} | anchor


def _interval_named(which: str, turn: ChatAnswer) -> int:
    """The number of "the second one" of a turn's intervals, or of "the last one"."""
    number, count = ORDINALS[which.lower()], len(turn.result.intervals)
    if number > count:
        raise FollowUpError(
            "unknown_turn",
            f"the last answer has {count} interval{'s' * (count != 1)}, and no more",
        )
    return number if number > 0 else count


def _recap(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    if not turns:
        raise FollowUpError("unknown_turn", "there is no answer before this; ask for something")
    somebody = meant_by_pronoun(turns) if _SOMEBODY.search(match[0]) else None
    last = somebody or turns[-1]
    # What was told again is still the answer before it.
    turn = last.follow_up.turn if last.follow_up.kind == "recap" else last.turn
    again: dict[str, Any] = {"kind": "recap", "turn": turn, "videos": _videos_of(last)}
    if match["which"] and last.result.intervals:
        return again | {"interval": _interval_named(match["which"], last)}
    return again


def _edge(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    return _recap(match, turns) | {"edge": "start" if match["start"] else "end"}


def _cut_times(match: re.Match[str], _: list[ChatAnswer]) -> dict[str, Any]:
    return {"kind": "cut", "times": (match["from"], match["to"])}


def _count(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    query = match["query"]
    named = {"kind": "find", "query": query} if query else _same(turns)[1]
    return named | {"every_time": True}


def _still_there(match: re.Match[str], _: list[ChatAnswer]) -> dict[str, Any]:
    there = {"kind": "still_there", "relation": "at", "times": (match["at"],)}
    return {"query": match["who"]} | there


def _describe_between(match: re.Match[str], _: list[ChatAnswer]) -> dict[str, Any]:
    return {"kind": "describe", "relation": "during", "times": (match["from"], match["to"])}


def _describe_time(match: re.Match[str], _: list[ChatAnswer]) -> dict[str, Any]:
    relation = match["side"].lower().replace("around", "at")
    return {"kind": "describe", "relation": relation, "times": (match["at"],)}


def _describe_that(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    said = "before" if match["back"] else (match["side"] or "after").lower()
    relation = {"before": "before", "during": "during", "while": "during"}.get(said, "after")
    latest = latest_focus(turns)
    back = {"after": "before", "before": "after"}
    if latest and latest.follow_up.relation == back.get(relation) and latest.follow_up.turn:
        # After "and after that?", "and before that?" turns back to what both relate to.
        read = latest.follow_up
        anchor = {"turn": read.turn, "interval": read.interval, "videos": _videos_of(latest)}
        return {"kind": "describe", "relation": relation} | anchor
    return {"kind": "describe", "relation": relation} | _that(turns)


def _again(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    turn, same = _same(turns)
    back = bool(match["back"])
    if not turn.result.intervals:
        raise FollowUpError(
            "unknown_turn",
            f"“{turn.said}” had no answer that lies in the video, so nothing comes before or after",
        )
    return (
        same
        | _that(turns, turn)
        | {
            "relation": "before" if back else "after",
            "which": -1 if back else 1,
        }
    )


def _nth(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    return _same(turns)[1] | {"which": ORDINALS[match["which"].lower()]}


def _event_first(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    side = match["side"].lower()
    relation = side if side in {"after", "before"} else "during"
    anchor: dict[str, Any] = {"relation": relation, "event": match["event"]}
    edge = {"after": _GONE, "before": _COMES}.get(relation)
    meant = meant_by_pronoun(turns)
    if edge and edge.fullmatch(match["event"]) and meant:
        check_is_known(match["event"], turns)
        anchor = {"relation": relation} | _that(turns, meant)
    if match["open"]:
        return {"kind": "describe"} | anchor
    return {"kind": "find", "query": match["query"]} | anchor


def _nth_of_new(match: re.Match[str], _: list[ChatAnswer]) -> dict[str, Any]:
    return {"kind": "find", "query": match["query"], "which": ORDINALS[match["which"].lower()]}


def _find_side(match: re.Match[str], turns: list[ChatAnswer]) -> dict[str, Any]:
    fields = {"kind": "find", "query": match["query"], "relation": match["side"].lower()}
    if match["at"]:
        return fields | {"times": (match["at"],)}
    return fields | _that(turns)


def _find_between(match: re.Match[str], _: list[ChatAnswer]) -> dict[str, Any]:
    times = (match["from"], match["to"])
    return {"kind": "find", "query": match["query"], "relation": "during", "times": times}


def _form(
    example: str,
    pattern: str,
    read: Callable[[re.Match[str], list[ChatAnswer]], dict[str, Any]],
) -> Form:
    return Form(example, re.compile(pattern, re.IGNORECASE), read)


# The first that matches counts, so the narrower ones come first.
FORMS: Final = (
    _form(
        "cut that out · cut out the second one",
        rf"{_CUT} (?:{_THAT}|the {_ORD} {_ONE})(?: out)?",
        _cut_that,
    ),
    _form(
        "cut out 1:00 to 1:30",
        rf"{_CUT} (?:between |from )?(?P<from>{CLOCK})"
        rf"\s?(?:and|to|until|-|–)\s?(?P<to>{CLOCK})(?: out)?",
        _cut_times,
    ),
    _form(
        "is he still there at 2:10? · is the dog there at 0:35?",
        rf"{_LEAD}(?:is|are|was|were) (?P<who>.+?) (?:still )?"
        rf"(?:there|here|visible|around|on screen|in the picture)(?: still)? at (?P<at>{CLOCK})",
        _still_there,
    ),
    _form(
        "what happens between 1:00 and 1:30?",
        rf"(?:{_OPEN}.*? |and |what about ){_BETWEEN}",
        _describe_between,
    ),
    _form(
        "between 1:00 and 1:30, who is there?",
        rf"{_BETWEEN},? {_OPEN}.*",
        _describe_between,
    ),
    _form(
        "what happens at 0:45? · who is there after 1:30?",
        rf"(?:{_OPEN}.*? |and |what about )(?P<side>at|around|after|before) (?P<at>{CLOCK})",
        _describe_time,
    ),
    _form(
        "at 0:45, what happens?",
        rf"{_LEAD}(?P<side>at|around|after|before) (?P<at>{CLOCK}),? {_OPEN}.*",
        _describe_time,
    ),
    _form(
        "and after that? · what about before that? · what happens next?",
        rf"(?:{_OPEN}.*? |and |so |and what )?(?:right |just |directly )?"
        rf"(?:(?P<side>after|before|during) {_THAT}(?: happens| happened)?"
        rf"|(?P<back>before(?:hand)?|earlier|(?:until|till|up to) {_THERE})"
        r"|after|then|next|afterwards"
        rf"|(?:from|since) {_THERE}(?: on(?:wards?)?)?(?: (?:to|until|till) the end)?)",
        _describe_that,
    ),
    _form(
        "how many times? · how often does the dog run? · any others?",
        rf"{_LEAD}(?:(?:how often|how many times)(?: (?:is|are|was|were|does|do|did|has|have) "
        rf"(?P<query>.+?)(?: happen| there)?)?(?:{_IN_ALL})?"
        rf"|(?:is|was) {_WHO} the only {_ONE}|any (?:others?|more)(?: {_ONE}s?)?"
        rf"|are there (?:any )?(?:others|more)(?: {_ONE}s)?|(?:anything|what|when) else"
        rf"|(?:show (?:me )?)?(?:all of them|the others|every {_ONE}))",
        _count,
    ),
    _form(
        "every time the dog runs · how many people come?",
        rf"{_LEAD}(?:how many (?!(?:times|of)\b)|(?:every|each) ?time,? (?:that |when )?|whenever )"
        r"(?P<query>(?!(?:(?:are|is|were) )?(?:there|then|that)\b).+?)"
        rf"(?: (?:are|is|were|was) there)?(?:{_IN_ALL})?",
        _count,
    ),
    _form(
        "again? · does he come back? · the next time · the one before",
        rf"{_LEAD}(?:when |will |is there )?(?:(?:does |did |is |will )?{_WHO} {_HAPPENS} )?"
        r"(?:the )?(?:once |ever )?"
        rf"(?:again|back(?: again)?|(?:another|next|following)(?: {_ONE})?|(?:once|one) more"
        rf"(?: time)?|{_ONE} after|more"
        rf"|(?P<back>go back|previous(?: {_ONE})?|{_ONE} before))(?: (?:after|before)? ?{_THAT})?",
        _again,
    ),
    _form(
        "the second time · the last one",
        rf"{_LEAD}(?:when (?:was|is) |what about |show (?:me )?|play )?(?:the )?{_ORD}(?: {_ONE})?",
        _nth,
    ),
    _form(
        "when is it over? · does he leave?",
        rf"{_LEAD}(?P<which>)(?:(?:(?:since |until |till )?when(?: exactly)? )?"
        rf"(?:is|was|does|did|has|will) {_WHO} (?:(?P<start>start|begin|come(?: in)?|appear|arrive"
        r"|enter|begun)|end|over|gone|leave|left|disappear|(?:go|walk) away)s?"
        rf"|when(?: exactly)? (?:is|was|does|did|has|will) {_WHO} (?:stop|finish|go|done|finished)"
        rf"|(?:is|was) {_WHO} still {_STAYS}"
        rf"|(?:until|till) when(?: (?:is|was|does|did) {_WHO}(?: {_STAYS})?)?)(?: exactly)?",
        _edge,
    ),
    _form(
        "are you sure? · how long was it? · show me",
        rf"{_LEAD}(?:(?:are you|is {_THAT}) (?:really |quite )?"
        rf"(?:sure|certain|right|true|correct|so)(?: (?:about|of) {_THAT})?"
        rf"|really|how sure (?:are you|is {_THAT})"
        r"|how do you know(?: that| this)?|why(?: not)?(?: do you (?:say|think) (?:so|that))?"
        r"|what makes you (?:say|think) (?:so|that)"
        rf"|(?:please )?(?:show|play|loop|repeat|say|list)(?: me)?"
        rf"(?: {_WHO}| them| those"
        r"| (?:the|your) (?:clip|answers?|video|list|times?|results?|intervals?))?"
        rf"(?: (?:again|once more))?|let me see(?: {_WHO})?"
        r"|(?:what was )?(?:the|your) (?:list|(?:last )?answers?)(?: (?:again|once more))?"
        rf"|(?:for )?how long (?:is|was|did) the {_ORD} {_ONE}(?: last| take| go on)?"
        rf"|(?:for )?how long(?: (?:is|was|does|did|has) {_WHO}(?: {_STAYS})?)?"
        rf"|since when(?: (?:is|was|has) {_WHO}(?: {_STAYS})?)?"
        rf"|(?:when|where)(?: exactly)? (?:is|was|does|did) {_WHO}"
        rf"(?: {_HAPPENS}| starts?| begins?| ends?| stops?| finish| over| exactly)*)",
        _recap,
    ),
    _form(
        "before she sits down, who was there? · after the dog runs, when does a car come?",
        rf"{_LEAD}(?P<side>after|before|during|while) (?P<event>[^,]+), "
        rf"(?:(?P<open>{_OPEN}.*)|(?P<query>.+))",
        _event_first,
    ),
    _form(
        "who was there before she sits down?",
        rf"(?P<open>{_OPEN} (?:is|was|are|were|happens|happened|comes|came)\b.*?) "
        rf"(?P<side>after|before|during|while) (?P<event>.+)(?P<query>)",
        _event_first,
    ),
    _form(
        "when was the dog there first?",
        rf"when (?:is|was|are|were|does|do|did) (?P<query>.+?) (?:for the )?{_ORD}(?: time)?",
        _nth_of_new,
    ),
    _form(
        "the first time the dog is there",
        rf"(?:when (?:is|was) )?the {_ORD} time (?:that )?(?P<query>.+)",
        _nth_of_new,
    ),
    _form(
        "a car after that · when does a car come before 2:00?",
        rf"(?P<query>.+?),? {_SIDE} (?:(?P<at>{CLOCK})|that|this)",
        _find_side,
    ),
    _form(
        "a car between 1:00 and 3:00",
        rf"(?P<query>.+?),? {_BETWEEN}",
        _find_between,
    ),
)
