"""Looks at the frames around an edge in one request, by a real client at a real server."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.settings import Settings, load_settings
from tests.drawing import draw_video, even_times
from tests.road import ScriptedReasoner
from tests.servers import Answer, Asked, Server, fails, says, serving

pytestmark = [pytest.mark.usefixtures("word_embedder"), pytest.mark.slow]

RATE_HZ = 4.0
FOUND = '{"steps": [], "found": true, "events": [{"first": 3, "last": 5}]}'
START_S, END_S = 3.3, 9.2
"""When the dog is there; captions of one frame in two seconds put it from 4 to 10 s."""


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, RATE_HZ))


def times_of(asked: Asked) -> list[float]:
    """When each picture of a request was taken: a picture's brightness tells."""
    return [round(float(image.mean()) / 5) / RATE_HZ for image in asked.images]


def states(times_s: list[float]) -> str:
    said = [
        "not_begun" if time_s < START_S else "under_way" if time_s < END_S else "done"
        for time_s in times_s
    ]
    under_way = [place for place, state in enumerate(said, 1) if state == "under_way"]
    frames = [
        {"frame": place, "state": state, "sees": f"at {time_s:g}"}
        for place, (state, time_s) in enumerate(zip(said, times_s, strict=True), 1)
    ]
    edges = {"first": under_way[0], "last": under_way[-1]} if under_way else {}
    return json.dumps({"frames": frames} | edges)


def eye(together: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """A service that describes single pictures, and is asked about several by a function."""

    def answer(asked: Asked) -> Answer:
        if len(asked.jpegs) > 1:
            return together(asked)
        (time_s,) = times_of(asked)
        return says("a dog jumps" if START_S <= time_s < END_S else "an empty road")

    return answer


def settings_for(server: Server) -> Settings:
    return load_settings(
        captioner="openai:tiny",
        OPENAI_BASE_URL=server.url,
        rate_hz=0.5,
        every_frame=True,
        verify=False,
    )


def several(server: Server) -> list[Asked]:
    return [one for one in server.asked if len(one.jpegs) > 1]


def test_each_edge_takes_one_request_with_its_times_and_is_kept(road: Path) -> None:
    with (
        serving(eye(lambda asked: says(states(times_of(asked))))) as server,
        Grounder(settings_for(server), reasoner=ScriptedReasoner(FOUND, FOUND)) as grounder,
    ):
        answer = grounder.find(road, "a dog jumps")
        asked = several(server)
        again = grounder.find(road, "a dog jumps")
        assert len(several(server)) == len(asked), "what was said is not paid for again"
    assert [(times_of(one)[0], times_of(one)[-1]) for one in asked] == [(2.0, 4.0), (8.0, 10.0)]
    (interval,) = answer.intervals
    assert interval.start_s == pytest.approx(START_S, abs=0.26)
    assert interval.end_s == pytest.approx(END_S, abs=0.26)
    assert (interval.start_by, interval.end_by) == ("closer_look", "closer_look")
    assert again.intervals[0].span == interval.span
    assert answer.usage.stages["captioner"].captions >= 6 + 2


def test_a_reply_that_is_refused_is_told_why_and_asked_once_more(road: Path) -> None:
    def wrong_first(asked: Asked) -> Answer:
        return says(states(times_of(asked)) if "no JSON object" in asked.text else "It begins.")

    with serving(eye(wrong_first)) as server:
        with Grounder(settings_for(server), reasoner=ScriptedReasoner(FOUND)) as grounder:
            (interval,) = grounder.find(road, "a dog jumps").intervals
        assert len(several(server)) == 4
    assert interval.start_s == pytest.approx(START_S, abs=0.26)


def test_an_edge_of_which_nothing_usable_is_said_stays_and_says_so(road: Path) -> None:
    with serving(eye(lambda _: says("It begins."))) as server:
        with Grounder(settings_for(server), reasoner=ScriptedReasoner(FOUND)) as grounder:
            answer = grounder.find(road, "a dog jumps")
        assert len(several(server)) == 2, "asked twice, and not about the other edge"
    (interval,) = answer.intervals
    assert (interval.start_by, interval.end_by) == ("caption", "caption")
    assert "gave no usable reply" in answer.warning


def test_a_model_that_takes_one_picture_at_a_time_looks_at_them_one_by_one(road: Path) -> None:
    many = fails(400, "At most 1 image(s) may be provided in one request.")
    with serving(eye(lambda _: many)) as server:
        with Grounder(settings_for(server), reasoner=ScriptedReasoner(FOUND)) as grounder:
            answer = grounder.find(road, "a dog jumps")
        assert len(several(server)) == 1, "it has said so"
    (interval,) = answer.intervals
    assert interval.start_s == pytest.approx(START_S, abs=0.51)
    assert interval.end_s == pytest.approx(END_S, abs=0.51)
    assert answer.warning == ""


def test_a_model_that_takes_some_pictures_is_shown_those_between_the_ends_too(road: Path) -> None:
    def takes_four(asked: Asked) -> Answer:
        if len(asked.jpegs) > 4:
            return fails(400, "Too many images provided. This model supports up to 4 images.")
        return says(states(times_of(asked)))

    with serving(eye(takes_four)) as server:
        with Grounder(settings_for(server), reasoner=ScriptedReasoner(FOUND)) as grounder:
            (interval,) = grounder.find(road, "a dog jumps").intervals
        asked = several(server)
    assert [len(one.jpegs) for one in asked][1:] == [4, 4]
    assert [(times_of(one)[0], times_of(one)[-1]) for one in asked[1:]] == [(2.0, 4.0), (8.0, 10.0)]
    assert interval.start_by == interval.end_by == "closer_look"
    assert interval.start_s == pytest.approx(START_S, abs=0.51)
