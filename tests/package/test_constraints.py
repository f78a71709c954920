"""``constraints.txt`` pins what ``pyproject.toml`` asks for, and names versions only."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.package.source_imports import ROOT

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)")


def read_lines() -> list[str]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def read_pins() -> dict[str, str]:
    return dict(line.split("==") for line in read_lines())


def read_requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    return [Requirement(text) for texts in lists for text in texts]


def test_every_line_is_an_exact_version_of_one_package() -> None:
    # No hosts, no hashes: a private index or a mirror serves as well.
    assert [line for line in read_lines() if not PIN.fullmatch(line)] == []
    assert len(read_pins()) == len(read_lines())


def test_every_requirement_has_a_pin_that_it_allows() -> None:
    pins = read_pins()
    loose = [
        str(one)
        for one in read_requirements()
        if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"))
    ]
    assert loose == []
