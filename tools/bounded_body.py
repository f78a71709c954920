"""The body of an HTTP answer, unpacked, and read no further than any answer goes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class TooLargeError(Exception):
    """There is more than may be read; the message has the bound."""


class UnknownPackingError(Exception):
    """It is compressed in a way that nobody asked for; the message names it."""


async def read_body(answer: httpx.Response, most_bytes: int) -> bytes:
    """Read a streamed answer to its end, whether it is compressed or not.

    Raises:
        TooLargeError: If it has more than ``most_bytes``, unpacked.
        UnknownPackingError: If it cannot be unpacked.
        zlib.error: If it is not what its header says.
    """
    unpack = _unpacker(answer.headers.get("content-encoding", ""))
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += unpack(chunk, most_bytes + 1 - len(body))
        if len(body) > most_bytes:
            raise TooLargeError(f"more than {most_bytes:,} bytes")
    return bytes(body)


class _Unpacker:
    def __init__(self, window_bits: int) -> None:
        self._inflate = zlib.decompressobj(window_bits)

    def __call__(self, chunk: bytes, room: int) -> bytes:
        return self._inflate.decompress(chunk, room)


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """Decompresses up to a limit of bytes: some servers compress unasked."""
    packed = encoding.strip().lower()
    if packed in {"", "identity"}:
        return lambda chunk, room: chunk[:room]
    if packed in {"gzip", "x-gzip", "deflate"}:
        return _Unpacker(zlib.MAX_WBITS | 32)
    raise UnknownPackingError(f"it is compressed as {packed[:20]!r}, which nobody asked for")
