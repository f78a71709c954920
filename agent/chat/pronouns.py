"""Who "he", "she" or "it" is in a follow-up: what the last answer is about, or else unknown.

"Does he wear glasses?" after "a man in jeans" looks for "wear glasses" while he is there, and "what
does he do?" reads the captions of that time. The man in jeans himself is not looked for again: he
is alike enough to every caption of that time to be found without glasses. A pronoun is never looked
for as if it were a thing.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from agent.chat.follow_up import FollowUpError
from agent.chat.turns import ChatAnswer, latest_query

_MEN: Final = frozenset(
    "man men boy boys guy guys gentleman gentlemen father husband son grandfather king he him "
    "his male".split()
)
_WOMEN: Final = frozenset(
    "woman women girl girls lady ladies mother wife daughter grandmother queen she her hers "
    "female".split()
)
_SEX: Final = {"he": (_MEN, _WOMEN), "she": (_WOMEN, _MEN)}
_SUBJECTS: Final = {"him": "he", "his": "he", "her": "she", "their": "they", "them": "they"}

_AUXILIARY = (
    r"(?:(?:is|are|was|were|does|do|did|has|have|had|can|could|will|would)(?:n['’]t| not)?"
    r"|['’]s)"
)
_ASKING = (
    r"(?:(?:when|where|why|how(?: long| often| many times)?|what|who|which \w+"
    rf"|what colou?r)(?: exactly)? ?)?(?:{_AUXILIARY} )?"
)
_LEAD = r"(?:(?:and|so|but|then|ok|okay),? )*"
_SUBJECT: Final = re.compile(
    rf"{_LEAD}(?P<ask>{_ASKING})(?P<who>he|she|it|they)(?P<is>['’]s)?(?: (?P<rest>.+))?",
    re.IGNORECASE,
)
_OWNER: Final = re.compile(
    rf"{_LEAD}(?P<ask>{_ASKING})(?P<who>his|her|its|their) (?P<rest>.+)", re.IGNORECASE
)
_OBJECT: Final = re.compile(
    rf"{_LEAD}(?P<ask>(?:who|what|(?:{_AUXILIARY} )?(?:any|some)(?:one|body)"
    rf"|{_AUXILIARY} (?:an?|the))(?: else)? .+?) "
    r"(?P<who>him|her|them)",
    re.IGNORECASE,
)
_ANY: Final = re.compile(r"(?:he|she|him|his|her)", re.IGNORECASE)
_OPEN: Final = re.compile(
    r"(?:what|who|why|how|where|which)\b(?! (?:long|often|many))", re.IGNORECASE
)
_ALSO_UNKNOWN: Final = re.compile(r"\b(?P<who>it|him|her|them)$", re.IGNORECASE)
_NOBODY: Final = re.compile(
    r"(?:is |was )?(?:(?:very|already|still) )?(?:rain|snow|day|night|sunny|foggy|windy"
    r"|(?:get(?:s|ting)? )?(?:dark|cold|light|late)"
    r"|possible|clear|true|that)",
    re.IGNORECASE,
)
"""What "it" does without being a thing: it rains."""


def meant_by_pronoun(turns: Sequence[ChatAnswer]) -> ChatAnswer | None:
    """The answer that "he" is about: the latest to a question of its own words."""
    turn = latest_query(turns)
    if turn is None or (turn.follow_up.kind == "find" and turn.result.intervals):
        return turn
    # "Is he there at 2:10?", "the third time" are about an answer before, and may be denied.
    for earlier in reversed(turns):
        read = earlier.follow_up
        is_same = read.kind == "find" and read.query == turn.follow_up.query
        if is_same and earlier.result.intervals and _path(earlier) == _path(turn):
            return earlier
    return turn


def _path(turn: ChatAnswer) -> str:
    return turn.result.video.path if turn.result.video else ""


def check_is_known(words: str, turns: Sequence[ChatAnswer]) -> None:
    """Let "he" and "she" pass where somebody was found whom they can mean.

    Raises:
        FollowUpError: If nobody was.
    """
    found = _SUBJECT.fullmatch(words) or _OWNER.fullmatch(words) or _OBJECT.fullmatch(words)
    if found and turns and _ANY.fullmatch(found["who"]):
        _turn_meant(found["who"], turns)


def with_what_is_meant(words: str, turns: Sequence[ChatAnswer]) -> dict[str, Any] | None:
    """A question about the last answer, to be looked for while that lasts; None where it is none.

    Raises:
        FollowUpError: If it is about somebody who is not known.
    """
    if not turns:
        return None
    found = _SUBJECT.fullmatch(words) or _OWNER.fullmatch(words) or _OBJECT.fullmatch(words)
    if found is None:
        return None
    asked, who = found["ask"], found["who"]
    done = f"{asked} someone" if found.re is _OBJECT else found["rest"] or ""
    if not (done or _OPEN.match(asked)) or (who.lower() == "it" and _NOBODY.match(done)):
        return None
    turn = _turn_meant(who, turns)
    place = {"relation": "during", "turn": turn.turn, "videos": (_path(turn),)}
    if _OPEN.match(asked):
        return {"kind": "describe"} | place
    if found.re is _OWNER:
        done = f"the {done}"
    elif also := _ALSO_UNKNOWN.search(done):
        raise _unknown(also["who"], f"“{words}” does not tell")
    return {"kind": "find", "query": done} | place


def _turn_meant(pronoun: str, turns: Sequence[ChatAnswer]) -> ChatAnswer:
    turn = meant_by_pronoun(turns)
    if turn is None:
        raise _unknown(pronoun, "nothing was looked for before this")
    query = turn.follow_up.query or ""
    if not turn.result.intervals:
        raise _unknown(pronoun, f"the answer to “{query}” has no interval")
    subject = _SUBJECTS.get(pronoun.lower(), pronoun.lower())
    words = set(re.findall(r"\w+", query.casefold()))
    own, other = _SEX.get(subject, (frozenset[str](), frozenset[str]()))
    if other & words and not own & words:
        raise _unknown(pronoun, f"the last answer is to “{query}”")
    return turn


def _unknown(pronoun: str, why: str) -> FollowUpError:
    return FollowUpError(
        "unknown_turn", f"who or what “{pronoun}” is, is not known: {why}; name what you mean"
    )
