"""The second that is shown is the second that sounds: formats x header faults x places."""

from __future__ import annotations

import io
import math
import struct
from fractions import Fraction
from functools import cache
from random import Random

import av
import pytest
from av.audio.frame import AudioFrame

from tests.audio import faulty_headers, sounds
from tests.slow_params import few
from tui.audio.engine.byte_reader import BackgroundReader, ByteReader
from tui.audio.engine.clocks import BlockClock
from tui.audio.engine.demuxer import Demuxer
from tui.audio.engine.demuxer_choice import Unplayable
from tui.audio.engine.pcm import FRAME, RATE, Chunk
from tui.audio.engine.peak_meter import Measured, measure
from tui.audio.engine.seek_index import SeekIndex
from tui.audio.peaks import WINDOW_S

PLACES_S = (0.0, 1.45, 5.75)
_LOOK_S = 0.1
_STEP = 4
_AGREES_S = 0.1
_TONES = [300 + 100 * k for k in range(faulty_headers.SECONDS)]


def pitch(pcm: bytes, at_s: float) -> int:
    """Which of the staircase's tones is loudest in the tenth of a second from there on."""
    first = round(at_s * RATE)
    part = memoryview(pcm).cast("h")[2 * first : 2 * (first + round(_LOOK_S * RATE)) : 2]
    samples = part.tolist()[::_STEP]

    def power(hz: int) -> float:
        turn = 2 * math.cos(2 * math.pi * hz * _STEP / RATE)
        last = before = 0.0
        for sample in samples:
            last, before = sample + turn * last - before, last
        return last * last + before * before - turn * last * before

    return max(_TONES, key=power)


def length_s(pcm: bytes) -> float:
    return len(pcm) / FRAME / RATE


class Whole:
    """A recording as it is measured: its end, its waveform, its seek index."""

    def __init__(self, data: bytes) -> None:
        self.seek_index = SeekIndex()
        self.windows = self.lanes = 0
        self.end: Measured | None = None
        reader = ByteReader(len(data), lambda at, n: reader.feed(at, data[at : at + n]))
        background = BackgroundReader(reader, lambda at, n: reader.feed(at, data[at : at + n]))
        measure(background, self.seek_index, self._peaks, self._end)

    def _peaks(self, at: int, lanes: int, done: bool, body: bytes) -> None:
        self.windows, self.lanes = at + len(body) // lanes, lanes

    def _end(self, end: Measured) -> None:
        self.end = end


@cache
def whole(name: str, fault: str) -> Whole:
    return Whole(faulty_headers.made(name, fault))


def heard(data: bytes, start_s: float, seek_index: SeekIndex | None, *, near: bool) -> list[Chunk]:
    media = Demuxer(io.BytesIO(data), len(data), seek_index=seek_index, near=near)
    try:
        return list(media.chunks(start_s))
    finally:
        media.close()


def same_second(pcm: bytes, start_s: float, true: bytes) -> None:
    """The tones follow each other as they do in the truth from there on, around each change."""
    left_s = length_s(true) - start_s
    assert length_s(pcm) == pytest.approx(left_s, abs=_AGREES_S)
    for second in range(math.ceil(start_s), faulty_headers.SECONDS):
        for at_s in (second - 0.15 - start_s, second + 0.35 - start_s):
            if 0.05 < at_s < left_s - _LOOK_S - 0.1:
                assert pitch(pcm, at_s) == pitch(true, start_s + at_s), (second, at_s)


_MIXED = few(40, Random(1).sample(faulty_headers.TABLE, len(faulty_headers.TABLE)))
"""All of the table, and some of everything in every run."""


@pytest.mark.parametrize(("name", "fault"), _MIXED)
@pytest.mark.parametrize("way", few(1, ["read", "measured", "far"]))
def test_what_sounds_is_what_is_shown(name: str, fault: str, way: str) -> None:
    data, true = faulty_headers.made(name, fault), faulty_headers.truth(name, fault)
    only_read_whole = name in ("opus", "flac") and fault == "joined"
    known = way == "measured" or (way == "far" and only_read_whole)
    seek_index = whole(name, fault).seek_index if known else None
    for start_s in PLACES_S:
        chunks = heard(data, start_s, seek_index, near=way != "far")
        pcm = b"".join(chunk.pcm for chunk in chunks)
        same_second(pcm, start_s, true)
        assert chunks[0].at_s == pytest.approx(start_s, abs=_AGREES_S)
        assert chunks[-1].end_s == pytest.approx(length_s(true), abs=_AGREES_S)


