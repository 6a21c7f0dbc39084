"""Damaged files of every audio format, as many as are wanted: the n-th is always the same."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from functools import cache

from tests.audio import faulty_headers, sounds

_SECONDS = 2.0
_HEADER = 300
_EXTREMES = (0, 1, 2, 7, 8, 9, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF)
_MORE = (0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE, 1 << 62, (1 << 64) - 1)
_MARKS = (
    *(b"fmt ", b"data", b"ds64", b"fact", b"RIFF", b"RIFX", b"data\xf3", b".snd"),
    *(b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"mdhd", b"hdlr", b"stsd", b"mp4a", b"esds"),
    *(b"stts", b"stsz", b"stsc", b"stco", b"elst", b"edts", b"mdat", b"udta"),
    *(b"FORM", b"COMM", b"SSND", b"caff", b"desc", b"pakt", b"kuki", b"alac"),
    *(b"ID3", b"Xing", b"Info", b"LAME", b"TAG", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1"),
    *(b"OggS", b"OpusHead", b"OpusTags", b"\x01vorbis", b"\x05vorbis", b"fLaC", b"#!AMR"),
    *(b"\x1a\x45\xdf\xa3", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75"),
    *(b"\x30\x26\xb2\x75", b"\xa1\xdc\xab\x8c", b"\x91\x07\xdc\xb7", b"\x40\x9e\x69\xf8"),
)
"""Behind these a header tells sizes, rates, channels and durations."""


def _vorbis() -> bytes:
    tone = sounds.tone(_SECONDS, 44_100, 2)
    experimental = {"strict": "-2"}  # as FFmpeg calls its own encoder
    return sounds.encode(tone, 44_100, 2, "ogg", "vorbis", codec_options=experimental)


@cache
def whole(name: str) -> bytes:
    """An undamaged file."""
    if name in faulty_headers.FORMATS:
        return faulty_headers.good(name)
    return {"amr": lambda: faulty_headers.amr(8), "vorbis": _vorbis}.get(
        name, lambda: sounds.KINDS[name](_SECONDS)
    )()


NAMES = (*faulty_headers.FORMATS, *sounds.KINDS, "amr", "vorbis")

Damage = Callable[[random.Random, bytearray], None]


def _place(dice: random.Random, data: bytearray) -> int:
    """Anywhere, and every other time in the header."""
    return dice.randrange(max(1, min(len(data), _HEADER if dice.random() < 0.5 else 1 << 62)))


def _stretch(dice: random.Random, data: bytearray) -> slice:
    at = _place(dice, data)
    return slice(at, at + dice.choice((1, 4, 30, 300, 3000, 30_000)))


def flip(dice: random.Random, data: bytearray) -> None:
    for _ in range(dice.choice((1, 3, 20, 200))):
        if data:
            data[_place(dice, data)] ^= 1 << dice.randrange(8)


def cut(dice: random.Random, data: bytearray) -> None:
    del data[_place(dice, data) :]


def cut_before(dice: random.Random, data: bytearray) -> None:
    del data[: _place(dice, data)]


def leave_out(dice: random.Random, data: bytearray) -> None:
    del data[_stretch(dice, data)]


def blank(dice: random.Random, data: bytearray) -> None:
    where = _stretch(dice, data)
    data[where] = dice.choice((b"\0", b"\xff", b"\x80")) * len(data[where])


def repeat(dice: random.Random, data: bytearray) -> None:
    where = _stretch(dice, data)
    data[where] = data[where] * dice.choice((2, 3, 50))


def splice(dice: random.Random, data: bytearray) -> None:
    """A part of another file, often of another format, here."""
    other = bytearray(whole(dice.choice(NAMES)))
    data[_stretch(dice, data)] = other[_stretch(dice, other)]


def noise(dice: random.Random, data: bytearray) -> None:
    where = _stretch(dice, data)
    data[where] = dice.randbytes(len(data[where]))


def lie(dice: random.Random, data: bytearray) -> None:
    """A field of a header says what cannot be: no channels, 255, years, more than there is."""
    found = [at for mark in _MARKS for at in _all(data, mark)]
    at = dice.choice(found) + dice.randrange(4, 60) if found else _place(dice, data)
    value = dice.choice(_EXTREMES + _MORE) if dice.random() < 0.7 else dice.getrandbits(64)
    order, (size, form) = dice.choice("<>"), dice.choice([(1, "B"), (2, "H"), (4, "I"), (8, "Q")])
    data[at : at + size] = struct.pack(order + form, value % (1 << 8 * size))


def _all(data: bytearray, mark: bytes) -> list[int]:
    """Where it stands, the first few times."""
    found: list[int] = []
    at = data.find(mark)
    while at >= 0 and len(found) < 4:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


DAMAGES: tuple[Damage, ...] = (
    *(flip, cut, cut_before, leave_out, blank, repeat, splice, noise),
    *(lie, lie, lie, lie),
)


def damaged(number: int) -> tuple[str, bytes]:
    """The name of the format and the file, with one to three damages."""
    name, dice = NAMES[number % len(NAMES)], random.Random(number)
    data = bytearray(whole(name))
    for _ in range(dice.choice((1, 1, 2, 3))):
        dice.choice(DAMAGES)(dice, data)
    return name, bytes(data[: 1 << 21])
