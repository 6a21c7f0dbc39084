"""Files as recorders really write them: every kind of header fault, on every format that has it."""

from __future__ import annotations

import random
import struct
from array import array
from collections.abc import Callable
from functools import cache

from tests.audio import sounds

SECONDS = 8

Fault = Callable[[bytes], bytes]


def _coded(rate: int, *how: str, **more: object) -> Callable[[], bytes]:
    return lambda: sounds.encode(sounds.staircase(SECONDS, rate), rate, 1, *how, **more)  # type: ignore[arg-type]


def _uneven() -> bytes:
    """An MP3 of many bit rates whose header does not say so: noise in every other second."""
    noise, rate = random.Random(1), 16_000
    tones = sounds.staircase(SECONDS, rate)
    mixed = array(
        "h",
        (v // 2 + noise.randrange(-4000, 4000) * (i // rate % 2) for i, v in enumerate(tones)),
    )
    more = {"options": _BARE, "codec_options": {"abr": "1"}, "bit_rate": 32_000}
    return sounds.encode(mixed, rate, 1, "mp3", "libmp3lame", **more)  # type: ignore[arg-type]


def _rifx() -> bytes:
    """The other byte order, header and samples."""
    samples = sounds.staircase(SECONDS, 8000)
    samples.byteswap()
    data = samples.tobytes()
    fmt = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16_000, 2, 16)
    body = b"WAVE" + fmt + b"data" + struct.pack(">I", len(data)) + data
    return b"RIFX" + struct.pack(">I", len(body)) + body


_BARE = {"write_xing": "0", "id3v2_version": "0"}
FORMATS: dict[str, Callable[[], bytes]] = {
    "wav-pcm": lambda: sounds.wav(sounds.staircase(SECONDS, 8000), 8000),
    "wav-pcm-24": _coded(8000, "wav", "pcm_s24le"),
    "wav-ulaw": lambda: sounds.ulaw(sounds.staircase(SECONDS, 8000)),
    "wav-ima": _coded(8000, "wav", "adpcm_ima_wav"),
    "wav-ms": _coded(8000, "wav", "adpcm_ms"),
    "wav-g722": _coded(16_000, "wav", "g722"),
    "wav-g726": _coded(8000, "wav", "g726", bit_rate=32_000),
    "wav-mp3": _coded(8000, "wav", "libmp3lame", bit_rate=16_000),
    "rifx": _rifx,
    "w64": _coded(8000, "w64", "pcm_s16le"),
    "au": _coded(8000, "au", "pcm_mulaw"),
    "aiff": _coded(8000, "aiff", "pcm_s16be"),
    "caf": _coded(8000, "caf", "pcm_s16le"),
    "caf-alac": _coded(16_000, "caf", "alac"),
    "mp3": _coded(8000, "mp3", "libmp3lame", bit_rate=16_000),
    "mp3-bare": _coded(16_000, "mp3", "libmp3lame", bit_rate=24_000, options=_BARE),
    "mp3-uneven": _uneven,
    "mp2": _coded(16_000, "mp2", "mp2", bit_rate=64_000),
    "aac": _coded(16_000, "adts", "aac"),
    "m4a": _coded(16_000, "mp4", "aac", options={"movflags": "faststart"}),
    "flac": _coded(16_000, "flac", "flac"),
    "wma": _coded(16_000, "asf", "wmav2", bit_rate=32_000),
    "opus": _coded(16_000, "ogg", "libopus"),
}


@cache
def good(name: str) -> bytes:
    """The file as it ought to be."""
    return FORMATS[name]()


UNCOUNTED = ("wav-mp3", "mp3-bare", "mp3-uneven", "mp2", "aac", "opus")
"""Formats in which nothing says how long it is."""


def bare_mp3(bit_rate: int) -> bytes:
    """Frames of MP3 and nothing else, at 8 kHz."""
    tones = sounds.staircase(SECONDS, 8000)
    return sounds.encode(tones, 8000, 1, "mp3", "libmp3lame", bit_rate=bit_rate, options=_BARE)


def amr(seconds: int) -> bytes:
    """Noise in frames of two sizes, a second of each in turn: few bytes a second, then many."""
    noise = random.Random(1)
    small, large = (0x04, 12), (0x3C, 31)
    frames = [
        bytes([mode]) + noise.randbytes(size)
        for second in range(seconds)
        for mode, size in [(small, large)[second % 2]] * 50
    ]
    return b"#!AMR\n" + b"".join(frames)


