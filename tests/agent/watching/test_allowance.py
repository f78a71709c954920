"""One run's limits: what describing took is taken off, and closer looks must fit into the rest."""

import pytest

from agent.grounding import Cost
from agent.settings import load_settings
from agent.watching.allowance import Allowance, UsedUpError, WithheldError
from tools.indexing.limits import Limits


def unknown() -> float | None:
    return None


def test_what_describing_took_is_taken_off() -> None:
    now_s = [100.0]
    settings = load_settings(max_captions=10, max_usd=1.0, max_minutes=2.0)
    allowance = Allowance(settings, clock=lambda: now_s[0])
    assert allowance.left() == Limits(10, 1.0, 2.0)
    allowance.spend(Cost(captions=4, usd=0.25))
    now_s[0] += 30
    assert allowance.left() == Limits(6, 0.75, 1.5)
    assert allowance.minutes_left() == 1.5
    now_s[0] += 300
    assert allowance.minutes_left() == 0
    assert Allowance(load_settings(max_captions=1)).minutes_left() is None


@pytest.mark.parametrize(
    ("spent", "later_s", "complaint"),
    [
        (Cost(captions=10), 0, "the 10 captions of this run are used"),
        (Cost(captions=1, usd=1.2), 0, "the 1 US dollars of this run are used"),
        (Cost(), 120, "the 2 minutes of this run are used"),
    ],
)
def test_nothing_more_is_described_where_a_limit_is_come_to(
    spent: Cost, later_s: float, complaint: str
) -> None:
    now_s = [0.0]
    settings = load_settings(max_captions=10, max_usd=1.0, max_minutes=2.0)
    allowance = Allowance(settings, clock=lambda: now_s[0])
    allowance.spend(spent)
    now_s[0] += later_s
    with pytest.raises(UsedUpError, match=complaint):
        allowance.left()
    with pytest.raises(UsedUpError, match=f"no closer look: {complaint}"):
        allowance.check(1, usd_each=unknown)


def test_a_closer_look_is_reckoned_at_what_captions_cost_so_far() -> None:
    allowance = Allowance(load_settings(max_usd=1.0))
    allowance.spend(Cost(captions=8, usd=0.8))
    allowance.check(1, usd_each=unknown)
    with pytest.raises(UsedUpError, match=r"it costs about \$0\.3000, and \$0\.2000 are left"):
        allowance.check(3, usd_each=unknown)


def test_what_is_not_known_cannot_be_kept_to() -> None:
    with pytest.raises(
        UsedUpError, match="its price is not known, so the limit of 1 US dollars cannot"
    ):
        Allowance(load_settings(max_usd=1.0)).check(1, usd_each=unknown)
    allowance = Allowance(load_settings(max_captions=5))
    allowance.check(5, usd_each=unknown)
    with pytest.raises(UsedUpError, match="it takes 6 captions, and 5 are left"):
        allowance.check(6, usd_each=unknown)


def test_replies_come_out_of_the_same_dollars_but_are_no_captions() -> None:
    allowance = Allowance(load_settings(max_captions=5, max_usd=1.0), clock=lambda: 0.0)
    allowance.spend(Cost(captions=5, usd=0.5))
    allowance.check_reply(0.4)
    allowance.spend_reply(0.3)
    with pytest.raises(WithheldError, match=r"costs up to \$0\.4000, and \$0\.2000 are left"):
        allowance.check_reply(0.4)
    with pytest.raises(
        WithheldError, match="its price is not known, so the limit of 1 US dollars cannot"
    ):
        allowance.check_reply(None)
    allowance.spend_reply(0.2)
    with pytest.raises(WithheldError, match="the 1 US dollars of this run are used"):
        allowance.check_reply(0.0)


def test_what_looks_cost_is_reckoned_without_replies() -> None:
    allowance = Allowance(load_settings(max_usd=1.0), clock=lambda: 0.0)
    allowance.spend(Cost(captions=5, usd=0.05))
    allowance.spend_reply(0.5)
    allowance.check(20, usd_each=unknown)


def test_minutes_end_replies_too_and_where_nothing_is_limited_any_reply_is_allowed() -> None:
    now_s = [0.0]
    allowance = Allowance(load_settings(max_minutes=2.0), clock=lambda: now_s[0])
    allowance.check_reply(None)
    now_s[0] = 121.0
    with pytest.raises(WithheldError, match="the 2 minutes of this run are used"):
        allowance.check_reply(0.0)
    Allowance(load_settings()).check_reply(None)
