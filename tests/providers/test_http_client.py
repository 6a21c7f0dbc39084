from __future__ import annotations

import asyncio
import gzip
import json
import logging
import threading
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from providers.base import Secret
from providers.concurrency import gather_bounded
from providers.errors import (
    AuthError,
    BadAnswer,
    Broken,
    Forbidden,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.http import VendorClient
from tests.providers.contract import TOKEN
from tests.providers.server import Answer, Server, Waits


async def test_token_and_query_reach_the_vendor(server: Server, client: VendorClient) -> None:
    server.on("/api/x", {"ok": 1})
    assert await client.get("/x", [("a[]", "1"), ("a[]", "2"), ("t", "1+2 &")]) == {"ok": 1}
    [request] = server.requests
    assert request.query == [("a[]", "1"), ("a[]", "2"), ("t", "1+2 &")]
    assert request.headers["X-Api-Key"] == TOKEN
    assert request.headers["User-Agent"].startswith("ringback")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_stay_at_home(
    server: Server, elsewhere: Server, client: VendorClient, status: int
) -> None:
    server.on("/api/a", Answer(status=status, headers={"Location": "/api/b?x=1"}))
    server.on("/api/b", {"ok": 2})
    assert await client.get("/a") == {"ok": 2}
    assert server.asked("/api/b")[0].headers["X-Api-Key"] == TOKEN

    server.on("/api/a", Answer(status=status, headers={"Location": elsewhere.url + "/b"}))
    with pytest.raises(ProviderError, match="redirects to another place"):
        await client.get("/a")
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1.nip.example/x",
        "https://127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}@localhost:1/x",
        "http://user@127.0.0.1:{port}/x",
        "//localhost:{port}/x",
        "file:///etc/passwd",
        "http://[bad/x",
    ],
)
async def test_redirects_to_lookalikes_are_refused(
    server: Server, client: VendorClient, target: str
) -> None:
    location = target.format(port=server.port)
    server.on("/api/a", Answer(status=302, headers={"Location": location}))
    with pytest.raises(BadAnswer):
        await client.get("/a")
    assert len(server.requests) == 1


async def test_redirects_come_to_an_end(server: Server, client: VendorClient) -> None:
    server.on("/api/a", Answer(status=302, headers={"Location": "/api/a"}))
    with pytest.raises(BadAnswer, match="more than 5"):
        await client.get("/a")
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, AuthError),
        (403, Forbidden),
        (404, NotFound),
        (405, Rejected),
        (410, NotFound),
        (422, Rejected),
        (500, Broken),
        (501, Broken),
    ],
)
async def test_statuses_mean_what_they_mean_at_once(
    server: Server, client: VendorClient, waits: Waits, status: int, kind: type[ProviderError]
) -> None:
    server.on("/api/x", Answer({"message": "endAt is prior to startAt"}, status))
    with pytest.raises(kind, match="endAt is prior to startAt") as caught:
        await client.get("/x")
    assert type(caught.value) is kind
    assert len(server.requests) == 1 and waits == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_busy_vendors_are_asked_again(
    server: Server, client: VendorClient, waits: Waits, status: int
) -> None:
    server.on("/api/x", Answer(b"busy", status), Answer(b"", status), {"ok": 1})
    assert await client.get("/x") == {"ok": 1}
    assert len(waits) == 2
    assert 0.3 < waits[0] < waits[1] < 2


async def test_four_tries_are_enough(server: Server, client: VendorClient, waits: Waits) -> None:
    server.on("/api/x", Answer({"message": "slow down"}, 429))
    with pytest.raises(RateLimited, match="slow down"):
        await client.get("/x")
    assert len(server.requests) == 4 and len(waits) == 3


@pytest.mark.parametrize(("code", "kind"), [(7, RateLimited), ("7", RateLimited), (8, Unreachable)])
async def test_a_vendors_own_error_codes(
    server: Server, client: VendorClient, code: object, kind: type[ProviderError]
) -> None:
    body = {"code": code, "message": "Too many requests"}
    server.on("/api/x", body, Answer(body, 400), {"code": 7, "result": [1]})
    assert await client.get("/x") == {"code": 7, "result": [1]}
    server.on("/api/x", body)
    with pytest.raises(kind, match="Too many requests"):
        await client.get("/x")


async def test_a_vendors_own_code_for_a_refused_token(server: Server, client: VendorClient) -> None:
    """Whatever the status; and it is not asked again."""
    for status in (200, 400, 500):
        server.on("/api/x", Answer({"code": "9", "message": "who are you", "result": []}, status))
        with pytest.raises(AuthError, match="who are you"):
            await client.get("/x")
    assert len(server.requests) == 3


