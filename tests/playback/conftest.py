"""A world in which a recording can be played, and what plays it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC

import pytest

from providers.base import Secret
from tests.audio.relay_sockets import folder as folder
from tests.audio.relay_sockets import listening as listening
from tests.playback.world import NOW, SOUND, World
from tests.recordings.host import Host
from tui.config.paths import Paths
from tui.playback.controller import PlaybackController
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.player_line import PlayerView


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(SOUND) as running:
        yield running


@pytest.fixture
def world(host: Host, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("RINGBACK_AUDIO", "none")
    services = Services(paths, dict(os.environ), UTC)
    network = VendorThread(services.open_archive)
    made = World(host, services, network)

    def token(*_: object) -> Secret:
        made.tokens_asked += 1
        return Secret("t")

    monkeypatch.setattr(Services, "find_token", token)
    monkeypatch.setattr(Services, "provider", lambda *_: made.desk)
    monkeypatch.setattr(Services, "now", lambda _: NOW)
    yield made
    network.close()


@pytest.fixture
async def playback(world: World) -> AsyncIterator[PlaybackController]:
    views: list[PlayerView] = []
    made = PlaybackController(world.services, world.network, views.append, lambda _: None)
    yield made
    await made.close()
