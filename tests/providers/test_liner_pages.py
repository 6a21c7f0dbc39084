"""A walk through Liner's calls: pages, breaks, orders in chunks, and what is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from providers.liner import Liner
from providers.model import CallQuery, Page
from tests.providers.contract import QUERY, login, walk
from tests.providers.liner_bodies import CALL, SPARSE, listed, ok, paged, script
from tests.providers.server import Answer, Request, Server


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


async def test_an_account_without_orders_has_no_calls_and_says_so(server: Server) -> None:
    script(server)
    server.on("/v2/order/", paged())
    async with Liner(login(server.url)) as liner:
        [page] = await walk(liner)
    assert (page.calls, page.cursor, page.total, page.shortfall) == ((), None, 0, "")
    assert server.asked("/v2/call/") == []
