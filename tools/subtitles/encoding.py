"""Bytes to text, with an honest account of how the encoding was found."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from tools.subtitles.fitting import decode_as, fit_in_language, odd_places, score_of
from tools.subtitles.languages import is_language
from tools.subtitles.letters import (
    COMMONEST,
    LANGUAGES,
    LETTERS,
    PUNCTUATION,
    encodings_of,
    known_letters,
)

BYTE_ORDER_MARKS = (
    # UTF-32 first: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Escape sequences of ISO 2022, which looks like ASCII to a reader that does not know them.
_ESCAPES = (
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"\x1b\$[@B]|\x1b\([IJ]"), "iso2022_jp_ext"),
)

DAMAGED_SHARE = 0.1
"""Text with at most this share of its characters beyond ASCII broken is still Unicode: hardly any
other encoding could look like it."""

_UNICODE_LINES, _UNICODE_SIGNS = 0.3, 2
"""A file with at least this share of its lines, and this many signs in them, in UTF-8 has others in
another encoding between; see ``_mixed``."""

_EQUAL = 0.04
"""Scores no further apart than this are left to a second detector."""

_SAMPLE_BYTES = 1 << 18

_NO_TEXT, _NO_LONG_TEXT, _LONG = 0.45, 0.76, 20
"""Below this score it is not text that anybody wrote; with so many bytes beyond ASCII, no less than
the second is believed."""

_OF_LANGUAGE = 0.7
"""This share of the signs has to fit the language that the name of the file says."""

_MOSTLY_ASCII = 0.05
"""If no larger share of it is beyond ASCII."""

_SAMPLE_LINES = 3000


# In cp1255 and ISO 8859-8: words, with Latin letters that touch them; letters, of which those that
# have a form for the end of a word stand there in it; and the points between.
_ALEF, _HEBREW_LETTERS = 0xE0, 4
_HEBREW_WORDS = 0.9
_ODD_BYTE, _HEBREW_SAMPLE = b"\xff", 24
_HIGH_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\xc0-\xff][A-Za-z\x80-\xff]*")
_HEBREW_WORD = re.compile(
    rb"(?:[\xe0-\xe9\xeb\xec\xee\xf0-\xf2\xf4\xf6-\xfa][\xc0-\xd3]*)*"
    rb"[\xe0-\xea\xec\xed\xef\xf1-\xf3\xf5\xf7-\xfa][\xc0-\xd3]*"
)


class Decoded(NamedTuple):
    """Text, and how it was found."""

    text: str
    encoding: str
    is_guessed: bool


class NotTextError(Exception):
    """The bytes are no text in any encoding that is tried."""


def decode_text(content: bytes, *, language: str | None = None) -> Decoded:
    """Decode: by a mark, else as UTF-8 or UTF-16, else in the likeliest of a few encodings.

    A few broken bytes spoil nothing but their own characters, which become U+FFFD.

    Args:
        content: The bytes.
        language: What the file's name says that it is in, for example ``pt-BR``: of the encodings
            of that language the likeliest is taken, if it fits.

    Raises:
        NotTextError: If none of them fits.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            text = content.decode(encoding, "replace")
            if not _is_sound(text):
                raise NotTextError
            return Decoded(text, encoding, is_guessed=False)
    if b"\0" in content:
        return Decoded(*_without_mark(content), is_guessed=False)
    for escape, encoding in _ESCAPES:
        if escape.search(content):
            return Decoded(_escaped(content, encoding), encoding, is_guessed=False)
    try:
        return Decoded(content.decode("utf-8"), "utf-8", is_guessed=False)
    except UnicodeDecodeError:
        return _guessed(content, language)


def _escaped(content: bytes, encoding: str) -> str:
    """Text in ISO 2022, line by line: each begins in ASCII, whatever is broken in the one before.

    Its bytes have seven bits; one with eight is left out, so that those around it stay pairs.
    """
    lines = re.sub(rb"[\x80-\xff]", b"", content).split(b"\n")
    return "\n".join(line.decode(encoding, "replace") for line in lines)


def _is_sound(text: str) -> bool:
    """Whether little of what is beyond ASCII is broken; where nothing is, little of it all."""
    broken = text.count("\ufffd")
    beyond_ascii = sum(sign > "\x7f" for sign in text)
    # The end may be cut off in the middle of a character.
    is_cut = broken == 1 and text.endswith("\ufffd") and len(text) > 1
    return is_cut or broken <= DAMAGED_SHARE * max(beyond_ascii, len(text) if not broken else 0)


def _without_mark(content: bytes) -> tuple[str, str]:
    """Unicode that lost its mark: every line break has its zero bytes on the same side."""
    for encoding, line_break in (
        ("utf-32-le", b"\n\0\0\0"),
        ("utf-32-be", b"\0\0\0\n"),
        ("utf-16-le", b"\n\0"),
        ("utf-16-be", b"\0\n"),
    ):
        # Not found is -1, which is no multiple.
        if content.find(line_break) % len(line_break) == 0:
            text = content.decode(encoding, "replace")
            if "\0" not in text and _is_sound(text):
                return text, encoding
    raise NotTextError


