"""The part of a screen that minds where sound comes out: a speaker that comes or goes, two keys."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping

from textual import work

from tui.audio.client.route import Kind, speaker_command
from tui.export.clipboard import copy
from tui.playback.output_choice import OutputChoice, describe
from tui.screens.calls import CallsScreen
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.confirm import Confirm

ALOUD = "Play on this machine?"
ALOUD_TEXT = (
    "You sit at another machine: the sound would come out where this one stands, for whoever "
    "is there. To hear it yourself, run where you sit:\n{}"
)


class SoundingScreen(CallsScreen):
    """See the module. `PlayingScreen` is one; its playback asks `outlet` for the way."""

    def __init__(
        self, services: Services, network: VendorThread, keymap: Mapping[str, str]
    ) -> None:
        super().__init__(services, network, keymap)
        self.outlet = OutputChoice(services.environ, self._key("copy-speaker"))

    @abstractmethod
    def _rerouted(self) -> None:
        """The way may be another one: whatever plays goes there."""

    def _look_for_speakers(self) -> None:
        """Once a second."""
        if news := self.outlet.news():
            gone = self.outlet.route().kind != "speaker"
            self._flash(news, "warning" if gone else "info")
            self._rerouted()

    def action_output(self) -> None:
        """The next way; asks before a server plays aloud."""
        if self.outlet.forced:
            self._flash("RINGBACK_AUDIO decides where sound comes out", "warning")
            return
        kind = self.outlet.next_kind()
        if self.outlet.is_loud_elsewhere(kind):
            self._confirm_aloud(kind)
        else:
            self._take_way(kind)

    def _confirm_aloud(self, kind: Kind) -> None:
        def answered(aloud: bool | None) -> None:
            if aloud:
                self._take_way(kind)

        text = ALOUD_TEXT.format(speaker_command(self.outlet.environ))
        self.app.push_screen(Confirm(ALOUD, text, yes="Aloud here", no="No"), answered)

    def _take_way(self, kind: Kind) -> None:
        self.outlet.wish = kind
        self._flash(describe(self.outlet.route()))
        self._rerouted()

    @work(group="copy", exclusive=True, exit_on_error=False)
    async def action_copy_speaker(self) -> None:
        """Copy the command that brings the sound to where the listener sits."""
        command = speaker_command(self.outlet.environ)
        by = await asyncio.to_thread(
            copy, command, self.outlet.environ, lambda text: self.app.call_from_thread(
                self.app.copy_to_clipboard, text
            )
        )  # fmt: skip
        self._flash(f"copied by {by}, to be run on your own machine: {command}")
