"""Which recording is played and how far it got: fetching, the player, and one view of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.accounts import Account
from tui.archive import Archive
from tui.audio.player import FileSource, Player, PlayerState
from tui.network import NetworkThread
from tui.recordings import Fetched, RecordingCache, copy_to, fetch, file_name
from tui.services import Services
from widgets.player_line import PlayerView


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
        self._cache = RecordingCache(services.paths.cached_recordings)
        self._player: Player | None = None
        self._volume = 1.0
        self.playing: Playing | None = None
        self.view = PlayerView()

    async def play(self, account: Account, call: Call, index: int = 0) -> None:
        """Fetch a recording and play it. What goes wrong is said in the view."""
        self.stop()
        self.playing = playing = Playing(account.name, call, index)
        self._show(PlayerView("loading", title=playing.title, message="Fetching the recording ..."))
        try:
            fetched = await self.fetch(account, call, index, self._progress(playing))
        except (ProviderError, RecordingError, OSError) as error:
            if self.playing is playing:
                self._show(PlayerView("failed", title=playing.title, message=trouble(error)))
            return
        except asyncio.CancelledError:
            if self.playing is playing:
                self._show(PlayerView())
            raise
        if self.playing is not playing:
            return
        if self._player is None:
            self._player = Player(self._heard)
        await self._player.play(FileSource(fetched.path))

    async def fetch(
        self,
        account: Account,
        call: Call,
        index: int,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> Fetched:
        """A recording as a file in the cache. Raises as `tui.recordings.fetch`."""
        # a recording that is here needs neither token nor network
        if index < len(call.recordings) and (
            here := await asyncio.to_thread(self._cache.find, account.name, call, index)
        ):
            return here

        async def work(archive: Archive) -> Fetched:
            token = await asyncio.to_thread(self._services.find_token, account)
            login = self._services.login(account, token, archive)
            provider = self._services.provider(account, login)
            async with provider:
                return await fetch(
                    provider,
                    archive,
                    self._cache,
                    account.name,
                    account.base_url,
                    call,
                    index,
                    progress,
                )

        return await self._network.run(work)

    async def download(self, account: Account, call: Call, folder: Path) -> list[Path]:
        """All recordings of a call as files in `folder`. Raises as `fetch`."""
        paths, index, count = [], 0, max(1, len(call.recordings))
        while index < count:
            fetched = await self.fetch(account, call, index)
            name = file_name(account.provider, call, index, fetched.kind)
            paths.append(await asyncio.to_thread(copy_to, fetched, folder, name))
            index += 1
        return paths

    def _progress(self, playing: Playing) -> Callable[[int, int | None], None]:
        loop = asyncio.get_running_loop()
        told = 0

        def came(done: int, size: int | None) -> None:
            nonlocal told
            if done - told < 256 * 1024 and done != size:
                return
            told = done
            loop.call_soon_threadsafe(show, done, size)

        def show(done: int, size: int | None) -> None:
            if self.playing is playing and self.view.status == "loading":
                of = f" of {size / 1e6:.1f}" if size else ""
                self._show(replace(self.view, message=f"Fetching {done / 1e6:.1f}{of} MB"))

        return came

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
                output=state.output if state.output == "none" else "",
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