# the faults


def put(data: bytes, at: int, what: bytes) -> bytes:
    """The same with other bytes at a place."""
    return data[:at] + what + data[at + len(what) :]


def data_at(data: bytes) -> int:
    """Where a WAV's sound begins, by its chunks."""
    at, order = 12, ">" if data[:4] == b"RIFX" else "<"
    while data[at : at + 4] != b"data":
        at += 8 + struct.unpack_from(f"{order}I", data, at + 4)[0]
        at += at % 2
    return at + 8


def byte_rate(factor: float) -> Fault:
    """Bytes a second in the header, times this."""

    def spoil(data: bytes) -> bytes:
        at = data.index(b"fmt ") + 16
        order = ">" if data[:4] == b"RIFX" else "<"
        rate = struct.unpack_from(f"{order}I", data, at)[0]
        return put(data, at, struct.pack(f"{order}I", round(rate * factor)))

    return spoil


def data_size(claim: int) -> Fault:
    """A size of the sound that was never completed; nothing stands behind such a sound."""

    def spoil(data: bytes) -> bytes:
        order, at = ">" if data[:4] == b"RIFX" else "<", data_at(data)
        size = struct.unpack_from(f"{order}I", data, at - 4)[0]
        return put(data[: at + size], at - 4, struct.pack(f"{order}I", claim))

    return spoil


