"""Liner's lists: every row comes, whatever `next` and `total` say, or it is said that some do not."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from providers import limits
from providers.errors import BadAnswer
from providers.liner_api import LIMIT, START, Place, Step
from providers.liner_api import walk as walk_list
from tests.providers.liner_bodies import ok

MANY = 345
ROWS = [{"id": number} for number in range(1, MANY + 1)]


class Lists:
    """Stands where a `VendorClient` stands: answers a list's pages without a network."""

    host = "liner.example.com"

    def __init__(self, answer: Callable[[int, int], Any]) -> None:
        self.answer, self.offsets = answer, list[int]()

    async def get(self, path: str, params: Any) -> Any:
        asked = dict(params)
        self.offsets.append(int(asked["offset"]))
        return ok(self.answer(int(asked["offset"]), int(asked["limit"])))


async def steps(client: Any, start: Place = START, few: bool = False) -> list[Step]:
    return [step async for step in walk_list(client, "/v2/call/", (), start, few=few)]


def rows_of(found: list[Step]) -> list[int]:
    return [row["id"] for step in found for row in step.rows]


NEXT: dict[str, Callable[[int, int], Any]] = {
    "number": lambda offset, size: offset + size,
    "text": lambda offset, size: str(offset + size),
    "float": lambda offset, size: float(offset + size),
    "absent": lambda offset, size: ...,
    "null": lambda offset, size: None,
    "zero": lambda offset, size: 0,
    "repeated": lambda offset, size: offset,
    "by the limit": lambda offset, size: offset + 100,
    "far too far": lambda offset, size: 10**9,
    "a page's number": lambda offset, size: offset // size + 2,
    "the total": lambda offset, size: MANY,
    "no number": lambda offset, size: "more",
    "null at the end": lambda offset, size: offset + size if offset + size < MANY else None,
}
TOTAL: dict[str, Callable[[int], Any]] = {
    "right": lambda on_page: MANY,
    "text": lambda on_page: str(MANY),
    "float": lambda on_page: float(MANY),
    "of the page": lambda on_page: on_page,
    "absent": lambda on_page: ...,
    "null": lambda on_page: None,
    "zero": lambda on_page: 0,
    "one page": lambda on_page: 100,
    "two pages": lambda on_page: 200,
    "too small": lambda on_page: 344,
    "zero behind the end": lambda on_page: MANY if on_page else 0,
}


def paging(next_: str, total: str, size: int) -> Lists:
    def answer(offset: int, limit: int) -> Any:
        found = ROWS[offset : offset + size]
        data = {"list": found, "next": NEXT[next_](offset, size), "total": TOTAL[total](len(found))}
        return {key: value for key, value in data.items() if value is not ...}

    return Lists(answer)


