"""Claims on a server: of all who want the same, whatever home they have, one goes first."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner, WordEmbedder
from tests.patience import PATIENCE_S
from tools.errors import StoreBusyError
from tools.indexing.indexer import index_video
from tools.store.chroma import open_folder
from tools.store.server_claims import CLAIMS, server_claim
from tools.store.sessions import Connection
from tools.store.store import CaptionStore
from tools.video.reader import probe

WHAT = "describing road.mp4 with openai:tiny"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """Not a server's, but the same lines can be written to a folder."""
    with open_folder(tmp_path / "store", busy_timeout_s=60.0, on_wait=None) as opened:
        yield opened


def claimed(connection: Connection, key: str = "k", **options: Any) -> AbstractContextManager[bool]:
    return server_claim(connection, key, what=WHAT, **({"on_wait": None} | options))


def lines(connection: Connection) -> list[str]:
    with connection.session() as client:
        return client.get_or_create_collection(CLAIMS, embedding_function=None).get()["ids"]


def test_who_comes_second_is_told_and_goes_when_the_first_is_done(connection: Connection) -> None:
    told = threading.Event()
    said: list[str] = []
    order: list[str] = []

    def come_second() -> None:
        def hear(line: str) -> None:
            said.append(line)
            told.set()

        with claimed(connection, on_wait=hear) as has_waited:
            order.append(f"second, {has_waited}")

    second = threading.Thread(target=come_second)
    with claimed(connection) as has_waited:
        second.start()
        assert told.wait(PATIENCE_S)
        order.append(f"first, {has_waited}")
    second.join(PATIENCE_S)
    assert order == ["first, False", "second, True"]
    assert f"is already {WHAT}; waiting for it, so that nothing is paid for twice" in said[0]
    assert lines(connection) == []


def test_other_claims_do_not_wait(connection: Connection) -> None:
    with claimed(connection, "one"), claimed(connection, "other", patience_s=0.0) as has_waited:
        assert not has_waited


def test_patience_ends_and_leaves_nothing_behind(connection: Connection) -> None:
    with claimed(connection):
        with (
            pytest.raises(StoreBusyError, match=f"is still {WHAT}"),
            claimed(connection, patience_s=0.0),
        ):
            pass
        assert len(lines(connection)) == 1


def test_of_many_at_once_never_two_hold_it(connection: Connection) -> None:
    holders: list[int] = []
    most: list[int] = []
    begin = threading.Barrier(6)

    def come(number: int) -> None:
        begin.wait()
        with claimed(connection):
            holders.append(number)
            lines(connection)
            most.append(len(holders))
            holders.remove(number)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert most == [1] * 6


def test_a_holder_shows_that_it_is_alive(connection: Connection) -> None:
    def beat() -> Any:
        with connection.session() as client:
            found = client.get_collection(CLAIMS, embedding_function=None).get()["metadatas"] or []
        return found[0]["beat"]

    with claimed(connection, beat_s=0.01):
        first = beat()
        until = time.monotonic() + PATIENCE_S
        while beat() == first:
            assert time.monotonic() < until


def test_the_line_of_a_process_that_died_is_waited_for_and_then_removed(
    connection: Connection,
) -> None:
    with ExitStack() as dead:
        # It never beats, as if it had been killed.
        dead.enter_context(claimed(connection, beat_s=PATIENCE_S))
        with claimed(connection, dead_after_s=0.3) as has_waited:
            assert has_waited
            assert len(lines(connection)) == 1


@pytest.mark.slow
def test_two_homes_on_one_server_pay_once_for_a_video(server_url: str, tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "road.mp4", even_times(12, 1.0)))
    told, release = threading.Event(), threading.Event()
    asked: list[float] = []

    class Paid(BrightnessCaptioner):
        def describe(self, frames: Any, *, seen: Any) -> Any:
            for said in super().describe(frames, seen=seen):
                asked.append(said.time_s)
                if len(asked) > 1:
                    release.set()
                assert release.wait(PATIENCE_S)
                yield said

    def hear(line: str) -> None:
        assert "another process on" in line
        told.set()
        release.set()

    def index(home: str) -> None:
        where = tmp_path / home
        with CaptionStore.open(
            where, embedder=WordEmbedder.name, url=server_url, on_wait=hear
        ) as store:
            record = index_video(
                video,
                Paid(),
                rate_hz=1,
                store=store,
                embedder=WordEmbedder(),
                report=lambda _: None,
                every_frame=True,
                journals=where / "journals",
            )
            assert (record.complete, record.captions) == (True, 12)

    homes = [threading.Thread(target=index, args=(home,)) for home in ("one", "other")]
    for thread in homes:
        thread.start()
    for thread in homes:
        thread.join(PATIENCE_S)
    assert told.is_set()
    assert sorted(asked) == [float(second) for second in range(12)]
