"""What plays makes no sound while the program is stopped, and then goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.audio.client.player import Player


class Suspension:
    """One stop at a time."""

    def __init__(self) -> None:
        self._player: Player | None = None

    def begin(self, player: Player | None) -> None:
        """The program is about to be stopped."""
        if player is not None and player.state.status in ("loading", "playing"):
            self._player = player
            player.pause()

    def end(self) -> None:
        """It goes on; what was paused by hand stays so."""
        player, self._player = self._player, None
        if player is not None:
            player.resume()
