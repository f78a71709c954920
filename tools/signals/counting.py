"""Which of several a question asks for: "the second", "the last but one", "cut 3"."""

from __future__ import annotations

import re

_ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(), start=1
    )
}
_CARDINALS = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}
_ORDINAL = rf"(?:{'|'.join(_ORDINALS)}|\d{{1,3}}(?:st|nd|rd|th))"
_COUNT = rf"(?:{'|'.join(list(_CARDINALS)[1:])}|[2-9]|\d\d)"
_SHOT = r"(?:cuts?|shots?|scenes?|scene changes?)"
_NOT_AFTER = r"(?<!lower )(?<!upper )(?<!every )(?<!a )(?<!\d )"
_NOT_BEFORE = r"(?!(?: half| quarter| third| minute| second)\b)"

_FORMS = [
    re.compile(rf"{_NOT_AFTER}\b(?:{form}){_NOT_BEFORE}(?!\w)", re.IGNORECASE)
    for form in (
        rf"(?:the )?(?P<back>{_ORDINAL}|next)[ -](?:to[ -](?:the[ -])?)?last",
        r"(?:the )?(?P<but>last but one|penultimate)",
        rf"(?:the )?(?P<edge>first|last|final) (?P<count>{_COUNT})",
        (
            rf"(?:the )?(?P<one>{_ORDINAL}|last|final)(?: {_SHOT})? (?:and|or) (?:the )?"
            rf"(?P<other>{_ORDINAL}|last|final)"
        ),
        rf"(?P<numbered>{_SHOT}) (?:number |nr\.? |no\.? |# ?)?(?P<number>\d{{1,3}})",
        rf"(?:for )?(?:the )?(?P<opening>opening|closing)(?= {_SHOT})",
        rf"(?:for )?(?:the )?(?P<single>{_ORDINAL}|last|final)(?: ones?)?(?: time)?",
    )
]
_BEFORE_LAST = re.compile(
    rf"(?:the )?(?P<what>{_SHOT}) before the last(?: one)?(?! \w)", re.IGNORECASE
)


def take_numbers(text: str) -> tuple[str, tuple[int, ...]]:
    """The question without the words for which of several it wants, and their numbers.

    Returns:
        Numbers from 1, or from -1 for the last; none where all are wanted.
    """
    if found := _BEFORE_LAST.search(text):
        return f"{text[: found.start()]} {found['what']} {text[found.end() :]}", (-2,)
    for form in _FORMS:
        if found := form.search(text):
            rest = text[: found.start()], text[found.end() :]
            kept = found.groupdict().get("numbered") or ""
            numbers = _numbers_of({name: said for name, said in found.groupdict().items() if said})
            return f"{rest[0]} {kept} {rest[1]}", numbers
    return text, ()


def _numbers_of(found: dict[str, str]) -> tuple[int, ...]:
    if "count" in found:
        count = _CARDINALS.get(found["count"].lower()) or int(found["count"])
        numbers = tuple(range(1, count + 1))
        return numbers if found["edge"].lower() == "first" else tuple(-one for one in numbers)[::-1]
    if "one" in found:
        return _number(found["one"]), _number(found["other"])
    if back := found.get("back") or found.get("but"):
        is_next = "but" in found or back.lower() == "next"
        return (-2 if is_next else -_number(back),)
    if "number" in found:
        return (int(found["number"]),)
    if "opening" in found:
        return (1 if found["opening"].lower() == "opening" else -1,)
    return (_number(found["single"]),)


def _number(word: str) -> int:
    said = word.lower()
    if said in {"last", "final"}:
        return -1
    return _ORDINALS.get(said) or int(re.sub(r"\D", "", said))


def nth_of(count: int, number: int) -> int | None:
    """The place, from 0, of that number among so many; None where there are fewer."""
    place = number - 1 if number > 0 else count + number
    return place if 0 <= place < count else None


def ordinal(number: int) -> str:
    """In words: "third", "last", "second to last", "12th"."""
    names = {place: word for word, place in _ORDINALS.items()}
    if number == -1:
        return "last"
    if number < 0:
        return f"{ordinal(-number)} to last"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 // 10 != 1 else 0, "th")
    return names.get(number, f"{number}{ending}")
