"""Bodies that come compressed although nobody asked for it."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator

from providers.errors import RecordingError

ZIPPED = frozenset({"gzip", "x-gzip", "deflate"})
FOREIGN = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
"""Codings that cannot be undone here. Other words (``binary``, ``utf-8``) are no codings at all."""
PIECE = 1 << 16
"""So many bytes at most come out at a time, however much stands in a small body."""
_EITHER = 47  # gzip or zlib, as its first bytes say


async def gunzip(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """What is inside; a body that is neither gzip nor zlib whatever its header says, as it is.

    Raises `RecordingError`: `damaged`, or `unreachable` when it was cut off.
    """
    head = b""
    while len(head) < 2 and (chunk := await anext(chunks, b"")):
        head += chunk
    if not _is_zipped(head):
        yield head
        async for chunk in chunks:
            yield chunk
        return
    unzip = zlib.decompressobj(_EITHER)
    while head:
        while head and not unzip.eof:
            try:
                piece = unzip.decompress(head, PIECE)
            except zlib.error:
                raise RecordingError("damaged", "its gzip is broken") from None
            head = unzip.unconsumed_tail
            if piece:
                yield piece
        if unzip.eof and _is_zipped(unzip.unused_data):  # several, one behind the other
            head, unzip = unzip.unused_data, zlib.decompressobj(_EITHER)
        else:
            head = await anext(chunks, b"")
    if not unzip.eof:
        raise RecordingError("unreachable", "the connection failed")


def _is_zipped(head: bytes) -> bool:
    gzip = head[:2] == b"\x1f\x8b"
    return gzip or (len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2]) % 31 == 0)
