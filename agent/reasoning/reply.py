"""The JSON object in a text model's reply, which may stand in prose and code fences. Pure."""

import json
from typing import Any, NoReturn


def last_object(reply: str, field: str) -> dict[str, Any] | None:
    """The last JSON object that has the field, else the first object of all; None without any.

    The last: models think first, quoting what they were shown, and answer last.
    """
    decoder = json.JSONDecoder(parse_constant=_reject_constant)
    found: dict[str, Any] | None = None
    at = reply.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(reply, at)
        except RecursionError:
            break  # Nested a thousand deep: no answer comes after that.
        except ValueError:
            end = at + 1
        else:
            if found is None or field in value:
                found = value
        at = reply.find("{", end)
    return found


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
