"""How fast an index goes, and how long it will take."""

import pytest

from tools.indexing import progress
from tools.indexing.progress import Pace


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_before_anything_is_done_no_speed_is_told(clock: Clock) -> None:
    pace = Pace(clock=clock)
    assert (pace.captions_per_s(), pace.left_s(60.0)) == (None, None)
    pace.mark(seen_s=0.0, captions=0)
    assert (pace.captions_per_s(), pace.left_s(60.0)) == (None, None)


def test_the_time_left_is_what_the_speed_so_far_makes_of_the_rest(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.mark(seen_s=0.0, captions=0)
    clock.now_s += 10
    pace.mark(seen_s=40.0, captions=20)
    assert pace.captions_per_s() == 2
    assert pace.left_s(100.0) == pytest.approx(15)
    assert pace.left_s(39.0) == 0
    assert pace.left_s(None) is None


def test_what_was_there_already_does_not_count_for_long(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.mark(seen_s=0.0, captions=0)
    clock.now_s += 1
    pace.mark(seen_s=3600.0, captions=0)
    for second in range(1, 2 + int(progress.WINDOW_S)):
        clock.now_s += 1
        pace.mark(seen_s=3600.0 + second, captions=second)
    assert pace.captions_per_s() == pytest.approx(1)
    assert pace.left_s(7200.0) == pytest.approx(7200 - 3600 - second)
