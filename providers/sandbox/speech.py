"""Recordings that sound like a telephone conversation, made from arithmetic.

Two voices take turns: a glottal pulse train through three formants for the vowels, bursts and
noise for the consonants, a falling pitch over every phrase, pauses between phrases and turns.
A voice's syllables are made once and then only put in a row, so that a minute of talk costs
milliseconds; the rest is encoding. No words, no real voice, no file from anybody.
"""

from __future__ import annotations

import io
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import av

RATE = 8000
"""Samples per second of everything in here; encoders raise it where a format wants more."""
VOICES = 8
LOUDNESS = 25000
"""Peak of a stressed syllable, of 32767."""

# Vowels: the first three formants of a grown man, in hertz (Peterson and Barney, 1952).
_VOWELS = (
    (730, 1090, 2440),
    (530, 1840, 2480),
    (270, 2290, 3010),
    (570, 840, 2410),
    (300, 870, 2240),
    (490, 1350, 1690),
    (660, 1720, 2410),
)
_WIDTHS = (70.0, 100.0, 160.0)
_ONSETS = ("", "stop", "hiss", "nasal", "stop", "glide", "hiss")
# Where in a phrase: how many syllables, pitch from and to (of the voice's own), seconds.
_PLACES = {
    "first": (6, 1.14, 1.06, 0.17),
    "middle": (14, 1.03, 0.96, 0.16),
    "last": (5, 0.92, 0.70, 0.27),
    "asking": (4, 0.95, 1.28, 0.26),
}


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker: pitch in hertz, length of the throat as a factor on every formant."""

    pitch: float
    formants: float
    pace: float


def voice(number: int) -> Voice:
    """One of `VOICES` speakers: even numbers are low, odd ones high; neighbours differ well."""
    step, high = divmod(number % VOICES, 2)
    pitch = (186 + 14 * step) if high else (96 + 11 * step)
    return Voice(pitch, 1.16 if high else 1.0, 1.0 + 0.04 * (step - 1))


def _pulse(phase: float) -> float:
    """Air through the vocal folds over one period, opening slowly and closing fast."""
    if phase < 0.4:
        return 0.5 - 0.5 * math.cos(math.pi * phase / 0.4)
    if phase < 0.58:
        return math.cos(math.pi * (phase - 0.4) / 0.36)
    return 0.0


def _poles(frequency: float, width: float) -> tuple[float, float, float]:
    """Coefficients of a two-pole resonator with unit gain at frequency zero."""
    radius = math.exp(-math.pi * width / RATE)
    b = 2 * radius * math.cos(2 * math.pi * min(frequency, 3700) / RATE)
    c = -radius * radius
    return 1 - b - c, b, c


def _vowel(
    who: Voice, vowel: tuple[int, int, int], seconds: float, start: float, end: float, glide: bool
) -> list[float]:
    """A voiced stretch whose pitch runs from `start` to `end` and whose mouth opens."""
    length = int(RATE * seconds)
    state = [[0.0, 0.0] for _ in vowel]
    out: list[float] = []
    phase = previous = 0.0
    opening = RATE * (0.09 if glide else 0.04)
    for begin in range(0, length, 64):
        open_ = min(1.0, 0.35 + begin / opening)
        bands = [
            _poles(f * who.formants * (open_ if n == 0 else 1.0), w)
            for n, (f, w) in enumerate(zip(vowel, _WIDTHS, strict=True))
        ]
        step = who.pitch * (start + (end - start) * begin / length) / RATE
        for _ in range(min(64, length - begin)):
            phase = (phase + step) % 1.0
            flow = _pulse(phase)
            sample, previous = flow - previous, flow
            for (a, b, c), memory in zip(bands, state, strict=True):
                sample = a * sample + b * memory[0] + c * memory[1]
                memory[1], memory[0] = memory[0], sample
            out.append(sample)
    return out


def _noise(seconds: float, frequency: float, rng: Random) -> list[float]:
    """Breath through a narrow place: noise around one frequency."""
    a, b, c = _poles(frequency, 900)
    x = y = 0.0
    out = []
    for _ in range(int(RATE * seconds)):
        x, y = a * rng.uniform(-1, 1) + b * x + c * y, x
        out.append(x)
    return out


def _levelled(samples: list[float], peak: float, attack: float = 0.012) -> list[float]:
    """The samples at a given peak, faded in and out."""
    scale = peak / max(1e-9, max(map(abs, samples), default=0.0))
    rise, fall, length = int(RATE * attack), int(RATE * 0.045), len(samples)
    return [
        s * scale * min(1.0, (n + 1) / rise, (length - n) / fall) for n, s in enumerate(samples)
    ]


def _onset(kind: str, who: Voice, pitch: float, rng: Random) -> list[float]:
    """The consonant before a vowel."""
    if kind == "stop":
        burst = _noise(0.014, rng.choice((900, 1800, 3000)), rng)
        return [0.0] * int(RATE * 0.035) + _levelled(burst, LOUDNESS * 0.35, 0.002)
    if kind == "hiss":
        return _levelled(_noise(0.08, rng.choice((2600, 3300)), rng), LOUDNESS * 0.16, 0.03)
    if kind == "nasal":
        hum = _vowel(who, (250, 1100, 2200), 0.06, pitch, pitch, False)
        return _levelled(hum, LOUDNESS * 0.3)
    return []


def _syllable(who: Voice, place: str, number: int, rng: Random) -> array[int]:
    _, start, end, seconds = _PLACES[place]
    lift, long = rng.uniform(0.95, 1.06), rng.uniform(0.85, 1.25) / who.pace
    kind = _ONSETS[(number * 3 + len(place)) % len(_ONSETS)]
    shape = _VOWELS[(number * 5 + len(place)) % len(_VOWELS)]
    vowel = _vowel(who, shape, seconds * long, start * lift, end * lift, kind == "glide")
    peak = LOUDNESS * rng.uniform(0.6, 1.0) * (0.75 if place == "last" else 1.0)
    samples = _onset(kind, who, start * lift, rng) + _levelled(vowel, peak)
    return array("h", map(int, samples))


@cache
def syllables(number: int) -> dict[str, tuple[array[int], ...]]:
    """A voice's syllables by their place in a phrase; made once."""
    who, rng = voice(number), Random(number)
    return {
        place: tuple(_syllable(who, place, n, rng) for n in range(shape[0]))
        for place, shape in _PLACES.items()
    }


