"""Which recording is played: its stream, and handing it to the player."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from providers.errors import ProviderError, RecordingError
from providers.model import Call
from tui.config.accounts import Account
from tui.playback.listening import PlaybackController, Playing
from tui.recordings.fetcher import RecordingFetcher, SharedDownload, trouble
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.player_line import PlayerView

__all__ = ["Playing", "RecordingPlayback", "trouble"]

LOOK_EVERY_S = 15.0
"""How often a recording is looked for that the vendor has not got yet."""
LOOK_FOR_S = 600.0
"""How long in all."""


class RecordingPlayback(PlaybackController):
    """Belongs to the screen's loop. `on_change` gets a new `PlayerView` at every change."""

    def __init__(
        self,
        services: Services,
        network: VendorThread,
        on_change: Callable[[PlayerView], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(services, on_change, say)
        self._fetching = RecordingFetcher(services, network)
        self._stream: SharedDownload | None = None
        self._warming: asyncio.Task[None] | None = None

    def warm(self) -> None:
        """Start the engine: something will be played, now or soon. Once; later it costs nothing."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._ready_player().warm())

    async def play(
        self, account: Account, call: Call, index: int = 0, start_s: float | None = None
    ) -> None:
        """Play a recording while it comes, from `start_s` or from where it was left. What goes
        wrong is said in the view.
        """
        self.stop()
        self.warm()
        self.playing = playing = Playing(account.name, call, index)
        self._say_loading(playing, "asking the vendor ...")
        try:
            stream = await self._open(account, playing)
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
            self._fetching.release(stream)
            return
        self._stream = stream
        self.playing = Playing(account.name, stream.call, index)
        await self._begin(stream.source, start_s)

    async def _open(self, account: Account, playing: Playing) -> SharedDownload:
        """The recording's stream; one that is not there yet is looked for again and again."""
        call, loop = playing.call, asyncio.get_running_loop()
        until = loop.time() + LOOK_FOR_S
        while True:
            try:
                return await self._fetching.open(account, call, playing.index)
            except RecordingError as error:
                given_up = self.playing is not playing or loop.time() >= until
                if given_up or not self._may_still_come(error, call):
                    raise
                self._note_trouble(error.reason)
                self._say_loading(playing, f"{error}; looking again every {LOOK_EVERY_S:.0f} s")
            await asyncio.sleep(LOOK_EVERY_S)

    def _may_still_come(self, error: RecordingError, call: Call) -> bool:
        from tui.recordings.download import may_still_come

        return error.reason == "pending" and may_still_come(call, self._services.now())

    def _say_loading(self, playing: Playing, message: str) -> None:
        message = f"{playing.title}: {message}"
        self._show(PlayerView("loading", title=playing.title, message=message))

    def stop(self) -> None:
        super().stop()
        stream, self._stream = self._stream, None
        if stream is not None:
            self._fetching.release(stream)

    def tidy(self) -> None:
        """Remove recordings that were not heard for a while. Takes as long as a disk does."""
        self._fetching.tidy()

    async def download(
        self, account: Account, call: Call, folder: Path, say: Callable[[str], None]
    ) -> list[Path]:
        """As `RecordingFetcher.download`: what plays while it comes is not fetched twice."""
        return await self._fetching.download(account, call, folder, say)

    async def close(self) -> None:
        self._fetching.close()
        await super().close()
