"""Which recording is played and how far it got: its stream, the player, and one view of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.accounts import Account
from tui.fetching import Fetching, Stream, trouble
from tui.network import NetworkThread
from tui.services import Services
from widgets.player_line import PlayerView

if TYPE_CHECKING:  # the player is loaded with the first recording
    from tui.audio.player import Player, PlayerState

__all__ = ["Playback", "Playing", "trouble"]

LOOK_EVERY_S = 15.0
"""How often a recording is looked for that the vendor has not got yet."""
LOOK_FOR_S = 600.0
"""How long in all."""


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
        self._fetching = Fetching(services, network)
        self._stream: Stream | None = None
        self._player: Player | None = None
        self._warming: asyncio.Task[None] | None = None
        self._volume = 1.0
        self.playing: Playing | None = None
        self.view = PlayerView()

    async def play(self, account: Account, call: Call, index: int = 0) -> None:
        """Play a recording while it comes. What goes wrong is said in the view."""
        self.stop()
        player = self._ready_player()
        self._warming = asyncio.create_task(player.warm())
        self.playing = playing = Playing(account.name, call, index)
        self._say_loading(playing, "asking the vendor ...")
        try:
            stream = await self._open(account, playing)
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
            self._fetching.release(stream)
            return
        self._stream = stream
        self.playing = Playing(account.name, stream.call, index)
        await player.play(stream.source)

    async def _open(self, account: Account, playing: Playing) -> Stream:
        """The recording's stream; one that is not there yet is looked for again and again."""
        from tui.recordings import may_still_come

        call, until = playing.call, asyncio.get_running_loop().time() + LOOK_FOR_S
        while True:
            try:
                return await self._fetching.open(account, call, playing.index)
            except RecordingError as error:
                over = asyncio.get_running_loop().time() >= until or self.playing is not playing
                recent = may_still_come(call, self._services.now())
                if error.reason != "pending" or over or not recent:
                    raise
                self._say_loading(playing, f"{error}; looking again every {LOOK_EVERY_S:.0f} s")
            await asyncio.sleep(LOOK_EVERY_S)
            if self.playing is playing:
                call = await self._fetching.look_again(account, call)

    def _say_loading(self, playing: Playing, message: str) -> None:
        message = f"{playing.title}: {message}"
        self._show(PlayerView("loading", title=playing.title, message=message))

    def _ready_player(self) -> Player:
        from tui.audio.player import Player

        if self._player is None:
            self._player = Player(self._heard)
            audio = self._services.settings().audio
            self._volume = audio.volume / 100
            self._player.set_volume(self._volume)
            self._player.set_speed(audio.speed)
        return self._player

    def tidy(self) -> None:
        """Remove recordings that were not heard for a while. Takes as long as a disk does."""
        self._fetching.tidy()

    async def download(
        self, account: Account, call: Call, folder: Path, say: Callable[[str], None]
    ) -> list[Path]:
        """As `Fetching.download`: what plays while it comes is not fetched twice."""
        return await self._fetching.download(account, call, folder, say)

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
        stream, self._stream = self._stream, None
        if stream:
            self._fetching.release(stream)
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
        self._fetching.close()
        if self._player:
            await self._player.close()
