"""Ogg and FLAC files one behind the other: the second has a clock of its own, from 0 on."""

from __future__ import annotations

from typing import Protocol

_BEGINS = {"ogg": b"OggS\0\2", "flac": b'fLaC\0\0\0"'}
_GOES_ON = {"ogg": b"OggS\0\0", "flac": b"\xff"}
_AT_ONCE = 1 << 16


class _Bytes(Protocol):
    def read(self, n: int) -> bytes: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...
    def tell(self) -> int: ...


def is_chained(file: _Bytes, kind: str) -> bool:
    """Whether another file of this kind begins behind the first. Reads all of it."""
    if kind not in _BEGINS:
        return False
    before = file.tell()
    try:
        return _begins_again(file, _BEGINS[kind], _GOES_ON[kind])
    finally:
        file.seek(before)


def _begins_again(file: _Bytes, begins: bytes, goes_on: bytes) -> bool:
    file.seek(0)
    wanted, tail = goes_on, b""
    while data := file.read(_AT_ONCE):
        data = tail + data
        if wanted is goes_on:
            at = data.find(goes_on)
            if at < 0:
                tail = data[-len(goes_on) :]
                continue
            wanted, data = begins, data[at:]
        if begins in data:
            return True
        tail = data[-len(begins) :]
    return False
