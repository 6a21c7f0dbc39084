"""Holds on the screen; and calls that go by config.toml while the screen is open."""

from __future__ import annotations

import os
from datetime import UTC

import pytest

from tests.archive.calls import call
from tests.ui.calls_page import open_page
from tui import audit_log
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.services import Services
from widgets.confirm import Confirm


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


def held(services: Services) -> set[str]:
    with services.open_archive() as archive:
        return {id_ for _, id_ in archive.names_of(archive.held())}


def acts(services: Services) -> list[tuple[object, ...]]:
    found = audit_log.entries(services.paths)
    return [(e["act"], e.get("call"), e.get("undone", False)) for e in found]


async def test_a_key_puts_a_call_on_hold_and_releases_it(desk: Services) -> None:
    async with open_page(desk, size=(120, 30)) as page:
        await page.idle()
        await page.press("K")
        await page.type_text("case 12")
        await page.press("enter")
        await page.until(lambda: held(desk) == {"5"})
        await page.idle()
        assert " held" in page.row
        await page.press("d", "k", "enter")
        await page.idle()
        assert "on hold: case 12 (ann, " in page.detail
        await page.press("escape")
        assert " done h" in page.row
        await page.press("K")
        await page.until(lambda: isinstance(page.top, Confirm))
        await page.press("y")
        await page.until(lambda: held(desk) == set())
        await page.idle()
        await page.press("u")
        await page.until(lambda: held(desk) == {"5"})
        await page.idle()
        await page.press("x", "j", "x", "K", "enter")  # several, without a reason
        await page.until(lambda: held(desk) == {"4", "5"})
        await page.idle()
        assert "2 calls: hold" in page.status
    assert acts(desk) == [
        *(("hold", "desk:5", False), ("release", "desk:5", False), ("release", "desk:5", True)),
        *(("hold", "desk:4", False), ("hold", "desk:5", False)),
    ]


async def test_the_screen_says_what_will_go_and_lets_it_go_the_next_time(desk: Services) -> None:
    config = desk.paths.config_file
    config.write_text(config.read_text() + "[retention]\ncalls_days = 1\n")
    async with open_page(desk, size=(120, 30)) as page:
        await page.until(lambda: "5 calls older than 1 day " in page.notices)
        await page.idle()
        assert "Contact 5" in page.text
    async with open_page(desk, size=(120, 30)) as page:
        await page.until(lambda: "Removed 5 calls older than 1 day." in page.notices)
        await page.until(lambda: "Contact 5" not in page.text)
    with desk.open_archive() as archive:
        assert archive.count() == 0
