"""A link on its way to a video: looked at, offered with its size, fetched when that is agreed."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent.api import Grounder
from agent.errors import QueryError
from agent.web import link_jobs
from agent.web.described import BusyError
from agent.web.link_jobs import LINK_ACTIVE, LinkJob, LinkJobs
from agent.web.rooms import Rooms
from tests.agent.web.serving import API, client_of, describe, events_of
from tests.drawing import draw_video, even_times
from tests.patience import PATIENCE_S
from tests.web_sites import Site, movie, site_on_loopback

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, type[Site]]]:
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed")
    with site_on_loopback() as (address, pages):
        there = draw_video(tmp_path / "there.mp4", even_times(48, 8.0)).read_bytes()
        pages.pages |= {"/talk.mp4": movie(there)}
        yield address, pages


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[LinkJobs]:
    opened = LinkJobs(
        tmp_path / "cache", arrive=lambda path: path.name, complain=print, takes_inside=True
    )
    yield opened
    opened.close()


def become(get: Callable[[], LinkJob | None], *states: str) -> LinkJob:
    """The job once it is in one of these states, or has ended."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        job = get()
        assert job is not None
        if job.state in states or job.state not in LINK_ACTIVE:
            return job
        time.sleep(0.01)
    raise AssertionError(f"it never was {states}")


def test_nothing_is_fetched_before_its_size_was_said_and_somebody_agreed(
    jobs: LinkJobs, site: tuple[str, type[Site]], tmp_path: Path
) -> None:
    address, pages = site
    link = f"{address}/talk.mp4"
    job = jobs.add(link)
    assert jobs.add(link).id == job.id
    offered = become(lambda: jobs.get(job.id), "offered")
    size_bytes = len(pages.pages["/talk.mp4"][2])
    assert (offered.state, offered.size_bytes) == ("offered", size_bytes)
    assert offered.offer == f"“talk” ({link})"
    assert not list(tmp_path.glob("cache/links/*/*"))
    jobs.agree(job.id)
    done = become(lambda: jobs.get(job.id))
    assert (done.state, done.message) == ("done", "")
    assert done.held_bytes == size_bytes
    assert jobs.kept(link) is not None
    # It is here: to look again fetches nothing.
    asked = len(pages.asked)
    again = jobs.add(link)
    assert become(lambda: jobs.get(again.id)).state == "done"
    assert len(pages.asked) == asked


@pytest.mark.parametrize("when", ["offered", "fetching"])
def test_what_is_cancelled_leaves_nothing_behind(
    jobs: LinkJobs, site: tuple[str, type[Site]], tmp_path: Path, when: str
) -> None:
    address, pages = site
    job = jobs.add(f"{address}/talk.mp4")
    become(lambda: jobs.get(job.id), "offered")
    if when == "fetching":
        pages.goes_on.clear()
        jobs.agree(job.id)
        until_s = time.monotonic() + PATIENCE_S
        while "/talk.mp4" not in pages.asked[2:] and time.monotonic() < until_s:
            time.sleep(0.01)
    assert jobs.cancel(job.id) == jobs.get(job.id)
    jobs.close()
    ended = jobs.get(job.id)
    assert ended is not None
    assert (ended.state, ended.video) == ("cancelled", None)
    assert not list(tmp_path.glob("cache/links/*"))


def test_links_into_this_network_are_not_even_looked_at(
    site: tuple[str, type[Site]], tmp_path: Path
) -> None:
    address, pages = site
    guarded = LinkJobs(tmp_path, arrive=str, complain=print)
    port = address.rpartition(":")[2]
    hosts = ("127.0.0.1", "localhost", "[::1]", "2130706433", "0.0.0.0", "169.254.169.254")
    for host in hosts:
        job = guarded.add(f"http://{host}:{port}/talk.mp4")
        failed = become(lambda job=job: guarded.get(job.id), "offered")  # type: ignore[misc]
        assert failed.state == "failed"
        assert "leads into this machine or its network" in failed.message, host
    guarded.close()
    assert pages.asked == []


