"""One recording of a call: which is meant, where it lies now, and why it cannot be had."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from providers.base import Provider
from providers.errors import (
    AuthError,
    NotFound,
    ProviderError,
    RateLimited,
    RecordingError,
    Unreachable,
)
from providers.model import Call, CallQuery, Capabilities, Page, Recording
from tests.archive.calls import START, call
from tests.recordings.host import Host
from tui.archive.sqlite import Archive
from tui.recordings.cache import RecordingCache
from tui.recordings.download import complete
from tui.recordings.lookup import LONG
from tui.recordings.stream import RECENT, LazyProvider, may_still_come, open_stream

SOUND = b"ID3\x03" + bytes(range(256)) * 100
BY_ID = Capabilities()
BY_TIME = Capabilities(gets_one_call=False, merges_records=True)
APART = Capabilities(separate_recordings=True)


class Vendor:
    """A provider of what its lists hold; it remembers what it was asked."""

    def __init__(self, capabilities: Capabilities, *listed: list[Call]) -> None:
        self.capabilities, self.listed = capabilities, listed
        self.title = "The vendor"
        self.parser_version = 1
        self.asked: list[object] = []
        self.entered = self.left = 0
        self.error: ProviderError | None = None

    async def __aenter__(self) -> Vendor:
        self.entered += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left += 1

    def found(self, id_: str) -> Call:
        return next(one for page in self.listed for one in page if one.id == id_)

    async def call(self, id_: str) -> Call:
        self.asked.append(id_)
        if self.error:
            raise self.error
        return self.found(id_)

    async def recordings(self, one: Call) -> Call:
        self.asked.append(f"recordings of {one.id}")
        if self.error:
            raise self.error
        return self.found(one.id)

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        self.asked.append((query.since, query.until))
        for page in self.listed:
            yield Page(tuple(page), None)

    def parse(self, raw: Any) -> Call:
        recordings = tuple(Recording(id_, url) for id_, url in raw["recordings"])
        return replace(call(int(raw["id"])), recordings=recordings, raw=raw)

    def merge(self, older: Any, newer: Any) -> Any:
        return {"id": older["id"], "recordings": [*older["recordings"], *newer["recordings"]]}

    def media_headers(self, url: str) -> dict[str, str]:
        return {}

    def lazily(self) -> LazyProvider:
        async def make() -> Provider:
            return cast("Provider", self)

        return LazyProvider(make)


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(SOUND) as running:
        running.answer = lambda asked: 403 if asked.path.startswith("/old") else None
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive.db") as archive:
        yield archive


@pytest.fixture
def cache(tmp_path: Path) -> RecordingCache:
    return RecordingCache(tmp_path / "recordings")


def at(host: Host, number: int, *paths: str, ids: bool = True, **more: Any) -> Call:
    """A call with a recording at each path."""
    recordings = tuple(
        Recording(f"r{place}" if ids else None, host.url + path if path else None)
        for place, path in enumerate(paths)
    )
    return call(number, recordings=recordings, has_recording=bool(paths), **more)


def raw(host: Host, number: int, *paths: str) -> dict[str, Any]:
    rows = [(f"r{path[-1]}", host.url + path) for path in paths]
    return {"id": str(number), "recordings": rows}


async def file_of(
    vendor: Vendor,
    archive: Archive,
    cache: RecordingCache,
    host: Host,
    wanted: Call,
    index: int = 0,
) -> Path:
    source, _ = await open_stream(vendor.lazily(), archive, cache, "desk", host.url, wanted, index)
    with closing(source):
        return (await complete(source)).path


def paths(host: Host) -> list[str]:
    """Where the recording was asked for, each place once."""
    return list(dict.fromkeys(one.path for one in host.asked))


# -- an address that has expired


async def test_a_vendor_that_is_asked_by_time_gives_the_new_address(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    """Of the records around the call's time those of its own id, put together."""
    end = START + timedelta(minutes=9)
    known = replace(at(host, 1, "/old0", "/old1"), started_at=START, ended_at=end)
    pages = [
        [call(2, raw=raw(host, 2, "/wrong0", "/wrong1")), call(1, raw=raw(host, 1, "/new0"))],
        [call(1, raw=raw(host, 1, "/new1")), call(3, raw=raw(host, 3, "/wrong1"))],
    ]
    vendor = Vendor(BY_TIME, *pages)
    path = await file_of(vendor, archive, cache, host, known, 1)
    assert path.read_bytes() == SOUND
    assert paths(host) == ["/old1", "/new1"]
    minute = timedelta(minutes=1)
    assert vendor.asked == [(START - minute, end + minute)]
    assert vendor.entered == 1


