"""Numbers as models write them, and times that they write where a caption's number is wanted. Pure.

``19.0`` is no number of a caption, though it may look like one: captions are shown with times of
this form, and a model that copies one means the caption at 19 s and not #19.
"""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tools.timeline import Interval

_WRITTEN_NUMBER: Final = re.compile(
    r"\s*(?:captions?\s*)?#?\s*(\d{1,9})\s*(?:\[[^\[\]]{0,40}\]\s*)?", re.IGNORECASE
)
_WRITTEN_TIME: Final = re.compile(
    r"\s*\[?\s*(?:(?P<minutes>\d{1,3}):(?P<seconds>\d{2}(?:\.\d{1,6})?)|(?P<plain>\d{1,6}\.\d{1,6})|"
    r"(?P<told>\d{1,6}(?:\.\d{1,6})?)\s*s(?:ec(?:ond)?s?)?\b)",
    re.IGNORECASE,
)


def _as_number(value: Any) -> Any:
    """``"#4"`` and ``"caption 4"`` mean a caption as 4 does."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and (written := _WRITTEN_NUMBER.fullmatch(value)):
        return int(written[1])
    return value


def _as_caption(value: Any) -> Any:
    number = _as_number(value)
    if isinstance(number, float | str) and time_said(number) is not None:
        raise PydanticCustomError("time_for_number", "this is a time, not a caption's number")
    return number


def _as_count(value: Any) -> Any:
    """Of what has no times beside it, 4.0 means 4."""
    number = _as_number(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


CaptionNumber = Annotated[int, BeforeValidator(_as_caption), Field(strict=True, ge=0)]
Number = Annotated[int, BeforeValidator(_as_count), Field(strict=True, ge=0)]


def time_said(value: Any) -> float | None:
    """The seconds that a value means if it is a time: ``19.0``, ``"0:19"``, ``"19 s"``."""
    if isinstance(value, float):
        return value if math.isfinite(value) and value >= 0 else None
    said = _WRITTEN_TIME.match(value) if isinstance(value, str) else None
    if not said:
        return None
    if said["minutes"]:
        return 60.0 * float(said["minutes"]) + float(said["seconds"])
    return float(said["plain"] or said["told"])


def number_told(value: Any, shown: Sequence[Interval], *, is_last: bool) -> str:
    """Which caption lies at the time that was said in place of its number; empty where none does.

    Args:
        value: What was said.
        shown: The spans of the captions, by number.
        is_last: Whether the caption that ends at this time is meant, and not the one that begins.
    """
    time_s = time_said(value)
    if time_s is None:
        return ""
    numbers = [
        number
        for number, span in enumerate(shown, start=1)
        if (span.start_s < time_s if is_last else span.start_s <= time_s)
        and (time_s <= span.end_s if is_last else time_s < span.end_s)
    ]
    return f" (at {time_s:g} s is #{numbers[-1 if is_last else 0]})" if numbers else ""
