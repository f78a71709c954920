"""A conversation over a real grounder, a real graph and a real memory; the models are scripted."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.messages import BaseMessage

from agent.api import Grounder, load_settings
from agent.chat.follow_up import ChatError, FollowUpError
from agent.chat.memory import ThreadInUseError
from agent.chat.session import ChatEvent, ChatSession
from agent.chat.turns import ChatAnswer
from agent.cli.chat_terminal import trace_lines
from agent.errors import QueryError, UnansweredError, VideoError, WithheldError
from agent.graph.thread_files import threads_about
from agent.reasoning.brief import Brief
from agent.reasoning.reply import Reply
from tests.chat_script import NOTHING
from tests.drawing import draw_video, even_times, gray
from tests.fakes import BrightnessCaptioner
from tests.patience import PATIENCE_S
from tools.indexing import caption_writer
from tools.indexing.indexer import Progress
from tools.llm.budget import Budget

pytestmark = pytest.mark.usefixtures("word_embedder")


LINES = """\
{"start_s": 0, "end_s": 1, "caption": "an empty road"}
{"start_s": 1, "end_s": 2, "caption": "a brown dog jumps over a fence"}
{"start_s": 2, "end_s": 3, "caption": "an empty road"}
{"start_s": 3, "end_s": 4, "caption": "a red car stops"}
{"start_s": 4, "end_s": 5, "caption": "an empty road"}
{"start_s": 5, "end_s": 6, "caption": "a brown dog jumps over a fence"}
{"start_s": 6, "end_s": 7, "caption": "an empty road"}
{"start_s": 7, "end_s": 8, "caption": "an empty road"}
"""
DOG = "a brown dog jumps over a fence"


class WordReasoner:
    """Finds the captions that hold every word of the query."""

    name = "words"
    by: Literal["llm", "similarity"] = "similarity"

    def __init__(self) -> None:
        self.briefs = 0

    @property
    def prompts(self) -> dict[str, str]:
        return {}

    def reply(self, brief: Brief) -> Reply:
        self.briefs += 1
        wanted = set(brief.query.split()) - {"the"}
        events = [
            {"first": number, "last": number}
            for number, caption in enumerate(brief.captions, start=1)
            if wanted <= set(caption.text.split())
        ]
        return Reply(json.dumps({"steps": [], "found": bool(events), "events": events}))


class TalkingReasoner(WordReasoner):
    """A text model that reads turns as it is told to."""

    name = "scripted"
    by: Literal["llm", "similarity"] = "llm"

    def __init__(self, *readings: dict[str, Any] | str) -> None:
        super().__init__()
        self._readings = iter(readings)
        self.told: list[str] = []

    def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
        self.told.append("\n".join(str(message.text) for message in messages))
        reading = next(self._readings)
        return Reply(reading if isinstance(reading, str) else json.dumps(NOTHING | reading))


class SilentReasoner(WordReasoner):
    """A text model whose service fails when it is to read a turn."""

    name = "scripted"

    def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
        raise UnansweredError("the service is down")


class ThriftyReasoner(TalkingReasoner):
    """A text model that notes which budget holds as it reads and as it answers."""

    def __init__(self, *readings: dict[str, Any] | str) -> None:
        super().__init__(*readings)
        self.grounder: Grounder | None = None
        self.budgets: list[Budget] = []

    def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
        self._note()
        return super().converse(messages, schema=schema)

    def reply(self, brief: Brief) -> Reply:
        self._note()
        return super().reply(brief)

    def _note(self) -> None:
        assert self.grounder
        self.budgets.append(self.grounder._assembly.runs.budget())


class WithheldReasoner(WordReasoner):
    """A text model that may not be asked to read a turn, since the limits are reached."""

    name = "scripted"

    def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
        raise WithheldError("the 1 minute of this run is used up")


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 6.0))


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "road.jsonl"
    path.write_text(LINES, encoding="utf-8")
    return path


@pytest.fixture
def grounder(road: Path, captions: Path) -> Iterator[Grounder]:
    with Grounder(reasoner=WordReasoner()) as opened:
        opened.watch(road, captions=captions)
        yield opened


@pytest.fixture
def told() -> list[str]:
    return []


def chat(grounder: Grounder, told: list[str], *videos: Path, thread: str = "t") -> ChatSession:
    return ChatSession(grounder, thread=thread, videos=videos, tell=told.append)


def spans(answer: ChatAnswer) -> list[tuple[float, float]]:
    return sorted((one.start_s, one.end_s) for one in answer.result.intervals)


@pytest.mark.slow
def test_reading_and_answering_a_turn_share_the_limits_of_one_run(
    road: Path, captions: Path, told: list[str]
) -> None:
    reasoner = ThriftyReasoner(*[{"query": "a brown dog jumps"}] * 2)
    with Grounder(reasoner=reasoner) as grounder:
        reasoner.grounder = grounder
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            session.ask("when does the brown dog jump?")
            first = list(reasoner.budgets)
            session.ask("and once more?")
    read, *answered = first
    assert answered
    assert all(one is read for one in answered)
    assert read not in reasoner.budgets[len(first) :], "each turn has its own"


def test_the_grammar_reads_a_turn_that_no_limit_lets_a_model_read(
    road: Path, captions: Path, told: list[str]
) -> None:
    with Grounder(reasoner=WithheldReasoner()) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            answer = session.ask("a brown dog jumps")
    assert (answer.by, answer.result.outcome) == ("fallback", "found")


def test_a_plain_question_gets_the_answer_of_find(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        answer = session.ask(DOG)
    found = grounder.find(road, DOG)
    grounding = answer.result.grounding
    assert grounding
    assert grounding.model_dump(exclude={"usage"}) == found.model_dump(exclude={"usage"})
    assert answer.by == "grammar"
    assert len(answer.result.intervals) == len(found.intervals) == 2


@pytest.mark.slow
def test_a_conversation_goes_on_where_it_ended_with_its_videos_and_its_turns(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        first = session.ask(DOG)
        session.ask("the first time")
    with chat(grounder, told) as session:
        assert session.videos == [str(road)]
        assert [turn.said for turn in session.turns] == [DOG, "the first time"]
        again = session.ask("again?")
    assert spans(first) == [(1.0, 2.0), (5.0, 6.0)]
    assert spans(again) == [(5.0, 6.0)]
    assert again.turn == 3
    assert told == []


@pytest.mark.slow
def test_a_thread_that_is_open_elsewhere_is_not_opened_twice(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as first:
        first.ask(DOG)
        with pytest.raises(ThreadInUseError, match="“t” is open elsewhere"):
            chat(grounder, told, road)
        with chat(grounder, told, road, thread="another") as other:
            other.ask(DOG)
    with chat(grounder, told) as again:
        assert [turn.said for turn in again.turns] == [DOG]


@pytest.mark.slow
def test_a_chat_about_what_is_forgotten_meanwhile_is_not_kept(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road, thread="t") as session:
        answer = session.ask(DOG)
        assert answer.result.video
        file, asked = grounder.settings.chats_file, {answer.result.video.id}
        assert threads_about(file, asked) == ["t"]
        grounder.forget(road)
        session.ask("the first time")
        assert threads_about(file, asked) == []
    assert any("so the chat is not kept" in line for line in told)


def test_threads_do_not_know_of_each_other(grounder: Grounder, road: Path, told: list[str]) -> None:
    with chat(grounder, told, road, thread="one") as session:
        session.ask(DOG)
    with chat(grounder, told, road, thread="two") as session:
        assert session.turns == []
        assert session.known_threads == ["one"]
        with pytest.raises(FollowUpError, match="no question before this"):
            session.ask("the second time")
        assert session.ask("a red car stops").turn == 1


def test_a_turn_that_fails_is_not_remembered_and_the_next_is_answered(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        for said in ("and after that?", "what happens at 9:00?", "cut 1:00 to 1:30"):
            with pytest.raises((ChatError, VideoError)):
                session.ask(said)
        with pytest.raises(QueryError):
            session.ask("  ")
        assert session.ask(DOG).turn == 1
    with chat(grounder, told) as session:
        assert len(session.turns) == 1


def test_a_conversation_goes_on_with_the_video_that_was_asked_last(
    grounder: Grounder, road: Path, captions: Path, tmp_path: Path, told: list[str]
) -> None:
    other = draw_video(tmp_path / "other.mp4", even_times(50, 6.0))
    grounder.watch(other, captions=captions)
    with chat(grounder, told, road, other) as session:
        session.ask(DOG)
        session.add_video(str(other))
        session.ask(DOG)
    with chat(grounder, told) as session:
        assert (session.videos, session.current) == ([str(road), str(other)], str(other))
    with chat(grounder, told, road) as session:
        assert session.current == str(road)


@pytest.mark.slow
def test_of_an_earlier_session_it_is_said_what_is_not_remembered(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        asked = session.ask(DOG)
        assert session.recalled == 0
    assert "asked “a brown dog" in "\n".join(trace_lines(asked))
    with chat(grounder, told) as session:
        recalled = session.turns[0]
        assert session.recalled == recalled.turn == 1
    assert "not remembered" in "\n".join(trace_lines(recalled, is_recalled=True))


def test_a_follow_up_to_an_answer_asks_nobody_again(
    road: Path, captions: Path, told: list[str]
) -> None:
    reasoner = TalkingReasoner(
        {"query": DOG},
        {"query": DOG.upper(), "which": -1},
        {"query": DOG, "relation": "before", "turn": 2, "which": -1},
        {"kind": "describe", "relation": "after", "turn": 3, "interval": 1},
    )
    with Grounder(reasoner=reasoner) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            answers = [session.ask(said) for said in ("a dog?", "last?", "before?", "then?")]
    assert reasoner.briefs == 1
    assert [spans(one)[0] for one in answers[1:3]] == [(5.0, 6.0), (1.0, 2.0)]
    assert spans(answers[3])[0][0] == 2.0
    texts = [one.text for one in answers[3].result.captions]
    assert texts == ["an empty road", "a red car stops", "an empty road", DOG, "an empty road"]
    assert "comes again at 0:05.0–0:06.0" in answers[3].result.words
    assert {one.by for one in answers} == {"llm"}


def test_a_refused_reading_is_told_to_the_model_and_tried_again(
    road: Path, captions: Path, told: list[str]
) -> None:
    reasoner = TalkingReasoner(
        "They want the dog.", {"query": DOG, "relation": "after", "turn": 3}, {"query": DOG}
    )
    with Grounder(reasoner=reasoner) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            happened: list[ChatEvent] = []
            answer = session.ask("when does the dog jump?", on_event=happened.append)
    assert [type(one).__name__ for one in happened] == ["TurnRefusal", "TurnRefusal", "Understood"]
    assert [one.kind for one in answer.refusals] == ["no_json", "unknown_turn"]
    assert answer.refusals == tuple(happened[:2])
    assert "there is no turn 3; this is the first" in reasoner.told[2]
    assert "They want the dog." in reasoner.told[2]
    assert set(answer.prompts) == {"chat_system", "chat_turn", "chat_refused"}


def test_the_grammar_stands_in_for_a_model_whose_readings_are_all_refused(
    road: Path, captions: Path, told: list[str]
) -> None:
    settings = load_settings(max_attempts=2)
    reasoner = TalkingReasoner(*["no idea"] * 4)
    with Grounder(settings, reasoner=reasoner) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            session.ask(DOG)
            answer = session.ask("the second time")
    assert (answer.by, len(answer.refusals)) == ("fallback", 2)
    assert spans(answer) == [(5.0, 6.0)]


def test_where_the_service_fails_the_grammar_reads_the_turn_and_that_is_told(
    road: Path, captions: Path, told: list[str]
) -> None:
    with Grounder(reasoner=SilentReasoner()) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            session.ask(DOG)
            answer = session.ask("the second time")
    assert (answer.by, [one.message for one in answer.refusals]) == (
        "fallback",
        ["the service is down"],
    )
    assert spans(answer) == [(5.0, 6.0)]


def test_the_model_is_shown_the_conversation_and_no_caption(
    road: Path, captions: Path, told: list[str]
) -> None:
    reasoner = TalkingReasoner({"query": "a red car"}, {"query": "a red car", "which": 1})
    with Grounder(reasoner=reasoner) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            session.ask("a red car")
            session.ask("and first?")
    shown = reasoner.told[1]
    assert "turn 1: “a red car” (query “a red car”)" in shown
    assert "in road.mp4: found; intervals 1 = 0:03.0–0:04.0" in shown
    assert "an empty road" not in shown


@pytest.mark.slow
def test_leaving_a_turn_cancels_it_and_not_the_chat(
    road: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caption_writer, "BATCH_SECONDS", 0.0)
    with Grounder(reasoner=WordReasoner(), captioner=BrightnessCaptioner()) as grounder:
        with chat(grounder, told, road) as session:
            before = set(threading.enumerate())
            for one in session.stream("brightness 0"):
                if isinstance(one, Progress):
                    break
            for thread in set(threading.enumerate()) - before:
                thread.join(PATIENCE_S)
            assert session.turns == []
            assert session.ask("brightness 0").turn == 1
        with chat(grounder, told) as session:
            assert [turn.said for turn in session.turns] == ["brightness 0"]


@pytest.mark.slow
def test_a_turn_that_was_left_writes_nothing_over_the_next_one(
    road: Path, captions: Path, told: list[str]
) -> None:
    released = threading.Event()

    class Slow(TalkingReasoner):
        def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
            reply = super().converse(messages, schema=schema)
            if len(self.told) == 2:
                released.wait(PATIENCE_S)
            return reply

    reasoner = Slow("no idea", {"query": "a red car"}, {"query": DOG})
    with Grounder(reasoner=reasoner) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, told, road) as session:
            before = set(threading.enumerate())
            for _ in session.stream("a red car"):
                break  # Its first reading was refused, and the second one takes its time.
            left = set(threading.enumerate()) - before
            while len(reasoner.told) < 2:
                threading.Event().wait(0.01)
            assert session.ask(DOG).turn == 1
            released.set()
            for thread in left:
                thread.join(PATIENCE_S)
        with chat(grounder, told) as session:
            assert [turn.said for turn in session.turns] == [DOG]


@pytest.mark.slow
@pytest.mark.parametrize("wreck", ["no database", "folder", "values"])
def test_a_damaged_memory_is_said_plainly_left_alone_and_the_chat_goes_on(
    wreck: str, grounder: Grounder, road: Path, told: list[str]
) -> None:
    path = grounder.settings.home / "chats.sqlite"
    if wreck == "no database":
        path.write_bytes(b"not a database at all, but long enough to be read as one" * 20)
    elif wreck == "folder":
        path.mkdir()
    else:
        with chat(grounder, told, road) as session:
            session.ask(DOG)
        connection = sqlite3.connect(path)
        connection.execute("UPDATE checkpoints SET checkpoint = x'00ff00'")
        connection.commit()
        connection.close()
    content = path.read_bytes() if path.is_file() else b""
    with chat(grounder, told, road) as session:
        assert not session.is_remembered
        session.ask(DOG)
        assert spans(session.ask("the second time")) == [(5.0, 6.0)]
    assert len(told) == 1
    assert f"the memory of chats, {path}, cannot be" in told[0]
    assert "will not be remembered" in told[0]
    assert content == (path.read_bytes() if path.is_file() else b"")


@pytest.mark.slow
def test_a_memory_that_breaks_in_the_middle_takes_no_turn_with_it(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        session.ask(DOG)
        connection = sqlite3.connect(grounder.settings.home / "chats.sqlite")
        connection.execute("DROP TABLE checkpoints")
        connection.commit()
        connection.close()
        answer = session.ask("the second time")
        assert (answer.turn, spans(answer)) == (2, [(5.0, 6.0)])
        assert session.ask("the first time").turn == 3
    assert len(told) == 1
    assert "cannot be used" in told[0]


@pytest.mark.slow
def test_a_chat_keeps_one_state_and_not_every_step_to_it(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        for _ in range(3):
            session.ask(DOG)
    connection = sqlite3.connect(grounder.settings.home / "chats.sqlite")
    ((checkpoints,),) = connection.execute("SELECT COUNT(*) FROM checkpoints").fetchall()
    connection.close()
    assert checkpoints == 1


@pytest.mark.slow
def test_a_deleted_video_is_still_asked_but_cannot_be_cut(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        session.ask(DOG)
        road.unlink()
        with pytest.raises(VideoError, match=r"road\.mp4"):
            session.ask("cut that out")
        assert spans(session.ask("the second time")) == [(5.0, 6.0)]
    with chat(grounder, told) as session:
        assert spans(session.ask("what happens between 0:03 and 0:04?")) == [(3.0, 4.0)]


def test_a_question_goes_to_all_videos_and_an_unusable_one_stops_no_other(
    grounder: Grounder, road: Path, tmp_path: Path, told: list[str]
) -> None:
    yard = draw_video(tmp_path / "yard.mp4", even_times(16, 4.0))
    with chat(grounder, told, road, yard, tmp_path / "none.mp4") as session:
        assert [Path(path).name for path in session.videos] == ["road.mp4", "yard.mp4"]
        yard.unlink()
        answer = session.ask(f"{DOG} in all")
        assert [one.outcome for one in answer.results] == ["found", "failed"]
        assert "yard.mp4" in answer.results[1].words
        assert answer.result is answer.results[0]
        session.add_video("road")
        assert session.current == str(road)
        with pytest.raises(VideoError, match="there is no file lobby"):
            session.add_video("lobby")
    assert len(told) == 1
    assert "none.mp4" in told[0]


@pytest.mark.slow
def test_follow_ups_of_time_and_number_search_what_they_leave_of_the_video(
    tmp_path: Path, told: list[str]
) -> None:
    long_road = draw_video(
        tmp_path / "long.mp4", even_times(260, 1.0), picture=lambda index: gray(index % 50)
    )
    captions = tmp_path / "long.jsonl"
    dogs = range(10, 250, 20)
    texts = [
        f"a brown dog jumps over a fence {at}" if at in dogs else f"an empty grey road {at}"
        for at in range(0, 260, 5)
    ]
    rows = [
        {"start_s": 5 * place, "end_s": 5 * place + 5, "caption": text}
        for place, text in enumerate(texts)
    ]
    captions.write_text("\n".join(map(json.dumps, rows)))
    with Grounder(load_settings(reasoner="similarity")) as grounder:
        grounder.watch(long_road, captions=captions)
        with chat(grounder, told, long_road) as session:
            session.ask("a brown dog jumps")
            said = {
                words: session.ask(words)
                for words in ("the second time", "again?", "how many times?", "the last one")
            }
            late = session.ask("a brown dog jumps after 3:55")
            early = session.ask("a brown dog jumps before 0:05")
            between = session.ask("a brown dog jumps between 2:00 and 2:40")
    assert spans(said["the second time"]) == [(30.0, 35.0)]
    assert spans(said["again?"]) == [(50.0, 55.0)]
    assert spans(said["how many times?"]) == [(at, at + 5.0) for at in dogs]
    assert said["how many times?"].result.words.startswith(f"{len(dogs)} times: 0:10.0–0:15.0")
    assert spans(said["the last one"]) == [(230.0, 235.0)]
    assert (late.result.outcome, early.result.outcome) == ("not_found", "not_found")
    assert "none after 3:55.0 was found" in late.result.words
    assert spans(between) == [(130.0, 135.0), (150.0, 155.0)]


def test_an_event_that_is_not_there_is_said_rather_than_guessed(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        answer = session.ask("before a helicopter lands, who was there?")
        assert answer.result.outcome == "not_found"
        assert "“a helicopter lands” was not found" in answer.result.words
        found = session.ask("after the red car stops, a brown dog jumps")
        assert spans(found) == [(5.0, 6.0)]
        assert "“the red car stops” is 0:03.0–0:04.0" in found.result.words


@pytest.mark.slow
def test_still_there_is_judged_by_intervals_and_shows_the_captions_at_that_moment(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        session.ask("a red car stops")
        there = session.ask("is it still there at 0:03?")
        gone = session.ask("is it still there at 0:06?")
    assert (there.result.outcome, spans(there)) == ("found", [(3.0, 4.0)])
    assert gone.result.outcome == "not_found"
    unnamed = "no caption there names it"
    assert gone.result.words == f"not at 0:06.0: {unnamed}; it is there 0:03.0–0:04.0"
    assert DOG in [one.text for one in gone.result.captions]


def test_a_clip_ends_with_its_video(
    grounder: Grounder,
    road: Path,
    told: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with chat(grounder, told, road) as talk:
        answer = talk.ask("cut out 0:02 to 1:00")
    assert "0:02.0–0:08.0 written" in answer.result.words


def test_an_answer_is_told_again_with_its_length_and_what_shows_it(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        first = session.ask("a dog")
        again = session.ask("how long was it?")
        sure = session.ask("are you sure?")
    assert spans(again) == spans(first)
    best = first.result.intervals[0]
    assert f"{best.end_s - best.start_s:.1f} s long" in again.result.words
    assert again.result.captions
    assert sure.follow_up.turn == 1
    assert sure.understood == "the answer to “a dog” once more"


def test_that_nothing_was_found_is_told_again(
    grounder: Grounder, road: Path, told: list[str]
) -> None:
    with chat(grounder, told, road) as session:
        first = session.ask("an elephant")
        again = session.ask("really?")
    assert spans(first) == spans(again) == []
    assert first.result.grounding is not None
    assert again.result.words.startswith(f"{first.result.words}: ")
    assert first.result.grounding.reasoning in again.result.words, "and why"


def test_a_text_model_may_have_an_answer_told_again(road: Path, captions: Path) -> None:
    model = TalkingReasoner(
        {"kind": "find", "query": "a dog"}, {"kind": "recap", "query": None, "turn": 1}
    )
    with Grounder(reasoner=model) as grounder:
        grounder.watch(road, captions=captions)
        with chat(grounder, [], road) as session:
            first = session.ask("a dog")
            again = session.ask("are you sure about that?")
    assert again.by == "llm"
    assert spans(again) == spans(first)
