"""The language that a file's name tells: ``talk.en.vtt``, ``talk.pt-BR.forced.srt``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

ISO_639_1 = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy
    da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu
    hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb
    lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om
    or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw
    ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    """.split()
)

ISO_639_2 = frozenset(
    """
    ara ben bul cat ces chi cmn cze dan deu dut ell eng est fas fil fin fra fre ger gre heb hin
    hrv hun ice ind isl ita jpn kor lav lit may mon msa nld nno nob nor per pol por ron rum rus slk
    slo slv spa srp swe tam tel tha tur ukr urd vie zho yue
    """.split()
)
"""The commoner ones; other words of three letters are words."""

THREE_LETTERS = {
    "ar": "ara", "bn": "ben", "bg": "bul", "ca": "cat", "cs": "ces cze", "zh": "chi zho cmn",
    "da": "dan", "de": "deu ger", "nl": "dut nld", "el": "ell gre", "en": "eng", "et": "est",
    "fa": "fas per", "fil": "fil", "fi": "fin", "fr": "fra fre", "he": "heb", "hi": "hin",
    "hr": "hrv", "hu": "hun", "is": "ice isl", "it": "ita", "ja": "jpn", "ko": "kor", "lv": "lav",
    "lt": "lit", "ms": "may msa", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron rum",
    "ru": "rus", "sk": "slk slo", "sl": "slv", "es": "spa", "sr": "srp", "sv": "swe", "ta": "tam",
    "te": "tel", "th": "tha", "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie",
}  # fmt: skip
"""The signs of ISO 639-2 for those of ISO 639-1."""

# Who reads one of these reads the other: Norwegian in its two forms, and signs of old.
_THE_SAME = {"nb": "no", "nn": "no", "nob": "no", "nno": "no", "iw": "he", "in": "id", "mo": "ro"}

REMARKS = frozenset(
    "cc sdh hi forced default auto asr orig full signs songs foreign commentary".split()
)
"""What names say besides the language; after a language, ``hi`` is "hearing impaired"."""


IN_FULL = {
    "arabic": "ar",
    "chinese": "zh",
    "czech": "cs",
    "danish": "da",
    "deutsch": "de",
    "dutch": "nl",
    "english": "en",
    "español": "es",
    "espanol": "es",
    "finnish": "fi",
    "français": "fr",
    "francais": "fr",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "italian": "it",
    "italiano": "it",
    "japanese": "ja",
    "korean": "ko",
    "norwegian": "no",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "spanish": "es",
    "swedish": "sv",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "vietnamese": "vi",
}
"""Languages that names spell out."""

# Countries whose sign is that of a language too, with what is spoken there.
_COUNTRIES = frozenset(
    "pt-br fr-ca en-ca en-ie en-za es-ar es-co es-cr es-cu es-pa es-sv sv-se en-in".split()
)


def language_in_name(path: Path) -> str | None:
    """The language at the end of a file's name, before its suffix and remarks; None if none is."""
    return language_of(path.stem.split(".")[1:])


def language_of(parts: Sequence[str]) -> str | None:
    """The same, for what stands between the dots after the video's name."""
    parts = [one.strip("[]() ") for one in parts]
    while len(parts) > 1 and parts[-1].casefold() in REMARKS:
        parts.pop()
    if not parts:
        return None
    if parts[-1].casefold() in IN_FULL:
        return IN_FULL[parts[-1].casefold()]
    match = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*", parts[-1])
    is_known = match and match[1].casefold() in ISO_639_1 | ISO_639_2
    return parts[-1].replace("_", "-") if is_known else None


def language_in_words(title: str) -> str | None:
    """The language that a title such as ``English [SDH]`` spells out; None where it does not."""
    words = re.findall(r"[^\W\d_]+", title.casefold())
    return next((IN_FULL[one] for one in words if one in IN_FULL), None)


def translated_from(language: str | None) -> str | None:
    """From which language a machine translated: ``de`` of ``en-de``; None where none did.

    Downloaders name files so. A country is written in capitals, or is one where the language is
    spoken.
    """
    parts = (language or "").split("-")
    if len(parts) < 2 or parts[0].casefold() == parts[1].casefold():
        return None
    is_country = parts[1] != parts[1].casefold() or "-".join(parts[:2]).casefold() in _COUNTRIES
    return parts[1] if parts[1] in ISO_639_1 and not is_country else None


def is_language(told: str, wanted: str) -> bool:
    """Whether a sign such as ``pt-BR``, ``ger`` or ``english`` is of a language of two letters."""
    sign = re.split(r"[-_]", told)[0].casefold()
    sign, wanted = _THE_SAME.get(sign, sign), _THE_SAME.get(wanted, wanted)
    return wanted in {sign, IN_FULL.get(sign)} or sign in THREE_LETTERS.get(wanted, "").split()
