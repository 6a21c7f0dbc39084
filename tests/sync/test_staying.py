"""How long calls stay here: until config.toml lets them go, or their vendors have them no more.

Over real HTTP, with a clock of the test's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.outside.server import APP_ID, TOKENS, Answer, Vendors, always, bad
from tests.outside.test_late import cinnox_row, liner_row, nectar_body
from tests.slow_params import few
from tui import audit_log
from tui.archive.errors import ArchiveUnavailable
from tui.archive.sqlite import Archive
from tui.archive.triage_events import hold, note
from tui.cli import main
from tui.config.accounts import make_account
from tui.recordings.cache import RecordingCache
from tui.removal.retention import sweep
from tui.services import Services
from tui.sync.jobs import sync_all
from tui.sync.refresh import Refreshed, refresh_calls
from tui.sync.report import Report
from tui.sync.sync import SyncRequest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SETTINGS = {"liner": {}, "cinnox": {"app_id": APP_ID}, "nectar": {"call_ids": "1-9"}}
KNOWN = {"liner": "7", "nectar": "1"}
"""Of each vendor that gives single calls, a call of an hour ago."""


class Desk:
    """A user of three vendors, each with three calls of the last day; the clock is moved on."""

    def __init__(self, vendors: Vendors) -> None:
        self.vendors, self.now = vendors, NOW
        self.services = Services.build(
            {**os.environ, **{f"RINGBACK_TOKEN_{v.upper()}": TOKENS[v] for v in SETTINGS}}
        )
        for vendor, settings in SETTINGS.items():
            self.services.accounts.add(make_account(vendor, vendor, vendors.url, settings))
        times = [NOW - HOUR * hours for hours in (1, 2, 20)]
        vendors.liner = [liner_row(7 + n, at) for n, at in enumerate(times)]
        vendors.cinnox = [cinnox_row(n, at) for n, at in enumerate(times)]
        vendors.nectar = {n: nectar_body(vendors, n, at, 2) for n, at in enumerate(times, 1)}

    def sync(self, **wish: object) -> dict[str, Report]:
        services, accounts = self.services, self.services.accounts.list()
        with services.open_archive() as archive:
            done = asyncio.run(sync_all(services, accounts, archive, SyncRequest(**wish)))  # type: ignore[arg-type]
        return {report.account: report for report in done}

    def refresh(self, account: str, *ids: str) -> list[Refreshed]:
        services = self.services
        with services.open_archive() as archive:
            owner = services.accounts.get(account)
            return asyncio.run(refresh_calls(services, owner, archive, ids))

    def forget(self, account: str) -> str:
        """The vendor deletes a call that is here."""
        id_ = KNOWN[account]
        self.vendors.liner = [s for s in self.vendors.liner if str(s.row["id"]) != id_]
        self.vendors.nectar = {n: b for n, b in self.vendors.nectar.items() if str(n) != id_}
        return id_

    def decide(self, account: str, id_: str, *changes: object) -> None:
        with self.services.open_archive() as archive:
            archive.triage.append([(account, id_)], changes, "ann")  # type: ignore[arg-type]

    def has(self, account: str, id_: str) -> bool:
        with self.services.open_archive() as archive:
            return archive.key_of(account, id_) is not None

    def calls(self) -> dict[str, int]:
        with self.services.open_archive() as archive:
            return archive.counts_by_account()

    def purges(self) -> list[tuple[object, object]]:
        found = audit_log.entries(self.services.paths)
        return [(e["by"], e["calls"]) for e in found if e["act"] == audit_log.PURGE]

    def configure(self, text: str) -> None:
        file = self.services.paths.config_file
        file.write_text(file.read_text() + text)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    vendors = Vendors()
    made = Desk(vendors)
    monkeypatch.setattr(Services, "now", lambda _: made.now)
    for name, value in made.services.environ.items():
        if name.startswith("RINGBACK_TOKEN_"):
            monkeypatch.setenv(name, value)
    made.sync()
    assert made.calls() == dict.fromkeys(SETTINGS, 3)
    yield made
    vendors.close()


def cached(desk: Desk, account: str, id_: str) -> None:
    """A recording of a call in the cache."""
    cache = RecordingCache(desk.services.paths.cached_recordings)
    with desk.services.open_archive() as archive:
        call = archive.call_by_id(account, id_)
    assert call
    handle, partial = cache.partial()
    os.close(handle)
    cache.keep(partial, account, call, 0, "mp3")


# -- deleted at the vendor


@pytest.mark.parametrize("account", KNOWN)
def test_a_call_goes_when_its_vendor_said_twice_that_it_has_none(desk: Desk, account: str) -> None:
    if account == "nectar":
        cached(desk, account, KNOWN[account])
    id_ = desk.forget(account)
    [said] = desk.refresh(account, id_)
    assert "it stays here as it was until the vendor has said so again" in said.words
    assert desk.has(account, id_)
    desk.now += HOUR / 2
    desk.refresh(account, id_)
    assert desk.has(account, id_)  # a vendor may be out of order for a while
    desk.now += HOUR
    [said] = desk.refresh(account, id_)
    assert "it was removed here too" in said.words and not desk.has(account, id_)
    assert desk.purges() == [("vendor", 1)]
    assert not list(desk.services.paths.cached_recordings.rglob("*.mp3"))
    with desk.services.open_archive() as archive:
        assert archive.triage.events(account, id_) == [] and archive.vanished() == []


@pytest.mark.parametrize("account", few(1, KNOWN))
def test_a_sync_finds_it_by_itself_and_says_so(desk: Desk, account: str) -> None:
    id_ = desk.forget(account)
    desk.now += 2 * HOUR
    desk.sync()
    assert desk.has(account, id_)
    desk.now += 2 * HOUR
    report = desk.sync()[account]
    assert not desk.has(account, id_)
    assert "1 call that the vendor deleted was removed" in report.notes
    assert not report.error and not report.problems
    assert desk.calls()[account] == 2


def test_a_call_that_a_list_lacks_stays(desk: Desk) -> None:
    """Liner's list leaves it out, CINNOX has no other question; both go on knowing it."""
    left_out = desk.vendors.liner[0]
    desk.vendors.cinnox = desk.vendors.cinnox[1:]
    detail = Answer(200, {"success": True, "message": "", "data": left_out.row})
    desk.vendors.rules.append(always(f"/v2/call/detail/{left_out.row['id']}/", detail))
    desk.vendors.liner = desk.vendors.liner[1:]
    for _ in range(4):
        desk.now += DAY
        desk.sync()
    assert desk.calls() == dict.fromkeys(SETTINGS, 3) and desk.purges() == []


