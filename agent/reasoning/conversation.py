"""The conversation with a text model: what it is shown, and how captions are kept from speaking.

Captions are data. Each is one line that begins with its number, so none can begin a line of the
fence around them; ``<`` and ``>`` become ``‹`` and ``›``, so none can spell one either; and the
fence's key is a digest of the lines themselves, which nobody can write into one of them.
"""

import hashlib
import string
from collections.abc import Iterable, Sequence
from typing import Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.errors import WithheldError
from agent.grounding import LookUp
from agent.reasoning.brief import Brief, Turn, are_shown, caption_numbers
from agent.reasoning.ordered_answers import example_of, order_told
from prompts.catalog import PACKAGED, Prompts
from tools.indexing.held_spans import held_span
from tools.ranking import PartFound, Window
from tools.retrieval.question import parts_of
from tools.retrieval.retrieval import CAPTION_CHARS
from tools.retrieval.tracks import is_blank
from tools.text import counted, one_line, shorten
from tools.timeline import Caption, Interval

PROMPTS = (
    "reason_system",
    "reason",
    "reason_candidates",
    "reason_form",
    "reason_form_parts",
    "reason_granted",
    "reason_in_parts",
    "reason_overview",
    "refused",
    "looked_up",
    "search_captions",
    "read_captions",
    "look_closer",
)

QUERY_CHARS = 1000

GAP_S = 0.5
"""Captions may lie this far apart without anything having been left out."""

MOST_CANDIDATES, LEAST_SCORE = 3, 0.1
"""Windows of the grounder that a model is told of: more of them, or weaker ones, mislead it."""

REPLY_CHARS = 4000
"""How much of its own refused reply a model is shown again: enough to see what it did."""


class Conversation(Protocol):
    """Turns a brief into what a model is told.

    Attributes:
        prompts: Version of each prompt it uses, by name.
        offers_look_ups: Whether the model may be offered tools in it.
        asks_parts: Whether a question with an order in it is asked part by part.
    """

    @property
    def prompts(self) -> dict[str, str]: ...

    @property
    def offers_look_ups(self) -> bool: ...

    @property
    def asks_parts(self) -> bool: ...

    def show_fewer(self, pictures: int) -> bool:
        """Show no more pictures than this from now on; False if that is too few to say anything."""
        ...

    def __call__(self, brief: Brief) -> list[BaseMessage]: ...


class CaptionConversation:
    """A text model reads captions, and may look up more.

    Args:
        prompts: What it is told.
    """

    offers_look_ups = True
    asks_parts = True

    def __init__(self, prompts: Prompts = PACKAGED) -> None:
        self._prompts = prompts

    @property
    def prompts(self) -> dict[str, str]:
        return {name: self._prompts.version(name) for name in PROMPTS}

    def show_fewer(self, pictures: int) -> bool:  # noqa: ARG002
        """It shows none."""
        return False

    def __call__(self, brief: Brief) -> list[BaseMessage]:
        """See ``build_conversation``.

        Raises:
            WithheldError: If there is nothing to read, since nobody described the frames.
        """
        if brief.captions and all(is_blank(one.track) for one in brief.captions):
            raise WithheldError("nobody described the frames, so there is nothing to read")
        return build_conversation(brief, self._prompts)


def build_conversation(brief: Brief, prompts: Prompts = PACKAGED) -> list[BaseMessage]:
    """Everything that a text model is told: the rules, the captions, and each turn since.

    Earlier messages never change as a conversation grows, so that services can remember them.
    """
    shown = brief.opening
    messages: list[BaseMessage] = [
        SystemMessage(prompts.render("reason_system", form=_form(brief, prompts))),
        HumanMessage(_opening(brief, prompts)),
    ]
    numbers = {caption.id: number for number, caption in enumerate(brief.captions, start=1)}
    rounds_left = brief.rounds_left + sum(bool(turn.look_ups) for turn in brief.turns)
    for place, turn in enumerate(brief.turns):
        if turn.refusal:
            messages += refusal_messages(turn, turn.refusal.message, prompts, last=shown)
            continue
        rounds_left -= 1
        ids = [caption_id for one in turn.look_ups for caption_id in one.caption_ids]
        shown = max([shown, *(numbers[caption_id] for caption_id in ids)])
        told = [
            _found(one, brief.captions, numbers, prompts, rounds_left=rounds_left)
            for one in turn.look_ups
        ]
        messages += _looked_up(turn, place, told)
    return messages


