"""No record goes missing without a word, however CINNOX pages."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.cinnox_walk import REMEMBERED, Walk
from providers.errors import BadAnswer, Rejected
from providers.model import Page
from tests.providers.cinnox_bodies import PATH, PEOPLE, RECORD, STAFF, Order, account, paged, script
from tests.providers.contract import QUERY, walk
from tests.providers.server import Answer, Request, Server
from tests.slow_params import few

START = datetime(2024, 1, 31, tzinfo=UTC)


def records(many: int, same_s: int = 1) -> list[dict[str, Any]]:
    """The newest first, `same_s` of them in one second."""
    return [
        {
            **RECORD,
            "id": f"r{n}",
            "callID": f"c{n}",
            "callDate": (START - timedelta(seconds=n // same_s)).isoformat(),
        }
        for n in range(many)
    ]


def ties(seed: int) -> Order:
    """The newest first, and what is of one second in another order each time it is asked."""
    chance = random.Random(seed)

    def order(rows: list[Any], request: Request) -> list[Any]:
        chance.shuffle(rows)
        return sorted(rows, key=lambda row: row["callDate"], reverse=True)

    return order


def ids(pages: list[Page]) -> list[str]:
    return [call.id for page in pages for call in page.calls]


async def walked(server: Server, route: Any) -> list[Page]:
    script(server)
    server.on(PATH, route)
    async with Cinnox(account(server)) as cinnox:
        return await walk(cinnox)


def offsets(server: Server) -> list[int]:
    return [int(request.one("offset") or 0) for request in server.asked(PATH)]


async def test_pages_of_500_and_no_total(server: Server) -> None:
    rows = records(1000)
    script(server, *rows)
    async with Cinnox(account(server)) as cinnox:
        pages = await walk(cinnox)
        assert [len(page.calls) for page in pages] == [500, 500, 0]
        assert all(page.total is None and not page.shortfall for page in pages)
        resumed = await walk(cinnox, pages[0].cursor)
        assert ids(resumed) == [f"c{n}" for n in range(500, 1000)]
        assert ids(await walk(cinnox, "500")) == ids(resumed)  # as an older Ringback kept it


@pytest.mark.parametrize("cap", few(2, [1, 7, 50, 100, 499]))
async def test_a_page_that_is_short_is_no_end(server: Server, cap: int) -> None:
    many = min(13 * cap, 1300)
    pages = await walked(server, paged(*records(many), cap=cap))
    assert ids(pages) == [f"c{n}" for n in range(many)]
    assert offsets(server) == [*range(0, many, cap), many]
    assert not any(page.shortfall or page.notes for page in pages)


async def test_pages_of_any_size(server: Server) -> None:
    chance = random.Random(5)

    def uneven(request: Request) -> Answer:
        return paged(*records(1300), cap=chance.randint(1, 200))(request)

    assert ids(await walked(server, uneven)) == [f"c{n}" for n in range(1300)]


@pytest.mark.parametrize("many", [0, 1, 499, 500])
async def test_what_a_period_costs(server: Server, many: int) -> None:
    """An empty page is the end, also where it is the first; and nothing is asked twice."""
    pages = await walked(server, paged(*records(many)))
    assert offsets(server) == ([0, many] if many else [0])
    assert len(ids(pages)) == many and pages[-1].cursor is None
    assert len(pages) == (2 if many == 500 else 1)  # the last page says that it is


async def test_a_page_is_kept_where_the_next_one_fails(server: Server) -> None:
    rows = records(250)

    def failing(request: Request) -> Answer:
        if request.one("offset") == "200":
            return Answer({"code": 6451000, "message": "Bad query"}, 400)
        return paged(*rows, cap=100)(request)

    script(server)
    server.on(PATH, failing)
    found: list[Page] = []
    with pytest.raises(Rejected, match="Bad query"):
        async with Cinnox(account(server)) as cinnox:
            async for page in cinnox.pages(QUERY):
                found.append(page)
    assert len(ids(found)) == 200 and offsets(server) == [0, 100, 200]
    server.on(PATH, paged(*rows, cap=100))
    async with Cinnox(account(server)) as cinnox:
        assert len(ids(await walk(cinnox, found[-1].cursor))) == 50


@pytest.mark.parametrize("seed", few(1, range(4)))
@pytest.mark.parametrize("same_s", few(1, [3, 13, 45]))
async def test_ties_at_the_borders_of_pages_cost_no_call(
    server: Server, seed: int, same_s: int
) -> None:
    pages = await walked(server, paged(*records(1300, same_s), cap=100, order=ties(seed)))
    found = ids(pages)
    assert sorted(found) == sorted(f"c{n}" for n in range(1300))  # all, and each once
    assert not any(page.shortfall for page in pages)
    assert len(offsets(server)) <= 14 + 28  # once over, and once more with pages that overlap


async def test_ties_that_differ_by_offset_alone(server: Server) -> None:
    """As a database sorts that keeps the first so many: the same question, the same answer."""

    def order(rows: list[Any], request: Request) -> list[Any]:
        return ties(int(request.one("offset") or 0))(rows, request)

    pages = await walked(server, paged(*records(1300, 40), cap=100, order=order))
    assert len(set(ids(pages))) == 1300 and not pages[-1].shortfall


@pytest.mark.parametrize("seed", few(1, range(4)))
@pytest.mark.parametrize("cap", few(2, [20, 50, 5]))
async def test_more_ties_than_a_page_holds_are_told(server: Server, seed: int, cap: int) -> None:
    pages = await walked(server, paged(*records(400, 400), cap=cap, order=ties(seed)))
    found = len(set(ids(pages)))
    assert 200 < found < 400 and pages[-1].shortfall == f"{found} of 400 records"
    assert pages[-1].cursor is None and not any(page.shortfall for page in pages[:-1])


async def test_a_walk_over_ties_goes_on_in_another_process(server: Server) -> None:
    """At any cursor: what came before it and what comes after it are all there is."""
    script(server)
    server.on(PATH, paged(*records(200, 9), cap=20, order=ties(3)))
    async with Cinnox(account(server)) as cinnox:
        whole = await walk(cinnox)
    assert len(whole) > 10  # both walks
    for number in range(1, len(whole), 5):
        async with Cinnox(account(server)) as cinnox:
            rest = await walk(cinnox, whole[number - 1].cursor)
        assert {*ids(whole[:number]), *ids(rest)} == {f"c{n}" for n in range(200)}
        assert not rest[-1].shortfall


async def test_rows_that_shift_while_they_are_read(server: Server) -> None:
    """A record comes late and takes the first place: one comes twice, and the new one is missed."""
    rows = records(300)
    late = {**RECORD, "id": "late", "callID": "late", "callDate": START.isoformat()}
    asked = 0

    def shifting(request: Request) -> Answer:
        nonlocal asked
        asked += 1
        return paged(*([late] if asked > 2 else []), *rows, cap=100)(request)

    pages = await walked(server, shifting)
    assert sorted(ids(pages)) == sorted(["late", *(f"c{n}" for n in range(300))])
    assert not any(page.shortfall for page in pages)


async def test_rows_that_keep_shifting_are_told(server: Server) -> None:
    """Something new at the top before every page: nobody can know what was passed over."""
    rows, asked = records(300), 0

    def shifting(request: Request) -> Answer:
        nonlocal asked
        asked += 1
        new = [{**RECORD, "id": f"n{n}", "callID": f"n{n}"} for n in range(asked * 60)]
        return paged(*reversed(new), *rows, cap=100)(request)

    pages = await walked(server, shifting)
    assert {f"c{n}" for n in range(300)} <= set(ids(pages))
    assert asked < 100 and pages[-1].shortfall


async def test_the_vendors_own_doubles_prove_nothing(server: Server) -> None:
    """One answer is of one moment: a record twice in it was written twice."""
    rows = records(250)
    for place in (3, 120, 240):
        rows.insert(place, rows[place - 1])
    pages = await walked(server, paged(*rows, "junk", cap=100))
    assert sorted(ids(pages)) == sorted(f"c{n}" for n in range(250))
    assert not pages[-1].shortfall and offsets(server) == [0, 100, 200, 254]


async def test_a_double_across_a_border_costs_one_walk_and_no_word(server: Server) -> None:
    rows = records(250)
    rows.insert(100, rows[99])
    pages = await walked(server, paged(*rows, cap=100))
    assert len(ids(pages)) == 250 and not pages[-1].shortfall


def in_period(rows: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    since, until = (datetime.fromisoformat(request.one(key) or "") for key in ("startAt", "endAt"))
    return [row for row in rows if since <= datetime.fromisoformat(row["callDate"]) <= until]


def clamped(rows: list[Any], offset: int) -> list[Any]:
    return rows[min(offset, 200) : min(offset, 200) + 100]


def first(rows: list[Any], offset: int) -> list[Any]:
    return rows[:100]


@pytest.mark.parametrize(
    ("many", "view", "period", "told"),
    [
        (80, first, True, ""),  # all it has, whatever is asked
        (80, first, False, ""),
        (1300, first, True, "only the first 100 records of this period, whatever the offset"),
        (300, clamped, True, ""),  # beyond the end the last page again
        (250, clamped, True, ""),
        (1300, clamped, True, "only the first 300 records of this period, whatever the offset"),
    ],
)
async def test_an_offset_that_does_not_advance(
    server: Server, many: int, view: Callable[[list[Any], int], list[Any]], period: bool, told: str
) -> None:
    rows = records(many)

    def answer(request: Request) -> Answer:
        found = in_period(rows, request) if period else rows
        return Answer({"result": view(found, int(request.one("offset") or 0))})

    pages = await walked(server, answer)
    assert ids(pages) == [f"c{n}" for n in range(len(ids(pages)))]
    assert pages[-1].shortfall == told
    assert len(offsets(server)) <= 6
    assert bool(told) or len(ids(pages)) == many


async def test_ties_where_the_last_page_comes_again(server: Server) -> None:
    def answer(request: Request) -> Answer:
        found = ties(len(server.requests))(in_period(records(300, 45), request), request)
        offset = min(int(request.one("offset") or 0), 200)
        return Answer({"result": found[offset : offset + 100]})

    pages = await walked(server, answer)
    assert len(set(ids(pages))) == 300 or pages[-1].shortfall


async def test_the_same_full_page_for_ever_is_told(server: Server) -> None:
    pages = await walked(server, {"code": 200, "result": records(500)})
    assert len(ids(pages)) == 500
    assert pages[-1].shortfall == "only the first 500 records of this period, whatever the offset"


async def test_what_cannot_be_known_is_said(server: Server) -> None:
    pages = await walked(server, {"code": 200, "result": records(80)})
    assert len(ids(pages)) == 80 and not pages[-1].shortfall
    assert pages[-1].notes == (
        "CINNOX gave the same 80 records for every offset; if it has more, they cannot be had",
    )


async def test_pages_that_go_in_a_circle_end(server: Server) -> None:
    rows = records(300)

    def circle(request: Request) -> Answer:
        offset = int(request.one("offset") or 0) % 300
        return Answer({"result": rows[offset : offset + 100]})

    pages = await walked(server, circle)
    assert len(ids(pages)) == 300 and len(offsets(server)) < 30
    assert pages[-1].shortfall == "300 records of a list that does not advance"


async def test_rows_of_a_page_have_a_limit(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ignores the limit: what is beyond it is asked for by its offset."""
    monkeypatch.setattr("providers.limits.ROWS", 700)
    rows = records(1600)

    def unlimited(request: Request) -> Answer:
        return Answer({"result": rows[int(request.one("offset") or 0) :]})

    pages = await walked(server, unlimited)
    assert max(len(page.calls) for page in pages) == 700
    assert ids(pages) == [f"c{n}" for n in range(1600)]


