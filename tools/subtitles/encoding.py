"""Bytes to text, with an honest account of how the encoding was found."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from tools.subtitles.letters import (
    ALPHABETS,
    COMMONEST,
    LANGUAGES,
    PUNCTUATION,
    RARE,
    TONES,
    frequent_signs,
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

_MOSTLY_ASCII = 0.05
"""If no larger share of it is beyond ASCII."""

_SAMPLE_LINES = 3000

# A frequent sign counts as one, another one of the script as this much.
_RARER = 0.7

# What an encoding of DOS or the Macintosh has to fit better than one of Windows, less where its
# letters are no Latin ones, and how many signs tell one from a bad byte.
_RARE, _RARE_ALPHABET, _RARE_SIGNS = 0.08, 0.03, 2

# In Vietnamese at least one sign beyond ASCII of so many is a tone.
_TONES = 8

# Kana of half the width are a byte each, and few write them.
_HALF_WIDTH = 0.5

# Bytes seldom make signs in pairs by chance, if there are more than a few of them.
_IN_PAIRS = 0.1
_PAIRS_TO_TELL = 4

# Letters of another alphabet than ours come several at a time.
_WORD = re.compile(r"[^\W\d_a-zA-Z]{2}")

_LARGE = "".join(chr(code) for code in range(0x100, 0x180) if chr(code).isupper())
_SMALL = "".join(chr(code) for code in range(0x100, 0x180) if chr(code).islower())

# A small letter before a large one; letters of two alphabets in one word.
_ODD_PAIR = re.compile(
    rf"[^\W\d_A-Z](?<=[a-zß-öø-ÿ{_SMALL}\u03ac-\u03ce\u0430-\u045f])"
    rf"[A-ZÀ-ÖØ-Þ{_LARGE}\u0388-\u03ab\u0400-\u042f]"
    # Letters that no language has by themselves, or twice.
    r"|(?<!\w)[ŠŽŤŚŹĎŇ](?!\w)|([àâãáèêëìíîòôùúñç])\1"
    r"|[A-Za-z][\u0370-\u06ff\u0e00-\u0eff]|[\u0370-\u06ff\u0e00-\u0eff][A-Za-z]"
    # Icelandic begins words with it; inside one it is ş of Turkish, read in the wrong encoding.
    r"|[^\W\d_]þ"
    # A vowel or tone of Thai that has nothing to stand above or below.
    r"|[^\u0e01-\u0e4e][\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]|[\u0e40-\u0e44][\u0e31-\u0e4e]"
    # A tone of Vietnamese on what is no vowel.
    r"|[^aeiouyâêôăơưAEIOUYÂÊÔĂƠƯ][\u0300\u0301\u0303\u0309\u0323]"
)

# Punctuation between the letters of a word, where it is a letter read in the wrong encoding.
_WITHIN_WORD = re.compile(
    r"(?<=[^\W\d_])(?:[‚“”„‹›•°§№€£©®™¡¿«»]|(?<![lL])·)(?=[^\W\d_])|(?<=[a-z])…(?=[a-z])"
)


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

# Encodings whose signs beyond ASCII are pairs of bytes beyond it, nearly all of them.
_PAIRED = frozenset({"gb18030", "euc_jp", "cp949"})


def _skip_to_pair(error: UnicodeError) -> tuple[str, int]:
    """Replace what is broken, and go on where the bytes left before the next ASCII are pairs."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    content, go_on = error.object, error.start + 1
    if go_on < len(content) and content[go_on] in {0x80, 0xFF}:
        go_on += 1
    end = go_on
    while end < len(content) and 0xA1 <= content[end] <= 0xFE:
        end += 1
    return "\ufffd", go_on + (end - go_on) % 2


codecs.register_error("skip-to-pair", _skip_to_pair)


class Decoded(NamedTuple):
    """Text, and how it was found."""

    text: str
    encoding: str
    is_guessed: bool


class NotTextError(Exception):
    """The bytes are no text in any encoding that is tried."""


