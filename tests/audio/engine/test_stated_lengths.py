"""How long headers say that a recording is: made-up headers, byte by byte."""

from __future__ import annotations

import struct

import pytest

from tui.audio.engine.stated_lengths import DATA_BYTES, LONGEST, W64_DATA, asf_seconds, mp3_seconds

FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def asf(play: float, ahead_ms: int, flags: int = 2, before: int = 30) -> bytes:
    body = bytes(64) + struct.pack("<QQQ", round(play * 1e7), 0, ahead_ms) + bytes([flags, 0, 0, 0])
    return bytes(before) + FILE + body[16:]


def test_a_windows_media_file_lasts_as_long_as_it_plays_without_what_is_buffered() -> None:
    assert asf_seconds(asf(12.5, 3000)) == pytest.approx(9.5)
    assert asf_seconds(asf(12.5, 3000, before=0)) == pytest.approx(9.5)
    assert asf_seconds(asf(12.5, 3000, flags=3)) is None, "as it was broadcast"
    assert asf_seconds(asf(3.0, 3000)) is None
    whole = asf(12.5, 3000)
    assert asf_seconds(whole[:-4]) is None
    assert asf_seconds(whole[:-4] + b"\2\0\0") is None
    assert asf_seconds(whole.replace(FILE, bytes(16))) is None


def xing(tag: bytes, frames: int, flags: int = 1, at: int = 36) -> bytes:
    return bytes(at) + tag + struct.pack(">II", flags, frames)


@pytest.mark.parametrize("tag", [b"Xing", b"Info"])
def test_an_mp3_is_as_long_as_its_counted_frames(tag: bytes) -> None:
    assert mp3_seconds(xing(tag, 100), 0.024) == pytest.approx(2.4)
    assert mp3_seconds(xing(tag, 100, at=0), 0.024) == pytest.approx(2.4)
    assert mp3_seconds(xing(tag, 100, flags=15), 0.024) == pytest.approx(2.4)
    assert mp3_seconds(xing(tag, 100, flags=2), 0.024) is None, "it has no count"
    assert mp3_seconds(xing(tag, 0), 0.024) is None
    assert mp3_seconds(xing(tag, 100)[:-1], 0.024) is None
    assert mp3_seconds(xing(tag, 100, at=3000), 0.024) is None, "not in the first frame"
    assert mp3_seconds(bytes(100), 0.024) is None


def test_vbri_has_its_count_elsewhere() -> None:
    assert mp3_seconds(bytes(36) + b"VBRI" + bytes(10) + struct.pack(">I", 50), 0.1) == 5.0
    assert mp3_seconds(bytes(36) + b"VBRI" + bytes(14), 0.1) is None


@pytest.mark.parametrize(
    ("size", "found"),
    [(24, None), (25, 1), (1024, 1000), (0, None), (LONGEST - 1, LONGEST - 25), (LONGEST, None)],
)
def test_w64_counts_its_header_too(size: int, found: int | None) -> None:
    assert DATA_BYTES["w64"](bytes(40) + W64_DATA + struct.pack("<Q", size)) == found
    assert DATA_BYTES["w64"](W64_DATA + struct.pack("<Q", size)) == found


def test_w64_without_sound_states_nothing() -> None:
    assert DATA_BYTES["w64"](bytes(100)) is None


def caf(size: int, *before: bytes) -> bytes:
    return b"caff\0\1\0\0" + b"".join(before) + b"data" + struct.pack(">q", size)


def test_caf_states_its_sound_behind_other_chunks() -> None:
    desc = b"desc" + struct.pack(">q", 32) + bytes(32)
    empty = b"free" + struct.pack(">q", -1)
    assert DATA_BYTES["caf"](caf(1004)) == 1000
    assert DATA_BYTES["caf"](caf(1004, desc, empty)) == 1000
    assert DATA_BYTES["caf"](caf(5)) == 1
    assert DATA_BYTES["caf"](caf(4)) is None
    assert DATA_BYTES["caf"](caf(-1)) is None
    assert DATA_BYTES["caf"](caf(1004)[:-1]) is None


@pytest.mark.parametrize(
    ("size", "found"),
    [(0, None), (1, 1), (8000, 8000), (0xFFFF_FFFE, 0xFFFF_FFFE), (0xFFFF_FFFF, None)],
)
def test_au_states_its_size_or_that_it_is_unknown(size: int, found: int | None) -> None:
    assert DATA_BYTES["au"](b".snd" + struct.pack(">II", 24, size)) == found
