"""The caption alone in what an image model said, whatever it wraps around it. Pure."""

from __future__ import annotations

import json
import re

from tools.llm.thoughts import Spoken

_FENCE = re.compile(r"```[\w-]*\s*\n(?P<inside>.*?)\n?\s*```", re.DOTALL)
_ELEMENT = re.compile(
    r"<(?P<name>[^\W\d][\w-]{1,30})(?:\s[^<>]{0,80})?>(?P<inside>.*?)</(?P=name)\s?>(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)
_MARKUP = frozenset({"em", "strong", "span", "div", "small", "sub", "sup", "font", "code"})
_BOXED = re.compile(r"\$?\\boxed\{(?:\\text\{)?(?P<inside>[^{}]+)\}{1,2}\$?")
_PAIRS = {
    '"': '"',
    "'": "'",
    "`": "`",
    "*": "*",
    "_": "_",
    "“": "”",
    "„": "“",
    "«": "»",
    "「": "」",
}
_BULLET = re.compile(r"(?:[-*•]|1[.)](?!.*\s2[.)]\s))\s+(?P<inside>[^\n]+)")
_QUOTED_LINES = re.compile(r"(?:[ \t]{0,9}>[^\n]*\n)+\s*(?=\S)")

_ANSWER = r"(?:caption|description|answer|output|response|result|sentence)"
_IN_OTHER_WORDS = (
    r"(?:bild)?beschreibung|bildunterschrift|légende|descri[pçz][^\W\d_]{1,8}|leyenda|legenda|"
    r"didascalia|описание|подпись|ответ|描述|标题|說明|说明|描寫|説明|キャプション|설명"
)
_KIND = r"(?:final|image|picture|frame|video|scene|one[- ]sentence|short|brief)"
_LEAD_IN = re.compile(
    rf"""(?:\#+\s*(?:{_KIND}\ )?{_ANSWER}[*_ ]*(?=\n) | [*_#\s]*(?:
    (?:sure|certainly|of\ course|okay|ok|absolutely|great|alright|got\ it)\b
      (?:[,!.:]+|(?=\s+here\b))
    | based\ on\b[^:.\n]{{0,60}},(?=\s*(?:here|the\ caption|this)\b)
    | (?:here(?:['’]s|\ is|\ are)|let\ me|let['’]s|i(?:\ would|['’]d|\ will|['’]ll))\b
      [^:.\n]{{0,80}}:
    | (?:hier\ ist|voici|aquí\ está|aqui\ está|ecco|вот|以下是|下面是)[^:：.\n]{{0,60}}\s?[:：]
    | (?:(?:the|my|your|a)\ )?(?:{_KIND}\ )?
      {_ANSWER}(?:\ (?:of|for)\ (?:the|this)\ (?:image|picture|frame|scene|video))?
      (?:\ (?:is|would\ be|could\ be))?[*_ ]*(?::|(?<=[*_])(?=\s*\n))
    | (?:{_IN_OTHER_WORDS})[*_ ]*[:：]
    | assistant\s*:
    ))[*_\s]*""",
    re.IGNORECASE | re.VERBOSE,
)
_THOUGHT_LABEL = re.compile(
    r"[*_#\s]*(?:(?P<surely>thinking(?: process)?|thoughts?(?: process)?|reasoning)|analysis|"
    r"observations?|step[- ]by[- ]step)[*_ ]*(?::|(?=\s*\n))",
    re.IGNORECASE,
)
_ANSWER_LABEL = re.compile(
    rf"^[*_# \t]*(?:final )?{_ANSWER}[*_ ]*(?::|$)[*_ ]*", re.IGNORECASE | re.MULTILINE
)
_THINKS_ALOUD = re.compile(
    r"(?:(?:okay|ok|got it|alright|hmm+|so|well|now|first|wait)[,.!…\s]+){0,3}(?:"
    r"the user\W{1,3}(?:wants|asks|asked|is asking|would|needs|gave|provided|said|says)\b|"
    r"user wants\b|(?:let(?:['’]s| me)|(?:i|we)(?:['’]ll| need to| should| have to| must))\s+"
    r"(?:now |first |just |only )?(?:think|look|see|start|begin|analy[sz]e|describe|break|consider|"
    r"examine|write|craft|figure|check|go|try|note|produce|provide|output|caption|give|respond|"
    r"answer|keep|make|avoid|focus|identify|determine)\b)",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"[.!?…。！？]")  # full-width ones


LONGEST_CAPTION = 8000
"""Characters of a reply that are looked at for a caption."""

REPEATED_CHARS = range(5, 302)
"""How long a piece is, with the blank after it, that a model is seen to repeat."""

REPEATED_TIMES = 3

BROKEN_END_CHARS = 40
"""What may be left at the end of a loop that a limit cut off, such as half of a character."""


MOST_WRAPPERS = 6
"""Fences, headings and lead-ins around one caption."""


def caption_of(said: str, *, cut_off: bool) -> Spoken:
    """The caption alone in what a model said, without fences, headings and lead-ins.

    Args:
        said: From ``without_thoughts``.
        cut_off: Whether it ends at a limit: a model that repeats itself until then said it once,
            and one that thinks aloud until then said nothing.

    Returns:
        The caption; empty where the model only thought, or did nothing but repeat itself.
    """
    text = _after_labelled_thoughts(said[:LONGEST_CAPTION].strip())
    for _ in range(MOST_WRAPPERS):
        inside = _unwrapped(text)
        if inside == text:
            break
        text = inside
    if _THINKS_ALOUD.match(text) and "{" not in text:
        # A template of its own may have written the mark that its thoughts begin with.
        parts = re.split(r"\n\s*\n", text)
        text = "" if cut_off or len(parts) == 1 else _unwrapped(parts[-1].strip())
    if said and not text:
        return Spoken("", thought=True)
    return Spoken(_without_loop(text) if cut_off else text)


def _after_labelled_thoughts(text: str) -> str:
    """What follows thoughts that stand under a heading, or in lines quoted like those of a mail."""
    if quoted := _QUOTED_LINES.match(text):
        return text[quoted.end() :]
    label = _THOUGHT_LABEL.match(text)
    if not label:
        return text
    answers = list(_ANSWER_LABEL.finditer(text, label.end()))
    if answers:
        return text[answers[-1].end() :].strip()
    return "" if label["surely"] else text


def _unwrapped(text: str) -> str:
    """A text without one layer of what is around it; the same where there is none."""
    if (element := _ELEMENT.fullmatch(text)) and element["name"].lower() not in _MARKUP:
        # What comes before the rest, under a name that nobody knows, is a thought.
        return (element["rest"].strip() or element["inside"]).strip()
    for form in (_FENCE, _BOXED, _BULLET):
        if wrapped := form.fullmatch(text):
            return wrapped["inside"].strip()
    if text[:1] in "{[" and text[-1:] in "}]" and (value := _only_text(text)):
        return value.strip()
    if len(text) > 2 and _PAIRS.get(text[0]) == text[-1]:
        inside = text[1:-1]
        if text[0] not in inside.strip("*_") and text[-1] not in inside.strip("*_"):
            return inside.strip()
    lead_in = _LEAD_IN.match(text)
    rest = text[lead_in.end() :].strip() if lead_in else ""
    return rest or text


def _only_text(text: str) -> str:
    """The one text in a JSON object or list; empty where it holds anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if isinstance(value, dict):
        texts = [one for one in value.values() if isinstance(one, str)]
        named = [one for name, one in value.items() if re.fullmatch(_ANSWER, str(name).lower())]
        value = named[:1] if named else texts
    only = value[0] if isinstance(value, list) and len(value) == 1 else ""
    return only if isinstance(only, str) else ""


def _without_loop(text: str) -> str:
    """A text that ends in repetitions with the repeated piece said once; empty where it says none.

    Linear in the text: whatever a model repeats, it is compared with itself once for each length.
    """
    line = " ".join(text.split())
    for length in REPEATED_CHARS:
        until = len(line)
        while until > max(length, len(line) - BROKEN_END_CHARS):
            begin = until
            while begin > length and line[begin - 1] == line[begin - 1 - length]:
                begin -= 1
            if until - begin >= (REPEATED_TIMES - 1) * length:
                # Up to where it has said a whole sentence; the loop may begin within one.
                ends = range(begin - 1, begin + length)
                end = next((e for e in ends if _SENTENCE_ENDS.search(line, e - 1, e)), 0)
                return line[:end].strip()
            until = begin - 1
    return text
