"""One road: a question leaves the front door for the graph, and comes back with its answer."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from agent import api
from agent.api import Grounder
from agent.chat.session import ChatSession
from agent.graph import running
from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner
from tests.road import ScriptedReasoner

pytestmark = pytest.mark.usefixtures("word_embedder")

FOUND = '{"steps": [], "found": true, "events": [{"first": 1, "last": 2}]}'

FRONT_DOOR, GRAPH = api.__file__, running.__file__


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 8.0))


@contextmanager
def entered_after_the_graph() -> Iterator[list[str]]:
    """Functions of ``agent/api.py`` that are entered, in any thread, once ``run_graph`` is."""
    entered: list[str] = []
    is_left = threading.Event()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        if frame.f_code.co_filename == GRAPH and frame.f_code.co_name == "run_graph":
            is_left.set()
        elif is_left.is_set() and frame.f_code.co_filename == FRONT_DOOR:
            entered.append(frame.f_code.co_name)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert is_left.is_set(), "the graph was run"


@pytest.mark.parametrize("thread", [None, "kept"])
def test_a_warm_find_does_not_enter_the_front_door_again(road: Path, thread: str | None) -> None:
    with Grounder(
        captioner=BrightnessCaptioner(), reasoner=ScriptedReasoner(FOUND, "no", FOUND)
    ) as grounder:
        grounder.find(road, "brightness 0", thread=thread)
        with entered_after_the_graph() as entered:
            answer = grounder.find(road, "brightness 0", thread=thread)
    assert answer.attempts == 2
    assert entered == []


def test_a_find_that_describes_does_not_enter_the_front_door_again_either(road: Path) -> None:
    with (
        Grounder(captioner=BrightnessCaptioner()) as grounder,
        entered_after_the_graph() as entered,
    ):
        grounder.find(road, "brightness 0")
    assert entered == []


@pytest.mark.slow
def test_all_ways_to_ask_run_the_same_first_node(
    road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its wall time stands in every answer; where it did not run, there is none."""
    with Grounder(captioner=BrightnessCaptioner()) as grounder:
        watched: list[str] = []
        watch = grounder._assembly.watcher.watch_for

        def note(question: Any, **options: Any) -> Any:
            watched.append(question.query)
            return watch(question, **options)

        monkeypatch.setattr(grounder._assembly.watcher, "watch_for", note)
        grounder.find(road, "brightness 1", thread="kept")
        list(grounder.stream(road, "brightness 2"))
        grounder.run(api.make_question(road, "brightness 3"))
        graph: Any = grounder.graph
        graph.invoke({"video": str(road), "query": "brightness 4"})
        grounder.replay("kept", "watch")
        with ChatSession(grounder, thread="talk", videos=[road]) as chat:
            chat.ask("brightness 5")
    assert watched == [f"brightness {number}" for number in (1, 2, 3, 4, 1, 5)]


def test_what_describing_took_is_in_the_answer_by_the_node_that_did_it(road: Path) -> None:
    with Grounder(captioner=BrightnessCaptioner()) as grounder:
        state = grounder.run(api.make_question(road, "brightness 0"))
    usage = state["grounding"]["usage"]
    assert usage["stages"]["captioner"] == state["spent"]["captioner"]
    assert usage["captions"] == 6
    json.dumps(state)
