"""``ringback speaker --relay``: joins the screens of this host to the speaker at ssh's other end.

It needs no sound library. It ends when ssh does, when the speaker falls silent, or by a signal,
and takes its socket along. The protocol is in `tui.audio.speaker.relay_protocol`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress

from providers.errors import reason
from providers.sanitize import safe_text
from tui.audio import protocol
from tui.audio.protocol import Message
from tui.audio.protocol_stream import read_message
from tui.audio.speaker import relay_protocol
from tui.audio.speaker.relay_protocol import TIMING, Timing
from tui.audio.speaker_sockets import is_mine, private_folder, socket_path, speakers
from tui.console import print_error

_HELLO_S = 10.0
_SLOW_S = 4.0  # a screen that takes nothing for so long is in the way of the others
_SCREENS = 32
_PENDING = 1 << 16  # bytes that may wait to be written at either side

_log = logging.getLogger(__name__)


class Screen:
    """One connection of a screen's player."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer = reader, writer
        self.dismissed = False
        writer.transport.set_write_buffer_limits(high=_PENDING)

    async def send(self, header: Message, body: bytes = b"") -> None:
        """Cuts the connection of a screen that does not read."""
        try:
            self._writer.write(protocol.pack(header, body))
            async with asyncio.timeout(_SLOW_S):
                await self._writer.drain()
        except TimeoutError:
            _log.warning("a screen does not read what it asked for; cut")
            self._writer.transport.abort()
        except OSError:
            pass  # its reader sees the end

    async def dismiss(self, why: str) -> None:
        """Say that it is over. What is still coming from there is read, or a reset of the
        connection would overtake these words; the screen closes it.
        """
        self.dismissed = True
        await self.send({"is": "over", "why": why})
        with suppress(OSError, RuntimeError):
            self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


class Relay:
    """`from_listener` and `to_listener` are ssh's ends."""

    def __init__(
        self,
        from_listener: asyncio.StreamReader,
        to_listener: asyncio.StreamWriter,
        timing: Timing = TIMING,
    ) -> None:
        self._from_listener, self._to_listener = from_listener, to_listener
        self._timing = timing
        self._hello: Message = {}
        self._screens: set[Screen] = set()
        self._serving: Screen | None = None
        self._turn = 0
        """Which screen is served, counted; 0 for none."""
        self._turns = 0
        self._heard_turn = 0
        self._lock = asyncio.Lock()

    async def run(self, environ: Mapping[str, str]) -> str:
        """Until the speaker has gone; then why, for whoever started it. Raises `OSError`."""
        await self._say({"is": "relay", "version": protocol.VERSION, "host": socket.gethostname()})
        try:
            async with asyncio.timeout(_HELLO_S):
                message = await read_message(self._from_listener)
        except (TimeoutError, protocol.Malformed):
            return "no speaker at the other end"
        if message is None:
            return ""
        hello = message[0]
        if hello.get("do") != "speaker" or hello.get("version") != protocol.VERSION:
            return relay_protocol.other_version(
                protocol.VERSION, hello.get("version"), "your machine"
            )
        self._hello = {
            "is": "hello",
            "version": protocol.VERSION,
            "speaker": safe_text(str(hello.get("name")), 60),
            "output": safe_text(str(hello.get("output")), 100),
            "message": safe_text(str(hello.get("message") or ""), 300),
        }
        folder = private_folder(environ)
        speakers(environ)  # takes away what dead relays have left
        path = socket_path(folder, str(hello.get("name")))
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._screen, path, limit=protocol.LINE_LIMIT)
        try:
            path.chmod(0o600)
            await self._say({"do": "screen", "n": 0})  # screens can come, and none has
            return await self._listen()
        finally:
            server.close()
            path.unlink(missing_ok=True)
            for screen in self._screens:
                screen.close()

    async def _say(self, header: Message, body: bytes = b"") -> None:
        """To the listener; waits while it is behind, and with it whoever has more to say."""
        async with self._lock:
            self._to_listener.write(protocol.pack(header, body))
            await self._to_listener.drain()

    # the speaker

    async def _listen(self) -> str:
        while True:
            try:
                async with asyncio.timeout(self._timing.silent_s):
                    message = await read_message(self._from_listener)
            except TimeoutError:
                return "the speaker fell silent"
            except protocol.Malformed as error:
                _log.warning("the speaker talks nonsense (%s)", error)
                return "the speaker talks nonsense"
            except OSError:
                return ""
            if message is None:
                return ""
            await self._pass_on(*message)

    async def _pass_on(self, header: Message, body: bytes) -> None:
        if header.get("is") == "screen":
            self._heard_turn = header.get("n", 0)
            return
        screen = self._serving
        if screen is None or self._heard_turn != self._turn:
            return  # of an engine that played for somebody else
        if header.get("is") == "over":
            await self._end_turn(screen, "crashed")
        elif relay_protocol.answer(header) is not None:
            await screen.send(header, body)

    # the screens

    async def _screen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_mine(writer.get_extra_info("socket")) or len(self._screens) >= _SCREENS:
            _log.warning("a connection was refused: another user's, or one too many")
            writer.transport.abort()
            return
        screen = Screen(reader, writer)
        self._screens.add(screen)
        try:
            await screen.send(self._hello)
            while message := await read_message(reader):
                if not screen.dismissed:
                    await self._obey(screen, *message)
        except protocol.Malformed as error:
            _log.warning("a screen talks nonsense (%s); cut", error)
        except OSError:
            pass
        finally:
            self._screens.discard(screen)
            screen.close()
            if self._serving is screen:
                self._serving, self._turn = None, 0
                with suppress(OSError):
                    await self._say({"do": "screen", "n": 0})

    async def _obey(self, screen: Screen, header: Message, body: bytes) -> None:
        wanted = relay_protocol.command(header)
        if wanted is None:
            return
        if wanted["do"] == "open" and screen is not self._serving:
            before, self._serving = self._serving, screen
            self._turns += 1
            self._turn = self._turns
            await self._say({"do": "screen", "n": self._turn})
            if before is not None:
                await before.dismiss("taken")
        if screen is self._serving:
            await self._say(wanted, body)

    async def _end_turn(self, screen: Screen, why: str) -> None:
        self._serving, self._turn = None, 0
        await screen.dismiss(why)


async def relay(environ: Mapping[str, str], timing: Timing = TIMING) -> int:
    """Run as a process over standard input and output; the exit code."""
    into, out = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)  # nothing but messages may come between messages
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, me.cancel)
    from_listener = asyncio.StreamReader(limit=protocol.LINE_LIMIT)
    reading, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(from_listener), into
    )
    writing, flow = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, out)
    writing.set_write_buffer_limits(high=_PENDING)
    to_listener = asyncio.StreamWriter(writing, flow, None, loop)
    to_listener.write(b"\n")  # a login's last words may have no end of line
    try:
        why = await Relay(from_listener, to_listener, timing).run(environ)
    except asyncio.CancelledError:
        why = ""
    except OSError as error:
        why = reason(error)
    finally:
        reading.close()
        if not writing.is_closing():  # as it is where nothing could be written
            writing.abort()
    if why:
        print_error(f"ringback speaker --relay: {why}")
    return 1 if why else 0
