"""What was read from the store, kept in this process while it is certain to be the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values used last, up to a total size; all are dropped when the store has changed.

    For one thread at a time.

    Args:
        limit: Most that is kept, in the unit of ``size``; a single value that is larger is not.
        size: How large a value is.
    """

    def __init__(self, limit: int, *, size: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size = size
        self._generation: Hashable = None
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._total = 0

    def get(self, key: Hashable, read: Callable[[], Value], *, generation: Hashable) -> Value:
        """The value of a key: as it was kept, or else as it is read now.

        Args:
            key: What it is.
            read: Reads it.
            generation: Another number whenever what is stored may have changed; None where that
                cannot be known, so that nothing can be kept.
        """
        if generation is None:
            return read()
        if generation != self._generation:
            self._values.clear()
            self._total, self._generation = 0, generation
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = read()
        if self._size(value) <= self._limit:
            self._values[key] = value
            self._total += self._size(value)
            while self._total > self._limit:
                _, oldest = self._values.popitem(last=False)
                self._total -= self._size(oldest)
        return value
