"""The picture of a turn, and what a text model is shown to read one."""

from collections.abc import Callable
from typing import Any

from agent.chat.follow_up import FollowUp
from agent.chat.rewriting import build_conversation
from agent.chat.turn_graph import build_chat_graph
from agent.chat.turns import ChatAnswer, Moment, TurnRefusal, VideoResult
from agent.grounding import VideoFacts

GoldenFile = Callable[[str, str], None]

TURN = ChatAnswer(
    turn=1,
    said="when does the dog run?",
    understood="“a dog runs”",
    by="llm",
    follow_up=FollowUp(kind="find", query="a dog runs"),
    results=(
        VideoResult(
            video=VideoFacts(id="v1", path="/videos/lobby.mp4", duration_s=100.0),
            outcome="found",
            words="0:32.0–0:40.0, 0:05.0–0:09.0",
            intervals=(Moment(start_s=32, end_s=40), Moment(start_s=5, end_s=9)),
        ),
        VideoResult(
            video=VideoFacts(id="v2", path="/videos/yard\n.mp4", duration_s=50.0),
            outcome="not_found",
            words="not found",
        ),
    ),
)


def test_the_graph_shows_where_a_refused_reading_goes(golden: GoldenFile) -> None:
    access: Any = None
    model: Any = object()
    graph = build_chat_graph(access, model=model, max_attempts=3)
    golden("chat.mmd", graph.get_graph().draw_mermaid())


def test_a_model_is_shown_the_rules_the_turns_and_its_refused_reply(golden: GoldenFile) -> None:
    messages = build_conversation(
        "the second one in yard?",
        turns=[TURN],
        videos=["/videos/lobby.mp4", "/videos/yard\n.mp4"],
        current="/videos/lobby.mp4",
        refusals=[TurnRefusal(attempt=1, kind="no_json", message="No JSON.", reply="")],
    )
    golden("chat.txt", "\n".join(f"=== {one.type}\n{one.text}\n" for one in messages))
