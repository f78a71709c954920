"""Whether an index is as fast as its slowest stage, and whether its memory grows with the video.

Throughput: the stages of an index (decoding, describing, embedding and storing) are timed alone,
and then together, on the same drawn video, with a captioner that sleeps for a fixed time for each
frame, or keeps several such frames in flight. The bar is 0.9 of the slowest stage alone::

    python benchmarks/index_pipeline.py

Memory: an index of made-up frames, as many as ten hours have at one a second, in a process of its
own; the bar is 1.5 GB::

    python benchmarks/index_pipeline.py --memory --hours 10
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import numpy as np
from numpy.typing import NDArray

from tools.captioners.protocol import Description
from tools.indexing.indexer import Progress, index_video
from tools.llm.in_flight import run_in_flight
from tools.store.store import CaptionStore
from tools.timeline import Frame
from tools.video.reader import FrameReader, probe

BAR = 0.9
MEMORY_BAR_GB = 1.5
WORDS = "man woman dog car street table red blue walks sits holds looks opens closes".split()


class SleepingCaptioner:
    """Takes a fixed time for each frame, several at a time if wanted."""

    prompt_version = ""
    mode = "frame"
    model = "sleeping"

    def __init__(self, latency_s: float, *, in_flight: int) -> None:
        self._latency_s = latency_s
        self._in_flight = in_flight

    def describe(
        self, frames: Iterable[Frame], *, seen: Container[float]
    ) -> Iterator[Description | None]:
        """Say something made up of every frame."""
        frames = (frame for frame in frames if frame.time_s not in seen)
        if self._in_flight > 1:
            yield from run_in_flight(
                lambda frame, _: self._say(frame), frames, limit=self._in_flight
            )
        else:
            yield from map(self._say, frames)

    def _say(self, frame: Frame) -> Description:
        time.sleep(self._latency_s)
        return Description(frame.time_s, made_up_text(frame.time_s), "vision")


def made_up_text(time_s: float) -> str:
    """A caption of usual length, another one for every time."""
    return " ".join(np.random.default_rng(int(1000 * time_s)).choice(WORDS, 12))


class HashEmbedder:
    """Made-up vectors of the usual size, at a fixed time for each: no model's memory in the sum."""

    name = "made up"
    dimension = 384

    def __init__(self, text_s: float) -> None:
        self._text_s = text_s

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors that depend on nothing but the text."""
        time.sleep(self._text_s * len(texts))
        seeds = [sum(map(ord, text)) for text in texts]
        rows = [np.random.default_rng(seed).standard_normal(self.dimension) for seed in seeds]
        return np.asarray(rows, np.float32)


def draw(path: Path, *, seconds: int, rate_hz: int = 25) -> Path:
    """A video of drifting noise: it costs about what filmed pictures of its size cost."""
    chance = np.random.default_rng(0)
    noise = chance.integers(0, 256, (90, 160, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate_hz, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index in range(seconds * rate_hz):
            picture = np.ascontiguousarray(
                np.roll(noise, (2 * index, 3 * index), (0, 1))[:360, :640]
            )
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def seconds_of(work: Any) -> float:
    """Wall time of a call."""
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def measure_throughput(options: argparse.Namespace) -> None:
    """Print the seconds of every stage alone, of the index, and the ratio."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        video = probe(draw(folder / "drawn.mp4", seconds=options.seconds))
        captioner = SleepingCaptioner(options.latency_s, in_flight=options.in_flight)
        embedder = HashEmbedder(options.text_s)
        frames = list(FrameReader(video, rate_hz=options.rate))
        print(f"{len(frames)} frames of {options.seconds} s, {options.in_flight} in flight")
        texts = [made_up_text(frame.time_s) for frame in frames]
        stages = {
            "decode": seconds_of(lambda: list(FrameReader(video, rate_hz=options.rate))),
            "describe": seconds_of(lambda: list(captioner.describe(frames, seen=()))),
            "embed and store": seconds_of(lambda: store_alone(folder / "alone", embedder, texts)),
        }
        frames.clear()
        store = stack.enter_context(CaptionStore.open(folder / "store", embedder=embedder.name))
        whole_s = seconds_of(
            lambda: index_video(
                video,
                captioner,
                rate_hz=options.rate,
                store=store,
                embedder=embedder,
                report=lambda _: None,
                every_frame=True,
            )
        )
    for name, seconds in stages.items():
        print(f"{name:16s} {seconds:6.2f} s")
    ratio = max(stages.values()) / whole_s
    print(f"{'index':16s} {whole_s:6.2f} s, one after the other {sum(stages.values()):.2f} s")
    print(f"slowest stage / index: {ratio:.3f} (bar {BAR})")


