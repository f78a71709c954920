"""A run ends at its limits, and asks for nothing that could pass them."""

from dataclasses import replace

import pytest

from tools.errors import CaptionerError
from tools.indexing.frame_gate import FrameGate, Gate
from tools.llm.budget import Budget, Limits
from tools.llm.prices import TokenUsage


class Scene:
    """A gate with a clock and a captioner's usage that the test moves."""

    def __init__(self, limits: Limits, *, frames: int = 1, seen: tuple[float, ...] = ()) -> None:
        self.now_s = 50.0
        self.usage = TokenUsage(captions=7, usd=3.0)
        self.time_s = 0.0
        self.budget = Budget(limits, clock=lambda: self.now_s)
        self.gate = FrameGate(
            self.budget,
            frames_per_look=frames,
            seen=seen,
            usage=lambda: self.usage,
            model="tiny",
        )

    def hand_out(self, times: int = 1) -> list[Gate]:
        """Hand out a number of frames, as far as the gate lets them."""
        gates = []
        for _ in range(times):
            gates.append(self.gate.at(self.time_s))
            if gates[-1] is not Gate.OPEN:
                break
            self.gate.count(self.time_s)
            self.time_s += 1
        return gates

    def answer(self, usd: float) -> None:
        assert self.usage.usd is not None
        self.usage = replace(self.usage, captions=self.usage.captions + 1, usd=self.usage.usd + usd)


OPEN, WAIT, SHUT = Gate.OPEN, Gate.WAIT, Gate.SHUT


def test_without_limits_everything_goes() -> None:
    assert set(Scene(Limits()).hand_out(100)) == {OPEN}


def test_the_limit_of_captions_is_reached_and_not_passed() -> None:
    scene = Scene(Limits(max_captions=3))
    assert scene.hand_out(5) == [OPEN, OPEN, OPEN, SHUT]
    assert scene.gate.reached == "the limit of captions"


def test_what_is_described_already_counts_for_nothing() -> None:
    scene = Scene(Limits(max_captions=2), seen=(0.0, 2.0))
    assert scene.hand_out(9) == [OPEN, OPEN, OPEN, OPEN, SHUT]
    assert scene.time_s == 4


def test_the_frames_of_a_grid_count_once_and_stay_together() -> None:
    scene = Scene(Limits(max_captions=2), frames=4, seen=(0.0,))
    assert scene.hand_out(20) == [*[OPEN] * 12, SHUT]


def test_after_the_time_nothing_is_begun() -> None:
    scene = Scene(Limits(max_minutes=2))
    scene.now_s += 119
    assert scene.hand_out() == [OPEN]
    scene.now_s += 1
    assert scene.hand_out() == [SHUT]
    assert scene.gate.reached == "the limit of minutes"


def test_the_first_caption_tells_what_one_costs() -> None:
    scene = Scene(Limits(max_usd=0.10))
    assert scene.hand_out(2) == [OPEN, WAIT]
    scene.answer(0.02)
    # 0.02 spent, 0.08 left: four more at that price.
    assert scene.hand_out(9) == [OPEN, OPEN, OPEN, OPEN, WAIT]
    for _ in range(3):
        scene.answer(0.01)
    # 0.05 spent, one under way, 0.0125 each: 0.0125 + n * 0.0125 must fit into 0.05.
    assert scene.hand_out(9) == [OPEN, OPEN, OPEN, WAIT]
    for _ in range(4):
        scene.answer(0.0125)
    assert scene.hand_out() == [SHUT]
    assert scene.gate.reached == "the limit of US dollars"
    assert scene.usage.usd == pytest.approx(3.10)


def test_a_price_that_is_not_known_is_no_price_of_nothing() -> None:
    scene = Scene(Limits(max_usd=1))
    assert scene.hand_out() == [OPEN]
    scene.usage = replace(scene.usage, captions=8, usd=None)
    with pytest.raises(
        CaptionerError, match="the price of tiny is not known, so the limit of 1 US dollars"
    ):
        scene.hand_out()


@pytest.mark.parametrize(
    ("limits", "reached"),
    [(Limits(max_captions=3), "captions"), (Limits(max_usd=1), "US dollars")],
)
def test_what_the_run_has_spent_before_is_not_there_for_another_pass(
    limits: Limits, reached: str
) -> None:
    budget = Budget(limits)
    budget.spend_captions(3, 1.0)
    gate = FrameGate(budget, frames_per_look=1, seen=(), usage=TokenUsage, model="tiny")
    assert gate.at(0.0) is SHUT
    assert gate.reached == f"the limit of {reached}"


def test_a_look_that_failed_is_not_waited_for_and_is_paid_for() -> None:
    scene = Scene(Limits(max_usd=0.10))
    assert scene.hand_out(2) == [OPEN, WAIT]
    scene.usage = replace(scene.usage, unanswered=1)
    assert scene.hand_out(2) == [OPEN, WAIT]
    scene.usage = replace(scene.usage, unanswered=2, usd=3.10)
    assert scene.hand_out() == [SHUT]
