"""CPU time of one frame a second out of 1080p H.264, against decoding everything.

    python benchmarks/sample_frames.py [VIDEO]

Real footage is made larger, with grain so that its bit rate is that of a camera, and encoded by
x264 with its defaults (B-frames, several reference frames). Then, one after the other in every
round:

- bare: every frame decoded by PyAV and thrown away, the cost of ``ffmpeg -f null``;
- least: the same without every frame that no other refers to, which is more than may be left out:
  the least that the decoder takes for the pixels of the others to be what they are;
- ours: ``FrameReader`` at one frame a second, images of 512 pixels and all;
- usual: OpenCV's ``read()`` of every frame, one a second made smaller.

The bars: ours takes at most 0.75 of bare and 0.6 of usual, at the same times.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import cv2
import numpy as np

from tools.video.decoding import slot_of
from tools.video.reader import FrameReader, Video, probe

VIDEO = Path(__file__).resolve().parents[2] / "shared/data/videos/sam2_gallery_concat.mp4"

WIDTH_PX, HEIGHT_PX = 1920, 1080
BARE_BAR, USUAL_BAR = 0.75, 0.6


def enlarge(source: Path, target: Path, *, seconds: float, grain: float) -> None:
    """Encode the beginning of a video as 1080p, with grain of this many grey levels."""
    chance = np.random.default_rng(0)
    # One large field of grain, taken at another place in every frame.
    field = chance.normal(0, grain, (HEIGHT_PX + 256, WIDTH_PX + 256)).astype(np.float32)
    with av.open(str(source)) as container, av.open(str(target), "w") as written:
        video = container.streams.video[0]
        stream: Any = written.add_stream("libx264", rate=video.average_rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.thread_type = "AUTO"
        for count, frame in enumerate(container.decode(video)):
            if frame.time >= seconds:
                break
            large = frame.reformat(WIDTH_PX, HEIGHT_PX, "yuv420p").to_ndarray()
            row, column = chance.integers(0, 256, 2)
            light = large[:HEIGHT_PX] + field[row : row + HEIGHT_PX, column : column + WIDTH_PX]
            large[:HEIGHT_PX] = np.clip(light, 0, 255)
            grainy = av.VideoFrame.from_ndarray(large, format="yuv420p")
            grainy.pts = count
            written.mux(stream.encode(grainy))
        written.mux(stream.encode(None))


def bare(
    video: Video, rate_hz: float, *, skip: Literal["DEFAULT", "NONREF"] = "DEFAULT"
) -> list[float]:
    """Decode everything; the times of the first frame at or after each tick."""
    with av.open(str(video.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.skip_frame = skip
        times_s = [
            frame.time - float((video.first_pts or 0) * (stream.time_base or 0))
            for frame in container.decode(stream)
        ]
    return first_of_each_slot(times_s, rate_hz)


def least(video: Video, rate_hz: float) -> list[float]:
    """Decode what others refer to, and nothing else."""
    return bare(video, rate_hz, skip="NONREF")


def ours(video: Video, rate_hz: float) -> list[float]:
    """Sample as an index with an image model does."""
    return [frame.time_s for frame in FrameReader(video, rate_hz=rate_hz, earlier=False)]


def usual(video: Video, rate_hz: float) -> list[float]:
    """Read every frame with OpenCV and keep one in ``step``, made as small as ours are."""
    capture = cv2.VideoCapture(str(video.path))
    frame_rate_hz = capture.get(cv2.CAP_PROP_FPS)
    times_s = []
    count = 0
    while True:
        is_read, image = capture.read()
        if not is_read:
            break
        if count % round(frame_rate_hz / rate_hz) == 0:
            small = cv2.resize(image, (512, 288), interpolation=cv2.INTER_AREA)
            cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
            times_s.append(count / frame_rate_hz)
        count += 1
    capture.release()
    return times_s


def first_of_each_slot(times_s: list[float], rate_hz: float) -> list[float]:
    """The first of the times in each step of the grid."""
    first: dict[int, float] = {}
    for time_s in times_s:
        first.setdefault(slot_of(time_s, 1 / rate_hz), time_s)
    return list(first.values())


def main() -> None:
    """Encode, measure, print."""
    parser = argparse.ArgumentParser(description="Measure sampling against decoding everything.")
    parser.add_argument(
        "video", type=Path, nargs="?", default=VIDEO, help="real footage to be made larger"
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--grain", type=float, default=3.0, help="grey levels")
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as-it-is", action="store_true", help="measure on the video itself")
    options = parser.parse_args()
    if not options.video.exists():
        print(f"skipped: no video at {options.video}; name the file")
        return
    ways: dict[str, Callable[[Video, float], list[float]]] = {
        "bare": bare,
        "least": least,
        "ours": ours,
        "usual": usual,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = options.video if options.as_it_is else Path(folder) / "large.mp4"
        if not options.as_it_is:
            enlarge(options.video, path, seconds=options.seconds, grain=options.grain)
        video = probe(path)
        spent_s: dict[str, list[float]] = {name: [] for name in ways}
        times_s: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            for name, way in ways.items():
                started_s = time.process_time()
                times_s[name] = way(video, options.rate)
                spent_s[name].append(time.process_time() - started_s)
        megabits = 8 * path.stat().st_size / 1e6 / (video.header_duration_s or 1)
    print(f"{video.width_px}x{video.height_px} {video.codec}, {megabits:.1f} Mbit/s")
    median = {name: statistics.median(each) for name, each in spent_s.items()}
    for name, each in spent_s.items():
        rounds = "  ".join(f"{one:6.2f}" for one in each)
        print(f"{name:6s} {rounds}  median {median[name]:6.2f} CPU seconds")
    same = times_s["ours"] == times_s["bare"]
    print(f"ours / bare:  {median['ours'] / median['bare']:.2f} (bar {BARE_BAR})")
    print(f"least / bare: {median['least'] / median['bare']:.2f}")
    print(f"ours / usual: {median['ours'] / median['usual']:.2f} (bar {USUAL_BAR})")
    print(f"{len(times_s['ours'])} frames, {'the same times' if same else 'OTHER TIMES'} as bare")


if __name__ == "__main__":
    main()
