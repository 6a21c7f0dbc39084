"""What a WAV file's chunks say, and how much of it can be believed.

Recorders write the header first and complete it last, if they get there: a size may be 0,
0xFFFFFFFF, or that of the header alone. Such a file goes on to its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

_KINDS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">"}
_NEVER_COMPLETED = 0x7FFF_0000  # placeholders of those who write to a pipe: no call is so long
_LONG = 0xFFFF_FFFF
_LETTERS = {1: "s", 3: "f"}  # PCM of whole numbers, of floating ones
_G726 = (0x14, 0x40, 0x45, 0x64)
_MOST_CHUNKS = 64
_NEAR = 1024  # more was counted by somebody; a jump there may cost a download
_NAME = frozenset(range(0x20, 0x7F))
_KNOWN = (b"fmt ", b"data", b"fact", b"LIST", b"bext")


class _Bytes(Protocol):
    def read(self, n: int) -> bytes: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...
    def tell(self) -> int: ...


class RawSamples(NamedTuple):
    """Samples without a header: FFmpeg's name for them, and what it has to be told."""

    kind: str
    rate: int
    channels: int


class Wav(NamedTuple):
    """Where the sound of a WAV file is."""

    data_at: int
    """The byte at which it begins."""
    data_bytes: int | None
    """How many bytes the header says that there are; None where that was never completed."""
    plain: bool
    """Whether it is PCM."""
    foreign: RawSamples | None = None
    """How to read its samples where FFmpeg takes them for the other byte order: RIFX."""
    header: bytes | None = None
    """What FFmpeg has to find before the sound, where the file's own header misleads it."""


class _Chunk(NamedTuple):
    name: bytes
    at: int
    """Where its body begins."""
    claimed: int
    """The bytes that it says it has."""
    padded: bool
    """Whether all chunks of an odd size before it were padded, as they should be."""


def read_wav(file: _Bytes, size: int | None) -> Wav | None:
    """The header of a file that is `size` bytes long; None where it is no WAV or has no sound."""
    head = _read(file, 0, 12)
    order = _KINDS.get(head[:4])
    if order is None or head[8:12] != b"WAVE":
        return None
    long_bytes, fmt = 0, bytes(16)
    for chunk in _chunks(file, order):
        if chunk.name == b"fmt ":
            fmt = _read(file, chunk.at, min(chunk.claimed, _NEAR)).ljust(16, b"\0")
        elif chunk.name == b"ds64":
            long_bytes = int.from_bytes(_read(file, chunk.at + 8, 8), "little")
        elif chunk.name == b"data":
            if chunk.claimed == _LONG and head[:4] in (b"RF64", b"BW64"):
                chunk = chunk._replace(claimed=long_bytes)
            counted = _completed(file, chunk.at, chunk.claimed, size)
            return _described(order, fmt, chunk, chunk.claimed if counted else None)
    return None


def _chunks(file: _Bytes, order: str) -> Iterator[_Chunk]:
    at, padded = 12, True
    for _ in range(_MOST_CHUNKS):
        head = _read(file, at, 8)
        if len(head) < 8:
            return
        name, claimed = struct.unpack(f"{order}4sI", head)
        yield _Chunk(name, at + 8, claimed, padded)
        at += 8 + claimed
        if claimed % 2:
            here = _read(file, at, 4) not in _KNOWN
            padded, at = padded and here, at + here


def _described(order: str, fmt: bytes, data: _Chunk, data_bytes: int | None) -> Wav:
    """What its description, the body of ``fmt ``, makes of its sound."""
    tag, channels, rate, _, _, bits = struct.unpack_from(f"{order}HHIIHH", fmt)
    foreign = None
    if order == ">" and bits > 8 and tag in _LETTERS:
        foreign = RawSamples(f"{_LETTERS[tag]}{bits}be", rate, channels)
    g726 = tag in _G726 and bits in range(2, 6)
    if g726:  # FFmpeg takes them from the bytes a second
        fmt = fmt[:8] + struct.pack(f"{order}I", rate * channels * bits // 8) + fmt[12:]
    misleads = g726 or not data.padded
    header = _header(order, fmt, min(data.claimed, _LONG)) if misleads else None
    return Wav(data.at, data_bytes, tag == 1, foreign, header)


def _header(order: str, fmt: bytes, data_bytes: int) -> bytes:
    riff = b"RIFX" if order == ">" else b"RIFF"
    head = struct.pack(f"{order}4sI4s4sI", riff, _LONG, b"WAVE", b"fmt ", len(fmt))
    return head + fmt + struct.pack(f"{order}4sI", b"data", data_bytes)


def _completed(file: _Bytes, at: int, claimed: int, size: int | None) -> bool:
    """Whether so many bytes of sound were counted: the file ends, or a chunk follows them."""
    end = at + claimed
    if claimed >= _NEVER_COMPLETED:
        return size is not None and size >= end
    if size is None:
        return claimed > _NEAR or _chunk_follows(file, end, _NEVER_COMPLETED)
    return size <= end + 1 or _chunk_follows(file, end, size)


def _chunk_follows(file: _Bytes, end: int, size: int) -> bool:
    """Whether it does, or nothing but a few bytes of padding."""
    end += end % 2
    chunk = _read(file, end, 8)
    if len(chunk) < 8:
        return True
    fits = any(int.from_bytes(chunk[4:], order) <= size - end - 7 for order in ("little", "big"))
    return fits and _NAME.issuperset(chunk[:4])


def _read(file: _Bytes, at: int, n: int) -> bytes:
    """Up to `n` bytes, fewer only at the end."""
    file.seek(at)
    data = b""
    while len(data) < n and (more := file.read(n - len(data))):
        data += more
    return data


class PatchedFile:
    """A file in which some bytes are others."""

    def __init__(self, file: _Bytes, at: int, what: bytes) -> None:
        self._file, self._first, self._what, self._at = file, at, what, 0

    def read(self, n: int) -> bytes:
        data = self._file.read(n)
        ahead = self._first - self._at
        if -len(self._what) < ahead < len(data):
            what = self._what[max(0, -ahead) :][: len(data) - max(0, ahead)]
            first = max(0, ahead)
            data = data[:first] + what + data[first + len(what) :]
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        told = self._file.seek(offset, whence)
        self._at = self._file.tell()
        return told

    def tell(self) -> int:
        return self._at


class FileSlice:
    """A file from one byte on, up to another."""

    def __init__(self, file: _Bytes, first: int, size: int | None) -> None:
        self._file, self._first, self._size, self._at = file, first, size, 0

    def read(self, n: int) -> bytes:
        left = n if self._size is None else min(n, self._size - self._at)
        self._file.seek(self._first + self._at)
        data = self._file.read(left) if left > 0 else b""
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 2 and self._size is None:
            return -1
        self._at = (0, self._at, self._size or 0)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at
