"""How people word what the senses measure: turned into the few words that the grammar knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from tools.signals.counting import take_numbers
from tools.signals.vocabulary import ANYBODY, PERSON, PHRASES

if TYPE_CHECKING:
    from tools.signals.ask import Edge, Sum

Stage = Literal["", "start", "end"]

_PEOPLE = r"(?:single )?(?:persons?|people|humans?|visitors?|soul)"
_AT_LEAST = re.compile(r"\bat least (?:one|1|a)(?= \w)|\b(?:one or more)\b", re.IGNORECASE)
_ANYONE = rf"(?:any ?one|any ?body|some ?one|some ?body|any {_PEOPLE}|a {_PEOPLE})"
_NOBODY = re.compile(
    rf"\bno(?:[ -]one| {_PEOPLE})\b"
    rf"|\bwithout (?:{_ANYONE}|{_PEOPLE})\b"
    rf"|\b(?:not|(?:is|are|was|were)(?:n['’]?t)) (?:there )?{_ANYONE}\b",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^[\s¿¡]*(?:(?:hi|hey|hello|ok|okay|well|sorry|excuse me)(?: (?:there|all|everyone))?"
    r"\s*[,.!:-]+\s*)+",
    re.IGNORECASE,
)
_AUXILIARY = r"(?:do|does|did|is|are|was|were|has|have|had)\b"
_WHEN = r"(?:when|where|at which|in which|that)\b"
_ASKING = re.compile(
    r"^(?:(?:(?:i|we)(?:['’]d| would)? (?:want|need|like|wish) to (?:know|find|see)"
    r"|(?:i am|i['’]m|we are|we['’]re) looking for|(?:can|could|would) you|give me|let me know"
    r"|do you know|please|pls|plz|kindly|tell me|show me|find me|find|locate)\b[\s,:]*)+"
    r"(?:(?:all )?(?:the )?(?:exact )?(?:time(?:stamp|code)?|moment|second|point|position)s?"
    rf" (?={_WHEN}))?(?:{_WHEN}(?!\s+{_AUXILIARY})\s*)?",
    re.IGNORECASE,
)
_WHO = re.compile(r"^\s*(?:and )?(?:who(?: is| was| has)?|which person)\b", re.IGNORECASE)
_LASTING = re.compile(r"\bfor a (?:short |little )?(?:while|bit)\b", re.IGNORECASE)
_TIMECODE = re.compile(r"\btime code(?=s?\b)", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"\bhow (?:many|long|often)\b|\b(?:the )?(?:number|count|duration|length) of\b"
    r"|^\s*count(?: all)?(?: the)?\b",
    re.IGNORECASE,
)
_VIDEO = r"(?:the |this )?(?:video|clip|film|movie|recording|footage)"
_VIDEO_LENGTH = re.compile(
    rf"(?:how long (?:is|does|was) {_VIDEO}(?: last| run| take| long)?"
    rf"|(?:what is )?(?:the )?(?:length|duration) of {_VIDEO}|{_VIDEO} (?:length|duration))",
    re.IGNORECASE,
)
_EDGE_OF = re.compile(
    r"^\W*(?:when is |what is |at )?(?:the )?(?:very )?(?:start|beginning|(?P<end>end)) of "
    r"(?!the video\b)",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"(?<!\bthe )(?<!\bvery )(?<!\bword )\b(?:stops?|stopped|ends?|ended|ceases?|finish(?:es)?)"
    r"(?: (?:being|to be))?\b(?! with)"
    r"|\bis over\b|\bno longer\b",
    re.IGNORECASE,
)
_SHOT_STARTS = re.compile(
    r"(?<=shot|cene)(?P<number> \d+)? (?:starts?|begins?|started|began)\W*$", re.IGNORECASE
)
_IN_SHOT = re.compile(
    r"\b(?:in|during|within|of|inside) "
    r"(?P<which>(?:the )?[\w -]*?(?:shots?|scenes?)(?: \d{1,3})?)\b"
    r"(?! change)",
    re.IGNORECASE,
)
GONE_AWAY = "departed"
"""Stands for "left" where it does not say on which side."""

_LEFT_AWAY = re.compile(
    rf"\b(?P<who>has|have|had|just|already|who|something|{'|'.join(sorted(ANYBODY | PERSON))}) "
    r"left\b(?! (?:side|corner|half|edge|hand))"
    r"|(?<!\bthe )(?<!\bon )(?<!\bat )(?<!\bto )(?<!\bfrom )\bleft (?=the\b)",
    re.IGNORECASE,
)
_TERM = re.compile(
    r"\b(?:(?:slow|stop|fast)[ -]?(?:motion|mo)|time[ -]?lapse|split[ -]?screen|motion blur)\b"
    rf"|\b(?:(?:exactly|only|just|precisely|(?:no|not) more than) (?:one|1|a single)|single)"
    rf"(?= (?:{'|'.join(sorted(PERSON))}|thing|object)\b)",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"\b(?:(?P<start>start|begin|open)|end|finish|close)(?:s|es|ing)? with\b", re.IGNORECASE
)
_STAGE = re.compile(
    r"\b(?:in|during|of|at|from)\s+the\s+(?:very\s+)?"
    r"(?:intro|introduction|outro|opening|credits|(?P<edge>beginning|start|end))\b(?:\s+of\s+the\s+video)?",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Without courtesies, and with one word for "no one", and for "left" where it says "gone"."""
    text = _LASTING.sub(" ", _TIMECODE.sub("timecode", without_courtesy(text)))
    text = _AT_LEAST.sub("some", text)
    text = _NOBODY.sub(" nobody ", _HOW_MANY.sub(" ", text))
    text = _WHO.sub("somebody ", text)
    return _LEFT_AWAY.sub(lambda found: f"{found['who'] or ''} {GONE_AWAY} ", text)


