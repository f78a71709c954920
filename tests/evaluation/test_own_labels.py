"""A run over your own labels, as somebody with a few videos writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main
from evaluation.datasets.own import read
from tests.drawing import draw_video, even_times

pytestmark = pytest.mark.usefixtures("word_embedder")


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    folder = tmp_path / "captions"
    folder.mkdir()
    for name, dog in (("road", 6), ("yard", 12)):
        rows = [
            {"t": t, "caption": "a brown dog jumps" if dog <= t < dog + 4 else "an empty road"}
            for t in range(0, 20, 2)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def run(folder: Path, labels: str, *options: str, suffix: str = ".csv") -> tuple[int, Any]:
    file = folder / f"labels{suffix}"
    file.write_text(labels, encoding="utf-8")
    out = folder / "out"
    code = main(["eval", "own", "--annotations", str(file), "--out", str(out), "--json", *options])
    summary = out / "summary.json"
    return code, json.loads(summary.read_text()) if summary.exists() else None


LABELS = """\
video,query,start,end
road.mp4,a brown dog jumps,6,10
yard,a brown dog jumps,12,16
road.mp4,a submarine dives below the ice,,
"""


def test_labels_of_what_never_happens_names_of_files_and_lengths_from_captions(
    captions: Path, tmp_path: Path
) -> None:
    code, summary = run(tmp_path, LABELS, "--captions", str(captions))
    assert code == 0
    questions = summary["questions"]
    assert (questions["own"], questions["labelled"]) == (2, 1)
    figures = summary["figures"]
    assert figures["null recall"]["value"] == 100.0
    assert figures["R@1 IoU=0.5"]["value"] == 100.0
    assert not any(name.startswith("QVHighlights") for name in figures)
    assert figures["mIoU"]["low"] is None, "two questions give no interval"


def test_json_says_never_with_null(captions: Path, tmp_path: Path) -> None:
    row = {"video": "road", "query": "a submarine dives", "start": None, "end": None}
    code, summary = run(tmp_path, json.dumps(row), "--captions", str(captions), suffix=".jsonl")
    assert code == 0
    assert summary["questions"]["labelled"] == 1


@pytest.mark.parametrize(
    ("header", "row", "suffix"),
    [
        ("video;query;start;end", "road;a brown dog jumps;6;10", ".csv"),
        ("Video, Query, Start, End", "road,a brown dog jumps,6,10", ".csv"),
        ("video\tquery\tstart\tend", "road\ta dog, brown\t6\t10", ".TSV"),
        ("video;query;start;end", "road;a brown dog jumps;6,5;10,25", ".csv"),
        ("video,query,start,end", 'road,a brown dog jumps,"6,5",10 s', ".csv"),
        ("sep=;\r\nvideo;query;start;end", "road;a brown dog jumps;6;10\r\n;;;\r\n", ".csv"),
        ("\ufeffvideo,query,start,end,note", 'road,"a ""brown"" dog, jumps",6,10,me', ".txt"),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(
    header: str, row: str, suffix: str, captions: Path, tmp_path: Path
) -> None:
    text = f"{header}\n{row}\n"
    code, summary = run(tmp_path, text, "--captions", str(captions), suffix=suffix)
    assert code == 0
    assert summary["questions"]["own"] == 1


def test_times_may_be_written_as_they_are_printed(captions: Path, tmp_path: Path) -> None:
    rows = "video,query,start,end\nroad,a brown dog jumps,0:06.0,00:00:10\n"
    code, summary = run(tmp_path, rows, "--captions", str(captions))
    assert code == 0
    assert summary["figures"]["R@1 IoU=0.5"]["value"] == 100.0


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("road,a dog,3,\n", "a start or an end alone"),
        ("road,a dog,3,0:72\n", "an end is '0:72', not a number"),
        ("road,a dog,,\nroad,a dog,3,5\n", "it never happens, and it does"),
        ("road,a dog,30,35\n", "starts after the video has ended, at 20 s"),
        (
            'road,"a dog,3,5\nroad,a cat,3,5\n',
            ":3: fewer fields than columns; is a quote not closed?",
        ),
        ('road,a dog,"1,000","1,005"\n', ":2: a start is '1,000', not a number"),
    ],
)
def test_a_label_that_cannot_be_is_named(
    rows: str, complaint: str, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = run(tmp_path, f"video,query,start,end\n{rows}", "--captions", str(captions))
    assert code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_the_table_says_too_few_and_counts_cannot_tell_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "videos").mkdir()
    draw_video(tmp_path / "videos" / "road.mp4", even_times(40, 8.0))
    labels = tmp_path / "labels.csv"
    labels.write_text("video,query,start,end\nroad.mp4,a dog barks,1,2\n")
    code = main(
        [
            *("eval", "own", "--annotations", str(labels), "--videos", str(tmp_path / "videos")),
            *("--captioner", "classical", "--out", str(tmp_path / "out")),
        ]
    )
    printed = capsys.readouterr().out
    assert code == 0
    assert "too few" in printed
    assert "cannot tell 1" in printed
    assert "cannot tell  " in printed
    assert "missed present" not in printed


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"road,a dog,3,5\n", ":1: the first line names no columns"),
        (b"video,query,start\nroad,a dog,3\n", ":1: no column end"),
        (b"video,query,start,end,start\nroad,a dog,3,5,9\n", ":1: two columns are named start"),
        (b"video,query,start,end\nroad,a caf\xe9,3,5\n", ":2: not UTF-8 text"),
        (b"", "holds no annotation"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(
    content: bytes, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_bytes(content)
    told = ["--annotations", str(labels), "--videos", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["eval", "own", *told]) == 2
    assert complaint in capsys.readouterr().err


def test_a_table_may_be_utf_16(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_bytes("video\tquery\tstart\tend\nroad\tein Hund läuft\t3\t5\n".encode("utf-16"))
    [query] = read(labels, {"road": 20.0}).queries
    assert query.text == "ein Hund läuft"
