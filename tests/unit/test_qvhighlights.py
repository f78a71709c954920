"""Reading the benchmark, null queries, cached embeddings, and the calibration script on top."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.calibrate import everyday_words, main
from evaluation.nulls import hard_nulls, random_nulls
from evaluation.qvhighlights import (
    CaptionedVideo,
    Query,
    read_captions,
    read_queries,
    read_submission,
    source_of,
    submission_line,
    windows_of,
)
from evaluation.results import BenchmarkError
from evaluation.vector_cache import CachedEmbedder

ROW = {"qid": 7, "query": "a dog", "vid": "a_0.0_5.0", "duration": 5, "relevant_windows": [[0, 4]]}


def query(video_id: str, qid: int = 1) -> Query:
    return Query(qid, "a dog", video_id, 5.0, np.array([[0.0, 4.0]]))


class CountingEmbedder:
    name = "counting"
    dimension = 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), 1, 0] for text in texts], dtype=np.float32)


def test_annotations_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "val.jsonl"
    path.write_text(json.dumps(ROW) + "\n\n" + json.dumps(ROW | {"qid": 8}) + "\n")
    first, second = read_queries(path)
    assert (first.qid, second.qid, first.duration_s) == (7, 8, 5.0)
    assert first.windows.tolist() == [[0.0, 4.0]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "val.jsonl:1: not JSON"),
        ("[]", "val.jsonl:1: not a JSON object"),
        ('{"qid": 1}', "val.jsonl:1: not an annotation .*'query'"),
        (json.dumps(ROW | {"relevant_windows": []}), "query 7 has no relevant window"),
        (json.dumps(ROW | {"relevant_windows": [[1]]}), "not an annotation"),
    ],
)
def test_a_broken_annotation_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "val.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(BenchmarkError, match=message):
        read_queries(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"cannot read .*nothing\.jsonl"):
        read_queries(tmp_path / "nothing.jsonl")


def test_captions_end_with_the_video(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl.gz"
    row = {"vid": "v", "step": 2.0, "captions": ["a", "b", "c", "d"]}
    with gzip.open(path, "wt") as file:
        file.write(json.dumps(row))
    captions = read_captions(path)["v"].captions(duration_s=5.0)
    assert [(c.start_s, c.end_s, c.text) for c in captions] == [
        (0, 2, "a"),
        (2, 4, "b"),
        (4, 5, "c"),
    ]


@pytest.mark.parametrize("row", [{"vid": "v"}, {"vid": "v", "step": 0, "captions": []}])
def test_broken_captions_are_named(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(BenchmarkError, match=r"captions\.jsonl:1: "):
        read_captions(path)


def test_a_submission_holds_windows_best_first_and_saliency_per_clip(tmp_path: Path) -> None:
    captions = CaptionedVideo("v", 2.5, ("a", "b")).captions(duration_s=5.0)
    line = submission_line(query("v"), [(0.0, 2.5, 0.8)], captions, [1.0, -1.0])
    assert line["pred_saliency_scores"] == [1.0, -1.0, -1.0]
    path = tmp_path / "predictions.jsonl"
    path.write_text(json.dumps(line) + '\n{"qid": 2, "pred')
    assert windows_of(read_submission(path)[1]).tolist() == [[0.0, 2.5, 0.8]]
    assert list(read_submission(path)) == [1]
    path.write_text('{"qid": 2, "pred\n' + json.dumps(line))
    with pytest.raises(BenchmarkError, match=r"predictions\.jsonl:1: not JSON"):
        read_submission(path)


def test_null_queries_are_seeded_and_about_something_else() -> None:
    ids = ["a_b_0.0_5.0", "a_b_5.0_10.0", "c_0.0_5.0", "d_0.0_5.0"]
    queries = [query(video_id) for video_id in ids]
    assert source_of(ids[0]) == "a_b"
    nulls = random_nulls(queries, seed=3)
    assert nulls == random_nulls(queries, seed=3)
    assert all(source_of(null) != source_of(own) for null, own in zip(nulls, ids, strict=True))
    assert hard_nulls(queries) == [ids[1], ids[0], None, None]
    with pytest.raises(ValueError, match="two sources"):
        random_nulls(queries[:2])


def test_a_text_is_embedded_once_ever(tmp_path: Path) -> None:
    first = CountingEmbedder()
    CachedEmbedder(first, tmp_path).embed(["a", "bb", "a"])
    again = CountingEmbedder()
    vectors = CachedEmbedder(again, tmp_path).embed(["ccc", "bb"])
    assert (first.asked, again.asked) == (["a", "bb"], ["ccc"])
    assert vectors.tolist() == [[3, 1, 0], [2, 1, 0]]


@pytest.mark.parametrize("file", ["keys", "vectors.f32"])
def test_a_cache_cut_off_in_writing_loses_only_its_tail(tmp_path: Path, file: str) -> None:
    CachedEmbedder(CountingEmbedder(), tmp_path).embed(["a", "bb"])
    (path,) = tmp_path.glob(f"*/{file}")
    path.write_bytes(path.read_bytes()[:-3])
    again = CountingEmbedder()
    assert CachedEmbedder(again, tmp_path).embed(["a", "bb"]).tolist() == [[1, 1, 0], [2, 1, 0]]
    assert again.asked == ["bb"]


def test_everyday_words_are_the_commonest_in_their_commonest_form() -> None:
    texts = ["a man walking", "the man walks", "two men walking", "a dog"]
    assert everyday_words(texts, count=2) == ["walking", "man"]


def test_calibration_of_missing_files_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.jsonl")
    arguments = ["--captions", missing, "--annotations", missing, "--cache", str(tmp_path)]
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
