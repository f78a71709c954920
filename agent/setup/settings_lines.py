"""Sets variables in a settings file; all that is not theirs stays as it is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import SettingsError
from agent.settings import load_settings
from tools.private_files import FILE, make_private_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_settings(file: Path, values: Mapping[str, str]) -> None:
    """Set these variables where the file sets them, or else at its end.

    The file is what it was if anything goes wrong.

    Raises:
        SettingsError: If it cannot be written, or something else would win over what it says then.
    """
    unfinished = unfinished_of(file)
    try:
        make_private_folder(unfinished.parent)
        unfinished.touch(mode=FILE)
        unfinished.write_text(_changed(file, values), encoding="utf-8")
        _check(file, unfinished, values)
        unfinished.replace(file.resolve())
    except (OSError, UnicodeDecodeError) as exc:
        raise _unwritable(file, values, exc) from exc
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def check_writable(file: Path, values: Mapping[str, str]) -> None:
    """See before anything is fetched that the file can be written.

    Raises:
        SettingsError: If it cannot be.
    """
    unfinished = unfinished_of(file)
    try:
        _changed(file, values)
        make_private_folder(unfinished.parent)
        unfinished.touch()
        unfinished.unlink()
    except (OSError, UnicodeDecodeError) as exc:
        raise _unwritable(file, values, exc) from exc


def unfinished_of(file: Path) -> Path:
    """Where the file is written first; beside the file itself, where it is a link to one."""
    place = file.resolve()
    return place.with_name(f"{place.name}.{os.getpid()}.new")


def _changed(file: Path, values: Mapping[str, str]) -> str:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    left = dict(values)
    said = []
    for line in lines:
        name = _name(line)
        if name not in values:
            said.append(line)
        elif name in left:
            said.append(f"{name}={left.pop(name)}")
    return "\n".join([*said, *(f"{name}={value}" for name, value in left.items())]) + "\n"


def _name(line: str) -> str:
    """The variable that a line sets, in upper case as it is meant in any; a comment sets none."""
    return line.partition("=")[0].strip().removeprefix("export ").strip().upper()


def _check(file: Path, unfinished: Path, values: Mapping[str, str]) -> None:
    try:
        settings = load_settings(unfinished)
    except SettingsError as exc:
        said = str(exc).replace(str(unfinished), str(file))
        raise SettingsError(f"{said}; {file} stays as it was") from None
    for name, value in values.items():
        used = getattr(settings, name.lower().removeprefix("whenabouts_"))
        if str(used) != value:
            raise SettingsError(
                f"{name}={value} would not count: the environment, or {file} by another name, sets "
                "it to something else; take that away, and run this again"
            )


def _unwritable(file: Path, values: Mapping[str, str], error: Exception) -> SettingsError:
    said = ", ".join(f"{name}={value}" for name, value in values.items())
    return SettingsError(
        f"the settings file {file} cannot be written ({error}); set these yourself: {said}"
    )