@pytest.mark.parametrize("size", [100, 60, 20, MANY, 400])
async def test_every_row_comes_once_whatever_next_and_total_say(size: int) -> None:
    """A server that caps its pages, or ignores the limit; `next` and `total` in every form."""
    for next_, total in product(NEXT, TOTAL):
        client = paging(next_, total, size)
        found = await steps(client)
        case = f"next {next_}, total {total}"
        assert rows_of(found) == list(range(1, MANY + 1)), case
        assert [step.shortfall("call") for step in found if step.shortfall("call")] == [], case
        assert [step.place is None for step in found].index(True) == len(found) - 1
        assert len(client.offsets) <= -(-MANY // size) + 1, case


@pytest.mark.parametrize("next_", NEXT)
async def test_a_break_at_any_page_changes_nothing(next_: str) -> None:
    for total in TOTAL:
        found = await steps(paging(next_, total, 100))
        for number, step in enumerate(found[:-1]):
            assert step.place
            rest = await steps(paging(next_, total, 100), step.place)
            assert rows_of(found[: number + 1]) + rows_of(rest) == rows_of(found), total
            assert rest[-1].shortfall("call") == ""


@pytest.mark.parametrize("next_", NEXT)
async def test_a_total_that_is_never_reached_is_told(next_: str) -> None:
    def answer(offset: int, limit: int) -> Any:
        size = min(limit, 100)
        found = ROWS[offset : offset + size]
        data = {"list": found, "next": NEXT[next_](offset, size), "total": 1400}
        return {key: value for key, value in data.items() if value is not ...}

    client = Lists(answer)
    found = await steps(client)
    assert rows_of(found) == list(range(1, MANY + 1))
    assert found[-1].shortfall("call") == "345 of 1,400 calls"
    assert client.offsets.count(0) == 2, "rows that are missing are looked for once more"
    assert len(client.offsets) <= 11


async def test_offsets_that_only_the_vendor_can_count_are_taken_from_it() -> None:
    """Rows that are not shown count in `next`; or `next` is the number of a page."""
    shown = [row for row in ROWS if row["id"] % 3 or 100 < row["id"] < 300]
    hiding = Lists(
        lambda offset, limit: {
            "list": [row for row in ROWS[offset : offset + limit] if row in shown],
            "next": offset + limit,
            "total": len(shown),
        }
    )
    found = await steps(hiding)
    assert sorted(rows_of(found)) == [row["id"] for row in shown]
    assert found[-1].shortfall("call") == ""
    numbered = Lists(
        lambda page, limit: {
            "list": ROWS[page * limit : page * limit + limit],
            "next": page + 1,
            "total": MANY,
        }
    )
    found = await steps(numbered)
    assert rows_of(found) == list(range(1, MANY + 1)) and found[-1].shortfall("call") == ""


async def test_an_end_that_all_agree_on_costs_no_request() -> None:
    for next_, total, asked in (
        ("number", "right", 4),
        ("null at the end", "right", 4),
        ("absent", "right", 4),
        ("null at the end", "absent", 5),  # only an empty page says that there are no more
        ("number", "of the page", 5),
        ("number", "too small", 5),
    ):
        client = paging(next_, total, 100)
        await steps(client)
        assert len(client.offsets) == asked, (next_, total)


async def test_one_page_is_the_whole_list_when_there_is_nothing_behind_it() -> None:
    """It may as well be what a capped vendor with a total of the page gives at a time."""
    client = Lists(lambda offset, limit: {"list": ROWS[offset:2], "next": 50, "total": 2})
    assert rows_of(await steps(client)) == [1, 2]
    assert client.offsets == [0, 2]


@pytest.mark.parametrize(
    ("many", "next_", "offsets"),
    [
        (2, 50, [0]),  # as the documents have it
        (2, None, [0]),
        (2, 100, [0]),
        (2, 2, [0, 2]),  # there may be more behind them
        (11, None, [0, 11]),
        (100, None, [0, 100]),
    ],
)
async def test_a_handful_is_believed_where_no_more_are_to_be_expected(
    many: int, next_: int | None, offsets: list[int]
) -> None:
    def answer(offset: int, limit: int) -> Any:
        found = ROWS[offset:many]
        return {"list": found, "next": next_, "total": len(found)}

    client = Lists(answer)
    assert rows_of(await steps(client, few=True)) == list(range(1, many + 1))
    assert client.offsets == offsets


async def test_a_list_that_is_not_paged_is_whole() -> None:
    """A plain array, the same at every offset; a longer one than the limit as well."""
    for many in (2, 345):
        rows = ROWS[:many]
        found = await steps(Lists(lambda offset, limit, rows=rows: rows))  # type: ignore[misc]
        assert (len(rows_of(found)), found[-1].shortfall("call")) == (many, "")


@pytest.mark.parametrize("total", ["absent", "of the page", "null", "zero"])
async def test_the_same_page_at_every_offset_is_told(total: str) -> None:
    def same(offset: int, limit: int) -> Any:
        data = {"list": ROWS[:100], "next": offset + 100, "total": TOTAL[total](100)}
        return {key: value for key, value in data.items() if value is not ...}

    client = Lists(same)
    found = await steps(client)
    assert rows_of(found) == list(range(1, 101))
    assert found[-1].shortfall("call") == "100 calls, the same again when asked for more"
    assert len(client.offsets) == 4


async def test_the_same_page_is_the_whole_list_where_the_total_says_so() -> None:
    client = Lists(lambda offset, limit: {"list": ROWS, "next": offset + 100, "total": MANY})
    found = await steps(client)
    assert len(rows_of(found)) == MANY and found[-1].shortfall("call") == ""


def moving(seed: int, total: bool, laps: int) -> Lists:
    """Between the pages of the first `laps` laps some rows change places."""
    chance, rows, lap = random.Random(seed), list(ROWS), 0

    def answer(offset: int, limit: int) -> Any:
        nonlocal lap
        lap += offset == 0
        if 0 < offset < MANY and lap <= laps:
            for _ in range(20):
                rows.insert(chance.randrange(offset), rows.pop(chance.randrange(offset, MANY)))
        found = rows[offset : offset + limit]
        data = {"list": found, "next": offset + limit}
        return data | {"total": MANY} if total else data

    return Lists(answer)


@pytest.mark.parametrize("total", [True, False], ids=["total", "no total"])
@pytest.mark.parametrize("laps", [1, 2, 9])
async def test_rows_that_move_while_they_are_listed_are_found_or_missed_aloud(
    total: bool, laps: int
) -> None:
    missed = 0
    for seed in range(60):
        found = await steps(moving(seed, total, laps))
        got = rows_of(found)
        assert len(got) == len(set(got))
        if laps == 1:
            assert len(got) == MANY, "a second lap finds them"
        if len(got) < MANY:
            missed += 1
            told = found[-1].shortfall("call")
            assert told == f"{len(got)} of 345 calls" if total else "some of them twice" in told
    assert missed or laps < 9, "the seeds miss rows"


async def test_rows_that_come_twice_are_looked_for_from_the_place_of_a_break() -> None:
    a, b, c = ROWS[:3]

    def answer(offset: int, limit: int) -> Any:
        return {"list": {0: [a, b], 2: [b, c]}.get(offset, [])}

    first, *_ = await steps(Lists(answer))
    assert first.place
    client = Lists(answer)
    resumed = await steps(client, first.place)
    assert client.offsets == [2, 4, 0, 2, 4] and rows_of(resumed)[0] == 3
    assert "some of them twice" in resumed[-1].shortfall("call")


@pytest.mark.parametrize(
    ("total", "told"),
    [(5, "4 of 5 calls"), (4, ""), (None, "some of them twice, so that others may be missing")],
)
async def test_a_walk_of_one_page_at_a_time_comes_to_its_end(total: int | None, told: str) -> None:
    """Also through its second lap, each page in a process of its own."""
    a, b, c, d = ROWS[:4]
    got: set[int] = set()
    place: Place | None = START
    asked = 0

    def answer(offset: int, limit: int) -> Any:
        found = {0: [a, b], 2: [b, c], 4: [c, d]}.get(offset, [])
        return {"list": found, "total": total}

    while place:
        step = await anext(walk_list(Lists(answer), "/v2/call/", (), place))  # type: ignore[arg-type]
        place = step.place
        got.update(rows_of([step]))
        asked += 1
    assert got == {1, 2, 3, 4} and told in step.shortfall("call")
    assert bool(step.shortfall("call")) is bool(told)
    assert asked == (4 if total == 4 else 8)


@pytest.mark.parametrize("total", [None, limits.ROWS + 7])
async def test_more_rows_than_a_page_may_have(total: int | None) -> None:
    """A vendor that ignores the limit: what is beyond it is asked for by its offset, or told."""
    rows = [{"id": n} for n in range(limits.ROWS + 7)]
    found = await steps(Lists(lambda offset, limit: {"list": rows[offset:], "total": total}))
    assert rows_of(found) == [*range(limits.ROWS + 7)]
    assert max(len(step.rows) for step in found) == limits.ROWS
    assert not found[-1].shortfall("call")
    for answer in (lambda *_: rows, lambda *_: {"list": rows, "total": total}):
        found = await steps(Lists(answer))
        assert rows_of(found) == [*range(limits.ROWS)]
        assert found[-1].shortfall("call").startswith("5,000 ")


async def test_a_list_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.liner_api.MAX_PAGES", 7)
    with pytest.raises(BadAnswer, match="List without end"):
        await steps(Lists(lambda offset, limit: {"list": [{"id": offset}], "next": offset + 1}))


async def test_a_cursor_stays_small() -> None:
    rows = [{"id": 10**8 + n} for n in range(5000)]
    client = Lists(lambda offset, limit: {"list": rows[offset:], "total": 5000})
    first, *_ = await steps(client)
    assert first.place and len(first.place.ids) == LIMIT
