"""Answering an engine that asks for the bytes of a recording."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from providers.errors import ProviderError, RecordingError, reason
from tui.audio.client.source import Source
from tui.audio.protocol import Message

_ASK_LIMIT = 1 << 18

_log = logging.getLogger(__name__)

Answer = Callable[[int, int, bytes], None]
"""Of which recording, from which byte on, the bytes; none at all says that it ends there."""
GiveUp = Callable[[int, Exception], None]


class ByteServer:
    """Belongs to one asyncio loop; answers as the bytes come, also out of order."""

    def __init__(self, answer: Answer, give_up: GiveUp) -> None:
        self._answer, self._give_up = answer, give_up
        self._idle = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def serve(self, source: Source, id_: int, request: Message) -> None:
        """Answer a ``get`` of recording `id_`. Raises what a nonsensical one deserves."""
        at, n = max(int(request["at"]), 0), min(max(int(request["n"]), 1), _ASK_LIMIT)
        work = self._when_idle if request.get("idle") is True else self._at_once
        task = asyncio.get_running_loop().create_task(work(source, id_, at, n))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> list[asyncio.Task[None]]:
        """Nobody waits for these bytes any more; what is still to be awaited."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        return tasks

    async def _at_once(self, source: Source, id_: int, at: int, n: int) -> None:
        """All that was asked for, piece by piece as it comes."""
        end = at + n
        try:
            while at < end:
                data = await source.read(at, end - at)
                self._answer(id_, at, data)
                at = at + len(data) if data else end
        except Exception as error:
            self._give_up(id_, error)

    async def _when_idle(self, source: Source, id_: int, at: int, n: int) -> None:
        """For the waveform: one at a time, and a failure costs nobody the sound."""
        async with self._idle:
            try:
                data = await source.read(at, n, idle=True)
            except Exception as error:  # its text may hold an address
                _log.debug("the recording is not measured (%s)", type(error).__name__)
            else:
                self._answer(id_, at, data)


def unreadable(error: Exception) -> str:
    """What to say when a source's `read` has failed."""
    if isinstance(error, ProviderError | RecordingError):  # their words are made for the user
        return str(error)
    return f"the recording cannot be read ({reason(error)})"
