"""Which cases of a sentence are tried before every commit, and which only with all tests."""

from collections.abc import Sequence
from typing import Any

import pytest


def first_fast(*cases: Any, fast: int = 1) -> Sequence[Any]:
    """Cases for ``parametrize``: all but the first are slow. A tuple holds several arguments."""
    return [*cases[:fast], *(_slow(case) for case in cases[fast:])]


def _slow(case: Any) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.slow)
