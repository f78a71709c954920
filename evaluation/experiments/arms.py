"""The arms of an experiment, once the command line has said which models take part.

A value of a setting may hold placeholders, which options of the command line fill in:

- ``$captioner``, ``$reasoner``, ``$adapter``: what ``--captioner`` and so on name; ``$captioner_2``
  is the second of several;
- ``$captioners``, ``$reasoners``, ``$adapters``: all of them, with an arm for each. Where an arm
  has several of these, there is one for every combination;
- ``$out``: the folder of the results.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from agent.api import Settings, load_settings
from evaluation.experiments.catalog import Experiment
from evaluation.results import BenchmarkError
from tools.errors import WhenaboutsError

Given = Mapping[str, Sequence[str]]
"""What the command line says of each placeholder, in its order."""

PLACEHOLDER = re.compile(r"\$(captioner|reasoner|adapter|out)(?:(s)|_(\d+))?(?!\w)")

SEEING = frozenset(
    "captioner strategy mode in_flight detail max_image_kb adapter device dtype rate_hz "
    "every_frame refine read_text verify direct every_path".split()
)
"""Settings of who looks at frames, and how; they do not matter where captions are given."""

SEEN_ALIKE = (
    *("captioner", "strategy", "mode", "detail", "max_image_kb", "adapter", "dtype"),
    *("rate_hz", "every_frame", "read_text"),
)
"""Arms that agree in these answer from the same captions."""

_RUNNERS_OWN = frozenset({"store"})
"""The runner keeps a store of its own, beside the user's."""

EVERY_ARM = "*"


@dataclass(frozen=True, slots=True)
class Arm:
    """One run of an experiment.

    Attributes:
        name: Also that of its folder.
        settings: Fields of ``Settings`` that it sets; the environment decides over the others.
    """

    name: str
    settings: Mapping[str, Any]

    def load(self) -> Settings:
        """All settings of its run.

        Raises:
            BenchmarkError: If one of them cannot be used; names the arm.
        """
        try:
            settings = load_settings(**self.settings)
        except WhenaboutsError as exc:
            raise BenchmarkError(f"arm {self.name}: {exc}") from exc
        for name, value in self.settings.items():
            if value is None and getattr(settings, name) is not None:
                raise BenchmarkError(
                    f"arm {self.name} is without {name}, and WHENABOUTS_{name.upper()} in the "
                    f"environment or the file of settings gives it {getattr(settings, name)}; take "
                    "it out there"
                )
        return settings


def plan_arms(
    experiment: Experiment,
    given: Given,
    *,
    changes: Sequence[str] = (),
    recorded: bool = False,
    draft: bool = False,
) -> list[Arm]:
    """The arms with every placeholder filled in, in their order.

    Args:
        experiment: What to plan.
        given: What the command line says.
        changes: ``ARM.SETTING=VALUE`` each, with ``*`` for every arm; values as in YAML.
        recorded: Whether captions are given, so that nobody looks at frames.
        draft: Leave placeholders that nothing is said of as they are.

    Raises:
        BenchmarkError: If an arm asks for what was not given, something was given that no arm asks
            for, or a setting is none; names it.
    """
    arms = [
        Arm(name, {**experiment.settings, **settings}) for name, settings in experiment.arms.items()
    ]
    if recorded:
        arms = _without_seeing(experiment, arms)
    arms = [one for arm in arms for one in _each(arm, given)]
    for change in changes:
        arms = _changed(arms, change, recorded=recorded)
    _check_names(experiment, arms)
    used: set[tuple[str, int]] = set()
    missing: dict[str, str] = {}
    filled = [Arm(arm.name, _filled(arm, given, used=used, missing=missing)) for arm in arms]
    if draft:
        return filled
    if missing:
        wanted = " and ".join(f"{option} (for {places})" for option, places in missing.items())
        raise BenchmarkError(f"experiment {experiment.name} needs {wanted}")
    for name, values in given.items():
        for place, value in enumerate(values):
            if name != "out" and (name, place) not in used:
                raise BenchmarkError(
                    f"no arm of experiment {experiment.name} asks for --{name} {value}"
                    + (" where captions are given" if recorded else "")
                )
    return filled


def differing(arms: Sequence[Arm]) -> list[str]:
    """Settings that are not the same in all arms, in the order in which arms name them."""
    names = dict.fromkeys(name for arm in arms for name in arm.settings)
    return [name for name in names if len({repr(arm.settings.get(name, "")) for arm in arms}) > 1]


