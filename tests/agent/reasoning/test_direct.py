"""Replies of video models in seconds: what is read, what is refused, and where the edges go."""

import random
from collections import Counter

import pytest

from agent.errors import AnswerError
from agent.reasoning.direct import LONGEST_CLIP_S, TAKES_VIDEO, parse_direct, stretches_to_show
from tools.ranking import Window
from tools.timeline import Interval

FRAMES = [Interval(0.5 * place, 0.5 * place + 0.5) for place in range(60)]
"""Thirty seconds at two frames a second."""

LATE = [Interval(600.0 + place, 601.0 + place) for place in range(30)]


def spans(reply: str, frames: list[Interval] = FRAMES) -> list[tuple[float, float]]:
    answer = parse_direct(reply, frames)
    assert answer.found == bool(answer.events)
    return [(frames[one.first - 1].start_s, frames[one.last - 1].end_s) for one in answer.events]


@pytest.mark.parametrize(
    "reply",
    [
        '{"why": "it falls", "found": true, "events": [{"start_s": 12.5, "end_s": 18.0}]}',
        '{"found": true, "events": [[12.5, 18]]}',
        '{"found": true, "events": [{"start": "0:12.5", "end": "00:18"}]}',
        '{"start_time": 12.5, "end_time": "18 s"}',
        '{"timestamps": ["12.5 - 18 seconds"]}',
        "12.5 - 18 seconds",
        "12.5s–18s",
        *(f"12.5{dash}18 s" for dash in "-‐‑‒–—―−﹘﹣－~→"),
        "00:12.5 --> 00:18",
        '{"events": [{"start": 12.5, "end": 18, "unit": "seconds"}]}',
        "The event happens from 0:12.5 to 0:18.",
        "between 12.5 and 18 seconds",
        "[[12.5, 18.0]]",
        "```json\n[12.5, 18.0]\n```",
        '{"found": true, "events": [{"start_s": 12.44, "end_s": 18.13}]}',
    ],
)
def test_the_usual_forms_are_read_and_edges_are_those_of_frames(reply: str) -> None:
    assert spans(reply) == [(12.5, 18.0)]


def test_several_events_and_none_are_read() -> None:
    assert spans("3 - 5 seconds, 20 - 22.5 seconds") == [(3.0, 5.0), (20.0, 22.5)]
    assert spans('{"found": false, "events": []}') == []
    assert spans("[]") == []


def test_events_that_share_a_frame_are_one() -> None:
    assert spans('{"found": true, "events": [[3, 5], [4.2, 8]]}') == [(3.0, 8.0)]


def test_a_moment_is_as_long_as_the_frame_that_shows_it() -> None:
    assert spans("12.5 - 12.5 s") == [(12.5, 13.0)]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("", "no_json"),
        ("It does not happen from 3 to 5.", "no_json"),
        ("at about 12 seconds", "no_json"),
        ("from 12 to 18, or never", "no_json"),
        ('{"found": true, "events": [{"start_s": 1', "no_json"),
        ('{"found": "maybe"}', "wrong_schema"),
        ('{"found": true, "events": [{"start_s": NaN, "end_s": 3}]}', "no_json"),
        ('{"found": true, "events": [{"start_s": -3, "end_s": 3}]}', "wrong_schema"),
        ('{"found": true, "events": [{"start_s": 1e99, "end_s": 3}]}', "wrong_schema"),
        ('{"found": true, "events": [{"start_s": true, "end_s": 3}]}', "wrong_schema"),
        ('{"found": true, "events": [["0:75", "0:80"]]}', "wrong_schema"),
        ('{"found": true, "events": [[18, 12]]}', "reversed"),
        ('{"found": true, "events": []}', "contradiction"),
        ('{"found": false, "events": [[1, 2]]}', "contradiction"),
        *((f"{sign}3 to 5 s", "no_json") for sign in "-‑–−－"),
        ("12 - −18 s", "no_json"),
        ("from 10% to 20%", "no_json"),
        ("frames 12 to 18", "no_json"),
        ("twelve to eighteen seconds", "no_json"),
        ('{"found": true, "events": [[1, 1e309]]}', "wrong_schema"),
        ('{"found": true, "events": [{"start": 3, "end": 5, "unit": "frames"}]}', "wrong_schema"),
        ('{"unit": "%", "events": [[3, 5]]}', "wrong_schema"),
        ('{"found": true, "events": [[12, 48]]}', "unknown_time"),
        ('{"found": true, "events": [[40, 42]]}', "unknown_time"),
    ],
)
def test_what_is_no_answer_is_refused_by_kind(reply: str, kind: str) -> None:
    with pytest.raises(AnswerError) as refused:
        parse_direct(reply, FRAMES)
    assert refused.value.kind == kind


def said_of(query: str, reply: str) -> list[tuple[float, float]] | None:
    """The intervals that are read; None where the reply is refused."""
    try:
        answer = parse_direct(reply, FRAMES, query)
    except AnswerError:
        return None
    return [(FRAMES[one.first - 1].start_s, FRAMES[one.last - 1].end_s) for one in answer.events]


@pytest.mark.parametrize(
    ("query", "reply"),
    [
        ("The dog jumps up.", "The dog jumps up from 12.5 to 18 seconds."),
        ("a dog jumps up", "The dog jumps up between 0:12.5 and 0:18 in the video."),
        ("a dog jumps up", "12.5 - 18 s: a dog jumps up"),
    ],
)
def test_a_sentence_may_repeat_what_was_asked(query: str, reply: str) -> None:
    assert said_of(query, reply) == [(12.5, 18.0)]


