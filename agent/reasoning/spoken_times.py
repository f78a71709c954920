"""Times in what a video model says: JSON in any of its usual forms, or a sentence. Pure.

Models of this kind were trained on one form or another ("12.5 - 18 seconds", "from 00:12 to
00:18", ``[[12.5, 18.0]]``), and fall back into it. What can mean one thing only is read; anything
else is no answer.
"""

import itertools
import json
import math
import re
from typing import Any, Final

from agent.reasoning.answer import as_truth
from agent.reasoning.reply import LONGEST_REPLY, find_object

MOST_EVENTS: Final = 100
LONGEST_SENTENCE: Final = 2000
"""Characters of a reply that only says when."""

_TIME: Final = (
    r"(?:(?P<{0}h>\d{{1,2}}):)?(?P<{0}m>\d{{1,3}}):(?P<{0}s>\d{{2}}(?:\.\d+)?)|"
    r"(?P<{0}n>\d{{1,7}}(?:\.\d+)?)"
)
_UNIT: Final = r"\s*(?:seconds?|secs?|s)?\b"
_DASH: Final = r"\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
"""Every hyphen, dash and minus sign; between two times it means "to", before one it is a sign."""
_SPAN: Final = re.compile(
    rf"(?<![\w.:{_DASH}])(?:{_TIME.format('a')}){_UNIT}\s*"
    rf"(?:to|until|till|through|-->|->|[{_DASH}~→])\s*"
    rf"(?:{_TIME.format('b')})(?:{_UNIT})(?![\w:]|\.\d)",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(
    r"\bbetween\s+([\d:.]{1,12}(?:\s*(?:seconds?|secs?|s))?)\s+and\s+(?=\d)", re.IGNORECASE
)
_CLOCK: Final = re.compile(
    r"\s*(?:(?P<h>\d{1,2}):)?(?P<m>\d{1,3}):(?P<s>\d{2}(?:\.\d+)?)\s*", re.ASCII
)
_SECONDS: Final = re.compile(
    r"\s*(?P<n>\d{1,7}(?:\.\d+)?)\s*(?:seconds?|secs?|s)?\s*", re.IGNORECASE
)
_DENIES: Final = re.compile(r"\b(?:not|never|no|cannot|unable)\b|n['’]t\b", re.IGNORECASE)
_SAYS_ALONE: Final = re.compile(
    r"[\s\W]*(?:(?:the|this|that|given|query|answer|event|events|moment|moments|it|happens|happened|"
    r"occurs|occurred|takes|place|is|are|was|were|shown|seen|visible|from|at|in|between|during|"
    r"video|clip|interval|span|time|timestamps?|start|starts|end|ends|begins|and|or|also|then|again|"
    r"seconds?|secs?|s|first|second|found|to|of|on|for|with|final)\b[\s\W]*)*",
    re.IGNORECASE,
)
"""What may stand around the times of a sentence that only says when: these words deny nothing."""

_PLACED: Final = re.compile(
    r"\b(?:after|before|while|when|until|till|then|between|during|without|except|but|only)\b",
    re.IGNORECASE,
)
"""A question with such a word speaks of several things, or of one that is not there."""
_ARTICLES: Final = frozenset("a an the is are in on of to at with and or there".split())
_NONE: Final = re.compile(
    r"(?:no|none|not found|nothing|"
    r"(?:there (?:is|are|was)|i (?:see|find)) no (?P<one>[\w\s'’-]{1,200}?)|"
    r"(?P<other>[\w\s'’-]{1,200}?) (?:is|are|was|does|do|did) not "
    r"(?:shown|seen|found|visible|happen|occur|appear|there|present|take place))"
    r"(?: (?:in|on|of|at) (?:the|this|these|any(?: of the)?) (?:video|clip|frames?|footage))?",
    re.IGNORECASE,
)
"""A whole reply that only denies what was looked for."""
_IT: Final = frozenset("it this that event query moment such action".split())

_STARTS: Final = ("start_s", "start", "start_time", "begin", "from", "starttime", "startTime")
_ENDS: Final = ("end_s", "end", "end_time", "until", "to", "endtime", "endTime")
_LISTS: Final = ("events", "spans", "intervals", "segments", "timestamps", "windows", "moments")


class SpokenTimesError(ValueError):
    """There is no answer that can be read.

    Attributes:
        has_object: Whether there is a JSON object or list, of the wrong shape.
    """

    def __init__(self, message: str, *, has_object: bool = False) -> None:
        super().__init__(message)
        self.has_object = has_object


def read_spoken_times(reply: str, query: str = "") -> tuple[bool, list[tuple[float, float]]]:
    """Whether something was found, and from when to when, in seconds as they were said.

    Args:
        reply: What the model said.
        query: What was looked for: a sentence may repeat it.

    Raises:
        SpokenTimesError: If that cannot be read, or could mean several things.
    """
    if len(reply) > LONGEST_REPLY:
        raise SpokenTimesError(f"it is longer than {LONGEST_REPLY:,} characters")
    if "{" in reply:
        return _of_object(reply)
    listed = _list_in(reply)
    if listed is not None:
        spans = _spans(listed)
        return bool(spans), spans
    words = _words(query)
    if _denies(reply, words):
        return False, []
    return True, _of_sentence(reply, words)


def _of_object(reply: str) -> tuple[bool, list[tuple[float, float]]]:
    found = find_object(reply, "found")
    value = found.value
    if value is None:
        raise SpokenTimesError(found.fault or "there is no JSON object in it")
    _check_unit(value)
    listed = next((value[name] for name in _LISTS if name in value), None)
    if listed is None and _has_times(value):
        listed = [value]
    is_found = as_truth(value.get("found"))
    if is_found is None and listed is not None:
        is_found = bool(listed)
    if not isinstance(is_found, bool):
        told = "found has to be true or false" if "found" in value else "there is no field 'found'"
        raise SpokenTimesError(told, has_object=True)
    return is_found, _spans([] if listed is None else listed)


def _list_in(reply: str) -> list[Any] | None:
    """The JSON list that a reply consists of, code fence or not; None where it is none."""
    text = reply.strip().removesuffix("```")
    text = re.sub(r"^```\w*", "", text).strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _spans(listed: Any) -> list[tuple[float, float]]:
    if not isinstance(listed, list):
        raise SpokenTimesError("events has to be a list", has_object=True)
    if len(listed) > MOST_EVENTS:
        raise SpokenTimesError(f"it names {len(listed)} events", has_object=True)
    # One pair, written without the list around it.
    if len(listed) == 2 and all(_maybe_seconds(one) is not None for one in listed):
        listed = [listed]
    return [_span(one) for one in listed]


def _span(one: Any) -> tuple[float, float]:
    if isinstance(one, list) and len(one) == 2:
        return _seconds(one[0]), _seconds(one[1])
    if isinstance(one, dict) and _has_times(one):
        _check_unit(one)
        start = next(one[name] for name in _STARTS if name in one)
        end = next(one[name] for name in _ENDS if name in one)
        return _seconds(start), _seconds(end)
    if isinstance(one, str) and (match := _SPAN.fullmatch(one.strip())):
        return _matched(match)
    raise SpokenTimesError("an event has to be start_s and end_s, in seconds", has_object=True)


def _check_unit(value: dict[str, Any]) -> None:
    """Models that name a unit may count frames or percent."""
    unit = value.get("unit", value.get("units", "s"))
    if not (isinstance(unit, str) and _SECONDS.fullmatch(f"1 {unit}")):
        raise SpokenTimesError("times have to be in seconds", has_object=True)


def _has_times(value: dict[str, Any]) -> bool:
    return all(any(name in value for name in names) for names in (_STARTS, _ENDS))


def _seconds(value: Any) -> float:
    seconds = _maybe_seconds(value)
    if seconds is None:
        raise SpokenTimesError(f"{str(value)[:30]!r} is no time in seconds", has_object=True)
    return seconds


def _maybe_seconds(value: Any) -> float | None:
    """A time as a number, "12.5 s" or "1:02"; None where it is none, or not a real one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        is_time = 0 <= value < 1e7 if not isinstance(value, float) else math.isfinite(value)
        return float(value) if is_time and 0 <= value < 1e7 else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    if clock := _CLOCK.fullmatch(value):
        return _clock_s(clock["h"], clock["m"], clock["s"])
    plain = _SECONDS.fullmatch(value)
    return float(plain["n"]) if plain else None


def _words(query: str) -> frozenset[str]:
    """The words of a question of one thing that is there, by which a reply can mean only that."""
    if _PLACED.search(query) or _DENIES.search(query):
        return frozenset()
    return frozenset(re.findall(r"[\w'’]+", query.casefold())) - _ARTICLES


def _denies(reply: str, words: frozenset[str]) -> bool:
    """Whether a reply is one sentence that says that it is not there, and no more."""
    denied = _NONE.fullmatch(" ".join(reply.split()).strip(" .!*"))
    if not denied:
        return False
    of = denied["one"] or denied["other"]
    named = set(re.findall(r"[\w'’]+", (of or "").casefold())) - _ARTICLES
    return of is None or (bool(named) and named <= words | _IT)


def _of_sentence(reply: str, words: frozenset[str]) -> list[tuple[float, float]]:
    """The spans of a reply that does nothing but name them, or one of all that was asked."""
    said = " ".join(reply.split())
    if len(said) > LONGEST_SENTENCE:
        raise SpokenTimesError("there is no JSON object in it")
    said = _BETWEEN.sub(r"\1 to ", said)
    matches = list(itertools.islice(_SPAN.finditer(said), MOST_EVENTS + 1))
    if not matches or len(matches) > MOST_EVENTS:
        raise SpokenTimesError("there is no JSON object in it")
    rest = _SPAN.sub(" ", said)
    if len(matches) == 1 and words and words <= set(re.findall(r"[\w'’]+", rest.casefold())):
        rest = re.sub(r"[\w'’]+", lambda one: "" if one[0].casefold() in words else one[0], rest)
        rest = re.sub(r"\b(?:an?)\b", "", rest, flags=re.IGNORECASE)
    if _DENIES.search(rest) or not _SAYS_ALONE.fullmatch(rest):
        raise SpokenTimesError("it says more than from when to when, and not as a JSON object")
    return [_matched(match) for match in matches]


def _matched(match: re.Match[str]) -> tuple[float, float]:
    start_s, end_s = (_of_groups(match, which) for which in "ab")
    return start_s, end_s


def _of_groups(match: re.Match[str], which: str) -> float:
    if match[f"{which}n"] is not None:
        return float(match[f"{which}n"])
    return _clock_s(match[f"{which}h"], match[f"{which}m"], match[f"{which}s"])


def _clock_s(hours: str | None, minutes: str, seconds: str) -> float:
    if float(seconds) >= 60:
        raise SpokenTimesError(f"{minutes}:{seconds} is no time", has_object=True)
    return 3600 * float(hours or 0) + 60 * float(minutes) + float(seconds)
