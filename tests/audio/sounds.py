"""Recordings made on the spot: every kind of file that the player has to take."""

from __future__ import annotations

import io
import math
import os
import random
import struct
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cache, wraps
from itertools import cycle
from pathlib import Path
from typing import Any

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

RATE = 48_000
FRAME = 4


def _once(make: Callable[..., array[int]]) -> Callable[..., array[int]]:
    """The same sound is made once in a run; each caller gets his own copy."""
    made = cache(make)

    @wraps(make)
    def copy(*args: float, **kwargs: float) -> array[int]:
        return made(*args, **kwargs)[:]

    return copy


@_once
def tone(seconds: float, rate: int, channels: int = 1, hz: float = 440.0) -> array[int]:
    """Interleaved s16: a tone that swells, another pitch on the second channel, never zero."""
    count = round(seconds * rate)
    out = array("h", bytes(2 * count * channels))
    for channel in range(channels):
        pitch = 2 * math.pi * hz * (1 + channel / 2) / rate
        # a whole number of waves: every second is as the first one
        second = cycle([math.sin(pitch * i) for i in range(min(rate, count))])
        swell = 6000 / max(1, count)
        out[channel::channels] = array(
            "h", [int((6000 + swell * i) * next(second)) or 1 for i in range(count)]
        )
    return out


