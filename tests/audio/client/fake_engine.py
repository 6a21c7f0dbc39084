"""An engine that says what the test says, and remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tui.audio.client.player import Player, PlayerState
from tui.audio.client.route import Route
from tui.audio.protocol import Message


class FakeEngine:
    """One connection, as `tui.audio.client.connection.EngineConnection`."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.close_reason = ""
        self.told: list[Message] = []
        self.ended = False
        self.lets_go = asyncio.Event()
        """Whether it ends at once when it is told to."""
        self.lets_go.set()
        self._heard = asyncio.Event()
        self._says: asyncio.Queue[tuple[Message, bytes] | None] = asyncio.Queue()

    def send(self, header: Message, body: bytes = b"") -> None:
        self.told.append({**header, "body": body} if body else header)

    async def messages(self) -> AsyncIterator[tuple[Message, bytes]]:
        while True:
            if self._says.empty():
                self._heard.set()
            message = await self._says.get()
            if message is None:
                self._heard.set()
                return
            yield message

    async def end(self) -> None:
        self.ended = True
        self._heard.set()
        await self.lets_go.wait()

    async def say(self, what: str, body: bytes = b"", **fields: Any) -> None:
        """Until the player has taken notice."""
        self._heard.clear()
        self._says.put_nowait(({"is": what, **fields}, body))
        await self._heard.wait()

    async def vanish(self, close_reason: str = "") -> None:
        self.close_reason = close_reason
        self._says.put_nowait(None)
        async with asyncio.timeout(5):
            while not self.ended:  # noqa: ASYNC110
                await asyncio.sleep(0)

    def commands(self, what: str) -> list[Message]:
        return [message for message in self.told if message["do"] == what]

    @property
    def opened(self) -> Message:
        """The last recording that it was told to open."""
        return self.commands("open")[-1]


class MemorySource:
    """A recording in memory."""

    def __init__(self, data: bytes = b"x" * 100) -> None:
        self.size: int | None = len(data)
        self._data = data

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        return self._data[offset : offset + n]

    def close(self) -> None:
        """Nothing is open."""


class FakeWorld:
    """A player, where it is routed to, and the engines that it has started there."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.error: OSError | None = None
        self.engines: list[FakeEngine] = []
        self.states: list[PlayerState] = []
        self.now_s = 100.0
        self.player = Player(
            self.states.append,
            route=lambda: self.route,
            connect=self._connect,
            clock=lambda: self.now_s,
        )

    async def _connect(self, route: Route) -> FakeEngine:
        if self.error is not None:
            raise self.error
        self.engines.append(FakeEngine(route))
        return self.engines[-1]

    @property
    def engine(self) -> FakeEngine:
        return self.engines[-1]

    @property
    def state(self) -> PlayerState:
        return self.player.state

    @property
    def status(self) -> str:
        return self.player.state.status

    def wait(self, seconds: float) -> None:
        """So much later by the player's clock."""
        self.now_s += seconds

    def shows(self, **fields: object) -> bool:
        """Whether the state has these values."""
        return all(getattr(self.state, name) == value for name, value in fields.items())

    async def at(self, second: float, state: str = "flowing") -> None:
        """The engine tells where the listener is in what was opened last."""
        fields = {"id": self.engine.opened["id"], "seq": self._seq, "s": second, "state": state}
        await self.engine.say("at", **fields)

    @property
    def _seq(self) -> int:
        told = self.engine.told
        return next(int(message["seq"]) for message in reversed(told) if "seq" in message)

    async def engine_count(self, count: int) -> None:
        """Wait until so many were started, and what was to be opened is."""
        async with asyncio.timeout(5):
            while len(self.engines) < count or not self.engine.commands("open"):  # noqa: ASYNC110
                await asyncio.sleep(0)
