"""Replies: what is accepted, and what each refusal tells the model."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import AnswerError
from agent.reasoning.answer import ANSWER_SCHEMA, Answer, NumberedEvent, Step, parse_answer
from tools.timeline import Interval

SPANS = [Interval(2.0 * i, 2.0 * i + 2) for i in range(9)]
GOOD = {
    "steps": [{"caption": 2, "role": "before", "why": "closed"}, {"caption": 3, "role": "start"}],
    "found": True,
    "events": [{"first": 3, "last": 5}],
}


@pytest.mark.parametrize(
    "reply", ["k>From #1 to #2: {}", "think|> {}", "{} <", "{}\n＜", "From #1 to #2? {}", "#3?\n{}"]
)
def test_an_object_beside_the_rest_of_a_mark_or_after_a_question_is_no_answer(reply: str) -> None:
    with pytest.raises(AnswerError) as refused:
        parse_answer(reply.replace("{}", json.dumps(GOOD)), shown=SPANS)
    assert refused.value.kind == "no_json"


@pytest.mark.parametrize("reply", ["> {}", "When does it happen? {}", "a -> b, so {}", "{} <3"])
def test_other_signs_beside_an_object_do_no_harm(reply: str) -> None:
    assert parse_answer(reply.replace("{}", json.dumps(GOOD)), shown=SPANS).found


def test_a_plain_object_is_read() -> None:
    assert parse_answer(json.dumps(GOOD), shown=SPANS).events == (NumberedEvent(first=3, last=5),)


def test_prose_and_code_fences_around_the_object_are_allowed() -> None:
    reply = f"Let me think {{about}} it.\n```json\n{json.dumps(GOOD)}\n```\nThat is all."
    assert parse_answer(reply, shown=SPANS).found


def test_the_last_object_counts_since_models_think_first() -> None:
    draft = json.dumps({"found": False})
    assert parse_answer(f"{draft} no, wait: {json.dumps(GOOD)}", shown=SPANS).found


@pytest.mark.parametrize(
    "after",
    [
        '\n<why": "it isn\'t th: 7}]}\n```',
        " No: found: false",
        ' No: {"moment": "later"}',
        "\n</thi nk>\nIt is later.",
        "\n◁/think It is later.",
        "\n[/THNK] It is later.",
        "\n/think> It is later.",
    ],
)
def test_an_object_before_remains_of_another_or_a_damaged_mark_is_no_answer(after: str) -> None:
    with pytest.raises(AnswerError, match="comes"):
        parse_answer(f"Perhaps {json.dumps(GOOD)}{after}", shown=SPANS)


@pytest.mark.parametrize(
    "reply",
    [
        "```json\n{}\n```",
        "Here it is:\n```json\n{}\n```\nThe man opens the door (#4), and then sits.",
        '{}\n\nHe opens it at 0:04 [#4, #5]: the door was "shut", or so, before.',
        "{}}}",
        "[{}]",
        "</thnk> {}",
    ],
)
def test_prose_fences_and_a_bracket_too_many_do_not_hide_an_answer(reply: str) -> None:
    assert parse_answer(reply.replace("{}", json.dumps(GOOD), 1), shown=SPANS).found


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        ("at about four", "no_json", "no JSON object"),
        ('{"found": true, "events": [{"first": 3', "no_json", "breaks off"),
        ('{"found": NaN}', "no_json", "no JSON object"),
        ('{"a":' * 15_000, "no_json", "nested too deep"),
        ('{"a":' * 100_000, "no_json", "longer than 100,000 characters"),
        ('{"found": ' + "9" * 5000 + "}", "no_json", "no JSON object"),
        ('{"found": "perhaps"}', "wrong_schema", "found"),
        ('{"found": true, "events": [3, 5]}', "wrong_schema", "events.0"),
        ('{"found": true, "events": [{"start": 3, "end": 5}]}', "wrong_schema", "events.0.first"),
        (
            '{"draft": {"found": true, "events": [{"first": 3, "last": 5}]}}',
            "wrong_schema",
            "found",
        ),
        (
            '<unheard_of>{"found": true, "events": [{"first": 3, "last": 5}]}',
            "no_json",
            "may be a thought",
        ),
        (
            'Perhaps {"found": true, "events": [{"first": 3, "last": 5}]}',
            "no_json",
            "called a guess",
        ),
        (
            '{"found": true, "events": [{"first": 3, "last": 5}]} Or #6 to #7.',
            "no_json",
            "come other captions",
        ),
        ("From #3 to #5 the room is empty.", "no_json", "no JSON object"),
        ("It is seen from #3 to #5, where no dog runs", "no_json", "no JSON object"),
        ("It may be #3 to #5", "no_json", "no JSON object"),
        ("It happens from 3 to 5", "no_json", "no JSON object"),
        ("Captions #3 to #5 show a dog.", "no_json", "no JSON object"),
        (
            '{"found": true, "events": [{"first": 1.5, "last": 2}]}',
            "wrong_schema",
            "events.0.first",
        ),
        ('{"found": true, "events": [{"first": true, "last": 2}]}', "wrong_schema", "events.0"),
        ('{"found": false, "events": [{"start": "0:04"}]}', "wrong_schema", "events.0.first"),
        (
            '{"found": false} but {"found": true, "events": [{"first": 3 "last": 5}]}',
            "no_json",
            "delimiter",
        ),
        (
            '{"found": false} No: {"found": true, "events": [{"first": 3, "la',
            "no_json",
            "breaks off",
        ),
        (
            '{"found": false} No: {"steps": [], "events": [{"first": 3, "last": 5}]}',
            "no_json",
            "a part of another one",
        ),
        ('{"draft": {"found": false}, "found": true, "events": [3 5]}', "no_json", "delimiter"),
        (
            '{"found": false, "found": true, "events": []}',
            "no_json",
            "'found' stands in one object twice",
        ),
        ("{'found': False, 'found': True}", "no_json", "no JSON object"),
        ("#3 to #5 show no dog", "no_json", "no JSON object"),
        ("Let me read #3 to #5 first.", "no_json", "no JSON object"),
        ("It is not #3 to #5", "no_json", "no JSON object"),
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
        parse_answer(reply, shown=SPANS)
    assert refusal.value.kind == kind
    assert len(str(refusal.value)) < 500, "a refusal goes back to the model: it must stay short"


EVENTS = '"events": [{"first": 3, "last": 5}]'


@pytest.mark.parametrize(
    "reply",
    [
        '```json\n{"steps": [], "found": true, "events": [{"first": 3, "last": 5},]}\n```',
        '{"steps": [], // none, as I don\'t need any\n"found": true, ' + EVENTS + "}",
        '{"steps": [], /* {"found": false} */ "found": true, ' + EVENTS + "}",
        "{'steps': [], 'found': True, 'events': [{'first': 3, 'last': 5}]}",
        "{'steps': [], 'found': true, 'events': [{'first': 3, 'last': 5}]}",
        '{steps: null, found: true, "events": ["#3 to #5"]}',
        '{"found": true, "events": [{"first": "#3", "last": "5"}]}',
        '{"found": true, "confidence": 0.9, ' + EVENTS + "}",
        '{"answer": {"steps": null, "found": true, ' + EVENTS + "}}",
        '{"found": "true", ' + EVENTS + "}",
        '{"Found": true, "Events": [{"First": 3, "Last": 5}]}',
        '{"found": TRUE, ' + EVENTS + "}",
        '{"found": true, "events": {"first": 3, "last": 5}}',
        '{"found": true, "events": [[3, 5]]}',
        '{"found": true, "events": "#3 to #5"}',
        '{"found": true, "events": [{"first": #3, "last": #5}]}',
        '{"found": true, "events": [{"first": 03, "last": 05}]}',
        '{"found": true, "events": [{"first": "caption 3", "last": "#5 [8.0–10.0 s]"}]}',
        '{"found": true, "events": [{"first": [3], "last": ["5"]}]}',
        '{"steps": [], # it isn\'t needed }\n"found": true, ' + EVENTS + "}",
        '{"steps": [...], "found": true, ' + EVENTS + "}",
        '{"steps": "none", "found": true, ' + EVENTS + "}",
        "{“steps”: [], “found”: true, “events”: [{“first”: 3, “last”: 5}]}",
        '{{"found": true, ' + EVENTS + "}}",
        '\\boxed{{"found": true, ' + EVENTS + "}}",
        '{"name": "answer", "arguments": {"found": true, ' + EVENTS + "}}",
        '<tool_call>{"name": "x", "arguments": {"found": true, ' + EVENTS + "}}</tool_call>",
        json.dumps('{"found": true, ' + EVENTS + "}"),
        json.dumps({"response": '{"found": true, ' + EVENTS + "}"}),
        "From #3 to #5.",
        "**#3 to #5**",
        "The event is from caption 3 to caption 5.",
        "It happens from #3 to #5, when the man opens the door.",
        "The event is shown in captions #3–#5",
    ],
)
def test_what_can_mean_one_thing_only_is_read(reply: str) -> None:
    answer = parse_answer(reply, shown=SPANS)
    assert (answer.found, answer.events, answer.steps) == (
        True,
        (NumberedEvent(first=3, last=5),),
        (),
    )


def test_a_reason_may_go_over_several_lines_and_a_role_be_in_capitals() -> None:
    reply = (
        '{"steps": [{"caption": "#3", "role": "Start", "why": "it\nopens"},'
        ' {"caption": 4, "role": "during", "why": null}], "found": true, ' + EVENTS + "}"
    )
    first, second = parse_answer(reply, shown=SPANS).steps
    assert (first.role, first.why, second.why) == ("start", "it opens", "")


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
            answer = parse_answer(reply, shown=SPANS)
        except AnswerError:
            continue
        assert all(1 <= event.first <= event.last <= 9 for event in answer.events)


def test_a_number_says_nothing_about_time() -> None:
    looked_up = [*SPANS, Interval(3.0, 3.5), Interval(3.5, 4.0)]
    answer = parse_answer('{"found": true, "events": [{"first": 10, "last": 4}]}', shown=looked_up)
    assert answer.events == (NumberedEvent(first=10, last=4),)
    with pytest.raises(AnswerError, match="#4 to #11 ends before it starts"):
        parse_answer('{"found": true, "events": [{"first": 4, "last": 11}]}', shown=looked_up)


def test_a_longer_look_may_reach_into_the_event_that_it_comes_before() -> None:
    looked_up = [*SPANS, Interval(3.0, 3.5), Interval(3.5, 4.0)]
    reply = {
        "steps": [{"caption": 2, "role": "before"}, {"caption": 10, "role": "start"}],
        "found": True,
        "events": [{"first": 10, "last": 11}],
    }
    assert parse_answer(json.dumps(reply), shown=looked_up).found


def test_reasons_are_kept_short_and_can_be_stored_whatever_is_in_them() -> None:
    reply = '{"found": true, "events": [{"first": 1, "last": 1}], "steps": [{"caption": 1, '
    reply += '"role": "start", "why": "\\ud800' + "x" * 5000 + '"}]}'
    why = parse_answer(reply, shown=SPANS).steps[0].why
    assert len(why.encode()) < 310


def test_a_refusal_is_short_and_can_be_sent_whatever_the_reply_made_up() -> None:
    made_up = '{"found": "\\ud800' + "k" * 5000 + '", "events": {"\\ud800": 1}}'
    with pytest.raises(AnswerError) as refusal:
        parse_answer(made_up, shown=SPANS)
    assert len(str(refusal.value).encode()) < 500


def test_the_schema_that_services_are_given_asks_for_what_the_parser_reads() -> None:
    def named(schema: dict[str, Any]) -> set[str]:
        return set(schema["properties"])

    properties = ANSWER_SCHEMA["properties"]
    assert named(ANSWER_SCHEMA) == set(Answer.model_fields)
    assert named(properties["steps"]["items"]) == set(Step.model_fields)
    assert named(properties["events"]["items"]) == set(NumberedEvent.model_fields)


@pytest.mark.parametrize(
    ("first", "last"),
    [("4.0", "6.0"), ('"0:04"', '"0:06"'), ('"4 s"', '"6s"'), ('"4.0"', '"[6.0 s]"')],
)
def test_a_time_is_no_number_and_the_model_is_told_which_caption_lies_there(
    first: str, last: str
) -> None:
    """Captions are shown with their times, and #4 does not lie at 4 s."""
    reply = f'{{"found": true, "events": [{{"first": {first}, "last": {last}}}]}}'
    with pytest.raises(AnswerError, match="is a time, not a caption's number") as caught:
        parse_answer(reply, shown=[Interval(2.0 * at, 2.0 * at + 2) for at in range(9)])
    assert caught.value.kind == "wrong_schema"
    assert "(at 4 s is #3)" in str(caught.value)
    assert "(at 6 s is #3)" in str(caught.value)


@pytest.mark.parametrize("first", ["99.0", "-4.0", "1e999", '"99:99"'])
def test_a_time_at_which_nothing_was_shown_has_no_number(first: str) -> None:
    reply = f'{{"found": true, "events": [{{"first": {first}, "last": 3}}]}}'
    with pytest.raises(AnswerError) as caught:
        parse_answer(reply, shown=[Interval(0, 2), Interval(2, 4), Interval(4, 6)])
    assert "is #" not in str(caught.value)


def test_labels_in_other_words_are_labels() -> None:
    steps = [
        {"caption": 1, "role": "Not yet"},
        {"caption": 2, "role": "begin"},
        {"caption": 3, "role": "ongoing"},
        {"caption": 4, "role": "finish"},
    ]
    said = {"steps": steps, "found": True, "events": [{"first": 2, "last": 4}]}
    answer = parse_answer(json.dumps(said), shown=[Interval(at, at + 1) for at in range(6)])
    assert [step.role for step in answer.steps] == ["before", "start", "during", "end"]
