"""Sizes that a recorder did not come back to write, where FFmpeg then refuses the file.

Such a file goes on to its end; it is read as if its header said so.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from tui.audio.engine.stated_lengths import LONGEST, W64_DATA

Patch = tuple[int, bytes]
"""A byte of the file, and what is to be found from there on."""
_MOST = 0x7FFF_FFF0


def _w64(head: bytes) -> list[Patch]:
    at = head.find(W64_DATA) + 16
    if at < 16 or 24 < int.from_bytes(head[at : at + 8], "little") < LONGEST:
        return []
    return [(at, LONGEST.to_bytes(8, "little"))]


def _aiff(head: bytes) -> list[Patch]:
    at = 12
    while (size := head[at + 4 : at + 8]) and head[at : at + 4] != b"SSND":
        at += 8 + int.from_bytes(size)
        at += at % 2
    if not size or (8 < int.from_bytes(size) < _MOST and head[4:8] != bytes(4)):
        return []
    return [(4, struct.pack(">I", _MOST)), (at + 4, struct.pack(">I", _MOST))]


def _rf64(head: bytes) -> list[Patch]:
    at = head.find(b"ds64", 12, 16)
    sizes = struct.unpack_from("<3Q", head, at + 8) if 0 < at <= len(head) - 32 else ()
    return [(at + 8, bytes(24))] if max(sizes, default=0) >= LONGEST else []


PATCHES: Mapping[str, Callable[[bytes], list[Patch]]] = {"w64": _w64, "aiff": _aiff, "wav": _rf64}
"""By FFmpeg's name of the container, from a file's first bytes."""
