"""What describing a video would take, before paying: measured on it, priced by a table."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent.watching.choice import prices_of
from tools.captioners.looks import LookMode
from tools.captioners.protocol import Metered, Promptable, wants_native
from tools.indexing.estimate import CaptionCost, Estimate, assumed_tokens, estimate_index
from tools.indexing.indexer import frame_track
from tools.llm.address import OPENAI_URL
from tools.llm.prices import Price, Prices
from tools.video.near_duplicates import needs_every_frame
from tools.video.reader import FrameReader, probe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agent.settings import Settings
    from prompts.catalog import Prompts
    from tools.captioners.protocol import Captioner
    from tools.store.store import CaptionStore
    from tools.timeline import Caption
    from tools.video.reader import Video

REPLY_S = 2.0
"""Time in which a service describes one look: typical of large services' small models."""

LOCAL_S = 5.0
"""Time of a small model on a CPU; a GPU is at least ten times as fast."""

MEASURED_S = 0.1
"""Time of the classical describer for a video too short to time it; measured on two cores."""

READ_S = 0.25
"""Time to read one picture on two cores; a picture that stays is read once."""

UNANNOUNCED_S = 10.0
"""Reading that takes less is not announced."""

TIMED_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Forecast:
    """What describing one video would take.

    Attributes:
        path: The video.
        video_id: Its content.
        captioner: Who would describe it.
        rate_hz: Frames looked at per second.
        described: Captions that are there already.
        estimate: The figures.
        assumes: What the time rests on, as the end of a sentence.
    """

    path: str
    video_id: str
    captioner: str
    rate_hz: float
    described: int
    estimate: Estimate
    assumes: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def forecast(
    path: Path, captioner: Captioner, settings: Settings, *, prompts: Prompts, store: CaptionStore
) -> Forecast:
    """Look at a video quickly, and estimate.

    Raises:
        VideoError, StoreError, PriceError: If one of them cannot be used.
    """
    video = probe(path)
    every_frame = settings.every_frame or needs_every_frame(captioner)
    track = frame_track(captioner, settings.rate_hz, every_frame=every_frame)
    there, _ = store.read(video.id, track)
    mode = LookMode.parse(captioner.mode)
    tokens = (0.0, 0.0)
    if isinstance(captioner, Metered):
        prompt = prompts.render("describe_general")
        tokens = assumed_tokens(video, mode, prompt=prompt, captions=there)
    seconds, in_flight, assumes = _pace(captioner, settings, video)
    estimate = estimate_index(
        video,
        CaptionCost(*tokens, seconds=seconds, in_flight=in_flight),
        rate_hz=settings.rate_hz,
        mode=mode,
        every_frame=every_frame,
        price=_price(captioner, settings),
        described=len(there),
    )
    return Forecast(
        str(path), video.id, captioner.model, settings.rate_hz, len(there), estimate, assumes
    )


def usd_of_caption(
    path: Path,
    captioner: Captioner,
    settings: Settings,
    *,
    prompts: Prompts,
    captions: Sequence[Caption],
) -> float | None:
    """About what one more caption of a video costs in US dollars; None where no price is known."""
    price = _price(captioner, settings)
    if price is None:
        return None
    if not isinstance(captioner, Metered):
        return 0.0
    prompt = prompts.render("describe_general")
    mode = LookMode.parse(captioner.mode)
    tokens_in, tokens_out = assumed_tokens(probe(path), mode, prompt=prompt, captions=captions)
    return (tokens_in * price.usd_in + tokens_out * price.usd_out) / 1e6


def reading_takes(video: Video, rate_hz: float) -> str:
    """How long it takes at most to read the text on a video's screen, as a line for the user.

    Empty where it takes no longer than anybody would wait without asking why.
    """
    if not video.header_duration_s:
        return f"reading text off the screen takes about {READ_S:g} s for each new picture"
    most_s = video.header_duration_s * rate_hz * READ_S
    if most_s < UNANNOUNCED_S:
        return ""
    most = f"{most_s / 60:.0f} min" if most_s >= 90 else f"{most_s:.0f} s"
    return f"reading text off the screen takes up to about {most}; less where the picture stays"


def _pace(captioner: Captioner, settings: Settings, video: Video) -> tuple[float, int, str]:
    """Seconds for each look, how many are made at a time, and both in words."""
    if isinstance(captioner, Metered):
        at_once = settings.in_flight
        return (
            REPLY_S,
            at_once,
            f"a reply takes {REPLY_S:g} s and {at_once} are under way at a time",
        )
    if isinstance(captioner, Promptable):
        return LOCAL_S, 1, f"a caption takes {LOCAL_S:g} s, as on a CPU"
    seconds = _seconds_a_frame(captioner, video, rate_hz=settings.rate_hz)
    return seconds, 1, f"a frame takes {seconds:.2g} s, as some from the middle did"


def _seconds_a_frame(captioner: Captioner, video: Video, *, rate_hz: float) -> float:
    """What describing takes here, measured on frames from the middle of the video."""
    start_s = (video.header_duration_s or 0.0) / 2
    reader = FrameReader(
        video, rate_hz=rate_hz, start_s=start_s, earlier=False, native=wants_native(captioner)
    )
    described_s = [
        time.perf_counter()
        for _ in captioner.describe(islice(reader, TIMED_FRAMES + 1), seen=frozenset())
    ]
    if len(described_s) < 2:
        return MEASURED_S
    # The first frame also waits for what is loaded only once.
    return (described_s[-1] - described_s[0]) / (len(described_s) - 1)


def _price(captioner: Captioner, settings: Settings) -> Price | None:
    if not isinstance(captioner, Metered):
        return Price(0.0, 0.0, "", "")
    model = captioner.model.removeprefix("openai:").partition("+")[0]
    address = settings.openai_base_url or OPENAI_URL
    return Prices(address, prices_of(settings)).find(model)
