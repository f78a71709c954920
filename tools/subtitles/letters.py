"""Letters by which the languages of old text encodings are known.

A text read in the wrong one of them is still text, but of letters that no language puts together.
"""

from __future__ import annotations

from functools import cache

_WESTERN = (
    "éèàêç âæëîïôœùûüÿ",
    "äöüß",
    "áéíóñ úüªº",
    "ãáéçó àâêíôõúü",
    "èàùòì éíóú",
    "äåö é",
    "åøæ éó",
    "áðíöþ éóúýæ",
    "äõüö šž",
    "ëéïèó öüá",
)
_ALBANIAN = "ëç"
_CENTRAL = (
    "ąęłóż ćńśź",
    "áíéěřčšýž ďňóťúů",
    "áíéčšýž äďľĺňóôŕťú",
    "áéöóő íúüű",
    "čšžđć",
    "ăşţ îâ",
    _ALBANIAN,
)
_TURKISH = ("ışğüç öİâî",)
TONES = "\u0300\u0301\u0303\u0309\u0323"
"""Of Vietnamese, each on the vowel before it."""

_VIETNAMESE = (f"ăâđêôơư{TONES} àáèéëíóùú",)
_RUSSIAN = "оеаинтсрвлкмдпуяы бгёжзйфхцчшщъьэю"
_GREEK = ("αοιετσνηυρπκμλς βγδζθξφχψωάέήίόύώϊϋΐΰ",)
_HEBREW = ("יוהלארתבשמנ גדזחטךכםןסעףפץצק",)
_BALTIC = ("ėšųąį čęūž", "āīšēū čģķļņž", "äõüö šž")

LANGUAGES = {
    "cp1252": _WESTERN,
    "gb18030": (),
    "big5": (),
    "cp932": (),
    "euc_jp": (),
    "cp949": (),
    "cp1250": _CENTRAL,
    # Albanian's two letters lie where the Western page has them: that is tried before.
    "iso8859_2": tuple(one for one in _CENTRAL if one != _ALBANIAN),
    "cp1251": (
        _RUSSIAN,
        "оеаинтсрвлкмдпуія бгґєжзїйфхцчшщью",
        "оеаинтсрвлкмдпуіяы бгжзйўфхцчшьэюё",
        "оеаинтсрвлкмдпуј бгђжзљњћфхцчџшѓќѕ",
    ),
    "koi8_r": (_RUSSIAN,),
    "koi8_u": ("оеаинтсрвлкмдпуія бгґєжзїйфхцчшщью",),
    "cp866": (
        _RUSSIAN,
        "оеаинтсрвлкмдпуія бгґєжзїйфхцчшщью",
        "оеаинтсрвлкмдпуіяы бгжзйўфхцчшьэюё",
    ),
    "iso8859_5": (
        _RUSSIAN,
        "оеаинтсрвлкмдпуј бгђжзљњћфхцчџшѓќѕ",
    ),
    "cp1253": _GREEK,
    "cp1254": _TURKISH,
    "cp1255": _HEBREW,
    "cp1256": ("اليمونرتبعدةهس ثجحخذزشصضطظغفقكىءآأإؤئپچژگ",),
    "iso8859_6": ("اليمونرتبعدةهس ثجحخذزشصضطظغفقكىءآأإؤئ",),
    "cp1257": _BALTIC,
    "cp874": ("านรอกเงมยลวดทสตะปบคหแจพช่้ีิัุ ขฆฉซฌญฎฏฐฑฒณถธผฝฟภศษฬฮฤฯำึืูโใไๆ็๊๋์",),
    # Of DOS and of the Macintosh before Unicode, and of Vietnam.
    "cp850": _WESTERN,
    "mac_roman": _WESTERN,
    "cp852": _CENTRAL,
    "mac_latin2": _CENTRAL,
    "cp857": _TURKISH,
    "cp737": _GREEK,
    "mac_greek": _GREEK,
    "mac_cyrillic": (_RUSSIAN,),
    "cp855": (_RUSSIAN,),
    "cp862": _HEBREW,
    "cp775": _BALTIC,
    "cp1258": _VIETNAMESE,
}
"""Encodings that subtitle files come in, the commonest first, with letters of their languages.

Of each language the letters beyond ASCII, the frequent ones first, then the rarer ones after a
space. Those without letters are known by their script. Among all encodings that Python knows there
is always a rarer one that fits a short text just as well.
"""

COMMONEST = "cp1252"

RARE = frozenset(
    """
    cp850 mac_roman cp852 mac_latin2 cp857 cp737 mac_greek mac_cyrillic cp855 cp862 cp775""".split()
)
"""Those of which files are seldom, and old."""

ALPHABETS = frozenset(
    """
    cp1251 koi8_r koi8_u cp866 iso8859_5 mac_cyrillic cp855 cp1253 cp737 mac_greek cp1255 cp862
    cp1256 iso8859_6 cp874""".split()
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


@cache
def known_letters(encoding: str) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Of each language of an encoding, its frequent and its rarer letters, small and large."""
    pairs = (one.partition(" ")[::2] for one in LANGUAGES[encoding])
    return tuple(
        (frozenset(frequent + frequent.upper()), frozenset(rarer + rarer.upper()))
        for frequent, rarer in pairs
    )


@cache
def frequent_signs(encoding: str) -> frozenset[str]:
    """The commonest signs of an encoding that has thousands of them."""
    return frozenset(_FREQUENT.get(encoding, ""))
