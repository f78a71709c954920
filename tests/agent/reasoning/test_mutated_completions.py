"""Thousands of completions with something broken in them: no draft is taken for the answer."""

import json
import random

import pytest

from agent.errors import AnswerError
from agent.reasoning.answer import parse_answer
from tests.tiers import first_fast
from tools.llm.completion import read_completion
from tools.llm.failures import Sent, classify
from tools.timeline import Interval

SPANS = [Interval(2.0 * i, 2.0 * i + 2) for i in range(12)]
DRAFT = '{"steps": [], "found": true, "events": [{"first": 1, "last": 2}]}'
FINAL = json.dumps(
    {
        "steps": [{"caption": 5, "role": "start", "why": "it isn't there before"}],
        "found": True,
        "events": [{"first": 5, "last": 7}],
    }
)
SAID = [
    f"<think>Perhaps {DRAFT}? No, it is later.</think>\n{FINAL}",
    f"Perhaps {DRAFT}\n</think>\n```json\n{FINAL}\n```",
    f"◁think▷{DRAFT}◁/think▷The answer: {FINAL}",
    f"[THINK]<answer>{DRAFT}</answer>? No.[/THINK]<answer>{FINAL}</answer>",
    f"<思考>{DRAFT}</思考>{FINAL}",
    f"<ponder>Perhaps {DRAFT}.</ponder>\n{FINAL}",
    f"**Thinking:** maybe {DRAFT}\n\n**Answer:** {FINAL}",
    f"<think>From #1 to #2? {DRAFT}</think>From #5 to #7.",
]
MUTATED = pytest.mark.parametrize("mutated", [500, pytest.param(10_000, marks=pytest.mark.slow)])
SENT = Sent({"response_format", "tools", "temperature", "max_tokens"}, look_ups=True, system=True)
NOISE = ['"', "'", "{", "}", "[", "]", "\\", ",", ":", "\x00", "�", "<think>", "null", "#", "//"]


def mutate(text: str, chance: random.Random) -> str:
    """The text with a piece of it cut out, doubled, or something else put in its place."""
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice([0, 1, 1, 2, 5, 20, 60]))
    new = chance.choice(["", "", text[start:end] * 2, chance.choice(NOISE)])
    return text[:start] + new + text[end:]


@MUTATED
@pytest.mark.parametrize(("mutations", "seed"), first_fast((2, 1), (1, 7), (2, 9)))
def test_no_mutated_reply_brings_a_draft_through_and_none_an_error_of_another_kind(
    mutated: int, mutations: int, seed: int
) -> None:
    chance = random.Random(seed)
    accepted = refused = 0
    for number in range(mutated):
        reply = SAID[number % len(SAID)]
        for _ in range(mutations):
            reply = mutate(reply, chance)
        message = {"role": "assistant", "content": reply}
        body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
        done = read_completion("application/json", body.encode())
        assert done is not None
        try:
            answer = parse_answer(done.text, shown=SPANS)
        except AnswerError:
            refused += 1
        else:
            accepted += 1
            assert all(event.first > 2 for event in answer.events), reply
    assert accepted > mutated / 20
    assert refused > mutated / 20


@MUTATED
def test_no_mutated_body_brings_an_error_of_another_kind(mutated: int) -> None:
    chance = random.Random(8)
    message = {"role": "assistant", "content": SAID[0], "tool_calls": [{"function": {"name": "x"}}]}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "error": None}
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    whole = json.dumps({"choices": [choice], "usage": usage, "error": {"message": "no", "code": 5}})
    stream = "".join(
        f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n" for piece in "abc"
    )
    for number in range(mutated):
        body = mutate(stream if number % 4 == 0 else whole, chance).encode("utf-8", "replace")
        kind = "text/event-stream" if number % 4 == 0 else "application/json"
        read_completion(kind, body)
        classify(chance.choice([200, 400, 404, 429, 500]), {}, body, SENT)
