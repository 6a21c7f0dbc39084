"""From bytes to sound, without any process: kinds, seeks, speeds, and damage."""

from __future__ import annotations

import io
import random
import struct
import zlib
from array import array
from itertools import pairwise

import pytest

from tests.audio import sounds
from tests.slow_params import few
from tui.audio.engine.demuxer import FRAME, RATE, Chunk, Demuxer
from tui.audio.engine.demuxer_choice import Unplayable, demuxer_for

KINDS = sorted(sounds.KINDS)


def decode(data: bytes, start_s: float = 0.0, speed: float = 1.0) -> list[Chunk]:
    media = Demuxer(io.BytesIO(data), len(data))
    try:
        return list(media.chunks(start_s, speed))
    finally:
        media.close()


def pcm(chunks: list[Chunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_decoded_to_the_last_sample(kind: str, kinds: dict[str, bytes]) -> None:
    assert pcm(decode(kinds[kind])) == sounds.reference(kinds[kind])


def test_what_needs_no_conversion_is_not_touched(kinds: dict[str, bytes]) -> None:
    assert pcm(decode(kinds["wav-48k-stereo"])) == kinds["wav-48k-stereo"][44:]


def test_mono_is_as_loud_on_both_sides() -> None:
    loud = array("h", [12_345] * 4800)
    out = array("h", pcm(decode(sounds.wav(loud, RATE))))
    assert set(out) == {12_345}
    assert len(out) == 2 * len(loud)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "webm"])
@pytest.mark.parametrize("start_s", few(1, [0.625, 0.05, 0.75]))
def test_a_seek_is_exact(kind: str, start_s: float, kinds: dict[str, bytes]) -> None:
    whole = sounds.reference(kinds[kind])[round(start_s * RATE) * FRAME :]
    chunks = decode(kinds[kind], start_s)
    out = pcm(chunks)
    assert chunks[0].at_s == pytest.approx(start_s, abs=1e-6)
    assert abs(len(out) - len(whole)) <= FRAME
    apart = max(abs(a - b) for a, b in zip(array("h", out), array("h", whole), strict=False))
    # from 44.1 kHz it may stand between two samples (which are up to 1037 apart here), and AAC
    # makes up its noise anew
    assert apart <= {"44k": 800, "m4a": 800, "fla": 800, "mp4": 120}.get(step_of(kind), 1)


def step_of(kind: str) -> str:
    return "44k" if "44k" in kind else kind[:3]


@pytest.mark.parametrize(
    ("rate", "bit_rate"), few(1, [(8000, 16_000), (16_000, 24_000), (48_000, 96_000)])
)
@pytest.mark.parametrize("start_s", few(1, [33.3, 50.0]))
def test_a_far_seek_in_an_mp3_is_exact_and_reads_little(
    rate: int, bit_rate: int, start_s: float
) -> None:
    data = sounds.encode(sounds.tone(60.0, rate), rate, 1, "mp3", "libmp3lame", bit_rate=bit_rate)

    class Counted(io.BytesIO):
        count = 0

        def read(self, n: int | None = -1) -> bytes:
            out = super().read(n)
            Counted.count += len(out)
            return out

    media = Demuxer(Counted(data), len(data), near=False)
    chunks, out = media.chunks(start_s), b""
    while len(out) < RATE * FRAME:
        out += next(chunks).pcm
    media.close()
    assert out == sounds.reference(data)[round(start_s * RATE) * FRAME :][: len(out)]
    assert Counted.count < 40_000 < len(data) / 2


