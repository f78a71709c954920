"""Time: intervals that refuse to be wrong, captions whose ids follow from their content."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.clock import clock_span
from tools.errors import CaptionError
from tools.timeline import Caption, Interval, Track

TRACK = Track("classical-4", "", "frame@1/s")
SPANS = st.tuples(st.floats(0, 1e5), st.floats(1e-3, 1e5)).map(
    lambda p: Interval(p[0], p[0] + p[1])
)


@pytest.mark.parametrize(
    ("start_s", "end_s", "complaint"),
    [
        (2.0, 1.0, "end after it starts"),
        (2.0, 2.0, "end after it starts"),
        (-0.1, 1.0, "before 0"),
        (0.0, math.inf, "finite"),
        (math.nan, 1.0, "finite"),
    ],
)
def test_an_invalid_interval_cannot_be_made(start_s: float, end_s: float, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Interval(start_s, end_s)


@given(SPANS, SPANS)
def test_iou_is_symmetric_and_within_0_and_1(one: Interval, other: Interval) -> None:
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0.0 <= one.iou(other) <= 1.0 + 1e-12


def test_iou_of_a_known_pair() -> None:
    assert Interval(0, 4).iou(Interval(2, 6)) == pytest.approx(2 / 6)


def test_touching_intervals_do_not_overlap() -> None:
    assert Interval(0, 2).overlap_s(Interval(2, 4)) == 0.0


def caption(**changes: object) -> Caption:
    plain = {"video_id": "v", "span": Interval(1, 2), "text": "a dog", "source": "vision"}
    return Caption(**(plain | {"track": TRACK} | changes))  # type: ignore[arg-type]  # test data


def test_a_caption_id_ignores_the_text_and_follows_everything_else() -> None:
    assert caption().id == caption(text="a cat").id
    others = [
        caption(video_id="w"),
        caption(span=Interval(1, 2.0000000000000004)),
        caption(source="screen"),
        caption(track=Track("other", "", "frame@1/s")),
        caption(track=Track("classical-4", "abc", "frame@1/s")),
        caption(track=Track("classical-4", "", "frame@2/s")),
    ]
    assert len({caption().id, *(other.id for other in others)}) == 7


def test_a_caption_survives_its_plain_form_to_the_last_bit() -> None:
    one = caption(span=Interval(0.1 + 0.2, 1 / 3 + 1))
    assert Caption.from_dict(one.as_dict()) == one


def test_a_caption_without_text_is_refused() -> None:
    with pytest.raises(CaptionError, match="is empty"):
        caption(text="  ")


def test_a_span_is_read_in_tenths_and_a_moment_in_hundredths() -> None:
    assert clock_span(Interval(34, 41.5)) == "0:34.0–0:41.5"
    assert clock_span(Interval(59.996, 60.03)) == "1:00.00–1:00.03"
    assert clock_span(Interval(3723.4, 3724.0)) == "1:02:03.4–1:02:04.0"
