"""A Chroma server of which one reply is not as it should be: an error says so, and no other."""

import http.client
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.listening import Handler, listening
from tests.tiers import first_fast
from tools.errors import WhenaboutsError
from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval, Track

pytestmark = pytest.mark.slow

TRACK = Track("m", "v", "frame@1/s")
COUNT = 6
VALUES = [None, 0, -1, "x", [], {}, True, 1e308, [None], float("nan"), [1, 2, 3], {"a": 1}]

Spoil = Callable[[bytes], bytes]


@contextmanager
def passing_on(url: str, spoil: Callable[[int, bytes], bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server that passes requests on, and the replies through a function of their number."""
    server_of = urlsplit(url).netloc
    asked: list[str] = []

    class Between(Handler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.body()
            connection = http.client.HTTPConnection(server_of)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = spoil(len(asked), answer.read())
            asked.append(self.path)
            kind = answer.getheader("content-type") or ""
            self.send(content, answer.status, content_type=kind)
            connection.close()

        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def do_DELETE(self) -> None:
            self._pass_on()

    with listening(Between) as between:
        yield between, asked


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a JSON value."""
    if above:
        yield above
    inside: Sequence[Any] = ()
    if isinstance(value, dict):
        inside = list(value)
    elif isinstance(value, list):
        inside = range(min(3, len(value)))
    for key in inside:
        yield from places(value[key], (*above, key))


def spoiled(content: bytes, chance: random.Random) -> bytes:
    """A reply that breaks off, or in which something is missing, doubled, moved or odd."""
    if chance.random() < 0.1:
        return content[: len(content) // 2]
    try:
        value = json.loads(content)
    except ValueError:
        return b"null"
    ways = list(places(value))
    if not ways:
        return json.dumps(chance.choice(VALUES)).encode()
    *above, last = chance.choice(ways)
    around = value
    for key in above:
        around = around[key]
    way = chance.randrange(4)
    if way == 0:
        del around[last]
    elif way == 1 and isinstance(around, list):
        chance.shuffle(around)
    elif way == 2 and isinstance(around, list):
        around.append(around[last])
    else:
        around[last] = chance.choice(VALUES)
    return json.dumps(value).encode()


def use(url: str, folder: Path, video_id: str) -> None:
    """Write, read, search and forget."""
    captions = [
        Caption(video_id, Interval(float(at), at + 1.0), f"caption {at}", "vision", TRACK)
        for at in range(COUNT)
    ]
    with CaptionStore.open(folder, embedder="e", url=url) as store:
        store.records()
        store.add(captions, np.eye(COUNT, dtype=np.float32) + 0.1)
        read, vectors = store.read(video_id, TRACK)
        assert len(read) == len(vectors)
        store.seen_starts(video_id, TRACK)
        store.gaps(video_id, TRACK)
        store.search(np.ones(COUNT, np.float32), limit=4)
        store.forget(video_id)


@pytest.mark.parametrize("seed", first_fast(*range(4)))
def test_a_spoiled_reply_is_told_as_that_or_does_no_harm(
    seed: int, server_url: str, tmp_path: Path
) -> None:
    with passing_on(server_url, lambda _, content: content) as (url, asked):
        use(url, tmp_path, f"whole{seed}")
        requests = len(asked)
    chance = random.Random(seed)
    complaints: list[str] = []
    for number in range(8):
        which = chance.randrange(requests)

        def spoil(place: int, content: bytes, which: int = which) -> bytes:
            return spoiled(content, chance) if place == which else content

        with passing_on(server_url, spoil) as (url, _):
            try:
                use(url, tmp_path, f"v{seed}-{number}")
            except WhenaboutsError as exc:
                complaints.append(str(exc))
    assert complaints
    assert all("Chroma" in said or "caption" in said for said in complaints)
