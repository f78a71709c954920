"""Index jobs: cancelled, failed, and taken up by the next server."""

import json
import threading
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.web.rooms import Rooms
from tests.agent.web.serving import API, client_of, describe, events_of, video_id
from tests.fakes import BrightnessCaptioner
from tests.patience import PATIENCE_S
from tools.llm.retries import Retry, tell_retry

pytestmark = pytest.mark.slow


class Held:
    """Holds a captioner before its third description."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, said: int) -> None:
        if said == 3:
            self.reached.set()
            self.go_on.wait(PATIENCE_S)


def test_a_cancelled_job_keeps_what_was_described_and_the_next_one_goes_on(folder: Path) -> None:
    held = Held()
    captioner = BrightnessCaptioner(before_saying=held)
    with (
        Grounder(captioner=captioner) as grounder,
        client_of(Rooms(grounder, [folder])) as client,
    ):
        video = video_id(client)
        job = client.post(f"{API}/jobs", json={"video": video}).json()
        assert held.reached.wait(PATIENCE_S)
        told = client.post(f"{API}/jobs/{job['id']}/cancel").json()
        assert told["state"] == "cancelled"
        held.go_on.set()
        assert describe(client, video)["state"] == "done"
        assert len(captioner.described_s) == len(set(captioner.described_s)) == 6
        assert client.get(f"{API}/jobs/{job['id']}").json()["state"] == "cancelled"


def test_a_job_tells_that_a_service_is_asked_again_until_it_goes_on(folder: Path) -> None:
    goes_on = threading.Event()

    def say(said: int) -> None:
        if said == 0:
            tell_retry(Retry("no answer from http://x", attempt=2, attempts=3, wait_s=1.0))
            goes_on.wait(PATIENCE_S)

    captioner = BrightnessCaptioner(before_saying=say)
    with (
        Grounder(captioner=captioner) as grounder,
        client_of(Rooms(grounder, [folder])) as client,
    ):
        job = client.post(f"{API}/jobs", json={"video": video_id(client)}).json()
        told = job
        while told["state"] != "done" and not told["message"]:
            told = client.get(f"{API}/jobs/{job['id']}").json()
        goes_on.set()
        ended = events_of(client, "GET", f"{API}/jobs/{job['id']}/events")[-1][1]
    assert told["state"] == "running"
    assert told["message"] == "no answer from http://x; trying again (2 of 3)"
    assert (ended["state"], ended["message"]) == ("done", "")


def test_a_job_that_a_stop_interrupted_is_taken_up_by_the_next_server(folder: Path) -> None:
    held = Held()
    with Grounder(captioner=BrightnessCaptioner(before_saying=held)) as grounder:
        rooms = Rooms(grounder, [folder])
        with client_of(rooms) as client:
            job = client.post(f"{API}/jobs", json={"video": video_id(client)}).json()
            assert held.reached.wait(PATIENCE_S)
            threading.Timer(0.0, held.go_on.set).start()
    after = BrightnessCaptioner()
    with (
        Grounder(captioner=after) as grounder,
        client_of(Rooms(grounder, [folder])) as client,
    ):
        ended = events_of(client, "GET", f"{API}/jobs/{job['id']}/events")[-1][1]
        assert ended["state"] == "done"
        (record,) = grounder.records()
    assert record.complete


def test_a_video_that_cannot_be_described_fails_with_a_sentence_and_the_next_one_goes_on(
    folder: Path,
) -> None:
    (folder / "broken.mp4").write_bytes(b"no video")
    with (
        Grounder(captioner=BrightnessCaptioner()) as grounder,
        client_of(Rooms(grounder, [folder])) as client,
    ):
        card = next(c for c in client.get(f"{API}/videos").json() if c["name"] == "broken.mp4")
        assert card["state"] == "unusable"
        failed = describe(client, card["id"])
        assert failed["state"] == "failed"
        assert "cannot be read as a video" in failed["message"]
        assert describe(client, video_id(client))["state"] == "done"


def test_a_damaged_file_of_jobs_stops_nothing(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "home" / "serve" / "jobs.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps([{"id": 3}]) + "}")
    with (
        Grounder(captioner=BrightnessCaptioner()) as grounder,
        client_of(Rooms(grounder, [folder])) as client,
    ):
        assert client.get(f"{API}/jobs").json() == []
        assert describe(client, video_id(client))["state"] == "done"


def test_who_follows_an_unknown_job_is_told_so(folder: Path) -> None:
    with (
        Grounder(captioner=BrightnessCaptioner()) as grounder,
        client_of(Rooms(grounder, [folder])) as client,
    ):
        assert client.get(f"{API}/jobs/none").status_code == 404
        assert client.post(f"{API}/jobs/none/cancel").status_code == 404
        ((name, _),) = events_of(client, "GET", f"{API}/jobs/none/events")
        assert name == "fault"


def test_a_full_disk_does_not_end_the_queue(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[str] = []

    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agent.web.jobs.write_whole", fill)
    with (
        Grounder(captioner=BrightnessCaptioner()) as grounder,
        client_of(Rooms(grounder, [folder], complain=complaints.append)) as client,
    ):
        for _ in range(2):
            assert describe(client, video_id(client))["state"] == "done"
    assert "No space left on device" in complaints[0]
