"""How much memory `ask` takes, by the length of the video: each question a process of its own.

    python benchmarks/ask_memory.py [--hours 1 10]

A clip of that length is drawn, at one frame a second, and given a made-up caption for each second.
It is asked twice: the first question reads the captions from Chroma, the second from the copy that
the first has left. The base is the same for a clip of a minute. The bars are 30 MB an hour above
the base, and 500 MB in all at ten hours.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from agent.settings import load_settings
from tools.embedders.embedder import open_embedder
from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval

HERE = Path(__file__).resolve().parents[1]
WORDS = "man woman dog car street table red blue walks sits holds looks opens closes".split()
BATCH = 2000
MB_OF_KB = 1024 / 1e6
QUESTIONS = ("a dog walks on the street", "a woman closes a red car")
HOUR_S = 3600
BAR_MB, BAR_OF_TEN_HOURS_MB = 30, 500


def run(home: Path, *arguments: str) -> None:
    """Run a command of the program in a home; that nothing was found is no failure."""
    environment = os.environ | {"PYTHONPATH": str(HERE), "WHENABOUTS_HOME": str(home)}
    command = [sys.executable, "-m", "agent.cli", *arguments]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode > 1:
        sys.exit(done.stderr)


def draw(clip: Path, length_s: int) -> None:
    """Grey pictures, one a second."""
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for second in range(length_s):
            grey = np.full((32, 32, 3), second % 200, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))


def make_home(home: Path, length_s: int) -> Path:
    """A home with a clip of this length that has a caption a second; returns the clip."""
    clip, lines = home / "clip.mp4", home / "lines.jsonl"
    draw(clip, length_s)
    lines.write_text('{"start_s": 0, "end_s": 1, "caption": "a door"}')
    run(home, "index", str(clip), "--captions", str(lines))
    settings = load_settings(home=home)
    embedder = open_embedder(settings.embedder, cache=settings.cache_folder)
    chance = np.random.default_rng(0)
    with CaptionStore.open(settings.store_folder, embedder=embedder.name) as store:
        (record,) = store.records()
        for first in range(1, length_s, BATCH):
            seconds = range(first, min(first + BATCH, length_s))
            vectors = chance.normal(size=(len(seconds), embedder.dimension)).astype(np.float32)
            captions = [
                Caption(
                    record.video_id,
                    Interval(second, second + 1),
                    " ".join(chance.choice(WORDS, 16)),
                    "vision",
                    record.track,
                )
                for second in seconds
            ]
            store.add(captions, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        store.put_record(replace(record, captions=length_s))
    return clip


def peak_mb(home: Path, clip: Path, question: str) -> float:
    """The most memory that the process of a question held."""
    asking = [
        sys.executable,
        str(Path(__file__).resolve()),
        "--ask",
        str(home),
        str(clip),
        question,
    ]
    done = subprocess.run(asking, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def main() -> None:
    """Print a line for each length."""
    parser = argparse.ArgumentParser(description="Measure the memory of questions.")
    parser.add_argument("--hours", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--ask", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        home, clip, question = options.ask
        run(Path(home), "ask", clip, question, "--reasoner", "similarity")
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * MB_OF_KB)
        return
    base_mb: list[float] = []
    for length_s in (60, *(hours * HOUR_S for hours in options.hours)):
        with tempfile.TemporaryDirectory() as scratch:
            home = Path(scratch)
            clip = make_home(home, length_s)
            peaks_mb = [peak_mb(home, clip, question) for question in QUESTIONS]
        line = ", ".join(f"{one:.0f} MB" for one in peaks_mb)
        if not base_mb:
            base_mb = peaks_mb
        else:
            hours = length_s / HOUR_S
            above = [(one - base) / hours for one, base in zip(peaks_mb, base_mb, strict=True)]
            line += f"; above the base {above[0]:.1f}, {above[1]:.1f} MB an hour (bar {BAR_MB})"
        print(f"{length_s / HOUR_S:5.2f} h: first question, second: {line}", flush=True)


if __name__ == "__main__":
    main()
