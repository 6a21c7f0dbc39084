"""How far back a refresh looks, and what is told of vendors that limit, lack or refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from providers.errors import RateLimited, Unreachable
from providers.model import Call, CallQuery, Capabilities, Page, Recording
from tests.archive.calls import START, call
from tests.sync.scripted_vendor import NOW, Steps, Vendor, sync, with_recordings
from tui.archive.sqlite import Archive
from tui.query.dates import BEGINNING, DAY_S
from tui.sync.report import held_back, left_alone
from tui.sync.sync import RECENT_S, WEEK_S, SyncRequest


def looks(vendor: Vendor, at: float) -> list[float]:
    """How far back from the last sync each walk of `vendor` went, in seconds."""
    return [at - since for since, _, _ in vendor.asked]


def test_a_refresh_looks_an_hour_back_an_hour_later_a_day_and_a_day_later_a_week(
    archive: Archive,
) -> None:
    vendor = Vendor([[call(1)]])
    sync(archive, vendor)
    asked: dict[float, int] = {}
    at = NOW
    for _ in range(26 * 60):
        at, last = at + 60, at
        vendor.asked.clear()
        sync(archive, vendor, SyncRequest(pages=3, patient=False, automatic=True), at=at)
        for back in looks(vendor, last):
            asked[back] = asked.get(back, 0) + 1
    assert asked == {RECENT_S: 26 * 60 - 26, DAY_S: 26, WEEK_S - 60: 1}


def test_a_call_that_had_not_ended_is_looked_at_again(archive: Archive) -> None:
    began = datetime.fromtimestamp(NOW - 5000, UTC)
    vendor = Vendor([[call(1, outcome="in_progress", started_at=began)]])
    sync(archive, vendor)
    sync(archive, vendor, at=NOW + 60)
    assert looks(vendor, NOW)[1:] == [5000]
    vendor.script = [[call(1, started_at=began)]]
    sync(archive, vendor, at=NOW + 120)
    sync(archive, vendor, at=NOW + 180)
    assert looks(vendor, NOW + 120)[3:] == [RECENT_S]


def test_recordings_are_looked_for_a_week_back(archive: Archive) -> None:
    vendor = Vendor([[call(1)]])
    sync(archive, vendor)
    sync(archive, vendor, SyncRequest(recordings=True), at=NOW + 60)
    assert looks(vendor, NOW)[1:] == [WEEK_S]
    assert archive.unfinished_periods("desk") == []


def test_an_hour_that_was_asked_for_alone_hides_no_gap(archive: Archive) -> None:
    vendor = Vendor([[call(1)]])
    sync(archive, vendor)
    at = NOW + 5 * DAY_S
    since = datetime.fromtimestamp(at - 3600, UTC)
    sync(archive, vendor, SyncRequest(since=since, asked="1h.."), at=at)
    sync(archive, vendor, at=at + 60)
    assert vendor.asked[2][0] <= NOW


def test_a_period_that_ends_in_the_future_hides_nothing_of_it(archive: Archive) -> None:
    vendor = Vendor([[call(1)]])
    until = datetime.fromtimestamp(NOW + 9 * 3600, UTC)
    sync(archive, vendor, SyncRequest(until=until, asked="..today"))
    assert vendor.asked[0][1] == NOW
    sync(archive, vendor, at=NOW + 600)
    assert vendor.asked[1][:2] == (NOW - RECENT_S, NOW + 600)


def test_everything_is_brought_after_a_period_and_for_other_settings(archive: Archive) -> None:
    vendor = Vendor([[call(1)]])
    sync(archive, vendor, SyncRequest(since=START, asked="7d.."), ids="1")
    sync(archive, vendor, SyncRequest(everything=True), ids="1", at=NOW + 60)
    assert [since for since, _, _ in vendor.asked[2:]] == [BEGINNING.timestamp()]
    vendor.asked.clear()
    sync(archive, vendor, SyncRequest(everything=True), ids="1", at=NOW + 120)
    assert looks(vendor, NOW + 60) == [RECENT_S]  # it is all here
    sync(archive, vendor, ids="1,2", at=NOW + 180)
    assert vendor.asked[-1][0] == BEGINNING.timestamp()


def test_settings_that_come_back_bring_what_was_left_unfinished(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]])
    sync(archive, vendor, SyncRequest(pages=1), ids="1")
    sync(archive, vendor, ids="1,2", at=NOW + 60)
    sync(archive, vendor, ids="1", at=NOW + 120)
    assert vendor.asked[-1][0] == BEGINNING.timestamp()


# -- what the vendor did not give


@dataclass
class Short(Vendor):
    """A vendor that says at each end that calls are missing."""

    shortfall: str = "100 of 345 calls"

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        async for page in super().pages(query, cursor):
            last = page.cursor is None
            yield replace(page, shortfall=self.shortfall if last else "")


def test_a_walk_that_lacks_calls_is_told_and_walked_again_from_its_start(archive: Archive) -> None:
    vendor = Short([[call(1)], [call(2)]])
    report = sync(archive, vendor)
    assert (report.state, report.message) == ("incomplete", "100 of 345 calls")
    assert not report.complete and "100 of 345 calls" in report.problems[-1]
    assert archive.account_states()["desk"][:2] == ("incomplete", "100 of 345 calls")
    vendor.shortfall = ""
    report = sync(archive, vendor, at=NOW + 60)
    assert (BEGINNING.timestamp(), NOW, None) in vendor.asked[1:]
    assert (report.state, report.complete) == ("fresh", True)
    assert archive.account_states()["desk"].state == "fresh"
    assert archive.unfinished_periods("desk") == []


@pytest.mark.slow
def test_a_vendor_whose_total_is_always_wrong_is_not_hammered(archive: Archive) -> None:
    vendor = Short([[call(1)]])
    sync(archive, vendor)
    vendor.asked.clear()
    at = NOW
    for _ in range(24 * 60):
        at += 60
        report = sync(archive, vendor, SyncRequest(pages=3, patient=False, automatic=True), at=at)
        assert report.state == "incomplete"
        assert len(archive.unfinished_periods("desk")) == 1
    long = [since for since, until, _ in vendor.asked if until - since > 2 * 3600]
    assert 1 <= len(long) < 15
    assert len(vendor.asked) <= 24 * 60 + len(long)
    near_end = SyncRequest(pages=1, more=True, automatic=True)
    vendor.asked.clear()
    sync(archive, vendor, near_end, at=at + 1)
    assert vendor.asked == []
    sync(archive, vendor, at=at + 2)  # somebody asks: from its start
    assert vendor.asked[-1][0] == BEGINNING.timestamp()


def test_a_state_is_not_fresh_while_calls_are_missing(archive: Archive) -> None:
    vendor = Short([[call(1)]])
    sync(archive, vendor)
    vendor.shortfall = ""
    report = sync(archive, vendor, SyncRequest(automatic=True), at=NOW + 60)  # only what is new
    assert len(vendor.asked) == 2
    assert (report.state, report.problems) == ("incomplete", ["x failed"])


def test_a_vendor_that_limits_requests_is_left_alone_as_long_as_it_said(archive: Archive) -> None:
    limited = RateLimited("Too many requests")
    limited.retry_after_s = 1800.0
    vendor = Vendor([[call(1)]], error=limited, error_at=0)
    report = sync(archive, vendor)
    state = archive.account_states()["desk"]
    assert (state.state, state.again_at, report.again_at) == ("rate-limited", *[NOW + 1800] * 2)
    assert held_back(state, NOW + 1799, automatic=False) == NOW + 1800
    assert held_back(state, NOW + 1801, automatic=True) is None


@pytest.mark.parametrize("kind", [RateLimited, Unreachable])
def test_who_asks_too_early_is_told_how_the_vendor_was(
    archive: Archive, kind: type[RateLimited | Unreachable]
) -> None:
    busy = kind("Busy")
    busy.retry_after_s = 1800.0
    sync(archive, Vendor([[call(1)]], error=busy, error_at=0))
    told = left_alone(archive, "desk", NOW + 1799, automatic=False)
    assert told and (told.state, told.again_at) == (kind.kind, NOW + 1800)
    assert left_alone(archive, "desk", NOW + 1801, automatic=False) is None


def test_a_vendor_that_only_refuses_is_left_alone_longer_each_time(archive: Archive) -> None:
    vendor = Vendor([[call(1)]], error=RateLimited("Too many requests"), error_at=0)
    pauses = []
    for number in range(4):
        sync(archive, vendor, at=NOW + number)
        state = archive.account_states()["desk"]
        assert held_back(state, NOW + number, automatic=False) is None
        pauses.append((held_back(state, NOW + number, automatic=True) or 0) - NOW - number)
    assert pauses == [300, 600, 1200, 2400]
    vendor.error = None
    sync(archive, vendor, at=NOW + 99)
    assert archive.account_states()["desk"].tries == 0


def test_a_note_is_kept_and_is_no_trouble(archive: Archive) -> None:
    class Noting(Vendor):
        async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
            for number in range(2):
                note = "the names of the staff cannot be had"
                yield Page((call(number),), None if number else "1", notes=(note,))

    report = sync(archive, Noting([]))
    assert (report.state, report.problems) == ("fresh", [])
    assert archive.account_states()["desk"].message == "the names of the staff cannot be had"


# -- recordings that come late


def test_a_recording_of_a_call_that_was_running_is_found_when_the_vendor_tells(
    archive: Archive,
) -> None:
    apart = Capabilities(separate_recordings=True)
    vendor = Vendor([[call(1, outcome="in_progress", has_recording=False)]], apart)
    sync(archive, vendor, SyncRequest(recordings=True))
    assert archive.call_by_id("desk", "1") == call(1, outcome="in_progress", has_recording=False)
    vendor.found["1"] = (Recording("r", url="https://x.example/r"),)
    vendor.script = [[call(1, has_recording=True, recordings_known=False)]]
    report = sync(archive, vendor, SyncRequest(recordings=True), at=NOW + 60)
    found = archive.call_by_id("desk", "1")
    assert report.recordings == 1
    assert found is not None and found.recordings == vendor.found["1"]


def test_recordings_that_came_meanwhile_are_not_overwritten(archive: Archive) -> None:
    """What was kept while the vendor was being asked is no older than its answer."""

    class Slow(Vendor):
        async def recordings(self, call: Call) -> Call:
            with archive.transaction():
                mine = with_recordings(call, (Recording("other"),))
                archive.save("desk", [replace(mine, summary="said")])
            return await super().recordings(call)

    vendor = Slow(
        [[call(1, recordings_known=False)]],
        Capabilities(separate_recordings=True),
        found={"1": (Recording("r"),)},
    )
    sync(archive, vendor, SyncRequest(recordings=True))
    found = archive.call_by_id("desk", "1")
    assert found is not None and found.summary == "said"
    assert {one.id for one in found.recordings} == {"r", "other"}


@pytest.mark.parametrize("error_at", [0, 1])
def test_syncs_that_fail_leave_few_walks_behind_and_one_makes_up_for_all(
    archive: Archive, error_at: int
) -> None:
    sync(archive, Vendor([[call(1)]]))
    failing = Vendor([[call(1)], [call(2)]], error=Unreachable("No answer"), error_at=error_at)
    tries = 200
    for number in range(1, tries):
        sync(archive, failing, SyncRequest(automatic=True), at=NOW + 120 * number)
    hours = tries * 120 / 3600
    assert len(archive.unfinished_periods("desk")) <= (2 if error_at == 0 else hours + 2)
    vendor, end = Vendor([[call(1)], [call(2)]]), NOW + 120 * tries
    report = sync(archive, vendor, at=end)
    assert report.complete and not archive.unfinished_periods("desk")
    assert len(vendor.asked) <= (1 if error_at == 0 else hours + 2)
    since = min(since for since, _, _ in vendor.asked)
    assert since <= NOW - RECENT_S and max(until for _, until, _ in vendor.asked) == end
    reached = since
    for begins, until, _ in sorted(vendor.asked):
        assert begins <= reached, "no gap"
        reached = max(reached, until)


def test_how_many_calls_were_asked_for_their_recordings_is_told_one_by_one(
    archive: Archive,
) -> None:
    young = [call(n, recordings_known=False, has_recording=True) for n in (1, 2, 3)]
    one = (Recording("r", url="https://x.example/r"),)
    found: dict[str, tuple[Recording, ...]] = {"1": one, "2": one}
    vendor = Vendor([young], Capabilities(separate_recordings=True), total=3, found=found)
    steps = Steps()
    sync(archive, vendor, SyncRequest(recordings=True), watcher=steps)
    assert steps.told == [("desk", 3, 3), ("desk", 1, 3), ("desk", 2, 3)], "one has no answer"
