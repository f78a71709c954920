"""Milliseconds of CPU to ask captions of hours: one video of an hour, and a whole library.

    python benchmarks/library.py [--hours 1 10 100] [--store FOLDER]

A library is made of videos of an hour with one made-up caption a second, no two of them the same:
scenes of eight seconds whose captions share most of their words, and whose embeddings are alike.
Words are drawn from those that the built-in embedder knows, common ones often and rare ones seldom,
as people write. A library is written to a store once (100 hours are 360,000 captions, which takes
ten minutes and 1.5 GB; --store keeps them) and asked in a process that is warm: whose store is open
and whose embedder is loaded. Two things are timed:

- ``ask``: a question about one of the videos through the whole graph, without a text model. It was
  asked about before, so that its captions are in memory.
- ``library``: the same question to all videos, each time about another one.
"""

import argparse
import os
import zlib

# Before numpy is imported: it reads this once.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.graph.dependencies import Dependencies
from agent.graph.graph import build_graph
from agent.graph.state import Question
from agent.grounding import Cost
from agent.reasoning.brief import SimilarityReasoner
from tools.retrieval.library_search import search_library
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

HOUR_S = 3600
SCENE_S = 8
DIMENSION = 384
TRACK = Track("made-up", "", "file")
ASKED = 20
ASK_LIMIT_MS = 60.0
LIBRARY_LIMIT_MS = 250.0
GROWTH_LIMIT = 4.0


NAMES = 1999
"""Rare words, two of which name a scene; a prime, so that neighbouring scenes share none."""

STRIDE = 7919
DRAWN = 6
"""Words of a caption that are drawn for its scene."""


@cache
def vocabulary() -> list[str]:
    """Words, common ones first."""
    lines = files("tools.embedders").joinpath("vocabulary.txt").read_text("utf-8").split()
    return [one for one in lines if one.isalpha() and one.isascii() and len(one) > 2]


@cache
def places_of_names() -> dict[str, int]:
    """The number of each word that names scenes."""
    return {word: at for at, word in enumerate(vocabulary()[-NAMES:])}


class MadeUpEmbedder:
    """Each scene is a direction, and so is a question about it; takes as long as MiniLM does."""

    name = "minilm of nobody"
    dimension = DIMENSION
    takes_s = 0.0005

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts: those that name a scene by it, others anywhere."""
        time.sleep(self.takes_s * sum(len(text.split()) for text in texts))
        return np.stack([direction(_scene_of(text), spread=0.5, seed=1) for text in texts])


def _scene_of(text: str) -> int:
    numbers = [places_of_names().get(word) for word in text.split()]
    for first, second in pairwise(numbers):
        if first is not None and second is not None:
            return (first * NAMES + second) * pow(STRIDE, -1, NAMES**2) % NAMES**2
    return zlib.crc32(text.encode())


def direction(scene: int, *, spread: float, seed: int) -> NDArray[np.float32]:
    """A scene's unit vector with noise beside it; nothing two scenes share but a common mean."""
    vector = np.random.default_rng(scene).standard_normal(DIMENSION) + 1.0
    vector += spread * np.random.default_rng([scene, seed]).standard_normal(DIMENSION)
    unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return unit.astype(np.float32)


def scene_words(scene: int) -> list[str]:
    """What names a scene, and what else is in it."""
    names = [list(places_of_names())[at] for at in divmod(scene * STRIDE % NAMES**2, NAMES)]
    return names + drawn(np.random.default_rng(scene), DRAWN)


def drawn(rng: np.random.Generator, count: int) -> list[str]:
    """Words as people use them: each tenfold of the list is used as often as the next."""
    known = vocabulary()
    return [known[int(len(known) ** share) - 1] for share in rng.random(count)]


def scene_text(scene: int) -> str:
    """A question about a scene."""
    first, second, thing, _, place, *_ = scene_words(scene)
    return f"a {first} {second} {thing} in the {place}"


def caption_text(scene: int, second: int) -> str:
    """What is said of one second of it: most of its words, and some that only this caption says."""
    rng = np.random.default_rng([scene, second])
    first, name, *words = scene_words(scene)
    own = drawn(rng, 4)
    for at in rng.integers(0, DRAWN, 2).tolist():
        words[at] = own.pop()
    thing, deed, place, look, other, last = words
    more = " ".join(own)
    return (
        f"a {first} {name} {thing} {deed} in the {place} with a {look} {other} and {more}, while "
        f"the {last} is seen"
    )


