"""Where the sound of a WAV file is, by its chunks, and how much of what they say is believed."""

from __future__ import annotations

import io
import struct

import pytest

from tui.audio.engine.wav import FileSlice, PatchedFile, RawSamples, Wav, read_wav

NEVER = 0xFFFF_FFFF
SOUND = bytes(range(1, 201))
LOUD = b"\xff\x80" * 100


def chunk(name: bytes, body: bytes, claim: int | None = None, *, order: str = "<") -> bytes:
    """`claim`: the size in its header, where that is not the true one."""
    return name + struct.pack(f"{order}I", len(body) if claim is None else claim) + body


def fmt(tag: int = 1, channels: int = 1, bits: int = 16, *, order: str = "<") -> bytes:
    block = channels * bits // 8
    body = struct.pack(f"{order}HHIIHH", tag, channels, 8000, 8000 * block, block, bits)
    return chunk(b"fmt ", body, order=order)


def riff(*chunks: bytes, kind: bytes = b"RIFF") -> bytes:
    return kind + bytes(4) + b"WAVE" + b"".join(chunks)


def read(data: bytes, *, known: bool = True) -> Wav:
    """`known`: whether the number of the file's bytes is."""
    found = read_wav(io.BytesIO(data), len(data) if known else None)
    assert found is not None
    return found


def test_the_sound_begins_behind_all_other_chunks() -> None:
    found = read(riff(fmt(), chunk(b"LIST", bytes(10)), chunk(b"data", SOUND)))
    assert found == Wav(12 + 24 + 18 + 8, 200, True)


@pytest.mark.parametrize("tag", [3, 6, 7, 0x11])
def test_what_is_not_pcm_is_not_plain(tag: int) -> None:
    assert not read(riff(fmt(tag), chunk(b"data", SOUND))).plain


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"OggS" + bytes(40),
        riff(fmt(), chunk(b"data", SOUND)).replace(b"WAVE", b"AVI "),
        riff(fmt()),
        riff(fmt(), b"dat"),
        riff(*[chunk(b"JUNK", b"")] * 64, chunk(b"data", SOUND)),
    ],
    ids=["empty", "a mark", "another file", "a film", "no sound", "half a chunk", "chunks only"],
)
def test_what_is_no_wav_has_no_sound(data: bytes) -> None:
    assert read_wav(io.BytesIO(data), len(data)) is None


def test_sound_behind_many_chunks_is_found() -> None:
    found = read(riff(*[chunk(b"JUNK", b"")] * 63, chunk(b"data", SOUND)))
    assert found.data_bytes == 200


@pytest.mark.parametrize(
    ("claim", "behind", "data_bytes"),
    [
        (200, b"", 200),
        (201, b"", 201),  # padding is missing
        (199, b"", 199),
        (1000, b"", 1000),  # cut off
        (0x7FFF_0000, b"", None),
        (0x7FFE_FFFF, b"", 0x7FFE_FFFF),
        (NEVER, b"", None),
        (0, b"", None),
        (100, b"", None),  # written half way, and sound goes on behind
        (195, b"", 195),  # too few bytes behind it for a chunk
        (200, chunk(b"LIST", bytes(20)), 200),
        (200, chunk(b"LIST", bytes(20), 21), 200),  # its padding is missing
        (200, chunk(b"LIST", bytes(20), 22), None),  # no chunk: it would be longer than the file
        (200, chunk(b"LIST", bytes(20), 20, order=">"), 200),
        (200, chunk(b"\x7f\x80\x01\x02", bytes(20)), None),
        (199, b"\0" + chunk(b"LIST", bytes(20)), None),  # SOUND's last byte is its padding
    ],
)
def test_a_size_is_believed_where_the_file_ends_or_goes_on_as_it_says(
    claim: int, behind: bytes, data_bytes: int | None
) -> None:
    assert read(riff(fmt(), chunk(b"data", SOUND, claim), behind)).data_bytes == data_bytes


def test_padding_is_looked_over() -> None:
    assert (
        read(riff(fmt(), chunk(b"data", SOUND[:199]), b"\0", chunk(b"LIST", b""))).data_bytes == 199
    )