def fence(numbered: Iterable[tuple[int, Caption]]) -> str:
    """Captions, a line each, between two lines that only we can write; empty where there is none.

    Args:
        numbered: Captions with their numbers, rising: what is left out between them is told.
    """
    lines: list[str] = []
    last, until_s = 0, 0.0
    for number, caption in numbered:
        if left_out := number - last - 1 if last else 0:
            lines.append(f"… {counted(left_out, 'caption')} left out …")
        elif last and caption.start_s > until_s + GAP_S:
            lines.append(f"… nothing shown of {seconds_span(Interval(until_s, caption.start_s))} …")
        lines.append(caption_line(number, caption))
        last, until_s = number, max(until_s, caption.end_s)
    return fence_lines("\n".join(lines))


def fence_found(numbered: Iterable[tuple[int, Caption]]) -> str:
    """What a look-up found, in the same way.

    Captions that were shown before keep their numbers, so that neither numbers nor times tell here
    what lies between them: a search leaves out all that does not fit.
    """
    lines: list[str] = []
    until_s: float | None = None
    for number, caption in numbered:
        if until_s is not None and caption.start_s > until_s + GAP_S:
            lines.append("…")
        lines.append(caption_line(number, caption))
        until_s = max(until_s or 0.0, caption.end_s)
    return fence_lines("\n".join(lines))


def fence_lines(lines: str) -> str:
    """Tame lines between two lines that only we can write; empty where there is none."""
    if not lines:
        return ""
    key = hashlib.sha256(lines.encode()).hexdigest()[:12]
    return f"<captions {key}>\n{lines}\n</captions {key}>"


def caption_line(number: int, caption: Caption) -> str:
    """``#17 [12.0–14.0 s] the oven door opens``; ``held`` says where nobody looked.

    What was not seen says so after its time: ``(speech)``.
    """
    text = shorten(tame(caption.text), CAPTION_CHARS)
    held = held_span(caption)
    time = seconds_span(caption.span) + (f", held {seconds_span(held)}" if held else "")
    source = "" if caption.source == "vision" else f" ({caption.source})"
    return f"#{number} [{time}]{source} {text}"


def caption_time(caption: Caption) -> str:
    """``[12.0–14.0 s]``."""
    return f"[{seconds_span(caption.span)}]"


def seconds_span(span: Interval) -> str:
    """``12.0–14.0 s``."""
    return f"{_seconds(span.start_s)}–{_seconds(span.end_s)} s"


def _opening(brief: Brief, prompts: Prompts) -> str:
    shown = brief.captions[: brief.opening]
    given = {
        "query": shorten(tame(brief.query), QUERY_CHARS),
        "captions": fence(
            (number, caption)
            for number, caption in enumerate(shown, start=1)
            if number not in brief.hidden
        ),
        "overview": _overview(brief.overview, prompts),
        "last": str(brief.opening),
        "granted": prompts.render("reason_granted") if brief.is_granted else "",
    }
    if brief.parts:
        parts = [
            f"{letter}: {shorten(tame(part.text), QUERY_CHARS)}\n   {_times(part, shown)}"
            for letter, part in zip(string.ascii_uppercase, brief.parts, strict=False)
        ]
        order = order_told(parts_of(brief.query))
        return _spaced(
            prompts.render("reason_in_parts", parts="\n".join(parts), order=order, **given)
        )
    hints = [
        window
        for window in brief.windows
        if window.score >= LEAST_SCORE and are_shown(window, shown)
    ][:MOST_CANDIDATES]
    windows = "\n".join(f"{_numbers(window, shown)} (score {window.score:.2f})" for window in hints)
    candidates = prompts.render("reason_candidates", windows=windows) if windows else ""
    return _spaced(prompts.render("reason", candidates=candidates, **given))


