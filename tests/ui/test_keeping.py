"""Holds on the screen; and calls that go by config.toml while the screen is open."""

from __future__ import annotations

import os
from datetime import UTC

import pytest
from textual.pilot import Pilot

from tests.archive.calls import call
from tests.ui.driving import cursor_row, detail, main, page, press_each, run_app, status, until
from tui import audit_log
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.screens.activity import Activity
from tui.services import Services
from widgets.confirm import Confirm

ROWS = Activity.READING | Activity.OUTDATED | Activity.WRITING


@pytest.fixture
def desk() -> Services:
    """Five calls of an account that cannot be reached; Ann at the desk."""
    paths = Paths.default(os.environ)
    paths.make()
    services = Services(paths, {**os.environ, "RINGBACK_USER": "ann"}, UTC)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    with services.open_archive() as archive:
        archive.read_by("desk", 99)  # their raw is none of a vendor's: there is nothing to read
        with archive.transaction():
            archive.save("desk", [call(number) for number in range(1, 6)])
    return services


async def ready(pilot: Pilot[None]) -> None:
    screen = main(pilot)
    await until(
        pilot,
        lambda: not screen.activity & (Activity.STARTING | Activity.SYNCING | Activity.WRITING),
    )
    await until(pilot, lambda: not screen.activity & ROWS)
    await pilot.pause()


def notices(pilot: Pilot[None]) -> str:
    return " ".join(one.message for one in pilot.app._notifications)


def held(services: Services) -> set[str]:
    with services.open_archive() as archive:
        return {id_ for _, id_ in archive.names_of(archive.held())}


def acts(services: Services) -> list[tuple[object, ...]]:
    found = audit_log.entries(services.paths)
    return [(e["act"], e.get("call"), e.get("undone", False)) for e in found]


async def test_a_key_puts_a_call_on_hold_and_releases_it(desk: Services) -> None:
    async with run_app(desk).run_test(size=(120, 30)) as pilot:
        await ready(pilot)
        await pilot.press("K")
        await press_each(pilot, "case 12")
        await pilot.press("enter")
        await until(pilot, lambda: held(desk) == {"5"})
        await ready(pilot)
        assert " held" in cursor_row(pilot)
        await pilot.press("d", "k", "enter")
        await ready(pilot)
        assert "on hold: case 12 (ann, " in detail(pilot)
        await pilot.press("escape")
        assert " done h" in cursor_row(pilot)
        await pilot.press("K")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: held(desk) == set())
        await ready(pilot)
        await pilot.press("u")
        await until(pilot, lambda: held(desk) == {"5"})
        await ready(pilot)
        await pilot.press("x", "j", "x", "K", "enter")  # several, without a reason
        await until(pilot, lambda: held(desk) == {"4", "5"})
        await ready(pilot)
        assert "2 calls: hold" in status(pilot)
    assert acts(desk) == [
        *(("hold", "desk:5", False), ("release", "desk:5", False), ("release", "desk:5", True)),
        *(("hold", "desk:4", False), ("hold", "desk:5", False)),
    ]


async def test_the_screen_says_what_will_go_and_lets_it_go_the_next_time(desk: Services) -> None:
    config = desk.paths.config_file
    config.write_text(config.read_text() + "[retention]\ncalls_days = 1\n")
    async with run_app(desk).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "5 calls older than 1 day " in notices(pilot))
        await ready(pilot)
        assert "Contact 5" in page(pilot)
    async with run_app(desk).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "Removed 5 calls older than 1 day." in notices(pilot))
        await until(pilot, lambda: "Contact 5" not in page(pilot))
    with desk.open_archive() as archive:
        assert archive.count() == 0