async def test_a_call_without_an_end_is_looked_for_in_the_hours_after_its_start(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    known = replace(at(host, 1, "/old0"), started_at=START, ended_at=None)
    vendor = Vendor(BY_TIME, [call(1, raw=raw(host, 1, "/new0"))])
    await file_of(vendor, archive, cache, host, known)
    minute = timedelta(minutes=1)
    assert vendor.asked == [(START - minute, START + LONG + minute)]


@pytest.mark.parametrize(
    ("listed", "started"), [([2], True), ([], True), ([1], False)], ids=["other", "none", "undated"]
)
async def test_a_call_that_is_not_listed_any_more_has_no_new_address(
    host: Host, archive: Archive, cache: RecordingCache, listed: list[int], started: bool
) -> None:
    known = replace(at(host, 1, "/old0"), started_at=START if started else None)
    vendor = Vendor(BY_TIME, [call(n, raw=raw(host, n, "/new0")) for n in listed])
    with pytest.raises(RecordingError) as caught:
        await file_of(vendor, archive, cache, host, known)
    assert caught.value.reason == "refused" and len(host.asked) == 1
    assert vendor.left == 1 and not list(cache.place("desk").parent.glob("*.part"))


@pytest.mark.parametrize("ids", [True, False])
async def test_the_new_address_is_that_of_the_same_recording(
    host: Host, archive: Archive, cache: RecordingCache, ids: bool
) -> None:
    """By its id wherever it stands now; without one by its place."""
    known = at(host, 1, "/old0", "/old1", ids=ids)
    newer = at(host, 1, "/new0", "/new1", ids=ids)
    if ids:
        newer = replace(newer, recordings=newer.recordings[::-1])
    await file_of(Vendor(BY_ID, [newer]), archive, cache, host, known, 1)
    assert paths(host) == ["/old1", "/new1"]


@pytest.mark.parametrize("newer", [("/old0",), ("",), ()], ids=["the same", "none", "gone"])
async def test_an_address_that_is_none_is_no_new_one(
    host: Host, archive: Archive, cache: RecordingCache, newer: tuple[str, ...]
) -> None:
    vendor = Vendor(BY_ID, [at(host, 1, *newer)])
    with pytest.raises(RecordingError) as caught:
        await file_of(vendor, archive, cache, host, at(host, 1, "/old0"))
    assert caught.value.reason == "refused" and paths(host) == ["/old0"]


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (404, 1), (410, 1), (500, 0)])
async def test_only_what_an_expired_address_gives_is_asked_about(
    host: Host, archive: Archive, cache: RecordingCache, status: int, asked: int
) -> None:
    host.answer = lambda one: status
    vendor = Vendor(BY_ID, [at(host, 1, "/new0")])
    with pytest.raises(RecordingError):
        await file_of(vendor, archive, cache, host, at(host, 1, "/old0"))
    assert len(vendor.asked) == asked


