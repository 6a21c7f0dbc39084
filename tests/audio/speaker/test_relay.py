"""The relay between screens and a listener's machine, in this process: every message it passes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tui.audio import protocol
from tui.audio.protocol import Message
from tui.audio.protocol_stream import read_message
from tui.audio.speaker.relay_protocol import Timing
from tui.audio.speaker.server_side import Relay
from tui.audio.speaker_sockets import speakers

OPEN = {"do": "open", "id": 1}


class End:
    """One end of a connection, as a test speaks and hears there."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    def say(self, header: Message, body: bytes = b"") -> None:
        self.writer.write(protocol.pack(header, body))

    async def hears(self) -> Message | None:
        """The next message, None where it ends."""
        async with asyncio.timeout(10):
            message = await read_message(self._reader)
        return message and {**message[0], **({"body": message[1]} if message[1] else {})}

    def close(self) -> None:
        self.writer.close()


class Listener(End):
    """The listener's side of a relay that runs."""

    def __init__(
        self, near: tuple[asyncio.StreamReader, asyncio.StreamWriter], relay: asyncio.Task[str]
    ) -> None:
        super().__init__(*near)
        self._relay = relay

    async def meets(self, **hello: object) -> None:
        """Greet it, and wait until screens can come."""
        greeting = await self.hears()
        assert greeting is not None
        assert (greeting["is"], greeting["version"]) == ("relay", protocol.VERSION)
        about = {"name": "laptop.home", "output": "loud", "message": ""}
        self.say({"do": "speaker", "version": protocol.VERSION, **about, **hello})
        if not hello:
            assert await self.hears() == {"do": "screen", "n": 0}

    async def why(self) -> str:
        """Why the relay has ended."""
        async with asyncio.timeout(10):
            return await self._relay


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="rb"))  # a socket's path must be short
    yield {"RINGBACK_RUNTIME_DIR": str(folder)}
    assert not list(folder.iterdir()), "a relay has left its socket"
    shutil.rmtree(folder)


async def start(environ: dict[str, str], timing: Timing) -> Listener:
    here, there = socket.socketpair()
    near = await asyncio.open_connection(sock=here, limit=protocol.LINE_LIMIT)
    reader, writer = await asyncio.open_connection(sock=there, limit=protocol.LINE_LIMIT)

    async def run() -> str:
        try:
            return await Relay(reader, writer, timing).run(environ)
        finally:
            writer.close()
            await asyncio.sleep(0)

    return Listener(near, asyncio.create_task(run()))


@pytest.fixture
async def listener(environ: dict[str, str]) -> AsyncIterator[Listener]:
    made = await start(environ, Timing())
    yield made
    made.close()
    await made.why()


async def connect(environ: dict[str, str]) -> End:
    [path] = speakers(environ)
    return End(*await asyncio.open_unix_connection(str(path)))


async def screen(environ: dict[str, str]) -> End:
    """A screen that has been greeted."""
    made = await connect(environ)
    assert await made.hears() == {
        "is": "hello", "version": protocol.VERSION, "speaker": "laptop.home", "output": "loud",
        "message": "",
    }  # fmt: skip
    return made


async def test_its_socket_is_its_users_alone_while_there_is_a_speaker(
    environ: dict[str, str], listener: Listener
) -> None:
    assert speakers(environ) == []
    await listener.meets()
    [path] = speakers(environ)
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert path.name.endswith("-laptop.sock")
    listener.close()
    assert await listener.why() == ""
    assert speakers(environ) == []


async def test_a_screen_plays_at_the_listeners_side(
    environ: dict[str, str], listener: Listener
) -> None:
    await listener.meets()
    playing = await screen(environ)
    playing.say({"do": "pause", "on": True})  # it has not opened anything
    playing.say({**OPEN, "output": "wav:/x"})
    playing.say({"do": "data", "id": 1, "at": 0}, b"abc")
    assert await listener.hears() == {"do": "screen", "n": 1}
    assert await listener.hears() == OPEN
    assert await listener.hears() == {"do": "data", "id": 1, "at": 0, "bytes": 3, "body": b"abc"}
    listener.say({"is": "at", "id": 1, "s": 0.5})  # of an engine before it
    listener.say({"is": "screen", "n": 1})
    listener.say({"is": "held"})
    listener.say({"is": "at", "id": 1, "s": 1.5})
    assert await playing.hears() == {"is": "at", "id": 1, "s": 1.5}
    playing.close()
    assert await listener.hears() == {"do": "screen", "n": 0}
    listener.say({"is": "at", "id": 1, "s": 2.5})  # nobody is there to hear it


