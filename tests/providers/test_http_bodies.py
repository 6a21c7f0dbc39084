"""What a vendor sends instead of JSON, and what is said of it."""

from __future__ import annotations

import errno
import gzip
import json
import os
import traceback

import httpx
import pytest

from providers.decoding import loads
from providers.errors import (
    BadAnswer,
    NotFound,
    ProviderError,
    Rejected,
    causes,
)
from providers.http import VendorClient, why
from tests.providers.server import Answer, Server

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