def test_a_far_seek_in_an_mp3_ends_where_its_sound_does() -> None:
    """What fills up its last frame is left out, also where FFmpeg has forgotten the count."""
    tone = sounds.tone(60.0, 8000)
    data = sounds.encode(tone, 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    media = Demuxer(io.BytesIO(data), len(data), near=False)
    out = pcm(list(media.chunks(58.3)))
    media.close()
    whole = sounds.reference(data)[round(58.3 * RATE) * FRAME :]
    assert len(out) == len(whole)
    assert out[:-2000] == whole[:-2000]  # the very last samples are those of a resampler's end


def test_an_mp3_of_many_bit_rates_is_read_through_to_be_exact() -> None:
    swept, many = sounds.swept(30.0, 16_000), {"abr": "1"}
    data = sounds.encode(swept, 16_000, 1, "mp3", "libmp3lame", bit_rate=32_000, codec_options=many)
    assert b"Xing" in data[:200]
    assert pcm(decode(data, 20.0)) == sounds.reference(data)[20 * RATE * FRAME :]


def test_seeking_back_to_the_start_brings_the_same_sound(kinds: dict[str, bytes]) -> None:
    for kind in ("mp3-8k-mono", "m4a", "opus"):
        media = Demuxer(io.BytesIO(kinds[kind]), len(kinds[kind]))
        first = pcm(list(media.chunks(0.0, 1.0)))
        assert pcm(list(media.chunks(0.0, 1.0))) == first, kind
        media.close()


@pytest.mark.parametrize("speed", few(2, [0.5, 3.0, 0.75, 1.5]))
def test_speed_changes_the_length_and_not_the_pitch(speed: float) -> None:
    data = sounds.wav(sounds.tone(3.0, 8000, hz=500.0), 8000)
    chunks = decode(data, speed=speed)
    out = array("h", pcm(chunks))[::2]
    assert len(out) / RATE * speed == pytest.approx(3.0, abs=0.1)
    rising = sum(a < 0 <= b for a, b in pairwise(out[4800:-4800]))
    assert rising / ((len(out) - 9600) / RATE) == pytest.approx(500.0, rel=0.02)
    assert chunks[-1].at_s == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_going_on_from_a_moment_ago_needs_no_byte_again(
    kind: str, longer: dict[str, bytes]
) -> None:
    """As at another speed: what was decoded shortly before is kept."""

    class Counted(io.BytesIO):
        reads = 0

        def read(self, n: int | None = -1) -> bytes:
            Counted.reads += 1
            return super().read(n)

    whole = sounds.reference(longer[kind])
    media = Demuxer(Counted(longer[kind]), len(longer[kind]))
    first = media.chunks(0.0)
    parts: list[bytes] = []
    while sum(map(len, parts)) < 2.2 * RATE * FRAME:
        parts.append(next(first).pcm)
    so_far, reads = b"".join(parts), Counted.reads
    again = next(media.chunks(2.0, 1.5))
    assert (again.at_s, again.speed) == (2.0, 1.5)
    at = 1.9
    rest = pcm([next(chunks) for chunks in [media.chunks(at)] for _ in range(3)])
    assert Counted.reads == reads
    media.close()
    assert so_far == whole[: len(so_far)]
    if not any(name in kind for name in ("44k", "m4a", "flac")):  # between two samples of these
        assert rest == whole[round(at * RATE) * FRAME :][: len(rest)]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", "not_sound", "empty"),
        (b"<!DOCTYPE html><html>Log in</html>", "not_sound", "web page"),
        (b"\xef\xbb\xbf <html>", "not_sound", "web page"),
        (b'{"error": "expired"}', "not_sound", "JSON"),
        (b"#EXTM3U\nhttp://169.254.169.254/a.mp3\n", "not_sound", "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_sound", "playlist"),
        (b"[playlist]\nFile1=/etc/passwd\n", "not_sound", "playlist"),
        (b"just some words\n" * 40, "not_sound", "text"),
        (bytes(range(1, 200)) * 20, "not_sound", "no known kind"),
        (b"\0" * 5000, "not_sound", "no known kind"),
        (b"RIFF\x10\0\0\0AVI LIST", "not_sound", "no known kind"),
    ],
    ids=str.split("empty page bom json m3u concat pls text binary zeros avi"),
)
def test_what_is_no_sound_is_refused_by_its_bytes(data: bytes, reason: str, words: str) -> None:
    with pytest.raises(Unplayable) as caught:
        decode(data)
    assert caught.value.reason == reason
    assert words in caught.value.detail


def test_every_kind_is_known_by_its_bytes(kinds: dict[str, bytes]) -> None:
    found = {kind: demuxer_for(data[:4096]) for kind, data in kinds.items()}
    assert {kind.split("-")[0]: demuxer for kind, demuxer in found.items()} == {
        "mp3": "mp3", "m4a": "mp4", "mp4": "mp4", "aac": "aac", "wav": "wav",
        "opus": "ogg", "webm": "matroska", "flac": "flac",
    }  # fmt: skip