def test_a_yt_dlp_that_cannot_be_kept_from_this_network_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.video.yt_dlp_process.find_yt_dlp", lambda: ["/usr/bin/yt-dlp"])
    monkeypatch.setattr("tools.video.yt_dlp_process._is_inside", lambda _: False)
    jobs = LinkJobs(tmp_path, arrive=str, complain=print)
    assert not jobs.is_available()
    job = jobs.add("https://example.org/a.mp4")
    assert "cannot be kept from this network" in become(lambda: jobs.get(job.id)).message
    jobs.close()


def test_passwords_in_links_are_not_shown_and_what_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.video.yt_dlp_process.find_yt_dlp", lambda: None)
    jobs = LinkJobs(tmp_path, arrive=str, complain=print)
    job = jobs.add("https://me:secret@example.org/a.mp4?x=\x1b[2J")
    ended = become(lambda: jobs.get(job.id))
    assert ended.state == "failed"
    assert "secret" not in ended.model_dump_json()
    assert "\x1b" not in ended.link + ended.message
    for what in (
        "file:///etc/passwd",
        "/etc/passwd",
        "ftp://example.org/a",
        "-o/tmp/x",
        "road.mp4",
    ):
        with pytest.raises(QueryError, match="is no link: it begins with https://"):
            jobs.add(what)
    jobs.close()


def test_no_more_than_a_few_are_looked_at_together_and_offers_do_not_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offering = threading.Event()

    def fetch(links: Any, link: str) -> Path:
        offering.wait()
        links._confirm(link, 0)
        raise AssertionError("nobody agreed")

    monkeypatch.setattr("agent.web.link_jobs.Links.fetch", fetch)
    monkeypatch.setattr(link_jobs, "OFFERED_S", 0.0)
    jobs = LinkJobs(tmp_path, arrive=str, complain=print)
    begun = [jobs.add(f"https://example.org/{n}") for n in range(link_jobs.AT_ONCE)]
    with pytest.raises(BusyError, match="wait for one, or cancel it"):
        jobs.add("https://example.org/more")
    with pytest.raises(BusyError, match="still being looked at"):
        jobs.agree(begun[0].id)
    offering.set()
    for one in begun:
        ended = become(lambda one=one: jobs.get(one.id))  # type: ignore[misc]
        assert (ended.state, ended.message[:6]) == ("cancelled", "nobody")
    jobs.add("https://example.org/more")
    jobs.close()


@pytest.fixture
def linked(grounder: Grounder, folder: Path) -> Iterator[TestClient]:
    rooms = Rooms(grounder, [folder])
    rooms.links._takes_inside = True
    with client_of(rooms) as opened:
        yield opened


def test_over_http_a_link_becomes_a_video_that_keeps_its_link_as_its_name(
    linked: TestClient, site: tuple[str, type[Site]], grounder: Grounder, folder: Path
) -> None:
    link = f"{site[0]}/talk.mp4"
    job = linked.post(f"{API}/links", json={"link": link}).json()

    def now() -> LinkJob:
        return LinkJob.model_validate(linked.get(f"{API}/links/{job['id']}").json())

    assert become(now, "offered").state == "offered"
    assert linked.post(f"{API}/links/{job['id']}/agree").status_code == 200
    events = events_of(linked, "GET", f"{API}/links/{job['id']}/events")
    assert events[-1][0] == "link"
    done = events[-1][1]
    assert done["state"] == "done"
    card = next(one for one in linked.get(f"{API}/videos").json() if one["id"] == done["video"])
    assert card["name"] == link
    assert describe(linked, done["video"])["state"] == "done"
    # The next server of this user still has it.
    with client_of(Rooms(grounder, [folder])) as later:
        assert link in [one["name"] for one in later.get(f"{API}/videos").json()]
    for path in ("links/none", "links/none/events"):
        assert "no link" in linked.get(f"{API}/{path}").text.replace("such ", "")
    assert linked.post(f"{API}/links", json={"link": "/etc/passwd"}).status_code == 422


def test_a_link_that_the_disk_has_no_room_for_fails_with_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(*_: Any) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agent.web.link_jobs.Links.fetch", fetch)
    jobs = LinkJobs(tmp_path, arrive=str, complain=print)
    job = jobs.add("https://example.org/a.mp4")
    failed = become(lambda: jobs.get(job.id))
    assert failed.state == "failed"
    assert "cannot be kept: No space left on device" in failed.message
    jobs.close()
