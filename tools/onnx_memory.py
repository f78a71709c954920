"""Memory that onnxruntime took, and that others need as well."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

M_MMAP_THRESHOLD = -3
"""Of ``malloc.h``."""

LARGE_BYTES = 1 << 20


def giving_back() -> onnxruntime.RunOptions:
    """Options of a run after which memory that was needed for it is given back.

    An arena keeps all that any input ever needed; text has as many widths as there are lines.
    """
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@cache
def give_back_large_blocks() -> None:
    """Let glibc return each large block to the machine; elsewhere, nothing is done.

    Once a block of some megabytes was freed, it would keep blocks of that size in a heap, in
    pieces: 90 MB, where frames are looked at and text is read at the same time.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
