"""Speed, volume and switches of listening: those of config.toml, and what keys changed since."""

from __future__ import annotations

from dataclasses import replace

from tui.audio.client.state import Loudness
from tui.config.settings import AudioSettings
from tui.playback.history import ListeningHistory
from tui.services import Services


class PlaybackSettings:
    """Read from config.toml when they are first asked for; changes are kept there a while later."""

    def __init__(self, services: Services, history: ListeningHistory) -> None:
        self._services, self._history = services, history
        self._audio: AudioSettings | None = None
        self._loudness: Loudness | None = None

    @property
    def audio(self) -> AudioSettings:
        """The settings as of now."""
        if self._audio is None:
            self._audio = self._services.settings().audio
        return self._audio

    @property
    def loudness(self) -> Loudness:
        """As config.toml says, until a key says otherwise."""
        return self._loudness or Loudness(self.audio.volume / 100)

    def change(self, name: str, value: float | bool) -> None:
        """Let ``[audio] name`` of config.toml be `value`."""
        self._audio = replace(self.audio, **{name: value})  # type: ignore[arg-type]
        self._history.keep_setting(name, value)

    def toggle(self, name: str) -> bool:
        """Turn a switch; whether it is on now."""
        on = not getattr(self.audio, name)
        self.change(name, on)
        return on

    def change_volume(self, step: float) -> None:
        """Louder or quieter by `step` (1: by the whole); it is muted no more."""
        self._loudness = self.loudness.changed(step)
        self.change("volume", round(self._loudness.volume * 100))

    def mute(self) -> None:
        """No sound, or as loud as before; not kept for the next start."""
        self._loudness = self.loudness.toggled()