@pytest.mark.parametrize(("name", "fault"), _MIXED)
def test_length_and_waveform_agree_with_what_sounds(name: str, fault: str) -> None:
    found, true_s = whole(name, fault), length_s(faulty_headers.truth(name, fault))
    assert found.end is not None
    assert found.end.length_s == pytest.approx(true_s, abs=_AGREES_S)
    assert found.windows * WINDOW_S == pytest.approx(true_s, abs=_AGREES_S)
    assert found.end.stated_s is None, "nothing is missing"
    assert not found.end.damaged


# what is missing


_TABLE_LAST = ("caf-alac",)  # nothing at all can be decoded without it
_LENGTHS_KNOWN = [
    name for name in faulty_headers.FORMATS if name not in (*faulty_headers.UNCOUNTED, *_TABLE_LAST)
]


@pytest.mark.parametrize("name", _LENGTHS_KNOWN)
def test_a_file_that_ends_before_its_header_says_so_is_told(name: str) -> None:
    data = faulty_headers.good(name)
    found = Whole(data[: len(data) * 5 // 8])
    assert found.end is not None
    assert found.end.length_s == pytest.approx(faulty_headers.SECONDS * 5 / 8, abs=0.8)
    assert found.end.stated_s == pytest.approx(faulty_headers.SECONDS, abs=0.5)


@pytest.mark.parametrize("name", faulty_headers.UNCOUNTED)
def test_a_file_whose_header_states_no_length_is_not_called_cut(name: str) -> None:
    data = faulty_headers.good(name)
    found = Whole(data[: len(data) * 5 // 8])
    assert found.end is not None
    assert found.end.stated_s is None


@pytest.mark.parametrize("name", faulty_headers.HEADERS)
def test_a_header_alone_has_no_sound(name: str) -> None:
    try:
        media = Demuxer(io.BytesIO(faulty_headers.HEADERS[name]), len(faulty_headers.HEADERS[name]))
    except Unplayable as error:
        assert error.reason == "no_sound"
    else:
        assert not media.has_sound()
        media.close()


@pytest.mark.parametrize("channels", [9, 142])
def test_channels_that_no_recording_has_are_refused_by_whoever_reads(channels: int) -> None:
    data = faulty_headers.put(faulty_headers.good("wav-pcm"), 22, bytes([channels]))
    data = faulty_headers.put(data, 32, struct.pack("<H", 2 * channels))
    with pytest.raises(Unplayable, match="number of channels"):
        Whole(data)
    with pytest.raises(Unplayable, match="channels"):
        heard(data, 0.0, None, near=True)


def test_a_computed_place_is_given_up_where_other_frames_stand() -> None:
    """Frames of three bit rates, each of which promises that all are like it."""
    parts = [faulty_headers.bare_mp3(rate) for rate in (16_000, 32_000, 16_000)]
    data, true = b"".join(parts), b"".join(map(sounds.reference, parts))
    chunks = heard(data, 1.5 * faulty_headers.SECONDS, None, near=False)
    assert length_s(b"".join(c.pcm for c in chunks)) == pytest.approx(
        length_s(true) - 1.5 * faulty_headers.SECONDS, abs=_AGREES_S
    )


class Costly(io.BytesIO):
    """A file that counts what is read of it."""

    cost = 0

    def read(self, n: int | None = -1) -> bytes:
        data = super().read(n)
        self.cost += len(data)
        return data


def test_a_far_place_is_computed_while_it_plays_too() -> None:
    """Or a seek would wait for all that is still to come before it."""
    data = 4 * faulty_headers.bare_mp3(16_000)
    file = Costly(data)
    media = Demuxer(file, len(data), near=False)
    next(media.chunks(0.0))
    chunk = next(media.chunks(3.7 * faulty_headers.SECONDS))
    assert chunk.at_s == pytest.approx(3.7 * faulty_headers.SECONDS, abs=_AGREES_S)
    assert file.cost < len(data) // 2
    media.close()


def test_a_computed_place_that_was_wrong_is_found_out_by_measuring() -> None:
    """Where the frames are alike again behind others: nobody can see it at the place."""
    parts = [faulty_headers.bare_mp3(rate) for rate in (16_000, 32_000, 16_000, 16_000)]
    data, seek_index = b"".join(parts), SeekIndex()
    media = Demuxer(io.BytesIO(data), len(data), near=False, seek_index=seek_index)
    late_s = 3 * faulty_headers.SECONDS + 2.0
    next(media.chunks(late_s))
    assert media.off_s() == 0.0, "it is not known yet"
    for _ in Demuxer(io.BytesIO(data), len(data), seek_index=seek_index).frames():
        pass
    assert media.off_s() == pytest.approx(faulty_headers.SECONDS, abs=0.5)
    left_s = length_s(b"".join(map(sounds.reference, parts))) - late_s
    again = b"".join(c.pcm for c in media.chunks(late_s))
    assert length_s(again) == pytest.approx(left_s, abs=_AGREES_S)
    chunks = media.chunks(2.5 * faulty_headers.SECONDS)
    assert pitch(b"".join(c.pcm for c in chunks), 0.7) == _TONES[faulty_headers.SECONDS // 2]
    assert media.off_s() == 0.0
    media.close()


@pytest.mark.parametrize("way", ["read", "measured"])
def test_amr_is_counted_by_its_frames(way: str) -> None:
    data = faulty_headers.amr(20)
    found = Whole(data)
    assert found.end is not None
    assert found.end.length_s == pytest.approx(20.0, abs=_AGREES_S)
    seek_index = found.seek_index if way == "measured" else None
    chunks = heard(data, 13.5, seek_index, near=True)
    assert length_s(b"".join(c.pcm for c in chunks)) == pytest.approx(6.5, abs=_AGREES_S)


@pytest.mark.parametrize("way", ["read", "measured"])
def test_aac_of_several_rates_is_counted_by_its_frames(way: str) -> None:
    parts = [
        sounds.encode(sounds.staircase(3, rate), rate, 1, "adts", "aac")
        for rate in (44_100, 16_000, 44_100)
    ]
    data, true_s = b"".join(parts), sum(length_s(sounds.reference(part)) for part in parts)
    found = Whole(data)
    assert found.end is not None
    assert found.end.length_s == pytest.approx(true_s, abs=_AGREES_S)
    seek_index = found.seek_index if way == "measured" else None
    chunks = heard(data, 7.5, seek_index, near=True)
    pcm = b"".join(chunk.pcm for chunk in chunks)
    assert length_s(pcm) == pytest.approx(true_s - 7.5, abs=_AGREES_S)
    assert pitch(pcm, 0.1) == _TONES[1]


@pytest.mark.parametrize("name", ["flac", "opus"])
def test_the_third_of_three_files_goes_on_where_the_second_has_ended(name: str) -> None:
    data = 3 * faulty_headers.good(name)
    true = sounds.reference(data)
    found = Whole(data)
    assert found.end is not None
    assert found.end.length_s == pytest.approx(length_s(true), abs=_AGREES_S)
    start_s = 2 * faulty_headers.SECONDS + 3.5
    chunks = heard(data, start_s, None, near=True)
    assert chunks[0].at_s == pytest.approx(start_s, abs=_AGREES_S)
    pcm = b"".join(chunk.pcm for chunk in chunks)
    assert length_s(pcm) == pytest.approx(length_s(true) - start_s, abs=_AGREES_S)
    assert pitch(pcm, 0.1) == _TONES[3]


def test_blocks_tell_their_seconds() -> None:
    clock = BlockClock(44, 256, Fraction(505, 8000))
    assert [clock.seconds(n) for n in (-5, 0, 256)] == [0.0, 0.0, 505 / 8000]
    assert [clock.jump(second) for second in (0.0, 0.063, 0.064)] == [44, 44, 300]


def changing(parts: list[tuple[int, int]]) -> bytes:
    """An MP3 whose frames change: so many channels at so many Hz, half a second of each."""
    return b"".join(
        sounds.encode(
            sounds.tone(0.5, rate, channels), rate, channels, "mp3", "libmp3lame",
            bit_rate=64_000, options={"write_xing": "0", "id3v2_version": "0"},
        )
        for channels, rate in parts
    )  # fmt: skip


@pytest.mark.parametrize(
    "parts",
    [
        [(2, 16_000), (1, 16_000), (2, 16_000)],
        [(1, 16_000), (2, 16_000), (1, 16_000)],
        [(2, 44_100), (1, 8000), (2, 16_000), (1, 44_100)],
    ],
    ids=["mono among stereo", "stereo among mono", "all kinds"],
)
def test_frames_of_another_layout_end_nothing(parts: list[tuple[int, int]]) -> None:
    data = changing(parts)
    true_s = 0.0
    with av.open(io.BytesIO(data), "r") as box:
        for frame in box.decode(audio=0):
            assert isinstance(frame, AudioFrame)
            true_s += frame.samples / frame.sample_rate
    found = Whole(data)
    assert found.end is not None
    assert found.lanes == parts[0][0]
    assert found.end.length_s == pytest.approx(true_s, abs=_AGREES_S)
    assert found.windows * WINDOW_S == pytest.approx(true_s, abs=_AGREES_S)
    for start_s in (0.0, 0.8):
        pcm = b"".join(chunk.pcm for chunk in heard(data, start_s, None, near=True))
        assert length_s(pcm) == pytest.approx(true_s - start_s, abs=_AGREES_S)