def write(store: CaptionStore, number: int) -> VideoRecord:
    """Put video ``number`` into the store, unless it is there."""
    video_id = f"hour-{number:03}"
    record = VideoRecord(
        video_id, f"/{video_id}.mp4", float(HOUR_S), TRACK, 1.0, True, "", "", HOUR_S
    )
    if store.count(video_id, TRACK) < HOUR_S:
        scenes = [(number * HOUR_S + second) // SCENE_S for second in range(HOUR_S)]
        captions = [
            Caption(
                video_id,
                Interval(second, second + 1),
                caption_text(scenes[second], second),
                "vision",
                TRACK,
            )
            for second in range(HOUR_S)
        ]
        vectors = [
            direction(scene, spread=0.3, seed=2 + second % SCENE_S)
            for second, scene in enumerate(scenes)
        ]
        store.add(captions, np.stack(vectors))
        store.put_record(record)
    return record


def median_ms(work: Callable[[int], object], *, rounds: int = ASKED) -> float:
    """Median CPU time of one call, after three that do not count."""
    spent_ms = []
    for turn in range(-3, rounds):
        started_s = time.process_time()
        work(turn)
        spent_ms.append(1000 * (time.process_time() - started_s))
    return statistics.median(spent_ms[3:])


def measure(hours: int, folder: Path) -> tuple[float, float]:
    """Milliseconds of CPU of ``ask`` and of ``library``."""
    embedder = MadeUpEmbedder()
    with CaptionStore.open(folder, embedder=embedder.name) as store:
        if (there := len(store.records())) > hours:
            sys.exit(f"the store in {folder} holds {there} hours already; ask for no fewer")
        records = [write(store, number) for number in range(hours)]
        graph = build_graph(
            Dependencies(
                watch=lambda *_, **__: (records[0], Cost()),
                store=store,
                embedder=embedder,
                reasoner=SimilarityReasoner(),
            )
        )
        rng = np.random.default_rng(hours)
        places = rng.integers(0, HOUR_S // SCENE_S, ASKED + 3)
        videos = rng.integers(0, hours, ASKED + 3)
        right = 0

        def ask(turn: int) -> None:
            question = Question(video="hour-000", query=scene_text(int(places[turn])))
            list(graph.stream(question, stream_mode="values"))

        def ask_library(turn: int) -> None:
            nonlocal right
            scene = int(videos[turn]) * HOUR_S // SCENE_S + int(places[turn])
            ranked = search_library(scene_text(scene), records, store=store, embedder=embedder)
            best = ranked.answers[0]
            span = Interval(places[turn] * SCENE_S, (places[turn] + 1) * SCENE_S)
            is_there = best.record == records[videos[turn]]
            right += is_there and best.ranking.windows[0].span.iou(span) > 0.5

        figures = median_ms(ask), median_ms(ask_library)
    print(
        f"{hours:4} h, {hours * HOUR_S:6} captions: "
        f"ask one video {figures[0]:4.0f} ms (limit {ASK_LIMIT_MS:.0f}), "
        f"ask all {figures[1]:4.0f} ms (limit {LIBRARY_LIMIT_MS:.0f}); "
        f"{right} of {ASKED + 3} found first",
        flush=True,
    )
    return figures


@contextmanager
def folder_of(kept: Path | None) -> Iterator[Path]:
    """The folder to keep stores in, or one that goes away."""
    if kept:
        yield kept
    else:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)


def main() -> int:
    """Print one line for each size, and how much longer the largest takes."""
    parser = argparse.ArgumentParser(description="Time questions to captions of hours.")
    parser.add_argument("--hours", type=int, nargs="+", default=[1, 10], help="sizes")
    parser.add_argument("--store", type=Path, help="folder that keeps what was written")
    options = parser.parse_args()
    taken_ms = {}
    with folder_of(options.store) as folder:
        for hours in sorted(options.hours):
            taken_ms[hours] = measure(hours, folder)[1]
    least, most = min(taken_ms), max(taken_ms)
    if least < most:
        growth = taken_ms[most] / taken_ms[least]
        print(f"{most} h take {growth:.1f} times as long as {least} h (limit {GROWTH_LIMIT:.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
