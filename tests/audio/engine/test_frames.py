"""What the headers of single frames tell: MP3 of one bit rate, AAC, and files one behind the other."""

from __future__ import annotations

import io
from fractions import Fraction

import pytest

from tui.audio.engine.adts import frame_seconds
from tui.audio.engine.chained_files import is_chained
from tui.audio.engine.mp3 import ConstantBitRate, constant_bit_rate

FRAMES = ConstantBitRate(1000, Fraction(417, 2), Fraction(1, 40))  # 208 or 209 bytes, 25 ms


def test_a_constant_bit_rate_is_promised_by_the_first_frame() -> None:
    made = constant_bit_rate(b"\xff\xfb", 77, 64_000, 44_100, 1152)
    assert made == ConstantBitRate(77, Fraction(1152 * 64_000, 8 * 44_100), Fraction(1152, 44_100))
    assert constant_bit_rate(b"\xff\xfb Xing", 77, 64_000, 44_100, 1152) is None
    assert constant_bit_rate(b"\xff\xfb VBRI", 77, 64_000, 44_100, 1152) is None
    assert constant_bit_rate(b"\xff\xfb Info", 77, 64_000, 44_100, 1152) is not None
    for unknown in ((0, 44_100, 1152), (64_000, 0, 1152), (64_000, 44_100, 0)):
        assert constant_bit_rate(b"\xff\xfb", 77, *unknown) is None


def test_a_second_has_its_place_and_a_place_its_second() -> None:
    assert [FRAMES.place(second) for second in (0.0, 0.024, 0.025, 0.05)] == [
        1000, 1000, 1208, 1417,
    ]  # fmt: skip
    for number in range(100):
        at = FRAMES.place((number + 0.5) / 40)
        assert FRAMES.second(at, 208) == FRAMES.second(at, 209) == pytest.approx(number / 40)


@pytest.mark.parametrize(
    ("pos", "size", "second"),
    [
        (1000, 208, 0.0),
        (1001, 208, 0.0),
        (999, 208, 0.0),
        (1002, 208, None),
        (1208, 207, None),
        (1208, 210, None),
        (1300, 208, None),
    ],
)
def test_a_frame_elsewhere_or_of_another_size_is_none_of_them(
    pos: int, size: int, second: float | None
) -> None:
    assert FRAMES.second(pos, size) == second


def adts(rate: int = 4, blocks: int = 0, mark: bytes = b"\xff\xf1") -> bytes:
    return mark + bytes([rate << 2, 0, 0, 0, 0xFC | blocks])


def test_an_aac_frame_lasts_as_long_as_its_blocks() -> None:
    assert frame_seconds(adts()) == Fraction(1024, 44_100)
    assert frame_seconds(adts(rate=12)) == Fraction(1024, 7350)
    assert frame_seconds(adts(rate=0, blocks=3)) == Fraction(4 * 1024, 96_000)
    assert frame_seconds(adts(mark=b"\xff\xf9")) == Fraction(1024, 44_100), "of MPEG-2"
    assert frame_seconds(adts() + bytes(100)) == Fraction(1024, 44_100)


@pytest.mark.parametrize(
    "frame",
    [adts()[:6], adts(rate=13), adts(rate=15), adts(mark=b"\xfe\xf1"), adts(mark=b"\xff\xe1"),
     adts(mark=b"\xff\xf3"), b""],
)  # fmt: skip
def test_what_is_no_aac_frame_lasts_no_time(frame: bytes) -> None:
    assert frame_seconds(frame) == 0


OGG, OGG_MORE = b"OggS\0\2", b"OggS\0\0"
FLAC, FLAC_MORE = b'fLaC\0\0\0"', b"\xff\xf8"


@pytest.mark.parametrize("far", [10, (1 << 16) - 8, (1 << 16) - 3, 1 << 17])
@pytest.mark.parametrize(
    ("kind", "begins", "more"), [("ogg", OGG, OGG_MORE), ("flac", FLAC, FLAC_MORE)]
)
def test_a_second_file_of_its_kind_is_found_wherever_it_begins(
    kind: str, begins: bytes, more: bytes, far: int
) -> None:
    one = begins + bytes(20) + more + bytes(far)
    assert not is_chained(io.BytesIO(one), kind)
    assert is_chained(io.BytesIO(one + one), kind)
    file = io.BytesIO(one + one)
    file.seek(7)
    is_chained(file, kind)
    assert file.tell() == 7


def test_streams_that_begin_together_are_one_file() -> None:
    assert not is_chained(io.BytesIO(OGG + bytes(9) + OGG + bytes(9) + OGG_MORE + bytes(9)), "ogg")


def test_other_kinds_are_never_chained() -> None:
    assert not is_chained(io.BytesIO(2 * (OGG + OGG_MORE)), "mp3")