def _guessed(content: bytes, language: str | None) -> Decoded:
    lines = [line for line in content.split(b"\n") if not line.isascii()]
    damaged = content.decode("utf-8", "replace")
    is_unicode = _is_sound(damaged)
    if is_unicode or _is_unicode_in_part(lines):
        # Only the last line can be cut off; the others end.
        ended = [line + b"\n" for line in lines]
        ended[-1] = lines[-1] + content[len(content.rstrip(b"\n")) :]
        odd = [line for line in ended if not _is_sound(line.decode("utf-8", "replace"))]
        if odd and b"\xff" not in b"".join(odd) and (mixed := _mixed(content, odd, language)):
            return mixed
    if is_unicode:
        return Decoded(damaged, "utf-8", is_guessed=True)
    # ASCII is the same in all of them.
    lines = lines[:_SAMPLE_LINES]
    sample = b"\n".join(lines)[:_SAMPLE_BYTES]
    if language and (named := _of_language(sample, language)):
        return Decoded(decode_as(content, named), named, is_guessed=True)
    if _is_hebrew(sample):
        return Decoded(content.decode("cp1255", "replace"), "cp1255", is_guessed=True)
    scores = {encoding: score_of(sample, encoding) for encoding in LANGUAGES}
    top = max(scores.values())
    broken = sum(byte > 0x7F for byte in sample)
    if top < (_NO_LONG_TEXT if broken >= _LONG else _NO_TEXT):
        if broken > _MOSTLY_ASCII * len(content):
            raise NotTextError
        # A few bad bytes in plain English.
        return Decoded(content.decode(COMMONEST, "replace"), COMMONEST, is_guessed=True)
    fitting = [one for one in scores if scores[one] >= top - _EQUAL]
    best = _likeliest(content, _with_fewest_slips(sample, fitting))
    return Decoded(decode_as(content, best), best, is_guessed=True)


def _of_language(sample: bytes, told: str) -> str | None:
    """The encoding in which the bytes are best in a language; None where they are in none of it."""
    language = next((one for one in LETTERS if is_language(told, one)), None)
    if language is None:
        return None
    fits = {one: fit_in_language(sample, one, language) for one in encodings_of(language)}
    best = max(fits, key=lambda one: fits[one])  # The commonest of several.
    return best if fits[best] >= _OF_LANGUAGE else None


def _is_unicode_in_part(lines: list[bytes]) -> bool:
    """Whether a good share of the lines beyond ASCII is UTF-8, as hardly any other encoding is."""
    good = [line for line in lines if _is_utf_8(line)]
    signs = sum(sign > "\x7f" for line in good for sign in line.decode("utf-8"))
    return len(good) >= _UNICODE_LINES * len(lines) and signs >= _UNICODE_SIGNS


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _mixed(content: bytes, odd: list[bytes], language: str | None) -> Decoded | None:
    """UTF-8 with lines in another encoding between, as when files are joined; None where not."""
    try:
        others = _guessed(b"".join(odd), language)
    except NotTextError:
        return None
    if others.encoding == "utf-8":
        return None
    kept = {line.rstrip(b"\n") for line in odd}
    lines = (
        decode_as(line, others.encoding) if line in kept else line.decode("utf-8", "replace")
        for line in content.split(b"\n")
    )
    return Decoded("\n".join(lines), f"utf-8 and {others.encoding}", is_guessed=True)


def _is_hebrew(sample: bytes) -> bool:
    """Whether nearly all words are of Hebrew letters alone, and end as Hebrew words do.

    Letters are too few in short texts to tell it from Russian by how common they are. But five of
    its letters have another form at the end of a word, and nowhere else.
    """
    words = _HIGH_WORD.findall(sample)
    if sample.count(_ODD_BYTE) == 1 and len(sample) > _HEBREW_SAMPLE:
        # No letter in it; once in a longer text, it is a byte that went wrong.
        words = _HIGH_WORD.findall(sample.replace(_ODD_BYTE, b""))
    letters = [bytes(byte for byte in word if byte >= _ALEF) for word in words]
    hebrew = sum(bool(_HEBREW_WORD.fullmatch(word)) for word in words)
    return sum(map(len, letters)) >= _HEBREW_LETTERS and hebrew >= _HEBREW_WORDS * len(words)


def _with_fewest_slips(sample: bytes, encodings: list[str]) -> list[str]:
    """Without those of which more signs are out of place than of others, if letters can tell."""
    slips: dict[str, int] = {}
    for encoding in encodings:
        if languages := known_letters(encoding):
            text = decode_as(sample, encoding)
            signs = [one for one in text if one > "\x7f" and one not in PUNCTUATION]
            foreign = min(
                sum(one not in letters.frequent | letters.rarer for one in signs)
                for letters in languages
            )
            slips[encoding] = foreign + odd_places(text)
    fewest = min(slips.values(), default=0)
    return [one for one in encodings if slips.get(one, fewest) == fewest]


def _likeliest(content: bytes, encodings: list[str]) -> str:
    """Of several that fit: how letters follow each other decides, and then which is commoner."""
    # Where they say the same, the commoner one stands for both.
    same = {decode_as(content, one): one for one in reversed(encodings)}
    encodings = [one for one in encodings if one in same.values()]
    if len(encodings) == 1:
        return encodings[0]
    from charset_normalizer import from_bytes

    matches = list(from_bytes(content[:_SAMPLE_BYTES], cp_isolation=encodings))
    fits = {one.encoding: (one.chaos, -one.coherence) for one in matches}
    known = [one for one in encodings if one in fits]
    return min(known, key=lambda one: fits[one]) if known else encodings[0]
