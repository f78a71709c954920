"""What an index will ask for, before it asks: frames, captions, tokens, dollars, minutes.

How many frames show something new is measured on stretches of the video itself, decoded for that;
the rest is arithmetic over what a caption is assumed, or known, to take.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.video.near_duplicates import DistinctFrames
from tools.video.reader import FrameReader, measure_duration_s

if TYPE_CHECKING:
    from tools.captioners.looks import LookMode
    from tools.llm.prices import Price
    from tools.timeline import Caption
    from tools.video.reader import Video

STRETCHES = 8
STRETCH_S = 20.0
"""This many stretches of this length, evenly spread, stand for a longer video."""

CHARACTERS_PER_TOKEN = 4
ASSUMED_CAPTION_TOKENS = 60

BASE_TOKENS, TILE_TOKENS, TILE_PX = 85, 170, 512
"""OpenAI's count for models that tile pictures ("Images and vision" in its documentation, 2025);
others count otherwise, mostly of the same size."""

FRAME_PX, GRID_PX = 512, 1024
"""Long side of what is sent: see ``tools.video.reader.FrameReader`` and
``tools.captioners.looks.take_looks``."""


@dataclass(frozen=True, slots=True)
class CaptionCost:
    """What one caption takes.

    Attributes:
        tokens_in: Of the prompt and its pictures.
        tokens_out: Of the reply.
        seconds: Until it is there.
        in_flight: How many are made at a time.
    """

    tokens_in: float
    tokens_out: float
    seconds: float
    in_flight: int = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """What indexing the rest of a video will take, as far as can be told.

    Attributes:
        duration_s: Length of the video.
        frames: Frames that will be sampled.
        captions: Captions that will be asked for.
        uncertainty: One standard error of that number, from how much the stretches differ; 0 where
            the whole video was looked at.
        measured_s: Seconds of video that were looked at for it.
        tokens_in: Tokens of input for all captions.
        tokens_out: Tokens of output.
        usd: US dollars; None where no price is known.
        minutes: Time for all of it: captions, or decoding where that takes longer.
    """

    duration_s: float
    frames: int
    captions: int
    uncertainty: int
    measured_s: float
    tokens_in: int
    tokens_out: int
    usd: float | None
    minutes: float


def estimate_index(
    video: Video,
    cost: CaptionCost,
    *,
    rate_hz: float,
    mode: LookMode,
    every_frame: bool,
    price: Price | None,
    described: int = 0,
) -> Estimate:
    """Look at stretches of a video and say what its index will take.

    Args:
        video: From ``tools.video.reader.probe``.
        cost: What one caption takes.
        rate_hz: Frames looked at per second of video.
        mode: How they are shown.
        every_frame: Whether frames are described that look like the one described before.
        price: Of the model; None where it is not known.
        described: Captions that are there already.

    Raises:
        VideoError: If the video cannot be read.
    """
    duration_s = measure_duration_s(video)
    frames = max(1, math.ceil(duration_s * rate_hz - 1e-6))
    counted = [_count(video, rate_hz, *span) for span in _stretches(duration_s)]
    measured_s = sum(one.length_s for one in counted)
    share, error = (1.0, 0.0) if every_frame else _new_share(counted)
    is_whole = len(counted) == 1
    looks = math.ceil((1 + (frames - 1) * share) / mode.frames)
    captions = max(0, looks - described)
    decode_s = duration_s * sum(one.spent_s for one in counted) / measured_s
    # Whole tokens first, so that the price is that of the tokens that are told.
    tokens_in, tokens_out = round(captions * cost.tokens_in), round(captions * cost.tokens_out)
    return Estimate(
        duration_s=duration_s,
        frames=frames,
        captions=captions,
        uncertainty=0 if is_whole else math.ceil(frames * error / mode.frames),
        measured_s=measured_s,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        usd=None
        if price is None
        else (tokens_in * price.usd_in + tokens_out * price.usd_out) / 1e6,
        minutes=max(decode_s, captions * cost.seconds / cost.in_flight) / 60,
    )


def assumed_tokens(
    video: Video, mode: LookMode, *, prompt: str, captions: Sequence[Caption] = ()
) -> tuple[float, float]:
    """Tokens in and out of one caption, as a tiling model counts pictures.

    Args:
        video: Its shape is that of the pictures.
        mode: How frames are shown.
        prompt: What is asked.
        captions: Some that the model wrote, where there are any: theirs is the length assumed.
    """
    frame = _tokens_of(video, FRAME_PX)
    pictures = {"frame": frame, "grid": _tokens_of(video, GRID_PX), "clip": mode.frames * frame}
    written = [len(caption.text) / CHARACTERS_PER_TOKEN for caption in captions]
    tokens_out = sum(written) / len(written) if written else ASSUMED_CAPTION_TOKENS
    return pictures[mode.kind] + len(prompt) / CHARACTERS_PER_TOKEN, tokens_out


@dataclass(frozen=True, slots=True)
class _Counted:
    """A stretch: frames that could be left out, those of them that were new, time and effort."""

    frames: int
    new: int
    length_s: float
    spent_s: float


def _stretches(duration_s: float) -> list[tuple[float, float | None]]:
    if duration_s <= STRETCHES * STRETCH_S * 1.5:
        return [(0.0, None)]
    apart_s = duration_s / STRETCHES
    starts_s = [(index + 0.5) * apart_s - STRETCH_S / 2 for index in range(STRETCHES)]
    return [(start_s, start_s + STRETCH_S) for start_s in starts_s]


def _count(video: Video, rate_hz: float, start_s: float, end_s: float | None) -> _Counted:
    started_s = time.perf_counter()
    reader = FrameReader(video, rate_hz=rate_hz, start_s=start_s, end_s=end_s, earlier=False)
    distinct = DistinctFrames()
    chosen = [len(distinct.choose(frame)) for frame in reader]
    spent_s = time.perf_counter() - started_s
    length_s = (reader.decoded_until_s if end_s is None else end_s) - start_s
    # The first is new because it is the first, which tells nothing of the others.
    return _Counted(max(0, len(chosen) - 1), max(0, sum(chosen) - 1), length_s, spent_s)


def _new_share(counted: Sequence[_Counted]) -> tuple[float, float]:
    """Share of frames that show something new, and its standard error."""
    frames = sum(one.frames for one in counted)
    if frames == 0:
        return 1.0, 0.0
    share = sum(one.new for one in counted) / frames
    shares = [one.new / one.frames for one in counted if one.frames]
    if len(shares) < 2:
        return share, 0.0
    variance = sum((one - share) ** 2 for one in shares) / (len(shares) - 1)
    return share, math.sqrt(variance / len(shares))


def _tokens_of(video: Video, long_side_px: int) -> int:
    scale = min(1.0, long_side_px / max(video.width_px, video.height_px))
    across = math.ceil(video.width_px * scale / TILE_PX)
    down = math.ceil(video.height_px * scale / TILE_PX)
    return BASE_TOKENS + TILE_TOKENS * across * down
