"""A reply about the frames around an edge: accepted whole, or refused with a reason."""

import json
import random
from typing import Any

import pytest

from agent.errors import AnswerError
from agent.reasoning.edge_reply import edge_prompt, is_under_way, parse_edge_reply
from prompts.catalog import PACKAGED
from tests.tiers import first_fast

STATES = ("not_begun", "under_way", "done", "not_shown")


def reply(*states: str, **fields: Any) -> str:
    under_way = [place for place, state in enumerate(states, 1) if state == "under_way"]
    first, last = (under_way[0], under_way[-1]) if under_way else (None, None)
    frames = [{"frame": n, "state": one, "sees": f"it {n}"} for n, one in enumerate(states, 1)]
    return json.dumps({"frames": frames, "first": first, "last": last} | fields)


def test_each_frame_has_its_state_and_a_text_that_says_so() -> None:
    said = parse_edge_reply(reply("not_begun", "under_way", "done"), frames=3)
    assert (said.first, said.last) == (2, 2)
    texts = [one.text for one in said.frames]
    assert texts == ["Not begun: it 1", "Under way: it 2", "Done: it 3"]
    assert [is_under_way(text) for text in texts] == [False, True, False]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("It begins at once.", "no JSON object"),
        (reply("not_begun", "under_way"), "each frame from 1 to 3"),
        (reply("under_way", "not_begun", "done"), "goes from not_begun"),
        (reply("not_begun", "under_way", "done", first=1), "by the states they are 2 and 2"),
        (reply("not_begun", "not_shown", "done", first=2, last=2), "they are null"),
        (reply("not_begun", "begun", "done"), "wrong shape"),
    ],
)
def test_a_reply_that_contradicts_itself_is_refused_with_the_reason(said: str, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        parse_edge_reply(said, frames=3)


def test_the_prompt_asks_again_with_the_reason() -> None:
    assert "not accepted" not in edge_prompt(PACKAGED, "a dog jumps", frames=8)
    again = edge_prompt(PACKAGED, "a dog jumps", frames=8, refused="frame 3 is missing.")
    assert "Your last answer was not accepted. frame 3 is missing." in again


@pytest.mark.parametrize(("seed", "replies"), first_fast((3, 200), (17, 1000)))
def test_spoiled_replies_are_accepted_whole_or_refused(seed: int, replies: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(replies):
        count = rng.randint(2, 8)
        text = reply(*(rng.choice(STATES) for _ in range(rng.choice([count, count, count - 1]))))
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(text) + 1)
            text = (
                text[:at] + rng.choice(["", "{", "9" * 50, "null", "\ud800", '"']) + text[at + 1 :]
            )
        try:
            said = parse_edge_reply(text, frames=count)
        except AnswerError:
            continue
        accepted += 1
        assert [one.frame for one in said.frames] == list(range(1, count + 1))
        assert said.first is None or 1 <= said.first <= (said.last or 0) <= count
    assert accepted > replies / 25