async def test_why_there_is_no_new_address_is_said(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    vendor = Vendor(BY_ID)
    vendor.error = AuthError("Token refused", "no")
    with pytest.raises(RecordingError) as caught:
        await file_of(vendor, archive, cache, host, at(host, 1, "/old0"))
    assert str(caught.value) == (
        "the recording's address has expired (no new one: Token refused: no)"
    )
    vendor.error = NotFound("Not found", "no such call")
    with pytest.raises(RecordingError) as caught:
        await file_of(vendor, archive, cache, host, at(host, 1, "/old0"))
    assert caught.value.reason == "refused", "as its host said"


# -- which recording


async def test_recordings_without_ids_are_kept_apart(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    known, vendor = at(host, 1, "/a", "/b", ids=False), Vendor(BY_ID)
    first = await file_of(vendor, archive, cache, host, known, 0)
    host.data = SOUND[::-1].replace(SOUND[::-1][:4], SOUND[:4])
    second = await file_of(vendor, archive, cache, host, known, 1)
    assert first != second and first.read_bytes() != second.read_bytes()
    assert await file_of(vendor, archive, cache, host, known, 0) == first
    assert paths(host) == ["/a", "/b"] and vendor.asked == []


@pytest.mark.parametrize(
    ("known", "now", "index", "says"),
    [
        ((), (), 0, "this call has no recording (asked just now)"),
        (("/a",), ("/a",), 1, "this call has no recording (the call has 1 recording)"),
        (("",), ("",), 0, "the recording is not there yet"),
    ],
    ids=["none", "fewer", "no address yet"],
)
async def test_a_recording_that_there_is_not_is_told(
    host: Host,
    archive: Archive,
    cache: RecordingCache,
    known: tuple[str, ...],
    now: tuple[str, ...],
    index: int,
    says: str,
) -> None:
    vendor = Vendor(BY_ID, [at(host, 1, *now)])
    with pytest.raises(RecordingError) as caught:
        await file_of(vendor, archive, cache, host, at(host, 1, *known), index)
    assert str(caught.value) == says and host.asked == []


async def test_a_recording_that_is_promised_is_awaited(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    promised = replace(at(host, 1), has_recording=True)
    with pytest.raises(RecordingError) as caught:
        await file_of(Vendor(BY_ID, [promised]), archive, cache, host, promised)
    assert str(caught.value) == "the recording is not there yet"


async def test_a_vendor_with_a_list_apart_is_asked_for_that_alone(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    vendor = Vendor(APART, [at(host, 1, "/a")])
    unknown = at(host, 1, recordings_known=False)
    path = await file_of(vendor, archive, cache, host, unknown)
    assert path.read_bytes() == SOUND and vendor.asked == ["recordings of 1"]
    kept = archive.call_by_id("desk", "1")
    assert kept and [one.id for one in kept.recordings] == ["r0"] and kept.recordings_known


@pytest.mark.parametrize(
    ("error", "recordings_known", "awaited", "says"),
    [
        (Unreachable("No answer"), False, False, ProviderError),
        (AuthError("Token refused"), True, True, ProviderError),
        (Unreachable("No answer"), True, True, "the recording is not there yet (not asked again: No answer)"),
        (RateLimited("Too many requests"), True, True, "the recording is not there yet (not asked again: Too many requests)"),
        (AuthError("Token refused"), True, False, "this call has no recording (not asked again: Token refused)"),
    ],
    ids=["nothing known", "refused", "out of reach", "too many", "said to have none"],
)  # fmt: skip
async def test_what_the_vendor_said_before_counts_when_it_cannot_be_asked(
    host: Host,
    archive: Archive,
    cache: RecordingCache,
    error: ProviderError,
    recordings_known: bool,
    awaited: bool,
    says: str | type[ProviderError],
) -> None:
    vendor = Vendor(BY_ID)
    vendor.error = error
    known = replace(at(host, 1), has_recording=awaited, recordings_known=recordings_known)
    if isinstance(says, str):
        with pytest.raises(RecordingError) as caught:
            await file_of(vendor, archive, cache, host, known)
        assert str(caught.value) == says
    else:
        with pytest.raises(says) as refused:
            await file_of(vendor, archive, cache, host, known)
        assert refused.value is error
    assert vendor.left == 1


def test_a_recording_may_come_for_a_while_after_the_end() -> None:
    second = timedelta(seconds=1)
    over = call(1, started_at=START, ended_at=START + timedelta(hours=1))
    assert may_still_come(over, START + timedelta(hours=1) + RECENT - second)
    assert not may_still_come(over, START + timedelta(hours=1) + RECENT)
    unended = replace(over, ended_at=None)
    assert may_still_come(unended, START + RECENT - second)
    assert not may_still_come(unended, START + RECENT)
    assert not may_still_come(replace(unended, started_at=None), START)


# -- a provider that is made when it is needed


async def test_a_provider_is_made_once_and_can_be_used_after_its_end() -> None:
    vendor = Vendor(BY_ID)
    lazy = vendor.lazily()
    await lazy.close()
    assert (vendor.entered, vendor.left) == (0, 0)
    assert await lazy() is await lazy() and (vendor.entered, vendor.left) == (1, 0)
    await lazy.close()
    await lazy.close()
    assert (vendor.entered, vendor.left) == (1, 1)
    await lazy()
    assert (vendor.entered, vendor.left) == (2, 1)
    await lazy.close()


async def test_nothing_is_left_of_a_recording_that_cannot_be_kept(
    host: Host, archive: Archive, cache: RecordingCache, tmp_path: Path
) -> None:
    (tmp_path / "recordings").write_text("in the way")
    with pytest.raises(OSError):
        await file_of(Vendor(BY_ID), archive, cache, host, at(host, 1, "/a"))
    assert os.listdir(tmp_path) and host.asked == []


async def test_a_vendor_that_does_not_know_a_list_was_asked_all_the_same(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    unknown = at(host, 1, recordings_known=False)
    with archive.transaction():
        archive.save("desk", [unknown])
    assert archive.recordings_asked_at("desk", "1") is None
    with pytest.raises(RecordingError):
        await file_of(Vendor(APART, [unknown]), archive, cache, host, unknown)
    assert archive.recordings_asked_at("desk", "1") is not None


async def test_a_host_that_tells_no_length_may_send_a_very_short_recording(
    host: Host, archive: Archive, cache: RecordingCache
) -> None:
    """Shorter than what tells sound from a page for sure."""
    host.data, host.length, host.ranges = b"RIFF\0\0\0\0WAVE", False, False
    path = await file_of(Vendor(BY_ID), archive, cache, host, at(host, 1, "/a"))
    assert (path.suffix, path.read_bytes()) == (".wav", host.data)
