"""Which recording is played: fetching it, and handing it to the player."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.accounts import Account
from tui.archive import Archive
from tui.listening import Listening, Playing
from tui.network import NetworkThread
from tui.services import Services
from widgets.player_line import PlayerView

if TYPE_CHECKING:  # the fetcher is loaded with the first recording
    from tui.recordings import Fetched

Came = Callable[[int, int | None], None]
"""Bytes that have come, and how many there will be (None: not known); called in any thread."""


class Playback(Listening):
    """Belongs to the screen's loop. `on_change` gets a new `PlayerView` at every change."""

    def __init__(
        self,
        services: Services,
        network: NetworkThread,
        on_change: Callable[[PlayerView], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(services, on_change, say)
        self._network = network

    async def play(self, account: Account, call: Call, index: int = 0) -> None:
        """Fetch a recording and play it. What goes wrong is said in the view."""
        from tui.audio.source import FileSource

        self.stop()
        self.playing = playing = Playing(account.name, call, index)
        self._show(
            PlayerView(
                "loading", title=playing.title, message=f"{playing.title}: asking the vendor ..."
            )
        )
        try:
            fetched, call = await self.fetch(account, call, index, on_loop(self._fetching(playing)))
        except (ProviderError, RecordingError, OSError) as error:
            if self.playing is playing:
                if isinstance(error, RecordingError):
                    self._note_trouble(error.reason)
                message = f"{playing.title}: {trouble(error)}"
                self._show(PlayerView("failed", title=playing.title, message=message))
            return
        except asyncio.CancelledError:
            if self.playing is playing:
                self.stop()
            raise
        if self.playing is not playing:
            return
        self.playing = Playing(account.name, call, index)
        await self._begin(FileSource(fetched.path))

    def tidy(self) -> None:
        """Remove recordings that were not heard for a while. Takes as long as a disk does."""
        from tui.recordings import RecordingCache

        days = self._services.settings().app.keep_days
        cache = RecordingCache(self._services.paths.cached_recordings)
        cache.sweep(self._services.now().timestamp(), days)

    async def fetch(
        self, account: Account, call: Call, index: int, came: Came | None = None
    ) -> tuple[Fetched, Call]:
        """A recording as a file in the cache, and the call with its list of recordings.

        Raises as `tui.recordings.fetch`.
        """
        from tui.recordings import RecordingCache, fetch, with_known_recordings

        cache = RecordingCache(self._services.paths.cached_recordings)
        # a recording that is here needs neither token nor network
        if index < len(call.recordings) and (
            here := await asyncio.to_thread(cache.find, account.name, call, index)
        ):
            return here, call

        async def work(archive: Archive) -> tuple[Fetched, Call]:
            token = await asyncio.to_thread(self._services.find_token, account)
            login = self._services.login(account, token, archive)
            async with self._services.provider(account, login) as provider:
                known = await with_known_recordings(provider, archive, account.name, call)
                url = account.base_url
                fetched = await fetch(
                    provider, archive, cache, account.name, url, known, index, came
                )
                return fetched, known

        return await self._network.run(work)

    async def download(
        self, account: Account, call: Call, folder: Path, say: Callable[[str], None]
    ) -> list[Path]:
        """All recordings of a call as files in `folder`; `say` is told how far it is.

        Raises as `fetch`; what was saved until then stays.
        """
        from tui.recordings import copy_to, file_name

        paths: list[Path] = []
        while len(paths) < max(1, len(call.recordings)):
            index = len(paths)
            title = f"downloading recording {index + 1}"
            say(title)

            def came(text: str, title: str = title) -> None:
                say(f"{title}, {text}")

            fetched, call = await self.fetch(account, call, index, on_loop(came))
            name = file_name(account.provider, call, index, fetched.kind)
            paths.append(await asyncio.to_thread(copy_to, fetched, folder, name))
        return paths

    def _fetching(self, playing: Playing) -> Callable[[str], None]:
        def show(text: str) -> None:
            if self.playing is playing and self.view.status == "loading":
                self._show(replace(self.view, message=f"{playing.title}: fetching {text}"))

        return show


def trouble(error: Exception) -> str:
    """What to say of a recording that cannot be had."""
    if isinstance(error, ProviderError):
        return f"{error}. {error.hint}" if error.hint else str(error)
    if isinstance(error, OSError):
        return f"it cannot be written here: {error.strerror}"
    return str(error)


def on_loop(say: Callable[[str], None]) -> Came:
    """Counts bytes in another thread and says them on this loop, once for every 256 KiB."""
    loop = asyncio.get_running_loop()
    told = -1

    def came(done: int, size: int | None) -> None:
        nonlocal told
        if done >> 18 != told:
            told = done >> 18
            loop.call_soon_threadsafe(say, bytes_text(done, size))

    return came


def bytes_text(done: int, size: int | None) -> str:
    """``0.5 of 1.2 MB``, or ``0.5 MB`` where the size is not known."""
    return f"{done / 1e6:.1f} of {size / 1e6:.1f} MB" if size else f"{done / 1e6:.1f} MB"