@pytest.mark.parametrize(
    ("query", "reply"),
    [
        ("the dog jumps up after the cat comes", "The cat comes from 3 to 5 seconds."),
        ("the dog jumps up after the cat comes", "the dog jumps up after the cat comes, 3 to 5 s"),
        ("the dog jumps up", "The dog is shown from 3 to 5 seconds."),
        ("the dog jumps up", "The dog sits from 3 to 5 seconds."),
        ("the dog jumps up", "The dog jumps up from 3 to 5 s, and the man from 8 to 9 s."),
        ("the dog jumps up", "The dog never jumps up from 3 to 5 seconds."),
        ("the dog jumps up", "No, the dog jumps up."),
        ("the dog jumps up", "There is no cat in the video."),
        ("the dog jumps up", "There is no dog until 12 s."),
        ("a man without a hat", "There is no hat."),
        ("a room with no hat", "There is no hat in the video."),
    ],
)
def test_a_sentence_of_something_else_is_no_answer(query: str, reply: str) -> None:
    assert said_of(query, reply) is None


@pytest.mark.parametrize(
    "reply",
    [
        "There is no cat in the video.",
        "It does not happen in this clip.",
        "The event is not shown.",
        "no",
        "Not found.",
        "A cat is not visible in any of the frames.",
    ],
)
def test_a_sentence_may_deny_what_was_asked(reply: str) -> None:
    assert said_of("A cat sleeps on a sofa.", reply) == []


TIMES = (
    *("0", "3", "5", "12.5", "18", "-1", "−3", "1e309", "1e-9", "NaN", "Infinity", "9" * 400),
    *(
        "0:05",
        "00:12",
        "00:00:12.5",
        "1:72",
        "99:99:99",
        "١٢",
        "１２",
        "Ⅻ",
        "12,5",
        "7%",
        "frame 7",
    ),
    *("twelve", "null", "true", '"3"', '"0:03"', "5.", "5s", "5 min", "625", "29.99", "31"),
)
BETWEEN = ("-", " – ", "—", "−", " to ", "~", " until ", "..", "→", " --> ", ", ", ":", "\u2028")
FORMS = (
    "{0}{sep}{1}",
    "from {0}{sep}{1} seconds",
    "[{0}, {1}]",
    "[[{0}, {1}], [{1}, {2}]]",
    '{{"found": true, "events": [{{"start_s": {0}, "end_s": {1}}}]}}',
    '{{"start": {0}, "end": {1}, "unit": "{2}"}}',
    '{{"found": false, "spans": ["{0}{sep}{1}"]}}',
)


@pytest.mark.slow
def test_two_thousand_notations_end_in_spans_of_frames_or_in_refusals() -> None:
    rng = random.Random(20261127)
    ends: Counter[str] = Counter()
    for _ in range(2000):
        times = rng.choices(TIMES, k=3)
        said = [form.format(*times, sep=rng.choice(BETWEEN)) for form in rng.choices(FORMS, k=2)]
        frames = rng.choice([FRAMES, LATE, [*FRAMES[:9], *LATE], FRAMES[:1], []])
        try:
            answer = parse_direct(rng.choice([said[0], " ".join(said)]), frames)
        except AnswerError as refused:
            ends[refused.kind] += 1
            continue
        ends["found" if answer.found else "none"] += 1
        after = 0
        for one in answer.events:
            assert after < one.first <= one.last <= len(frames)
            after = one.last
    kinds = {"no_json", "wrong_schema", "reversed", "contradiction", "unknown_time"}
    assert set(ends) >= {"found", *kinds}, ends


def test_times_between_two_shown_stretches_are_refused() -> None:
    with pytest.raises(AnswerError, match="No frame near 300 s was shown"):
        parse_direct('{"found": true, "events": [[300, 610]]}', FRAMES + LATE)
    assert spans("605 - 610 s", FRAMES + LATE) == [(605.0, 610.0)]


def test_a_short_clip_is_shown_as_a_whole_and_of_a_long_one_the_best_windows() -> None:
    windows = [Window(Interval(at_s, at_s + 20), 1.0, 0.5) for at_s in (1000, 1025, 3000, 50)]
    assert stretches_to_show([], 30.0, None) == [Interval(0, 30)]
    assert stretches_to_show([], 3600.0, Interval(60, 90)) == [Interval(60, 90)]
    assert stretches_to_show([], 3600.0, None) == []
    assert stretches_to_show(windows, 3600.0, None) == [Interval(990, 1055), Interval(2990, 3030)]
    long = [Window(Interval(0, 1000), 1.0, 0.5), windows[0]]
    shown = stretches_to_show(long, 3600.0, None)
    assert sum(one.length_s for one in shown) <= LONGEST_CLIP_S


def test_models_that_take_videos_are_known_by_name() -> None:
    for name in ("Qwen/Qwen3-VL-8B-Instruct", "qwen2.5-vl:7b", "TimeLens2-4B", "InternVL3_5-8B"):
        assert TAKES_VIDEO.search(name), name
    for name in ("gpt-5-mini", "Qwen3-8B", "tiny", "llava-1.5-7b"):
        assert not TAKES_VIDEO.search(name), name
