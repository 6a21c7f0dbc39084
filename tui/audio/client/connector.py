"""The way that a player's sound takes, and the engine that is open at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tui.audio.client.connection import EngineConnection, open_connection
from tui.audio.client.route import Route

_TRIES = 5  # speakers that have just gone, one after the other
_GOING_S = 0.05


class EngineConnector:
    """One engine at a time. `find` says which way is right now; `on_link` gets a new engine."""

    def __init__(
        self, find: Callable[[], Route], on_link: Callable[[EngineConnection], None]
    ) -> None:
        self._find, self._on_link = find, on_link
        self.route = find()
        self.link: EngineConnection | None = None
        self.closed = False
        self._linked: Route | None = None
        self._asking: asyncio.Future[EngineConnection] | None = None
        self._busy = asyncio.Lock()

    @property
    def opening(self) -> bool:
        return self._busy.locked()

    def look(self) -> bool:
        """Ask for the way again; whether it is another one now."""
        before, self.route = self.route, self._find()
        return self.route != before

    async def open(self) -> EngineConnection | None:
        """The engine at the end of the way; None when it was closed meanwhile.

        Raises `OSError` when there cannot be one.
        """
        async with self._busy:
            if self._linked != self.route:
                await self._end()
            if self.link is None and not self.closed:
                opening = asyncio.ensure_future(self._open())
                try:
                    self.link = await asyncio.shield(opening)
                except asyncio.CancelledError:  # the process starts anyway: keep hold of it
                    self.link = await opening
                    raise
                finally:
                    if self.link is not None:
                        self._linked = self.route
                        self._on_link(self.link)
            return None if self.closed else self.link

    async def _open(self) -> EngineConnection:
        """A speaker may have gone a moment ago: then the way that is left."""
        for _ in range(_TRIES):
            try:
                return await self._connect()
            except (ConnectionError, FileNotFoundError):
                if self.route.kind != "speaker":
                    raise
                await asyncio.sleep(_GOING_S)
                self.look()
        return await self._connect()

    async def _connect(self) -> EngineConnection:
        """A speaker may take seconds to answer, or never do; nobody waits for it in `close`."""
        if self.route.kind != "speaker":
            return await open_connection(self.route)
        if self.closed:
            raise OSError(0, "closed")
        self._asking = asyncio.ensure_future(open_connection(self.route))
        try:
            return await self._asking
        except asyncio.CancelledError:
            if not self.closed:
                raise
            raise OSError(0, "closed") from None
        finally:
            self._asking = None

    def lost(self, link: EngineConnection) -> bool:
        """The engine has ended; whether that was by itself."""
        mine = self.link is link
        if mine:
            self.link = None
        return mine

    async def leave(self) -> None:
        """End the engine; the next `open` starts one."""
        async with self._busy:
            await self._end()

    async def close(self) -> None:
        self.closed = True
        if self._asking is not None:
            self._asking.cancel()
        await self.leave()

    async def _end(self) -> None:
        link, self.link = self.link, None
        if link is not None:
            await link.end()
