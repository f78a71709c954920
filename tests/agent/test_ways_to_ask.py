"""The ways to ask from Python: events, async, streams, batches, a subgraph, an agent's tool."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.graph import END, START, StateGraph

from agent import api
from agent.api import Grounder
from agent.errors import VideoError, WhenaboutsError
from agent.graph.cancelling import THREAD
from agent.grounding import Grounding, LookUp, Refusal
from agent.reasoning.reply import Reply, Request
from agent.tool import make_find_moment
from examples.own_agent import answer as answer_by_agent
from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner, ChatModelOf
from tests.patience import PATIENCE_S
from tests.road import ScriptedReasoner
from tools.indexing import caption_writer
from tools.indexing.indexer import Progress

pytestmark = pytest.mark.usefixtures("word_embedder")


FOUND = '{"steps": [], "found": true, "events": [{"first": 2, "last": 3}]}'


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 8.0))


@pytest.fixture
def grounder() -> Iterator[Grounder]:
    with Grounder(captioner=BrightnessCaptioner()) as opened:
        yield opened


def test_a_stream_tells_what_happens_in_order_and_ends_with_the_answer(road: Path) -> None:
    look = Request("read_captions", {"start_s": 0.0, "end_s": 2.0})
    reasoner = ScriptedReasoner(Reply("", (look,)), "at about four", FOUND)
    with Grounder(captioner=BrightnessCaptioner(), reasoner=reasoner) as grounder:
        happened = list(grounder.stream(road, "brightness 30"))
    kinds = [type(one) for one in happened if not isinstance(one, Progress)]
    assert kinds == [LookUp, Refusal, Grounding]
    assert isinstance(happened[0], Progress)
    refusal, last = happened[-2:]
    assert isinstance(last, Grounding)
    assert last.refusals == (refusal,)


def test_a_stream_raises_what_find_raises(tmp_path: Path, grounder: Grounder) -> None:
    with pytest.raises(VideoError, match=r"there is no file .*none\.mp4"):
        list(grounder.stream(tmp_path / "none.mp4", "a dog"))


def test_leaving_a_stream_ends_the_search_and_keeps_what_was_described(
    road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caption_writer, "BATCH_SECONDS", 0.0)
    left = threading.Event()
    join = threading.Thread.join

    def note_join(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.name == THREAD:
            left.set()
        join(thread, timeout)

    def wait_before_last(said: int) -> None:
        if said == 7:
            left.wait(PATIENCE_S)

    monkeypatch.setattr(threading.Thread, "join", note_join)
    captioner = BrightnessCaptioner(before_saying=wait_before_last)
    reasoner = ScriptedReasoner()
    with Grounder(captioner=captioner, reasoner=reasoner) as grounder:
        for event in grounder.stream(road, "brightness 0"):
            if isinstance(event, Progress) and event.captions >= 2:
                break
        assert THREAD not in {thread.name for thread in threading.enumerate()}
        assert reasoner.asked == [], "nobody is asked for an answer that nobody waits for"
        (record,) = grounder.records()
        assert grounder.store.count(record.video_id, record.track) >= 2


@pytest.mark.slow
def test_afind_gives_the_answer_of_find_beside_other_tasks(road: Path, grounder: Grounder) -> None:
    queries = [f"brightness {level}" for level in range(0, 240, 15)]
    one_by_one = [grounder.find(road, query) for query in queries]

    async def ask_all() -> list[Grounding]:
        return await asyncio.gather(*(grounder.afind(road, query) for query in queries))

    at_once = asyncio.run(ask_all())
    assert len(at_once) == 16
    for one, other in zip(one_by_one, at_once, strict=True):
        # What one question had measured is asked by those after it, too.
        left_out = {"usage", "sources"}
        assert one.model_dump(exclude=left_out) == other.model_dump(exclude=left_out)


def test_a_cancelled_afind_describes_no_further(
    road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caption_writer, "BATCH_SECONDS", 0.0)
    given_up = threading.Event()

    def wait_for_the_end(said: int) -> None:
        if said == 2:
            given_up.wait(PATIENCE_S)

    with Grounder(captioner=BrightnessCaptioner(before_saying=wait_for_the_end)) as grounder:

        async def give_up() -> None:
            loop = asyncio.get_running_loop()
            begun = asyncio.Event()

            def note(_: api.Event) -> None:
                loop.call_soon_threadsafe(begun.set)

            task = asyncio.create_task(grounder.afind(road, "brightness 0", on_event=note))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            given_up.set()

        # The end of the loop waits for its threads.
        asyncio.run(give_up())
        (record,) = grounder.records()
        assert not record.complete


@pytest.mark.slow
def test_a_batch_answers_in_order_and_one_bad_video_stops_no_other(
    road: Path, tmp_path: Path, grounder: Grounder
) -> None:
    none = tmp_path / "none.mp4"
    first, second, third = grounder.batch(
        [(road, "brightness 0"), (none, "brightness 0"), (road, "brightness 200")]
    )
    assert isinstance(second, WhenaboutsError)
    assert isinstance(first, Grounding)
    assert isinstance(third, Grounding)
    assert (first.query, third.query) == ("brightness 0", "brightness 200")


def test_the_graph_is_a_step_of_a_larger_one(road: Path, grounder: Grounder) -> None:
    class Report(TypedDict, total=False):
        video: str
        query: str
        grounding: dict[str, Any]
        line: str

    def write(state: Report) -> Report:
        return {"line": f"{state['query']}: {state['grounding']['verdict']}"}

    larger = StateGraph(Report)
    larger.add_node("when", grounder.graph)
    larger.add_node("write", write)
    larger.add_edge(START, "when")
    larger.add_edge("when", "write")
    larger.add_edge("write", END)
    out = larger.compile().invoke({"video": str(road), "query": "brightness 0"})
    assert out["line"] == "brightness 0: found"


def calls(**arguments: Any) -> AIMessage:
    call = {"name": "find_moment", "args": arguments, "id": "1"}
    return AIMessage("", tool_calls=[call])


def test_an_agent_of_ones_own_finds_moments(road: Path, grounder: Grounder) -> None:
    def decide(messages: list[BaseMessage]) -> AIMessage | str:
        told = messages[-1]
        if isinstance(told, ToolMessage):
            return f"It says: {str(told.text).splitlines()[1]}"
        return calls(query="brightness 0")

    model = ChatModelOf(answers=decide, takes_tools=True)
    said = answer_by_agent(model, str(road), "When is it darkest?", grounder=grounder)
    best = grounder.find(road, "brightness 0").intervals[0]
    assert said.startswith(f"It says: {best.start_s:.2f}-{best.end_s:.2f} s, confidence")


def test_the_tool_hands_on_the_whole_answer_and_says_what_cannot_be_asked(
    road: Path, grounder: Grounder
) -> None:
    tool = make_find_moment(grounder)
    call = {"name": "find_moment", "type": "tool_call", "id": "1"}
    good = tool.invoke({**call, "args": {"query": "brightness 0", "video": str(road)}})
    assert isinstance(good.artifact, Grounding)
    assert good.content.startswith("found: ")
    bad = tool.invoke({**call, "args": {"query": "brightness 0", "video": "none.mp4"}})
    assert bad.status == "error"
    assert "there is no file none.mp4" in bad.content
    assert set(tool.args) == {"query", "video"}
    assert set(make_find_moment(grounder, video=road).args) == {"query"}
