"""Lists that do not advance: the walk ends after few requests, and that is told each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.outside import raw_cinnox
from tests.outside.server import Answer, Request, Vendors, good
from tests.outside.test_walks import PERIOD, plain_liner
from tests.outside.user import Ringback
from tests.slow_params import few

Rows = list[dict[str, Any]]
MOST = 30
"""Requests of one sync at most, dictionaries and all."""


def without_ids(rows: Rows) -> Rows:
    names = ("id", "callID", "hid", "callSeq")
    return [{k: v for k, v in row.items() if k not in names} for row in rows]


def changed(rows: Rows, number: int) -> Rows:
    return [{**row, "extra": f"{number}"} for row in rows]


SHUFFLE = random.Random(3)
STANDING: dict[str, Callable[[Rows, int], Rows]] = {
    "the same": lambda rows, n: rows[:100],
    "the same but for a field": lambda rows, n: changed(rows[:100], n),
    "the same but for a field, without ids": lambda rows, n: changed(without_ids(rows[:100]), n),
    "the same without ids": lambda rows, n: without_ids(rows[:100]),
    "the same in other order": lambda rows, n: SHUFFLE.sample(rows[:100], 100),
    "the same in other order, without ids": lambda rows, n: SHUFFLE.sample(without_ids(rows[:100]), 100),
    "pages that shrink": lambda rows, n: rows[: max(1, 100 - 7 * n)],
    "pages that shrink, without ids": lambda rows, n: without_ids(rows[: max(1, 100 - 7 * n)]),
    "two pages in turn": lambda rows, n: rows[100:200] if n % 2 else rows[:100],
    "two pages in turn, without ids": lambda rows, n: without_ids(rows[100:200] if n % 2 else rows[:100]),
    "two pages in turn but for a field, without ids": lambda rows, n: changed(without_ids(rows[100:200] if n % 2 else rows[:100]), n),
    "three pages in turn": lambda rows, n: rows[n % 3 * 100 :][:100],
    "one row": lambda rows, n: rows[:1],
    "one row but for a field, without ids": lambda rows, n: changed(without_ids(rows[:1]), n),
    "a window that creeps": lambda rows, n: rows[n % 3 : 100 + n % 3],
}  # fmt: skip
PAGINGS: dict[str, Callable[[int, int], dict[str, Any]]] = {
    "next grows": lambda offset, n: {"next": offset + 100},
    "next and total grow": lambda offset, n: {"next": offset + 100, "total": offset + 200},
    "a total never reached": lambda offset, n: {"next": offset + 100, "total": 100_000},
    "neither": lambda offset, n: {},
}


@pytest.mark.parametrize("paging", few(1, PAGINGS))
@pytest.mark.parametrize("how", few(1, STANDING))
def test_liner(ringback: Ringback, vendors: Vendors, how: str, paging: str) -> None:
    rows, number = [stored.row for stored in plain_liner(300)], count()

    def answer(request: Request) -> Answer | None:
        if request.path != "/v2/call/":
            return None
        n, offset = next(number), int(request.one("offset") or 0)
        return good({"list": STANDING[how](rows, n), **PAGINGS[paging](offset, n)})

    vendors.rules.append(answer)
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    done = ringback("sync", *PERIOD, code=3)
    assert "sales: the vendor gave " in done.stderr and len(done.stderr.splitlines()) == 1
    assert len(vendors.seen) <= MOST
    assert " incomplete (" in ringback("accounts", "list").stdout
    ringback("sync", *PERIOD, code=3)
    assert len(vendors.seen) <= 2 * MOST


@pytest.mark.parametrize("how", few(1, STANDING))
def test_cinnox(ringback: Ringback, vendors: Vendors, how: str) -> None:
    rows, number = [stored.row for stored in raw_cinnox.stored_rows(vendors.files.url)], count()
    rows = (rows * 3)[:300]
    rows = [{**row, "id": f"r{n}", "callID": f"c{n}"} for n, row in enumerate(rows)]
    vendors.rules.append(
        lambda r: (
            Answer(200, {"code": 200, "result": STANDING[how](rows, next(number))})
            if r.path.endswith("call-detail")
            else None
        )
    )
    ringback.add("care", "cinnox", vendors.url)
    done = ringback("sync", *PERIOD, code=None)
    assert len(vendors.seen) <= MOST
    whole = "the same 100 records for every offset" in done.stderr or how == "one row"
    assert done.returncode == (0 if whole else 3)
    assert whole or "of a list that does not advance" in done.stderr


def _always(body: object) -> Callable[[Request], Answer]:
    return lambda request: Answer(200, body)


def test_discovery_ends_where_no_id_can_be_read(ringback: Ringback, vendors: Vendors) -> None:
    """Every id gives the same call, or something that is none."""
    for body in ({"calls": {"id": 7, "type": "answered"}}, {"calls": [{"x": 1}, 2]}):
        vendors.seen.clear()
        vendors.rules[:] = [_always(body)]
        name = f"desk{type(body['calls']).__name__}"
        ringback.add(name, "nectar", vendors.url, "--ids", "1-3")
        done = ringback("sync", name, "--discover", code=3)
        assert name in done.stderr
        assert len(vendors.seen) <= 3 + 3 * 50
