"""The way from a player to its engine: a child process, or the speaker at the listener's side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tui.audio import protocol
from tui.audio.client.engine_process import EngineProcess
from tui.audio.client.route import Route
from tui.audio.protocol import Message
from tui.audio.protocol_stream import read_message
from tui.audio.speaker_sockets import is_mine, name_of, remove_stale

GONE = "the speaker has gone; it goes on here when `ringback speaker` runs again on your machine"
TAKEN = "another screen uses the speaker; play again to take it back"
SPEAKER_CRASHED = "the speaker's sound engine stopped; play again to start it anew"
_OVER = {"taken": TAKEN, "crashed": SPEAKER_CRASHED}
_HELLO_S = 2.0
_PARTING_S = 0.2


class EngineConnection(Protocol):
    """Messages to an engine and from it, wherever it is."""

    @property
    def close_reason(self) -> str:
        """Why it ended, for the user, where the recording can go on later; else empty."""
        ...

    def send(self, header: Message, body: bytes = b"") -> None:
        """Never fails: an engine that is gone is noticed where its messages end."""

    def messages(self) -> AsyncIterator[tuple[Message, bytes]]:
        """What the engine says, until it ends or talks nonsense."""
        ...

    async def end(self) -> None:
        """At most half a second, whatever is at the other end."""


class SpeakerConnection:
    """A connection to the relay of `ringback speaker`; see `tui.audio.speaker.relay_protocol`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Message, name: str
    ) -> None:
        self._reader, self._writer, self._name = reader, writer, name
        self._output, self._message = hello.get("output", ""), hello.get("message", "")
        self.close_reason = GONE

    @classmethod
    async def connect(cls, path: str) -> SpeakerConnection:
        """Raises `OSError`: `ConnectionError` and `FileNotFoundError` when nobody is there (any
        more), else with words for the user.
        """
        reader, writer = await asyncio.open_unix_connection(path, limit=protocol.LINE_LIMIT)
        try:
            if not is_mine(writer.get_extra_info("socket")):
                raise PermissionError(1, "the speaker's socket belongs to another user")
            hello = await _hello(reader)
            version = hello.get("version")
            if version != protocol.VERSION:
                raise OSError(
                    0, f"the speaker speaks version {version}, this Ringback {protocol.VERSION}: "
                    "update the older one and start the speaker anew"
                )  # fmt: skip
        except BaseException:
            writer.transport.abort()
            raise
        return cls(reader, writer, hello, name_of(path))

    def send(self, header: Message, body: bytes = b"") -> None:
        if not self._writer.is_closing():
            self._writer.write(protocol.pack(header, body))

    async def messages(self) -> AsyncIterator[tuple[Message, bytes]]:
        yield self._where(str(self._output), self._message), b""
        with suppress(protocol.Malformed, OSError):
            while message := await read_message(self._reader):
                header = message[0]
                if header.get("is") == "over":
                    self.close_reason = _OVER.get(str(header.get("why")), GONE)
                    return
                if header.get("is") == "output":
                    header = self._where(str(header.get("name")), header.get("message"))
                yield header, message[1]

    def _where(self, output: str, message: object) -> Message:
        """What the speaker plays through, said so that nobody looks for it on this machine."""
        what = f" ({output})" if output else ""
        return {"is": "output", "name": f"speaker {self._name}{what}", "message": message or ""}

    async def end(self) -> None:
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PARTING_S):
                await self._writer.wait_closed()
        self._writer.transport.abort()


async def _hello(reader: asyncio.StreamReader) -> Message:
    try:
        async with asyncio.timeout(_HELLO_S):
            message = await read_message(reader)
    except (TimeoutError, protocol.Malformed) as error:
        raise ConnectionError(0, "the speaker does not answer") from error
    if message is None:
        raise ConnectionError(0, "the speaker has gone")
    return message[0]


async def open_connection(route: Route) -> EngineConnection:
    """The engine of a route. Raises `OSError`, as what connects or starts it."""
    if route.kind != "speaker":
        return await EngineProcess.start(route.output, remote=route.kind == "pulse")
    try:
        return await SpeakerConnection.connect(route.output)
    except ConnectionRefusedError:
        remove_stale(Path(route.output))
        raise
