"""The named experiments over tiny models, small enough to mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs the extra train")

from evaluation.experiments.catalog import open_experiment
from evaluation.results import read_results
from training.recipe import Recipe
from training.tiny_run import EXPERIMENTS, Size, _write_experiment, run
from training.train import Trained

SMALL = Size(
    base_steps=2,
    videos=6,
    questions=3,
    recipe=Recipe(rank=4, alpha=8, epochs=1, batch=32, learning_rate=1e-3),
)


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_its_arms_are_those_of_the_named_experiment_with_models_of_their_own(
    name: str, tmp_path: Path
) -> None:
    adapters = {
        label: Trained(tmp_path / label, 1.0, 0.5, None, 1)
        for label, arm in EXPERIMENTS[name].items()
        if arm.teacher
    }
    named = open_experiment(name)
    written = open_experiment(str(_write_experiment(tmp_path, name, tmp_path / "base", adapters)))
    assert set(written.arms) <= set(named.arms)
    assert written.question == named.question
    for label, settings in written.arms.items():
        for setting, value in named.arms[label].items():
            assert settings[setting] == value or str(value).startswith("$adapter")
        expected = str(adapters[label].adapter) if label in adapters else None
        assert settings["adapter"] == expected


@pytest.mark.slow
@pytest.mark.xdist_group("torch")
def test_an_experiment_is_carried_out_and_gives_paired_intervals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Models that have learnt nothing talk for long.
    monkeypatch.setattr("training.tiny_run.RATE_HZ", 0.1)
    figures = run(tmp_path, "teachers", SMALL)
    assert figures["questions"] == 3
    assert list(figures["miou"]) == ["human", "synthetic"]
    gain = figures["gain"]["synthetic over human"]
    low, high = gain["interval_95"]
    assert low <= gain["miou"] <= high
    results = tmp_path / "experiments" / "teachers"
    models = [
        read_results(results / arm / "results.jsonl")[0].models["captioner"]
        for arm in ("human", "synthetic")
    ]
    assert models[0] != models[1]
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "human" in page
    assert "synthetic" in page
    assert json.loads((results / "figures.json").read_text()) == figures
