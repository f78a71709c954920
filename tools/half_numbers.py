"""Vectors of numbers of 16 bits, as stores keep them, read as 32 bits.

Numpy turns one number after the other, and multiplies halves without BLAS: an hour of frames would
take as long as all the rest of a question. Here their bits are moved, of many at a time; the
numbers are the same to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Singles = NDArray[np.float32]

ROWS = 256
"""Rows that are turned at a time: they stay in the processor's cache until they are used."""

_MOVED = 13
"""Bits that a half's sign and numbers are moved by."""

_KEPT = np.uint32(0x8FFF_E000).view(np.int32)
"""What of the moved bits is its own; the sign was copied over three more."""

_EXPONENT = np.float32(2.0**112)
"""What the exponents of the two differ by."""


def widened(vectors: NDArray[np.floating[Any]]) -> Singles:
    """The same as numbers of 32 bits; as they are where they are that."""
    if vectors.dtype != np.float16:
        return np.asarray(vectors, np.float32)
    wide: Singles = np.empty(vectors.shape, np.float32)
    for first in range(0, len(vectors), ROWS):
        _widen(vectors[first : first + ROWS], wide[first : first + ROWS])
    return wide


def products(vectors: NDArray[np.floating[Any]], vector: NDArray[np.floating[Any]]) -> Singles:
    """The product of each row, shape ``(n, d)``, with a vector, shape ``(d,)``."""
    other = vector.astype(np.float32 if vectors.dtype == np.float16 else vectors.dtype)
    return _by_rows(vectors, lambda rows: rows @ other)


def lengths(vectors: NDArray[np.floating[Any]]) -> Singles:
    """The length of each row, shape ``(n,)``."""
    return _by_rows(vectors, lambda rows: np.sqrt(np.einsum("ij,ij->i", rows, rows)))


def _by_rows(vectors: NDArray[np.floating[Any]], work: Callable[[Any], Any]) -> Singles:
    done: Singles
    if vectors.dtype != np.float16:
        done = work(vectors)
        return done
    done = np.empty(len(vectors), np.float32)
    room = np.empty((min(ROWS, len(vectors)), *vectors.shape[1:]), np.float32)
    for first in range(0, len(vectors), ROWS):
        some = vectors[first : first + ROWS]
        done[first : first + ROWS] = work(_widen(some, room[: len(some)]))
    return done


def _widen(halves: NDArray[np.floating[Any]], room: Singles) -> Singles:
    """Write some rows into a room of their shape; what is infinite or no number is not expected."""
    bits = room.view(np.int32)
    np.copyto(bits, halves.view(np.int16))
    np.left_shift(bits, _MOVED, out=bits)
    np.bitwise_and(bits, _KEPT, out=bits)
    return np.multiply(room, _EXPONENT, out=room)
