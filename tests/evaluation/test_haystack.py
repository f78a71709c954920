"""``whenabouts eval haystack``: through the real graph, stopped and gone on with."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import api
from evaluation.long_videos import haystack, haystack_run
from evaluation.results import BenchmarkError, read_results
from tests.fakes import WordEmbedder
from tools.grounding.background import BACKGROUND

pytestmark = pytest.mark.usefixtures("word_embedder")


THINGS = ("red kite", "brass band", "white horse", "steam train", "wooden boat", "street cook")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Six videos of 120 s, each with a thing of its own from 40 to 60 s."""
    captions, annotations = [], []
    for number, thing in enumerate(THINGS):
        texts = [f"an empty room {number}{n}" for n in range(60)]
        texts[20:30] = [f"a {thing} passes"] * 10
        captions.append({"vid": f"v{number}", "step": 2.0, "captions": texts})
        annotations.append(
            {
                "qid": number,
                "query": f"a {thing} passes",
                "vid": f"v{number}",
                "duration": 120,
                "relevant_windows": [[40, 60]],
            }
        )
    paths = tmp_path / "captions.jsonl", tmp_path / "val.jsonl"
    for path, rows in zip(paths, (captions, annotations), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["--captions", str(paths[0]), "--annotations", str(paths[1])]


def run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    haystack.add_parser(parser.add_subparsers(required=True))
    return haystack.run(parser.parse_args(["haystack", *arguments]))


def summary_of(folder: Path) -> dict[str, Any]:
    summary = json.loads((folder / "summary.json").read_text())
    assert isinstance(summary, dict)
    return summary


@pytest.mark.slow
def test_every_length_has_its_results_and_figures(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run([*files, "--out", str(out), "--hours", "0.01", "0.1", "--nulls"]) == 0
    lengths = summary_of(out)["hours"]
    assert list(lengths) == ["0.01", "0.1"]
    assert [lengths[hours]["videos"] for hours in lengths] == [6, 2]
    for hours in lengths:
        assert lengths[hours]["answer"]["R@1 IoU=0.7"]["value"] == 100
        assert lengths[hours]["right part"] == lengths[hours]["found"] == 100
        assert lengths[hours]["outcomes"]["search_miss"] == 0
        assert lengths[hours]["found elsewhere"] is not None
        results = read_results(out / f"{hours}h" / "results.jsonl")
        assert [one.kind for one in results] == ["own"] * 6 + ["random"] * 6
    assert results[0].duration_s == 360
    assert results[0].truth[0][0] % 120 == 40
    assert "search miss" in capsys.readouterr().out


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_embeds_nothing_again(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    arguments = [*files, "--out", str(out), "--hours", "0.1"]
    run(arguments)
    whole = summary_of(out)["hours"]["0.1"]
    path = out / "0.1h" / "results.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:30])
    embedded: list[str] = []
    asked: list[str] = []
    embed, make = WordEmbedder.embed, api.make_question

    def noting(self: WordEmbedder, texts: Sequence[str]) -> Any:
        embedded.extend(texts)
        return embed(self, texts)

    def note(video: str, query: str) -> Any:
        asked.append(query)
        return make(video, query)

    monkeypatch.setattr(WordEmbedder, "embed", noting)
    monkeypatch.setattr(haystack_run, "make_question", note)
    run(arguments)
    assert len(asked) == 4
    assert not any("room" in text for text in set(embedded) - set(BACKGROUND))
    again = summary_of(out)["hours"]["0.1"]
    assert {**again, "ms": None} == {**whole, "ms": None}


@pytest.mark.slow
def test_another_seed_needs_another_folder(files: list[str], tmp_path: Path) -> None:
    arguments = [*files, "--out", str(tmp_path / "run"), "--hours", "0.1"]
    run(arguments)
    with pytest.raises(BenchmarkError, match="seed 0, and this is 1; give another --out"):
        run([*arguments, "--seed", "1"])


@pytest.mark.slow
def test_the_answers_of_no_length_stay_in_a_store(files: list[str], tmp_path: Path) -> None:
    run([*files, "--out", str(tmp_path / "run"), "--hours", "0.1"])
    with api.Grounder(api.load_settings()) as grounder:
        assert grounder.records() == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--limit", "0"], "--limit must be at least 1"),
        (["--hours", "7"], "--hours 7: all videos together have 0.20 hours"),
        (["--captions", "missing.jsonl"], "missing.jsonl"),
    ],
)
def test_bad_options_are_errors_with_the_value(
    files: list[str], change: list[str], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(BenchmarkError, match=complaint):
        run([*files, "--out", str(tmp_path / "run"), *change])


def test_a_video_without_captions_is_named(files: list[str], tmp_path: Path) -> None:
    captions = Path(files[1])
    captions.write_text("\n".join(captions.read_text().splitlines()[:5]))
    with pytest.raises(BenchmarkError, match="v5 for one"):
        run([*files, "--out", str(tmp_path / "run")])
