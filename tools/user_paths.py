"""Paths as people write them, with ``~`` in front."""

import os
from pathlib import Path


def expand_user(path: str | Path) -> Path:
    """The path with ``~`` or ``~name`` filled in; as it is where there is no such user or home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # the other one raises where there is none
