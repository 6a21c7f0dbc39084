"""What is asked of CINNOX, and what its answers and refusals mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.errors import AuthError, BadAnswer, ProviderError, RateLimited, Rejected
from tests.providers.cinnox_bodies import (
    PATH,
    RECORD,
    STAFF,
    account,
    script,
)
from tests.providers.contract import login, walk
from tests.providers.server import Answer, Server


async def test_the_request_is_the_documented_one(server: Server, cinnox: Cinnox) -> None:
    async with cinnox:
        await walk(cinnox)
    [request] = server.asked(PATH)
    assert request.query == [
        ("startAt", "2024-01-01T00:00:00.000Z"),
        ("endAt", "2024-02-01T12:30:15.001Z"),
        ("offset", "0"),
        ("limit", "500"),
    ]
    assert request.headers["Authorization"].startswith("Bearer ")


async def test_no_staff_list_costs_only_names(server: Server) -> None:
    script(server)
    server.on(STAFF, Answer({"code": 6450001, "message": "method not found"}, 404))
    async with Cinnox(account(server)) as cinnox:
        [page] = await walk(cinnox)
        assert len(page.failed) == 1 and page.failed[0].startswith("names (staff)")
        assert (await walk(cinnox))[0].failed == ()
    assert page.calls[1].agents[0].id == "staff-0043" and page.calls[1].agents[0].name is None
    assert len(server.asked(STAFF)) == 1


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (
            {"code": 6451000, "message": "missing one of startAt, endAt"},
            400,
            Rejected,
            "missing one",
        ),
        ({"code": 0, "message": "negative offset"}, 400, Rejected, "negative offset"),
        ({"code": 6451000, "message": "exceed maximum limit"}, 200, Rejected, "exceed maximum"),
        ({"code": 401, "message": "Unauthorized"}, 200, AuthError, "Unauthorized"),
        ({"code": 6451010, "message": "Too many requests"}, 400, RateLimited, "Too many"),
        ({"code": 6451010, "message": "Too many requests"}, 200, RateLimited, "Too many"),
        ({"code": 200}, 200, BadAnswer, "without `result`"),
        ([], 200, BadAnswer, "without `result`"),
    ],
)
async def test_failures_wherever_they_stand(
    server: Server, cinnox: Cinnox, body: Any, status: int, kind: type[ProviderError], words: str
) -> None:
    server.on(PATH, Answer(body, status))
    async with cinnox:
        with pytest.raises(kind, match=words):
            await walk(cinnox)


@pytest.mark.parametrize("code", [0, 200, "OK", None, ...])
async def test_result_alone_means_success(server: Server, cinnox: Cinnox, code: Any) -> None:
    body = {"code": code, "result": [RECORD]}
    if code is ...:
        del body["code"]
    server.on(PATH, body)
    async with cinnox:
        assert len((await walk(cinnox))[0].calls) == 1


@pytest.mark.parametrize(
    ("result", "count"),
    [(None, 0), ([], 0), ({}, 0), ({"list": [RECORD]}, 1), (RECORD, 1), ({"0": RECORD}, 1)],
)
async def test_result_in_other_shapes(
    server: Server, cinnox: Cinnox, result: Any, count: int
) -> None:
    server.on(PATH, {"code": 200, "result": json.loads(json.dumps(result))})
    async with cinnox:
        assert len((await walk(cinnox))[0].calls) == count


async def test_without_an_app_id_nothing_is_asked(server: Server) -> None:
    async with Cinnox(login(server.url)) as cinnox:
        with pytest.raises(ProviderError, match="App ID"):
            await cinnox.check()
    assert server.requests == []