@pytest.mark.parametrize(
    ("claim", "sound", "data_bytes"),
    [
        (0, SOUND, None),
        (100, LOUD, None),
        (200, SOUND, 200),
        (1024, SOUND * 20, None),
        (1025, SOUND * 20, 1025),
        (NEVER, SOUND, None),
        (0x7FFF_0000, SOUND, None),
    ],
)
def test_while_it_still_comes_a_small_size_is_looked_at_and_a_large_one_believed(
    claim: int, sound: bytes, data_bytes: int | None
) -> None:
    found = read(riff(fmt(), chunk(b"data", sound, claim)), known=False)
    assert found.data_bytes == data_bytes


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
@pytest.mark.parametrize(("size", "data_bytes"), [(200, 200), (0, None), (1 << 63, None)])
def test_the_long_form_tells_its_size_before(
    kind: bytes, size: int, data_bytes: int | None
) -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 1, size, 2, 0))
    found = read(riff(ds64, fmt(), chunk(b"data", SOUND, NEVER), kind=kind))
    assert found.data_bytes == data_bytes
    assert read(riff(ds64, fmt(), chunk(b"data", SOUND, 200), kind=kind)).data_bytes == 200


def test_an_odd_chunk_without_padding_misleads() -> None:
    odd = chunk(b"LIST", b"abc")
    padded = read(riff(fmt(), odd, b"\0", chunk(b"data", SOUND)))
    assert padded.header is None
    bare = read(riff(fmt(), odd, chunk(b"data", SOUND)))
    assert bare.header is not None
    assert bare.data_at == padded.data_at - 1
    again = read(bare.header + SOUND)
    assert (again.data_at, again.data_bytes) == (len(bare.header), 200)
    both = read(riff(fmt(), odd, odd, b"\0", chunk(b"data", SOUND)))
    assert both.header is not None


@pytest.mark.parametrize("tag", [0x14, 0x40, 0x45, 0x64])
def test_of_g726_the_bits_are_believed_and_not_the_bytes_a_second(tag: int) -> None:
    lying = struct.pack("<HHIIHH", tag, 1, 8000, 77, 1, 4)
    found = read(riff(chunk(b"fmt ", lying), chunk(b"data", SOUND)))
    assert found.header is not None
    assert struct.unpack_from("<I", found.header, 28)[0] == 8000 * 4 // 8
    odd = struct.pack("<HHIIHH", tag, 1, 8000, 77, 1, 6)
    assert read(riff(chunk(b"fmt ", odd), chunk(b"data", SOUND))).header is None


@pytest.mark.parametrize(
    ("tag", "bits", "foreign"),
    [
        (1, 16, RawSamples("s16be", 8000, 2)),
        (3, 32, RawSamples("f32be", 8000, 2)),
        (1, 8, None),
        (7, 8, None),
        (7, 16, None),
    ],
)
def test_samples_of_the_other_byte_order(tag: int, bits: int, foreign: RawSamples | None) -> None:
    data = riff(fmt(tag, 2, bits, order=">"), chunk(b"data", SOUND, order=">"), kind=b"RIFX")
    found = read(data)
    assert (found.foreign, found.data_bytes) == (foreign, 200)
    assert read(riff(fmt(tag, 2, bits), chunk(b"data", SOUND))).foreign is None


def test_a_description_that_is_too_short_says_nothing() -> None:
    assert not read(riff(chunk(b"fmt ", b"\0"), b"\0", chunk(b"data", SOUND))).plain


@pytest.mark.parametrize("step", [1, 3, 100])
@pytest.mark.parametrize(("at", "what"), [(0, b"ab"), (5, b"cdef"), (18, b"xyz"), (30, b"no")])
def test_a_patched_file_has_other_bytes_there(step: int, at: int, what: bytes) -> None:
    data = bytes(range(20))
    file = PatchedFile(io.BytesIO(data), at, what)
    true = (data[:at] + what + data[at + len(what) :])[:20]
    read = b"".join(iter(lambda: file.read(step), b""))
    assert read == true
    for place in range(20):
        assert file.seek(place) == file.tell() == place
        assert file.read(4) == true[place : place + 4]
    assert file.seek(-3, 2) == 17
    assert file.read(9) == true[17:]


@pytest.mark.parametrize("size", [6, None])
def test_a_slice_of_a_file_is_a_file(size: int | None) -> None:
    whole = io.BytesIO(bytes(range(20)))
    file = FileSlice(whole, 4, size)
    end = 10 if size else 20
    assert file.read(3) == bytes([4, 5, 6])
    whole.seek(0)  # somebody else has read in between
    assert file.read(100) == bytes(range(7, end))
    assert file.read(1) == b""
    assert (file.seek(1), file.tell()) == (1, 1)
    assert file.seek(1, 1) == 2
    assert file.read(2) == bytes([6, 7])
    assert file.seek(-1, 2) == (5 if size else -1)
    if size:
        assert file.read(9) == bytes([9])
