"""Replies: what is accepted, and what each refusal tells the model."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.answer import Event, parse_answer
from agent.errors import AnswerError

GOOD = {
    "steps": [{"caption": 2, "role": "before", "why": "closed"}, {"caption": 3, "role": "start"}],
    "found": True,
    "events": [{"first": 3, "last": 5}],
}


def test_a_plain_object_is_read() -> None:
    assert parse_answer(json.dumps(GOOD), shown=9).events == (Event(first=3, last=5),)


def test_prose_and_code_fences_around_the_object_are_allowed() -> None:
    reply = f"Let me think {{about}} it.\n```json\n{json.dumps(GOOD)}\n```\nThat is all."
    assert parse_answer(reply, shown=9).found


def test_the_last_object_counts_since_models_think_first() -> None:
    draft = json.dumps({"found": False})
    assert parse_answer(f"{draft} no, wait: {json.dumps(GOOD)} {{}}", shown=9).found


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        ("at about four", "no_json", "no JSON object"),
        ('{"found": true, "events": [{"first": 3', "no_json", "breaks off"),
        ('{"found": NaN}', "no_json", "no JSON object"),
        ('{"a":' * 100_000, "no_json", "no JSON object"),
        ('{"found": ' + "9" * 5000 + "}", "no_json", "no JSON object"),
        ('{"found": "yes"}', "wrong_schema", "found"),
        (
            '{"found": true, "events": [{"first": 1.5, "last": 2}]}',
            "wrong_schema",
            "events.0.first",
        ),
        ('{"found": true, "events": [{"first": true, "last": 2}]}', "wrong_schema", "events.0"),
        ('{"found": false, "start": "0:04"}', "wrong_schema", "start"),
        ('{"found": true, "events": [{"first": 8, "last": 10}]}', "unknown_caption", "#10"),
        ('{"found": true, "events": [{"first": 0, "last": 2}]}', "unknown_caption", "#1 to #9"),
        (
            '{"found": true, "events": [{"first": 1' + "0" * 99 + ', "last": 2}]}',
            "unknown_caption",
            "#1",
        ),
        ('{"found": false, "steps": [{"caption": 77, "role": "end"}]}', "unknown_caption", "#77"),
        ('{"found": true, "events": [{"first": 5, "last": 3}]}', "reversed", "#5 to #3"),
        ('{"found": true, "events": []}', "contradiction", "events is empty"),
        ('{"found": false, "events": [{"first": 1, "last": 2}]}', "contradiction", "decide"),
        (
            '{"found": true, "events": [{"first": 4, "last": 6}, {"first": 1, "last": 4}]}',
            "contradiction",
            "#1–#4 and #4–#6 overlap",
        ),
        (
            (
                '{"found": true, "steps": [{"caption": 4, "role": "before"}],'
                ' "events": [{"first": 3, "last": 5}]}'
            ),
            "contradiction",
            "#4 is labelled 'before'",
        ),
        (
            (
                '{"found": true, "steps": [{"caption": 7, "role": "during"}],'
                ' "events": [{"first": 3, "last": 5}]}'
            ),
            "contradiction",
            "outside",
        ),
    ],
)
def test_a_bad_reply_is_refused_with_its_reason(reply: str, kind: str, told: str) -> None:
    with pytest.raises(AnswerError, match=told) as refusal:
        parse_answer(reply, shown=9)
    assert refusal.value.kind == kind
    assert len(str(refusal.value)) < 400, "a refusal goes back to the model: it must stay short"


@settings(max_examples=300)
@given(st.one_of(st.text(), st.binary().map(lambda b: b.decode("latin-1"))), st.data())
def test_no_mutilated_reply_gets_past_as_anything_but_valid(
    noise: str, data: st.DataObject
) -> None:
    whole = json.dumps(GOOD)
    cut = data.draw(st.integers(0, len(whole)))
    for reply in (
        noise,
        whole[:cut] + noise,
        noise + whole[cut:],
        whole[:cut] + noise + whole[cut:],
    ):
        try:
            answer = parse_answer(reply, shown=9)
        except AnswerError:
            continue
        assert all(1 <= event.first <= event.last <= 9 for event in answer.events)
