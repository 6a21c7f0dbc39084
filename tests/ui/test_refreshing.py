"""Calls asked for anew from the screen, and accounts that are not what "fresh" says."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from providers.sandbox import Sandbox
from tests.archive.database import unpack_details
from tests.ui.calls_page import open_page
from tests.ui.services import change, select, services_for
from tui.archive.errors import ArchiveReadOnly
from tui.archive.records import AccountState
from tui.archive.sqlite import Archive
from tui.screens.upkeep import bring_up_to_date
from tui.services import Services
from tui.sync.jobs import sync_all
from tui.sync.sync import SyncRequest
from widgets.call_table import CallTable

Home = Callable[..., Services]


def late_recording(world: Sandbox, id_: str, times: int = 1) -> None:
    """From now on the vendor has a recording of a Nectar Desk call."""
    row = next(row for row in world.data.nectar_calls if str(row["id"]) == id_)
    other = next(row["recordings"] for row in world.data.nectar_calls if row.get("recordings"))
    body = {"calls": {**row, "recordings": [{"id": 77, "url": other[0]["url"]}]}}
    text = json.dumps(body).encode()
    world.fail("nectar", status=200, times=times, body=text, path=f"/calls/{id_}")


async def test_a_key_asks_the_vendor_anew_for_the_call_and_says_what_came(
    home: Home, fresh: Sandbox
) -> None:
    async with open_page(home("nectar", sandbox=fresh), "-rec answered") as page:
        await page.idle()
        id_ = page.call_id
        await page.press("U")
        await page.until(lambda: f"nectar:{id_}: nothing new" in page.status)
        late_recording(fresh, id_)
        await page.press("U")
        await page.until(lambda: f"nectar:{id_}: recording found" in page.status)
        await page.idle()
        with page.app.services.open_archive() as archive:
            call = archive.call_by_id("nectar", id_)
        assert call and [one.id for one in call.recordings] == ["77"]


async def test_marked_calls_are_asked_for_together(home: Home, fresh: Sandbox) -> None:
    async with open_page(home("nectar", sandbox=fresh), "-rec", size=(160, 24)) as page:
        await page.idle()
        late_recording(fresh, page.call_id)
        before = len(fresh.requests)
        await page.press("x", "j", "x", "j", "x", "U")
        await page.until(lambda: "3 calls asked for:" in page.status)
        assert "2 nothing new" in page.status and "1 recording found" in page.status
        assert len(fresh.requests) == before + 3


async def test_what_cannot_be_asked_says_why_and_loses_nothing(home: Home, fresh: Sandbox) -> None:
    async with open_page(home("nectar", sandbox=fresh), "rec", size=(160, 24)) as page:
        await page.idle()
        id_ = page.call_id
        fresh.fail("nectar", status=404, path=f"/calls/{id_}")
        await page.press("U")
        await page.until(lambda: "it stays here as it was" in page.status)
        assert page.call_id == id_


async def test_space_on_a_call_without_a_recording_asks_once(home: Home, fresh: Sandbox) -> None:
    async with open_page(home("nectar", sandbox=fresh), "-rec answered") as page:
        await page.idle()
        id_, before = page.call_id, len(fresh.requests)
        await page.press("space")
        await page.until(lambda: "no recording (asked just now)" in page.player)
        assert len(fresh.requests) == before + 1
        late_recording(fresh, id_)
        await page.press("space")
        await page.until(lambda: page.screen.player.playback.has_sound)


async def test_all_is_brought_also_while_a_refresh_is_under_way(home: Home, fresh: Sandbox) -> None:
    """After a sync of a short period, "load all" means all, whenever it is pressed."""
    services = home("liner", sandbox=fresh)
    newest = max(row["createdAt"] for row in fresh.data.liner_calls)
    from datetime import datetime

    since = datetime.fromisoformat(newest) - timedelta(hours=1)
    with services.open_archive() as archive:
        await sync_all(
            services, services.accounts.list(), archive, SyncRequest(since=since, asked="1h..")
        )
        few = archive.count()
    assert few < len(fresh.data.liner_calls)
    fresh.fail("liner", status=0, times=1, delay_s=0.5, path="/v2/call/")
    async with open_page(services) as page:
        await page.until(lambda: page.syncing)
        await page.press("R")
        await page.until(lambda: page.count == len(fresh.data.liner_calls))


async def test_an_account_with_calls_missing_is_not_called_fresh(
    home: Home, fresh: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.archive.records import SyncPeriod

    services = home("cinnox", sandbox=fresh)
    accounts = services.accounts.list()
    with services.open_archive() as archive:
        await sync_all(services, accounts, archive, SyncRequest())
        [(settings,)] = select(services, "SELECT settings FROM coverage")
        now = services.now().timestamp()
        walk = archive.begin_period(SyncPeriod("cinnox", f"|{settings}", now - 9e6, now - 9e5))
        with archive.transaction():
            words = "100 of 345 calls"
            archive.advance_period(walk._replace(shortfall=words, tries=1, again_at=now + 900))
            archive.save_account_state("cinnox", AccountState("incomplete", words, now))
    async with open_page(services, size=(120, 24)) as page:
        await page.idle()
        await page.until(lambda: "incomplete 100 of 345 " in page.text)
        assert "cinnox: incomplete (100 of 345 calls)" in page.status
        before = len(fresh.requests)
        page.table.post_message(CallTable.NearEnd(1))
        await page.pause()
        await page.idle()
        assert len(fresh.requests) == before  # it is not asked again and again


async def test_a_vendor_that_asked_for_a_pause_is_left_alone_until_then(
    home: Home, fresh: Sandbox
) -> None:
    services = home("nectar", sandbox=fresh)
    now = services.now()
    again_at = now + timedelta(hours=3)
    with services.open_archive() as archive:
        state = AccountState(
            "rate-limited", "Too many requests", now.timestamp(), again_at.timestamp(), 1
        )
        with archive.transaction():
            archive.save_account_state("nectar", state)
    words = f"until {again_at:%H:%M}"
    if again_at.date() != now.date():
        words = f"until {again_at:%Y-%m-%d %H:%M}"
    async with open_page(services, size=(120, 24)) as page:
        await page.idle()
        assert f"nectar: rate-limited {words}" in page.status
        assert f"rate-limited {words}"[:23] in page.text
        await page.press("r")
        await page.until(lambda: not page.syncing)
        assert words in page.status
        assert not fresh.requests


def test_calls_of_an_older_reading_are_read_anew_beside_the_screen(
    home: Home, fresh: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from providers.nectar import Nectar

    services = home("nectar", sandbox=fresh)
    with services.open_archive() as archive:
        asyncio.run(sync_all(services, services.accounts.list(), archive, SyncRequest()))
        with closing(sqlite3.connect(services.paths.archive_file)) as db, db:
            unpack_details(db)
            db.execute("UPDATE detail SET body = json_set(body, '$.campaign', 'old')")
        change(services, "UPDATE call SET campaign = 'old'")
        bring_up_to_date(services, lambda: False)
        assert "old" in {body["campaign"] for _, body in archive.export(archive.keys())}
        monkeypatch.setattr(Nectar, "parser_version", Nectar.parser_version + 1)
        bring_up_to_date(services, lambda: True)  # the screen is left at once
        assert "old" in {body["campaign"] for _, body in archive.export(archive.keys())}
        bring_up_to_date(services, lambda: False)
        assert "old" not in {body["campaign"] for _, body in archive.export(archive.keys())}
        assert archive.unread("nectar", Nectar.parser_version) is None


def test_calls_wait_to_be_read_anew_where_nothing_can_be_kept(
    home: Home, fresh: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from providers.nectar import Nectar

    services = home("nectar", sandbox=fresh)
    with services.open_archive() as archive:
        asyncio.run(sync_all(services, services.accounts.list(), archive, SyncRequest()))
        version = Nectar.parser_version + 1
        monkeypatch.setattr(Nectar, "parser_version", version)
        only_read = property(lambda _: ArchiveReadOnly("the disk is full"))
        monkeypatch.setattr(Archive, "read_only", only_read)
        bring_up_to_date(services, lambda: False)
        assert archive.count_unread("nectar", version) == archive.count()


async def test_leaving_during_a_sync_leaves_no_task_whose_end_nobody_reads(
    fresh: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    services = services_for(fresh, ["nectar", "liner", "cinnox"], os.environ)
    for vendor in ("nectar", "liner", "cinnox"):
        fresh.fail(vendor, status=0, times=8, delay_s=1.0)
    async with open_page(services, size=(120, 30)) as page:
        await page.until(lambda: len(page.syncing) == 3 and fresh.requests)
        syncs = page.screen.sync
    assert not syncs.busy, "stopped with the screen"
    await asyncio.sleep(0)
    gc.collect()
    assert "never retrieved" not in caplog.text
