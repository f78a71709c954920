"""What was read from the store, kept in this process while it is certain to be the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values used last, up to a total size; all are dropped when the store has changed.

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
        self._looking = threading.Lock()

    def found(self, key: Hashable, *, generation: Hashable) -> Value | None:
        """The value of a key as it was kept; None where it is not, or may have changed.

        Args:
            key: What it is.
            generation: Another number whenever what is stored may have changed; None where that
                cannot be known, so that nothing can be kept.
        """
        with self._looking:
            if generation is None or generation != self._generation or key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def get(self, key: Hashable, read: Callable[[], Value], *, generation: Hashable) -> Value:
        """The value of a key: as it was kept, or else as it is read now.

        Args:
            key: What it is.
            read: Reads it.
            generation: As of ``found``; what is read now belongs to it.
        """
        if (kept := self.found(key, generation=generation)) is not None:
            return kept
        value = read()
        if generation is not None:
            self._keep(key, value, generation)
        return value

    def _keep(self, key: Hashable, value: Value, generation: Hashable) -> None:
        size = self._size(value)
        with self._looking:
            if generation != self._generation:
                self._values.clear()
                self._total, self._generation = 0, generation
            if size > self._limit or key in self._values:
                return
            self._values[key] = value
            self._total += size
            while self._total > self._limit:
                _, oldest = self._values.popitem(last=False)
                self._total -= self._size(oldest)