async def test_retry_after_in_seconds_and_as_a_date(
    server: Server, client: VendorClient, waits: Waits
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.on(
        "/api/x",
        Answer(status=429, headers={"Retry-After": "12"}),
        Answer(status=503, headers={"Retry-After": date}),
        Answer(status=503, headers={"Retry-After": "nonsense"}),
        {},
    )
    assert await client.get("/x") == {}
    assert waits[0] == 12 and 28 <= waits[1] <= 30 and waits[2] < 5


async def test_a_long_wait_is_told_instead_of_waited(
    server: Server, client: VendorClient, waits: Waits
) -> None:
    server.on("/api/x", Answer(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as caught:
        await client.get("/x")
    assert caught.value.retry_after_s == 3600
    assert caught.value.hint == "Ask again in 60 minutes."
    assert waits == [] and len(server.requests) == 1


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        ("3600", 3600),
        (" 61.5 ", 61.5),
        ("1e3", 1000),
        ("86400", 86400),
        (lambda now: format_datetime(now + timedelta(hours=1), usegmt=True), 3600),
        (lambda now: (now + timedelta(hours=1)).isoformat(), 3600),
        (lambda now: str(int(now.timestamp()) + 3600), 3600),
        (lambda now: str((int(now.timestamp()) + 3600) * 1000), 3600),
        (lambda now: format_datetime(now + timedelta(days=400), usegmt=True), 86400),
    ],
)
async def test_how_long_to_wait_is_told_in_seconds(
    server: Server, client: VendorClient, waits: Waits, told: Any, wait_s: float
) -> None:
    header = told if isinstance(told, str) else told(datetime.now(UTC))
    for status in (429, 503):
        server.on("/api/x", Answer(status=status, headers={"Retry-After": header}))
        with pytest.raises(ProviderError) as caught:
            await client.get("/x")
        assert caught.value.retry_after_s is not None
        assert wait_s - 30 <= caught.value.retry_after_s <= wait_s
    assert waits == [] and len(server.requests) == 2


@pytest.mark.parametrize(
    "told",
    [
        *("-5", "0", "soon", "nan", "inf", "-inf", "12, 12", "9" * 30, "9" * 5000, "-9999999999"),
        *("999999999", "9999999999", "1000000000", "Wed, 21 Oct 2015 07:28:00 GMT"),
        *("Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -9999", "0000-00-00"),
    ],
)
async def test_a_wait_that_is_none_is_left_to_us(
    server: Server, client: VendorClient, waits: Waits, told: str
) -> None:
    server.on("/api/x", Answer(status=429, headers={"Retry-After": told}))
    with pytest.raises(RateLimited) as caught:
        await client.get("/x")
    assert caught.value.retry_after_s is None and "in a sensible way" in caught.value.hint
    assert len(waits) == 3 and all(0 < wait < 5 for wait in waits)


async def test_broken_connections_are_tried_again(
    server: Server, client: VendorClient, waits: Waits
) -> None:
    server.on("/api/x", Answer(drop=True), {"ok": 1})
    assert await client.get("/x") == {"ok": 1}
    assert len(waits) == 1


async def test_time_outs_are_tried_again(server: Server, waits: Waits) -> None:
    over = threading.Event()
    server.on("/x", Answer({}, stall=over))
    client = VendorClient(server.url, {"A": Secret("t")}, sleep=waits, read_s=0.05)
    with pytest.raises(Unreachable, match="did not answer in time"):
        await client.get("/x")
    over.set()
    await client.aclose()
    assert len(server.requests) == 4


async def test_nobody_listens(server: Server, waits: Waits) -> None:
    with Server() as gone:
        port = gone.port
    client = VendorClient(f"http://127.0.0.1:{port}", {"A": Secret(TOKEN)}, sleep=waits)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 cannot be reached"):
        await client.get("/x", [("secret", "q-1")])
    await client.aclose()
    assert waits == []


async def test_an_unknown_name(waits: Waits) -> None:
    client = VendorClient("https://api.invalid", {"A": Secret(TOKEN)}, sleep=waits)
    with pytest.raises(Unreachable, match=r"api\.invalid cannot be reached"):
        await client.get("/x")
    await client.aclose()


async def test_small_bodies_do_not_become_huge(server: Server, client: VendorClient) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 100_000
    server.on("/api/x", Answer(bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(BadAnswer, match="more than"):
        await client.get("/x")
    server.on("/api/x", Answer(b'"' + b"0" * 200_000 + b'"'))
    with pytest.raises(BadAnswer, match="more than"):
        await client.get("/x")


async def test_what_is_unpacked_is_in_proportion_to_what_came(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of like calls is packed a hundred times; 22 million empty rows a thousand times."""
    client = VendorClient(server.url, {"X-Api-Key": Secret(TOKEN)})
    packed = {"Content-Encoding": "gzip"}
    rows = gzip.compress(b"[" + b"{}," * 2_000_000 + b"{}]")
    server.on("/x", Answer(rows, headers=packed))
    monkeypatch.setattr("providers.decoding.DECODER", None)  # nothing of it is built
    with pytest.raises(BadAnswer, match=r"more than 4 MB, packed in [\d,]+ bytes"):
        await client.get("/x")
    server.on("/x", Answer(b"[" + b"{}," * 2_000_000 + b"{}]"))
    with pytest.raises(BadAnswer, match="more than 1,000,000 values at once"):
        await client.get("/x")
    monkeypatch.undo()
    rows = gzip.compress(
        json.dumps([{"id": n, "note": "word " * 9} for n in range(90_000)]).encode()
    )
    server.on("/x", Answer(rows, headers=packed))
    assert len(await client.get("/x")) == 90_000
    await client.aclose()


async def test_an_address_that_cannot_be_asked_for(client: VendorClient) -> None:
    with pytest.raises(Rejected, match="no address with such an id"):
        await client.get("/" + "x" * 70_000)


async def test_encodings(server: Server, client: VendorClient) -> None:
    packed = gzip.compress(b'{"ok": 1}')
    server.on("/api/x", Answer(packed, headers={"Content-Encoding": "gzip"}))
    assert await client.get("/x") == {"ok": 1}
    for coding, body in (("gzip", b"no gzip"), ("br", b"x"), ("gzip, gzip", packed)):
        server.on("/api/x", Answer(body, headers={"Content-Encoding": coding}))
        with pytest.raises(BadAnswer):
            await client.get("/x")


async def test_no_error_holds_a_secret(
    server: Server, elsewhere: Server, client: VendorClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"bad key {TOKEN} at https://h/p?sig=SIGNED&x"
    answers: list[object] = [
        Answer({"message": echo}, 401),
        Answer({"message": echo}, 400),
        Answer(echo.encode()),
        Answer({"error": {"message": echo}}, 503),
        Answer(status=302, headers={"Location": f"{elsewhere.url}/?sig=SIGNED"}),
        Answer(drop=True),
    ]
    texts, phone = [], "".join(("+1555", "0100"))
    for answer in answers:
        server.on("/api/x", answer)
        with pytest.raises(ProviderError) as caught:
            await client.get("/x", [("phone", phone)])
        error = caught.value
        texts += [repr(error), str(error), error.hint, *traceback.format_exception(error)]
    everything = "\n".join(texts) + caplog.text
    assert "127.0.0.1" in everything  # there is something to look through
    for secret in (TOKEN, "SIGNED&", phone):
        assert secret not in everything


@pytest.mark.parametrize("token", ["", " ", "töken-SECRET", "tok\nSECRET", "SECRET\x00"])
def test_a_token_that_no_header_takes_is_not_repeated(token: str) -> None:
    with pytest.raises(AuthError) as caught:
        VendorClient("https://api.example.com", {"X-Api-Key": Secret(token)})
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))


def test_base_urls_are_checked() -> None:
    with pytest.raises(ProviderError, match="https"):
        VendorClient("http://api.example.com", {"X-Api-Key": Secret("t")})


async def test_no_more_requests_at_a_time_than_allowed(
    server: Server, client: VendorClient
) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def slow(request: object) -> Answer:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        return Answer({})

    server.on("/api/x", slow)
    await asyncio.gather(*(client.get("/x") for _ in range(12)))
    assert most == 4


async def test_cancelling_leaves_nothing_open(server: Server, client: VendorClient) -> None:
    over = threading.Event()
    server.on("/api/x", Answer({}, stall=over))
    server.on("/api/y", {"ok": 1})
    tasks = [asyncio.create_task(client.get("/x")) for _ in range(4)]
    await asyncio.to_thread(server.wait_for, 4)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(e, asyncio.CancelledError)
        for e in await asyncio.gather(*tasks, return_exceptions=True)
    )
    over.set()
    assert await asyncio.wait_for(client.get("/y"), 2) == {"ok": 1}


async def test_gather_bounded_stops_at_the_first_error() -> None:
    begun: list[int] = []
    cancelled: list[int] = []
    never, under_way = asyncio.Event(), asyncio.Event()

    async def work(number: int) -> None:
        begun.append(number)
        if number == 2:
            await under_way.wait()
            raise NotFound("gone")
        if number < 2:
            return
        if len(begun) == 6:
            under_way.set()
        try:
            await never.wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    with pytest.raises(NotFound):
        await gather_bounded(work, range(100), limit=4)
    assert begun[:6] == [0, 1, 2, 3, 4, 5], "four at a time: the first two made room for two"
    assert len(begun) <= 7 and sorted(cancelled) == begun[3:], (
        "at most one more begins behind the error"
    )
