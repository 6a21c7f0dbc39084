"""Which recording is played and how far it got: fetching, the player, and one view of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.accounts import Account
from tui.archive import Archive
from tui.network import NetworkThread
from tui.services import Services
from widgets.player_line import PlayerView

if TYPE_CHECKING:  # the player and the fetcher are loaded with the first recording
    from tui.audio.player import Player, PlayerState
    from tui.recordings import Fetched

Came = Callable[[int, int | None], None]
"""Bytes that have come, and how many there will be (None: not known); called in any thread."""


@dataclass(frozen=True, slots=True)
class Playing:
    """The recording in the player."""

    account: str
    call: Call
    index: int

    @property
    def title(self) -> str:
        call = self.call
        who = call.contact.name or call.contact.number or call.id
        count = len(call.recordings)
        return f"{who} ({self.index + 1} of {count})" if count > 1 else who


class Playback:
    """Belongs to the screen's loop. `on_change` gets a new `PlayerView` at every change."""

    def __init__(
        self,
        services: Services,
        network: NetworkThread,
        on_change: Callable[[PlayerView], None],
    ) -> None:
        self._services, self._network, self._on_change = services, network, on_change
        self._player: Player | None = None
        self._volume = 1.0
        self.playing: Playing | None = None
        self.view = PlayerView()

    async def play(self, account: Account, call: Call, index: int = 0) -> None:
        """Fetch a recording and play it. What goes wrong is said in the view."""
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
        await self._start(fetched)

    async def _start(self, fetched: Fetched) -> None:
        from tui.audio.player import FileSource, Player

        if self._player is None:
            self._player = Player(self._heard)
            audio = self._services.settings().audio
            self._volume = audio.volume / 100
            self._player.set_volume(self._volume)
            self._player.set_speed(audio.speed)
        await self._player.play(FileSource(fetched.path))

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

    def _heard(self, state: PlayerState) -> None:
        if self.playing is None:
            return
        self._show(
            PlayerView(
                status="finished" if state.status == "ended" else state.status,
                position_s=state.position_s,
                length_s=state.length_s,
                speed=state.speed,
                volume=round(self._volume * 100),
                title=self.playing.title,
                message=state.message,
                output="no sound" if state.output == "none" else "",
            )
        )

    def _show(self, view: PlayerView) -> None:
        self.view = view
        self._on_change(view)

    # -- keys

    def toggle(self) -> None:
        if self._player:
            self._player.toggle()

    def stop(self) -> None:
        self.playing = None
        if self._player:
            self._player.stop()
        self._show(PlayerView())

    def seek_by(self, seconds: float) -> None:
        if self._player:
            self._player.seek_by(seconds)

    def seek_to(self, fraction: float) -> None:
        """To a part of the whole, 0 to 1."""
        if self._player and self.view.length_s:
            self._player.seek_to(fraction * self.view.length_s)

    def change_speed(self, step: float | None) -> None:
        """Faster or slower by `step`; None: normal speed."""
        if self._player:
            self._player.set_speed(1.0 if step is None else self._player.state.speed + step)

    def change_volume(self, step: float) -> None:
        self._volume = min(2.0, max(0.0, round(self._volume + step, 2)))
        if self._player:
            self._player.set_volume(self._volume)
        self._show(replace(self.view, volume=round(self._volume * 100)))

    async def close(self) -> None:
        if self._player:
            await self._player.close()


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
