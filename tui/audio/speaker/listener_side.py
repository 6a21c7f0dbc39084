"""``ringback speaker HOST`` on the listener's machine: an engine, joined to a relay by ssh.

The engine is started and its output tried before anybody presses a key. Each screen gets an
engine of its own, so that nothing of one is heard at another. See relay_protocol.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shlex
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import NamedTuple

from providers.errors import reason
from providers.sanitize import safe_text
from tui.audio import protocol
from tui.audio.client.engine_process import EngineProcess
from tui.audio.protocol import Message
from tui.audio.protocol_stream import read_message
from tui.audio.speaker import relay_protocol
from tui.audio.speaker.relay_protocol import TIMING
from tui.console import print_error

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
_STEADY_S = 30.0  # a connection that held so long was a good one: the next pause is short again
_NOISE_LIMIT = 1 << 16
_WARM_S = 10.0
_SPARE_S = 1.5  # the next engine does not compete with the first sound of this one
_PARTING_S = 0.25
_PENDING = 1 << 16

_log = logging.getLogger(__name__)

Say = Callable[[str], None]


class SpeakerError(Exception):
    """It cannot work, also not by trying again: what is wrong, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class ConnectionLost(Exception):
    """The connection is gone; the text says why."""


@dataclass(frozen=True, slots=True)
class RemoteHost:
    """The other machine, and how ssh gets there."""

    address: str
    options: tuple[str, ...] = ()
    """For ssh, before its host."""
    remote_command: str = "ringback"
    """How Ringback is started there; the far shell reads it."""
    ssh: str = "ssh"

    def command(self) -> list[str]:
        """For ssh the first of two equal options holds, so the user's come first."""
        return [
            *shlex.split(self.ssh),
            *("-T", "-a", "-x"),
            *self.options,
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
            *("-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none"),
            *("--", self.address, f"{self.remote_command} speaker --relay"),
        ]


class ReadyEngine(NamedTuple):
    """An engine that has imported its libraries and knows its output."""

    process: EngineProcess
    messages: AsyncIterator[tuple[Message, bytes]]
    output: str
    trouble: str
    """Why it plays in silence; empty when it can be heard."""


async def start_engine(output: str) -> ReadyEngine:
    """Raises `SpeakerError` when there can be none here."""
    try:
        process = await EngineProcess.start(output)
    except OSError as error:
        raise SpeakerError(f"the sound engine cannot be started ({reason(error)})") from None
    messages = process.messages()
    try:
        process.send({"do": "probe"})
        async with asyncio.timeout(_WARM_S):
            async for header, _ in messages:
                if header.get("is") == "output":
                    name, trouble = str(header["name"]), str(header["message"])
                    return ReadyEngine(process, messages, name, trouble)
    except TimeoutError:
        pass
    except BaseException:
        await process.end()
        raise
    await process.end()
    raise SpeakerError("the sound engine does not start here", "`ringback doctor` says more.")


class EnginePool:
    """The one that plays, and the next one, ready. After `close` none is left."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._spare: asyncio.Task[ReadyEngine] | None = None
        self.current: ReadyEngine | None = None

    async def ready(self) -> ReadyEngine:
        """The spare one, as soon as it is warm; it stays the spare one."""
        if self._spare is None:
            self._spare = asyncio.create_task(start_engine(self._output))
        return await asyncio.shield(self._spare)

    async def take(self) -> ReadyEngine:
        """The spare one becomes the one that plays."""
        await self.drop()
        self.current, self._spare = await self.ready(), None
        return self.current

    async def drop(self) -> None:
        """Nobody listens any more."""
        current, self.current = self.current, None
        if current is not None:
            await current.process.end()

    async def close(self) -> None:
        await self.drop()
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.cancel()
            with contextlib.suppress(asyncio.CancelledError, SpeakerError):
                await (await spare).process.end()


class RelayConnection:
    """ssh to the host while it lives, and the engines that play for it."""

    def __init__(self, process: Process, engines: EnginePool) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._engines = engines
        self._from, self._to = process.stdout, process.stdin
        self._to.transport.set_write_buffer_limits(high=_PENDING)
        self._turn: asyncio.Task[None] | None = None
        self._side: set[asyncio.Task[None]] = set()

    async def handshake(self, host: RemoteHost, name: str, engine: ReadyEngine) -> None:
        """Skip what a login prints, and agree with the relay. Raises as `run`."""
        hello = await _relay_hello(self._from)
        if hello.get("version") != protocol.VERSION:
            there = hello.get("version")
            message = relay_protocol.other_version(protocol.VERSION, there, host.address)
            raise SpeakerError(safe_text(message, 200))
        what = {"name": name, "output": engine.output, "message": engine.trouble}
        await self._say({"do": "speaker", "version": protocol.VERSION, **what})

    async def run(self, listens: Callable[[], None]) -> None:
        """Serve until it ends; `listens` is called when screens can come.

        Raises `ConnectionLost`, or `SpeakerError` when it can never work.
        """
        heartbeat = asyncio.create_task(self._heartbeat())
        first = True
        try:
            while message := await read_message(self._from):
                if first:
                    first = False
                    listens()
                await self._obey(*message)
        except protocol.Malformed as error:
            _log.warning("the relay talks nonsense (%s)", error)
            raise ConnectionLost("the other end talks nonsense") from None
        except OSError:
            pass
        finally:
            tasks = [heartbeat, *([self._turn] if self._turn else []), *self._side]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._engines.drop()
        raise ConnectionLost("the connection has dropped")

    async def _say(self, header: Message, body: bytes = b"") -> None:
        with contextlib.suppress(OSError):  # the reading end tells of it
            self._to.write(protocol.pack(header, body))
            await self._to.drain()

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(TIMING.alive_s)
            await self._say({"do": "alive"})

    async def _obey(self, header: Message, body: bytes) -> None:
        if header.get("do") == "screen":
            turn = header.get("n")
            await self._next_screen(turn if isinstance(turn, int) else 0)
        elif self._engines.current is not None and (wanted := relay_protocol.command(header)):
            if wanted["do"] == "open":
                wanted["ahead"] = relay_protocol.AHEAD
            engine = self._engines.current.process
            engine.send(wanted, body)
            await engine.flush()

    async def _next_screen(self, turn: int) -> None:
        if self._turn is not None:
            self._turn.cancel()
            await asyncio.gather(self._turn, return_exceptions=True)
            self._turn = None
        if turn <= 0:
            await self._engines.drop()
            return
        engine = await self._engines.take()
        await self._say({"is": "screen", "n": turn})
        self._turn = asyncio.create_task(self._listen(engine))
        self._run_in_background(self._start_spare())

    async def _listen(self, engine: ReadyEngine) -> None:
        """What an engine says goes to its screen."""
        async for header, body in engine.messages:
            if (said := relay_protocol.answer(header)) is not None:
                await self._say(said, body)
        await self._say({"is": "over", "why": "crashed"})

    async def _start_spare(self) -> None:
        await asyncio.sleep(_SPARE_S)
        with contextlib.suppress(SpeakerError):  # said when it is wanted
            await self._engines.ready()

    def _run_in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._side.add(task)
        task.add_done_callback(self._side.discard)


async def _relay_hello(stream: asyncio.StreamReader) -> Message:
    """The relay's first line, behind whatever a login has printed. Raises `ConnectionLost`."""
    noise = 0
    while noise <= _NOISE_LIMIT:
        try:
            line = await stream.readline()
        except ValueError:
            noise += protocol.LINE_LIMIT
            continue
        except OSError:
            line = b""
        if not line:
            raise ConnectionLost("no answer")
        noise += len(line)
        if line.startswith(b"{"):
            with contextlib.suppress(protocol.Malformed):
                header, follows = protocol.unpack(line)
                if header.get("is") == "relay" and not follows:
                    return header
    raise SpeakerError("the other end prints too much before Ringback there can answer")


