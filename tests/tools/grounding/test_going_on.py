"""Hidden Markov models of many curves at once say what each says alone, cell by cell."""

import math

import numpy as np
from numpy.typing import NDArray

from tools.grounding.going_on import STAYS, going_on, otsu_split
from tools.grounding.relevance import standardise

Curve = NDArray[np.float64]


def believed_alone(curve: Curve, weight: Curve, stay: float) -> list[bool]:
    """By the plain recursion, one cell after the other."""
    kept = (2 * stay - 1) ** ((weight[1:] + weight[:-1]) / 2)
    mixing = (1 - kept) / (1 + kept)
    posterior, total = otsu_split(curve, weight).astype(np.float64), weight.sum()
    for _ in range(6):
        high, low = weight * posterior, weight * (1 - posterior)
        mean_high = float(curve @ high / max(high.sum(), 1e-9))
        mean_low = float(curve @ low / max(low.sum(), 1e-9))
        variance = (high @ (curve - mean_high) ** 2 + low @ (curve - mean_low) ** 2) / total
        deviation = max(math.sqrt(variance), 0.15)
        log_odds = weight * (mean_high - mean_low) * (2 * curve - mean_high - mean_low) / 2
        evidence = np.exp((log_odds / deviation**2).clip(-50, 50))
        forward, backward = [float(evidence[0])], [1.0]
        for ratio, mix in zip(evidence[1:], mixing, strict=True):
            forward.append(ratio * (mix + forward[-1]) / (1 + mix * forward[-1]))
        for ratio, mix in zip(evidence[:0:-1], mixing[::-1], strict=True):
            odds = ratio * backward[-1]
            backward.append((mix + odds) / (1 + mix * odds))
        odds_of = np.array(forward) * np.array(backward[::-1])
        posterior = odds_of / (1 + odds_of)
    return [bool(one > 0.5) for one in posterior]


def made_up(rng: np.random.Generator, *, sharp: bool) -> tuple[Curve, Curve]:
    """A curve with an event in it, and how long its cells last."""
    count = int(rng.integers(20, 160))
    weight = rng.choice([0.1, 0.5, 1.0, 2.0], count)
    curve = rng.standard_normal(count)
    first = int(rng.integers(count))
    curve[first : first + int(rng.integers(1, 30))] += rng.uniform(0, 6)
    if sharp:
        curve = np.exp(2 * (curve - curve.max()))
    return standardise(curve, weight), weight


def test_many_curves_are_judged_at_once_as_each_is_alone() -> None:
    rng = np.random.default_rng(0)
    curves, weights = zip(*(made_up(rng, sharp=at % 2 == 0) for at in range(40)), strict=True)
    together = going_on(curves, weights)
    for curve, weight, both in zip(curves, weights, together, strict=True):
        assert [one.tolist() for one in both] == [
            believed_alone(curve, weight, stay) for stay in STAYS
        ]


def test_a_curve_of_one_cell_is_judged_beside_a_longer_one() -> None:
    curve, weight = made_up(np.random.default_rng(1), sharp=False)
    short, long = going_on([np.zeros(1), curve], [np.ones(1), weight])
    assert [len(one) for one in short] == [1, 1]
    assert [one.tolist() for one in long] == [
        one.tolist() for one in going_on([curve], [weight])[0]
    ]
