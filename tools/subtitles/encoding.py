"""Bytes to text, with an honest account of how the encoding was found."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

BYTE_ORDER_MARKS = (
    # UTF-32 first: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

COMMONEST = "cp1252"

CANDIDATES = (
    COMMONEST,
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
    "cp1250",
    "iso8859_2",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
)
"""Encodings that subtitle files come in.

Among all that Python knows there is always a rarer one that fits a short text just as well.
"""

DAMAGED_SHARE = 0.1
"""UTF-8 of which no more of what is beyond ASCII is broken is still UTF-8: hardly any other
encoding could look like it."""


class Decoded(NamedTuple):
    """Text, and how it was found."""

    text: str
    encoding: str
    is_guessed: bool


class NotTextError(Exception):
    """The bytes are no text in any encoding that is tried."""


def decode_text(content: bytes) -> Decoded:
    """Decode: by byte order mark, else as UTF-8 or UTF-16, else in the likeliest of a few.

    Raises:
        NotTextError: If none of them fits.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            try:
                return Decoded(content.decode(encoding), encoding, is_guessed=False)
            except UnicodeDecodeError as exc:
                raise NotTextError from exc
    if b"\0" in content:
        return Decoded(*_without_mark(content), is_guessed=False)
    try:
        return Decoded(content.decode("utf-8"), "utf-8", is_guessed=False)
    except UnicodeDecodeError:
        return _guessed(content)


def _without_mark(content: bytes) -> tuple[str, str]:
    """UTF-16 that lost its mark: every line break has its zero byte on the same side."""
    for encoding, line_break in (("utf-16-le", b"\n\0"), ("utf-16-be", b"\0\n")):
        # Not found is -1, which is odd.
        if content.find(line_break) % 2 == 0:
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\0" not in text:
                return text, encoding
    raise NotTextError


def _guessed(content: bytes) -> Decoded:
    from charset_normalizer import from_bytes

    damaged = content.decode("utf-8", "replace")
    beyond_ascii = sum(sign > "\x7f" for sign in damaged)
    if damaged.count("\ufffd") <= DAMAGED_SHARE * beyond_ascii:
        return Decoded(damaged, "utf-8", is_guessed=True)
    matches = list(from_bytes(content, cp_isolation=list(CANDIDATES)))
    if not matches:
        raise NotTextError
    best = matches[0]
    for match in matches:
        # Western text often fits the Central European code just as well, and is far commoner.
        if match.encoding == COMMONEST and _fit(match) == _fit(best):
            best = match
    return Decoded(content.decode(best.encoding), best.encoding, is_guessed=True)


def _fit(match: CharsetMatch) -> tuple[float, float]:
    return match.chaos, match.coherence
