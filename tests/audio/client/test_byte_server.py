"""Bytes that come late, in pieces, or not at all: what a player makes of its source."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from providers.errors import RecordingError
from tests.audio import sounds
from tests.audio.listener import Listen


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