@cache
def _room(seconds: int = 1) -> array[int]:
    """A quiet line: noise at about -65 dB, so that silence is not digital zero."""
    rng = Random(0)
    return array("h", (int(rng.gauss(0, 18)) for _ in range(RATE * seconds)))


@cache
def _beep() -> array[int]:
    tone = [math.sin(2 * math.pi * 1000 * n / RATE) for n in range(int(RATE * 0.4))]
    return array("h", map(int, _levelled(tone, LOUDNESS * 0.5)))


def _quiet(seconds: float) -> array[int]:
    room, length = _room(), int(RATE * seconds)
    return (room * (length // len(room) + 1))[:length]


def _phrase(number: int, rng: Random, syllables_wanted: int) -> array[int]:
    """A few words in one breath."""
    sounds, out = syllables(number), array("h")
    out.extend(rng.choice(sounds["first"]))
    for n in range(syllables_wanted):
        if n and rng.random() < 0.3:
            out.extend(_quiet(rng.uniform(0.02, 0.07)))
        out.extend(rng.choice(sounds["middle"]))
    out.extend(rng.choice(sounds["asking" if rng.random() < 0.25 else "last"]))
    return out


def _turns(rng: Random, alone: bool, seconds: int) -> Iterator[tuple[int, int, float]]:
    """Who speaks (0 agent, 1 customer), for how many phrases, after how many seconds."""
    side = int(alone)
    yield side, 2, 0.3
    while True:
        side = 1 if alone else 1 - side
        hold = seconds > 90 and rng.random() < 0.04
        gap = rng.uniform(4, 11) if hold else min(2.5, rng.lognormvariate(-0.8, 0.6))
        yield side, rng.choice((1, 1, 2, 2, 3, 4)), gap


def conversation(
    seed: int, seconds: int, speakers: tuple[int, int], *, voicemail: bool = False
) -> tuple[array[int], array[int]]:
    """The agent's and the customer's side, each `seconds` long, 16 bit at `RATE`.

    `speakers` are the two voices' numbers. A voicemail is a beep and the customer alone.
    """
    rng, length = Random(seed), seconds * RATE
    sides = (_quiet(seconds), _quiet(seconds))
    if voicemail and length > len(_beep()):
        sides[1][: len(_beep())] = _beep()
    at = len(_beep()) if voicemail else 0
    for side, phrases, gap in _turns(rng, voicemail, seconds):
        at += int(RATE * gap)
        for _ in range(phrases):
            if at >= length:
                return sides
            said = _phrase(speakers[side], rng, rng.randint(0, 11))[: length - at]
            sides[side][at : at + len(said)] = said
            at += len(said) + int(RATE * rng.uniform(0.18, 0.6))
        if not voicemail and rng.random() < 0.3:
            _murmur(sides[1 - side], at, speakers[1 - side], rng)
    return sides


def _murmur(side: array[int], at: int, speaker: int, rng: Random) -> None:
    """The listener's short `mhm` while the other one still speaks."""
    said = rng.choice(syllables(speaker)["last"])
    at -= RATE + len(said)
    if at >= 0 and at + len(said) <= len(side):
        side[at : at + len(said)] = array("h", (s // 3 for s in said))


@dataclass(frozen=True, slots=True)
class Style:
    """How a recording is encoded."""

    container: str
    codec: str
    rate: int
    layout: str
    bits_per_s: int
    mime: str
    suffix: str
    index_first: bool = True
    picture: bool = False


_LAME, _AAC = ("mp3", "libmp3lame"), ("mp4", "aac")
STYLES = {
    "mp3-phone": Style(*_LAME, 8000, "mono", 16_000, "audio/mpeg", ".mp3"),
    "mp3-sides": Style(*_LAME, 44100, "stereo", 64_000, "audio/mpeg", ".mp3"),
    "mp3-sides-long": Style(*_LAME, 8000, "stereo", 24_000, "audio/mpeg", ".mp3"),
    "mp4": Style(*_AAC, 16000, "mono", 32_000, "audio/mp4", ".mp4"),
    "mp4-sides": Style(*_AAC, 16000, "stereo", 48_000, "audio/mp4", ".mp4"),
    "mp4-index-last": Style(*_AAC, 16000, "mono", 32_000, "audio/mp4", ".mp4", False),
    "mp4-video": Style(*_AAC, 16000, "stereo", 48_000, "video/mp4", ".mp4", True, True),
}
_FAST = {"libmp3lame": {"compression_level": "9"}, "aac": {"aac_coder": "fast"}}
_PICTURE = (96, 64)
_PICTURES_PER_S = 2


def encode(sides: tuple[array[int], array[int]], style: Style) -> bytes:
    """The two sides as a file: agent left, customer right, or mixed into one."""
    seconds, out = len(sides[0]) / RATE, io.BytesIO()
    options = {}
    if style.container == "mp4" and style.index_first:
        options["moov_size"] = str(8192 + int(seconds * style.rate / 1024 * 12))
    with av.open(out, "w", format=style.container, options=options) as container:
        sound = container.add_stream(style.codec, rate=style.rate, options=_FAST[style.codec])
        assert isinstance(sound, av.AudioStream)
        sound.layout = style.layout
        sound.bit_rate = style.bits_per_s
        sound.codec_context.thread_count = 1  # more threads, other bytes
        pictures = _pictures(container, seconds) if style.picture else iter(())
        for frame in _frames(sides):
            container.mux(sound.encode(frame))
            container.mux(next(pictures, []))
        container.mux(sound.encode(None))
        for packets in pictures:
            container.mux(packets)
    return out.getvalue()


def _frames(sides: tuple[array[int], array[int]]) -> Iterator[av.AudioFrame]:
    """One second of both sides at a time."""
    for begin in range(0, len(sides[0]), RATE):
        left, right = (side[begin : begin + RATE] for side in sides)
        both = array("h", bytes(4 * len(left)))
        both[0::2], both[1::2] = left, right
        frame = av.AudioFrame(format="s16", layout="stereo", samples=len(left))
        frame.sample_rate, frame.pts = RATE, begin
        frame.planes[0].update(both.tobytes())
        yield frame


def _pictures(
    container: av.container.OutputContainer, seconds: float
) -> Iterator[list[av.Packet[Any]]]:
    """One second of moving stripes at a time: a camera at the other end."""
    width, height = _PICTURE
    video = container.add_stream("mpeg4", rate=_PICTURES_PER_S)
    video.width, video.height, video.pix_fmt = width, height, "yuv420p"
    video.bit_rate, video.thread_count = 20_000, 1
    stripes = bytes(64 + (n % 32) * 5 for n in range(width * 2))

    def packets() -> Iterator[list[av.Packet[Any]]]:
        for second in range(math.ceil(seconds)):
            made: list[av.Packet[Any]] = []
            for n in range(second * _PICTURES_PER_S, (second + 1) * _PICTURES_PER_S):
                frame = av.VideoFrame(width, height, "yuv420p")
                for plane, colour in zip(frame.planes, (None, 120, 136), strict=True):
                    row = stripes[n % 32 :] if colour is None else bytes([colour]) * width
                    plane.update(b"".join([row[: plane.line_size]] * plane.height))
                frame.pts = n
                made += video.encode(frame)
            yield made
        yield video.encode(None)

    return packets()
