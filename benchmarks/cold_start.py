"""CPU seconds of commands as a user starts them: each a process of its own, on a home in use.

    python benchmarks/cold_start.py [--against CHECKOUT] [--rounds 5]

A clip is drawn, described by a captions file and asked once. Then, turn by turn:

- bare: Python that does nothing;
- floor: SQLite, numpy, the embedder, and one text embedded: the least that a question takes;
- ``schema``, ``list``, ``doctor``, ``forget`` of a video that is not indexed, and ``ask``, warm: a
  second question about the same video.

``--against`` runs another checkout of this project beside this one, such as yesterday's, so that a
busy machine slows both. Bytecode of both is compiled before and not counted.

The bars are ratios to the floor: a light command takes no more than it (2 for ``doctor``, which
opens the embedder too), and ``ask`` 5 times as much.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

HERE = Path(__file__).resolve().parents[1]

FLOOR = """
import sqlite3
import sys
from pathlib import Path
import numpy
from tools.embedders.embedder import open_embedder
open_embedder("minilm", cache=Path(sys.argv[1])).embed(["a door opens"])
"""

BARS = {"schema": 1.5, "list": 1.5, "forget": 2.0, "doctor": 2.5, "ask": 5.0}


@dataclass(frozen=True)
class Home:
    """A home in use, and the clips that it knows and does not know.

    Attributes:
        folder: Where it is.
        asked: A clip that was asked.
        new: One that is not indexed.
        checkout: Of the program that uses it.
    """

    folder: Path
    asked: Path
    new: Path
    checkout: Path

    def run(self, *arguments: str) -> float:
        """CPU seconds of a Python process with these arguments."""
        environment = os.environ | {
            "PYTHONPATH": str(self.checkout),
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
            "WHENABOUTS_HOME": str(self.folder),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments],
            cwd=self.checkout,
            env=environment,
            check=False,
            capture_output=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def spend(self, what: str) -> float:
        """CPU seconds of one of the things that are measured."""
        if what == "bare":
            return self.run("-c", "pass")
        if what == "floor":
            return self.run("-c", FLOOR, str(self.folder / "cache"))
        words = {
            "forget": ["forget", str(self.new)],
            "ask": ["ask", str(self.asked), "a dog jumps", "--reasoner", "similarity"],
        }
        return self.run("-m", "agent.cli", *words.get(what, [what]))


def draw(clip: Path, *, grey: int) -> None:
    """Two seconds of one grey."""
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        picture = np.full((64, 64, 3), grey, np.uint8)
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def make_home(folder: Path, checkout: Path) -> Home:
    """A home with a clip that was asked; everything that is measured has run once in it."""
    folder.mkdir()
    home = Home(folder, folder / "asked.mp4", folder / "new.mp4", checkout)
    draw(home.asked, grey=80)
    draw(home.new, grey=160)
    captions = folder / "captions.jsonl"
    captions.write_text('{"start_s": 0, "end_s": 2, "caption": "a brown dog jumps"}')
    home.run("-m", "agent.cli", "index", str(home.asked), "--captions", str(captions))
    for what in ("floor", *BARS):
        home.spend(what)
    return home


def measure(homes: dict[str, Home], rounds: int) -> None:
    """Print a line for each thing that is measured."""
    spent: dict[str, dict[str, float]] = {name: {} for name in homes}
    for what in ("bare", "floor", *BARS):
        all_s: dict[str, list[float]] = {name: [] for name in homes}
        for turn in range(rounds + 1):
            for name, home in homes.items():
                seconds = home.spend(what)
                # The first warms what the one before it has made cold.
                if turn:
                    all_s[name].append(seconds)
        for name, each in all_s.items():
            spent[name][what] = statistics.median(each)
    floor = spent["this"]["floor"]
    for what in ("bare", "floor", *BARS):
        mine = spent["this"][what]
        line = f"{what:7s} {mine:5.2f} CPU-s, {mine / floor:4.1f} floors"
        if what in BARS:
            line += f" (bar {BARS[what]})"
        if "other" in spent:
            other = spent["other"][what]
            line += f"; other checkout {other:5.2f}, ratio {mine / other:.2f}"
        print(line)


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure what it costs to start a command.")
    parser.add_argument("--against", type=Path, help="another checkout of this project")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        homes = {"this": make_home(Path(scratch, "this"), HERE)}
        if options.against:
            homes["other"] = make_home(Path(scratch, "other"), options.against.resolve())
        measure(homes, options.rounds)


if __name__ == "__main__":
    main()