def without_courtesy(text: str) -> str:
    """Without "hello, could you please find the moment when"; a question stays one."""
    return _ASKING.sub("", _GREETING.sub("", text, count=1), count=1)


def sum_asked(text: str) -> Sum:
    """Whether it asks how many there are, or how long it lasts."""
    found = _HOW_MANY.search(text)
    if not found:
        return ""
    return "length" if found[0].casefold().endswith(("long", "length of")) else "count"


def asks_length(text: str) -> bool:
    """Whether the length of the video itself is asked for."""
    return _VIDEO_LENGTH.fullmatch(text.strip(" ?.!")) is not None


def without_edge(text: str) -> tuple[str, Edge]:
    """Without "the end of", "when does … end"; and whether the start or the end is asked for."""
    if found := _EDGE_OF.search(text):
        return _EDGE_OF.sub("", text, count=1), "end" if found["end"] else "start"
    found = _SHOT_STARTS.search(text)
    if found and take_numbers(text)[1]:
        return f"{text[: found.start()]}{found['number'] or ''}", "start"
    found = _ENDS.search(text)
    if found and (text.isupper() or not found[0].isupper()):
        return f"{text[: found.start()]} {text[found.end() :]}", "end"
    return text, ""


def without_shots(text: str) -> tuple[str, tuple[int, ...]]:
    """Without "in the third shot", and the numbers of these shots."""
    for found in _IN_SHOT.finditer(text):
        rest, numbers = take_numbers(found["which"])
        if numbers and rest.strip().casefold() in {"shot", "shots", "scene", "scenes"}:
            return f"{text[: found.start()]} {text[found.end() :]}", numbers
    return text, ()


def film_term(text: str) -> str:
    """A term whose words mean something else apart: "slow motion" is no slow movement."""
    found = _TERM.search(text)
    return found[0].casefold() if found else ""


def without_stage(text: str) -> tuple[str, list[str], Stage]:
    """Without "in the intro", which no sense knows the end of; what was left out is noted.

    The start and the end of the video are known, and told apart.
    """
    if with_it := _WITH.search(text):
        return _WITH.sub(" ", text), [], "start" if with_it["start"] else "end"
    found = _STAGE.search(text)
    if not found:
        return text, [], ""
    rest = _STAGE.sub(" ", text)
    if found["edge"]:
        return rest, [], "end" if found["edge"].lower() == "end" else "start"
    return rest, [f"Left out: “{found[0].strip()}”."], ""


def nearer(words: list[str]) -> tuple[list[str], list[str]]:
    """With what is measured in the place of words that come near it, and notes that say so."""
    text, notes = " ".join("somebody" if word in PERSON else word for word in words), []
    for form, measured in PHRASES:
        if found := form.search(text):
            phrase = found[0].capitalize()
            notes.append(f"“{phrase}” was taken for “{measured}”, which is what can be measured.")
            text = form.sub(measured, text)
    return text.split(), notes