@pytest.mark.parametrize("account", KNOWN)
@pytest.mark.parametrize(
    "answer",
    few(1, [bad(404, "Call not found"), Answer(410, "gone"), Answer(500, "?"), Answer(403, "no")]),
)
def test_a_vendor_that_gives_no_call_at_all_deletes_none(
    desk: Desk, account: str, answer: Answer
) -> None:
    desk.vendors.rules += [always("/v2/call/detail/", answer), always("/calls/", answer)]
    for _ in range(3):
        desk.refresh(account, KNOWN[account])
        desk.now += 2 * HOUR
        desk.sync()
    assert desk.calls() == dict.fromkeys(SETTINGS, 3)
    with desk.services.open_archive() as archive:
        assert archive.vanished() == []


@pytest.mark.parametrize("account", KNOWN)
def test_one_that_comes_again_in_between_is_not_gone(desk: Desk, account: str) -> None:
    liner, nectar = desk.vendors.liner, desk.vendors.nectar
    id_ = desk.forget(account)
    desk.refresh(account, id_)
    desk.vendors.liner, desk.vendors.nectar = liner, nectar
    desk.now += HOUR
    assert desk.refresh(account, id_)[0].error is None
    desk.forget(account)
    desk.now += HOUR
    desk.refresh(account, id_)
    assert desk.has(account, id_)