def needs(experiment: Experiment) -> list[str]:
    """The options that fill its placeholders in, and whether captions can stand for videos."""
    values = [experiment.settings, *experiment.arms.values()]
    found = [
        match
        for settings in values
        for value in settings.values()
        for match in PLACEHOLDER.finditer(str(value))
        if match[1] != "out"
    ]
    names = dict.fromkeys(match[1] for match in found)
    several = {match[1] for match in found if match[2] or match[3]}
    options = [f"--{name}" + (" …" if name in several else "") for name in names]
    arms = [Arm(name, settings) for name, settings in experiment.arms.items()]
    is_about_frames = bool(SEEING.intersection(differing(arms)))
    return ["--videos" if is_about_frames else "--videos or --captions", *options]


def _without_seeing(experiment: Experiment, arms: Sequence[Arm]) -> list[Arm]:
    about_frames = [name for name in differing(arms) if name in SEEING]
    if about_frames:
        raise BenchmarkError(
            f"experiment {experiment.name} is about how frames are looked at "
            f"({', '.join(about_frames)}), which --captions leave no room for; give --videos"
        )
    return [
        replace(
            arm,
            settings={name: value for name, value in arm.settings.items() if name not in SEEING},
        )
        for arm in arms
    ]


def _each(arm: Arm, given: Given) -> Iterator[Arm]:
    """The arm once for each combination of what its plural placeholders stand for."""
    plurals = {
        match[1]: match[0]
        for value in arm.settings.values()
        for match in PLACEHOLDER.finditer(str(value))
        if match[2]
    }
    if not plurals or any(not given.get(name) for name in plurals):
        yield arm
        return
    for places in itertools.product(*(range(len(given[name])) for name in plurals)):
        chosen = dict(zip(plurals, places, strict=True))
        settings = {name: _single(value, chosen) for name, value in arm.settings.items()}
        label = "+".join(given[name][place] for name, place in chosen.items())
        yield Arm(re.sub(r"[^\w.+-]+", "-", label).strip("-."), settings)


def _single(value: Any, chosen: Mapping[str, int]) -> Any:
    """``$captioners`` as ``$captioner_2``, for one arm of several."""
    if not isinstance(value, str):
        return value
    return PLACEHOLDER.sub(
        lambda match: f"${match[1]}_{chosen[match[1]] + 1}" if match[2] else match[0], value
    )


def _changed(arms: Sequence[Arm], change: str, *, recorded: bool) -> list[Arm]:
    where, equals, text = change.partition("=")
    name, dot, setting = where.rpartition(".")
    if not (equals and dot and name and setting):
        raise BenchmarkError(f"--set {change}: expected ARM.SETTING=VALUE, or *.SETTING=VALUE")
    if name != EVERY_ARM and name not in {arm.name for arm in arms}:
        names = ", ".join(arm.name for arm in arms)
        raise BenchmarkError(f"--set {change}: there is no arm {name!r}; there are {names}")
    if recorded and setting in SEEING:
        raise BenchmarkError(
            f"--set {change}: {setting} is about videos, and --captions takes their place"
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise BenchmarkError(f"--set {change}: {text!r} is no value") from exc
    return [
        replace(arm, settings={**arm.settings, setting: value})
        if name in {EVERY_ARM, arm.name}
        else arm
        for arm in arms
    ]


def _check_names(experiment: Experiment, arms: Sequence[Arm]) -> None:
    fields = {
        name
        for name, field in Settings.model_fields.items()
        # What has a name of its own in the environment is a key or an address.
        if field.alias is None and name not in _RUNNERS_OWN
    }
    for arm in arms:
        unknown = [name for name in arm.settings if name not in fields]
        if unknown:
            raise BenchmarkError(
                f"experiment {experiment.name}, arm {arm.name}: there is no setting "
                f"{unknown[0]!r} to choose; there are {', '.join(sorted(fields))}"
            )
    # Also as names of folders, on disks that do not tell case.
    (name, count), *_ = Counter(arm.name.casefold() for arm in arms).most_common(1)
    if count > 1:
        raise BenchmarkError(
            f"experiment {experiment.name} would have {count} arms of the name {name}; name every "
            "model once"
        )


def _filled(
    arm: Arm, given: Given, *, used: set[tuple[str, int]], missing: dict[str, str]
) -> dict[str, Any]:
    def fill(match: re.Match[str]) -> str:
        name, number = match[1], int(match[3] or 1)
        values = given.get(name, ())
        if match[2] or not 1 <= number <= len(values):
            option = f"--{name}" if number == 1 else f"{number} times --{name}"
            missing.setdefault(option, f"{setting} of arm {arm.name}")
            return match[0]
        used.add((name, number - 1))
        return values[number - 1]

    filled = {}
    for setting, value in arm.settings.items():
        filled[setting] = PLACEHOLDER.sub(fill, value) if isinstance(value, str) else value
    return filled
