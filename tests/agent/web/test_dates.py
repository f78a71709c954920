"""Files of any date are sent, and a clock that is set back does not mix up what was asked."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from agent.web import asking
from agent.web.rooms import Rooms
from tests.agent.web.serving import API, describe, video_id

DAY_S = 86_400


@pytest.mark.parametrize("years", [-200, 0, 130, 9_000, 30_000])
def test_a_file_of_any_date_is_sent(client: TestClient, folder: Path, years: int) -> None:
    video = video_id(client)
    try:
        os.utime(folder / "road.mp4", (0, years * 365 * DAY_S))
    except OSError:
        pytest.skip("this file system knows no such date")
    sent = client.get(f"{API}/videos/{video}/file")
    assert sent.status_code == 200
    assert sent.content == (folder / "road.mp4").read_bytes()
    known = {"if-none-match": sent.headers["etag"]}
    assert client.get(f"{API}/videos/{video}/file", headers=known).status_code == 304
    assert client.get(f"{API}/videos/{video}/thumbnail", params={"t": 1}).status_code == 200


def test_the_latest_answer_is_the_last_even_if_the_clock_is_set_back(
    client: TestClient, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = video_id(client)
    describe(client, video)
    asked = {"query": "a bright picture"}
    ids = []
    for days in (0, -400, -400):
        now = datetime.now(UTC) + timedelta(days=days)
        monkeypatch.setattr(asking, "datetime", SimpleNamespace(now=lambda _, now=now: now))
        ids.append(client.post(f"{API}/videos/{video}/ask", json=asked).json()["id"])
    rooms.asker.sweep()
    told = [one.id for one in rooms.asker.answers(video, limit=3)]
    assert told == ids[::-1]
    monkeypatch.setattr(asking, "KEPT_ANSWERS", 1)
    rooms.asker.sweep()
    assert [one.id for one in rooms.asker.answers(video, limit=3)] == ids[-1:]
