"""Rows behind and before a call, in every order of the table."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.archive.calls import START
from tests.benchmarks.bulk import fill
from tests.slow_params import few
from tui.archive.errors import CallNotFound
from tui.archive.records import SortOrder
from tui.archive.sqlite import Archive
from tui.archive.sqlite.search.sort_orders import ORDERS
from tui.query.parser import EVERYTHING, parse

CALLS = 600


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    path = tmp_path_factory.mktemp("places") / "archive.db"
    fill(path, CALLS)
    with Archive(path) as archive:
        yield archive


@pytest.mark.parametrize("descending", few(1, [True, False]))
@pytest.mark.parametrize("column", ORDERS)
def test_pages_follow_each_other_down_and_up(
    archive: Archive, column: str, descending: bool
) -> None:
    random = Random(column)
    for line in ("", "answered", "tag:tag1", "group:a -missed"):
        query = parse(line, START, START.tzinfo)  # type: ignore[arg-type]
        order = (query, SortOrder(column, descending))
        whole = list(archive.keys(*order))
        assert list(archive.keys(*order, from_end=True)) == whole[::-1]
        assert list(archive.keys(*order, limit=7, from_end=True)) == whole[::-1][:7]
        for at in (0, len(whole) - 1, *random.choices(range(len(whole)), k=6)):
            key, start = whole[at], max(0, at - 9)
            assert list(archive.keys(*order, limit=9, after=key)) == whole[at + 1 : at + 10]
            assert (
                list(archive.keys(*order, limit=9, after=key, inclusive=True)) == whole[at : at + 9]
            )
            up = archive.keys(*order, limit=9, before=key, from_end=True)
            assert list(up) == whole[start:at][::-1]
            between = archive.keys(*order, after=whole[start], before=key, inclusive=True)
            assert list(between) == whole[start : at + 1]
            assert archive.count_before(key, *order) == at
            other = random.randrange(len(whole))
            assert archive.is_after(whole[other], key, order[1]) == (other > at)


def test_a_call_that_does_not_match_has_its_place_all_the_same(archive: Archive) -> None:
    missed = parse("missed", START, START.tzinfo)  # type: ignore[arg-type]
    whole, shown = list(archive.keys()), list(archive.keys(missed))
    matching = set(shown)
    for at, key in enumerate(whole[:200]):
        assert archive.matching([key], missed) == {key} & matching
        behind = [other for other in whole[at + 1 :] if other in matching]
        assert list(archive.keys(missed, after=key)) == behind


def test_a_call_that_is_not_here_has_no_place(archive: Archive) -> None:
    assert not archive.matching([CALLS + 1], EVERYTHING)
    for side in ("after", "before"):
        with pytest.raises(CallNotFound):
            archive.keys(**{side: CALLS + 1})  # type: ignore[arg-type]
