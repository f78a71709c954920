"""Time travel: a kept question answered again from one of its steps, by another model."""

import gzip
import json
from pathlib import Path
from typing import cast

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, empty_checkpoint
from langgraph.checkpoint.serde.event_hooks import SerdeEvent, register_serde_event_listener

from agent.api import Grounder
from agent.chat.session import ChatSession
from agent.cli.main import main
from agent.errors import QueryError, StoreError
from agent.graph.threads import open_threads
from agent.reasoning.brief import SimilarityReasoner
from agent.settings import load_settings
from prompts.catalog import PACKAGED
from tests.drawing import draw_video, even_times, gray
from tests.fakes import BrightnessCaptioner
from tests.road import ScriptedReasoner
from tests.servers import says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


FIRST = '{"steps": [], "found": true, "events": [{"first": 1, "last": 2}]}'
OTHER = '{"steps": [], "found": true, "events": [{"first": 3, "last": 4}]}'


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 8.0))


def grounder_with(*replies: str) -> Grounder:
    return Grounder(captioner=BrightnessCaptioner(), reasoner=ScriptedReasoner(*replies))


@pytest.mark.slow
def test_another_model_answers_from_the_captions_of_before(road: Path) -> None:
    with grounder_with("no", FIRST) as grounder:
        before = grounder.find(road, "brightness 0", thread="mine")
    with grounder_with(OTHER) as grounder:
        replayed = grounder.replay("mine", "reason")
    assert replayed.before.intervals == before.intervals
    assert replayed.before.attempts == 2
    assert replayed.after.attempts == 1, "what another model was refused is not held against it"
    assert replayed.after.intervals[0].start_s == 1.5
    assert replayed.after.usage.captions == 0


