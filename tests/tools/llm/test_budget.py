"""One run's limits: what describing took is taken off, and closer looks must fit into the rest."""

import pytest

from tools.errors import UsedUpError
from tools.llm.budget import Budget, Limits


def left_of(budget: Budget) -> tuple[int | None, float | None, float | None]:
    return budget.captions_left(), budget.usd_left(), budget.minutes_left()


def unknown() -> float | None:
    return None


def test_what_describing_took_is_taken_off() -> None:
    now_s = [100.0]
    limits = Limits(max_captions=10, max_usd=1.0, max_minutes=2.0)
    budget = Budget(limits, clock=lambda: now_s[0])
    assert left_of(budget) == (10, 1.0, 2.0)
    budget.spend_captions(4, 0.25)
    now_s[0] += 30
    assert left_of(budget) == (6, 0.75, 1.5)
    budget.spend_captions(7, 0.85)
    now_s[0] += 300
    assert left_of(budget) == (0, 0.0, 0.0)
    assert Budget(Limits(max_captions=1)).minutes_left() is None


@pytest.mark.parametrize(
    ("spent", "later_s", "complaint"),
    [
        ((10, 0.0), 0, "the 10 captions of this run are used"),
        ((1, 1.2), 0, "the 1 US dollars of this run are used"),
        ((0, 0.0), 120, "the 2 minutes of this run are used"),
    ],
)
def test_nothing_more_is_described_where_a_limit_is_reached(
    spent: tuple[int, float], later_s: float, complaint: str
) -> None:
    now_s = [0.0]
    limits = Limits(max_captions=10, max_usd=1.0, max_minutes=2.0)
    budget = Budget(limits, clock=lambda: now_s[0])
    budget.spend_captions(*spent)
    now_s[0] += later_s
    with pytest.raises(UsedUpError, match=complaint):
        budget.check_captions()
    with pytest.raises(UsedUpError, match=f"no closer look: {complaint}"):
        budget.check_look(1, usd_each=unknown)


def test_a_closer_look_is_reckoned_at_what_captions_cost_so_far() -> None:
    budget = Budget(Limits(max_usd=1.0))
    budget.spend_captions(8, 0.8)
    budget.check_look(1, usd_each=unknown)
    with pytest.raises(UsedUpError, match=r"it costs about \$0\.3000, and \$0\.2000 are left"):
        budget.check_look(3, usd_each=unknown)


def test_what_is_not_known_cannot_be_kept_to() -> None:
    with pytest.raises(
        UsedUpError, match="its price is not known, so the limit of 1 US dollars cannot"
    ):
        Budget(Limits(max_usd=1.0)).check_look(1, usd_each=unknown)
    budget = Budget(Limits(max_captions=5))
    budget.check_look(5, usd_each=unknown)
    with pytest.raises(UsedUpError, match="it takes 6 captions, and 5 are left"):
        budget.check_look(6, usd_each=unknown)


def test_replies_come_out_of_the_same_dollars_but_are_no_captions() -> None:
    budget = Budget(Limits(max_captions=5, max_usd=1.0), clock=lambda: 0.0)
    budget.spend_captions(5, 0.5)
    budget.check_reply(0.4)
    budget.spend_reply(0.3)
    with pytest.raises(UsedUpError, match=r"costs up to \$0\.4000, and \$0\.2000 are left"):
        budget.check_reply(0.4)
    with pytest.raises(
        UsedUpError, match="its price is not known, so the limit of 1 US dollars cannot"
    ):
        budget.check_reply(None)
    budget.spend_reply(0.2)
    with pytest.raises(UsedUpError, match="the 1 US dollars of this run are used"):
        budget.check_reply(0.0)


def test_what_looks_cost_is_reckoned_without_replies() -> None:
    budget = Budget(Limits(max_usd=1.0), clock=lambda: 0.0)
    budget.spend_captions(5, 0.05)
    budget.spend_reply(0.5)
    budget.check_look(20, usd_each=unknown)


def test_minutes_end_replies_too_and_where_nothing_is_limited_any_reply_is_allowed() -> None:
    now_s = [0.0]
    budget = Budget(Limits(max_minutes=2.0), clock=lambda: now_s[0])
    budget.check_reply(None)
    now_s[0] = 121.0
    with pytest.raises(UsedUpError, match="the 2 minutes of this run are used"):
        budget.check_reply(0.0)
    Budget(Limits()).check_reply(None)


def test_dollars_once_unknown_stay_unknown() -> None:
    budget = Budget(Limits(max_usd=1.0))
    budget.spend_captions(1, None)
    budget.spend_captions(1, 0.1)
    with pytest.raises(UsedUpError, match="its price is not known"):
        budget.check_look(1, usd_each=lambda: 0.1)


@pytest.mark.parametrize("name", ["max_captions", "max_usd", "max_minutes"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive and finite, not {value}"):
        Limits(**{name: value})  # type: ignore[arg-type]  # any number may come in
