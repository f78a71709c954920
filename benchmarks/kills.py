"""Kill indexes and forgets at random moments, and see that nothing is lost, left or paid for twice.

A captioner that costs money writes down every frame that it is asked for. Processes are killed with
SIGKILL, or stopped by a ``forget`` beside them; then the video is indexed to its end, and the store
is compared with one that nobody disturbed::

    python benchmarks/kills.py
    python benchmarks/kills.py --kills 100 --seconds 240
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import numpy as np
from numpy.typing import NDArray

from tools.captioners.protocol import Description
from tools.errors import ForgottenError
from tools.indexing.indexer import index_video
from tools.indexing.journal import Journal, delete_journals
from tools.llm.prices import TokenUsage
from tools.store.store import CaptionStore
from tools.timeline import Caption, Frame
from tools.video.reader import probe

FRAME_S = 0.02
FORGOTTEN, DONE = 3, 0


class Paid:
    """Says how bright a frame is, and writes down that it was asked."""

    model, prompt_version, mode = "paid", "v1", "frame"
    needs_every_frame = True

    def __init__(self, ledger: Path) -> None:
        self.usage = TokenUsage(usd=0.0)
        self._ledger = ledger

    def describe(self, frames: Iterable[Frame], *, seen: Container[float]) -> Iterator[Description]:
        with self._ledger.open("a", buffering=1, encoding="utf-8") as ledger:
            for frame in frames:
                if frame.time_s in seen:
                    continue
                ledger.write(f"{frame.time_s}\n")
                time.sleep(FRAME_S)
                text = f"zebra of brightness {frame.image.mean():.1f} at {frame.time_s:.0f}"
                yield Description(frame.time_s, text, "vision")


class Letters:
    """Embeds a text by its letters."""

    name, dimension = "letters", 32

    def embed(self, texts: Iterable[str]) -> NDArray[np.float32]:
        rows = [np.bincount([ord(char) % 32 for char in text], minlength=32) for text in texts]
        vectors = np.array(rows, np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


class Place:
    """A home with a store, journals and the captioner's ledger."""

    def __init__(self, home: Path, film: Path) -> None:
        self.home, self.film, self.video = home, film, probe(film)
        self.ledger, self.journals = home / "ledger", home / "journals"
        home.mkdir()
        self.ledger.touch()

    def open(self) -> CaptionStore:
        return CaptionStore.open(self.home / "store", embedder=Letters.name)

    def index(self) -> int:
        try:
            with self.open() as store:
                index_video(
                    self.video,
                    Paid(self.ledger),
                    rate_hz=1,
                    store=store,
                    embedder=Letters(),
                    report=lambda _: None,
                    every_frame=True,
                    journals=self.journals,
                )
        except ForgottenError:
            return FORGOTTEN
        return DONE

    def forget(self) -> int:
        with self.open() as store:
            store.forget(self.video.id, also=lambda: delete_journals(self.journals, self.video.id))
        return DONE

    def captions(self) -> list[Caption]:
        with self.open() as store:
            records = store.records(self.video.id)
            return [one for record in records for one in store.read(self.video.id, record.track)[0]]

    def is_complete(self) -> bool:
        with self.open() as store:
            return any(record.complete for record in store.records(self.video.id))

    def on_disk(self) -> set[float]:
        """Times of frames whose captions were kept, in the store or the journal."""
        with self.open() as store:
            kept: set[float] = set()
            for record in store.records(self.video.id):
                journal = Journal(self.journals, video_id=self.video.id, track=record.track)
                kept |= store.seen_starts(self.video.id, record.track)
                kept |= {said.time_s for said in journal.read()}
            return kept

    def asked(self) -> list[float]:
        return [float(line) for line in self.ledger.read_text().split()]

    def leftovers(self) -> list[str]:
        """Files that still say something of the video; they are named."""
        found = [
            str(one.relative_to(self.home))
            for one in self.home.rglob("*")
            if one.is_file() and one != self.ledger and b"zebra" in one.read_bytes()
        ]
        for one in found:
            print(f"  text is left in {one}")
        return found


