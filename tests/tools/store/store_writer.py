"""Adds the same captions every time, as a process of its own that tests can watch and kill."""

import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval, Track

TRACK = Track("scripted", "", "frame@3/s")
DIMENSION = 8
BATCH = 32
ROUNDED = 5e-4
"""By how much a number of a unit vector may change when it is stored: it is read to 16 bits."""


def captions_of(video_id: str, count: int) -> list[Caption]:
    return [
        Caption(video_id, Interval(n / 3, (n + 1) / 3), f"{video_id} {n}", "vision", TRACK)
        for n in range(count)
    ]


def vectors_of(video_id: str, count: int) -> NDArray[np.float32]:
    random = np.random.default_rng(zlib.crc32(video_id.encode()))
    vectors = random.normal(size=(count, DIMENSION))
    unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32)


def main(folder: str, video_id: str, count: int) -> None:
    """Add the captions in batches, with a line on stdout after each."""
    captions, vectors = captions_of(video_id, count), vectors_of(video_id, count)
    with CaptionStore.open(Path(folder), embedder="minilm") as store:
        for first in range(0, count, BATCH):
            store.add(captions[first : first + BATCH], vectors[first : first + BATCH])
            sys.stdout.write("batch\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
