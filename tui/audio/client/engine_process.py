"""The engine's process, seen from the program: start it, talk to it, end it for certain."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from tui.audio import protocol
from tui.audio.engine_environment import engine_environment, engine_output
from tui.audio.protocol import Message
from tui.audio.protocol_stream import read_message

_log = logging.getLogger(__name__)

_PARTING_S = 0.25
_CODE = str(Path(__file__).parents[3])
_ONLY_ENGINE_LINES = 40


class EngineProcess:
    """One engine. Make it with `start`; after `end` no process and no task of it is left."""

    close_reason = ""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._noise: deque[bytes] = deque(maxlen=_ONLY_ENGINE_LINES)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, output: str, *, remote: bool = False) -> EngineProcess:
        """`remote`: the sound server is on another machine. Raises `OSError` without a process."""
        output = engine_output(output)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # code in the folder where the user stands is not ours
            "-m",
            "tui.audio",
            output,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=protocol.LINE_LIMIT,
            env=engine_environment(os.environ, _CODE, output, remote=remote),
            start_new_session=True,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, header: Message, body: bytes = b"") -> None:
        """Never fails: an engine that is gone is noticed where its messages end."""
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(protocol.pack(header, body))

    async def flush(self) -> None:
        """Wait while the engine is behind with reading, so that no more than a little piles up."""
        if self._process.stdin is not None:
            with suppress(OSError):
                await self._process.stdin.drain()

    async def messages(self) -> AsyncIterator[tuple[Message, bytes]]:
        """What the engine says, until it ends or talks nonsense."""
        stream = self._process.stdout
        assert stream is not None
        with suppress(protocol.Malformed, OSError):  # nonsense, or gone
            while message := await read_message(stream):
                yield message

    async def _listen(self) -> None:
        """Sound libraries print whole pages when there is no device: not onto the screen."""
        stream = self._process.stderr
        assert stream is not None
        while noise := await stream.read(4096):
            self._noise.append(noise)

    async def end(self) -> None:
        """At most half a second, whatever the process does."""
        process = self._process
        try:
            if process.stdin is not None:
                process.stdin.close()
            async with asyncio.timeout(_PARTING_S):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            with suppress(ProcessLookupError):
                _kill(process)  # also one that has ended: who decodes for it may hang
            await process.wait()
            await self._settle()

    async def _settle(self) -> None:
        """Leave nothing open: the last words are read, or dropped."""
        done, _ = await asyncio.wait([self._listening], timeout=_PARTING_S / 2)
        if not done:
            self._listening.cancel()
        if self._process.returncode:
            _log.debug("engine ended with %s", self._process.returncode)
            _log.debug("its last words: %r", b"".join(self._noise)[-2000:])


def _kill(process: Process) -> None:
    """With whatever it has started: the session is its own."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
