"""Calls asked for anew from the screen, and accounts that are not what "fresh" says."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from providers.sandbox import Sandbox
from tests.ui.driving import (
    main,
    page,
    player,
    run_app,
    services_for,
    settled,
    status,
    table,
    until,
)
from tui.archive.errors import ArchiveReadOnly, ArchiveUnavailable
from tui.archive.records import AccountState
from tui.archive.sqlite import Archive
from tui.screens.upkeep import bring_up_to_date
from tui.services import Services
from tui.sync.jobs import sync_all
from tui.sync.refresh import refresh_calls
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


def current_id(pilot: Any) -> str:
    archive, key = main(pilot).ctx.archive, table(pilot).current_key
    assert archive and key
    return archive.names_of([key])[0][1]


async def test_a_key_asks_the_vendor_anew_for_the_call_and_says_what_came(
    home: Home, fresh: Sandbox
) -> None:
    async with run_app(home("nectar", sandbox=fresh), "-rec answered").run_test() as pilot:
        await settled(pilot)
        id_ = current_id(pilot)
        await pilot.press("U")
        await until(pilot, lambda: f"nectar:{id_}: nothing new" in status(pilot))
        late_recording(fresh, id_)
        await pilot.press("U")
        await until(pilot, lambda: f"nectar:{id_}: recording found" in status(pilot))
        await settled(pilot)
        archive = main(pilot).ctx.archive
        assert archive
        call = archive.call_by_id("nectar", id_)
        assert call and [one.id for one in call.recordings] == ["77"]


async def test_marked_calls_are_asked_for_together(home: Home, fresh: Sandbox) -> None:
    async with run_app(home("nectar", sandbox=fresh), "-rec").run_test(size=(160, 24)) as pilot:
        await settled(pilot)
        late_recording(fresh, current_id(pilot))
        before = len(fresh.requests)
        await pilot.press("x", "j", "x", "j", "x", "U")
        await until(pilot, lambda: "3 calls asked for:" in status(pilot))
        assert "2 nothing new" in status(pilot) and "1 recording found" in status(pilot)
        assert len(fresh.requests) == before + 3


async def test_what_cannot_be_asked_says_why_and_loses_nothing(home: Home, fresh: Sandbox) -> None:
    async with run_app(home("nectar", sandbox=fresh), "rec").run_test(size=(160, 24)) as pilot:
        await settled(pilot)
        id_ = current_id(pilot)
        fresh.fail("nectar", status=404, path=f"/calls/{id_}")
        await pilot.press("U")
        await until(pilot, lambda: "it stays here as it was" in status(pilot))
        assert current_id(pilot) == id_


async def test_what_came_and_finds_no_room_is_not_said_to_be_found(
    home: Home, fresh: Sandbox
) -> None:
    services = home("nectar", sandbox=fresh)
    [account] = services.accounts.list()
    id_ = str(fresh.data.nectar_calls[0]["id"])
    body = json.dumps({"calls": {"id": id_, "disposition": {"note": "word " * 100_000}}}).encode()
    fresh.fail("nectar", status=200, times=1, body=body, path=f"/calls/{id_}")
    with services.open_archive() as archive:
        archive._db.execute("PRAGMA max_page_count = 1")  # no more than there are
        with pytest.raises(ArchiveUnavailable, match="full"):
            await refresh_calls(services, account, archive, [id_])
        assert archive.key_of("nectar", id_) is None


async def test_space_on_a_call_without_a_recording_asks_once(home: Home, fresh: Sandbox) -> None:
    async with run_app(home("nectar", sandbox=fresh), "-rec answered").run_test() as pilot:
        await settled(pilot)
        id_, before = current_id(pilot), len(fresh.requests)
        await pilot.press("space")
        await until(pilot, lambda: "no recording (asked just now)" in player(pilot))
        assert len(fresh.requests) == before + 1
        late_recording(fresh, id_)
        await pilot.press("space")
        await until(pilot, lambda: main(pilot).player.playback.has_sound)


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
    async with run_app(services).run_test() as pilot:
        await until(pilot, lambda: main(pilot).sync.busy)
        await pilot.press("R")
        await until(pilot, lambda: len(table(pilot)._rows) == len(fresh.data.liner_calls))


async def test_an_account_with_calls_missing_is_not_called_fresh(
    home: Home, fresh: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.archive.records import SyncPeriod

    services = home("cinnox", sandbox=fresh)
    accounts = services.accounts.list()
    with services.open_archive() as archive:
        await sync_all(services, accounts, archive, SyncRequest())
        [settings] = archive._db.execute("SELECT settings FROM coverage").fetchone()
        now = services.now().timestamp()
        walk = archive.begin_period(SyncPeriod("cinnox", f"|{settings}", now - 9e6, now - 9e5))
        with archive.transaction():
            words = "100 of 345 calls"
            archive.advance_period(walk._replace(shortfall=words, tries=1, again_at=now + 900))
            archive.save_account_state("cinnox", AccountState("incomplete", words, now))
    async with run_app(services).run_test(size=(120, 24)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: "incomplete 100 of 345 " in page(pilot))
        assert "cinnox: incomplete (100 of 345 calls)" in status(pilot)
        before = len(fresh.requests)
        main(pilot).query_one(CallTable).post_message(CallTable.NearEnd(1))
        await pilot.pause()
        await settled(pilot)
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
    async with run_app(services).run_test(size=(120, 24)) as pilot:
        await settled(pilot)
        assert f"nectar: rate-limited {words}" in status(pilot)
        assert f"rate-limited {words}"[:23] in page(pilot)
        await pilot.press("r")
        await until(pilot, lambda: not main(pilot).sync.busy)
        assert words in status(pilot)
        assert not fresh.requests


def test_calls_of_an_older_reading_are_read_anew_beside_the_screen(
    home: Home, fresh: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from providers.nectar import Nectar

    services = home("nectar", sandbox=fresh)
    with services.open_archive() as archive:
        asyncio.run(sync_all(services, services.accounts.list(), archive, SyncRequest()))
        archive._db.execute("UPDATE detail SET body = json_set(body, '$.campaign', 'old')")
        archive._db.execute("UPDATE call SET campaign = 'old'")
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

    services, opened = home("nectar", sandbox=fresh), Services.open_archive

    def only_to_read(self: Services) -> Archive:
        archive = opened(self)
        archive._unwritable = ArchiveReadOnly("the disk is full")
        return archive

    with services.open_archive() as archive:
        asyncio.run(sync_all(services, services.accounts.list(), archive, SyncRequest()))
        version = Nectar.parser_version + 1
        monkeypatch.setattr(Nectar, "parser_version", version)
        monkeypatch.setattr(Services, "open_archive", only_to_read)
        bring_up_to_date(services, lambda: False)
        assert archive.count_unread("nectar", version) == archive.count()


async def test_leaving_during_a_sync_leaves_no_task_whose_end_nobody_reads(
    fresh: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    services = services_for(fresh, ["nectar", "liner", "cinnox"], os.environ)
    for vendor in ("nectar", "liner", "cinnox"):
        fresh.fail(vendor, status=0, times=8, delay_s=1.0)
    async with run_app(services).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: len(main(pilot).sync.busy) == 3 and fresh.requests)
        syncs = main(pilot).sync
    assert not syncs.busy, "stopped with the screen"
    await asyncio.sleep(0)
    gc.collect()
    assert "never retrieved" not in caplog.text
