"""Work in a thread of its own: told in the caller's thread, ended when the caller leaves."""

import contextvars
import threading

import pytest

from agent.graph.cancelling import Background, LeftError
from tests.patience import PATIENCE_S

AROUND: contextvars.ContextVar[str] = contextvars.ContextVar("around", default="nothing")


def test_what_happens_is_told_in_order_and_in_the_callers_thread() -> None:
    heard: list[tuple[int, threading.Thread]] = []

    def work(told: Background[int, str]) -> str:
        for number in range(3):
            told.tell(number)
        return AROUND.get()

    AROUND.set("a trace")
    result = Background(work).listen(lambda n: heard.append((n, threading.current_thread())))
    assert heard == [(number, threading.current_thread()) for number in range(3)]
    assert result == "a trace", "the context is the caller's"


def test_what_ends_the_work_is_raised_to_the_one_who_listens() -> None:
    def work(told: Background[int, None]) -> None:
        told.tell(1)
        raise ValueError("no such video")

    with pytest.raises(ValueError, match="no such video"):
        Background(work).listen(lambda _: None)


def test_a_listener_who_leaves_is_not_kept_by_a_reply_that_is_under_way() -> None:
    reply, ended = threading.Event(), threading.Event()

    def work(told: Background[int, None]) -> None:
        told.tell(1)
        reply.wait(PATIENCE_S)
        try:
            told.tell(2)
        except LeftError:
            ended.set()
            raise

    def leave(_: int) -> None:
        raise KeyboardInterrupt

    working = Background(work)
    with pytest.raises(KeyboardInterrupt):
        working.listen(leave)
    assert not ended.is_set()
    reply.set()
    working.join()
    assert ended.is_set(), "it ends with the next thing that it tells"
