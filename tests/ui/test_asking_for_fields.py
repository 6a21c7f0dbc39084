"""The query line on the screen: fields of a vendor's own, slips, and names of facets; tags."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from tests.archive.calls import START, call
from tests.ui.driving import main, page, press_each, run_app, table, until
from tests.ui.test_triage import ready
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
    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await press_each(pilot, "/mised")
        await until(pilot, lambda: "^ did you mean missed?" in page(pilot))
        await press_each(pilot, " in")
        await until(pilot, lambda: " mised in" in page(pilot))
        await until(pilot, lambda: "^ did you mean missed?" in page(pilot))
        await pilot.press("ctrl+u")
        await press_each(pilot, "missed")
        await until(pilot, lambda: len(table(pilot)._rows) == 1)
        assert "did you mean" not in page(pilot)


async def test_a_field_that_one_vendor_has_is_asked_for_by_its_name(desk: Services) -> None:
    async with run_app(desk, "mood:angry").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(table(pilot)._rows) == 2)
        assert "is not a field" not in page(pilot)
    async with run_app(desk, "moon:angry").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "moon: is not a field" in page(pilot))
        await until(pilot, lambda: len(table(pilot)._rows) == 9)


async def test_choosing_a_group_shows_as_many_calls_as_stand_beside_it(desk: Services) -> None:
    async with run_app(desk).run_test(size=(120, 40)) as pilot:
        sidebar = pilot.app.screen.query_one(Sidebar)
        await until(pilot, lambda: bool(sidebar.facets))
        [group] = [facet for facet in sidebar.facets if facet.name == "Support"]
        assert (group.query, group.calls) == ('group:="Support"', "6")
        sidebar.post_message(Sidebar.Chosen("facet", group.query))
        await until(pilot, lambda: len(table(pilot)._rows) == 6)
        assert main(pilot).query_text == group.query
        sidebar.post_message(Sidebar.Chosen("facet", group.query))
        await until(pilot, lambda: len(table(pilot)._rows) == 9)


async def test_one_line_gives_tags_and_takes_others_away(desk: Services) -> None:
    with desk.open_archive() as archive:
        archive.triage.append([("desk", "9")], [tag("x"), tag("call back")], "ann")
        archive.triage.append([("desk", "9")], [tag("vip")], "ann")

    def tags() -> tuple[str, ...]:
        with desk.open_archive() as archive:
            return archive.triage.of("desk", "9").tags

    async with run_app(desk).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await press_each(pilot, "tbilling -x -call back")
        await pilot.press("enter")
        await until(pilot, lambda: tags() == ("vip", "billing"))
        await ready(pilot)
        await press_each(pilot, "t")
        await press_each(pilot, "-")
        await pilot.press("enter")
        await until(pilot, lambda: "a tag is some text" in page(pilot))
        assert tags() == ("vip", "billing")
