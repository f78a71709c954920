"""Over HTTP with a text model, a service on the loopback, and with the classical describer."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent.api import Grounder, load_settings
from agent.web.asking import Asker
from agent.web.rooms import Rooms
from tests.agent.loopback import on_loopback
from tests.agent.web.serving import API, app_of, client_of, describe, events_of, video_id
from tests.drawing import draw_video, even_times, halves
from tests.fakes import BrightnessCaptioner
from tests.patience import PATIENCE_S
from tests.servers import Answer, Asked, Server, fails, says, serving

pytestmark = pytest.mark.slow

FOUND = '{"steps": [], "found": true, "events": [{"first": 2, "last": 3}]}'
AFTER = {
    "kind": "find",
    "query": "brightness 40",
    "videos": [],
    "relation": "after",
    "times": [],
    "turn": 1,
    "interval": None,
    "event": None,
    "which": 1,
    "every_time": False,
}


def is_of_a_turn(asked: Asked) -> bool:
    return "Somebody talks with a program" in asked.text


@contextmanager
def served(
    folder: Path, script: Callable[[Asked], Answer]
) -> Iterator[tuple[TestClient, Server, str]]:
    """A client of a server whose text model answers by the script, and a described video."""
    with serving(script) as service:
        settings = load_settings(reasoner="openai:tiny", refine=False, verify=False)
        settings = settings.model_copy(update={"openai_base_url": service.url})
        with (
            Grounder(settings, captioner=BrightnessCaptioner()) as grounder,
            client_of(Rooms(grounder, [folder])) as client,
        ):
            video = video_id(client)
            assert describe(client, video)["state"] == "done"
            yield client, service, video


def ask(client: TestClient, video: str, query: str = "brightness 40") -> list[tuple[str, Any]]:
    return events_of(client, "POST", f"{API}/videos/{video}/ask/events", json={"query": query})


def follow(client: TestClient, video: str, said: str, after: str) -> list[tuple[str, Any]]:
    path = f"{API}/videos/{video}/follow-up/events"
    return events_of(client, "POST", path, json={"said": said, "after": after})


def test_a_follow_up_is_read_by_the_text_model_and_a_bad_reading_is_told_as_refused(
    folder: Path,
) -> None:
    readings = iter(["He means after it.", json.dumps(AFTER), json.dumps(AFTER)])

    def script(asked: Asked) -> Answer:
        return says(next(readings) if is_of_a_turn(asked) else FOUND)

    with served(folder, script) as (client, service, video):
        answer = ask(client, video)[-1][1]
        assert answer["answer"]["by"] == "llm"
        told = follow(client, video, "does it come again after that?", answer["id"])
        names = [name for name, _ in told]
        assert names[-1] == "answer"
        assert names.index("refusal") < names.index("understood")
        turn = told[-1][1]["turn"]
        assert turn["said"] == "does it come again after that?"
        # What the model was told holds the answer that the follow-up goes on from.
        (said, *_) = [one.text for one in service.asked if is_of_a_turn(one)]
        assert "brightness 40" in said
        # And this one can be gone on from, as the earlier one still can.
        for after in (told[-1][1]["id"], answer["id"]):
            readings = iter([json.dumps(AFTER)])
            assert follow(client, video, "and again?", after)[-1][0] == "answer"


def test_a_refused_reply_is_told_while_the_answer_is_made(folder: Path) -> None:
    replies = iter(["at about four", FOUND])
    with served(folder, lambda _: says(next(replies))) as (client, _, video):
        told = ask(client, video)
    names = [name for name, _ in told]
    (refusal,) = [values for name, values in told if name == "refusal"]
    assert "JSON" in refusal["message"]
    steps = [values["node"] for name, values in told if name == "step"]
    assert steps == ["watch", "retrieve", "reason", "check", "reason", "check", "answer"]
    assert names.index("refusal") < names.index("answer")


@pytest.fixture
def _tries_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.llm.client.Service._wait_until", lambda *_: None)


@pytest.mark.usefixtures("_tries_again_at_once")
def test_a_service_that_fails_in_mid_answer_leaves_the_answer_without_it(folder: Path) -> None:
    with served(folder, lambda _: fails(500, "out of memory")) as (client, _, video):
        name, told = ask(client, video)[-1]
        assert (name, told["answer"]["by"]) == ("answer", "fallback")
        assert "the text model did not" in json.dumps(told["answer"])
        assert follow(client, video, "and after that?", told["id"])[-1][0] == "answer"


@pytest.mark.usefixtures("_tries_again_at_once")
def test_who_waits_for_a_service_that_gives_no_reply_is_told_that_it_is_asked_again(
    folder: Path,
) -> None:
    replies = iter([Answer(b'{"choices": [', missing_bytes=5), fails(503, "busy"), says(FOUND)])
    with served(folder, lambda _: next(replies)) as (client, service, video):
        told = ask(client, video)
    names = [name for name, _ in told]
    retries = [values for name, values in told if name == "retry"]
    assert [(one["attempt"], one["attempts"]) for one in retries] == [(2, 9), (3, 9)]
    assert retries[0]["message"].startswith(f"no answer from {service.url}")
    assert names[-1] == "answer"
    assert told[-1][1]["answer"]["by"] == "llm"


@pytest.mark.usefixtures("_tries_again_at_once")
def test_a_service_that_is_gone_in_mid_answer_is_named_with_what_to_do(folder: Path) -> None:
    gone = Answer(b'{"choices": [', missing_bytes=5)
    with served(folder, lambda _: gone) as (client, service, video):
        name, told = ask(client, video)[-1]
        assert (name, told["status"]) == ("fault", 502)
        assert f"no answer from {service.url}" in told["detail"]
        assert "or use --reasoner similarity" in told["detail"]
        # The captions are as they were: without the model it is answered.
        assert client.get(f"{API}/videos/{video}").json()["described"]


def test_cuts_that_the_built_in_describer_found_are_on_the_timeline(tmp_path: Path) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    colours = [((200, 40, 40), (20, 20, 60)), ((20, 90, 30), (240, 240, 200))]
    draw_video(
        folder / "road.mp4",
        even_times(48, 8.0),
        picture=lambda index: halves(*colours[index // 24]),
    )
    with Grounder() as grounder, client_of(Rooms(grounder, [folder])) as client:
        video = video_id(client)
        assert describe(client, video)["state"] == "done"
        assert client.get(f"{API}/videos/{video}/timeline").json()["cuts_s"] == [3.0]


def test_a_sender_that_leaves_ends_the_search_before_its_next_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked, goes_on, is_noticed = threading.Event(), threading.Event(), threading.Event()

    def script(_: Asked) -> Answer:
        is_asked.set()
        return says("at about four").after(goes_on)

    find = Asker.find

    async def noticing(*args: Any, **kwargs: Any) -> Any:
        try:
            return await find(*args, **kwargs)
        finally:
            is_noticed.set()

    monkeypatch.setattr(Asker, "find", noticing)
    with serving(script) as service:
        settings = load_settings(reasoner="openai:tiny", refine=False, verify=False)
        settings = settings.model_copy(update={"openai_base_url": service.url})
        with Grounder(settings, captioner=BrightnessCaptioner()) as grounder:
            rooms = Rooms(grounder, [folder])
            grounder.watch(folder / "road.mp4")
            with on_loopback(app_of(rooms)) as base:
                (video,) = rooms.library.videos()
                body = b'{"query": "brightness 40"}'
                host = base.removeprefix("http://")
                head = (
                    f"POST {API}/videos/{video.id}/ask HTTP/1.1\r\nHost: {host}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                name, _, port = host.partition(":")
                with socket.create_connection((name, int(port))) as sender:
                    sender.sendall(head.encode() + body)
                    assert is_asked.wait(PATIENCE_S)
                assert is_noticed.wait(PATIENCE_S)
                goes_on.set()
            rooms.asker._threads.shutdown(wait=True)
        # The refused reply would have been told, and another one asked for.
        assert len(service.asked) == 1
