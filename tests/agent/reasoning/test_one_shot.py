"""The one-shot baseline: a model that is shown all frames at once, judged like any other."""

import json
from pathlib import Path

import numpy as np
import pytest

from agent.api import Grounder
from agent.cli.main import main
from agent.errors import ReasonerError
from agent.reasoning.one_shot import MOST_FRAMES
from agent.settings import Settings, load_settings
from tests.drawing import draw_video, even_times, gray
from tests.servers import Server, says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


FOUND = '{"steps": [], "found": true, "events": [{"first": 3, "last": 4}]}'


@pytest.fixture
def road(tmp_path: Path) -> Path:
    """Six seconds that grow brighter."""
    return draw_video(tmp_path / "road.mp4", even_times(24, 4.0))


def settings_for(server: Server, **more: object) -> Settings:
    return load_settings(
        captioner="none", reasoner="frames:openai:tiny", OPENAI_BASE_URL=server.url, **more
    )


def test_every_frame_is_shown_after_its_number_and_time_and_the_answer_is_in_seconds(
    road: Path,
) -> None:
    with serving([says(FOUND)]) as server, Grounder(settings_for(server)) as grounder:
        answer = grounder.find(road, "it is grey")
    (asked,) = server.asked
    brightness = [float(image.mean()) for image in asked.images]
    assert len(brightness) == 6
    assert brightness == sorted(brightness), "in time order"
    texts = [part["text"] for part in asked.body["messages"][1]["content"] if "text" in part]
    assert "Look for: it is grey" in texts[0]
    assert texts[1:3] == ["#1 [0.0–1.0 s]", "#2 [1.0–2.0 s]"]
    assert [(one.start_s, one.end_s) for one in answer.intervals] == [(1.5, 3.5)]
    assert (answer.by, answer.models.reasoner) == ("llm", "frames:openai:tiny")
    assert "tools" not in asked.body, "there is nothing to look up"


def test_a_refused_reply_is_told_back_with_the_frames(road: Path) -> None:
    with (
        serving([says("at about four"), says(FOUND)]) as server,
        Grounder(settings_for(server)) as grounder,
    ):
        answer = grounder.find(road, "it is grey")
    assert (answer.attempts, answer.refusals[0].kind) == (2, "no_json")
    shown = [part["type"] for part in server.asked[1].body["messages"][1]["content"]]
    assert shown.count("image_url") == 6
    assert "was not accepted" in json.dumps(server.asked[1].body["messages"][-1])


@pytest.mark.slow
def test_of_many_frames_as_many_as_wanted_are_shown_at_even_distances(tmp_path: Path) -> None:
    video = draw_video(
        tmp_path / "long.mp4", even_times(90, 1.0), picture=lambda index: gray(index % 50)
    )
    with serving([says(FOUND)]) as server, Grounder(settings_for(server)) as grounder:
        grounder.find(video, "it is grey")
    (asked,) = server.asked
    assert len(asked.jpegs) == MOST_FRAMES
    texts = [part["text"] for part in asked.body["messages"][1]["content"] if "text" in part][1:]
    numbers = np.array([int(text.split()[0].removeprefix("#")) for text in texts])
    assert (numbers[0], numbers[-1]) == (1, 90)
    assert set(np.diff(numbers)) <= {1, 2}


def test_captions_of_a_file_are_no_frames(road: Path, tmp_path: Path) -> None:
    captions = tmp_path / "road.jsonl"
    captions.write_text('{"t": 0, "caption": "a road"}')
    with (
        serving([says(FOUND)]) as server,
        Grounder(settings_for(server)) as grounder,
        pytest.raises(ReasonerError, match="index it with --captioner none"),
    ):
        grounder.find(road, "it is grey", captions=captions)


def test_frames_that_nobody_described_answer_nothing_by_their_captions(road: Path) -> None:
    with serving([says(FOUND)]) as server:
        settings = {"captioner": "none", "OPENAI_BASE_URL": server.url}
        with Grounder(load_settings(**settings, reasoner="similarity")) as grounder:
            by_likeness = grounder.find(road, "a frame")
        with Grounder(load_settings(**settings, reasoner="openai:tiny", direct="off")) as grounder:
            by_model = grounder.find(road, "a frame")
    assert (by_likeness.verdict, by_model.verdict) == ("cannot_tell", "cannot_tell")
    assert "Nobody described the frames" in by_likeness.reasoning
    assert "there is nothing to read" in by_model.warning
    assert server.asked == [], "a model that reads would have to invent its answer"


def test_a_model_that_is_shown_all_frames_may_say_that_it_is_not_there(road: Path) -> None:
    nothing = '{"steps": [], "found": false, "events": []}'
    with serving([says(nothing)]) as server, Grounder(settings_for(server)) as grounder:
        answer = grounder.find(road, "a dog")
    assert (answer.verdict, answer.by) == ("not_found", "llm")


def test_who_stands_in_for_a_model_that_was_not_asked_is_said(
    road: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving([says(FOUND)]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        words = ["--captioner", "none", "--reasoner", "openai:tiny", "--direct", "off"]
        assert main(["ask", str(road), "a dog", *words]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "decided by: similarity in place of openai:tiny: it was not asked" in told
