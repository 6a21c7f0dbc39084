"""Which periods a sync walks, how it resumes, and what it keeps: over a scripted vendor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from providers.base import Login, Provider, Secret
from providers.errors import AuthError, ProviderError, Unreachable
from providers.fields import with_recordings
from providers.model import Call, CallQuery, Capabilities, Page, Recording
from tests.archive.calls import START, call
from tui.archive import Archive, Saved
from tui.sync import OVERLAP_S, Report, Sync, Wish
from tui.when import BEGINNING

NOW = START.timestamp() + 10 * 86400
DEFAULT = Wish()


@dataclass
class Vendor:
    """A provider that plays back pages and remembers what it was asked."""

    script: list[list[Call]]
    capabilities: Capabilities = field(default_factory=Capabilities)
    error: ProviderError | None = None
    error_at: int = 99
    total: int | None = None
    found: dict[str, tuple[Recording, ...]] = field(default_factory=dict)
    skip_ids: Container[str] = ()
    asked: list[tuple[float, float, str | None]] = field(default_factory=list)
    served: list[int] = field(default_factory=list)

    async def __aenter__(self) -> Vendor:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        self.asked.append((query.since.timestamp(), query.until.timestamp(), cursor))
        for number in range(int(cursor or 0), len(self.script)):
            if self.error and number == self.error_at:
                raise self.error
            self.served.append(number)
            last = number + 1 == len(self.script)
            yield Page(
                tuple(self.script[number]),
                None if last else str(number + 1),
                total=self.total,
                unknown_ids=("404",),
                failed=("x failed",) if number == 0 else (),
            )

    async def recordings(self, call: Call) -> Call:
        if call.id not in self.found:
            raise Unreachable("No answer")
        return with_recordings(call, self.found[call.id])

    async def discover(self, highest: int, stop_after: int, step: int) -> AsyncIterator[Page]:
        yield Page((call(highest + 1),), None)

    def parse(self, raw: Any) -> Call:
        return call(raw["id"], status=raw.get("status"), raw=raw)

    def merge(self, older: Any, newer: Any) -> Any:
        return {**older, **newer}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive.db")


def sync(
    archive: Archive, vendor: Vendor, wish: Wish = DEFAULT, at: float = NOW, ids: str = ""
) -> Report:
    login = Login("https://x.example", Secret("t"), {"ids": ids}, archive.names("desk"))
    provider: Provider = vendor  # type: ignore[assignment]
    job = Sync("desk", provider, login, archive, clock=lambda: at)
    return asyncio.run(job.run(wish))


def test_the_first_sync_brings_everything_and_the_next_what_came_since(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]])
    report = sync(archive, vendor)
    assert vendor.asked == [(BEGINNING.timestamp(), NOW, None)]
    assert (report.saved, report.fetched) == (Saved(new=2), 2)
    assert (report.unknown_ids, report.problems) == (2, ["x failed"])
    assert report.complete and report.error is None
    sync(archive, vendor, at=NOW + 500)
    assert vendor.asked[1] == (NOW - OVERLAP_S, NOW + 500, None)
    assert archive.states()["desk"].state == "fresh"


def test_an_interrupted_walk_goes_on_at_its_page_with_its_period(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)], [call(3)]], error=Unreachable("No answer"), error_at=1)
    report = sync(archive, vendor)
    assert report.error is vendor.error and report.fetched == 1 and not report.complete
    assert archive.states()["desk"].state == "offline"
    vendor.error = None
    report = sync(archive, vendor, at=NOW + 500)
    # what is new comes first, then the rest of the first walk from where it stopped
    assert vendor.asked[1:] == [
        (NOW - OVERLAP_S, NOW + 500, None),
        (BEGINNING.timestamp(), NOW, "1"),
    ]
    assert archive.counts() == {"desk": 3}
    assert archive.open_walks("desk") == []


def test_a_limit_of_pages_leaves_the_rest_for_later(archive: Archive) -> None:
    vendor = Vendor([[call(n)] for n in range(6)], total=6)
    report = sync(archive, vendor, Wish(pages=2))
    assert (report.fetched, report.complete) == (2, False)
    [walk] = archive.open_walks("desk")
    assert (walk.fetched, walk.total, walk.cursor) == (2, 6, "2")
    report = sync(archive, vendor, Wish(pages=1, more=True), at=NOW + 9)
    assert (report.fetched, vendor.asked[-1]) == (1, (BEGINNING.timestamp(), NOW, "2"))
    # what is new comes whole, whatever the limit
    report = sync(archive, vendor, Wish(pages=1), at=NOW + 20)
    assert report.fetched == 6 + 1
    assert not report.complete


def test_the_same_period_again_resumes_and_another_does_not(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]], error=Unreachable("No answer"), error_at=1)
    week = Wish(since=START, asked="7d..")
    sync(archive, vendor, week)
    vendor.error = None
    sync(archive, vendor, week, at=NOW + 60)
    assert vendor.asked[1] == (START.timestamp(), NOW, "1")
    sync(archive, vendor, replace(week, asked="8d.."), at=NOW + 90)
    assert vendor.asked[2] == (START.timestamp(), NOW + 90, None)


def test_a_walk_for_other_settings_is_dropped(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]])
    sync(archive, vendor, Wish(pages=1), ids="1-2")
    sync(archive, vendor, Wish(pages=1), ids="5-9", at=NOW + 0.5)
    assert vendor.asked[1][2] is None
    assert len(archive.open_walks("desk")) == 1


def test_a_vendor_by_id_is_spared_what_has_settled(archive: Archive) -> None:
    vendor = Vendor([[call(1), call(2, outcome="in_progress")]], Capabilities(lists_calls=False))
    sync(archive, vendor)
    assert "1" not in vendor.skip_ids
    sync(archive, vendor, at=NOW + 60)
    assert [id_ in vendor.skip_ids for id_ in ("1", "2", "404")] == [True, False, False]
    sync(archive, vendor, Wish(patient=False), at=NOW + 60)
    assert [id_ in vendor.skip_ids for id_ in ("1", "2", "404")] == [True, False, True]
    assert vendor.asked[-1][2] is None  # every sync walks the ids anew
    sync(archive, vendor, Wish(discover=20), at=NOW + 90)
    assert archive.get("desk", "3") is not None


def test_a_refused_token_ends_the_sync_and_keeps_what_came(archive: Archive) -> None:
    vendor = Vendor([[call(1)], [call(2)]], error=AuthError("Token refused", "401"), error_at=1)
    report = sync(archive, vendor)
    assert report.state == "refused"
    assert archive.states()["desk"].message == "Token refused: 401"
    assert archive.counts() == {"desk": 1}


def test_recordings_are_asked_for_and_survive_the_next_list(archive: Archive) -> None:
    vendor = Vendor(
        [[call(1, recordings_known=False), call(2, recordings_known=False)]],
        found={"1": (Recording("r", summary="said"),)},
    )
    report = sync(archive, vendor, Wish(recordings=True))
    assert report.recordings == 1
    assert "recordings of call 2: No answer" in report.problems
    assert report.error is None
    sync(archive, vendor, at=NOW + 60)
    found = archive.get("desk", "1")
    assert found is not None and found.recordings_known
    assert (found.recordings, found.summary) == ((Recording("r", summary="said"),), "said")
    again = archive.get("desk", "2")
    assert again is not None and not again.recordings_known


def test_records_of_one_call_on_two_pages_become_one(archive: Archive) -> None:
    first, second = {"id": 1, "status": "ended"}, {"id": 1, "leg": 2}
    vendor = Vendor([[call(1, raw=first)], [call(1, raw=second)]])
    report = sync(archive, vendor)
    assert report.saved == Saved(new=1, changed=1)
    found = archive.get("desk", "1")
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
    job = asyncio.create_task(Sync("desk", provider, login, archive, clock=lambda: NOW).run(Wish()))
    await came.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert archive.counts() == {"desk": 1}
    provider = vendor  # type: ignore[assignment]
    await Sync("desk", provider, login, archive, clock=lambda: NOW).run(Wish(more=True))
    assert vendor.asked == [(BEGINNING.timestamp(), NOW, "1")]
