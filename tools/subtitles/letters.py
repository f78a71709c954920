"""Letters by which the languages of old text encodings are known.

A text read in the wrong one of them is still text, but of letters that no language puts together.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

TONES = "\u0300\u0301\u0303\u0309\u0323"
"""Of Vietnamese, each on the vowel before it."""

_RUSSIAN = "оеаинтсрвлкмдпуяы бгёжзйфхцчшщъьэю"
_GREEK = "αοιετσνηυρπκμλς βγδζθξφχψωάέήίόύώϊϋΐΰ"
_FARSI = "پچژگ"
_ARABIC = "اليمونرتبعدةهس ثجحخذزشصضطظغفقكىءآأإؤئ"
_SWEDISH, _DANISH = "äåö é", "åøæ éó"

LETTERS = {
    "fr": "éèàêç âæëîïôœùûüÿ",
    "de": "äöüß",
    "es": "áéíóñ úüªº",
    "pt": "ãáéçó àâêíôõúü",
    "it": "èàùòì éíóú",
    "sv": _SWEDISH,
    "fi": _SWEDISH,
    "da": _DANISH,
    "no": _DANISH,
    "is": "áðíöþ éóúýæ",
    "et": "äõüö šž",
    "nl": "ëéïèó öüá",
    # In words from other languages.
    "en": " éèêëïñöüçàáâä",
    "pl": "ąęłóż ćńśź",
    "cs": "áíéěřčšýž ďňóťúů",
    "sk": "áíéčšýž äďľĺňóôŕťú",
    "hu": "áéöóő íúüű",
    "hr": "čšžđć",
    "sl": "čšž",
    "ro": "ăşţșț îâ",
    "sq": "ëç",
    "tr": "ışğüç öİâî",
    "lt": "ėšųąį čęūž",
    "lv": "āīšēū čģķļņž",
    "vi": f"ăâđêôơư{TONES} àáèéëíóùú",
    "ru": _RUSSIAN,
    "bg": "оеаинтсрвлкмдпуя бгжзйфхцчшщъью",
    "uk": "оеаинтсрвлкмдпуія бгґєжзїйфхцчшщью",
    "be": "оеаинтсрвлкмдпуіяы бгжзйўфхцчшьэюё",
    "sr": "оеаинтсрвлкмдпуј бгђжзљњћфхцчџшѓќѕ",
    "el": _GREEK,
    "he": "יוהלארתבשמנ גדזחטךכםןסעףפץצק",
    "ar": _ARABIC,
    "fa": _ARABIC + _FARSI,
    "th": "านรอกเงมยลวดทสตะปบคหแจพช่้ีิัุ ขฆฉซฌญฎฏฐฑฒณถธผฝฟภศษฬฮฤฯำึืูโใไๆ็๊๋์",
}
"""Of each language, in two letters, those beyond ASCII: the frequent ones first, then the rarer
ones after a space."""

_WESTERN = "fr de es pt it sv da is et nl"
_CENTRAL = "pl cs sk hu hr ro"
_NORTHERN = "lt lv et"

LANGUAGES = {
    "cp1252": f"{_WESTERN} fi no",
    "gb18030": "",
    "big5": "",
    "cp932": "",
    "euc_jp": "",
    "cp949": "",
    "cp1250": f"{_CENTRAL} sl sq",
    # Albanian's two letters lie where the Western page has them: that is tried before.
    "iso8859_2": f"{_CENTRAL} sl",
    "cp1251": "ru uk be sr bg",
    "koi8_r": "ru bg",
    "koi8_u": "uk",
    "cp866": "ru be bg",
    "iso8859_5": "ru sr bg",
    "cp1253": "el",
    "cp1254": "tr",
    "cp1255": "he",
    "cp1256": "fa ar",
    "iso8859_6": "ar",
    "cp1257": _NORTHERN,
    "cp874": "th",
    "iso8859_16": "ro pl",
    # Of DOS and of the Macintosh before Unicode, and of Vietnam.
    "cp850": f"{_WESTERN} fi no",
    "mac_roman": f"{_WESTERN} fi no",
    "cp860": "pt",
    "cp861": "is",
    "mac_iceland": "is",
    "cp852": f"{_CENTRAL} sl sq",
    "mac_latin2": "pl cs sk hu",
    "mac_romanian": "ro",
    "mac_croatian": "hr sl",
    "cp857": "tr",
    "mac_turkish": "tr",
    "cp737": "el",
    "mac_greek": "el",
    "mac_cyrillic": "ru uk be sr bg",
    "cp1125": "uk",
    "cp855": "ru sr bg",
    "cp862": "he",
    "cp775": _NORTHERN,
    "cp1258": "vi",
}
"""Encodings that subtitle files come in, the commonest first, with the languages of each.

