"""The query line on the screen: fields of a vendor's own, slips, and names of facets; tags."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from tests.archive.calls import START, call
from tests.ui.calls_page import open_page
from tui.archive.triage_events import tag
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.services import Services
from widgets.sidebar import Sidebar

NOW = START + timedelta(hours=6)


class Then(Services):
    """Services at a moment that stands still."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def desk(paths: Paths) -> Services:
    """Nine calls of two groups of which one's name begins the other's."""
    services = Then(paths, {**os.environ, "RINGBACK_USER": "ann"}, UTC)
    account = make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1-99"})
    services.accounts.add(account)
    with services.open_archive() as archive, archive.transaction():
        archive.save(
            "desk",
            [
                call(
                    number,
                    ring_group="Support" if number % 3 else "Support EU",
                    outcome="missed" if number == 4 else "answered",
                    vendor_fields={"mood": "angry" if number < 3 else "calm"},
                )
                for number in range(1, 10)
            ],
        )
    return services


async def test_a_slip_is_asked_about_while_nothing_is_found(desk: Services) -> None:
    async with open_page(desk) as page:
        await page.idle()
        await page.type_text("/mised")
        await page.until(lambda: "^ did you mean missed?" in page.text)
        await page.type_text(" in")
        await page.until(lambda: " mised in" in page.text)
        await page.until(lambda: "^ did you mean missed?" in page.text)
        await page.press("ctrl+u")
        await page.type_text("missed")
        await page.until(lambda: page.count == 1)
        assert "did you mean" not in page.text


async def test_a_field_that_one_vendor_has_is_asked_for_by_its_name(desk: Services) -> None:
    async with open_page(desk, "mood:angry") as page:
        await page.until(lambda: page.count == 2)
        assert "is not a field" not in page.text
    async with open_page(desk, "moon:angry") as page:
        await page.until(lambda: "moon: is not a field" in page.text)
        await page.until(lambda: page.count == 9)


async def test_choosing_a_group_shows_as_many_calls_as_stand_beside_it(desk: Services) -> None:
    async with open_page(desk, size=(120, 40)) as page:
        sidebar = page.top.query_one(Sidebar)
        await page.until(lambda: bool(sidebar.facets))
        [group] = [facet for facet in sidebar.facets if facet.name == "Support"]
        assert (group.query, group.calls) == ('group:="Support"', "6")
        sidebar.post_message(Sidebar.Chosen("facet", group.query))
        await page.until(lambda: page.count == 6)
        assert page.query == group.query
        sidebar.post_message(Sidebar.Chosen("facet", group.query))
        await page.until(lambda: page.count == 9)


async def test_one_line_gives_tags_and_takes_others_away(desk: Services) -> None:
    with desk.open_archive() as archive:
        archive.triage.append([("desk", "9")], [tag("x"), tag("call back")], "ann")
        archive.triage.append([("desk", "9")], [tag("vip")], "ann")

    def tags() -> tuple[str, ...]:
        with desk.open_archive() as archive:
            return archive.triage.of("desk", "9").tags

    async with open_page(desk) as page:
        await page.idle()
        await page.type_text("tbilling -x -call back")
        await page.press("enter")
        await page.until(lambda: tags() == ("vip", "billing"))
        await page.idle()
        await page.type_text("t")
        await page.type_text("-")
        await page.press("enter")
        await page.until(lambda: "a tag is some text" in page.text)
        assert tags() == ("vip", "billing")
