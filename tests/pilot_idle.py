"""When the screen under test is idle, by a look at its loop.

Textual's pilot waits after each key until the process has used no processor for 20 ms, three times
over: a third of a test's time, and up to 3 s a key. A loop can be asked instead.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Future
from typing import Any

import pytest

SOON_S = 0.02
"""What a timer does within this time belongs to what was done; later is later."""
TURNS = 3
"""How often in a row a loop must have nothing to do: sockets are looked at between two turns."""


class Idle:
    """Waits for the loop that it is asked in."""

    def __init__(self) -> None:
        self._work: set[Future[Any]] = set()
        """What the loops' threads are at just now."""

    def note(self, work: Future[Any]) -> None:
        """A thread was given work."""
        self._work.add(work)
        work.add_done_callback(self._work.discard)

    async def wait(self, least_s: float = SOON_S, most_s: float = 1.0) -> None:
        """Until nothing goes on by itself, or all that goes on waits for something else."""
        began = time.monotonic()
        if least_s:
            await asyncio.sleep(least_s)
        await self._rest(began + SOON_S, began + most_s)
        while self._work and time.monotonic() < began + most_s:
            used = time.process_time()
            await asyncio.sleep(SOON_S / 4)
            await self._rest(0, began + most_s)
            if time.process_time() - used < SOON_S / 80:
                return  # a thread that waits, for a vendor or for the test

    async def _rest(self, until: float, latest: float) -> None:
        """Until no callback is left, and no timer that is due before `until`."""
        loop: Any = asyncio.get_running_loop()
        turns = 0
        while turns < TURNS and loop.time() < latest:
            await asyncio.sleep(0)
            turns = 0 if loop._ready else turns + 1
            if turns == TURNS:
                due = (timer._when for timer in loop._scheduled if not timer._cancelled)
                if (first := min(due, default=until)) < until:
                    await asyncio.sleep(max(0.0, first - loop.time()))
                    turns = 0


def install(patch: pytest.MonkeyPatch) -> None:
    """In the place of Textual's waiting, for every pilot."""
    import textual.app
    import textual.pilot

    idle, plain = Idle(), asyncio.BaseEventLoop.run_in_executor

    def noted(self: Any, *args: Any) -> Future[Any]:
        work: Future[Any] = plain(self, *args)
        idle.note(work)
        return work

    patch.setattr(asyncio.BaseEventLoop, "run_in_executor", noted)
    for module in (textual.app, textual.pilot):
        patch.setattr(module, "wait_for_idle", idle.wait)