@_once
def swept(seconds: float, rate: int) -> array[int]:
    """Mono: simple sound and noise in turns of 2 s, so that encoders need few bits and many."""
    noise = random.Random(1)
    plain = tone(seconds, rate)
    return array(
        "h",
        (noise.randrange(-9000, 9000) if i // (2 * rate) % 2 else v for i, v in enumerate(plain)),
    )


@_once
def ramp(seconds: float) -> array[int]:
    """48 kHz stereo in which every frame is different: left counts, right counts wraps."""
    out = array("h")
    for i in range(round(seconds * RATE)):
        out.append(i % 30_000 + 1)
        out.append(i // 30_000 + 1)
    return out


@_once
def staircase(seconds: int, rate: int) -> array[int]:
    """Mono: second k is a tone of 300 + 100 k Hz, so that any snippet tells its time."""
    out = array("h")
    for i in range(seconds * rate):
        hz = 300 + 100 * (i // rate)
        out.append(int(12_000 * math.sin(2 * math.pi * hz * (i % rate) / rate)) or 1)
    return out


def wav(samples: array[int], rate: int, channels: int = 1) -> bytes:
    """A WAV file of s16."""
    data = samples.tobytes()
    return _wav_header(1, rate, channels, 16, len(data)) + data


def telephone(seconds: float = 20.0) -> bytes:
    """A WAV file of a call as most are: 8 kHz, mono."""
    return wav(tone(seconds, 8000), 8000)


def wav_frames(path: Path) -> bytes:
    """The s16 stereo frames of what an engine wrote as ``wav:PATH``."""
    return path.read_bytes()[44:]


def ulaw(samples: array[int], rate: int = 8000) -> bytes:
    """A WAV file of mu-law, mono, as telephone systems write it."""
    raw = encode(samples, rate, 1, "mulaw", "pcm_mulaw")
    return _wav_header(7, rate, 1, 8, len(raw)) + raw


def _wav_header(tag: int, rate: int, channels: int, bits: int, size: int) -> bytes:
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    riff = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", len(riff) + size) + riff


def encode(
    samples: array[int],
    rate: int,
    channels: int,
    container: str,
    codec: str,
    *,
    bit_rate: int = 0,
    picture: bool = False,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
) -> bytes:
    """A file in memory, made by FFmpeg's encoders."""
    layout = "stereo" if channels == 2 else "mono"
    handle, path = tempfile.mkstemp()  # a real file, since "faststart" writes it twice
    os.close(handle)
    with av.open(path, "w", format=container, options=options or {}) as box:
        video = None
        if picture:
            video = box.add_stream("mpeg4", rate=5)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        stream = box.add_stream(codec, rate=rate, layout=layout, options=codec_options or {})
        assert isinstance(stream, AudioStream)
        if bit_rate:
            stream.bit_rate = bit_rate
        if video is not None:
            for k in range(5 * len(samples) // (rate * channels)):
                image = av.VideoFrame(64, 48, "yuv420p")
                image.pts, image.time_base = k, Fraction(1, 5)
                box.mux(video.encode(image))
            box.mux(video.encode(None))
        step = 960 * channels
        for start in range(0, len(samples), step):
            part = samples[start : start + step]
            frame = AudioFrame("s16", layout, len(part) // channels)
            frame.planes[0].update(part.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate = rate
            frame.pts, frame.time_base = start // channels, Fraction(1, rate)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    data = Path(path).read_bytes()
    os.unlink(path)
    return data


@cache
def hour() -> bytes:
    """An hour of telephone MP3, which takes a while to measure."""
    bare = {"write_xing": "0", "id3v2_version": "0"}
    minute = tone(60.0, 8000)
    return encode(minute, 8000, 1, "mp3", "libmp3lame", bit_rate=16_000, options=bare) * 60


def _coded(rate: int, channels: int, *how: Any, **more: Any) -> Callable[[float], bytes]:
    return lambda seconds: encode(tone(seconds, rate, channels), rate, channels, *how, **more)


_FAST = {"options": {"movflags": "faststart"}}
KINDS: dict[str, Callable[[float], bytes]] = {
    "mp3-8k-mono": _coded(8000, 1, "mp3", "libmp3lame", bit_rate=16_000),
    "mp3-44k-stereo": _coded(44_100, 2, "mp3", "libmp3lame", bit_rate=128_000),
    "m4a": _coded(44_100, 2, "mp4", "aac", **_FAST),
    "mp4-picture": _coded(48_000, 2, "mp4", "aac", picture=True, **_FAST),
    "mp4-moov-last": _coded(16_000, 1, "mp4", "aac"),
    "aac-adts": _coded(16_000, 1, "adts", "aac"),
    "wav-16k-mono": lambda seconds: wav(tone(seconds, 16_000), 16_000),
    "wav-48k-stereo": lambda seconds: wav(tone(seconds, 48_000, 2), 48_000, 2),
    "wav-ulaw": lambda seconds: ulaw(tone(seconds, 8000)),
    "opus": _coded(48_000, 2, "ogg", "libopus", bit_rate=32_000),
    "webm": _coded(48_000, 2, "webm", "libopus", bit_rate=32_000),
    "flac": _coded(44_100, 2, "flac", "flac"),
}
"""How a file of each kind is made, of so many seconds."""


def all_kinds(seconds: float = 0.8) -> dict[str, bytes]:
    """One file of each kind, by name."""
    return {kind: make(seconds) for kind, make in KINDS.items()}


@cache
def reference(data: bytes, *, strict: bool = True) -> bytes:
    """The whole file at 48 kHz stereo s16, decoded by FFmpeg's plain resampler in one go.

    Unless it is `strict`, what cannot be decoded is left out.
    """
    out = bytearray()
    broken = () if strict else (av.error.FFmpegError,)

    def frames(box: Any) -> Iterator[Any]:
        for packet in box.demux(audio=0):
            with suppress(*broken):
                yield from packet.decode()

    with av.open(io.BytesIO(data)) as box:
        resampler = av.AudioResampler("s16", "stereo", RATE)
        for frame in frames(box):
            frame.pts = None
            source = doubled(frame) if frame.layout.nb_channels == 1 else frame
            for made in resampler.resample(source):
                out += bytes(made.planes[0])[: made.samples * FRAME]
        for made in resampler.resample(None):
            out += bytes(made.planes[0])[: made.samples * FRAME]
    return bytes(out)


def doubled(frame: AudioFrame) -> AudioFrame:
    """A mono frame as stereo, the same samples on both sides."""
    planar = f"{frame.format.name.removesuffix('p')}p"
    twin = AudioFrame(planar, "stereo", frame.samples)
    plane = bytes(frame.planes[0])[: frame.samples * frame.format.bytes]
    for side in twin.planes:
        side.update(plane.ljust(side.buffer_size, b"\0"))
    twin.sample_rate, twin.pts = frame.sample_rate, None
    return twin


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
