"""The stretch of a video that a question names: "between 0:10 and 0:30", "in the last minute"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tools.signals.vocabulary import TEXT_STANDS, TEXT_VERBS
from tools.timeline import Interval

AT_S, ABOUT_S = 2.0, 5.0
"""How far from a named moment one looks: "at 0:30", "around 0:30"."""

EDGE_S = 10.0
"""What of a video is shown of "before the end", where no event is asked for."""

_COUNTS = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten".split(), start=1
    )
} | {"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60}
_PARTS = {"half": 2, "third": 3, "quarter": 4}
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1, "final": -1}
_UNITS = {"s": 1, "m": 60, "h": 3600}

_WORD = "|".join(_COUNTS)
_UNIT_WORD = r"(?:sec|secs|seconds?|mins?|minutes?|hours?)"
_UNIT = rf"(?:{_UNIT_WORD}|s|m|h)"
_COUNT = rf"(?:\d+(?:\.\d+)?|{_WORD})"
_ONE_LENGTH = rf"(?:\d+(?:\.\d+)?[ -]?{_UNIT}|(?:{_WORD})[ -]{_UNIT_WORD})(?!\w)"
_LENGTH = rf"{_ONE_LENGTH}(?: {_ONE_LENGTH})?"
_CLOCK = r"\d{1,3}(?::[0-5]\d){1,2}(?:\.\d+)?"
_ANY_CLOCK = r"\d{1,3}(?::\d{2}){1,2}(?:\.\d+)?"
_NO_CLOCK = r"(?! ?(?:[ap]\.?m\b|o['’]?clock))"
_NAMED = r"(?:the )?(?:minute|second) \d+"
UNIT = re.compile(rf"\d ?{_UNIT}\b", re.IGNORECASE)
_POINT = rf"(?:{_NAMED}|(?:the )?{_CLOCK}{_NO_CLOCK}|(?:the )?{_LENGTH} mark)(?![:\w])"
_TIME = rf"(?:{_POINT}|{_LENGTH}(?: in)?(?![:\w]))"
_WHOLE = r"(?: of the (?:video|clip|film|movie|recording|footage))?"
_BEARERS = "|".join(sorted(TEXT_STANDS | TEXT_VERBS | {"number", "is", "stands", "set", "reaches"}))

_FORMS = [
    re.compile(
        rf"\b(?:(?:some(?:time|where) |anywhere )?{form}){_WHOLE}(?=$|[\s,.!?])", re.IGNORECASE
    )
    for form in (
        (
            rf"(?P<between>between|from) (?P<low>{_TIME}|\d+) ?(?:and|to|until|till|-|–) ?"
            rf"(?P<high>{_TIME})"
        ),
        (
            rf"(?:in|during|within|over|for|of) (?:the )?(?P<edge>first|last|final) "
            rf"(?P<length>{_LENGTH}|{_UNIT})"
        ),
        (
            r"(?:in|during|within|over|of) (?:the )?(?P<place>first|second|third|fourth|last) "
            r"(?P<part>half|third|quarter|minute)(?! of (?!the (?:video|clip|film|movie)))"
        ),
        (
            rf"(?P<after>after|since|from) (?P<after_at>{_TIME})(?: on(?:wards?)?)?"
            rf"(?! (?:of|after|before|in|passed|passes))"
        ),
        rf"(?P<before>before|until|till|up to) (?P<before_at>{_TIME})(?! (?:of|after|before|pass))",
        rf"(?P<about>(?:at )?(?:around|about)) (?P<about_at>{_POINT})",
        rf"(?P<at>at) (?P<at_at>{_TIME})",
        r"(?P<in>in|during) (?:the )?minute (?P<minute>\d+)",
    )
]
_BARE_EDGE = re.compile(
    rf"^(?:what (?:happens|is shown|is seen) )?(?:the )?(?P<edge>first|last|final) "
    rf"(?P<length>{_LENGTH}|{_UNIT}){_WHOLE}$",
    re.IGNORECASE,
)
_EDGE_OF_VIDEO = re.compile(
    rf"^(?:what (?:happens|happened|is shown|is seen|comes|do we see|can be seen) )?"
    rf"(?:(?:right|just|shortly) )?(?:(?P<before_end>before|at|near|towards?) the (?:very )?end"
    rf"|(?P<after_start>after|at|near|in) the (?:very )?(?:start|beginning)){_WHOLE}$",
    re.IGNORECASE,
)
_PART_IS = re.compile(
    rf"^(?:is |was )?the (?P<part_place>first|second|third|fourth|last) "
    rf"(?P<part_of>half|third|quarter|minute){_WHOLE} (?:is |was )?"
    rf"(?P<state>(?!of |to |in |who |that )\w+)$",
    re.IGNORECASE,
)
_ODD = [
    re.compile(form, re.IGNORECASE)
    for form in (
        (
            rf"\b(?:between|from) (?P<low>{_ANY_CLOCK}) ?(?:and|to|until|till|-|–) ?"
            rf"(?P<high>{_ANY_CLOCK})(?![:\w])"
        ),
        rf"\b(?:at|around|about|before|after|since|until|from) (?P<low>{_ANY_CLOCK})(?![:\w])",
    )
]
_QUOTED = re.compile(r"[“\"«'‘].*?[”\"»'’](?!\w)")


@dataclass(frozen=True, slots=True)
class SaidStretch:
    """A stretch in the words of a question.

    Attributes:
        start_s, end_s: Seconds; a negative one counts from the end; None: the video's own edge.
        start_part, end_part: In place of these, shares of the video.
        moment_s: The moment that is meant, where the stretch is what lies around it.
    """

    start_s: float | None = None
    end_s: float | None = None
    start_part: float | None = None
    end_part: float | None = None
    moment_s: float | None = None

    def within(self, duration_s: float) -> Interval | None:
        """The stretch of a video of this length; None where it has none such."""
        start_s = _counted(self.start_s, self.start_part, duration_s, 0.0)
        end_s = min(duration_s, _counted(self.end_s, self.end_part, duration_s, duration_s))
        return Interval(start_s, end_s) if start_s < end_s else None


def take_stretch(query: str) -> tuple[str, SaidStretch | None]:
    """The question without the stretch that it names, and that stretch.

    What stands in quotes names none, nor does a clock that is looked for: "the timer is at 0:30".
    """
    hidden = _QUOTED.sub(lambda found: "\0" * len(found[0]), query)
    if found := _PART_IS.fullmatch(hidden.strip(" .!?")):
        part = _part({"place": found["part_place"], "part": found["part_of"]})
        return (f"the picture is {found['state']}", part) if part else (query, None)
    for form in (*_FORMS, _BARE_EDGE, _EDGE_OF_VIDEO):
        for found in form.finditer(hidden.rstrip(" .!?")):
            before = hidden[: found.start()].removeprefix("what is").split()
            if "at" in found.groupdict() and before and before[-1].lower() in _BEARERS.split("|"):
                continue
            stretch = _stretch_of(found.groupdict())
            if stretch is not None:
                rest = f"{query[: found.start()]} {query[found.end() :]}"
                return " ".join(rest.split()).strip(" ,"), stretch
    return query, None


def why_no_time(query: str) -> str:
    """Why a question names no time: "at 9:99", "between 2:00 and 1:00"; empty where it does."""
    hidden = _QUOTED.sub(lambda found: "\0" * len(found[0]), query)
    for form in _ODD:
        for found in form.finditer(hidden):
            low, high = found["low"], found.groupdict().get("high")
            for at in filter(None, (low, high)):
                if not re.fullmatch(_CLOCK, at):
                    return f"{at} is no time: after a colon come two digits, 59 at most."
            if high and _seconds(high) <= _seconds(low):
                return f"{high} is not after {low}: name the earlier time first."
    return ""


def _counted(at_s: float | None, part: float | None, duration_s: float, other_s: float) -> float:
    if part is not None:
        return part * duration_s
    if at_s is None:
        return other_s
    return max(0.0, duration_s + at_s) if at_s < 0 else at_s


def _stretch_of(found: dict[str, str | None]) -> SaidStretch | None:
    given = {name: text for name, text in found.items() if text}
    for name, read in _READERS.items():
        if name in given:
            return read(given)
    return None


def _between(given: dict[str, str]) -> SaidStretch | None:
    # "Between 10 and 20 seconds": the unit is said once.
    unit = given["high"].split()[-1] if given["low"].isdigit() else ""
    if given["low"].isdigit() and not re.fullmatch(_UNIT, unit, re.IGNORECASE):
        return None
    low_s, high_s = _seconds(f"{given['low']} {unit}".strip()), _seconds(given["high"])
    return SaidStretch(low_s, high_s) if low_s < high_s else None


def _edge(given: dict[str, str]) -> SaidStretch:
    length = given["length"]
    length_s = _seconds(length if length[0].isdigit() or " " in length else f"1 {length}")
    is_first = given["edge"].lower() == "first"
    return SaidStretch(0.0, length_s) if is_first else SaidStretch(-length_s, None)


def _part(given: dict[str, str]) -> SaidStretch | None:
    place = _PLACES[given["place"].lower()]
    if given["part"].lower() == "minute":
        return SaidStretch(60.0 * place, 60.0 * (place + 1)) if place >= 0 else SaidStretch(-60)
    count = _PARTS[given["part"].lower()]
    place = place % count if place < 0 else place
    if place >= count:
        return None
    return SaidStretch(start_part=place / count, end_part=(place + 1) / count)


def _minute(given: dict[str, str]) -> SaidStretch | None:
    minute = int(given["minute"])
    return SaidStretch(60.0 * (minute - 1), 60.0 * minute) if minute else None


def _around(at: str, reach_s: float) -> SaidStretch:
    at_s = _seconds(at)
    return SaidStretch(max(0.0, at_s - reach_s), at_s + reach_s, moment_s=at_s)


_READERS: dict[str, Callable[[dict[str, str]], SaidStretch | None]] = {
    "between": _between,
    "edge": _edge,
    "part": _part,
    "before_end": lambda _: SaidStretch(-EDGE_S, None),
    "after_start": lambda _: SaidStretch(0.0, EDGE_S),
    "after": lambda given: SaidStretch(_seconds(given["after_at"]), None),
    "before": lambda given: SaidStretch(0.0, _seconds(given["before_at"])),
    "minute": _minute,
    "about": lambda given: _around(given["about_at"], ABOUT_S),
    "at": lambda given: _around(given["at_at"], AT_S),
}


def _seconds(text: str) -> float:
    """Of "1:05", "90 seconds", "1 min 5 s", "minute 2"."""
    said = text.lower().removeprefix("the ").replace("-", " ")
    if ":" in said:
        at_s = 0.0
        for part in said.split(":"):
            at_s = 60 * at_s + float(part)
        return at_s
    if named := re.fullmatch(r"(minute|second) (\d+)", said):
        return float(named[2]) * (60 if named[1] == "minute" else 1)
    return sum(
        (_COUNTS[count] if count in _COUNTS else float(count)) * _UNITS[unit[0]]
        for count, unit in re.findall(rf"({_COUNT}) ?({_UNIT})\b", said)
    )
