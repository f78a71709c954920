"""Who waits is told for what, once, and only if it takes a while."""

import threading

import pytest

from tests.patience import PATIENCE_S
from tools.terminal import OutputError
from tools.waiting import NowAndThen, waiting_for


def test_what_takes_long_is_told_once_while_it_goes_on() -> None:
    told: list[str] = []
    spoken = threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        spoken.set()

    with waiting_for("cutting dog.mp4", tell, quiet_s=0.0):
        assert spoken.wait(PATIENCE_S)
    assert told == ["cutting dog.mp4 …"]


def test_short_work_goes_unmentioned() -> None:
    told: list[str] = []
    with waiting_for("cutting dog.mp4", told.append, quiet_s=10 * PATIENCE_S):
        pass
    assert told == []


def test_who_was_told_something_else_meanwhile_is_not_told_again() -> None:
    asked = threading.Event()

    def is_told() -> bool:
        asked.set()
        return True

    told: list[str] = []
    with waiting_for("cutting", told.append, quiet_s=0.0, is_told=is_told):
        assert asked.wait(PATIENCE_S)
    assert told == []


def test_work_goes_on_where_nothing_can_be_told() -> None:
    tried = threading.Event()

    def refuse(_: str) -> None:
        tried.set()
        raise OutputError("the output cannot be written")

    with waiting_for("cutting", refuse, quiet_s=0.0):
        assert tried.wait(PATIENCE_S)


def test_an_error_inside_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError), waiting_for("dividing", print):
        _ = 1 / 0


@pytest.mark.parametrize(("every_s", "expected"), [(0.0, ["1", "2"]), (1e6, [])])
def test_lines_of_progress_keep_their_distance(every_s: float, expected: list[str]) -> None:
    told: list[str] = []
    tell = NowAndThen(told.append, every_s=every_s)
    for number in (1, 2):
        tell(lambda number=number: str(number))  # type: ignore[misc]
    assert told == expected