def store_alone(folder: Path, embedder: HashEmbedder, texts: Sequence[str]) -> None:
    """Embed and store texts in batches, as the index does."""
    from tools.indexing.caption_writer import BATCH_CAPTIONS
    from tools.timeline import Caption, Interval, Track

    track = Track("alone", "", "frame@1/s")
    with CaptionStore.open(folder, embedder=embedder.name) as store:
        for first in range(0, len(texts), BATCH_CAPTIONS):
            batch = texts[first : first + BATCH_CAPTIONS]
            captions = [
                Caption("v" * 32, Interval(first + n, first + n + 1), text, "vision", track)
                for n, text in enumerate(batch)
            ]
            store.add(captions, embedder.embed(batch))


class MadeUpReader(FrameReader):
    """Hands out the frames of a video again and again, for as many hours as wanted."""

    def __init__(self, video: Any, *, rate_hz: float, hours: float, earlier: bool) -> None:
        super().__init__(video, rate_hz=rate_hz, earlier=earlier)
        self._hours = hours

    @property
    def decoded_until_s(self) -> float:
        """The end that is made up."""
        return 3600 * self._hours

    def __iter__(self) -> Iterator[Frame]:
        """Frames of other times than their own."""
        pictures = list(super().__iter__())
        for index in range(round(3600 * self._hours * self.rate_hz)):
            frame = pictures[index % len(pictures)]
            yield Frame(
                index / self.rate_hz, frame.image.copy(), None, None, frame.luma, frame.luma_s
            )


def measure_memory(options: argparse.Namespace) -> None:
    """Print how much memory an index of many hours takes, hour by hour."""
    from tools.indexing import indexer

    start_mb = peak_mb()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        video = probe(draw(folder / "drawn.mp4", seconds=20))
        store = stack.enter_context(CaptionStore.open(folder / "store", embedder="made up"))
        made_up = partial(MadeUpReader, hours=options.hours)
        stack.enter_context(mock.patch.object(indexer, "FrameReader", made_up))
        marks = itertools.count(3600, 3600)
        state = {"next": next(marks)}
        started_s = time.perf_counter()

        def report(progress: Progress) -> None:
            if progress.seen_s >= state["next"]:
                state["next"] = next(marks)
                minutes = (time.perf_counter() - started_s) / 60
                print(
                    f"{progress.seen_s / 3600:5.1f} h: {progress.captions} captions, "
                    f"peak {peak_mb():.0f} MB, {minutes:.1f} minutes, "
                    f"{threading.active_count()} threads",
                    flush=True,
                )

        index_video(
            video,
            SleepingCaptioner(0, in_flight=options.in_flight),
            rate_hz=options.rate,
            store=store,
            embedder=HashEmbedder(0),
            report=report,
            every_frame=True,
        )
    print(f"peak {peak_mb():.0f} MB, {peak_mb() - start_mb:.0f} MB of it since the start of the")
    print(f"program; the bar is {1000 * MEMORY_BAR_GB:.0f} MB")


def peak_mb() -> float:
    """The largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the stages of an index side by side.")
    parser.add_argument("--seconds", type=int, default=120, help="length of the drawn video")
    parser.add_argument("--rate", type=float, default=5.0, help="frames looked at a second")
    parser.add_argument("--latency-s", type=float, default=0.03, help="of the captioner, a frame")
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--text-s", type=float, default=0.008, help="of the embedder, a caption")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--hours", type=float, default=10.0)
    options = parser.parse_args()
    if options.memory:
        measure_memory(options)
    else:
        measure_throughput(options)


if __name__ == "__main__":
    main()
