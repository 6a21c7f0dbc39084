"""An account of one call, whose vendor and whose recordings' host do as a test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from providers.model import Call, Recording
from providers.nectar import Nectar
from tests.audio import sounds
from tests.recordings.host import Host
from tui.config.accounts import Account, make_account
from tui.playback.controller import PlaybackController
from tui.services import Services
from tui.vendor_thread import VendorThread

SOUND = sounds.wav(sounds.tone(40, 8000), 8000)
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)


class Desk:
    """A vendor of one call, whose recording's address it may have changed."""

    capabilities = Nectar.capabilities

    def __init__(self) -> None:
        self.now = Call("9", "nectar")
        self.asked = 0
        self.error: Exception | None = None

    async def __aenter__(self) -> Desk:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def call(self, id_: str) -> Call:
        self.asked += 1
        if self.error:
            raise self.error
        return self.now

    def media_headers(self, url: str) -> dict[str, str]:
        return {}


class World:
    """An account, its vendor, its recordings' host, and a place to keep them."""

    def __init__(self, host: Host, services: Services, network: VendorThread) -> None:
        self.host, self.services, self.network = host, services, network
        self.desk = Desk()
        self.tokens_asked = 0
        self.account: Account = make_account("desk", "nectar", host.url, {"call_ids": "9"})
        self.call = self.at("/old")
        self.desk.now = self.at("/new")

    def at(self, path: str, ended: timedelta = timedelta(days=1)) -> Call:
        recordings = (Recording("r", url=self.host.url + path),) if path else ()
        return Call(
            "9",
            "nectar",
            started_at=NOW - ended - timedelta(seconds=40),
            ended_at=NOW - ended,
            has_recording=True,
            recordings=recordings,
        )

    def partials(self) -> list[Path]:
        return list(self.services.paths.cached_recordings.rglob("*.part"))


async def until(true: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline, what()
        await asyncio.sleep(0.01)


async def heard(playback: PlaybackController, seconds: float = 0.3) -> None:
    def so() -> bool:
        view = playback.view
        assert view.status != "failed", view.message
        return view.status == "playing" and view.position_s >= seconds

    await until(so, lambda: playback.view)


async def slowly(world: World, playback: PlaybackController) -> None:
    """It is heard while most of it is still to come."""
    world.host.rate = 60_000
    await playback.play(world.account, world.call)
    await heard(playback)
