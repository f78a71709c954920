"""Faults of ours, for the person at the terminal; who asked is only told that there was one."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def tell_fault(complain: Callable[[str], None]) -> None:
    """Tell the traceback of the error that is being handled, line by line."""
    for line in traceback.format_exc().splitlines():
        complain(line)
