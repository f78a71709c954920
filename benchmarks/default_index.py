"""What an index by the classical describer costs, and how much of that is reading text.

    python benchmarks/default_index.py [VIDEO ...] [--seconds 60] [--rate 1]

From each video, the frames of its first seconds are described by the classical describer, three
times in the same minutes: without reading text, reading as an index does (text is looked for where
the picture changed, and read again where it changed), and reading every frame anew. What reading
found is compared frame by frame: a line counts as found if one of the same frame is like it.

The bars are for an hour of video: 700 CPU seconds if the camera moves and 300 if it stands still,
on the machine that reads every frame in 2,400; and 99% of the lines.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from difflib import SequenceMatcher
from itertools import takewhile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.captioners.classical import ClassicalCaptioner
from tools.signals.ocr import TextReader, load_text_reader
from tools.signals.page import Page
from tools.signals.screen_reader import ScreenReader
from tools.timeline import Frame
from tools.video.reader import FrameReader, probe

VIDEOS = Path(__file__).resolve().parents[2] / "shared/data/videos"
STILL, MOVING = VIDEOS / "one_by_one.mp4", VIDEOS / "sam2_gallery_concat.mp4"
CLOCK = VIDEOS.parent / "odd_videos/mpy_timecode_bars.mp4"

LIKE = 0.8
"""Share of letters in common from which two lines are the same text."""

HOUR_S = 3600.0

Lines = list[tuple[str, ...]]


def frames_of(path: Path, *, rate_hz: float, seconds: float) -> list[Frame]:
    """The frames that an index describes, decoded."""
    reader = FrameReader(probe(path), rate_hz=rate_hz, native=True)
    return list(takewhile(lambda frame: frame.time_s < seconds, reader))


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of a piece of work."""
    begun_s = time.process_time()
    work()
    return time.process_time() - begun_s


def read_anew(frame: Frame, engine: TextReader) -> tuple[str, ...]:
    """The upright lines of a frame, as if there had been none before."""
    page = Page()
    page.search(engine, frame.native() if frame.native else frame.image)
    return page.texts()


def recall(found: Lines, wanted: Lines) -> tuple[int, int]:
    """How many of the lines wanted were found in the same frame, and how many there are."""
    hits = [
        any(SequenceMatcher(None, line, one).ratio() >= LIKE for one in there)
        for there, lines in zip(found, wanted, strict=True)
        for line in lines
    ]
    return sum(hits), len(hits)


def measure(path: Path, engine: TextReader, *, rate_hz: float, seconds: float) -> None:
    """Print what one video costs, by an hour of it."""
    seen: list[Frame] = []
    decoding_s = cpu_s(lambda: seen.extend(frames_of(path, rate_hz=rate_hz, seconds=seconds)))
    measuring = ClassicalCaptioner(read_text=False)
    measuring_s = cpu_s(lambda: list(measuring.describe(seen, seen=frozenset())))
    lines: dict[str, Lines] = {}
    one = ScreenReader(lambda: engine)

    def as_index() -> None:
        lines["ours"] = [one.lines(frame) for frame in seen]

    def every_frame() -> None:
        lines["all"] = [read_anew(frame, engine) for frame in seen]

    ours_s, all_s = cpu_s(as_index), cpu_s(every_frame)
    hits, wanted = recall(lines["ours"], lines["all"])
    hours = len(seen) / rate_hz / HOUR_S
    rest_s = decoding_s + measuring_s
    print(
        f"{path.name}: {len(seen)} frames; CPU-s an hour: decoding {decoding_s / hours:.0f}, "
        f"measuring {measuring_s / hours:.0f}, reading {ours_s / hours:.0f} "
        f"(every frame {all_s / hours:.0f}: ratio {ours_s / all_s:.2f})"
    )
    print(
        f"  whole index {(rest_s + ours_s) / (rest_s + all_s):.2f} of reading every frame; "
        f"{hits} of {wanted} lines found ({hits / wanted if wanted else 1:.1%})"
    )


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure an index by the classical describer.")
    parser.add_argument("videos", type=Path, nargs="*", default=[STILL, MOVING, CLOCK])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each video")
    parser.add_argument("--rate", type=float, default=1.0, help="frames a second")
    options = parser.parse_args()
    engine = load_text_reader()
    for video in options.videos:
        if video.exists():
            measure(video, engine, rate_hz=options.rate, seconds=options.seconds)
        else:
            print(f"skipped: no video at {video}; name the file")


if __name__ == "__main__":
    main()