Those without languages are known by their script. Among all encodings that Python knows there is
always a rarer one that fits a short text just as well.
"""

IF_NAMED = {
    "cp1252": "en sq",
    "mac_roman": "en",
    "cp850": "en",
    "cp437": "en fr de es it nl fi sv",
    "cp863": "fr",
    "cp865": "da no sv",
    "cp869": "el",
    "cp720": "ar",
    "mac_arabic": "ar",
    "mac_farsi": "fa",
    "iso8859_3": "tr",
    "iso8859_4": _NORTHERN,
}
"""More of them, which are tried only where a file's name says the language."""

COMMONEST = "cp1252"

RARE = frozenset(
    """
    cp850 mac_roman cp860 cp861 mac_iceland cp852 mac_latin2 mac_romanian mac_croatian cp857
    mac_turkish cp737 mac_greek mac_cyrillic cp1125 cp855 cp862 cp775
    iso8859_16""".split()
)
"""Those of which files are seldom, and old."""

ALPHABETS = frozenset(
    """
    cp1251 koi8_r koi8_u cp866 iso8859_5 mac_cyrillic cp1125 cp855 cp1253 cp737 mac_greek cp1255
    cp862 cp1256 iso8859_6 cp874""".split()
)
"""Those of languages that write no Latin letters."""

# Signs that make up half of a text.
_FREQUENT = {
    "gb18030": (
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年"
        "过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心"
        "她本前开但因只从想实日意无力它与长把机十民第公此已工使情明性知全三又关点正外将两高间由问很"
        "最重手应什谁吗吧呢啊哪让给走话谢请爱"
    ),
    "big5": (
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年"
        "過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心"
        "她本前開但因只從想實日意無力它與長把機十民第公此已工使情明性知全三又關點正外將兩高間由問很"
        "最重手應什誰嗎吧呢啊哪讓給走話謝請愛"
    ),
    "cp949": (
        "이다는가고에하지을의를은도기로한사나자어라아리그서시인대해있정부수스게전보일주제것내들만여오"
        "장원으과니요네거안야면없우말습까저너무왜좋아했었"
    ),
}

# Punctuation that tells nothing of a language.
PUNCTUATION = frozenset(
    "\xa0¡¿«»–—―‘’‚“”„…‹›•·°§№♪♫€£©®™、。「」『』《》〈〉（），！？：；～·・ー　【】、؟،؛־"
)


class Letters(NamedTuple):
    """Those of a language beyond ASCII, small and large."""

    frequent: frozenset[str]
    rarer: frozenset[str]


@cache
def known_letters(encoding: str) -> tuple[Letters, ...]:
    """Of each language of an encoding, its letters; nothing where it is known by its script."""
    return tuple(letters_of(one) for one in LANGUAGES[encoding].split())


@cache
def letters_of(language: str) -> Letters:
    """The letters of a language, by its two letters."""
    frequent, _, rarer = LETTERS[language].partition(" ")
    return Letters(frozenset(frequent + frequent.upper()), frozenset(rarer + rarer.upper()))


def encodings_of(language: str) -> list[str]:
    """Those that texts in a language may be in, the commonest first; none for one not known."""
    both = (*LANGUAGES.items(), *IF_NAMED.items())
    return list(dict.fromkeys(name for name, spoken in both if language in spoken.split()))


@cache
def frequent_signs(encoding: str) -> frozenset[str]:
    """The commonest signs of an encoding that has thousands of them."""
    return frozenset(_FREQUENT.get(encoding, ""))