async def test_the_screen_that_opened_last_is_served(
    environ: dict[str, str], listener: Listener
) -> None:
    await listener.meets()
    first, second = await screen(environ), await screen(environ)
    first.say(OPEN)
    assert [await listener.hears(), await listener.hears()] == [{"do": "screen", "n": 1}, OPEN]
    second.say({"do": "stop"})
    second.say(OPEN)
    assert [await listener.hears(), await listener.hears()] == [{"do": "screen", "n": 2}, OPEN]
    assert [await first.hears(), await first.hears()] == [{"is": "over", "why": "taken"}, None]
    listener.say({"is": "screen", "n": 1})
    listener.say({"is": "at", "s": 1.0})
    listener.say({"is": "screen", "n": 2})
    listener.say({"is": "at", "s": 2.0})
    assert await second.hears() == {"is": "at", "s": 2.0}
    first.say({"do": "stop"})
    first.close()
    second.say({"do": "seek", "to": 3.0})
    assert await listener.hears() == {"do": "seek", "to": 3.0}, "who left was not served"
    second.close()


async def test_an_engine_that_crashed_ends_its_screens_turn(
    environ: dict[str, str], listener: Listener
) -> None:
    await listener.meets()
    playing = await screen(environ)
    playing.say(OPEN)
    assert await listener.hears() == {"do": "screen", "n": 1}
    listener.say({"is": "screen", "n": 1})
    listener.say({"is": "over", "why": "crashed"})
    assert [await playing.hears(), await playing.hears()] == [
        {"is": "over", "why": "crashed"}, None,
    ]  # fmt: skip
    playing.close()
    again = await screen(environ)
    again.say(OPEN)
    assert await listener.hears() == OPEN
    assert await listener.hears() == {"do": "screen", "n": 2}
    again.close()


async def test_a_screen_that_talks_nonsense_is_cut_and_no_other(
    environ: dict[str, str], listener: Listener
) -> None:
    await listener.meets()
    bad, good = await screen(environ), await screen(environ)
    bad.writer.write(b"[]\n")
    assert await bad.hears() is None
    good.say(OPEN)
    assert await listener.hears() == {"do": "screen", "n": 1}
    bad.close()
    good.close()


async def test_what_a_speaker_says_of_itself_is_bounded_and_safe(
    environ: dict[str, str], listener: Listener
) -> None:
    await listener.meets(name="n" * 99, output="o" * 999, message="m\x1b" + "m" * 999)
    assert await listener.hears() == {"do": "screen", "n": 0}
    greeted = await connect(environ)
    hello = await greeted.hears()
    greeted.close()
    assert hello is not None
    assert [len(hello[name]) for name in ("speaker", "output", "message")] == [60, 100, 300]
    assert hello["message"].startswith("m\ufffdm")


async def test_one_screen_too_many_is_refused(environ: dict[str, str], listener: Listener) -> None:
    await listener.meets()
    screens = [await screen(environ) for _ in range(32)]
    more = await connect(environ)
    with contextlib.suppress(ConnectionResetError):
        assert await more.hears() is None
    for one in (*screens, more):
        one.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"hello\n", "no speaker at the other end"),
        (b"", ""),
        (b'{"do":"other"}\n', "Ringback here speaks 2, there None: update the one on your machine"),
        (
            b'{"do":"speaker","version":3,"name":"x"}\n',
            "Ringback here speaks 2, there 3: update the one here",
        ),
    ],
)
async def test_who_is_no_speaker_of_this_version_is_told(
    said: bytes, why: str, environ: dict[str, str]
) -> None:
    listener = await start(environ, Timing())
    listener.writer.write(said)
    listener.writer.write_eof()
    assert await listener.why() == why
    listener.close()


async def test_a_speaker_that_falls_silent_is_given_up(environ: dict[str, str]) -> None:
    listener = await start(environ, Timing(silent_s=0.2))
    await listener.meets()
    for _ in range(4):
        await asyncio.sleep(0.1)
        listener.say({"do": "alive"})
    assert speakers(environ)
    assert await listener.why() == "the speaker fell silent"
    listener.close()


async def test_a_speaker_that_talks_nonsense_is_given_up(environ: dict[str, str]) -> None:
    listener = await start(environ, Timing())
    await listener.meets()
    listener.writer.write(b"nonsense\n")
    assert await listener.why() == "the speaker talks nonsense"
    listener.close()
