"""Which engine a player has, and what becomes of it when its route changes or it has gone."""

from __future__ import annotations

import asyncio

import pytest

from tests.audio.client.fake_engine import FakeEngine
from tui.audio.client.connection import EngineConnection
from tui.audio.client.connector import EngineConnector
from tui.audio.client.route import Route

HERE, ELSEWHERE = Route("local", "miniaudio"), Route("local", "none")
SPEAKER = Route("speaker", "/run/speaker-1-laptop.sock")


class Place:
    """A route that changes, and what happens to whoever connects there."""

    def __init__(self, route: Route = HERE) -> None:
        self.route = route
        self.errors: list[OSError] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.tried: list[Route] = []
        self.connected: list[EngineConnection] = []
        self.connector = EngineConnector(lambda: self.route, self.connected.append, self._connect)

    async def _connect(self, route: Route) -> FakeEngine:
        self.tried.append(route)
        await self.answers.wait()
        if self.errors:
            raise self.errors.pop(0)
        return FakeEngine(route)


async def test_an_engine_is_kept_while_its_route_is_the_same() -> None:
    place = Place()
    first = await place.connector.open()
    assert await place.connector.open() is first
    assert place.connected == [first]
    assert not place.connector.refresh_route()
    place.route = ELSEWHERE
    assert place.connector.refresh_route()
    second = await place.connector.open()
    assert isinstance(first, FakeEngine)
    assert isinstance(second, FakeEngine)
    assert (first.ended, second.ended, second.route) == (True, False, ELSEWHERE)


async def test_an_engine_that_is_lost_is_replaced() -> None:
    place = Place()
    first = await place.connector.open()
    assert first is not None
    assert place.connector.lost(first)
    assert not place.connector.lost(first)
    assert await place.connector.open() is not first


async def test_disconnecting_ends_it_and_the_next_open_starts_another() -> None:
    place = Place()
    first = await place.connector.open()
    await place.connector.disconnect()
    assert isinstance(first, FakeEngine)
    assert first.ended
    assert not place.connector.lost(first), "it was we who ended it"
    assert await place.connector.open() is not first


@pytest.mark.parametrize("error", [ConnectionRefusedError(), FileNotFoundError()])
async def test_a_speaker_that_has_just_gone_is_looked_for_again(error: OSError) -> None:
    place = Place(SPEAKER)
    place.errors = [error]
    opening = asyncio.create_task(place.connector.open())
    while not place.tried:  # noqa: ASYNC110
        await asyncio.sleep(0)
    place.route = HERE
    assert await opening is not None
    assert place.tried == [SPEAKER, HERE]
    assert place.connector.route == HERE


async def test_a_speaker_that_never_answers_is_given_up() -> None:
    place = Place(SPEAKER)
    place.errors = [ConnectionRefusedError() for _ in range(9)]
    with pytest.raises(ConnectionRefusedError):
        await place.connector.open()
    assert len(place.tried) == 6


@pytest.mark.parametrize(
    ("route", "error"), [(HERE, FileNotFoundError()), (SPEAKER, PermissionError())]
)
async def test_what_cannot_change_is_not_tried_again(route: Route, error: OSError) -> None:
    place = Place(route)
    place.errors = [error]
    with pytest.raises(type(error)):
        await place.connector.open()
    assert len(place.tried) == 1
    assert place.connector.connection is None


async def test_an_engine_that_was_being_started_is_kept_hold_of() -> None:
    """Who waits for it may be cancelled; the process starts anyway."""
    place = Place()
    place.answers.clear()
    opening = asyncio.create_task(place.connector.open())
    while not place.tried:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert place.connector.opening
    opening.cancel()
    place.answers.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    engine = place.connector.connection
    assert place.connected == [engine]
    await place.connector.close()
    assert isinstance(engine, FakeEngine)
    assert engine.ended


async def test_closing_does_not_wait_for_a_speaker() -> None:
    place = Place(SPEAKER)
    place.answers.clear()
    opening = asyncio.create_task(place.connector.open())
    while not place.tried:  # noqa: ASYNC110
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await place.connector.close()
    with pytest.raises(OSError, match="closed"):
        await opening


async def test_after_close_nothing_is_opened() -> None:
    for route in (HERE, SPEAKER):
        place = Place(route)
        await place.connector.close()
        assert await place.connector.open() is None
        assert place.tried == []
