"""Measure how many real captions a second the embedded model takes.

Batches as ``whenabouts`` makes them, against the plain loop of one text at a time, turn by turn in
the same minutes, so that a busy machine slows both::

    python benchmarks/embed_captions.py [CAPTIONS.jsonl.gz]

The file holds one JSON object a line, each with a list of ``captions``. Repeated captions are left
out: they cost nothing when batched.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools.embedders.minilm import MiniLM

ROUNDS = 5
CAPTIONS = Path(__file__).resolve().parents[2] / "shared/data/qvhighlights/val_captions.jsonl.gz"


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the embedded model on real captions.")
    parser.add_argument(
        "captions", type=Path, nargs="?", default=CAPTIONS, help="a .jsonl.gz file of captions"
    )
    parser.add_argument("--limit", type=int, default=4000, help="captions to embed in batches")
    parser.add_argument("--threads", type=int, default=None, help="of the model")
    parser.add_argument("--cache", type=Path, help="where the model's graph is kept")
    options = parser.parse_args()
    if not options.captions.exists():
        print(f"skipped: no captions at {options.captions}; name a file of captions")
        return
    with gzip.open(options.captions, "rt", encoding="utf-8") as lines:
        texts = sorted({text for line in lines for text in json.loads(line)["captions"]})
    texts = texts[:: max(1, len(texts) // options.limit)][: options.limit]
    with tempfile.TemporaryDirectory() as scratch:
        measure(texts, threads=options.threads, cache=options.cache or Path(scratch))


def measure(texts: list[str], *, threads: int | None, cache: Path) -> None:
    """Print the first vector's delay, then both ways' captions a second and their ratio."""
    started = time.perf_counter()
    minilm = MiniLM(cache=cache, threads=threads)
    minilm.embed(["a door opens"])
    print(f"first vector after {time.perf_counter() - started:.2f} s")

    def one_at_a_time(some: list[str]) -> None:
        for text in some:
            minilm.embed([text])

    batched, single = Spent(), Spent()
    size = max(1, len(texts) // ROUNDS)
    for first in range(0, len(texts), size):
        batched.add(minilm.embed, texts[first : first + size])
        single.add(one_at_a_time, texts[first : first + max(1, size // 5)])
    print(f"in batches:    {batched}")
    print(f"one at a time: {single}")
    print(f"ratio:         {batched.per_s / single.per_s:.2f}")


class Spent:
    """Captions embedded, and the wall and processor seconds they took."""

    def __init__(self) -> None:
        self.captions = 0
        self.wall_s = 0.0
        self.cpu_s = 0.0

    def add(self, embed: Callable[[list[str]], object], texts: list[str]) -> None:
        """Embed some more texts."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        embed(texts)
        self.wall_s += time.perf_counter() - wall_s
        self.cpu_s += time.process_time() - cpu_s
        self.captions += len(texts)

    @property
    def per_s(self) -> float:
        """Captions a second of wall time."""
        return self.captions / self.wall_s

    def __str__(self) -> str:
        cpu_ms = 1000 * self.cpu_s / self.captions
        return f"{self.per_s:5.0f} captions/s, {cpu_ms:.2f} CPU-ms each ({self.captions} captions)"


if __name__ == "__main__":
    main()