def main() -> int:
    """Read the options, kill, print; 1 if anything was lost, left or paid for twice."""
    parser = argparse.ArgumentParser(description="Kill indexes and forgets at random moments.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=150, help="of video, a frame each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trial", choices=TRIALS, action="append", help="by default all")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311
    with tempfile.TemporaryDirectory(prefix="whenabouts-kills-") as scratch:
        film = draw(Path(scratch) / "film.mp4", options.seconds)
        undisturbed = Place(Path(scratch) / "undisturbed", film)
        started_s = time.monotonic()
        run(undisturbed.index)
        index_s = time.monotonic() - started_s
        wanted = undisturbed.captions()
        assert len(wanted) == options.seconds
        bad = 0
        for number, trial in enumerate(options.trial or TRIALS):
            place = Place(Path(scratch) / str(number), film)
            bad += TRIALS[trial](place, wanted, options.kills, index_s, chance)
    return 1 if bad else 0


def kill_index(
    place: Place, wanted: list[Caption], kills: int, index_s: float, chance: random.Random
) -> int:
    """Kill the index of one video again and again, and at last let it finish."""
    twice = 0
    for _ in range(kills):
        kept, before = place.on_disk(), len(place.asked())
        child = begin(place.index)
        time.sleep(chance.uniform(0.1, 0.5) * index_s)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        twice += len(set(place.asked()[before:]) & kept)
        if len(place.on_disk()) > 0.8 * len(wanted):
            place.forget()
    run(place.index)
    same = place.captions() == wanted and place.is_complete()
    print(f"{kills} × kill index: equal {same}, {twice} paid for twice that had been kept")
    return int(not same) + twice


def kill_forget(
    place: Place, wanted: list[Caption], kills: int, _: float, chance: random.Random
) -> int:
    """Kill a forget, then forget again; then index again."""
    run(place.index)
    started_s = time.monotonic()
    run(place.forget)
    forget_s = time.monotonic() - started_s
    wrong = left = 0
    for _ in range(kills):
        run(place.index)
        child = begin(place.forget)
        time.sleep(chance.uniform(0.0, 1.0) * forget_s)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        whole = place.captions() == wanted
        wrong += place.is_complete() and not whole
        run(place.forget)
        left += len(place.leftovers())
        wrong += place.captions() != []
    run(place.index)
    same = place.captions() == wanted and place.is_complete()
    print(f"{kills} × kill forget: equal {same}, {wrong} wrong states, {left} files with text left")
    return int(not same) + wrong + left


def forget_beside(
    place: Place, wanted: list[Caption], kills: int, index_s: float, chance: random.Random
) -> int:
    """Forget while an index runs, killing one of the two now and then."""
    wrong = left = 0
    ends: Counter[int] = Counter()
    for number in range(kills):
        indexing = begin(place.index)
        time.sleep(chance.uniform(0.05, 0.9) * index_s)
        forgetting = begin(place.forget)
        if number % 3:
            time.sleep(chance.uniform(0.0, 0.2))
            os.kill((indexing, forgetting)[number % 2], signal.SIGKILL)
        for child in (forgetting, indexing):
            ends[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])] += 1
        wrong += place.is_complete() and place.captions() != wanted
        if number % 3 == 0 and not place.is_complete():
            left += len(place.leftovers())
        run(place.index)
        wrong += place.captions() != wanted or not place.is_complete()
        run(place.forget)
        left += len(place.leftovers())
    run(place.index)
    same = place.captions() == wanted and place.is_complete()
    print(
        f"{kills} × forget beside index: equal {same}, {wrong} wrong states, {left} files with "
        f"text left, {ends[FORGOTTEN]} indexes were told"
    )
    return int(not same) + wrong + left


def two_at_once(
    place: Place, wanted: list[Caption], kills: int, _: float, __: random.Random
) -> int:
    """Two processes index one video at once."""
    times, twice, wrong = max(1, kills // 4), 0, 0
    for _ in range(times):
        before = len(place.asked())
        children = [begin(place.index), begin(place.index)]
        for child in children:
            wrong += os.waitpid(child, 0)[1] != 0
        asked = Counter(place.asked()[before:])
        twice += sum(count - 1 for count in asked.values())
        wrong += place.captions() != wanted
        run(place.forget)
    print(f"{times} × two at once: {twice} paid for twice, {wrong} wrong states")
    return twice + wrong


TRIALS: dict[str, Callable[[Place, list[Caption], int, float, random.Random], int]] = {
    "kill-index": kill_index,
    "kill-forget": kill_forget,
    "forget-beside": forget_beside,
    "two-at-once": two_at_once,
}


def begin(act: Callable[[], int]) -> int:
    """Do something in a process of its own; returns its id."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = act()
        finally:
            os._exit(code)
    return child


def run(act: Callable[[], int]) -> None:
    """Do something in a process of its own, and wait for it."""
    _, status = os.waitpid(begin(act), 0)
    if status:
        raise RuntimeError(f"{act} ended with {os.waitstatus_to_exitcode(status)}")


def draw(path: Path, seconds: int) -> Path:
    """A video of one frame a second, each of another brightness."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(seconds):
            image = np.full((64, 64, 3), number % 250, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    sys.exit(main())