def half_the_size(data: bytes) -> bytes:
    """A size that was written half way and not again."""
    order, at = ">" if data[:4] == b"RIFX" else "<", data_at(data)
    size = struct.unpack_from(f"{order}I", data, at - 4)[0]
    return data_size(size // 2)(data)


def chunk_before(name: bytes, body: bytes) -> Fault:
    """One more chunk before the sound."""

    def spoil(data: bytes) -> bytes:
        order, at = ">" if data[:4] == b"RIFX" else "<", data_at(data) - 8
        return data[:at] + name + struct.pack(f"{order}I", len(body)) + body + data[at:]

    return spoil


def chunk_behind(data: bytes) -> bytes:
    """What a recorder knew only afterwards; loud, if it were played."""
    return data + b"LIST" + struct.pack("<I", 4000) + b"\x7f\x80" * 2000


def rf64(size: bytes) -> Fault:
    """As RF64, these eight bytes for each of its sizes."""

    def spoil(data: bytes) -> bytes:
        at = data_at(data)
        ds64 = b"ds64" + struct.pack("<I", 28) + size * 3 + bytes(4)
        head = b"RF64\xff\xff\xff\xffWAVE" + ds64 + data[12 : at - 4]
        return head + b"\xff\xff\xff\xff" + data[at:]

    return spoil


def w64_size(claim: int) -> Fault:
    return lambda data: put(data, data.index(b"data\xf3") + 16, struct.pack("<Q", claim))


def aiff_unclosed(data: bytes) -> bytes:
    """As FFmpeg writes one into a pipe: no size, no number of samples."""
    counted, sound = data.index(b"COMM") + 10, data.index(b"SSND") + 4
    return put(put(put(data, 4, bytes(4)), counted, bytes(4)), sound, bytes(4))


def counted_few(data: bytes) -> bytes:
    """An MP3 of which somebody has counted a third of the frames."""
    at = data.index(b"Info") + 8
    return put(data, at, struct.pack(">I", struct.unpack_from(">I", data, at)[0] // 3))


def tag(size: int) -> Fault:
    """Behind an ID3 tag with so many bytes of text."""

    def spoil(data: bytes) -> bytes:
        frame = b"TIT2" + struct.pack(">IH", size, 0) + b"\0" + b"x" * (size - 1)
        length = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
        return b"ID3\x03\0\0" + length + frame + data

    return spoil


def inside_a_frame(data: bytes) -> bytes:
    """As a stream that was cut: from the middle of its second frame on."""
    mark = data[data.index(b"\xff") :][:2]
    second = data.index(mark, data.index(mark) + 4)
    return data[second + 41 :]


def from_third_frame(data: bytes) -> bytes:
    """Of an AAC stream, as it would be without what is left of the second frame."""
    at = 0
    for _ in range(2):
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return data[at:]


def joined(data: bytes) -> bytes:
    """Twice, one behind the other."""
    return data + data


def old_tag(data: bytes) -> bytes:
    return data + b"TAG" + b"x" * 125


def no_count(data: bytes) -> bytes:
    """A FLAC whose number of samples was not known when it was begun."""
    at = data.index(b"fLaC") + 8 + 13
    return put(data, at, bytes([data[at] & 0xF0, 0, 0, 0, 0]))


def au_size(claim: int) -> Fault:
    return lambda data: put(data, 8, struct.pack(">I", claim))


_WAV: dict[str, Fault] = {
    "twice the bytes a second": byte_rate(2),
    "half the bytes a second": byte_rate(0.5),
    "no bytes a second": byte_rate(0),
    "size 0": data_size(0),
    "size 36": data_size(36),
    "size 0xFFFFFFFF": data_size(0xFFFF_FFFF),
    "size 0x7FFFFFFF": data_size(0x7FFF_FFFF),
    "half the size": half_the_size,
    "size and rate": lambda data: byte_rate(2)(data_size(36)(data)),
    "says data": chunk_before(b"LIST", b"INFOICMT\x18\0\0\0data\0\0\0\0voice data recor"),
    "much before": chunk_before(b"JUNK", bytes(range(256)) * 80),
}
_LITTLE: dict[str, Fault] = {
    "more behind": chunk_behind,
    "RF64 unclosed": rf64(bytes(8)),
    "RF64 of no size": rf64(b"\xff" * 8),
    "odd and not padded": chunk_before(b"LIST", b"INFOISFT\x05\0\0\0abcd\0"),
}
_FRAMES: dict[str, Fault] = {
    "behind a tag": tag(300),
    "behind a large tag": tag(60_000),
    "from inside a frame": inside_a_frame,
    "old tag": old_tag,
    "joined": joined,
    "joined with tags": lambda data: tag(300)(data) + tag(700)(data),
}
FAULTS: dict[str, dict[str, Fault]] = {
    **{name: {**_WAV, **_LITTLE} for name in FORMATS if name.startswith("wav-")},
    "rifx": _WAV,
    "mp3": {
        "counted few": counted_few,
        **{name: fault for name, fault in _FRAMES.items() if name != "from inside a frame"},
    },
    **dict.fromkeys(("mp3-bare", "mp3-uneven", "mp2", "aac"), _FRAMES),
    "flac": {
        "behind a tag": tag(300),
        "behind a large tag": tag(60_000),
        "no count": no_count,
        "joined": joined,
    },
    "opus": {"joined": joined},
    "w64": {f"size {claim:#x}": w64_size(claim) for claim in (24, (1 << 63) - 1)},
    "aiff": {"unclosed": aiff_unclosed},
    "au": {f"size {claim:#x}": au_size(claim) for claim in (0xFFFF_FFFF, 0)},
}
"""Of each format those faults that it can have."""
HEADER_ONLY = (
    *(*_WAV, *_LITTLE, "no count", "counted few", "unclosed"),
    *("size 0xffffffff", "size 0x0", "size 0x18", "size 0x7fffffffffffffff"),
)
"""Faults that change nothing of what sounds."""
TABLE = [(name, fault) for name in FORMATS for fault in ("", *FAULTS.get(name, ()))]


@cache
def made(name: str, fault: str) -> bytes:
    """A file of the table; no fault is an empty one."""
    return FAULTS[name][fault](good(name)) if fault else good(name)


@cache
def truth(name: str, fault: str) -> bytes:
    """What sounds, decoded in one go from a file that FFmpeg reads rightly."""
    if name == "rifx":
        return sounds.reference(good("wav-pcm"))
    if (name, fault) == ("aac", "from inside a frame"):  # FFmpeg takes it for frames that are none
        return sounds.reference(from_third_frame(good(name)))
    return sounds.reference(good(name) if fault in HEADER_ONLY else made(name, fault), strict=False)


def _first(name: str, fault: str, size: int) -> bytes:
    return made(name, fault)[:size]


HEADERS: dict[str, bytes] = {
    "wav": _first("wav-pcm", "size 0", 44),
    "wav that promises": _first("wav-pcm", "", 44),
    "wav of mu-law": _first("wav-ulaw", "", 44),
    "rifx": _first("rifx", "", 44),
    "rf64": _first("wav-pcm", "RF64 unclosed", 80),
    "au": _first("au", "", 32),
    "aiff": good("aiff")[: good("aiff").index(b"SSND") + 16],
    "amr": b"#!AMR\n",
    "tag": tag(300)(b""),
}
"""What a recorder leaves when nobody spoke."""