def test_an_mp3_without_its_first_half_still_plays(kinds: dict[str, bytes]) -> None:
    data = kinds["mp3-44k-stereo"]
    at = data.index(data[data.index(b"\xff\xfb") :][:2], len(data) // 2)
    assert len(pcm(decode(data[at:]))) > 0.2 * RATE * FRAME


@pytest.mark.parametrize("kind", ["mp3-44k-stereo", "m4a", "wav-ulaw", "opus", "flac"])
def test_a_cut_file_plays_as_far_as_it_goes(kind: str, longer: dict[str, bytes]) -> None:
    data = longer[kind]
    whole = sounds.reference(data)
    out = pcm(decode(data[: len(data) * 3 // 4]))
    # the last frame may come out shorter or filled up; all before it is the same
    same = len(whole) // 4 // FRAME * FRAME
    assert out[:same] == whole[:same]
    assert len(out) <= len(whole) + 8192


def test_damage_in_the_middle_is_skipped_and_noticed() -> None:
    data = sounds.encode(
        sounds.tone(3.0, 44_100, 2), 44_100, 2, "mp3", "libmp3lame", bit_rate=128_000
    )
    noise = random.Random(1).randbytes(4000)
    broken = data[: len(data) // 2] + noise + data[len(data) // 2 + 4000 :]
    media = Demuxer(io.BytesIO(broken), len(broken))
    out = pcm(list(media.chunks(0.0, 1.0)))
    media.close()
    assert media.damaged
    assert len(out) / FRAME / RATE == pytest.approx(3.0, abs=0.6)


@pytest.mark.parametrize("seed", few(2, range(8)))
@pytest.mark.parametrize("kind", ["mp3-8k-mono", "m4a", "opus", "flac", "wav-ulaw"])
def test_a_mangled_file_ends_in_one_of_two_ways(
    kind: str, seed: int, kinds: dict[str, bytes]
) -> None:
    rng = random.Random(seed)
    data = bytearray(kinds[kind])
    for _ in range(40):
        data[rng.randrange(4, len(data))] = rng.randrange(256)
    try:
        out = pcm(decode(bytes(data)))
    except Unplayable as error:
        assert error.reason in ("damaged", "not_sound", "no_sound")
    else:
        assert len(out) % FRAME == 0


def test_an_mp4_without_its_table_cannot_be_decoded(kinds: dict[str, bytes]) -> None:
    data = kinds["mp4-moov-last"]
    with pytest.raises(Unplayable) as caught:
        decode(data[: data.index(b"moov")])
    assert caught.value.reason == "damaged"


def test_a_film_without_sound_is_refused(kinds: dict[str, bytes]) -> None:
    data = kinds["mp4-picture"]
    mute = data.replace(b"soun", b"xxxx").replace(b"mp4a", b"xxxx")
    with pytest.raises(Unplayable):
        decode(mute)


@pytest.mark.parametrize("claim", [0, 0xFFFF_FFFF, 0xFFFF_FFF0, 10_000_000])
def test_a_wav_header_that_lies_is_not_believed(claim: int, kinds: dict[str, bytes]) -> None:
    good = kinds["wav-ulaw"]
    at = good.index(b"data") + 4
    lying = good[:at] + struct.pack("<I", claim) + good[at + 4 :]
    media = Demuxer(io.BytesIO(lying), len(lying))
    assert media.length_s == pytest.approx(0.8, abs=0.01)
    assert pcm(list(media.chunks(0.0, 1.0))) == sounds.reference(good)
    media.close()


def test_an_impossible_sample_rate_is_refused() -> None:
    with pytest.raises(Unplayable) as caught:
        decode(sounds.wav(sounds.tone(1.0, 8000), 1))
    assert caught.value.reason == "damaged"


def test_a_bomb_is_decoded_in_small_pieces() -> None:
    silence = array("h", bytes(2 * 8000 * 600))
    data = sounds.encode(silence, 8000, 1, "flac", "flac")
    assert len(data) < 200_000
    media = Demuxer(io.BytesIO(data), len(data))
    sizes = [len(chunk.pcm) for chunk in media.chunks(0.0, 1.0)]
    media.close()
    assert sum(sizes) == 600 * RATE * FRAME
    assert max(sizes) < 4 * RATE * FRAME


def test_files_that_are_named_inside_are_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A QuickTime file may keep its sound elsewhere: the reference is not followed."""
    data = bytearray(sounds.encode(sounds.tone(0.5, 16_000), 16_000, 1, "mp4", "aac"))
    at = data.index(b"url \0\0\0\1")
    data[at + 7] = 0  # "not in this file": the address would follow
    before = zlib.crc32(data)
    try:
        decode(bytes(data))
    except Unplayable as error:
        assert error.reason in ("damaged", "not_sound")
    assert zlib.crc32(data) == before


class Counted(io.BytesIO):
    furthest = 0

    def read(self, n: int | None = -1) -> bytes:
        data = super().read(n)
        self.furthest = max(self.furthest, self.tell())
        return data


@pytest.mark.parametrize("before", [0, 300, 20_000])
def test_a_wav_sounds_after_its_first_few_kilobytes(before: int) -> None:
    """Before FFmpeg has looked through 64 kB for something else."""
    data = sounds.wav(sounds.tone(10.0, 8000), 8000)
    extra = b"JUNK" + before.to_bytes(4, "little") + bytes(before) if before else b""
    data = data[:36] + extra + data[36:]
    file = Counted(data)
    media = Demuxer(file, len(data))
    chunks = media.chunks(0.0)
    pcm = next(chunks).pcm
    assert file.furthest < 9_000 + before
    pcm += b"".join(chunk.pcm for chunk in chunks)
    media.close()
    assert len(pcm) == 10 * RATE * FRAME
    assert not media.damaged
