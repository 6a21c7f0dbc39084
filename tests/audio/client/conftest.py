"""A player with a made-up engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.audio.client.fake_engine import FakeWorld, MemorySource
from tui.audio.client.route import Route


@pytest.fixture
async def world() -> AsyncIterator[FakeWorld]:
    made = FakeWorld(Route("local", "miniaudio"))
    yield made
    await made.player.close()


@pytest.fixture
async def playing(world: FakeWorld) -> FakeWorld:
    """At second 5 of 60."""
    await world.player.play(MemorySource(), start_s=5.0)
    opened = world.engine.opened
    await world.engine.say("ready", id=opened["id"], length=60.0, channels=2, exact=False)
    await world.at(5.0)
    return world
