"""Liner's lists: every row comes, whatever `next` and `total` say, or it is said that some do not."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from providers import limits
from providers.errors import BadAnswer
from providers.liner import Liner
from providers.liner_api import LIMIT, START, Place, Step
from providers.liner_api import walk as walk_list
from providers.model import CallQuery, Page
from tests.providers.contract import QUERY, login, walk
from tests.providers.liner_bodies import CALL, SPARSE, listed, ok, paged, script
from tests.providers.server import Answer, Request, Server

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


# --- calls --------------------------------------------------------------------------------


async def calls_of(liner: Liner) -> list[Any]:
    async with liner:
        return [call for page in await walk(liner) for call in page.calls]


def ids(pages: list[Page]) -> list[str]:
    return [call.id for page in pages for call in page.calls]


# --- paging -------------------------------------------------------------------------------


@pytest.mark.parametrize("next_", [None, "abc", True, 0, -1, 2.5, [], ...])
async def test_a_walk_ends_where_next_is_of_no_use(server: Server, next_: Any) -> None:
    script(server)
    data = {"list": [CALL, SPARSE], "next": next_, "total": None}
    if next_ is ...:
        del data["next"]
    server.on("/v2/call/", ok(data), ok({**data, "list": []}))
    async with Liner(login(server.url, order_ids="1")) as liner:
        pages = await walk(liner)
    assert ids(pages) == ["918273", "918274"] and pages[-1].cursor is None
    assert {(page.total, page.shortfall) for page in pages} == {(None, "")}
    assert [request.one("offset") for request in server.asked("/v2/call/")] == ["0", "2"]


async def test_the_documents_own_inconsistent_example(server: Server) -> None:
    """One element, next 50, total 12345: the walk counts by itself, and then goes on at 50."""
    script(server)
    example, end = listed(CALL, next=50, total=12345), listed(next=100, total=12345)
    server.on("/v2/call/", example, end, example, end)
    async with Liner(login(server.url, order_ids="1")) as liner:
        pages = await walk(liner)
    assert ids(pages) == ["918273"]
    assert [page.shortfall for page in pages] == ["", "", "", "1 of 12,345 calls"]
    assert [r.one("offset") for r in server.asked("/v2/call/")] == ["0", "1", "0", "50"]


async def test_a_vendor_that_ignores_the_offset(server: Server) -> None:
    script(server)

    def same(request: Request) -> Answer:
        return Answer(listed(CALL, SPARSE, next=int(request.one("offset") or 0) + 100, total=None))

    server.on("/v2/call/", same)
    async with Liner(login(server.url, order_ids="1")) as liner:
        pages = await walk(liner)
    assert ids(pages) == ["918273", "918274"]
    assert pages[-1].shortfall == "2 calls, the same again when asked for more"


async def test_rows_that_slip_to_the_next_page_come_once_also_after_a_break(
    server: Server,
) -> None:
    script(server)
    a, b, c = ({**CALL, "id": n} for n in (1, 2, 3))

    def shifting(request: Request) -> Answer:
        found = {"0": (a, b), "2": (b, c)}.get(request.one("offset") or "", ())
        return Answer(listed(*found, next=int(request.one("offset") or 0) + 2, total=4))

    server.on("/v2/call/", shifting)
    async with Liner(login(server.url, order_ids="1")) as liner:
        pages = await walk(liner)
        assert ids(pages) == ["1", "2", "3"] and pages[-1].shortfall == "3 of 4 calls"
    async with Liner(login(server.url, order_ids="1")) as liner:
        resumed = await walk(liner, pages[0].cursor)
        assert ids(resumed)[0] == "3" and resumed[-1].shortfall == "3 of 4 calls"


async def test_a_break_in_the_second_lap_begins_anew(server: Server) -> None:
    script(server)
    server.on("/v2/call/", paged(*({**CALL, "id": n} for n in range(1, 151)), total=200))
    async with Liner(login(server.url, order_ids="1")) as liner:
        pages = await walk(liner)
        assert pages[-1].shortfall == "150 of 200 calls"
        for page in pages[:-1]:
            again = await walk(liner, page.cursor)
            assert again[-1].shortfall == "150 of 200 calls"


async def test_what_every_chunk_of_orders_lacks_is_told_at_the_end(server: Server) -> None:
    script(server)

    def short(request: Request) -> Answer:
        rows = [{**CALL, "id": int(id_)} for id_ in request.all("orderIds[]")]
        return Answer(paged(*rows, total=len(rows) + 5)(request).body)

    server.on("/v2/call/", short)
    async with Liner(login(server.url, order_ids="1-250")) as liner:
        pages = await walk(liner)
        assert [page.shortfall for page in pages if page.shortfall] == ["250 of 265 calls"]
        assert pages[-1].shortfall and len(set(ids(pages))) == 250
        for page in pages[:-1]:
            rest = await walk(liner, page.cursor)
            assert rest[-1].shortfall == "250 of 265 calls"


async def test_one_call_in_two_chunks_is_no_shortfall(server: Server) -> None:
    """Liner may mean "or": then a call comes for its order and for its lead."""
    script(server)
    server.on("/v2/call/", paged(*({**CALL, "id": n} for n in range(1, 131))))
    async with Liner(login(server.url, order_ids="1-150", lead_ids="1-150")) as liner:
        pages = await walk(liner)
    assert sorted(map(int, ids(pages))) == list(range(1, 131))
    assert not [page.shortfall for page in pages if page.shortfall]


async def test_a_cursor_of_an_earlier_version_begins_anew(server: Server) -> None:
    script(server)
    async with Liner(login(server.url, order_ids="1")) as liner:
        for cursor in ("[0,200,null,[]]", '[0,9,0,["1","2","3"]]', "no", "[]", "{}", "7"):
            assert len(ids(await walk(liner, cursor))) == 3


async def test_many_orders_are_asked_for_in_chunks(server: Server) -> None:
    script(server)

    def by_order(request: Request) -> Answer:
        orders = [int(id_) for id_ in request.all("orderIds[]")]
        assert len(orders) <= 100
        rows = [{**CALL, "id": order, "orderId": order} for order in orders]
        return paged(*rows, size=60)(request)

    server.on("/v2/call/", by_order)
    async with Liner(login(server.url, order_ids="1-250")) as liner:
        pages = await walk(liner)
        whole = [call.id for page in pages for call in page.calls]
        assert whole == [str(n) for n in range(1, 251)]
        assert pages[-1].total == 250
        for index, page in enumerate(pages[:-1]):
            rest = await walk(liner, page.cursor)
            seen = sum(len(p.calls) for p in pages[: index + 1])
            assert [call.id for p in rest for call in p.calls] == whole[seen:]
            assert rest[-1].total == 250


async def test_leads_and_orders_are_both_asked_for(server: Server) -> None:
    script(server)
    await calls_of(Liner(login(server.url, order_ids="202", lead_ids="789-790")))
    request = server.asked("/v2/call/")[0]
    assert request.all("orderIds[]") == ["202"] and request.all("leadIds[]") == ["789", "790"]


@pytest.mark.parametrize("size", [100, 60])
async def test_with_neither_all_orders_are_listed_first(server: Server, size: int) -> None:
    script(server)
    titles = ({"id": n, "title": f"O{n}"} for n in range(250, 0, -1))
    server.on("/v2/order/", paged(*titles, size=size))
    async with Liner(login(server.url)) as liner:
        await walk(liner)
        assert "250" in await liner.check()
    asked = [request.all("orderIds[]") for request in server.asked("/v2/call/")]
    assert sorted({int(id_) for chunk in asked for id_ in chunk}) == [*range(1, 251)]


async def test_orders_that_do_not_come_are_told(server: Server) -> None:
    script(server)
    server.on("/v2/order/", paged({"id": 202, "title": "One"}, total=3))
    async with Liner(login(server.url)) as liner:
        pages = await walk(liner)
        assert pages[-1].shortfall == "1 of 3 orders" and len(ids(pages)) == 3
        again = await walk(liner, pages[0].cursor)
        assert again[-1].shortfall == "1 of 3 orders"


@pytest.mark.parametrize("order", [{"id": [202]}, {"id": {"a": 1}}, {"id": True}, {}, 5, None])
async def test_orders_without_an_id_are_told(server: Server, order: Any) -> None:
    """Nobody can ask for their calls, whether others have one or not."""
    script(server)
    async with Liner(login(server.url)) as liner:
        server.on("/v2/order/", paged({"id": 202, "title": "One"}, order))
        pages = await walk(liner)
        assert pages[-1].shortfall == "1 order without an id" and len(ids(pages)) == 3
    async with Liner(login(server.url)) as liner:
        server.on("/v2/order/", paged(order))
        assert (await walk(liner))[-1].shortfall == "1 order without an id"


async def test_a_period_is_whole_seconds(server: Server) -> None:
    script(server)
    edge = CallQuery(QUERY.since.replace(microsecond=999), QUERY.since.replace(second=59))
    async with Liner(login(server.url, order_ids="202")) as liner:
        _ = [page async for page in liner.pages(edge)]
    request = server.asked("/v2/call/")[0]
    assert request.one("createdAt[0]") == "2024-01-01T00:00:00Z"
    assert request.one("createdAt[1]") == "2024-01-01T00:00:59Z"
