"""Every program in ``examples/`` does what its first line says."""

from __future__ import annotations

import csv
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.api import Grounder, Settings
from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner
from tests.package.source_imports import ROOT

EXAMPLES = {path.stem for path in (ROOT / "examples").glob("*.py")}
TESTED = {
    "endpoint",
    "highlight_reel",
    "moments_to_csv",
    "own_agent",  # in tests/agent/test_ways_to_ask.py
    "own_captioner",
    "own_graph",
    "ten_lines",
}
QUERY = "a bright picture"

pytestmark = pytest.mark.usefixtures("word_embedder")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two clips of 8 s, dark and then bright from 4 s on, and a file that is no video."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        draw_video(
            folder / name,
            even_times(64, 8),
            picture=lambda index: np.full((48, 64, 3), 20 if index < 32 else 230, np.uint8),
        )
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture
def grounder(tmp_path: Path) -> Iterator[Grounder]:
    settings = Settings(home=tmp_path / "home")
    with Grounder(settings, captioner=BrightnessCaptioner()) as opened:
        yield opened


def test_every_example_is_tested_and_says_how_it_is_run() -> None:
    assert EXAMPLES == TESTED
    for name in EXAMPLES:
        text = (ROOT / "examples" / f"{name}.py").read_text("utf-8")
        assert f"examples/{name}.py" in text or f"examples.{name}:" in text


def test_a_folder_becomes_a_csv_and_a_broken_file_a_row(
    clips: Path, tmp_path: Path, grounder: Grounder
) -> None:
    from examples.moments_to_csv import write_csv

    file = tmp_path / "moments.csv"
    assert write_csv(clips, file, [QUERY], grounder=grounder) == 3
    with file.open(encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["video"], row["verdict"]) for row in rows] == [
        ("a.mp4", "found"),
        ("b.mp4", "found"),
        ("broken.mp4", "error"),
    ]
    assert 3 <= float(rows[0]["start_s"]) <= 4
    assert rows[2]["why"]


@pytest.mark.slow
def test_the_best_of_several_queries_are_put_into_one_film(
    clips: Path, tmp_path: Path, grounder: Grounder
) -> None:
    import av

    from examples.highlight_reel import cut, highlights

    found = highlights([clips / "a.mp4", clips / "b.mp4"], [QUERY, QUERY], grounder=grounder)
    assert [(one.video.name, one.start_s > 2) for one in found] == [
        ("a.mp4", True),
        ("b.mp4", True),
    ]
    film = tmp_path / "reel.mp4"
    cut(found, film)
    with av.open(str(film)) as reel:
        levels = [frame.to_ndarray(format="gray8").mean() for frame in reel.decode(video=0)]
    wanted_s = sum(one.end_s - one.start_s for one in found)
    assert len(levels) == pytest.approx(wanted_s * 8, abs=4)
    assert np.mean([level > 128 for level in levels]) > 0.8


@pytest.mark.slow
def test_a_film_of_two_rates_is_as_long_as_its_parts(tmp_path: Path) -> None:
    import av

    from examples.highlight_reel import Highlight, cut

    parts = []
    for rate_hz in (10.0, 12.0, 8.0):
        video = draw_video(tmp_path / f"{rate_hz:g}.mp4", even_times(int(4 * rate_hz), rate_hz))
        parts.append(Highlight(video, 0.9, 2.45))
    cut(parts, tmp_path / "reel.mp4")
    with av.open(str(tmp_path / "reel.mp4")) as reel:
        times_s = [float(frame.time or 0) for frame in reel.decode(video=0)]
    assert times_s == sorted(set(times_s))
    assert len(times_s) == sum(
        sum(0.9 <= index / rate_hz < 2.45 for index in range(int(4 * rate_hz)))
        for rate_hz in (10, 12, 8)
    )
    assert times_s[-1] == pytest.approx(3 * 1.55, abs=0.2)


def test_a_captioner_of_ones_own_tells_blurred_from_sharp(tmp_path: Path) -> None:
    from examples.own_captioner import SharpnessCaptioner

    video = draw_video(
        tmp_path / "focus.mp4",
        even_times(64, 8),
        picture=lambda index: (
            np.full((48, 64, 3), 120, np.uint8)
            if index < 32
            else np.repeat(np.indices((48, 64)).sum(0)[:, :, None] // 4 % 2 * 255, 3, 2).astype(
                np.uint8
            )
        ),
    )
    with Grounder(Settings(home=tmp_path / "home"), captioner=SharpnessCaptioner()) as grounder:
        found = grounder.find(video, "a sharp picture")
    assert found.verdict == "found"
    assert 3 <= found.intervals[0].start_s <= 5


@pytest.mark.slow
def test_a_graph_of_ones_own_asks_again_only_where_the_first_thing_was_found(
    clips: Path, grounder: Grounder
) -> None:
    from examples.own_graph import build

    graph = build(str(clips / "a.mp4"), grounder=grounder)
    out = graph.invoke({"first": "a dark picture", "then": QUERY})
    assert out["first_s"] < 1
    assert out["then_s"] >= 3


@pytest.mark.slow
def test_an_endpoint_of_ones_own_answers_and_serves_nothing_outside_of_its_folder(
    clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    testclient = pytest.importorskip("fastapi.testclient", reason="needs the extra web")
    from examples.endpoint import app

    monkeypatch.setenv("VIDEOS", str(clips))
    monkeypatch.setenv("WHENABOUTS_CAPTIONER", "classical")
    with testclient.TestClient(app) as client:
        black = client.get("/when", params={"video": "a.mp4", "query": "the picture gets brighter"})
        assert black.status_code == 200
        assert black.json()["video"]["duration_s"] == pytest.approx(8, abs=0.2)
        for video, code in (("gone.mp4", 404), ("../a.mp4", 422), ("broken.mp4", 422)):
            answer = client.get("/when", params={"video": video, "query": "x"})
            assert answer.status_code == code


@pytest.mark.slow
def test_ten_lines_are_enough(
    clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = ROOT / "examples" / "ten_lines.py"
    code = [line for line in program.read_text().splitlines() if line and line[0] not in '"#']
    assert len(code) <= 10
    monkeypatch.setattr(sys, "argv", [str(program), str(clips / "a.mp4"), "the scene changes"])
    runpy.run_path(str(program), run_name="__main__")
    for line in capsys.readouterr().out.splitlines():
        start, end, confidence = map(float, line.split("\t"))
        assert 0 <= start < end
        assert 0 <= confidence <= 1
