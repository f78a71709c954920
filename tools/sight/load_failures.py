"""Why onnxruntime cannot load a model, and what to do about it, in a line."""

from __future__ import annotations

import re
from pathlib import Path

MOST_CHARS = 200
"""Of onnxruntime's own words."""

_TOO_NEW = re.compile(
    r"Unsupported model IR version: \d+|Opset \d+ is under development|No Op registered for \S+|"
    r"\S+ is not a registered function/op|No opset import for domain \S+"
)
_WEIGHTS_ELSEWHERE = re.compile(r"external ?(?:data|initializer)", re.IGNORECASE)
_WHERE_IN_ITS_SOURCE = re.compile(r"/onnxruntime_src/\S+(?: [\w:&<>]+ onnxruntime::.*?\))?\s*")


def load_failure(file: Path, error: BaseException) -> str:
    """What to say of a file that cannot be loaded.

    Args:
        file: The model, which is there.
        error: From onnxruntime, whose errors share no type.
    """
    said = short_line(error)
    try:
        with file.open("rb"):
            pass
    except OSError as exc:
        return f"{file} cannot be read ({exc.strerror}); check who may read it"
    if _WEIGHTS_ELSEWHERE.search(str(error)):
        return (
            f"{file} keeps its weights in another file beside it, usually {file.name}_data, which "
            "is missing, cut off, or not where it says: fetch that too"
        )
    if too_new := _TOO_NEW.search(str(error)):
        return (
            f"{file} needs more than this onnxruntime knows ({too_new[0]}); upgrade onnxruntime, "
            "or fetch an older export"
        )
    return (
        f"{file} cannot be loaded ({said}); it is damaged, or not fetched in full: fetch it again"
    )


def short_line(error: BaseException) -> str:
    """The first line of an error, without where in onnxruntime's source it was raised."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return _WHERE_IN_ITS_SOURCE.sub("", line.rpartition(" failed:")[2]).strip()[:MOST_CHARS]
