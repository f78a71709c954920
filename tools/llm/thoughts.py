"""What a model said, without what it thought: thoughts are drafts, and no part of a reply. Pure.

Servers are meant to keep thoughts apart, and often do not: they stand in the text between marks, or
before a lone end mark where the chat template itself wrote the first one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Whatever a template calls it: seed:think, thought_process, inner_monologue, mm:think. Every
# repetition is bounded, so that long replies are read in linear time.
_LEFT, _RIGHT = r"(?:<|＜|&lt;)[|\s]{0,3}", r"[|\s]{0,3}(?:>|＞|&gt;)"
_NAME = r"[\w:.-]{0,16}(?:think|thought|reasoning|reflection|monologue|scratchpad)[\w:.-]{0,16}\b"
_TAG = rf"(?:{_NAME}(?:{_RIGHT})?|(?:analysis|reason|cot|plan){_RIGHT})"
_OPENS = (
    rf"{_LEFT}(?:start_)?{_TAG}|<\s*t(?:h(?:i(?:nk?)?)?)?\Z|◁\s*think\s*▷|\[THINK\]"
    r"|<\|begin_of_thought\|>|<\|?channel\|?>\s*(?:analysis|commentary|thought)\b|<unused94>"
    r"|<\|im_start\|>\s*think\w*"
)
_CLOSES = (
    rf"{_LEFT}(?:/[|\s]{{0,3}}|end_(?:of_)?){_TAG}|<\s*/\s*t(?:h(?:i(?:nk?)?)?)?\Z"
    r"|◁\s*/\s*think\s*▷|\[/THINK\]|<channel\|>|<\|channel\|>\s*final\s*(?:<\|message\|>)?"
    r"|<unused95>|<\|im_start\|>\s*answer\b"
)
_MARKS = re.compile(rf"(?P<closes>{_CLOSES})|(?P<opens>{_OPENS})", re.IGNORECASE)

_BOX = re.compile(
    r"<\|begin_of_(box|solution)\|>(?P<box>.*?)(?:<\|end_of_\1\|>|\Z)"
    r"|<answer>(?P<answer>.*?)(?:</answer>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_CONTROL = re.compile(r"<\|[a-z_]{2,24}\|>|</?(?:answer|s)>", re.IGNORECASE)
_FENCE = re.compile(r"\s*```[\w-]*\s*\n(?P<inside>.*?)\n?\s*```\s*", re.DOTALL)
_LEAD_IN = re.compile(
    r"""\s*(?:[*_#\s]*(?:sure|certainly|of\ course|okay|ok)\b[,!.:]*\s*)?
    (?:[*_#\s]*here(?:['’]s|\ is|\ are)\b[^:\n]{0,80}:[*_\s]*)?
    (?:[*_#\s]*(?:(?:final|image|picture|frame|one[- ]sentence)\ )?
    (?:caption|description|answer|output|response)[*_\s]*:[*_\s]*)?""",
    re.IGNORECASE | re.VERBOSE,
)
_SENTENCE_ENDS = re.compile(r"[.!?…。！？]")  # full-width ones


LONGEST_CAPTION = 8000
"""Characters of a reply that are looked at for a caption."""

REPEATED_CHARS = range(5, 302)
"""How long a piece is, with the blank after it, that a model is seen to repeat."""

REPEATED_TIMES = 3

BROKEN_END_CHARS = 40
"""What may be left at the end of a loop that a limit cut off, such as half of a character."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply with its thoughts taken out.

    Attributes:
        text: What is left; empty where the thoughts have no end mark: all of it is thought.
        thought: Whether there were thoughts and nothing else.
    """

    text: str
    thought: bool = False


def without_thoughts(text: str) -> Spoken:
    """Take out thoughts between marks, and everything before an end mark that stands alone."""
    spoken: list[str] = []
    at, is_open = 0, False
    for mark in _MARKS.finditer(text):
        if mark["opens"]:
            if not is_open:
                spoken.append(text[at : mark.start()])
            is_open = True
        else:
            if not is_open:
                # It began before the text did.
                spoken.clear()
            at, is_open = mark.end(), False
    if is_open:
        return Spoken("", thought=True)
    had_thoughts = at > 0
    said = " ".join([*spoken, text[at:]]) if had_thoughts else text
    boxes = list(_BOX.finditer(said))
    # A box within a draft is no answer: more comes after it.
    if boxes and not said[boxes[-1].end() :].strip(" \t\r\n.!*`$"):
        boxed = boxes[-1]["box"] or boxes[-1]["answer"] or ""
        said = boxed if boxed.strip() else said
    said = _CONTROL.sub(" ", said).strip()
    return Spoken(said, thought=had_thoughts and not said)


def caption_of(said: str, *, cut_off: bool) -> str:
    """The caption alone in what a model said, without fences, headings and lead-ins.

    Args:
        said: From ``without_thoughts``.
        cut_off: Whether it ends at a limit: a model that repeats itself until then said it once.

    Returns:
        The caption; empty where the model did nothing but repeat itself without end.
    """
    said = said[:LONGEST_CAPTION]
    fenced = _FENCE.fullmatch(said)
    text = fenced["inside"] if fenced else said
    lead_in = _LEAD_IN.match(text)
    rest = text[lead_in.end() :] if lead_in else text
    text = (rest if rest.strip() else text).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in '"*`' and text.count(text[0]) == 2:
        text = text[1:-1].strip()
    return _without_loop(text) if cut_off else text


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
