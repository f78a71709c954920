"""The metrics against the official evaluation's own figures, and on cases done by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.figures.metrics import (
    IOU_THRESHOLDS,
    auroc,
    average_precision,
    bootstrap,
    expected_calibration_error,
    pairwise_iou,
    score_by_length,
    score_queries,
    summarise,
)
from evaluation.figures.predictions import read_annotations, read_predictions


@pytest.mark.slow
@pytest.mark.data
def test_published_predictions_get_their_official_scores(shared_data: Path) -> None:
    folder = shared_data / "formats" / "qvhighlights_preds"
    official = json.loads((folder / "sample_val_preds_metrics_raw.json").read_text())
    annotations = read_annotations(shared_data / "qvhighlights" / "val.jsonl")
    spans = read_predictions(folder / "sample_val_preds.jsonl").spans
    predicted = [np.array(spans[qid], dtype=np.float64) for qid in annotations]
    truth = [np.array(one.windows) for one in annotations.values()]

    ranges = {"full": score_queries(predicted, truth), **score_by_length(predicted, truth)}
    for name, scores in ranges.items():
        for column, threshold in enumerate(IOU_THRESHOLDS):
            recall = 100 * (scores.top_iou >= threshold).mean()
            assert round(float(recall), 2) == official[name]["MR-R1"][str(threshold)]
            mean_ap = 100 * scores.average_precision[:, column].mean()
            assert round(float(mean_ap), 2) == official[name]["MR-mAP"][str(threshold)]
        assert round(summarise(scores)["mAP"], 2) == official[name]["MR-mAP"]["average"]
    figures = summarise(ranges["full"])
    assert round(figures["R1@0.5"], 2) == official["brief"]["MR-full-R1@0.5"]
    assert round(figures["R1@0.7"], 2) == official["brief"]["MR-full-R1@0.7"]
    assert round(figures["mAP@0.5"], 2) == official["brief"]["MR-full-mAP@0.5"]
    assert round(figures["mAP@0.75"], 2) == official["brief"]["MR-full-mAP@0.75"]


def test_the_first_window_counts_for_recall_and_the_highest_score_for_precision() -> None:
    predicted = [np.array([[0.0, 10.0, 0.2], [20.0, 30.0, 0.9]])]
    scores = score_queries(predicted, [np.array([[0.0, 10.0]])])
    assert scores.top_iou.tolist() == [1.0]
    assert scores.average_precision[0, 0] == pytest.approx(0.5)


def test_recall_takes_the_true_window_that_fits_best() -> None:
    scores = score_queries([np.array([[20.0, 30.0, 1.0]])], [np.array([[0.0, 9.0], [20.0, 30.0]])])
    assert scores.top_iou.tolist() == [1.0]


def test_a_true_window_counts_once() -> None:
    iou = np.array([[1.0], [1.0]])
    assert average_precision(iou).tolist() == [1.0] * 10
    two_true = np.array([[1.0, 0.0], [0.9, 0.0], [0.0, 1.0]])
    assert average_precision(two_true)[0] == pytest.approx((1 + 2 / 3) / 2)


def test_an_iou_of_exactly_three_quarters_reaches_it() -> None:
    scores = score_queries([np.array([[0.0, 12.0, 1.0]])], [np.array([[0.0, 16.0]])])
    assert summarise(scores)["mAP@0.75"] == 100


def test_a_true_window_of_ten_seconds_is_short_and_one_of_thirty_is_middle() -> None:
    predicted = [np.array([[0.0, 10.0, 1.0]])]
    by_length = score_by_length(predicted, [np.array([[0.0, 10.0], [20.0, 50.0]])])
    assert [len(scores.top_iou) for scores in by_length.values()] == [1, 1, 0]
    assert by_length["short"].top_iou.tolist() == [1.0]
    assert by_length["middle"].top_iou.tolist() == [0.0]


def test_a_query_without_predictions_scores_nothing() -> None:
    scores = score_queries([np.zeros((0, 3))], [np.array([[0.0, 1.0]])])
    assert set(summarise(scores).values()) == {0.0}


def test_predictions_must_match_queries_and_queries_must_have_answers() -> None:
    with pytest.raises(ValueError, match="0 predictions for 1"):
        score_queries([], [np.array([[0.0, 1.0]])])
    with pytest.raises(ValueError, match="query 0 has no true window"):
        score_queries([np.zeros((0, 3))], [np.zeros((0, 2))])


def test_windows_without_length_overlap_nothing() -> None:
    assert pairwise_iou(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 2.0]])).max() == 0


def test_the_bootstrap_is_seeded_and_holds_the_mean() -> None:
    rng = np.random.default_rng(5)
    starts = rng.uniform(0, 5, 200)
    predicted = [np.array([[start, 10.0, 1.0]]) for start in starts]
    scores = score_queries(predicted, [np.array([[0.0, 10.0]])] * 200)
    intervals = bootstrap(scores, seed=1, draws=300)
    assert intervals == bootstrap(scores, seed=1, draws=300)
    assert intervals != bootstrap(scores, seed=2, draws=300)
    low, high = intervals["mIoU"]
    assert low < summarise(scores)["mIoU"] < high
    assert (high - low) / 2 == pytest.approx(196 * scores.top_iou.std() / np.sqrt(200), rel=0.25)


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert auroc(np.array([1.0]), np.array([1.0])) == 0.5
    assert auroc(np.array([1.0, 0.0]), np.array([0.5])) == 0.5
    with pytest.raises(ValueError, match="1 positives and 0 negatives"):
        auroc(np.array([1.0]), np.array([]))


def test_calibration_error_is_the_gap_between_claim_and_truth() -> None:
    claimed = np.array([0.95, 0.95, 0.05, 1.0])
    right = np.array([True, False, False, True])
    # The top bin claims 2.9 of 3 and has 2; the lowest claims 0.05 of 1 and has 0.
    assert expected_calibration_error(claimed, right) == pytest.approx((0.9 + 0.05) / 4)
