"""What a store takes on the disk, for 1,000 captions, and what it is made of.

    python benchmarks/store_size.py [--captions 3600]

Captions of 80 characters with vectors of 384 numbers are added as an index adds them, and the store
is closed. The bar is 2.5 MB for 1,000 captions, of which the vectors alone are 1.54.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from tools.indexing.caption_writer import BATCH_CAPTIONS
from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval, Track

WORDS = "man woman dog car street table red blue walks sits holds looks opens closes".split()
DIMENSION = 384
TRACK = Track("openai:gpt-5-mini", "a1b2c3d4", "frame@1/s d2")
MB = 1e6


def fill(folder: Path, count: int) -> None:
    """Add captions in batches, and close the store."""
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    captions = [
        Caption("ab" * 16, Interval(n, n + 1), " ".join(chance.choice(WORDS, 16)), "vision", TRACK)
        for n in range(count)
    ]
    with CaptionStore.open(folder, embedder="minilm") as store:
        for first in range(0, count, BATCH_CAPTIONS):
            batch = slice(first, first + BATCH_CAPTIONS)
            store.add(captions[batch], vectors[batch])


def main() -> None:
    """Fill a store, and print what it takes."""
    parser = argparse.ArgumentParser(description="Measure what a store takes on the disk.")
    parser.add_argument("--captions", type=int, default=3600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fill(folder, options.captions)
        sizes = {file: file.stat().st_size for file in folder.rglob("*") if file.is_file()}
        each = 1000 / options.captions / MB
        print(f"{sum(sizes.values()) * each:.2f} MB for 1,000 captions")
        for file, size in sorted(sizes.items(), key=lambda one: -one[1])[:3]:
            print(f"  {size * each:.2f}  {file.name}")
        with (
            suppress(sqlite3.Error),  # Not every SQLite can tell.
            closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection,
        ):
            for name, size in connection.execute(
                "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 12"
            ):
                print(f"    {size * each:.2f}  {name}")


if __name__ == "__main__":
    main()
