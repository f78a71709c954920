"""The worked examples of CONTRIBUTING.md, run: each is a part that really works."""

import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.api import Grounder
from agent.settings import Settings, load_settings
from evaluation.datasets.registry import Dataset
from tests.drawing import draw_video
from tests.package.source_imports import ROOT
from tools.terminal import put

BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL
)


def example(name: str) -> Any:
    """What a block of that name defines, once the block has run."""
    (block,) = (block for block in BLOCKS if re.search(rf"(class|def) {name}\b", block))
    defined: dict[str, Any] = {}
    exec(compile(block, name, "exec"), defined)  # running it is the test
    return defined[name]


@pytest.fixture
def dark_then_bright(tmp_path: Path) -> Path:
    levels = [20] * 40 + [230] * 40
    return draw_video(
        tmp_path / "levels.mp4",
        times_s=[index / 10 for index in range(80)],
        picture=lambda index: np.full((48, 64, 3), levels[index], np.uint8),
    )


def test_every_example_is_under_twenty_lines_of_code() -> None:
    assert len(BLOCKS) == 5
    assert all(len([line for line in block.splitlines() if line.strip()]) < 20 for block in BLOCKS)


@pytest.mark.usefixtures("word_embedder")
def test_the_captioner_describes_a_video_and_the_reasoner_answers_from_it(
    dark_then_bright: Path, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home")
    captioner, reasoner = example("BrightnessCaptioner")(), example("FirstWindow")()
    with Grounder(settings, captioner=captioner, reasoner=reasoner) as grounder:
        found = grounder.find(dark_then_bright, "a bright picture")
    assert found.verdict == "found"
    assert found.models.captioner == "brightness"
    assert found.models.reasoner == "first-window"
    assert 3.0 <= found.intervals[0].start_s <= 5.0


def test_the_embedder_gives_unit_rows_that_are_near_for_the_same_letters() -> None:
    vectors = example("Letters")().embed(["dog jumps", "jumps dog", "a fly"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[0] @ vectors[1] > 0.99 > vectors[0] @ vectors[2]
    assert example("Letters")().embed([]).shape == (0, 26)


def test_the_data_set_reads_good_lines_and_names_bad_ones(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text("yard\t2\t5.5\ta dog jumps\nyard\t9\n", encoding="utf-8")
    dataset = Dataset("mine", "labels", "tab-separated", example("read"))
    annotations = dataset.read(path, {"yard": 30.0})
    (query,) = annotations.queries
    assert query.windows.tolist() == [[2.0, 5.5]]
    assert "labels.tsv:2" in annotations.bad[0]
    assert "2 fields" in annotations.bad[0]


def test_the_command_counts_the_indexed_videos(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = (block for block in BLOCKS if "def count_videos" in block)
    scope: dict[str, Any] = {
        "Grounder": Grounder,
        "load_settings": load_settings,
        "put": put,
        "DONE": 0,
    }
    exec(compile(block, "command", "exec"), scope)
    assert scope["count_videos"](Namespace(env=None)) == 0
    assert capsys.readouterr().out == "0\n"
