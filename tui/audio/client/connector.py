"""The way that a player's sound takes, and the engine that is open at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from tui.audio.client.connection import EngineConnection, open_connection
from tui.audio.client.route import Route

_TRIES = 5  # speakers that have just gone, one after the other
_GOING_S = 0.05

Connect = Callable[[Route], Coroutine[None, None, EngineConnection]]
"""Opens the engine at a route. Raises `OSError`, as `open_connection`."""


class EngineConnector:
    """One engine at a time. `find_route` decides where it is; `on_connected` gets a new one."""

    def __init__(
        self,
        find_route: Callable[[], Route],
        on_connected: Callable[[EngineConnection], None],
        connect: Connect = open_connection,
    ) -> None:
        self._find_route, self._on_connected, self._open_at = find_route, on_connected, connect
        self.route = find_route()
        self.connection: EngineConnection | None = None
        self.closed = False
        self._connected_route: Route | None = None
        self._connecting: asyncio.Future[EngineConnection] | None = None
        self._busy = asyncio.Lock()

    @property
    def opening(self) -> bool:
        return self._busy.locked()

    def refresh_route(self) -> bool:
        """Ask for the way again; whether it is another one now."""
        before, self.route = self.route, self._find_route()
        return self.route != before

    async def open(self) -> EngineConnection | None:
        """The engine at the end of the way; None when it was closed meanwhile.

        Raises `OSError` when there cannot be one.
        """
        async with self._busy:
            if self._connected_route != self.route:
                await self._end()
            if self.connection is None and not self.closed:
                opening = asyncio.ensure_future(self._open())
                try:
                    self.connection = await asyncio.shield(opening)
                except asyncio.CancelledError:  # the process starts anyway: keep hold of it
                    self.connection = await opening
                    raise
                finally:
                    if self.connection is not None:
                        self._connected_route = self.route
                        self._on_connected(self.connection)
            return None if self.closed else self.connection

    async def _open(self) -> EngineConnection:
        """A speaker may have gone a moment ago: then the way that is left."""
        for _ in range(_TRIES):
            try:
                return await self._connect()
            except (ConnectionError, FileNotFoundError):
                if self.route.kind != "speaker":
                    raise
                await asyncio.sleep(_GOING_S)
                self.refresh_route()
        return await self._connect()

    async def _connect(self) -> EngineConnection:
        """A speaker may take seconds to answer, or never do; nobody waits for it in `close`."""
        if self.route.kind != "speaker":
            return await self._open_at(self.route)
        if self.closed:
            raise OSError(0, "closed")
        self._connecting = asyncio.ensure_future(self._open_at(self.route))
        try:
            return await self._connecting
        except asyncio.CancelledError:
            if not self.closed:
                raise
            raise OSError(0, "closed") from None
        finally:
            self._connecting = None

    def lost(self, connection: EngineConnection) -> bool:
        """The engine has ended; whether that was by itself."""
        mine = self.connection is connection
        if mine:
            self.connection = None
        return mine

    async def disconnect(self) -> None:
        """End the engine; the next `open` starts one."""
        async with self._busy:
            await self._end()

    async def close(self) -> None:
        self.closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        await self.disconnect()

    async def _end(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.end()
