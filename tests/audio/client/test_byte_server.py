"""Bytes that come late, in pieces, or not at all: what a player makes of its source."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from providers.errors import RecordingError
from tests.audio import sounds
from tests.audio.listener import Listen
from tui.audio.client.byte_server import ByteServer, unreadable


class Broken:
    """A source that fails in the middle, and one that never answers."""

    size: int | None = None

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        return b""

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RecordingError("gone"), "deleted at the vendor"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (RuntimeError("https://host/secret?sig=abc"), "(RuntimeError)"),
    ],
    ids=["recording", "disk", "other"],
)
async def test_a_source_that_fails_says_why_and_no_secret(
    error: Exception, words: str, listen: Listen
) -> None:
    listener = listen("none")
    await listener.player.play(Broken(error))
    state = await listener.over()
    assert words in state.message
    assert "secret" not in state.message


async def test_a_source_that_hangs_can_be_left(listen: Listen, kinds: dict[str, bytes]) -> None:
    listener = listen("none")
    await listener.player.play(Broken(None))
    await asyncio.sleep(0.3)
    assert listener.state.status == "loading"
    await listener.play(kinds["wav-ulaw"])
    await listener.until("playing")


class Slow:
    """A download: bytes come in small pieces, and their number is not known before the end."""

    size: int | None = None

    def __init__(self, data: bytes, hold_at: int) -> None:
        self._data, self._hold_at = data, hold_at
        self.held, self.go_on = asyncio.Event(), asyncio.Event()

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        if offset >= self._hold_at:
            self.held.set()
            await self.go_on.wait()
        return self._data[offset : offset + min(n, 3000)]

    def close(self) -> None:
        """Nothing is open."""


async def test_a_download_that_stalls_is_waited_for_and_nothing_is_lost(
    listen: Listen, tmp_path: Path
) -> None:
    tone = sounds.tone(3.0, 44_100, 2)
    data = sounds.encode(tone, 44_100, 2, "mp3", "libmp3lame", bit_rate=128_000)
    source = Slow(data, hold_at=20_000)
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.player.play(source)
    await source.held.wait()
    await asyncio.sleep(0.3)
    assert listener.state.status == "loading"
    source.go_on.set()
    assert (await listener.over()).status == "ended"
    heard, whole = (tmp_path / "out.wav").read_bytes()[44:], sounds.reference(data)
    same = len(whole) - 4000  # the padding at the very end is known by the file's size alone
    assert heard[:same] == whole[:same]
    assert abs(len(heard) - len(whole)) < 10_000


async def test_a_file_that_is_left_half_way_is_whole_as_far_as_it_goes(
    listen: Listen, tmp_path: Path
) -> None:
    """Its header says how much is in it: the engine ends by itself, and is not killed."""
    tone = sounds.tone(10.0, 8000)
    data = sounds.encode(tone, 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    source = Slow(data, hold_at=12_000)
    listener = listen(f"wav:{tmp_path}/out.wav")
    await listener.player.play(source)
    await listener.until(lambda state: state.position_s > 1.0)
    await listener.player.close()
    size = (tmp_path / "out.wav").stat().st_size - 44
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert file.getnframes() * sounds.FRAME == size > 0


async def test_a_seek_back_does_not_wait_for_a_stalled_download(listen: Listen) -> None:
    tone = sounds.tone(10.0, 8000)
    data = sounds.encode(tone, 8000, 1, "mp3", "libmp3lame", bit_rate=16_000)
    listener = listen("none")
    await listener.player.play(Slow(data, hold_at=12_000))
    await listener.until("playing")
    listener.player.seek_to(9.0)
    await asyncio.sleep(0.3)
    assert listener.state.status == "loading"
    listener.player.seek_to(1.0)
    state = await listener.until("playing", timeout_s=2.0)
    assert 1.0 <= state.position_s < 1.5


class Remembering:
    """A source that answers when the test says so; which reads are under way."""

    size: int | None = None

    def __init__(self) -> None:
        self.reads: list[tuple[int, int, bool]] = []
        self.answers: list[asyncio.Future[bytes]] = []

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        self.reads.append((offset, n, idle))
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]

    def close(self) -> None:
        """Nothing is open."""


class Served:
    """A server of bytes, and what it gave."""

    def __init__(self) -> None:
        self.source = Remembering()
        self.given: list[tuple[int, int, bytes]] = []
        self.errors: list[tuple[int, Exception]] = []
        self.server = ByteServer(
            lambda *given: self.given.append(given), lambda *error: self.errors.append(error)
        )

    async def request(self, at: object, n: object, *, idle: object = False) -> None:
        self.server.serve(self.source, 7, {"at": at, "n": n, "idle": idle})
        await asyncio.sleep(0)

    async def answer(self, number: int, data: bytes | Exception) -> None:
        if isinstance(data, Exception):
            self.source.answers[number].set_exception(data)
        else:
            self.source.answers[number].set_result(data)
        for _ in range(3):
            await asyncio.sleep(0)


async def test_all_that_was_asked_for_is_given_piece_by_piece_until_the_end() -> None:
    served = Served()
    await served.request(10, 5)
    await served.answer(0, b"ab")
    assert served.source.reads == [(10, 5, False), (12, 3, False)]
    await served.answer(1, b"cde")
    assert served.given == [(7, 10, b"ab"), (7, 12, b"cde")]
    await served.request(15, 5)
    await served.answer(2, b"")
    assert served.given[-1] == (7, 15, b"")
    assert len(served.source.reads) == 3


@pytest.mark.parametrize(
    ("at", "n", "read"),
    [(-5, 10, (0, 10)), (3, 0, (3, 1)), (3, 1 << 30, (3, 1 << 18)), (3.7, 2.2, (3, 2))],
)
async def test_a_request_is_bounded(at: float, n: float, read: tuple[int, int]) -> None:
    served = Served()
    await served.request(at, n)
    assert served.source.reads == [(*read, False)]
    served.server.cancel()


async def test_idle_requests_wait_for_each_other_and_get_one_piece() -> None:
    served = Served()
    await served.request(0, 9, idle=True)
    await served.request(100, 9, idle=True)
    await served.request(50, 9)
    assert served.source.reads == [(0, 9, True), (50, 9, False)]
    await served.answer(0, b"ab")
    assert served.given == [(7, 0, b"ab")]
    assert served.source.reads[-1] == (100, 9, True)
    await served.answer(2, OSError("gone"))
    assert served.errors == [], "it costs nobody the sound"
    await served.answer(1, OSError("gone"))
    assert [id_ for id_, _ in served.errors] == [7]


async def test_who_is_cancelled_gives_nothing() -> None:
    served = Served()
    await served.request(0, 9)
    [task] = served.server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert served.server.cancel() == []
    assert served.given == []


def test_why_a_recording_cannot_be_read() -> None:
    assert "deleted at the vendor" in unreadable(RecordingError("gone"))
    assert unreadable(OSError(5, "Input/output error")) == (
        "the recording cannot be read (Input/output error)"
    )
    assert unreadable(RuntimeError("https://x/secret")) == (
        "the recording cannot be read (RuntimeError)"
    )
