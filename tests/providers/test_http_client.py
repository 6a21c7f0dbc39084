from __future__ import annotations

import asyncio
import errno
import gzip
import json
import logging
import os
import pickle
import threading
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from providers.base import Secret
from providers.decoding import loads
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
    causes,
)
from providers.http import VendorClient, gather_bounded, why
from tests.providers.server import Answer, Server, Waits

TOKEN = "tok-SECRET-42"


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def client(server: Server, waits: Waits) -> AsyncIterator[VendorClient]:
    made = VendorClient(
        server.url + "/api/",
        {"X-Api-Key": Secret(TOKEN)},
        error_codes={7: RateLimited, 8: Unreachable, 9: AuthError},
        sleep=waits,
        body_limit=100_000,
    )
    yield made
    await made.aclose()


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


NO_JSON = {
    "nothing": (b"", "an empty answer"),
    "blanks": (b"\xef\xbb\xbf \r\n\0", "an empty answer"),
    "cut": (
        b'  {"data": [{"name": "Ann Doe", "phone": "+49301234"}, {"na',
        "JSON that is cut short",
    ),
    "cut in UTF-16": ('[{"name": "Ann Doe"}'.encode("utf-16"), "JSON that is cut short or broken"),
    "another mark before it": (b"\xef\xbb\xbf[1, Ann Doe]", "JSON that is cut short or broken"),
    "nested": (b"[" * 20_000, "JSON that is cut short or broken"),
    "two behind each other": (b'{"a": "Ann Doe"}{"a": 2}', "JSON that is cut short or broken"),
    "text": (b"Please wait, \x1bservice restarts", "text that is not JSON: Please wait"),
    "no text": (b"\x1f\x8b\x08\0\xfe\xff\xf7Ann Doe", "data that is not JSON"),
    "text in UTF-16": ("Bitte später".encode("utf-16"), "text that is not JSON: Bitte später"),
}


@pytest.mark.parametrize(("body", "words"), NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_what_is_no_json_is_said_without_anybodys_data(
    server: Server, client: VendorClient, body: bytes, words: str, status: int
) -> None:
    server.on("/api/x", Answer(body, status))
    with pytest.raises(ProviderError) as caught:
        await client.get("/x")
    said = str(caught.value)
    assert words in said if status == 200 else f"answered {status}" in said
    assert "Ann" not in said and not said.endswith((": ", ":")) and len(said) < 400


@pytest.mark.parametrize("length", [0, 4, 18, -1], ids=["nothing", "header", "some", "all but one"])
async def test_a_packed_answer_that_was_cut_off_is_told(
    server: Server, client: VendorClient, length: int
) -> None:
    packed = gzip.compress(b'{"ok": "' + bytes(range(48, 90)) + b'"')
    headers = {"Content-Encoding": "gzip"}
    server.on("/api/x", Answer(packed[:length], headers=headers))
    with pytest.raises(BadAnswer) as caught:
        await client.get("/x")
    assert (
        str(caught.value)
        .partition(": ")[2]
        .startswith(f"{client.host} answered 200, but with an answer that was cut off")
    )
    server.on("/api/y", Answer(b"", 404, headers=headers))
    with pytest.raises(NotFound):
        await client.get("/y")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b'{"cut'),
        Answer({"message": "no"}, 400),
        Answer({"message": "later"}, 503, headers={"Retry-After": "900"}),
        Answer(b"{", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["no JSON", "refused", "later", "damaged"],
)
async def test_an_error_that_is_kept_keeps_no_answer(
    server: Server, client: VendorClient, answer: Answer
) -> None:
    server.on("/api/x", answer)
    with pytest.raises(ProviderError) as caught:
        await client.get("/x")
    behind = [frame.name for one in causes(caught.value) for frame in frames(one)]
    assert behind[-1] == "get" and len([*causes(caught.value)]) == 1


def frames(error: BaseException) -> traceback.StackSummary:
    return traceback.extract_tb(error.__traceback__)


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.ENETUNREACH, errno.EHOSTUNREACH])
def test_why_there_is_no_connection_is_said_in_the_systems_words(number: int) -> None:
    failed = OSError("All connection attempts failed")
    failed.__context__ = OSError(number, "Connect call failed ('192.0.2.1', 443)")
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = failed
    assert why(error) == os.strerror(number)


PORTAL = b"""\xef\xbb\xbf
<!DOCTYPE html><html><head><TITLE lang=en>Caf&eacute; Wi-Fi:
  sign in\x1b[31m</TITLE></head><body><a href="https://portal.example/?token=x">Log in</a></body></html>"""
PAGES = {
    "a portal": (PORTAL, "text/html"),
    "without its kind": (PORTAL, ""),
    "no title": (b"<html><body>Log in", "text/html; charset=x"),
    "an empty title": (b"<html><title> </title>", ""),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml"),
    "no tags": (b"Please log in", "text/html"),
}


@pytest.mark.parametrize("status", [200, 203, 400, 401, 403, 404, 500, 503, 511])
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_told_by_its_title_at_most(
    server: Server, client: VendorClient, name: str, status: int
) -> None:
    body, kind = PAGES[name]
    server.on("/api/x", Answer(body, status, headers={"Content-Type": kind}))
    with pytest.raises(ProviderError) as caught:
        await client.get("/x")
    message = str(caught.value)
    assert "a web page came instead of JSON" in message
    assert not set("<>\x1b\n") & set(message) and "portal.example" not in message
    assert ('"Café Wi-Fi: sign in\ufffd[31m"' in message) == (body is PORTAL)
    if status != 404:  # that may as well be a wrong base URL
        assert "sign-in page" in caught.value.hint


async def test_json_that_quotes_a_page_is_none(server: Server, client: VendorClient) -> None:
    server.on("/api/x", Answer({"message": "no <b> here"}, 400))
    with pytest.raises(Rejected, match="no <b> here"):
        await client.get("/x")


def test_json_is_read_so_that_it_can_be_written_again() -> None:
    digits = "9" * 5000
    text = f'\ufeff{{"a": NaN, "b": [1e999, -Infinity], "c": {digits}, "d": 1.5, "e": 85291234567}}'
    read = loads(text)
    assert read == {
        "a": "NaN",
        "b": ["1e999", "-Infinity"],
        "c": digits,
        "d": 1.5,
        "e": 85291234567,
    }
    json.dumps(read, allow_nan=False)
    assert loads(b'{"n": "caf\xe9"}') == {"n": "caf\ufffd"}


async def test_hostile_words_are_cleaned_and_cut(server: Server, client: VendorClient) -> None:
    evil = "\x1b]0;PWNED\x07 [red]no[/] \u202ered\x9b31m\r\n" + "x" * 500
    server.on("/api/x", Answer({"message": evil}, 400))
    with pytest.raises(Rejected) as caught:
        await client.get("/x")
    text = str(caught.value)
    assert not any(c in text for c in "\x1b\x07\x9b\u202e\r\n")
    assert "[red]no[/]" in text and len(text) < 300


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


def test_secrets_do_not_show() -> None:
    secret = Secret(TOKEN)
    assert TOKEN not in f"{secret} {secret!r} {secret!s} {[secret]} {secret:>20}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


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
    done: list[int] = []
    cancelled: list[int] = []

    async def work(number: int) -> None:
        if number == 2:
            raise NotFound("gone")
        try:
            await asyncio.sleep(0 if number < 2 else 10)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        done.append(number)

    with pytest.raises(NotFound):
        await gather_bounded(work, range(100), limit=4)
    assert done == [0, 1] or done == [0, 1][: len(done)]
    assert 100 not in done and len(cancelled) <= 3