async def _pass_on(stream: asyncio.StreamReader) -> None:
    """What ssh and the far shell complain of, so that it cannot command the terminal.

    They ask for passwords on the terminal itself, not here.
    """
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than anything that is said to people
            continue
        if not line:
            return
        if text := line.decode(errors="replace").rstrip():
            print_error(text, 500)


async def _end(process: Process) -> int:
    """ssh's exit code; it is given a moment to end by itself."""
    if process.stdin is not None:
        process.stdin.close()
    for stop in (process.terminate, process.kill):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PARTING_S):
                return await process.wait()
        with contextlib.suppress(ProcessLookupError):
            stop()
    return await process.wait()


def _permanent_error(host: RemoteHost, code: int, met_before: bool) -> SpeakerError | None:
    """What an ssh that never reached the relay means, by its exit code."""
    address = host.address
    if code in (126, 127):
        return SpeakerError(
            f"there is no {host.remote_command} at {address}",
            f"Install Ringback on {address} or give --remote-command.",
        )
    if code == 2:
        return SpeakerError(
            f"Ringback on {address} has no speaker", f"Update Ringback on {address}, and try again."
        )
    if code != 255:
        return SpeakerError(f"Ringback on {address} ended at once (exit code {code})")
    return None if met_before else SpeakerError(f"ssh cannot reach {address}")


class Speaker:
    """One run of the command. `say` gets one line for each thing that happens."""

    def __init__(self, host: RemoteHost, output: str, say: Say) -> None:
        self._host, self._say = host, say
        self._engines = EnginePool(output)
        self._met = False
        self._name = safe_text(socket.gethostname(), 60)

    async def run(self) -> None:
        """Until it is cancelled. Raises `SpeakerError`. Leaves no process."""
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                began = time.monotonic()
                try:
                    await self._connect()
                except ConnectionLost as error:
                    if time.monotonic() - began > _STEADY_S:
                        pause_s = FIRST_PAUSE_S
                    self._say(f"{error}; trying {self._host.address} again in {pause_s:.0f} s")
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        finally:
            await self._engines.close()

    async def _connect(self) -> None:
        """One connection, from its beginning to its end, which is always an exception."""
        engine = await self._engines.ready()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._host.command(),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=protocol.LINE_LIMIT,
            )
        except OSError as error:
            raise SpeakerError(f"{self._host.ssh} cannot be started ({reason(error)})") from None
        assert process.stderr is not None
        hearing = asyncio.create_task(_pass_on(process.stderr))
        met = False

        def listens() -> None:
            nonlocal met
            met = True
            self._tell(engine)

        try:
            connection = RelayConnection(process, self._engines)
            await connection.handshake(self._host, self._name, engine)
            await connection.run(listens)
        except ConnectionLost:
            code = await _end(process)
            if not met and (final := _permanent_error(self._host, code, self._met)):
                raise final from None
            raise
        finally:
            await asyncio.shield(_end(process))
            await asyncio.wait({hearing}, timeout=_PARTING_S)
            hearing.cancel()

    def _tell(self, engine: ReadyEngine) -> None:
        self._met = True
        what = f"in silence: {engine.trouble}" if engine.trouble else f"through {engine.output}"
        self._say(
            safe_text(f"connected to {self._host.address}; recordings play here, {what}", 300)
        )


async def speak(host: RemoteHost, output: str, say: Say) -> None:
    """Run until cancelled, on ctrl+c and on the signals that end a session. See `Speaker.run`."""
    running = asyncio.ensure_future(Speaker(host, output, say).run())
    if sys.platform != "win32":
        import signal

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
