"""What is asked of CINNOX, and what its answers and refusals mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.errors import AuthError, BadAnswer, Forbidden, ProviderError, RateLimited, Rejected
from tests.providers.cinnox_bodies import (
    PATH,
    RECORD,
    STAFF,
    account,
    script,
)
from tests.providers.contract import login, walk
from tests.providers.server import Answer, Server, Waits


async def test_the_request_is_the_documented_one(server: Server, cinnox: Cinnox) -> None:
    async with cinnox:
        await walk(cinnox)
    request, end = server.asked(PATH)
    assert end.query == [*request.query[:2], ("offset", "3"), ("limit", "500")]
    assert request.query == [
        ("startAt", "2024-01-01T00:00:00.000Z"),
        ("endAt", "2024-02-01T12:30:15.001Z"),
        ("offset", "0"),
        ("limit", "500"),
    ]
    assert request.headers["Authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"code": 6450001, "message": "method not found"}, 404),
        Answer({"code": 403, "message": "Forbidden"}, 403),
        Answer({"code": 403, "message": "Forbidden"}, 400),
        Answer({"code": 401, "message": "Unauthorized"}, 401),
        Answer({"code": 6451010, "message": "Too many requests"}, 429),
        Answer(b"<h1>Bad gateway</h1>", 502),
        Answer({"code": 0, "message": "oops"}, 500),
        Answer(b"<h1>Welcome</h1>"),
        Answer({"code": 200}),
        Answer({"code": 200, "result": ["staff-0043", 7]}),
        Answer({"code": 200, "result": "none"}),
        Answer({"code": 200, "result": [{"name": "Ada"}]}),
        Answer(drop=True),
    ],
)
async def test_no_staff_list_costs_only_names_and_is_said_once(
    server: Server, answer: Answer
) -> None:
    script(server)
    server.on(STAFF, answer)
    async with Cinnox(account(server)) as cinnox:
        cinnox.sleep = Waits()
        pages = await walk(cinnox)
        [note] = [note for page in pages for note in page.notes]
        assert note.startswith("the staff list cannot be had, so ids stand for names: ")
        assert not any(page.failed or page.shortfall for page in pages)
        assert not any(page.notes for page in await walk(cinnox))
    assert pages[0].calls[1].agents[0].id == "staff-0043"
    assert pages[0].calls[1].agents[0].name is None
    assert cinnox.names.known == {}  # and asked for again the next time


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
        ({"code": 401, "message": "Unauthorized"}, 400, AuthError, "Unauthorized"),
        ({"code": "401", "message": "Unauthorized"}, 400, AuthError, "Unauthorized"),
        ({"code": 403, "message": "Forbidden"}, 400, Forbidden, "Forbidden"),
        ({"code": 403, "message": "Forbidden"}, 200, Forbidden, "Forbidden"),
        ({"code": 401}, 500, AuthError, "answered 500"),
        ({"code": 401, "message": "Unauthorized", "result": []}, 200, AuthError, "Unauthorized"),
        ({"code": 401, "message": "Unauthorized", "result": None}, 400, AuthError, "Unauthorized"),
        ({"code": 6451010, "message": "Too many", "result": {}}, 200, RateLimited, "Too many"),
        ({"code": 6451000, "message": "Bad query", "result": []}, 200, Rejected, "Bad query"),
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
        with pytest.raises(kind, match=words) as caught:
            await walk(cinnox)
    assert type(caught.value) is kind


@pytest.mark.parametrize("code", [0, 200, "OK", None, ..., 401, 6451010])
async def test_result_alone_means_success(server: Server, cinnox: Cinnox, code: Any) -> None:
    body = {"code": code, "result": [RECORD]}
    if code is ...:
        del body["code"]
    server.on(PATH, body)
    async with cinnox:
        assert len((await walk(cinnox))[0].calls) == 1


@pytest.mark.parametrize("code", [0, 200, "200", "OK", None])
async def test_nothing_found_is_no_failure(server: Server, cinnox: Cinnox, code: Any) -> None:
    server.on(PATH, {"code": code, "message": "OK", "result": []})
    async with cinnox:
        assert [page.calls for page in await walk(cinnox)] == [()]


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
