"""Published predictions: their published figures, and nothing swept under the table."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.figures import score
from evaluation.figures.measures import measure
from evaluation.figures.metrics import union_iou_area
from evaluation.figures.predictions import (
    Annotation,
    Predictions,
    read_annotations,
    read_predictions,
)
from evaluation.figures.score import Scored, score_predictions
from evaluation.results import BenchmarkError

ScoreFile = Callable[..., dict[str, Any]]


def run(*arguments: str | Path) -> None:
    parser = argparse.ArgumentParser()
    score.add_parser(parser.add_subparsers())
    options = parser.parse_args(["score", *map(str, arguments), "--draws", "50"])
    assert options.run(options) == 0


@pytest.fixture
def scored(capsys: pytest.CaptureFixture[str]) -> ScoreFile:
    """What the command prints as JSON."""

    def score_file(predictions: Path, annotations: Path, *options: str) -> dict[str, Any]:
        run(predictions, "--annotations", annotations, "--json", *options)
        printed = json.loads(capsys.readouterr().out)
        assert isinstance(printed, dict)
        return printed

    return score_file


def value(printed: dict[str, Any], name: str, digits: int = 2) -> float:
    return round(float(printed["figures"][name]["value"]), digits)


@pytest.mark.slow
@pytest.mark.data
def test_moment_detr_has_its_official_figures(shared_data: Path, scored: ScoreFile) -> None:
    folder = shared_data / "formats" / "qvhighlights_preds"
    brief = json.loads((folder / "sample_val_preds_metrics_raw.json").read_text())["brief"]
    printed = scored(folder / "sample_val_preds.jsonl", shared_data / "qvhighlights" / "val.jsonl")
    for name in ("R1@0.5", "R1@0.7", "mAP@0.5", "mAP@0.75", "mAP"):
        assert value(printed, f"QVHighlights {name}") == brief[f"MR-full-{name}"]
    assert printed["invalid"] == {"past the end": 2}
    assert (printed["queries"], printed["missing"], printed["unknown"]) == (1550, 0, 0)


@pytest.mark.slow
@pytest.mark.data
def test_univtg_has_its_published_figures(shared_data: Path, scored: ScoreFile) -> None:
    folder = shared_data / "formats" / "qvhighlights_preds"
    printed = scored(folder / "univtg.jsonl", shared_data / "qvhighlights" / "val.jsonl")
    assert value(printed, "QVHighlights R1@0.5") == 68.39
    assert value(printed, "QVHighlights R1@0.7") == 54.00
    assert value(printed, "QVHighlights mAP") == 45.99
    assert printed["invalid"] == {"zero-length": 17}


@pytest.mark.slow
@pytest.mark.data
def test_timechat_has_its_published_charades_figures(shared_data: Path, scored: ScoreFile) -> None:
    folder = shared_data / "formats" / "timechat_metrics"
    files = folder / "tvg_example_pred_file.json", folder / "tvg_example_gt_file.json"
    printed = scored(*files, "--predicted-only")
    assert [value(printed, f"R@1 IoU={bar}", 1) for bar in (0.3, 0.5, 0.7)] == [9.0, 3.4, 1.4]
    assert value(printed, "mIoU", 1) == 6.3
    assert printed["invalid"] == {"empty": 280}
    assert (printed["queries"], printed["missing"]) == (500, 3220)
    everything = scored(*files)
    assert everything["queries"] == 3720
    assert value(everything, "R@1 IoU=0.3") == round(45 / 37.20, 2)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("model", "invalid_percent", "benchmark_iou"),
    [("GPT-5", 36.8, 17.15), ("Gemini-3-Pro-Prev", 3.4, 37.58), ("Vidi2.5", 0.0, 49.62)],
)
def test_vue_tr_models_have_their_figures(
    model: str, invalid_percent: float, benchmark_iou: float, shared_data: Path, scored: ScoreFile
) -> None:
    folder = shared_data / "formats" / "vidi_vue_tr"
    printed = scored(folder / f"v2_results_{model}.json", folder / "VUE-TRv2_ground_truth.json")
    assert round(100 * printed["invalid_queries"] / printed["queries"], 1) == invalid_percent
    assert value(printed, "VUE-TR IoU") == benchmark_iou
    assert "QVHighlights mAP" not in printed["figures"]


@pytest.mark.data
def test_a_detection_example_has_its_average_precision(
    shared_data: Path, scored: ScoreFile
) -> None:
    folder = shared_data / "formats" / "mmaction2"
    printed = scored(folder / "result.json", folder / "gt.json")
    assert printed["queries"] == 2
    # One label a video: the mean over queries is the mean over classes.
    assert value(printed, "QVHighlights mAP@0.5") == 71.43
    assert value(printed, "QVHighlights mAP") == 61.78


def kite(duration_s: float | None = 100.0, qid: str = "q") -> dict[str, Annotation]:
    return {qid: Annotation(qid, "a red kite", "park", duration_s, ((20.0, 30.0),))}


def judged(*spans: object, duration_s: float | None = 100.0) -> Scored:
    return score_predictions(Predictions("answer", {"q": spans}), kite(duration_s))


@pytest.mark.parametrize(
    ("span", "kind"),
    [
        ([], "empty"),
        (None, "empty"),
        ([30.0, 20.0], "reversed"),
        ([25, 25], "zero-length"),
        ([-1.0, 25.0], "before the start"),
        ([20.0, 101.5], "past the end"),
        (["20", "30"], "no numbers"),
        ([20.0], "no numbers"),
        ([20.0, 30.0, 0.5, 1], "no numbers"),
        ([20.0, float("nan")], "no numbers"),
        ([20.0, float("inf")], "no numbers"),
        ([20.0, 10**400], "no numbers"),
        ([True, 30.0], "no numbers"),
        ("20 to 30", "no numbers"),
    ],
)
def test_what_cannot_be_a_span_is_counted_and_is_a_miss_where_it_stands(
    span: object, kind: str
) -> None:
    outcome = judged(span, [20.0, 30.0])
    assert outcome.invalid == {kind: 1}
    assert outcome.invalid_queries == 1
    figures = score.figures_of(outcome, Predictions("", {"q": ()}), draws=5)
    assert figures["R@1 IoU=0.3"].value == 0
    assert figures["R@5 IoU=0.7"].value == 100


def test_spans_without_a_score_are_ranked_as_they_are_listed() -> None:
    right, wrong = [20.0, 30.0], [60.0, 70.0]
    scores = {
        first: measure(judged(*spans).results, draws=5)["QVHighlights mAP"].value
        for first, spans in (("right", (right, wrong)), ("wrong", (wrong, right)))
    }
    assert scores == {"right": 100, "wrong": 50}


def test_a_span_may_end_within_a_second_of_the_end_and_anywhere_where_that_is_not_known() -> None:
    assert judged([20.0, 101.0]).invalid == {}
    assert judged([20.0, 500.0], duration_s=None).invalid == {}
    assert judged([20.0, 500.0], duration_s=None).unchecked == 1


def test_an_answer_without_spans_is_empty_and_a_query_without_answer_is_missing() -> None:
    assert judged().invalid == {"empty": 1}
    both = {**kite(), **kite(qid="other")}
    predictions = Predictions("answer", {"q": ([20.0, 30.0],), "stranger": ([0.0, 1.0],)})
    outcome = score_predictions(predictions, both)
    assert (len(outcome.results), outcome.missing, outcome.unknown) == (2, 1, 1)
    assert outcome.invalid == {}
    assert [one.verdict for one in outcome.results] == ["found", "not_found"]
    assert len(score_predictions(predictions, both, predicted_only=True).results) == 1


def test_predictions_for_other_queries_are_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"named like 'z', annotations like 'q'"):
        score_predictions(Predictions("answer", {"z": ()}), kite())


def test_vue_tr_joins_spans_widens_them_to_seconds_and_leaves_reversed_ones_out() -> None:
    truth = [(10.0, 20.0)]
    whole = union_iou_area([(10.2, 15.0), (14.5, 19.1)], truth)
    # An IoU of 1 exceeds all thresholds but the last, whose trapezoid is half there.
    assert whole == pytest.approx(0.995)
    assert union_iou_area([(10.0, 20.0), (9.0, 5.0)], truth) == whole
    assert union_iou_area([(10.0, 15.0)], truth) == pytest.approx(0.495)
    assert union_iou_area([], truth) == 0


GOOD = {"qid": 1, "vid": "park", "query": "a kite", "duration": 9, "relevant_windows": [[1, 2]]}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"qid": 1, "answer": []}\n{"qid": 2,\n', r":2: not JSON"),
        ('{"qid": 1, "answer": []}\n\n[3]\n', r":3: not a JSON object"),
        ('{"qid": 1, "answer": []}\n{"qid": 2}\n', r":2: not a prediction"),
        ('{"qid": 1, "answer": []}\n{"qid": 1, "answer": []}\n', r":2: a second prediction"),
        ('[\n{"qid": 1, "answer": []},\n{"qid": 2, "answer": 4}]', r"entry 2: not a prediction"),
        ('{"7": {"timestamp": []}, "8": {}}', r"entry '8': not a prediction"),
        ('[\n{"qid": 1,\n', r":3: not JSON"),
        ('{"results": {"park": [{"label": "x"}]}}', r"results of 'park': not detections"),
    ],
)
def test_a_malformed_prediction_is_named_by_its_place(
    text: str, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "predictions.json"
    file.write_text(text)
    with pytest.raises(BenchmarkError, match=f"predictions.json.*{complaint}"):
        read_predictions(file)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"relevant_windows": []}, "no true window"),
        ({"relevant_windows": [[5, 4]]}, "5.0 to 4.0 s is none"),
        ({"relevant_windows": [["a", 4]]}, "not an annotation"),
        ({"duration": "long"}, "not an annotation"),
        ({"qid": 1}, "query 1 is annotated a second time"),
    ],
)
def test_a_malformed_annotation_is_named_by_its_line(
    change: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "val.jsonl"
    rows = [GOOD, {**GOOD, "qid": 2, **change}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BenchmarkError, match=rf"val.jsonl:2: .*{complaint}"):
        read_annotations(file)


def test_a_field_that_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "val.jsonl"
    file.write_text(json.dumps({"qid": 1, "query": "a kite"}))
    with pytest.raises(BenchmarkError, match="no video and no true windows"):
        read_annotations(file)


def test_files_that_are_none_are_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("[]")
    with pytest.raises(BenchmarkError, match="no annotation in it"):
        read_annotations(empty)
    with pytest.raises(BenchmarkError, match=r"cannot read .*nowhere"):
        read_predictions(tmp_path / "nowhere")
    (tmp_path / "video").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BenchmarkError, match="not UTF-8 text"):
        read_predictions(tmp_path / "video")


def test_the_table_says_what_was_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotations, predictions = tmp_path / "val.jsonl", tmp_path / "predictions.jsonl"
    annotations.write_text("".join(json.dumps({**GOOD, "qid": n}) + "\n" for n in range(4)))
    spans: list[Any] = [[[1, 2, 0.9]], [[2, 1, 0.9]], []]
    predictions.write_text(
        "".join(
            json.dumps({"qid": n, "pred_relevant_windows": some}) + "\n"
            for n, some in enumerate(spans)
        )
    )
    run(predictions, "--annotations", annotations)
    shown = capsys.readouterr().out
    assert "4 queries; 1 without a prediction are counted as misses; 0 predictions are" in shown
    assert "2 of 3 answers (66.7%) are invalid: 1 reversed, 1 empty" in shown
    recall = next(line.split() for line in shown.splitlines() if line.startswith("R@1 IoU=0.5"))
    assert recall[2] == "25.00"
