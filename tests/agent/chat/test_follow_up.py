"""What a turn can ask for, and how times and names in it are read."""

import pytest

from agent.chat.follow_up import FollowUp, find_video, parse_clock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:30", 90.0),
        ("0:05", 5.0),
        ("1:02:03.5", 3723.5),
        ("75:00", 4500.0),
        ("90 s", 90.0),
        ("90.5 seconds", 90.5),
        ("1m30s", 90.0),
        ("2 min", 120.0),
    ],
)
def test_a_time_is_read_as_it_is_said(text: str, seconds: float) -> None:
    assert parse_clock(text) == seconds


@pytest.mark.parametrize("text", ["1:75", "1:60:00", "90", "soon", "", "-1:30", "1:3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        parse_clock(text)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"kind": "find"}, "needs a query"),
        ({"kind": "cut", "turn": 1, "query": "a dog"}, "takes no query"),
        ({"kind": "describe"}, "which stretch"),
        ({"kind": "find", "query": "x", "relation": "after"}, "exactly one"),
        ({"kind": "find", "query": "x", "turn": 1}, "needs none"),
        (
            {"kind": "find", "query": "x", "relation": "after", "turn": 1, "event": "y"},
            "exactly one",
        ),
        ({"kind": "find", "query": "x", "relation": "at", "times": ["1:00", "2:00"]}, "needs 1"),
        ({"kind": "describe", "relation": "during", "times": ["1:00"]}, "needs 2"),
        ({"kind": "describe", "relation": "during", "times": ["2:00", "1:00"]}, "not come after"),
        ({"kind": "find", "query": "x", "which": 0}, "which is"),
        ({"kind": "find", "query": "x", "interval": 2}, "needs the turn"),
        ({"kind": "still_there", "query": "x"}, "needs relation 'at'"),
        ({"kind": "cut", "relation": "after", "turn": 1}, "what to cut"),
        ({"kind": "cut"}, "exactly one"),
        ({"kind": "find", "query": "x", "relation": "at", "times": ["1:99"]}, "is no time"),
    ],
)
def test_a_follow_up_that_contradicts_itself_cannot_be_made(
    fields: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        FollowUp.model_validate(fields)


def test_a_video_is_named_by_path_file_or_stem_and_never_by_half_of_it() -> None:
    paths = ["/a/Lobby.mp4", "/b/yard.mkv", "/c/yard.mp4"]
    assert find_video("lobby", paths) == "/a/Lobby.mp4"
    assert find_video("yard.mp4", paths) == "/c/yard.mp4"
    assert find_video("/b/yard.mkv", paths) == "/b/yard.mkv"
    assert find_video("yard", paths) is None
    assert find_video("lob", paths) is None
