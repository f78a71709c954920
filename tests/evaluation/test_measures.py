"""The figures of a run, on results whose figures can be done by hand."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.figures.figures import LOWER_IS_BETTER, MEANINGS, NEITHER_IS_BETTER, OF_ONE
from evaluation.figures.measures import measure, risk_coverage, risk_interval, top_iou
from evaluation.figures.weighing import Statistics
from evaluation.results import Result
from tests.made_results import made, missed, null

HALF = ((20.0, 25.0, 0.8),)
"""IoU 0.5 with the true window from 20 to 30 s."""


def values(*results: Result) -> dict[str, float]:
    figures = measure(results, draws=20)
    return {name: figure.value for name, figure in figures.items()}


def test_the_answer_and_the_ranked_list_are_not_scored_alike() -> None:
    ranked_but_denied = made(verdict="not_found", intervals=())
    figures = values(ranked_but_denied)
    assert figures["R@1 IoU=0.5"] == figures["mIoU"] == 0
    assert figures["QVHighlights R1@0.5"] == figures["R@5 IoU=0.5"] == 100


def test_recall_is_of_the_first_interval_alone() -> None:
    second = missed(intervals=((60.0, 70.0, 0.9), (20.0, 30.0, 0.8)))
    assert top_iou([second]).tolist() == [0.0]
    assert values(second)["R@1 IoU=0.3"] == 0
    assert values(second)["R@5 IoU=0.7"] == 100


def test_five_windows_are_the_answer_and_then_the_ranked_list_none_twice() -> None:
    elsewhere = [(float(start), start + 2.0, 1.0) for start in range(40, 48, 2)]
    listed = (*elsewhere, (20.0, 30.0, 0.1))
    assert values(missed(candidates=listed))["R@5 IoU=0.5"] == 0
    answer_in_list = missed(intervals=elsewhere[:1], candidates=listed)
    assert values(answer_in_list)["R@5 IoU=0.5"] == 100


def test_an_iou_at_the_bar_reaches_it() -> None:
    figures = values(made(intervals=HALF))
    assert figures["mIoU"] == 50
    assert (figures["R@1 IoU=0.5"], figures["R@1 IoU=0.7"]) == (100, 0)


def test_a_query_without_answer_counts_as_a_miss() -> None:
    failed = made("q2", verdict="error", intervals=(), candidates=(), presence=None, confidence=0.0)
    figures = values(made(), failed)
    assert figures["mIoU"] == figures["QVHighlights mAP"] == figures["answered"] == 50


def test_edges_are_measured_against_the_window_that_was_met_and_only_where_one_was() -> None:
    results = [
        made("q1", intervals=((22.0, 33.0, 0.8),), truth=((80.0, 90.0), (20.0, 30.0))),
        made("q2", intervals=((19.0, 30.0, 0.8),)),
        missed("q3"),
    ]
    figures = measure(results, draws=20)
    assert figures["start error (s)"].value == 1.5
    assert figures["end error (s)"].value == 1.5
    assert figures["start error (s)"].count == 2


def test_not_there_is_any_answer_but_found() -> None:
    results = [
        made("q1"),
        made("q2", verdict="cannot_tell", intervals=()),
        null("q1"),
        null("q2", verdict="cannot_tell"),
        null("q3", kind="hard", found=True),
        null("q4", kind="hard", verdict="error"),
    ]
    figures = values(*results)
    assert figures["null precision"] == pytest.approx(100 * 2 / 3)
    assert figures["null recall"] == 50
    assert figures["null recall (random)"] == 100
    assert figures["null recall (hard)"] == 0
    assert figures["null F1"] == pytest.approx(100 * 4 / 7)


def test_figures_that_are_not_defined_are_left_out() -> None:
    assert not [name for name in values(made()) if name.startswith("null") or "AUROC" in name]
    assert "null precision" not in values(made(), null(found=True))
    assert values(made(), null(found=True))["null F1"] == 0
    assert not [name for name in values(made(presence=None)) if name.startswith("presence")]
    assert "mIoU" not in values(null())
    assert measure([]) == {}


def test_presence_is_ranked_against_each_kind_of_null_apart() -> None:
    figures = values(made(), null(), null(kind="hard", presence=0.95), null("q2", kind="hard"))
    assert figures["presence AUROC (random)"] == 1
    assert figures["presence AUROC (hard)"] == 0.5
    # The hard nulls, some of which do show it, say nothing of calibration.
    assert figures["presence calibration error"] == pytest.approx(0.1)


def test_confidence_is_held_against_the_best_window_whether_it_was_answered_or_not() -> None:
    denied = made(verdict="not_found", intervals=(), confidence=0.4)
    assert values(denied)["confidence calibration error"] == pytest.approx(0.6)
    assert values(missed(confidence=0.4))["confidence calibration error"] == pytest.approx(0.4)


def test_names_and_units_are_those_of_the_table() -> None:
    unsure = null("q4", kind="labelled", verdict="cannot_tell")
    nulls = (null(), null(kind="hard"), null("q3", found=True), unsure)
    lengths = made("q5", truth=((20.0, 30.0), (40.0, 60.0), (61.0, 99.0)))
    figures = values(made(), missed("q2"), lengths, *nulls)
    assert list(figures) == [name for name in MEANINGS if name in figures]
    assert figures.keys() == MEANINGS.keys()
    assert MEANINGS.keys() >= LOWER_IS_BETTER | NEITHER_IS_BETTER | OF_ONE


@pytest.mark.slow
def test_intervals_are_seeded_and_as_wide_as_theory_says() -> None:
    results = [made(str(n)) if n % 4 else missed(str(n)) for n in range(400)]
    figure = measure(results)["R@1 IoU=0.5"]
    assert figure == measure(results)["R@1 IoU=0.5"]
    assert figure != measure(results, seed=1)["R@1 IoU=0.5"]
    assert figure.value == 75
    assert (figure.high - figure.low) / 2 == pytest.approx(196 * np.sqrt(0.1875 / 400), rel=0.1)


def test_a_query_that_counts_thrice_is_a_query_that_is_there_thrice() -> None:
    results = [
        made(
            "a",
            intervals=((22.0, 33.0, 0.8),),
            presence=0.3,
            truth=((20.0, 30.0), (40.0, 60.0), (61.0, 99.0)),
        ),
        made("b", intervals=((18.0, 34.0, 0.8),), confidence=0.2),
        missed("c", confidence=0.6),
        made("d", verdict="not_found", intervals=(), presence=0.2),
        *(null(qid, found=qid == "b", presence=0.25) for qid in "abcd"),
        *(null(qid, kind="hard", found=qid != "d", presence=0.3) for qid in "abd"),
        null("a", kind="labelled", found=True),
        null("c", kind="labelled", verdict="cannot_tell"),
    ]
    times = {"a": 3, "b": 1, "c": 2, "d": 0}
    repeated = [
        replace(one, key=f"{one.key}{copy}", qid=f"{one.qid}{copy}")
        for one in results
        for copy in range(times[one.qid])
    ]
    statistics = Statistics(results)
    weights = np.array([[float(times[qid]) for qid in statistics.queries]])
    weighted = {name: float(value[0]) for name, value in statistics.at(weights).items()}
    assert weighted.keys() == MEANINGS.keys()
    assert weighted == pytest.approx(values(*repeated))


def test_what_was_asked_with_a_query_is_drawn_with_it() -> None:
    # Both videos answer a query alike: two results say no more than one.
    results = [
        null(str(n), kind=kind, found=bool(n % 3)) for n in range(90) for kind in ("random", "hard")
    ]
    figure = measure(results)["null recall"]
    assert (figure.high - figure.low) / 2 == pytest.approx(196 * np.sqrt(2 / 9 / 90), rel=0.1)


def test_risk_falls_as_less_is_answered() -> None:
    results = [
        made("q1", confidence=0.9),
        null("q1", found=True, confidence=0.7),
        made("q2", confidence=0.5),
        missed("q3", confidence=0.5),
        made("q4", verdict="not_found", intervals=(), confidence=0.99),
    ]
    coverage, risk = risk_coverage(results)
    assert coverage.tolist() == [0.2, 0.4, 0.8]
    assert risk.tolist() == [0.0, 0.5, 0.5]
    low, high = risk_interval(results, draws=200)
    assert (low <= risk).all()
    assert (risk <= high).all()
    assert high[0] == 0
    assert measure(results, draws=5)["wrong answers"].value == 50
    assert measure(results, draws=5)["answered"].value == 80


def test_nothing_answered_has_no_risk() -> None:
    for curve in (risk_coverage([null()]), risk_interval([null()])):
        assert [len(part) for part in curve] == [0, 0]


def test_precision_of_a_length_is_over_the_queries_that_have_a_window_of_it() -> None:
    short = made(qid="short", truth=((0.0, 8.0),), candidates=((0.0, 8.0, 1.0),))
    long = made(qid="long", truth=((0.0, 60.0),), candidates=((90.0, 99.0, 1.0),))
    figures = measure([short, long], draws=20)
    assert figures["QVHighlights mAP (short)"].value == 100
    assert figures["QVHighlights mAP (short)"].count == 1
    assert figures["QVHighlights mAP (long)"].value == 0
    assert "QVHighlights mAP (middle)" not in figures
