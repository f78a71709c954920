"""Reading the benchmark, null queries, cached embeddings, and the calibration script on top."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.datasets.nulls import draw_questions, hard_nulls, random_nulls
from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import (
    read_captions,
    read_queries,
    relevance_by_clip,
    source_of,
    submission_line,
)
from evaluation.experiments.calibrate import everyday_words, main
from evaluation.results import BenchmarkError
from evaluation.runs.vector_cache import CachedEmbedder
from tests.made_results import made


def query(video_id: str, qid: str = "1") -> Query:
    return Query(qid, "a dog", video_id, 5.0, np.array([[0.0, 4.0]]))


class CountingEmbedder:
    name = "counting"
    dimension = 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), 1, 0] for text in texts], dtype=np.float32)


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


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"vid": "v"}, "there is no 'step'"),
        ({"vid": "v", "step": 0, "captions": ["a"]}, "step is 0 s"),
        ({"vid": "v", "step": 2, "captions": []}, "one at least"),
        ({"vid": "v", "step": 2, "captions": ["a", " "]}, "caption 1 of v is ' '"),
        ({"vid": "u", "step": 2, "captions": ["a"]}, "u stands in the file twice"),
    ],
)
def test_broken_captions_are_named(tmp_path: Path, row: dict[str, object], why: str) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text('{"vid": "u", "step": 2, "captions": ["a"]}\n' + json.dumps(row))
    with pytest.raises(BenchmarkError, match=rf"captions\.jsonl:2: .*{why}"):
        read_captions(path)


def test_annotations_that_must_be_whole_have_no_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "val.jsonl"
    path.write_text('{"qid": 1}\n')
    with pytest.raises(BenchmarkError, match=r"val\.jsonl:1: "):
        read_queries(path)


def test_relevance_is_that_at_the_middle_of_each_clip() -> None:
    assert relevance_by_clip(5.0, [(0.0, 2.5), (2.5, 3.0)], [1.0, -1.0]) == (1.0, -1.0, -1.0)
    assert relevance_by_clip(3.0, [], []) == (0.0, 0.0)


@pytest.mark.parametrize(("qid", "submitted"), [("7", 7), ("V:7", "V:7")])
def test_a_submission_holds_ranked_windows_and_relevance(qid: str, submitted: int | str) -> None:
    result = made(qid, candidates=((0.0, 2.5, 0.8),), relevance=(1.0, -1.0))
    assert submission_line(result) == {
        "qid": submitted,
        "query": result.query,
        "vid": result.video,
        "pred_relevant_windows": [[0.0, 2.5, 0.8]],
        "pred_saliency_scores": [1.0, -1.0],
    }


def test_null_queries_are_seeded_and_about_something_else() -> None:
    ids = ["a_b_0.0_5.0", "a_b_5.0_10.0", "c_0.0_5.0", "d_0.0_5.0"]
    queries = [query(video_id) for video_id in ids]
    assert source_of(ids[0]) == "a_b"
    nulls = random_nulls(queries, seed=3)
    assert nulls == random_nulls(queries, seed=3)
    assert all(source_of(null) != source_of(own) for null, own in zip(nulls, ids, strict=True))
    assert hard_nulls(queries) == [ids[1], ids[0], None, None]
    with pytest.raises(BenchmarkError, match="two sources"):
        random_nulls(queries[:2])


def test_a_share_of_the_queries_is_asked_of_other_videos_too() -> None:
    ids = ["a_0_5", "a_5_9", "b_0_5", "c_0_5", "d_0_5", "e_0_5", "f_0_5", "g_0_5"]
    queries = [query(video_id, f"q{video_id[:1]}{video_id[2]}") for video_id in ids]
    assert [one.key for one in draw_questions(queries)] == [f"own:{one.qid}" for one in queries]
    half = draw_questions(queries, null_rate=0.5, seed=1)
    assert [one.kind for one in half].count("random") == 4
    assert half == draw_questions(queries, null_rate=0.5, seed=1)
    assert {one.key for one in half} != {
        one.key for one in draw_questions(queries, null_rate=0.5, seed=2)
    }
    every = draw_questions(queries, null_rate=1)
    kinds = [one.kind for one in every]
    assert kinds == ["own"] * 8 + ["random"] * 8 + ["hard"] * 2
    assert [one.video_id for one in every[8:16]] == random_nulls(queries)
    # Where nothing is cut from anything, another video is another source.
    whole = draw_questions(queries, null_rate=1, source_of=str)
    assert {one.kind for one in whole} == {"own", "random"}


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


@pytest.mark.slow
def test_calibration_of_missing_files_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.jsonl")
    arguments = ["--captions", missing, "--annotations", missing, "--cache", str(tmp_path)]
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