async def test_a_list_without_end_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.cinnox.MAX_PAGES", 5)
    number = iter(range(10_000))

    def endless(request: Request) -> Answer:
        return Answer({"result": [{**RECORD, "id": f"{next(number)}"} for _ in range(3)]})

    with pytest.raises(BadAnswer, match="List without end"):
        await walked(server, endless)


async def test_the_staff_list_is_read_to_its_end(server: Server) -> None:
    """Pages of 20; the names of the first are known already."""
    people = [{"id": f"staff-{n}", "displayName": f"Ann {n}"} for n in range(95)]
    rows = [{**RECORD, "toEID": "staff-94", "toDisplayName": "", "lastHandledParty": ""}]
    script(server, *rows)
    server.on(STAFF, paged(*people, cap=20))
    made = account(server)
    for n in range(20):
        made.names.put("staff", f"staff-{n}", {"id": f"staff-{n}", "name": f"Ann {n}"})
    async with Cinnox(made) as cinnox:
        [call] = [call for page in await walk(cinnox) for call in page.calls]
    assert call.agents[0].name == "Ann 94"
    assert len(server.asked(STAFF)) == 6


@pytest.mark.parametrize("cap", [2, 500])
async def test_a_staff_list_that_ignores_the_offset(server: Server, cap: int) -> None:
    script(server)
    server.on(STAFF, Answer({"result": PEOPLE[:cap]}))
    async with Cinnox(account(server)) as cinnox:
        pages = await walk(cinnox)
    assert len(server.asked(STAFF)) == 2 and not any(page.failed for page in pages)


async def test_ids_that_are_no_staff_are_asked_for_once(server: Server) -> None:
    """A refresh of the same calls does not read the staff list again and again."""
    script(server, {**RECORD, "releaseParty": "staff-gone", "lastHandledParty": "visitor-7"})
    made = account(server)
    for _ in range(3):
        async with Cinnox(made) as cinnox:
            await walk(cinnox)
    assert len(server.asked(STAFF)) == 2  # its page, and the empty one


@pytest.mark.parametrize(("more", "endless"), [(-1, False), (0, False), (1, True)])
def test_a_second_walk_of_more_than_twice_the_rows_is_endless(more: int, endless: bool) -> None:
    before = 700
    offset = 2 * before + REMEMBERED + more
    walk = Walk(json.dumps([before, offset, before, before, []]))
    assert walk.again and walk.endless is endless
    assert bool(walk.shortfall) is endless
