"""What follows from a track's captions alone, whatever is asked, is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NoReturn, TypeVar, cast

from tools.timeline import Caption

Value = TypeVar("Value")


class KeptCaptions(list[Caption]):
    """Captions that a store keeps between questions, and what was worked out of them.

    Nobody can change them: who wants to sort or join them makes a list of their own.
    """

    __slots__ = ("worked_out",)

    def __init__(self, captions: Sequence[Caption]) -> None:
        super().__init__(captions)
        self.worked_out: dict[Hashable, Any] = {}

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("captions that a store keeps are not changed; make a list of them first")

    append = clear = extend = insert = pop = remove = reverse = sort = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse


def once(captions: Sequence[Caption], what: Hashable, work: Callable[[], Value]) -> Value:
    """What ``work`` returns, or returned for the same captions before.

    Args:
        captions: Of which it works something out, and of nothing else.
        what: Names the work, with all that it depends on beside the captions.
        work: Called where the captions are not kept, or were not asked for this yet. Nobody may
            change what it returns.
    """
    if not isinstance(captions, KeptCaptions):
        return work()
    if what not in captions.worked_out:
        captions.worked_out[what] = work()
    return cast("Value", captions.worked_out[what])
