"""Answers and messages in the name that people know a video by, not in the path it lies at here.

What was uploaded or fetched lies under a name that means nothing to who asks, and whose place on
the server is none of their business.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from agent.errors import WhenaboutsError
from tools.text import for_a_shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from agent.web.library import ServedVideo

Shown = TypeVar("Shown", bound="BaseModel")


def shown(model: Shown, video: ServedVideo) -> Shown:
    """The same with the video's name wherever its path stands."""
    if video.path.name == video.name:
        return model
    plain = model.model_dump(mode="json", by_alias=True)
    return type(model).model_validate(in_its_name(plain, video))


def in_its_name(plain: Any, video: ServedVideo) -> Any:
    """Plain values, the same way; a file of a served folder keeps its path."""
    if video.path.name == video.name:
        return plain
    if isinstance(plain, dict):
        return {
            key: _typed(one, video) if key == "advice" else in_its_name(one, video)
            for key, one in plain.items()
        }
    if isinstance(plain, list | tuple):
        return [in_its_name(one, video) for one in plain]
    if isinstance(plain, str):
        return plain.replace(str(video.path), video.name).replace(video.path.name, video.name)
    return plain


@contextmanager
def faults_in_its_name(video: ServedVideo) -> Iterator[None]:
    """What is raised within speaks of the video by its name."""
    try:
        yield
    except WhenaboutsError as exc:
        exc.args = tuple(in_its_name(list(exc.args), video))
        raise


def _typed(advice: Any, video: ServedVideo) -> Any:
    """Advice holds commands to be typed, so the name stands in them as a shell takes it."""
    quoted = str(advice).replace(for_a_shell(str(video.path)), for_a_shell(video.name))
    return in_its_name(quoted, video)