@pytest.mark.slow
def test_another_prompt_is_told_to_the_same_model(
    road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    own = PACKAGED.render("reason_system", form="$form")
    with serving([says(FIRST), says(OTHER)]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "made-up")
        model = ["--reasoner", "openai:tiny", "--captioner", "classical", "--anyway"]
        assert main(["ask", str(road), "a dog", "--thread", "mine", *model]) == 0
        (folder / "reason_system.md").write_text(f"Be brief. {own}")
        capsys.readouterr()
        words = ["replay", "mine", "--reasoner", "openai:tiny", "--prompts", str(folder)]
        assert main([*words, "--json"]) == 0
        both = json.loads(capsys.readouterr().out)
        system = [asked.body["messages"][0]["content"] for asked in server.asked]
    assert [text.startswith("Be brief.") for text in system] == [False, True]
    versions = [both[side]["models"]["prompts"]["reason_system"] for side in ("before", "after")]
    assert versions[0] != versions[1]


@pytest.mark.slow
def test_from_its_first_step_a_question_is_described_anew(road: Path) -> None:
    with grounder_with(FIRST) as grounder:
        grounder.find(road, "brightness 0", thread="mine")
    other = BrightnessCaptioner(model="another")
    with Grounder(captioner=other, reasoner=ScriptedReasoner(OTHER)) as grounder:
        replayed = grounder.replay("mine", "watch")
    assert (replayed.after.query, replayed.after.models.captioner) == ("brightness 0", "another")
    assert replayed.after.usage.captions == 6


def test_what_a_thread_keeps_is_known_to_those_who_read_it(road: Path) -> None:
    events: list[SerdeEvent] = []
    stop = register_serde_event_listener(events.append)
    try:
        with grounder_with(FIRST, OTHER) as grounder:
            grounder.find(road, "brightness 0", thread="mine")
            grounder.replay("mine", "watch")
    finally:
        stop()
    assert events == [], "types that are not registered will be refused one day"


def test_a_thread_of_an_earlier_version_can_be_replayed_from_each_of_its_steps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It was kept by the version of November 2026, which called the module ``agent.state``."""
    other = '{"steps": [], "found": true, "events": [{"first": 2, "last": 2}]}'
    kept = gzip.decompress(Path(__file__).with_name("thread_before_rooms.sqlite.gz").read_bytes())
    file = load_settings().threads_file
    file.parent.mkdir(parents=True)
    starts = {}
    for node in ("reason", "check", "answer"):
        file.write_bytes(kept)
        with grounder_with("no answer", other) as grounder:
            replayed = grounder.replay("dog", node)
        assert replayed.before.query == replayed.after.query == "a dog jumps"
        assert (replayed.before.attempts, replayed.before.intervals[0].start_s) == (2, 3.0)
        starts[node] = replayed.after.intervals[0].start_s
    assert starts == {"reason": 2.0, "check": 2.0, "answer": 3.0}
    assert caplog.records == []


def test_a_replay_from_the_first_step_is_about_the_video_that_was_asked(
    road: Path, tmp_path: Path
) -> None:
    with grounder_with(FIRST) as grounder:
        asked = grounder.find(road, "brightness 0", thread="mine")
    other = draw_video(tmp_path / "other.mp4", even_times(24, 8.0), picture=gray)
    other.replace(road)
    with grounder_with(OTHER) as grounder:
        replayed = grounder.replay("mine", "watch")
    assert replayed.after.video.id == asked.video.id
    assert "another video now" in replayed.after.warning


@pytest.mark.slow
def test_however_often_it_is_replayed_the_answer_of_before_is_the_first(road: Path) -> None:
    with grounder_with(OTHER, FIRST, OTHER, OTHER) as grounder:
        grounder.find(road, "brightness 90", thread="mine")
        first = grounder.find(road, "brightness 0", thread="mine")
        once = grounder.replay("mine", "reason")
        twice = grounder.replay("mine", "reason")
    for replayed in (once, twice):
        assert replayed.before.intervals == first.intervals
        assert replayed.after.intervals[0].start_s == 1.5


def test_a_reply_that_is_only_judged_again_stays_that_of_its_model(road: Path) -> None:
    with grounder_with(FIRST) as grounder:
        grounder.find(road, "brightness 0", thread="mine")
    with Grounder(captioner=BrightnessCaptioner(), reasoner=SimilarityReasoner()) as grounder:
        judged = grounder.replay("mine", "check").after
        asked = grounder.replay("mine", "reason").after
    assert (judged.models.reasoner, judged.by) == ("scripted", "llm")
    assert (asked.models.reasoner, asked.by) == ("similarity", "similarity")


@pytest.mark.slow
def test_another_captioner_is_refused_where_it_would_not_be_asked(
    road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = tmp_path / "road.jsonl"
    captions.write_text('{"t": 0, "caption": "a road"}')
    words = ["ask", str(road), "a road", "--captions", str(captions), "--thread", "mine"]
    assert main(words) == 0
    other = ["--captioner", "classical"]
    assert main(["replay", "mine", "--from", "reason", *other]) == 2
    assert "--from watch" in capsys.readouterr().err
    assert main(["replay", "mine", "--from", "watch", *other]) == 2
    assert f"answered from the captions in {captions}" in capsys.readouterr().err
    assert main(["replay", "mine", "--from", "watch"]) == 0


def test_the_last_question_of_a_chat_can_be_replayed(road: Path) -> None:
    with grounder_with(FIRST, FIRST, OTHER) as grounder:
        with ChatSession(grounder, thread="talk", videos=[road]) as chat:
            chat.ask("brightness 0")
            asked = chat.ask("brightness 10").result.grounding
            chat.ask("and after that?")
        replayed = grounder.replay("talk", "reason")
    assert asked
    assert replayed.before.query == replayed.after.query == "brightness 10"
    assert replayed.before.intervals == asked.intervals != replayed.after.intervals


@pytest.mark.slow
def test_a_chat_goes_on_where_its_steps_cannot_be_kept(road: Path) -> None:
    told: list[str] = []
    with grounder_with(FIRST, FIRST) as grounder:
        grounder.settings.threads_file.parent.mkdir(parents=True, exist_ok=True)
        grounder.settings.threads_file.write_bytes(b"no database, " * 100)
        with ChatSession(grounder, thread="talk", videos=[road], tell=told.append) as chat:
            outcomes = [chat.ask(f"brightness {level}").result.outcome for level in (0, 10)]
    assert outcomes == ["found", "found"]
    (line,) = told
    assert "threads.sqlite" in line
    assert "cannot be replayed" in line


@pytest.mark.slow
def test_threads_are_apart_and_a_second_question_inherits_nothing(road: Path) -> None:
    with grounder_with(FIRST, OTHER, OTHER) as grounder:
        grounder.find(road, "brightness 0", thread="one")
        grounder.find(road, "brightness 90", thread="two")
        again = grounder.find(road, "brightness 120", thread="one")
        assert again.attempts == 1
        with open_threads(grounder.settings.threads_file) as saver:
            kept = list(saver.list({"configurable": {"thread_id": "one"}}))
    begun = [one for one in kept if one.metadata["source"] == "input"]
    assert len(begun) == 1, "the steps of an earlier question are let go of"


def test_what_cannot_be_replayed_is_said(road: Path) -> None:
    with grounder_with(FIRST) as grounder:
        with pytest.raises(QueryError, match="there is no thread 'none'"):
            grounder.replay("none", "reason")
        grounder.find(road, "brightness 0", thread="mine")
        with pytest.raises(QueryError, match="there is no step 'think'; there are watch, retrieve"):
            grounder.replay("mine", "think")
        with pytest.raises(QueryError, match="has no step 'fall_back' to go back to; it has"):
            grounder.replay("mine", "fall_back")


def test_a_damaged_file_of_threads_is_said(road: Path) -> None:
    file = load_settings().threads_file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a database" * 100)
    with (
        grounder_with(FIRST) as grounder,
        pytest.raises(StoreError, match=r"threads\.sqlite holds no threads, or is damaged"),
    ):
        grounder.find(road, "brightness 0", thread="mine")


@pytest.mark.slow
def test_the_command_line_shows_both_answers_side_by_side(
    road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = tmp_path / "road.jsonl"
    rows = [
        {"start_s": t, "end_s": t + 1, "caption": "a dog jumps" if t in {2, 3} else "a road"}
        for t in range(6)
    ]
    captions.write_text("\n".join(json.dumps(row) for row in rows))
    question = ["ask", str(road), "a dog jumps", "--captions", str(captions), "--thread", "dog"]
    assert main(question) == 0
    capsys.readouterr()
    assert main(["replay", "dog", "--reasoner", "similarity"]) == 0
    shown = capsys.readouterr().out
    assert "“a dog jumps”  in road.mp4" in shown
    assert shown.count("0:02.0–0:04.0") == 2
    assert main(["replay", "dog", "--from", "retrieve", "--json"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert both["before"]["intervals"] == both["after"]["intervals"]
    assert main(["replay", "cat"]) == 2


def test_a_full_disk_under_the_threads_is_told_as_that(tmp_path: Path) -> None:
    with open_threads(tmp_path / "threads.sqlite") as saver:
        saver.conn.execute("PRAGMA max_page_count = 10")
        metadata: CheckpointMetadata = {"source": "input", "step": -1, "parents": {}}
        checkpoint = {**empty_checkpoint(), "channel_values": {"said": "x" * 200_000}}
        config: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        with pytest.raises(StoreError, match="no space is left for the file of threads"):
            saver.put(config, cast("Checkpoint", checkpoint), metadata, {})
