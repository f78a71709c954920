"""kill -9 at any moment of an index that costs money: what had arrived is not paid for again."""

import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drawing import Picture, draw_video, even_times, halves
from tests.fakes import WordEmbedder
from tests.patience import PATIENCE_S
from tests.servers import Answer, Asked, Server, says, serving
from tests.tools.indexing import paid_index_alone
from tests.tools.indexing.paid_index_alone import IN_FLIGHT, INTERRUPTED
from tools.indexing.journal import Journal
from tools.store.store import CaptionStore
from tools.timeline import Caption
from tools.video.reader import probe

SECONDS = 300
KILLS = 20
ANSWER_S = 0.02


def numbered(index: int) -> Picture:
    """A picture that tells its number, up to 400."""
    top, bottom = (20 + 10 * digit for digit in divmod(index, 20))
    return halves((top,) * 3, (bottom,) * 3)


def second_of(asked: Asked) -> int:
    rows = asked.images[0].mean(axis=(1, 2))
    top, bottom = rows[: len(rows) // 2 - 4].mean(), rows[len(rows) // 2 + 4 :].mean()
    return round((float(top) - 20) / 10) * 20 + round((float(bottom) - 20) / 10)


class Service:
    """Answers with the number of the picture, and knows which it was asked for since when.

    Attributes:
        asked: The numbers, in the order in which it was asked for them.
        most: How many requests are answered; later ones wait until it is raised.
    """

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.most: float = math.inf
        self._change = threading.Condition()

    def __call__(self, asked: Asked) -> Answer:
        second = second_of(asked)
        with self._change:
            self.asked.append(second)
            place = len(self.asked)
            self._change.notify_all()
            self._change.wait_for(lambda: place <= self.most, timeout=PATIENCE_S)
        time.sleep(ANSWER_S)
        return says(f"second {second}")

    def answer_no_more_than(self, times: float) -> None:
        with self._change:
            self.most = times
            self._change.notify_all()

    def wait_until_asked(self, times: int) -> bool:
        with self._change:
            return self._change.wait_for(lambda: len(self.asked) >= times, timeout=PATIENCE_S)


class Forks:
    """The process that indexes in one new process after the other."""

    def __init__(self, folder: Path, film: Path, server: Server) -> None:
        self.url = server.url
        self._parent = subprocess.Popen(
            [sys.executable, "-m", paid_index_alone.__name__, str(folder), str(film), server.url],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def begin(self) -> int:
        assert self._parent.stdin is not None
        self._parent.stdin.write("go\n")
        self._parent.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        return int(self._line())

    def close(self) -> None:
        self._parent.communicate()

    def _line(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline().strip()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return draw_video(path, even_times(SECONDS, 1), picture=numbered)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def forks(film: Path, service: Service, tmp_path: Path) -> Iterator[Forks]:
    with serving(service) as server:
        running = Forks(tmp_path, film, server)
        yield running
        running.close()


def stored(folder: Path, film: Path) -> list[Caption]:
    with CaptionStore.open(folder / "store", embedder=WordEmbedder.name) as store:
        (record,) = store.records(probe(film).id)
        return [*store.read(record.video_id, record.track)[0]]


def known(folder: Path, film: Path) -> set[int]:
    """The seconds whose captions are on disk, in the store or in the journal."""
    with CaptionStore.open(folder / "store", embedder=WordEmbedder.name) as store:
        records = store.records(probe(film).id)
        if not records:
            return set()
        journal = Journal(folder / "journals", video_id=records[0].video_id, track=records[0].track)
        starts = store.seen_starts(records[0].video_id, records[0].track)
        return {round(one) for one in starts | {said.time_s for said in journal.read()}}


@pytest.mark.slow
def test_killed_at_twenty_random_moments_it_pays_for_nothing_twice_that_had_arrived(
    forks: Forks, service: Service, film: Path, tmp_path: Path
) -> None:
    chance = random.Random(6)
    for _ in range(KILLS):
        before, known_before = len(service.asked), known(tmp_path, film)
        wanted = before + chance.randint(1, 12)
        # However late the signal comes, there is something left to describe.
        service.answer_no_more_than(wanted + 2)
        process = forks.begin()
        assert service.wait_until_asked(wanted)
        time.sleep(chance.uniform(0, 0.03))
        os.kill(process, signal.SIGKILL)
        assert forks.end() == -signal.SIGKILL
        asked = set(service.asked[before:])
        assert not asked & known_before, "what was on disk was asked for again"
        # No call is begun before the last result of its thread is written down.
        assert len(asked - known(tmp_path, film)) <= IN_FLIGHT
    service.answer_no_more_than(math.inf)
    forks.begin()
    assert forks.end() == 0
    assert set(service.asked) == set(range(SECONDS))
    assert len(service.asked) <= SECONDS + KILLS * IN_FLIGHT
    captions = stored(tmp_path, film)
    assert [caption.text for caption in captions] == [f"second {n}" for n in range(SECONDS)]
    paid_index_alone.index(tmp_path / "undisturbed", film, forks.url)
    assert captions == stored(tmp_path / "undisturbed", film)
    assert list((tmp_path / "journals").iterdir()) == []


@pytest.mark.slow
def test_interrupted_it_stores_all_that_it_asked_for_and_goes_on_from_there(
    forks: Forks, service: Service, film: Path, tmp_path: Path
) -> None:
    for asked_before in (1, 40, 170):
        process = forks.begin()
        assert service.wait_until_asked(asked_before)
        os.kill(process, signal.SIGINT)
        assert forks.end() == INTERRUPTED
        assert len(service.asked) < SECONDS
        stored_seconds = {round(caption.start_s) for caption in stored(tmp_path, film)}
        assert stored_seconds == set(service.asked)
        assert not any((tmp_path / "journals").iterdir())
    forks.begin()
    assert forks.end() == 0
    assert sorted(service.asked) == list(range(SECONDS))
    assert len(stored(tmp_path, film)) == SECONDS
