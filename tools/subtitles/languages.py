"""The language that a file's name tells: ``talk.en.vtt``, ``talk.pt-BR.forced.srt``."""

from __future__ import annotations

import re
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
    hrv hun ice ind isl ita jpn kor lav lit may mon msa nld nor per pol por ron rum rus slk slo
    slv spa srp swe tam tel tha tur ukr urd vie zho yue
    """.split()
)
"""The commoner ones; other words of three letters are words."""

REMARKS = frozenset("cc sdh hi forced default auto asr orig".split())
"""What names say besides the language; after a language, ``hi`` is "hearing impaired"."""


def language_in_name(path: Path) -> str | None:
    """The language at the end of a file's name, before its suffix and remarks; None if none is."""
    parts = path.stem.split(".")[1:]
    while len(parts) > 1 and parts[-1].casefold() in REMARKS:
        parts.pop()
    if not parts:
        return None
    match = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*", parts[-1])
    is_known = match and match[1].casefold() in ISO_639_1 | ISO_639_2
    return parts[-1].replace("_", "-") if is_known else None
