"""A thousand spoiled replies through the real graph: a valid answer or typed refusals, no more."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from agent.errors import RefusalKind
from agent.grounding import Grounding
from agent.reasoning.text_model import LLMReasoner
from tests.fakes import ChatModelOf
from tests.road import GOOD_REPLY, QUESTION, graph_with, stored

ODD: list[Any] = [
    *(0, -1, 1, 5, 7, 12, 13, 99, 1.5, -0.0, 1e999, float("nan"), 10**30, 10**400),
    *("", "5", "#5", "\ud800", "ünï\u2028cødé", "\x00", "💥" * 50, "x" * 20_000),
    *(None, True, False, [], {}, [[]], {"first": 5}, [{"first": 5, "last": 7}]),
]


def spoiled(rng: random.Random) -> str:
    """One reply as a model might spoil it."""
    if rng.random() < 0.6:
        text = json.dumps(_changed(json.loads(GOOD_REPLY), rng), ensure_ascii=rng.random() < 0.5)
    else:
        text = GOOD_REPLY
    for _ in range(rng.randrange(3)):
        cut, other = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        match rng.randrange(6):
            case 0:
                text = text[:cut]
            case 1:
                text = text[cut:other] + text[:cut] + text[other:]
            case 2:
                text = text[:cut] + text[other:]
            case 3:
                text = f"Let me think {{ about it.\n```json\n{text}\n```\n{text[:cut]}"
            case 4:
                text = text[:cut] + rng.choice(["NaN", "\ud83d", "}", '"', "9" * 5000]) + text[cut:]
            case _:
                text = text.replace(str(rng.randrange(9)), str(rng.choice(ODD[:14])))
    return text


def _changed(value: Any, rng: random.Random) -> Any:
    if rng.random() < 0.12:
        return rng.choice(ODD)
    if isinstance(value, dict):
        items = [(key, _changed(one, rng)) for key, one in value.items()]
        rng.shuffle(items)
        if rng.random() < 0.1:
            items.append((rng.choice(["extra", "\ud800", "k" * 5000]), rng.choice(ODD)))
        return dict(items[rng.random() < 0.1 :])
    if isinstance(value, list):
        return [_changed(one, rng) for one in value] * rng.choice([1, 1, 1, 0, 2])
    return value


def says_something_odd(rng: random.Random) -> AIMessage:
    """A spoiled reply, which now and then asks for something odd, or ends at its limit."""
    calls: list[Any] = []
    broken: list[Any] = []
    while rng.random() < 0.15:
        tool = rng.choice(["search_captions", "read_captions", "look_closer", "\ud800" * 99])
        names = rng.sample(["text", "start_s", "end_s", "rate_hz", "\ud800"], 3)
        call = {"name": tool, "id": "1", "args": {name: rng.choice(ODD) for name in names}}
        calls.append(call)
        if rng.random() < 0.1:
            broken.append(call | {"args": '{"text": ', "error": "no JSON"})
    finish = "length" if rng.random() < 0.05 else "stop"
    return AIMessage(
        spoiled(rng),
        tool_calls=calls,
        invalid_tool_calls=broken,
        response_metadata={"finish_reason": finish},
    )


@pytest.mark.slow
def test_a_thousand_spoiled_replies_end_in_valid_answers_or_typed_refusals(tmp_path: Path) -> None:
    rng = random.Random(20261123)
    model = ChatModelOf(answers=lambda _: says_something_odd(rng), takes_tools=True)
    kinds: Counter[str] = Counter()
    by: Counter[str] = Counter()
    with stored(tmp_path) as store:
        graph = graph_with(store, LLMReasoner(model), checkpointer=InMemorySaver())
        while len(model.asked) < 1000:
            config: Any = {"configurable": {"thread_id": str(len(model.asked))}}
            state = graph.invoke(QUESTION, config)
            answer = Grounding.model_validate_json(
                Grounding.model_validate(state["grounding"]).to_json()
            )
            for one in answer.intervals:
                assert 0 <= one.start_s < one.end_s <= 24
            assert len(answer.refusals) == answer.attempts - (answer.by == "llm")
            kinds.update(refusal.kind for refusal in answer.refusals)
            by[answer.by] += 1
    of_numbers = set(get_args(RefusalKind)) - {"unknown_time"}
    assert set(kinds) == of_numbers, "each kind of refusal should come up"
    assert by["llm"] > 100
    assert by["fallback"] > 10
