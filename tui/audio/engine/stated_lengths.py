"""What the headers promise of which FFmpeg keeps silent once less than that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tui.audio.engine.mp3 import counted_frames

_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_UNKNOWN = 0xFFFF_FFFF
LONGEST = 1 << 62
"""Bytes beyond which a size was never completed."""


def asf_seconds(head: bytes) -> float | None:
    """Of a Windows Media file: its play time, without what is buffered before."""
    at = head.find(_ASF_FILE)
    if at < 0 or len(head) < at + 92 or head[at + 88] & 1:  # as it was broadcast
        return None
    play, ahead = (int.from_bytes(head[at + i : at + i + 8], "little") for i in (64, 80))
    return play / 1e7 - ahead / 1e3 or None


def mp3_seconds(head: bytes, frame_s: float) -> float | None:
    """Of an MP3 whose frames were counted when it was written."""
    frames = counted_frames(head)
    return frames * frame_s if frames else None


def _w64(head: bytes) -> int | None:
    at = head.find(W64_DATA)
    size = int.from_bytes(head[at + 16 : at + 24], "little") if at >= 0 else 0
    return size - 24 if 24 < size < LONGEST else None


def _caf(head: bytes) -> int | None:
    at = 8
    while len(head) >= at + 12:
        size = int.from_bytes(head[at + 4 : at + 12], "big", signed=True)
        if head[at : at + 4] == b"data":
            return size - 4 if size > 4 else None
        at += 12 + max(0, size)
    return None


def _au(head: bytes) -> int | None:
    size = int.from_bytes(head[8:12], "big")
    return size if 0 < size < _UNKNOWN else None


DATA_BYTES: Mapping[str, Callable[[bytes], int | None]] = {"w64": _w64, "caf": _caf, "au": _au}
"""By FFmpeg's name of the container: bytes of sound, where whoever wrote it has counted them."""
