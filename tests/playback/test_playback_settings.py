"""Speed, volume and switches of listening, and which of them are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tui.config.paths import Paths
from tui.config.settings import load_settings, put
from tui.playback.history import ListeningHistory
from tui.playback.settings import PlaybackSettings
from tui.services import Services


@pytest.fixture
def services(paths: Paths) -> Services:
    put(paths, "audio", "volume", 60)
    put(paths, "audio", "speed", 1.5)
    return Services.build()


@pytest.fixture
async def history(services: Services) -> AsyncIterator[ListeningHistory]:
    history = ListeningHistory(services)
    yield history
    await history.close()


async def test_they_are_as_config_toml_says_until_they_are_changed(
    services: Services, history: ListeningHistory
) -> None:
    settings = PlaybackSettings(services, history)
    assert (settings.audio.speed, settings.loudness.heard) == (1.5, 0.6)
    settings.change("speed", 2.0)
    settings.change_volume(0.1)
    assert (settings.audio.speed, settings.loudness.heard, settings.audio.volume) == (2.0, 0.7, 70)
    put(services.paths, "audio", "rewind_s", 4.0)
    assert settings.audio.rewind_s == 1.5, "read once"
    await history.close()
    kept = load_settings(services.paths).audio
    assert (kept.speed, kept.volume, kept.rewind_s) == (2.0, 70, 4.0)


async def test_switches_are_turned_and_kept(services: Services, history: ListeningHistory) -> None:
    settings = PlaybackSettings(services, history)
    assert settings.toggle("autoplay") and settings.audio.autoplay
    assert settings.toggle("skip_silence") and not settings.toggle("skip_silence")
    await history.close()
    kept = load_settings(services.paths).audio
    assert (kept.autoplay, kept.skip_silence) == (True, False)


async def test_to_be_muted_is_not_kept(services: Services, history: ListeningHistory) -> None:
    settings = PlaybackSettings(services, history)
    settings.mute()
    assert settings.loudness.heard == 0.0
    await history.close()
    assert load_settings(services.paths).audio.volume == 60
    settings.mute()
    assert settings.loudness.heard == 0.6
    settings.mute()
    settings.change_volume(0.1)
    assert settings.loudness.heard == 0.7, "a change of the volume ends it"
