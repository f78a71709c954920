"""What a model said, without what it thought: thoughts are drafts, and no part of a reply. Pure.

Servers are meant to keep thoughts apart, and often do not: they stand in the text between marks, or
before a lone end mark where the chat template itself wrote the first one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Whatever a template calls it: seed:think, thought_process, inner_monologue, mm:think. Every
# repetition is bounded, so that long replies are read in linear time.
_LEFT = r"(?:[<＜⟨〈]|&lt;|\\u003c)[|\s]{0,3}"
_RIGHT = r"[|\s]{0,3}(?:[>＞⟩〉]|&gt;|\\u003e)"
_SLASH = r"\\?/"
_NAME = r"[\w:.-]{0,16}(?:think|thought|reasoning|reflection|monologue|scratchpad)[\w:.-]{0,16}\b"
_OTHER_NAME = (
    r"(?:analysis|reason|cot|plan|ponder(?:ing)?|internal|deliberations?|rationale|思考|思考过程|思维|"
    r"推理|推論|考え|생각|추론|denken|gedanken|überlegung|pensée|réflexion|raisonnement|pensamiento|"
    r"razonamiento|pensamento|raciocínio|ragionamento|мысл[иь]|размышлени[ея]|рассуждени[ея])"
)
_TAG = rf"(?:{_NAME}(?:{_RIGHT})?|{_OTHER_NAME}{_RIGHT})"
_PLAIN_NAME = rf"(?:think|thinking|thoughts?|reasoning|{_OTHER_NAME})"
_ENDING = r"(?:[_-](?:end|stop|close|finish)|[_-](?:end|stop|close|finish)[_-]\w{1,12})"
_OPENS = (
    rf"{_LEFT}(?:start_)?{_TAG}|<\s*t(?:h(?:i(?:nk?)?)?)?\Z|&lt;t?h?i?n?k?\Z|◁(?:\s*think\s*▷|t?h?i?n?k?\Z)|"
    r"\[THINK\]|\A\s{0,9}(?:\[T(?:H(?:I(?:NK?)?)?)?|<\|[a-z_]{0,24})\Z|"
    r"<\|begin_of_thought\|>|<\|?channel\|?>\s*(?:analysis|commentary|thought)\b|<unused94>|"
    r"<\|im_start\|>\s*think\w*|\A\s{0,9}Thinking\.\.\.[ \t]*$|"
    rf"^\s{{0,3}}[\[【«]{_PLAIN_NAME}[\]】»]"
)
_CLOSES = (
    rf"{_LEFT}(?:{_SLASH}[|\s]{{0,3}}|end_(?:of_)?){_TAG}|<\s*/\s*t(?:h(?:i(?:nk?)?)?)?\Z|"
    rf"{_LEFT}[\w:.]{{0,16}}(?:think|thinking|thought|reasoning){_ENDING}{_RIGHT}|"
    r"<\|(?!end)[a-z_]{0,16}(?:answer|response)[a-z_]{0,8}\|>|"
    r"◁\s*/\s*think\s*▷|\[/THINK\]|<channel\|>|<\|channel\|>\s*final\s*(?:<\|message\|>)?|"
    r"<unused95>|<\|im_start\|>\s*answer\b|^\s{0,3}\.\.\.done thinking\.|"
    rf"[\[【«]\s?{_SLASH}\s?{_PLAIN_NAME}[\]】»]"
)
_MARKS = re.compile(rf"(?P<closes>{_CLOSES})|(?P<opens>{_OPENS})", re.IGNORECASE | re.MULTILINE)
_FOLDED = re.compile(
    r"^[ \t]{0,3}```(?:think|thinking|thoughts?|reasoning)[ \t]*$.*?(?:^[ \t]{0,3}```[ \t]*$|\Z)|"
    r"<details[^<>]{0,40}>\s{0,9}<summary>[^<]{0,40}(?:think|thought|reasoning)[^<]{0,40}</summary>"
    r".*?(?:</details>|\Z)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
"""Thoughts between marks that may stand around anything else."""

_BOX = re.compile(
    r"<\|begin_of_(box|solution)\|>(?P<box>.*?)(?:<\|end_of_\1\|>|\Z)"
    r"|<answer>(?P<answer>.*?)(?:</answer>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_CONTROL = re.compile(
    r"<\|im_start\|>\s*assistant\s*|<[|｜][\w▁]{2,24}[|｜]>|</?(?:answer|s)>|"
    r"<(?:start_of_turn>\s*(?:model|assistant)\b|"
    r"end_of_turn>|e[no]d?_?of_?(?:text|sentence)>|eos>|bos>|pad>)|\[/?INST\]|\[(?:END|EOS)\]|"
    r"\A\s*assistant\s*[:\n]",
    re.IGNORECASE,
)


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
    text, folded = _without_folded(text)
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
    had_thoughts = folded or at > 0
    said = " ".join([*spoken, text[at:]]) if at else text
    boxes = list(_BOX.finditer(said))
    # A box within a draft is no answer: more comes after it.
    if boxes and not said[boxes[-1].end() :].strip(" \t\r\n.!*`$"):
        boxed = boxes[-1]["box"] or boxes[-1]["answer"] or ""
        said = boxed if boxed.strip() else said
    said = _CONTROL.sub(" ", said).strip()
    return Spoken(said, thought=had_thoughts and not said)


def _without_folded(text: str) -> tuple[str, bool]:
    """The text without thoughts in code fences and the like, and whether there were any."""
    kept = _FOLDED.sub(" ", text)
    return kept, kept != text
