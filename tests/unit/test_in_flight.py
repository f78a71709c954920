"""Calls in flight: errors and interruptions lose nothing that is under way."""

import threading
from collections.abc import Iterator

import pytest

from tools.in_flight import run_in_flight


def test_a_single_call_at_a_time_keeps_the_order() -> None:
    assert list(run_in_flight(lambda item, _: -item, range(5), limit=1)) == [0, -1, -2, -3, -4]


def test_nothing_to_do_is_done() -> None:
    assert list(run_in_flight(lambda item, _: item, [], limit=3)) == []


def test_waiting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.in_flight.TICK_S", 0.001)
    told = threading.Event()
    results = []
    for result in run_in_flight(lambda item, _: told.wait(20), [1], limit=1):
        results.append(result)
        if result is None:
            told.set()
    assert results[0] is None
    assert results[-1] is True


def test_an_interruption_while_items_are_made_lets_the_calls_under_way_finish() -> None:
    begun, released = threading.Barrier(3, timeout=20), threading.Event()

    def work(item: int, stopping: threading.Event) -> int:
        begun.wait()
        released.wait(20)
        assert stopping.is_set()
        return item

    def items() -> Iterator[int]:
        yield from (1, 2)
        begun.wait()
        threading.Timer(0.05, released.set).start()
        raise KeyboardInterrupt

    results = []
    interrupted = False
    try:
        for result in run_in_flight(work, items(), limit=2):
            results += [] if result is None else [result]
    except KeyboardInterrupt:
        interrupted = True
    assert interrupted
    assert sorted(results) == [1, 2]


def test_after_an_error_no_call_is_begun() -> None:
    begun: list[int] = []

    def work(item: int, stopping: threading.Event) -> int:
        begun.append(item)
        if item == 2:
            raise ValueError("two")
        return item

    with pytest.raises(ValueError, match="two"):
        list(run_in_flight(work, range(100), limit=1))
    assert begun == [0, 1, 2]


def test_whoever_stops_listening_stops_the_calls() -> None:
    begun: list[int] = []

    def work(item: int, stopping: threading.Event) -> int:
        begun.append(item)
        return item

    results = run_in_flight(work, range(1000), limit=2)
    next(results)
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(begun) < 20
