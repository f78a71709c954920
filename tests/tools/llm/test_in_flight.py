"""Calls in flight: errors and interruptions lose nothing that is under way."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.patience import PATIENCE_S
from tools.llm.in_flight import _Crew, run_in_flight


def test_a_single_call_at_a_time_keeps_the_order() -> None:
    assert list(run_in_flight(lambda item, _: -item, range(5), limit=1)) == [0, -1, -2, -3, -4]


def test_nothing_to_do_is_done() -> None:
    assert list(run_in_flight(lambda item, _: item, [], limit=3)) == []


def test_waiting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.llm.in_flight.TICK_S", 0.001)
    told = threading.Event()
    results = []
    for result in run_in_flight(lambda item, _: told.wait(PATIENCE_S), [1], limit=1):
        results.append(result)
        if result is None:
            told.set()
    assert results[0] is None
    assert results[-1] is True


def test_an_interruption_while_items_are_made_lets_the_calls_under_way_finish() -> None:
    begun = threading.Barrier(3, timeout=PATIENCE_S)

    def work(item: int, stopping: threading.Event) -> int:
        begun.wait()
        assert stopping.wait(PATIENCE_S)
        return item

    def items() -> Iterator[int]:
        yield from (1, 2)
        begun.wait()
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


def test_a_listener_who_stops_listening_stops_the_calls() -> None:
    begun: list[int] = []

    def work(item: int, stopping: threading.Event) -> int:
        begun.append(item)
        return item

    results = run_in_flight(work, range(1000), limit=2)
    next(results)
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(begun) < 20


def test_results_do_not_wait_for_an_item_that_takes_long_to_come() -> None:
    received = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert received.wait(PATIENCE_S)
        yield 2

    results = []
    for result in run_in_flight(lambda item, _: item, items(), limit=2):
        results += [] if result is None else [result]
        if results:
            received.set()
    assert results == [1, 2]


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_than_the_limit_are_begun_that_were_not_dealt_with(limit: int) -> None:
    begun: list[int] = []
    all_begun = threading.Semaphore(0)

    def work(item: int, stopping: threading.Event) -> int:
        begun.append(item)
        all_begun.release()
        return item

    dealt_with = 0
    for result in run_in_flight(work, range(20), limit=limit):
        if result is None:
            continue
        # Every thread that may begin a call has done so before the next line is looked at.
        for _ in range(limit if dealt_with == 0 else min(1, 20 - len(begun))):
            assert all_begun.acquire(timeout=PATIENCE_S)
        assert len(begun) <= dealt_with + limit
        dealt_with += 1
    assert sorted(begun) == list(range(20))


def test_a_result_on_the_way_to_its_caller_survives_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first_arrival = _Crew.first_arrival
    interruptions = [KeyboardInterrupt()]

    def interrupted(self: _Crew[int, int]) -> Any:
        arrival = first_arrival(self)
        if arrival is not None and interruptions:
            raise interruptions.pop()
        return arrival

    monkeypatch.setattr(_Crew, "first_arrival", interrupted)
    results: list[int | None] = []
    with pytest.raises(KeyboardInterrupt):
        results.extend(run_in_flight(lambda item, _: item, [7], limit=1))
    assert results == [7]


@pytest.mark.parametrize("room", [0, 1])
def test_where_no_thread_can_be_started_nobody_waits_for_it(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, []

    def limited(self: threading.Thread) -> None:
        started.append(self)
        if len(started) > 1 + room:
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", limited)
    if room:
        assert list(run_in_flight(lambda item, _: item, range(4), limit=3)) == [0, 1, 2, 3]
    else:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            list(run_in_flight(lambda item, _: item, range(4), limit=3))
