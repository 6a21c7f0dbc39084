"""Sizes that nobody came back to write: which bytes are read as others."""

from __future__ import annotations

import struct

import pytest

from tui.audio.engine.stated_lengths import LONGEST, W64_DATA
from tui.audio.engine.unfinished_files import PATCHES

MOST = struct.pack(">I", 0x7FFF_FFF0)


@pytest.mark.parametrize(
    ("size", "patched"), [(0, True), (24, True), (25, False), (LONGEST - 1, False), (LONGEST, True)]
)
def test_w64(size: int, patched: bool) -> None:
    head = bytes(40) + W64_DATA + struct.pack("<Q", size)
    assert PATCHES["w64"](head) == ([(56, LONGEST.to_bytes(8, "little"))] if patched else [])
    assert PATCHES["w64"](bytes(100)) == []


def aiff(sound: int, form: int = 1000, *, comm: bytes = bytes(18)) -> bytes:
    common = b"COMM" + struct.pack(">I", len(comm)) + comm + bytes(len(comm) % 2)
    head = b"FORM" + struct.pack(">I", form) + b"AIFF" + common
    return head + b"SSND" + struct.pack(">I", sound) + bytes(8)


@pytest.mark.parametrize(
    ("sound", "form", "patched"),
    [
        (1000, 1000, False),
        (9, 1000, False),
        (8, 1000, True),
        (0, 1000, True),
        (0x7FFF_FFEF, 1000, False),
        (0x7FFF_FFF0, 1000, True),
        (1000, 0, True),
    ],
)
def test_aiff(sound: int, form: int, patched: bool) -> None:
    assert PATCHES["aiff"](aiff(sound, form)) == ([(4, MOST), (42, MOST)] if patched else [])
    odd = PATCHES["aiff"](aiff(sound, form, comm=bytes(19)))
    assert odd == ([(4, MOST), (44, MOST)] if patched else [])


def test_aiff_without_sound_is_left_as_it_is() -> None:
    assert PATCHES["aiff"](aiff(0)[:38]) == []


@pytest.mark.parametrize(
    ("sizes", "patched"),
    [
        ((1, 2, 3), False),
        ((LONGEST - 1,) * 3, False),
        ((LONGEST, 2, 3), True),
        ((1, LONGEST, 3), True),
        ((1, 2, LONGEST), True),
    ],
)
def test_rf64(sizes: tuple[int, ...], patched: bool) -> None:
    head = b"RF64" + bytes(4) + b"WAVE" + b"ds64" + struct.pack("<I3Q", 28, *sizes)
    assert PATCHES["wav"](head) == ([(20, bytes(24))] if patched else [])
    assert PATCHES["wav"](head[:-1]) == []
    assert PATCHES["wav"](b"RIFF" + head[4:12] + b"fmt " + head[16:]) == []
