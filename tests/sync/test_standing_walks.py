"""A walk that does not advance ends, told, whoever wrote the vendor's part; one that does goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.advance import MOST_IDLE, Advance
from providers.base import Login, Provider, Secret
from providers.fields import made_id
from providers.model import Call, CallQuery, Capabilities, Page
from tests.archive.calls import call
from tests.sync.scripted_vendor import Vendor
from tui.archive.sqlite import Archive
from tui.sync.account_states import INCOMPLETE
from tui.sync.report import Report
from tui.sync.sync import Sync, SyncRequest

Pages = Callable[[], Iterator[list[Call]]]


def nameless(**fields: Any) -> Call:
    raw = {"who": "Ann", "number": "+1202", **fields}
    return call(1, id=made_id(raw), raw=raw)


STANDING: dict[str, Pages] = {
    "the same": lambda: ([call(1), call(2)] for _ in count()),
    "the same in other order": lambda: ([call(1 + n % 2), call(2 - n % 2)] for n in count()),
    "the same with another field": lambda: ([call(1, status=str(n))] for n in count()),
    "without ids, another field": lambda: ([nameless(at=n)] for n in count()),
    "without ids, a field more": lambda: ([nameless(**{f"x{n}": 1})] for n in count()),
    "two in turn": lambda: cycle([[call(1)], [call(2)]]),
    "five in turn": lambda: cycle([[call(n)] for n in range(1, 6)]),
    "smaller and smaller": lambda: ([call(k) for k in range(1, max(2, 9 - n))] for n in count()),
    "nothing": lambda: ([] for _ in count()),
}


class Endless(Vendor):
    """Gives pages for ever, or those that there are."""

    def __init__(self, pages: Iterator[list[Call]], **capabilities: Any) -> None:
        super().__init__([], Capabilities(**capabilities))
        self._pages = pages

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        for number, calls in enumerate(self._pages):
            self.served.append(number)
            yield Page(tuple(calls), str(number))

    def parse(self, raw: Any) -> Call:
        return call(1, raw=raw)

    def merge(self, older: Any, newer: Any) -> Any:
        return [*older, *newer] if isinstance(older, list) else newer

    async def discover(self, highest: int, stop_after: int, step: int) -> AsyncIterator[Page]:
        for number in count():
            self.served.append(number)
            yield Page((call(9),), str(number), failed=(f"{number}: no JSON",))


def sync(file: Path, vendor: Vendor, wish: SyncRequest | None = None) -> Report:
    with Archive(file) as archive:
        login = Login("https://x.example", Secret("t"))
        provider: Provider = vendor  # type: ignore[assignment]
        return asyncio.run(Sync("desk", provider, login, archive).run(wish or SyncRequest()))


@pytest.mark.parametrize("merges", [False, True])
@pytest.mark.parametrize("how", STANDING)
def test_it_ends_and_is_told(tmp_path: Path, how: str, merges: bool) -> None:
    if merges and how == "the same with another field":
        pytest.skip("its records are the same whatever the call says")
    vendor = Endless(STANDING[how](), merges_records=merges)
    report = sync(tmp_path / "archive.db", vendor)
    assert len(vendor.served) <= 5 + MOST_IDLE
    assert report.state == INCOMPLETE and "of a list that does not advance" in report.shortfall
    assert [line for line in report.problems if "does not advance" in line]


def test_a_merging_vendor_may_give_a_call_in_many_pages(tmp_path: Path) -> None:
    legs = [[call(1, raw=[{"id": n, "call": 1, "at": n}])] for n in range(30)]
    vendor = Endless(iter(legs), merges_records=True)
    sync(tmp_path / "archive.db", vendor)
    assert len(vendor.served) == 30


def test_pages_without_news_between_others_end_nothing(tmp_path: Path) -> None:
    pages = [page for n in range(30) for page in ([call(n + 1)], [call(max(1, n))])]
    vendor = Endless(iter(pages))
    report = sync(tmp_path / "archive.db", vendor)
    assert len(vendor.served) == 60 and not report.shortfall


def test_a_resumed_walk_may_begin_with_what_is_here(tmp_path: Path) -> None:
    pages = [[call(n)] for n in range(1, 9)]
    sync(tmp_path / "archive.db", Endless(iter(pages)), SyncRequest(pages=6))
    vendor = Endless(iter(pages))
    report = sync(tmp_path / "archive.db", vendor, SyncRequest(more=True))
    assert len(vendor.served) == 8 and not report.shortfall


def test_ids_that_cannot_be_read_do_not_end_a_walk_over_ids(tmp_path: Path) -> None:
    class ById(Vendor):
        async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
            for n in range(20):
                self.served.append(n)
                yield Page((), str(n) if n < 19 else None, failed=(f"{n}: no JSON",))

    vendor = ById([], Capabilities(lists_calls=False))
    report = sync(tmp_path / "archive.db", vendor)
    assert len(vendor.served) == len(report.problems) == 20


def test_discovery_that_brings_nothing_new_ends(tmp_path: Path) -> None:
    vendor = Endless(iter([[call(1)]]), lists_calls=False)
    report = sync(tmp_path / "archive.db", vendor, SyncRequest(discover=20))
    assert len(vendor.served) <= 3 + MOST_IDLE
    assert [line for line in report.problems if "does not advance" in line]


ROWS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), min_size=3)


@settings(max_examples=30)
@given(st.lists(st.lists(ROWS, min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_rows_that_differ_in_one_field_never_keep_a_walk_going(
    pages: list[list[dict[str, int]]], data: st.DataObject
) -> None:
    advance = Advance()
    for number, page in enumerate(islice(cycle(pages), len(pages) + MOST_IDLE)):
        name = data.draw(st.sampled_from("abcdefg"))
        rows = page if number < len(pages) else [{**row, name: number + 10} for row in page]
        advance.take((None, row) for row in rows)
    assert advance.stands


@given(st.lists(st.tuples(st.integers(), st.integers(), st.integers()), unique=True, max_size=30))
def test_rows_of_which_two_fields_are_new_are_new(rows: list[tuple[int, int, int]]) -> None:
    advance = Advance()
    for number, (a, b, c) in enumerate(rows):
        advance.take([(None, {"a": a, "b": b, "c": c, "id_of_theirs": number, "time": -number})])
        assert not advance.stands


def test_vendors_that_list_their_calls_discover_nothing(tmp_path: Path) -> None:
    """``sync --discover`` asks all accounts, and each for what it can."""

    class Lists:
        """A vendor that has no `discover`."""

        def __init__(self, inner: Vendor) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            if name == "discover":
                raise AttributeError(name)
            return getattr(self._inner, name)

        async def __aenter__(self) -> Lists:
            return self

        async def __aexit__(self, *exc: object) -> None:
            pass

    vendor: Any = Lists(Vendor([[call(1)]]))
    report = sync(tmp_path / "archive.db", vendor, SyncRequest(discover=20))
    assert report.error is None and report.saved.new == 1
