"""Which periods a sync walks, how it resumes, and what it keeps: over a scripted vendor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from providers.base import Login, Provider, Secret
from providers.errors import AuthError, Unreachable
from providers.model import Call, CallQuery, Capabilities, Page, Recording
from tests.archive.calls import START, call
from tests.sync.scripted_vendor import NOW, Vendor, sync, with_recordings
from tui.archive.errors import ArchiveUnavailable
from tui.archive.records import Saved
from tui.archive.sqlite import Archive
from tui.query.dates import BEGINNING, DAY_S
from tui.sync.sync import RECENT_S, Sync, SyncRequest


def test_the_first_sync_brings_everything_and_the_next_what_came_since(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]])
    report = sync(archive, vendor)
    assert vendor.asked == [(BEGINNING.timestamp(), NOW, None)]
    assert (report.saved, report.fetched) == (Saved(new=2), 2)
    assert (report.unknown_ids, report.problems) == (2, ["x failed"])
    assert report.complete and report.error is None
    sync(archive, vendor, at=NOW + 500)
    assert vendor.asked[1] == (NOW - RECENT_S, NOW + 500, None)
    assert archive.account_states()["desk"].state == "fresh"


def test_an_interrupted_walk_goes_on_at_its_page_with_its_period(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)], [call(3)]], error=Unreachable("No answer"), error_at=1)
    report = sync(archive, vendor)
    assert report.error is vendor.error and report.fetched == 1 and not report.complete
    assert archive.account_states()["desk"].state == "offline"
    vendor.error = None
    report = sync(archive, vendor, at=NOW + 500)
    # what is new comes first, then the rest of the first walk from where it stopped
    assert vendor.asked[1:] == [
        (NOW - DAY_S, NOW + 500, None),
        (BEGINNING.timestamp(), NOW, "1"),
    ]
    assert archive.counts_by_account() == {"desk": 3}
    assert archive.unfinished_periods("desk") == []


def test_a_limit_of_pages_leaves_the_rest_for_later(archive: Archive) -> None:
    vendor = Vendor([[call(n)] for n in range(6)], total=6)
    report = sync(archive, vendor, SyncRequest(pages=2))
    assert (report.fetched, report.complete) == (2, False)
    [walk] = archive.unfinished_periods("desk")
    assert (walk.fetched, walk.total, walk.cursor) == (2, 6, "2")
    report = sync(archive, vendor, SyncRequest(pages=1, more=True), at=NOW + 9)
    assert (report.fetched, vendor.asked[-1]) == (1, (BEGINNING.timestamp(), NOW, "2"))
    # what is new comes whole, whatever the limit
    report = sync(archive, vendor, SyncRequest(pages=1), at=NOW + 20)
    assert report.fetched == 6 + 1
    assert not report.complete


def test_the_same_period_again_resumes_and_another_does_not(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]], error=Unreachable("No answer"), error_at=1)
    week = SyncRequest(since=START, asked="7d..")
    sync(archive, vendor, week)
    vendor.error = None
    sync(archive, vendor, week, at=NOW + 60)
    assert vendor.asked[1] == (START.timestamp(), NOW, "1")
    sync(archive, vendor, replace(week, asked="8d.."), at=NOW + 90)
    assert vendor.asked[2] == (START.timestamp(), NOW + 90, None)


def test_a_walk_for_other_settings_is_dropped(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]])
    sync(archive, vendor, SyncRequest(pages=1), ids="1-2")
    sync(archive, vendor, SyncRequest(pages=1), ids="5-9", at=NOW + 0.5)
    assert vendor.asked[1][2] is None
    assert len(archive.unfinished_periods("desk")) == 1


def test_a_vendor_by_id_is_spared_what_has_settled(archive: Archive) -> None:
    vendor = Vendor([[call(1), call(2, outcome="in_progress")]], Capabilities(lists_calls=False))
    sync(archive, vendor)
    assert "1" not in vendor.skip_ids
    sync(archive, vendor, at=NOW + 60)
    assert [id_ in vendor.skip_ids for id_ in ("1", "2", "404")] == [True, False, False]
    sync(archive, vendor, SyncRequest(patient=False), at=NOW + 60)
    assert [id_ in vendor.skip_ids for id_ in ("1", "2", "404")] == [True, False, True]
    assert vendor.asked[-1][2] is None  # every sync walks the ids anew
    sync(archive, vendor, SyncRequest(discover=20), at=NOW + 90)
    assert archive.call_by_id("desk", "3") is not None


def test_a_vendor_by_id_is_asked_as_often_as_one_with_a_list(archive: Archive) -> None:
    """Unless somebody asks: for the last hour each time, for the day each hour."""
    ages = {"1": 10, "2": 90, "3": 600}
    calls = [
        call(int(id_), started_at=datetime.fromtimestamp(NOW - age * 60, UTC), ended_at=None)
        for id_, age in ages.items()
    ]

    class ById(Vendor):
        async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
            yield Page(tuple(one for one in calls if one.id not in self.skip_ids), None)

    vendor = ById([], Capabilities(lists_calls=False))

    def asked(minute: int, wish: SyncRequest) -> str:
        sync(archive, vendor, wish, at=NOW + minute * 60)
        return "".join(id_ for id_ in ages if id_ not in vendor.skip_ids)

    automatic = SyncRequest(patient=False, automatic=True)
    assert asked(0, automatic) == "123"
    found = {minute: asked(minute, automatic) for minute in (2, 4, 49, 51, 60, 63)}
    assert found == {2: "1", 4: "1", 49: "1", 51: "", 60: "2", 63: ""}
    assert asked(64, SyncRequest(patient=False)) == "1"
    assert asked(65, automatic) == ""


def test_an_id_of_more_digits_than_a_number_has_is_asked_for_again(archive: Archive) -> None:
    began = datetime.fromtimestamp(NOW - 60, UTC)
    vendor = Vendor(
        [[call(1, id=digits * 5000, started_at=began) for digits in "9\u0663"]],
        Capabilities(lists_calls=False),
    )
    for at in (NOW, NOW + 30):
        assert sync(archive, vendor, SyncRequest(automatic=True), at=at).error is None
    assert archive.counts_by_account() == {"desk": 2}


def test_a_refused_token_ends_the_sync_and_keeps_what_came(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]], error=AuthError("Token refused", "401"), error_at=1)
    report = sync(archive, vendor)
    assert report.state == "refused"
    assert archive.account_states()["desk"].message == "Token refused: 401"
    assert archive.counts_by_account() == {"desk": 1}


def test_recordings_are_asked_for_and_survive_the_next_list(archive: Archive) -> None:
    vendor = Vendor(
        [[call(1, recordings_known=False), call(2, recordings_known=False)]],
        Capabilities(separate_recordings=True),
        found={"1": (Recording("r", summary="said"),)},
    )
    report = sync(archive, vendor, SyncRequest(recordings=True))
    assert report.recordings == 1
    assert "recordings of call 2: No answer" in report.problems
    assert report.error is None
    sync(archive, vendor, at=NOW + 60)
    found = archive.call_by_id("desk", "1")
    assert found is not None and found.recordings_known
    assert (found.recordings, found.summary) == ((Recording("r", summary="said"),), "said")
    again = archive.call_by_id("desk", "2")
    assert again is not None and not again.recordings_known


def test_a_disk_that_fills_up_while_recordings_are_asked_for_is_the_archives_error(
    archive: Archive,
) -> None:
    class Filling(Vendor):
        async def recordings(self, call: Call) -> Call:
            archive._db.execute("PRAGMA max_page_count = 1")  # no more than there are
            return with_recordings(call, (Recording("r", summary="word " * 100_000),))

    vendor = Filling([[call(1, recordings_known=False)]], Capabilities(separate_recordings=True))
    with pytest.raises(ArchiveUnavailable, match="full"):
        sync(archive, vendor, SyncRequest(recordings=True))


def test_records_of_one_call_on_two_pages_become_one(archive: Archive) -> None:
    first, second = {"id": 1, "status": "ended"}, {"id": 1, "leg": 2}
    vendor = Vendor([[call(1, raw=first)], [call(1, raw=second)]])
    report = sync(archive, vendor)
    assert report.saved == Saved(new=1, changed=1)
    found = archive.call_by_id("desk", "1")
    assert found is not None and found.raw == {"id": 1, "status": "ended", "leg": 2}
    assert found.status == "ended"


async def test_cancelling_keeps_every_page_that_came(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]])
    came = asyncio.Event()

    class Slow(Vendor):
        async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
            yield Page((call(1),), "1")
            came.set()
            await asyncio.sleep(60)

    slow = Slow([])
    provider: Provider = slow  # type: ignore[assignment]
    login = Login("https://x.example", Secret("t"), {"ids": ""}, archive.names("desk"))
    job = asyncio.create_task(
        Sync("desk", provider, login, archive, clock=lambda: NOW).run(SyncRequest())
    )
    await came.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert archive.counts_by_account() == {"desk": 1}
    provider = vendor  # type: ignore[assignment]
    await Sync("desk", provider, login, archive, clock=lambda: NOW).run(SyncRequest(more=True))
    assert vendor.asked == [(BEGINNING.timestamp(), NOW, "1")]