def _form(brief: Brief, prompts: Prompts) -> str:
    """The one form of reply that this question wants."""
    if not brief.parts:
        return prompts.render("reason_form")
    return prompts.render("reason_form_parts", example=example_of(len(brief.parts)))


def _times(part: PartFound, shown: Sequence[Caption]) -> str:
    """The times whose captions are shown, and how many more there are."""
    starts_s, ends_s = {one.start_s for one in shown}, {one.end_s for one in shown}
    seen = [one for one in part.times if one.span.start_s in starts_s and one.span.end_s in ends_s]
    numbers = [_numbers(time, shown) for time in seen]
    if more := len(part.times) - len(seen):
        numbers.append(f"and {more} more whose captions are not shown")
    return ", ".join(numbers) or "nowhere"


def _overview(scenes: Sequence[Caption], prompts: Prompts) -> str:
    """Scenes without numbers: they can be read about, and not be named."""
    if not scenes:
        return ""
    lines = [
        f"{caption_time(scene)} {shorten(tame(scene.text), CAPTION_CHARS)}" for scene in scenes
    ]
    return prompts.render("reason_overview", scenes=fence_lines("\n".join(lines)))


def _numbers(window: Window, shown: Sequence[Caption]) -> str:
    first, last = caption_numbers(window, shown)
    return f"#{first}" if first == last else f"#{first}–#{last}"


def refusal_messages(turn: Turn, reason: str, prompts: Prompts, *, last: int) -> list[BaseMessage]:
    """A refused reply, and what the model is told about it; captions up to ``last`` were shown."""
    # Some services refuse a message without words.
    said = shorten(turn.said, REPLY_CHARS) or "(nothing)"
    return [
        AIMessage(said),
        HumanMessage(prompts.render("refused", reason=tame(reason), last=str(last))),
    ]


def _looked_up(turn: Turn, place: int, told: Sequence[str]) -> list[BaseMessage]:
    # Nine letters and digits: the strictest of the services wants exactly that.
    ids = [f"look{place:02d}{which:03d}" for which in range(len(turn.look_ups))]
    calls = [
        {"name": one.tool, "args": one.arguments, "id": call_id, "type": "tool_call"}
        for call_id, one in zip(ids, turn.look_ups, strict=True)
    ]
    answers = [
        ToolMessage(words, tool_call_id=call_id) for call_id, words in zip(ids, told, strict=True)
    ]
    return [AIMessage(shorten(turn.said, REPLY_CHARS), tool_calls=calls), *answers]


def _found(
    look_up: LookUp,
    captions: Sequence[Caption],
    numbers: dict[str, int],
    prompts: Prompts,
    *,
    rounds_left: int,
) -> str:
    found = [numbers[caption_id] for caption_id in look_up.caption_ids]
    rounds = "" if rounds_left else "That was the last look-up. Answer now, with the JSON object."
    return _spaced(
        prompts.render(
            "looked_up",
            note=tame(look_up.note),
            captions=fence_found((number, captions[number - 1]) for number in found),
            rounds=rounds,
        )
    )


def tame(text: str) -> str:
    """One line in which nothing looks like a fence."""
    return one_line(text).translate({ord("<"): "‹", ord(">"): "›"})


def _seconds(time_s: float) -> str:
    """``12.0``, ``12.25``: at least one decimal, at most two."""
    text = f"{time_s:.2f}"
    return text.removesuffix("0")


def _spaced(text: str) -> str:
    """Without the empty lines that an empty part of a prompt leaves behind."""
    paragraphs = [part.strip("\n") for part in text.split("\n\n")]
    return "\n\n".join(part for part in paragraphs if part)
