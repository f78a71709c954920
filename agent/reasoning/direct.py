"""A video model asked directly: frames with their times, and a reply in seconds, read and checked.

The reply is told in seconds, since video models are trained to read the times of their frames. Each
time is moved to the nearest edge of a frame, so that an answer consists of what was shown.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from agent.errors import AnswerError
from agent.grounding import Cost
from agent.reasoning.answer import Answer, NumberedEvent, list_schema, object_schema
from agent.reasoning.brief import Turn
from agent.reasoning.reply import find_object
from agent.reasoning.spoken_times import SpokenTimesError, read_spoken_times
from tools.ranking import Window
from tools.store.store import VideoRecord
from tools.text import one_line, shorten, whole_unicode
from tools.timeline import Caption, Interval

LONGEST_CLIP_S: Final = 180.0
"""A video up to this long is shown as a whole; of a longer one, the likeliest windows are."""

SHOWN_WINDOWS: Final = 3
"""How many of the likeliest windows of a long video are shown."""

AROUND_SHARE: Final = 0.5
AROUND_S: Final = 5.0
"""On each side of a window this share of it is shown too, and at least this many seconds."""

MOST_FRAMES_SHOWN: Final = 120
MAX_RATE_HZ: Final = 2.0

FORM: Final = '{"why": "...", "found": true, "events": [{"start_s": 12.0, "end_s": 18.5}]}'

DIRECT_SCHEMA: Final = object_schema(
    why={"type": "string"},
    found={"type": "boolean"},
    events=list_schema(start_s={"type": "number"}, end_s={"type": "number"}),
)
"""A direct reply as JSON Schema, for services that can make a model follow it."""

TAKES_VIDEO: Final = re.compile(
    r"qwen-?(?:2|2\.5|3|3\.5)-?(?:vl|omni)|qwen3\.5|internvl-?(?:2\.5|3|3\.5)|internvideo|timelens|"
    r"time-?r1|video-?(?:llama|chat|r1)|llava-(?:video|onevision|next-video)|minicpm-?[vo]-?[2-5]|"
    r"molmo-?2|keye|glm-?4\.[1-9]\d?v|kimi-?vl|mimo-?vl|smolvlm2|nemotron.*-vl|ovis2|perceptionlm",
    re.IGNORECASE,
)
"""Names of models that were trained to read videos with the times of their frames."""


@dataclass(frozen=True, slots=True)
class DirectReply:
    """What a video model said.

    Attributes:
        text: Its words.
        cut_off: Whether they end at a limit.
        frames: What it was shown: captions that stand for frames, in time order.
        cost: What it took; nothing where it was said before.
        note: What the user should know of how it was asked.
        kept: What it took when it was said before.
    """

    text: str
    frames: tuple[Caption, ...]
    cut_off: bool = False
    cost: Cost = field(default_factory=Cost)
    note: str = ""
    kept: Cost = field(default_factory=Cost)


DIRECT_MODE: Final = "direct"
"""How the mode of captions begins that stand for frames which a video model was shown."""


def is_shown_frame(caption: Caption) -> bool:
    """Whether a caption stands for a frame that a video model was shown."""
    return caption.track.mode.partition(" ")[0] == DIRECT_MODE


class Direct(Protocol):
    """A video model that can be shown a part of a video."""

    @property
    def name(self) -> str: ...

    @property
    def prompts(self) -> dict[str, str]: ...

    def is_wanted(self, record: VideoRecord) -> bool:
        """Whether it should be asked about this video, if something of it can be shown."""
        ...

    def __call__(
        self,
        record: VideoRecord,
        query: str,
        stretches: Sequence[Interval],
        *,
        turns: Sequence[Turn],
        paid: Cost,
    ) -> DirectReply:
        """Show it the stretches, and ask.

        Args:
            record: The video.
            query: What is looked for.
            stretches: What to show, apart from each other and in time order.
            turns: Its earlier replies, which were refused.
            paid: What those cost.

        Raises:
            ReasonerError: If there is no reply; another path has to answer.
            VideoError: If the file is gone or cannot be read.
        """
        ...


def stretches_to_show(
    windows: Sequence[Window], duration_s: float, within: Interval | None
) -> list[Interval]:
    """The whole video or searched stretch, if it is short; else the best windows, with some around.

    Returns:
        Apart from each other, in time order, ``LONGEST_CLIP_S`` at most in all; none of a long
        video without windows.
    """
    whole = within or Interval(0.0, duration_s)
    if whole.length_s <= LONGEST_CLIP_S:
        return [whole]
    shown: list[Interval] = []
    for window in windows[:SHOWN_WINDOWS]:
        around_s = max(AROUND_S, AROUND_SHARE * window.span.length_s)
        start_s = max(whole.start_s, window.span.start_s - around_s)
        end_s = min(whole.end_s, window.span.end_s + around_s)
        if start_s >= end_s:
            continue
        wider = _merged([*shown, Interval(start_s, end_s)])
        if sum(stretch.length_s for stretch in wider) <= LONGEST_CLIP_S:
            shown = wider
    return shown


def parse_direct(reply: str, frames: Sequence[Interval], query: str = "") -> Answer:
    """A reply in seconds as an answer in numbers of frames, from 1.

    It may be the JSON object that was asked for, one of its usual kin (lists of pairs, clock
    times), or a sentence such as "12.5 - 18 seconds" or "from 0:12 to 0:18".

    Args:
        reply: What the model said.
        frames: The spans that the frames stand for, in time order.
        query: What was looked for; a sentence may repeat its words.

    Raises:
        AnswerError: If there is no answer in it, or one that contradicts itself or what was shown.
    """
    is_found, spans = _read(reply, query)
    if is_found and not spans:
        raise AnswerError("contradiction", "found is true, but events is empty; name the event.")
    if not is_found and spans:
        raise AnswerError("contradiction", "found is false, but events are named; decide which.")
    if spans and not frames:
        raise AnswerError("unknown_time", "No frames were shown.")
    events = [_numbered(start_s, end_s, frames) for start_s, end_s in spans]
    return Answer(found=is_found, events=_joined(events))


def why_of(reply: str) -> str:
    """The reason that a reply gives, in a line; empty where it gives none."""
    value = find_object(reply, "found").value or {}
    why = value.get("why")
    return shorten(one_line(whole_unicode(why)), 300) if isinstance(why, str) else ""


def _read(reply: str, query: str) -> tuple[bool, list[tuple[float, float]]]:
    """Whether it was found, and from when to when."""
    try:
        return read_spoken_times(reply, query)
    except SpokenTimesError as exc:
        raise AnswerError(
            "wrong_schema" if exc.has_object else "no_json",
            f"The reply cannot be read ({shorten(one_line(whole_unicode(str(exc))), 160)}). Reply "
            f"with one JSON object and nothing after it, of the form {FORM}.",
        ) from None


def _numbered(start_s: float, end_s: float, frames: Sequence[Interval]) -> NumberedEvent:
    # Video models round; a time may lie a frame outside of what was shown.
    step_s = max(one.length_s for one in frames)
    begin_s, until_s = frames[0].start_s, frames[-1].end_s
    told = f"{_told(start_s)}–{_told(end_s)} s"
    if start_s > end_s:
        raise AnswerError("reversed", f"The event {told} ends before it starts.")
    if start_s < begin_s - step_s or end_s > until_s + step_s or start_s >= until_s:
        raise AnswerError(
            "unknown_time",
            f"The event {told} lies outside of the frames that were shown, which go from "
            f"{begin_s:g} s to {until_s:g} s.",
        )
    if not any(one.start_s - step_s <= start_s <= one.end_s + step_s for one in frames):
        raise AnswerError(
            "unknown_time", f"No frame near {_told(start_s)} s was shown; use times of frames."
        )
    begins = min(range(len(frames)), key=lambda place: abs(frames[place].start_s - start_s))
    ends = min(range(len(frames)), key=lambda place: abs(frames[place].end_s - end_s))
    # A moment is as long as the frame that shows it.
    return NumberedEvent(first=1 + begins, last=1 + max(begins, ends))


def _joined(events: Sequence[NumberedEvent]) -> tuple[NumberedEvent, ...]:
    """In time order; those that share a frame, once on the grid of frames, are one."""
    joined: list[NumberedEvent] = []
    for event in sorted(events, key=lambda one: (one.first, one.last)):
        if joined and event.first <= joined[-1].last:
            last = max(joined[-1].last, event.last)
            joined[-1] = NumberedEvent(first=joined[-1].first, last=last)
        else:
            joined.append(event)
    return tuple(joined)


def _merged(stretches: Sequence[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for one in sorted(stretches):
        if merged and one.start_s <= merged[-1].end_s:
            merged[-1] = Interval(merged[-1].start_s, max(merged[-1].end_s, one.end_s))
        else:
            merged.append(one)
    return merged


def _told(time_s: float) -> str:
    return f"{time_s:g}" if math.isfinite(time_s) and abs(time_s) < 1e9 else "…"
