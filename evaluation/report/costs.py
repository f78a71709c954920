"""What questions cost, in dollars and seconds; what is not known stays unknown."""

from __future__ import annotations

from collections.abc import Sequence

from agent.grounding import Cost
from evaluation.results import WHOLE, Result, sum_usd


def usd_of(result: Result) -> float | None:
    """Dollars that a question costs alone, over all stages; None where one's cost is not known."""
    costs = result.costs_alone
    return sum_usd(cost.usd for cost in costs.values()) if costs else None


def seconds_of(result: Result) -> float | None:
    """Wall time of a question, end to end or over all graph nodes; None where none was taken."""
    if not result.seconds:
        return None
    return result.seconds.get(WHOLE, sum(result.seconds.values()))


def stages_of(results: Sequence[Result]) -> dict[str, list[Cost]]:
    """The costs of every stage alone, one for each question with any, stages in order of name."""
    stages: dict[str, list[Cost]] = {}
    for one in results:
        for stage, cost in one.costs_alone.items():
            stages.setdefault(stage, []).append(cost)
    return dict(sorted(stages.items()))


def nodes_of(results: Sequence[Result]) -> dict[str, list[float]]:
    """Wall times in seconds by graph node, in the order in which the graph comes to them."""
    nodes: dict[str, list[float]] = {}
    for one in results:
        for node, spent_s in one.seconds.items():
            if node == WHOLE:
                continue
            nodes.setdefault(node, []).append(spent_s)
    return nodes
