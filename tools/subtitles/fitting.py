"""How well bytes would be text in an encoding: what of its signs the languages there know."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter

from tools.subtitles.letters import (
    ALPHABETS,
    PUNCTUATION,
    RARE,
    TONES,
    frequent_signs,
    known_letters,
    letters_of,
)

# A frequent sign counts as one, another one of the script as this much.
_RARER = 0.7

# What an encoding of DOS or the Macintosh has to fit better than one of Windows, less where its
# letters are no Latin ones, and how many signs tell one from a bad byte.
_RARE, _RARE_ALPHABET, _RARE_SIGNS = 0.08, 0.03, 2

# What punctuation counts where the language is known.
_MARK = 0.8

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

# A sign of another script within a word of small Latin letters, or a small sign that touches one.
_AMONG_LATIN = re.compile(r"(?<=[a-z])[\u3041-\uffdc](?=[a-z])|[\uff66-\uff9f](?=[a-z])")

# A quotation mark before a small letter of Russian that nothing closes, or that closes: a capital.
_STRAY_MARK = re.compile(
    r"(?<!\w)(?:«(?=[\u0430-\u045f])(?![^»\n]*»)|[“„‘](?=[\u0430-\u045f])(?![^”“’\n]*[”“’])"
    r"|[”†‡](?=[\u0430-\u045f]))"
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


def decode_as(content: bytes, encoding: str) -> str:
    """Text in an encoding; what is broken becomes U+FFFD, and spoils nothing but its place."""
    if encoding == "cp1258":
        # Its tones are signs of their own.
        return unicodedata.normalize("NFC", content.decode(encoding, "replace"))
    return content.decode(encoding, "skip-to-pair" if encoding in _PAIRED else "replace")


def score_of(sample: bytes, encoding: str) -> float:
    """How well the text that the bytes would be is one: the share of its signs that fit, 0 to 1."""
    text = (
        sample.decode(encoding, "replace") if encoding == "cp1258" else decode_as(sample, encoding)
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
    fit = sum(count * _fits(sign, encoding) for sign, count in signs.items())
    share = max(0.0, fit - 2 * len(_AMONG_LATIN.findall(text))) / total
    return share + (_IN_PAIRS if total >= _PAIRS_TO_TELL else 0.0)


def fit_in_language(sample: bytes, encoding: str, language: str) -> float:
    """Share of the signs beyond ASCII that are letters of a language, 0 to 1."""
    text = decode_as(sample, encoding)
    if encoding == "cp1258":
        text = sample.decode(encoding, "replace")
    signs = Counter(sign for sign in text if sign > "\x7f")
    letters = letters_of(language)
    fit = sum(
        count
        * (
            1.0
            if sign in letters.frequent
            else _RARER
            if sign in letters.rarer
            else _MARK
            if sign in PUNCTUATION
            else 0.0
        )
        for sign, count in signs.items()
    )
    return max(0.0, fit - odd_places(text)) / max(1, signs.total())


def odd_places(text: str) -> int:
    """In how many places signs stand as no language puts them."""
    return sum(1 for one in (_ODD_PAIR, _WITHIN_WORD, _STRAY_MARK) for _ in one.finditer(text))


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
