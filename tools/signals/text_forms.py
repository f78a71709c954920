"""Text that is known by its form: a number, a price, a date, an address; and prices by currency."""

from __future__ import annotations

import re
from collections.abc import Sequence

CURRENCIES = "$€£¥₹₽₩₺₿"

_NUMBER = r"\d(?:[\d.,]*\d)?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ENDINGS = "com|org|net|edu|gov|io|dev|app|info|eu|de|at|ch|fr|es|it|uk|nl|pl|jp|cn|in|us|ca|au|br"
_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_SITE = (
    rf"(?:https?:/{{1,2}}\S+|www\.\S+|(?<![@\w.-])[\w-]+(?:\.[\w-]+)*\.(?:{_ENDINGS})\b(?:/\S*)?)"
)
_PRICE = rf"[{CURRENCIES}] ?{_NUMBER}|{_NUMBER} ?[{CURRENCIES}]"

FORMS: dict[str, re.Pattern[str]] = {
    name: re.compile(form, re.IGNORECASE)
    for name, form in {
        "a number": r"\d",
        "a price": rf"{_PRICE}|{_NUMBER} ?(?:usd|eur|gbp)\b|\b(?:usd|eur|gbp) ?{_NUMBER}",
        "a percentage": rf"{_NUMBER} ?%",
        "a date": rf"\b(?:\d{{1,2}}([./-])\d{{1,2}}\1(?:\d{{4}}|\d{{2}})|\d{{4}}-\d{{2}}-\d{{2}}"
        rf"|\d{{1,2}}(?:st|nd|rd|th|\.)? {_MONTH}|{_MONTH} \d{{1,2}})\b",
        "a timecode": r"\b\d{1,2}:\d{2}:\d{2}\b",
        "a web address": _SITE,
        "an e-mail address": _MAIL,
    }.items()
}
"""By name, what text of each form looks like; a number is one in digits."""

_NAMES: dict[str, str] = {
    word: name
    for name, words in {
        "a number": "number|numbers|digit|digits|figures",
        "a price": "price|prices|amount of money",
        "a percentage": "percentage|percentages|per cent|percent",
        "a date": "date|dates|calendar date",
        "a timecode": "timecode|timecodes",
        "a web address": "url|urls|website|websites|web address|web site|internet address|web page"
        "|website address|website url",
        "an e-mail address": "email|emails|e mail|e mails|email address|e mail address"
        "|mail address|email addresses|e mail addresses",
    }.items()
    for word in words.split("|")
}

_ITSELF = re.compile(rf"{_MAIL}|{_SITE}|{_PRICE}", re.IGNORECASE)
_MONEY = re.compile(rf"({_NUMBER}) ?(dollars?|usd|euros?|eur|pounds|gbp)\b", re.IGNORECASE)
_PERCENT = re.compile(rf"({_NUMBER}) per ?cent\b", re.IGNORECASE)
_SIGNS = {"d": "$", "u": "$", "e": "€", "p": "£", "g": "£"}
_LEADING = re.compile(r"\bhttps?:/{1,2}(?:www\.)?|\bwww\.(?=\w)", re.IGNORECASE)
_PRICED = re.compile(rf"([{CURRENCIES}]?) ?({_NUMBER}) ?([{CURRENCIES}]?)")


def form_named(words: Sequence[str]) -> str:
    """The form that words ask for, such as "a price"; empty where they ask for none."""
    return _NAMES.get(" ".join(words), "")


def is_price(text: str) -> bool:
    """Whether a text by itself is a price, and no address."""
    return text[0] in CURRENCIES or text[-1] in CURRENCIES


def has_address(address: str, shown: str) -> bool:
    """Whether an address is shown, whatever leads to it; readers may put spaces into it."""
    goal = r"\s?".join(map(re.escape, address.casefold()))
    return re.search(rf"(?<![\w@-]){goal}(?!\w)", shown.casefold()) is not None


def text_by_itself(question: str) -> tuple[str, str]:
    """A price or an address, which is text by its form, and the question without it."""
    found = _ITSELF.search(question)
    if not found:
        return "", question
    return _LEADING.sub("", found[0]).rstrip(
        "/.,;:!?)"
    ), f"{question[: found.start()]} {question[found.end() :]}"


def with_signs(text: str) -> str:
    """With "$20" for "20 dollars", and "75%" for "75 percent"."""
    text = _PERCENT.sub(r"\1%", text)
    return _MONEY.sub(lambda found: f"{_SIGNS[found[2][0].lower()]}{found[1]}", text)


def is_other_currency(question: str, shown: str) -> bool:
    """Whether each number that the question prices is shown in another currency: €20 is not $20.

    A number without a sign is not in another one: readers lose signs.
    """
    wanted = {(_digits(number), before or after) for before, number, after in _priced(question)}
    there = [(_digits(number), before or after) for before, number, after in _priced(shown)]
    return any(
        (signs := {sign for digits, sign in there if digits == number}) and not {sign, ""} & signs
        for number, sign in wanted
        if sign
    )


def _priced(text: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = _PRICED.findall(with_signs(text))
    return found


def _digits(number: str) -> str:
    return re.sub(r"[.,]00$", "", number).replace(",", "").replace(".", "")
