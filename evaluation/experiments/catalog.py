"""The experiments by name, each a YAML file in this folder; one of your own has the same form."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.datasets.registry import DATASETS
from evaluation.results import BenchmarkError

SUFFIX = ".yaml"


ArmName = Annotated[str, Field(pattern=r"^[^./\\][^/\\]*$")]
"""It names a folder in that of the experiment."""


class Experiment(BaseModel):
    """A question, and the arms whose comparison answers it.

    Attributes:
        name: That of its file.
        title: What it is about, in a few words.
        question: What it answers.
        dataset: Asked unless another is named.
        limit: How many of its queries, in an order that ``seed`` draws; None for all.
        seed: Of that order.
        settings: Fields of ``Settings`` that all arms share. Values may hold placeholders, see
            ``evaluation.experiments.arms``.
        arms: Fields of ``Settings`` by name of the arm; the others are compared with the first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str = Field(min_length=1)
    question: str = Field(min_length=1)
    dataset: str
    limit: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    settings: dict[str, Any] = {}
    arms: dict[ArmName, dict[str, Any]] = Field(min_length=1)


def experiment_names() -> list[str]:
    """What there is, in order of name."""
    folder = files("evaluation.experiments")
    return sorted(
        one.name.removesuffix(SUFFIX) for one in folder.iterdir() if one.name.endswith(SUFFIX)
    )


def open_experiment(name: str) -> Experiment:
    """An experiment by its name, or by the path of a YAML file.

    Raises:
        BenchmarkError: If there is none, or it cannot be used.
    """
    if name.endswith((SUFFIX, ".yml")):
        path = Path(name)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8 text"
            raise BenchmarkError(f"cannot read {path}: {why}") from exc
        return _parse(text, path.stem, where=name)
    if name not in experiment_names():
        raise BenchmarkError(
            f"there is no experiment {name!r}; there are {', '.join(experiment_names())}, or give "
            "a YAML file of your own"
        )
    text = files("evaluation.experiments").joinpath(name + SUFFIX).read_text(encoding="utf-8")
    return _parse(text, name, where=name + SUFFIX)


def _parse(text: str, name: str, *, where: str) -> Experiment:
    try:
        plain = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise BenchmarkError(f"{where} is no YAML: {' '.join(str(exc).split())}") from exc
    if not isinstance(plain, dict):
        raise BenchmarkError(f"{where} holds no experiment; expected title, question, arms, …")
    try:
        experiment = Experiment.model_validate({"name": name, **plain})
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BenchmarkError(f"{where}: {place}: {first['msg'].lower()}") from None
    if experiment.dataset not in DATASETS:
        raise BenchmarkError(
            f"{where}: there is no dataset {experiment.dataset!r}; there are {', '.join(DATASETS)}"
        )
    return experiment
