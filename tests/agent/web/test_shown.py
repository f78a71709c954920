"""Who asks about what they uploaded reads its name, and no path of the server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent.api import Grounder
from agent.errors import VideoError
from agent.web.library import ServedVideo
from agent.web.rooms import Rooms
from agent.web.shown import faults_in_its_name, in_its_name
from tests.agent.web.serving import API, client_of, describe, events_of

NAME = "my kitchen.mp4"
UPLOAD = ServedVideo("1", Path("/srv/uploads/40f2.mp4"), NAME, uploaded=True)


def test_a_command_names_the_file_as_a_shell_takes_it_and_a_sentence_as_it_is() -> None:
    advice = "ask it:\n  whenabouts ask /srv/uploads/40f2.mp4 milk"
    assert in_its_name({"advice": advice, "said": ["in 40f2.mp4", 1, None]}, UPLOAD) == {
        "advice": f"ask it:\n  whenabouts ask '{NAME}' milk",
        "said": [f"in {NAME}", 1, None],
    }


def test_a_fault_names_the_file_and_stays_what_it_is() -> None:
    with pytest.raises(VideoError, match=rf"^{NAME} is damaged$"), faults_in_its_name(UPLOAD):
        raise VideoError(f"{UPLOAD.path} is damaged")


def test_a_file_of_a_served_folder_keeps_its_path() -> None:
    served = ServedVideo("1", Path("/films/road.mp4"), "road.mp4", uploaded=False)
    assert in_its_name("whenabouts ask /films/road.mp4", served) == "whenabouts ask /films/road.mp4"


@pytest.fixture
def uploaded(folder: Path) -> Iterator[tuple[TestClient, str]]:
    with Grounder() as grounder, client_of(Rooms(grounder, [])) as client:
        content = (folder / "road.mp4").read_bytes()
        video = client.post(f"{API}/videos", params={"name": NAME}, content=content).json()["id"]
        assert describe(client, video)["state"] == "done"
        yield client, video


@pytest.mark.slow
def test_no_answer_shows_where_an_upload_lies(uploaded: tuple[TestClient, str]) -> None:
    client, video = uploaded
    asked: Any = {"query": "milk is poured"}
    answered = client.post(f"{API}/videos/{video}/ask", json=asked).json()
    assert f"whenabouts ask '{NAME}' 'milk is poured'" in answered["answer"]["advice"]
    stream = events_of(client, "POST", f"{API}/videos/{video}/ask/events", json=asked)
    path = f"{API}/videos/{video}/follow-up/events"
    said = {"said": "what happens at 0:02?", "after": answered["id"]}
    follow = events_of(client, "POST", path, json=said)
    assert follow[-1][0] == "answer"
    late = events_of(client, "POST", path, json=said | {"said": "what happens at 9:00?"})
    assert late[-1][1]["detail"] == f"9:00 is past the end: {NAME} is 0:06.0 long"
    told = [
        answered,
        stream,
        follow,
        late,
        client.get(f"{API}/answers/{answered['id']}").json(),
        client.get(f"{API}/videos/{video}/answers").json(),
    ]
    assert "uploads" not in json.dumps(told)
