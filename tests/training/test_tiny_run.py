"""The named experiments over tiny models, small enough to mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs the extra train")

from evaluation.experiments.catalog import open_experiment
from evaluation.results import read_results
from training.recipe import Recipe
from training.tiny_run import EXPERIMENTS, Size, run

pytestmark = pytest.mark.slow

SMALL = Size(
    base_steps=2,
    videos=6,
    questions=3,
    recipe=Recipe(rank=4, alpha=8, epochs=1, batch=32, learning_rate=1e-3),
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_an_experiment_asks_each_arm_of_its_own_model_and_gives_paired_intervals(
    out: Path, name: str
) -> None:
    figures = run(out, name, SMALL)
    arms = EXPERIMENTS[name]
    assert figures["questions"] == 3
    assert list(figures["miou"]) == list(arms)
    first, *others = arms
    assert list(figures["gain"]) == [f"{one} over {first}" for one in others]
    for gain in figures["gain"].values():
        low, high = gain["interval_95"]
        assert low <= gain["miou"] <= high
    assert set(arms) <= set(open_experiment(name).arms)
    results = out / "experiments" / name
    captioners = {
        str(one.models["captioner"])
        for arm in arms
        for one in read_results(results / arm / "results.jsonl")
    }
    assert len(captioners) == len({(arm.teacher, arm.strategy, arm.mode) for arm in arms.values()})
    page = (results / "report.html").read_text(encoding="utf-8")
    assert all(arm in page for arm in arms)
    assert json.loads((results / "figures.json").read_text())["experiment"] == name