@pytest.mark.parametrize(
    ("changes", "config", "words"),
    few(
        1,
        [
            ([hold("case")], "", "on hold and stays"),
            ([note("ours")], "", "purge --deleted"),
            ([], "[privacy]\ndelete_when_vendor_deletes = false\n", "purge --deleted"),
        ],
    ),
)
def test_on_hold_decided_about_or_as_configured_it_stays_and_is_marked(
    desk: Desk,
    changes: list[object],
    config: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk.configure(config)
    if changes:
        desk.decide("nectar", "1", *changes)
    desk.forget("nectar")
    for _ in range(3):
        [said] = desk.refresh("nectar", "1")
        desk.now += HOUR
    assert words in said.words and desk.has("nectar", "1") and desk.purges() == []
    assert main(["show", "nectar:1"]) == 0
    assert "deleted at the vendor (seen" in capsys.readouterr().out
    main(["doctor"])
    assert "1 call deleted at the vendor" in capsys.readouterr().out
    held = bool(changes) and words.startswith("on hold")
    assert main(["purge", "--deleted", "--yes"]) == (3 if held else 0)
    assert desk.has("nectar", "1") == held
    assert desk.purges() == ([] if held else [("vendor", 1)])


# -- retention


def test_old_calls_go_are_told_first_and_do_not_come_back(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    cached(desk, "nectar", "3")
    desk.decide("liner", "9", hold())
    desk.decide("cinnox", "c2", note("ours"))
    desk.now = NOW + 399 * DAY + HOUR * 10  # three calls of twenty hours before are older
    assert main(["sync"]) == 0
    assert "older" not in capsys.readouterr().err
    desk.configure("[retention]\ncalls_days = 400\n")
    assert main(["doctor"]) in (0, 1)
    out = capsys.readouterr().out
    assert "calls are kept for 400 days; 2 calls older than that go with the next sync" in out
    assert main(["purge", "--retention", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "2 calls of " in said.out and "1 call is on hold and stays" in said.err
    assert sum(desk.calls().values()) == 9
    with desk.services.open_archive() as archive:  # as if the dry run had not told of it
        archive.tell_days(0)
    main(["sync"])
    said = capsys.readouterr()
    assert "2 calls older than 400 days" in said.err and "next sync" in said.err
    assert sum(desk.calls().values()) == 9 and desk.purges() == []
    main(["sync"])
    said = capsys.readouterr()
    assert "Removed 2 calls older than 400 days. 1 call is on hold and stays." in said.err
    assert desk.purges() == [("retention", 2)]
    assert desk.calls() == {"liner": 3, "cinnox": 2, "nectar": 2}
    assert not list(desk.services.paths.cached_recordings.rglob("*.mp3"))
    with desk.services.open_archive() as archive:
        assert archive.triage.events("cinnox", "c2") == []
    for words in (["sync", "--since", "2020-01-01"], ["sync", "--recordings"], ["sync"]):
        main(words)
        assert desk.calls() == {"liner": 3, "cinnox": 2, "nectar": 2}, words
    asked = len(desk.vendors.paths("/calls/3"))
    main(["sync"])
    assert len(desk.vendors.paths("/calls/3")) == asked  # nor is it asked for


def test_a_new_account_brings_nothing_that_is_too_old(desk: Desk) -> None:
    desk.now = NOW + 399 * DAY + HOUR * 10
    desk.configure("[retention]\ncalls_days = 400\n")
    for account in SETTINGS:
        with desk.services.open_archive() as archive:
            archive.remove_account(account)
    desk.sync(everything=True)
    assert desk.calls() == dict.fromkeys(SETTINGS, 2)
    with desk.services.open_archive() as archive:
        assert not sweep(desk.services, archive).words


def test_a_shorter_time_is_told_again_and_for_ever_removes_nothing(desk: Desk) -> None:
    desk.now = NOW + 10 * DAY
    config = desk.services.paths.config_file
    before = config.read_text()
    with desk.services.open_archive() as archive:
        for days, told, left in ((20, False, 9), (5, True, 9), (5, False, 0)):
            config.write_text(f"{before}[retention]\ncalls_days = {days}\n")
            swept = sweep(desk.services, archive)
            assert (bool(swept.only_told and swept.due.calls), archive.count()) == (told, left)
        config.write_text(before)
        assert not sweep(desk.services, archive).words and archive.told_days() == 0


def test_without_the_setting_there_is_nothing_to_purge(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge", "--retention"]) == 2
    assert "calls_days" in capsys.readouterr().err


def test_a_sweep_is_bounded_and_ends_when_nobody_is_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.removal import retention

    desk.now = NOW + 10 * DAY
    desk.configure("[retention]\ncalls_days = 5\n")
    monkeypatch.setattr(retention, "STEP", 2)
    monkeypatch.setattr(retention, "AT_ONCE", 4)
    with desk.services.open_archive() as archive:
        assert sweep(desk.services, archive).only_told
        assert sweep(desk.services, archive, lambda: True).removed == 0
        first = sweep(desk.services, archive)
        assert first.removed == 4 and "5 calls more will follow" in first.words
        assert [sweep(desk.services, archive).removed for _ in range(3)] == [4, 1, 0]


def test_what_came_and_finds_no_room_is_not_said_to_be_found(desk: Desk) -> None:
    services = desk.services
    desk.vendors.nectar[1]["calls"]["disposition"] = {"note": "word " * 100_000}
    with Archive(services.paths.archive_file) as archive:
        before = archive.call_by_id("nectar", "1")
        archive._db.execute("PRAGMA max_page_count = 1")  # no more than there are
        with pytest.raises(ArchiveUnavailable, match="full"):
            asyncio.run(refresh_calls(services, services.accounts.get("nectar"), archive, ["1"]))
        assert archive.call_by_id("nectar", "1") == before