def decode_text(content: bytes) -> Decoded:
    """Decode: by a mark, else as UTF-8 or UTF-16, else in the likeliest of a few encodings.

    A few broken bytes spoil nothing but their own characters, which become U+FFFD.

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
        return _guessed(content)


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


def _guessed(content: bytes) -> Decoded:
    lines = [line for line in content.split(b"\n") if not line.isascii()]
    damaged = content.decode("utf-8", "replace")
    is_unicode = _is_sound(damaged)
    if is_unicode or _is_unicode_in_part(lines):
        # Only the last line can be cut off; the others end.
        ended = [line + b"\n" for line in lines]
        ended[-1] = lines[-1] + content[len(content.rstrip(b"\n")) :]
        odd = [line for line in ended if not _is_sound(line.decode("utf-8", "replace"))]
        if odd and b"\xff" not in b"".join(odd) and (mixed := _mixed(content, odd)):
            return mixed
    if is_unicode:
        return Decoded(damaged, "utf-8", is_guessed=True)
    # ASCII is the same in all of them.
    lines = lines[:_SAMPLE_LINES]
    sample = b"\n".join(lines)[:_SAMPLE_BYTES]
    if _is_hebrew(sample):
        return Decoded(content.decode("cp1255", "replace"), "cp1255", is_guessed=True)
    scores = {encoding: _score(sample, encoding) for encoding in LANGUAGES}
    top = max(scores.values())
    broken = sum(byte > 0x7F for byte in sample)
    if top < (_NO_LONG_TEXT if broken >= _LONG else _NO_TEXT):
        if broken > _MOSTLY_ASCII * len(content):
            raise NotTextError
        # A few bad bytes in plain English.
        return Decoded(content.decode(COMMONEST, "replace"), COMMONEST, is_guessed=True)
    best = _likeliest(content, [one for one in scores if scores[one] >= top - _EQUAL])
    return Decoded(_decode_as(content, best), best, is_guessed=True)


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


def _mixed(content: bytes, odd: list[bytes]) -> Decoded | None:
    """UTF-8 with lines in another encoding between, as when files are joined; None where not."""
    try:
        others = _guessed(b"".join(odd))
    except NotTextError:
        return None
    if others.encoding == "utf-8":
        return None
    kept = {line.rstrip(b"\n") for line in odd}
    lines = (
        _decode_as(line, others.encoding) if line in kept else line.decode("utf-8", "replace")
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


def _decode_as(content: bytes, encoding: str) -> str:
    if encoding == "cp1258":
        # Its tones are signs of their own.
        return unicodedata.normalize("NFC", content.decode(encoding, "replace"))
    return content.decode(encoding, "skip-to-pair" if encoding in _PAIRED else "replace")


def _likeliest(content: bytes, encodings: list[str]) -> str:
    """Of several that fit: how letters follow each other decides, and then which is commoner."""
    # Where they say the same, the commoner one stands for both.
    same = {_decode_as(content, one): one for one in reversed(encodings)}
    encodings = [one for one in encodings if one in same.values()]
    if len(encodings) == 1:
        return encodings[0]
    from charset_normalizer import from_bytes

    matches = list(from_bytes(content[:_SAMPLE_BYTES], cp_isolation=encodings))
    fits = {one.encoding: (one.chaos, -one.coherence) for one in matches}
    known = [one for one in encodings if one in fits]
    return min(known, key=lambda one: fits[one]) if known else encodings[0]


def _score(sample: bytes, encoding: str) -> float:
    """How well the text that the bytes would be is one: the share of its signs that fit, 0 to 1."""
    text = (
        sample.decode(encoding, "replace") if encoding == "cp1258" else _decode_as(sample, encoding)
    )
    signs = Counter(sign for sign in text if sign > "\x7f" and sign not in PUNCTUATION)
    total = sum(signs.values()) + len(_WITHIN_WORD.findall(text))
    if not total:
        return 0.5  # Nothing but punctuation: any of them, so the commonest.
    languages = known_letters(encoding)
    if languages:
        if encoding in ALPHABETS and not _WORD.search(text):
            return 0.0
        fit = max(
            sum(
                count * (1.0 if sign in frequent else _RARER if sign in rarer else 0.0)
                for sign, count in signs.items()
            )
            for frequent, rarer in languages
        )
        if encoding == "cp1258" and not _has_tones(text, total):
            return 0.0
        if encoding in RARE and total < _RARE_SIGNS:
            return 0.0
        rare = (_RARE_ALPHABET if encoding in ALPHABETS else _RARE) if encoding in RARE else 0.0
        return max(0.0, max(0.0, fit - sum(1 for _ in _ODD_PAIR.finditer(text))) / total - rare)
    share = sum(count * _fits(sign, encoding) for sign, count in signs.items()) / total
    return share + (_IN_PAIRS if total >= _PAIRS_TO_TELL else 0.0)


def _has_tones(text: str, signs: int) -> bool:
    """Whether so many of the signs are tones as Vietnamese has."""
    tones = sum(text.count(one) for one in TONES)
    return tones >= _RARE_SIGNS and _TONES * tones >= signs


def _fits(sign: str, encoding: str) -> float:
    """How common a sign is in the languages of an encoding that has a script of its own."""
    code = ord(sign)
    if encoding in {"cp932", "euc_jp"}:
        if 0x3041 <= code <= 0x30FE:
            return 1.0  # Kana.
        if 0xFF66 <= code <= 0xFF9F:
            return _HALF_WIDTH
        return _RARER if _first_byte(sign, "euc_jp") in range(0xB0, 0xD0) else 0.0
    if sign in frequent_signs(encoding):
        return 1.0
    commoner, first_bytes = {
        "gb18030": ("gb2312", range(0xB0, 0xD8)),
        "big5": ("big5", range(0xA4, 0xC7)),
        "cp949": ("euc_kr", range(0xB0, 0xC9)),
    }[encoding]
    return _RARER if _first_byte(sign, commoner) in first_bytes else 0.0


def _first_byte(sign: str, encoding: str) -> int:
    """Where a sign stands: these encodings have the common ones first; 0 where it has none."""
    try:
        encoded = sign.encode(encoding)
    except UnicodeEncodeError:
        return 0
    return encoded[0] if len(encoded) == 2 else 0
