"""The body of an error as a service sent it: its own words, and the codes beside them. Pure."""

from __future__ import annotations

import email.utils
import html
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.llm.event_stream import error_in_stream, is_stream

LONGEST_WORDS: Final = 20_000
"""Characters of a server's words that are read."""
LONGEST_ERROR: Final = 1 << 20
"""Bytes of an error that are taken for JSON; of a longer one the beginning is read as it stands."""
LONGEST_PAGE: Final = 100_000
"""Bytes of a page that are read."""
LONGEST_MARK: Final = 2000
"""Characters of each code beside them."""

_WORDS_STAND_IN: Final = (
    *("message", "msg", "detail", "error_msg", "status_msg", "errors", "reason", "error"),
    "base_resp",
)
_CODES_STAND_IN: Final = ("code", "type", "status", "param", "failed_generation", "status_code")
_HOLDS_CODES: Final = ("innererror", "base_resp", "metadata")

_UNITS_S: Final[Mapping[str, float]] = {"ms": 0.001, "mi": 60, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d)"
    r"(?![a-z])",
    re.IGNORECASE,
)
_ASKS_TO_WAIT: Final = re.compile(
    r"(?:try again|retry|wait)\b[^.\n]{0,40}?\b(?:in|after|for)\s+"
    r"(?P<wait>(?:\d{1,9}(?:\.\d{1,9})?\s{0,3}[a-z]{1,12}\s{0,3}){1,4})",
    re.IGNORECASE,
)
_RETRY_DELAY: Final = re.compile(r"retryDelay\W{1,6}(\d{1,9}(?:\.\d{1,9})?)s")
# Each in linear time: what is not closed goes on to the next tag, or to the end.
_TITLE: Final = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG: Final = re.compile(
    r"<(?:style|script)\b.*?(?:</(?:style|script)[^<>]*>?|\Z)|<[^<>]*>?", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error says.

    Attributes:
        said: The server's own words; empty where it has none.
        marks: These, and the codes beside them.
        status: The one that stands in the body, as of HTTP; None where there is none.
        is_error: Whether it says of itself that it is an error.
        is_page: Whether it is a page for people, as proxies and guards before a service send.
    """

    said: str
    marks: str
    status: int | None
    is_error: bool
    is_page: bool = False


def read_error(content_type: str, body: bytes) -> ErrorBody:
    """Read an error, whatever its form: JSON, a stream, a page, or words as they stand."""
    if is_stream(content_type, body):
        told = error_in_stream(body[:LONGEST_ERROR])
        said = "" if told is None else _first_words(told)
    else:
        told = _json(body)
        said = words_of(body)
    said = said[:LONGEST_WORDS]
    # Codes stand beside the words, under any of these names.
    marks = " ".join(filter(None, (said, *(mark[:LONGEST_MARK] for mark in _marks(told)))))
    is_error = isinstance(told, Mapping) and bool(told.get("error"))
    is_page = told is None and _is_page(body[:LONGEST_PAGE].decode("utf-8", "replace"))
    return ErrorBody(said, marks, _status_in(told), is_error, is_page)


def _is_page(text: str) -> bool:
    return re.search(r"<(?:html|!doctype|head|body|title)", text, re.IGNORECASE) is not None


def words_of(body: bytes) -> str:
    """A server's own words in the body of an error: of JSON, of a page, or as they stand."""
    told = _json(body)
    if told is not None:
        return _first_words(told)
    text = body[:LONGEST_PAGE].decode("utf-8", "replace")
    if _is_page(text):
        title = _TITLE.search(text)
        text = title[1] if title and title[1].strip() else _TAG.sub(" ", text)
        return html.unescape(" ".join(text.split()))
    return text


def wait_asked_for_s(headers: Mapping[str, str], marks: str) -> float | None:
    """Seconds that a reply asks to wait (RFC 9110, 10.2.3), or its words do; None where neither."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if seconds >= 0:
            return seconds
    if (until_s := _date_s(headers.get("retry-after", ""))) is not None:
        # By the server's own clock, where it tells that: this one may be years behind.
        now_s = _date_s(headers.get("date", ""))
        return max(0.0, until_s - (time.time() if now_s is None else now_s))
    if delay := _RETRY_DELAY.search(marks):
        return float(delay[1])
    if asked := _ASKS_TO_WAIT.search(marks):
        parts = _DURATION.findall(asked["wait"])
        if parts:
            return sum(float(number) * _unit_s(unit.lower()) for number, unit in parts)
    return None


def _date_s(said: str) -> float | None:
    """A date as HTTP has it, in seconds since 1970; None where it is none, or no such day."""
    date = email.utils.parsedate_tz(said)
    try:
        return None if date is None else float(email.utils.mktime_tz(date))
    except (ValueError, OverflowError):
        return None


def _unit_s(unit: str) -> float:
    if unit.startswith("milli"):
        return 0.001
    return _UNITS_S.get(unit) or _UNITS_S.get(unit[:2]) or _UNITS_S.get(unit[:1], 1.0)


def _json(body: bytes) -> Any:
    if len(body) > LONGEST_ERROR:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _error_of(told: Any) -> Any:
    """The error in a body: Google sends a list of one, others the error itself."""
    if isinstance(told, list) and told:
        told = told[0]
    if isinstance(told, Mapping) and told.get("error"):
        return told["error"]
    return told


def _first_words(told: Any) -> str:
    return next((words for words in _words(_error_of(told)) if words.strip()), "")


def _words(error: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(error, str):
        yield error
    elif depth > 4:
        return
    elif isinstance(error, list):
        yield "; ".join(words for one in error[:5] for words in list(_words(one, depth + 1))[:1])
    elif isinstance(error, Mapping):
        metadata = error.get("metadata")
        raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
        own = next(
            (
                words
                for name in _WORDS_STAND_IN
                for words in _words(error.get(name), depth + 1)
                if words.strip()
            ),
            "",
        )
        place = error.get("loc")
        if own and isinstance(place, list):
            # What FastAPI refuses is named by its place only.
            own = f"{'.'.join(map(str, place))}: {own}"
        # A router's own words are "Provider returned error".
        yield f"{own}: {raw}" if isinstance(raw, str) and raw.strip() else own


def _marks(told: Any) -> Iterator[str]:
    error = _error_of(told)
    for holder in (error, told):
        if isinstance(holder, Mapping):
            inner = [one for name in _HOLDS_CODES if isinstance(one := holder.get(name), Mapping)]
            for codes in (holder, *inner):
                for name in _CODES_STAND_IN:
                    if isinstance(value := codes.get(name), str):
                        yield name if name == "failed_generation" else value
                yield from _filters(codes)
            if holder.get("details"):
                yield json.dumps(holder["details"])


def _filters(holder: Mapping[str, Any]) -> Iterator[str]:
    """What says without a word that a filter declined."""
    if holder.get("flagged_input") or holder.get("contentFilter") or holder.get("input_sensitive"):
        yield "content_filter"
    results = holder.get("prompt_filter_results") or holder.get("content_filter_results")
    if results and re.search(r'"filtered": true', json.dumps(results)[:LONGEST_MARK]):
        yield "content_filter"
    feedback = holder.get("promptFeedback") or holder.get("prompt_feedback")
    if isinstance(feedback, Mapping) and feedback:
        # Google's: whatever the reason, the prompt is what it would not take.
        blocked = "blockReason" in feedback or "block_reason" in feedback
        reasons = (str(one)[:LONGEST_MARK] for one in feedback.values())
        yield " ".join((*(["content_filter"] if blocked else []), *reasons))


def _status_in(told: Any) -> int | None:
    """A status of HTTP that a body has, as a number or as its digits."""
    error = _error_of(told)
    for holder in (error, told):
        for name in (
            ("code", "status", "status_code", "http_code") if isinstance(holder, Mapping) else ()
        ):
            value = holder.get(name)
            if isinstance(value, str) and re.fullmatch(r"[45]\d\d", value):
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
                return value
    return None
