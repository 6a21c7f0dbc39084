"""A player's connection to the relay of a speaker: a unix socket, and a relay made of a few lines."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tui.audio import protocol
from tui.audio.client.connection import (
    GONE,
    SPEAKER_CRASHED,
    TAKEN,
    EngineConnection,
    open_connection,
)
from tui.audio.client.route import Route
from tui.audio.protocol import Message
from tui.audio.speaker_sockets import socket_path

HELLO = {
    "is": "hello", "version": protocol.VERSION, "speaker": "laptop", "output": "loud",
    "message": "hush",
}  # fmt: skip
Says = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def path() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rb"))  # a socket's path must be short
    yield socket_path(folder, "laptop")
    shutil.rmtree(folder)


@asynccontextmanager
async def relay(path: Path, *lines: bytes, reads: int = 0) -> AsyncIterator[list[bytes]]:
    """It reads so many lines, and then says these and ends; what it has read."""
    read: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(lines[0] if lines else b"")
        for _ in range(reads):
            read.append(await reader.readline())
        writer.write(b"".join(lines[1:]))
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield read


def line(**message: object) -> bytes:
    return protocol.pack(message)


async def connect(path: Path) -> EngineConnection:
    return await open_connection(Route("speaker", str(path)))


async def heard(connection: EngineConnection) -> list[Message]:
    async with asyncio.timeout(10):
        return [header async for header, _ in connection.messages()]


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        (line(**{"is": "over", "why": "taken"}), TAKEN),
        (line(**{"is": "over", "why": "crashed"}), SPEAKER_CRASHED),
        (line(**{"is": "over", "why": "bored"}), GONE),
        (b"", GONE),
        (b"nonsense\n", GONE),
    ],
)
async def test_it_says_where_sound_comes_out_and_why_it_has_ended(
    over: bytes, reason: str, path: Path
) -> None:
    output = line(**{"is": "output", "name": "miniaudio", "message": ""})
    at = line(**{"is": "at", "s": 1.5})
    async with relay(path, line(**HELLO), output, at, over, line(**{"is": "at"})):
        connection = await connect(path)
        said = await heard(connection)
        await connection.end()
    assert said[:3] == [
        {"is": "output", "name": "speaker laptop (loud)", "message": "hush"},
        {"is": "output", "name": "speaker laptop (miniaudio)", "message": ""},
        {"is": "at", "s": 1.5},
    ]
    assert len(said) == (4 if over == b"" else 3)
    assert connection.close_reason == reason


async def test_a_speaker_that_says_nothing_of_its_output_is_named_alone(path: Path) -> None:
    async with relay(path, line(**{"is": "hello", "version": protocol.VERSION})):
        connection = await connect(path)
        assert await heard(connection) == [
            {"is": "output", "name": "speaker laptop", "message": ""}
        ]
        await connection.end()


async def test_commands_reach_it_and_none_fails_once_it_has_gone(path: Path) -> None:
    async with relay(path, line(**HELLO), reads=1) as read:
        connection = await connect(path)
        connection.send({"do": "stop"})
        await heard(connection)
        await connection.end()
        connection.send({"do": "stop"})
    assert read == [b'{"do":"stop"}\n']


async def test_another_version_is_told_to_the_user(path: Path) -> None:
    async with relay(path, line(**{**HELLO, "version": 1})):
        with pytest.raises(OSError, match=f"speaks version 1, this Ringback {protocol.VERSION}"):
            await connect(path)


@pytest.mark.parametrize(("said", "words"), [(b"", "has gone"), (b"[]\n", "does not answer")])
async def test_who_does_not_greet_is_nobody(said: bytes, words: str, path: Path) -> None:
    async with relay(path, said):
        with pytest.raises(ConnectionError, match=words):
            await connect(path)


async def test_what_a_dead_relay_has_left_is_removed(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    with pytest.raises(ConnectionRefusedError):
        await connect(path)
    assert not path.exists()  # noqa: ASYNC240
    with pytest.raises(FileNotFoundError):
        await connect(path)
