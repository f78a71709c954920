"""Milliseconds to ground a query on given embeddings, one thread, and the memory it takes.

    python benchmarks/ground_queries.py

Made-up captions: 150 s at one caption every 2 s (75), and 10 hours of them (18,000). The baseline,
timed in the same run, is the least that any grounder does: the cosine of every caption, and a sort.
"""

import os

# Before numpy is imported: it reads this once.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tools.grounding.grounder import ground
from tools.timeline import Caption, Interval, Track

STEP_S = 2.0
DIMENSION = 384
SCENE_CAPTIONS = 8
TRACK = Track("made-up", "", "file")
LIMITS_MS = {75: 10.0, 18_000: 300.0}
LIMIT_MB = 500.0
BACKGROUND_TEXTS = 40


def made_up(count: int) -> tuple[list[Caption], NDArray[np.float32]]:
    """Captions in scenes of eight alike, with unit embeddings ``(count, 384)``."""
    rng = np.random.default_rng(count)
    scenes = rng.standard_normal((count // SCENE_CAPTIONS + 1, DIMENSION))
    of_scene = np.arange(count) // SCENE_CAPTIONS
    vectors = scenes[of_scene] + 0.5 * rng.standard_normal((count, DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = np.array("man woman dog car street table red blue walks sits holds looks".split())
    captions = [
        Caption(
            "video",
            Interval(STEP_S * index, STEP_S * (index + 1)),
            f"scene {of_scene[index]}: " + " ".join(rng.choice(words, 8)),
            "vision",
            TRACK,
        )
        for index in range(count)
    ]
    return captions, vectors.astype(np.float32)


def median_ms(work: Callable[[], object], *, rounds: int) -> float:
    """Median wall time of one call."""
    spent_ms = []
    for _ in range(rounds):
        started_s = time.perf_counter()
        work()
        spent_ms.append(1000 * (time.perf_counter() - started_s))
    return statistics.median(spent_ms)


def main() -> None:
    """Print one line for each length."""
    background = made_up(BACKGROUND_TEXTS)[1]
    for count, limit_ms in LIMITS_MS.items():
        captions, vectors = made_up(count)
        query = vectors[count // 2]
        duration_s = count * STEP_S

        def grounded(
            captions: list[Caption] = captions,
            vectors: NDArray[np.float32] = vectors,
            query: NDArray[np.float32] = query,
            duration_s: float = duration_s,
        ) -> object:
            return ground(
                "a man walks a dog",
                query,
                captions,
                vectors,
                duration_s=duration_s,
                background=background,
            )

        def sorted_cosine(
            vectors: NDArray[np.float32] = vectors, query: NDArray[np.float32] = query
        ) -> object:
            return np.argsort(-(vectors @ query))

        grounded()
        spent_ms = median_ms(grounded, rounds=5 if count > 1000 else 50)
        baseline_ms = median_ms(sorted_cosine, rounds=50)
        tracemalloc.start()
        grounded()
        peak_mb = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(
            f"{count:6} captions: {spent_ms:6.1f} ms a query (limit {limit_ms:.0f}), "
            f"{spent_ms / baseline_ms:.0f} times the cosines alone; "
            f"{peak_mb:.0f} MB at its peak (limit {LIMIT_MB:.0f})"
        )


if __name__ == "__main__":
    main()
