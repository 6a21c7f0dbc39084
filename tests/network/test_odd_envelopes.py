"""Whatever stands around a vendor's rows: status, headers, lengths, totals, pages. Nothing but
known errors, no token in words, and the other rows kept.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import registry
from providers.base import Login, Secret
from providers.errors import NotUnderstood, ProviderError, RecordingError
from providers.http import HttpProvider, VendorClient, _retry_after
from providers.media import Remote
from providers.redirects import NoAddress, address_of
from tests.network.raw import RawHost
from tests.providers.server import Waits
from tui.archive.sqlite import Archive
from tui.sync.sync import Sync, SyncRequest

TOKEN = "tok-SECRET-42"
Figure = Callable[[str, object, str], None]
LOCATIONS = ["http://xn--a/", "https://xn--a/", "//xn--a", "http://xn--zz--a/", "//[", "http://[::1", "http://[v1.x]/",
             "https://h:99999/", "https://h:0/", "https://h:abc/", "http://\u00fc.test/", "http://\uff11/", "\ud800",
             "javascript:alert(1)", "data:,x", "file:///etc/passwd", "mailto:a@b", "http:", "http://", "//", "///x", "?", "#",
             "x" * 70_000, "?" + "x" * 70_000, "http://" + "a" * 300, "http://a..b/", "http://.", "http://%00/", "http://%zz/",
             "https://u:p@127.0.0.1/", "http://127.0.0.1\\@evil.test/", "\x1b]52;c;AAAA\x07", "http://fe80::1%25eth0/", "\x00"]  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.sampled_from([10**20, 2**63, 2**63 - 1, -(2**63), 10**300, "9" * 5000, "\u0663" * 9]),
        st.floats(),
        st.sampled_from(["[red]x", "\ud800", "\x1b[31m", "//[red]x", "0", "-1", "1e999", ""]),
        st.text(max_size=8),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "list", "data", "result", "code", "message", "calls", "next"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
HEADERS = {
    "Retry-After": ["-1", "-999999999999", "9999999999", "99999999999999999999", "0", "nan", "inf", "1e9", "soon",
                    "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 99 Oct 9999 99:99:99 GMT", "Fri, 31 Dec 9999 23:59:59 -9999", "0x10",
                    "2026-01-01T00:00:00Z", "\u0663", "1" * 5000],
    "Content-Type": ["text/html", "", "application/json; charset=utf-7", "application/json; charset=none", ";;;", "\xff"],
    "Content-Length": ["0", "-1", "5", "99999999999999999999", "x", "1, 1", "+3"],
    "Content-Encoding": ["gzip", "br", "identity, gzip", "deflate", "\xff", "x" * 300],
    "Transfer-Encoding": ["chunked", "gzip, chunked", "x"],
    "Link": ['<http://xn--a/>; rel="next"', "<", "\xff"],
    "Location": [one.encode("utf-8", "replace").decode("latin-1") for one in LOCATIONS],
    "Set-Cookie": ["a=b; Domain=evil.test", "=; ;", "\xff=\xff", "a=" + "x" * 5000],
    "Date": ["never"],
}  # fmt: skip
STATUSES = st.one_of(
    st.sampled_from([200, 200, 200, 301, 302, 307, 400, 401, 403, 404, 429, 500, 503]),
    st.integers(100, 599),
    st.sampled_from([0, 99, 600, 999, 1000, -1]),
)
FRAMES = ("whole", "whole", "whole", "no length", "too long", "too short", "chunked", "bad chunk", "early close", "1.0", "0.9")  # fmt: skip


MOST = 200
"""Requests of one sync; Nectar Desk is asked for 50 ids at a time."""
FULL_STEPS = 100
"""Up to so many examples go on by steps of that size."""


def slow(examples: int) -> Any:
    return pytest.param(examples, marks=pytest.mark.slow)


def long(examples: int) -> Any:
    return pytest.param(examples, marks=[pytest.mark.long, pytest.mark.timeout(7200)])


def answer(status: int, headers: dict[str, str], body: bytes, frame: str) -> bytes:
    """The bytes of an answer, framed in one of `FRAMES`."""
    given = {name: value.replace("\r", "").replace("\n", "") for name, value in headers.items()}
    length = {"too long": len(body) + 9, "too short": len(body) // 2}.get(frame, len(body))
    if frame in ("chunked", "bad chunk"):
        size = b"%x" % len(body) if frame == "chunked" else b"zz"
        body = size + b"\r\n" + body + b"\r\n0\r\n\r\n"
        given["Transfer-Encoding"] = "chunked"
    elif frame not in ("no length", "0.9"):
        given.setdefault("Content-Length", str(length))
    if frame == "0.9":
        return body
    first = f"HTTP/1.{0 if frame == '1.0' else 1} {status} x"
    head = "\r\n".join([first, *(f"{name}: {value}" for name, value in given.items()), "", ""])
    whole = head.encode("latin-1", "replace") + body
    return whole[: len(whole) * 2 // 3] if frame == "early close" else whole


ENVELOPES = st.tuples(
    STATUSES,
    st.dictionaries(st.sampled_from([*HEADERS]), st.integers(0, 99), max_size=3).map(
        lambda picked: {name: HEADERS[name][n % len(HEADERS[name])] for name, n in picked.items()}
    ),
    st.sampled_from(FRAMES),
)


async def asked(url: str) -> object:
    """What a vendor's client makes of an answer: its JSON, or a known error in words."""
    client = VendorClient(url, {"X-Api-Key": Secret(TOKEN)}, sleep=Waits())
    try:
        return await client.get("/x")
    except ProviderError as error:
        assert not isinstance(error, NotUnderstood)
        assert TOKEN not in f"{error} {error.hint}"
        assert error.retry_after_s is None or 0 <= error.retry_after_s <= 86400
        return error
    finally:
        await client.aclose()


async def opened(url: str) -> object:
    remote = Remote(url, allow_private=True)
    try:
        body = await remote.open()
        return b"".join([chunk async for chunk in body.chunks])
    except RecordingError as error:
        return error
    finally:
        await remote.close()


@pytest.mark.parametrize("location", LOCATIONS, ids=lambda text: repr(text)[:30])
async def test_an_odd_redirect_is_told(location: str) -> None:
    """Of a vendor and of a recording's host, with the one that may be followed left out."""
    value = location.encode("utf-8", "replace").decode("latin-1")
    reply = answer(302, {"Location": value.replace("\x00", "\x01")}, b"", "whole")
    with RawHost(lambda _: reply) as host:
        assert isinstance(await asked(host.url), ProviderError)
        found = await opened(f"{host.url}/r.mp3")
        assert isinstance(found, RecordingError), found
        assert "\x1b" not in str(found)


@settings(max_examples=300)
@given(st.text() | st.sampled_from(LOCATIONS) | st.from_regex(r"https?://[^/]{0,20}[:@/]?.{0,9}"))
def test_an_address_can_be_asked_for_or_is_none(text: str) -> None:
    try:
        url = address_of(text, httpx.URL("https://api.vendor.test/v2/"))
    except NoAddress:
        return
    httpx.Request("GET", url)
    assert url.host and url.scheme in ("http", "https")


@pytest.mark.parametrize("value", HEADERS["Retry-After"])
def test_retry_after_is_a_wait_within_a_day_or_none(value: str) -> None:
    wait = _retry_after(httpx.Headers([(b"Retry-After", value.encode())]))
    assert wait is None or 0 < wait <= 86400


VENDORS: dict[str, Callable[[str, Any], Any]] = {
    "liner": lambda path, inner: {"success": True, "data": inner},
    "cinnox": lambda path, inner: {"code": 200, "result": inner},
    "nectar": lambda path, inner: {"calls": inner},
}
SETTINGS = {"liner": {"order_ids": "1"}, "cinnox": {"app_id": "a"}, "nectar": {"call_ids": "1-3"}}
LISTS = st.fixed_dictionaries(
    {"list": st.lists(VALUES | st.fixed_dictionaries({"id": VALUES, "createdAt": VALUES}), max_size=4)},
    optional={"next": VALUES, "total": VALUES, "id": VALUES},
)  # fmt: skip
BODIES = st.tuples(st.booleans(), VALUES | LISTS)


def walked(vendor: str, url: str, file: Path) -> Any:
    """The report of a sync over a vendor at `url`."""

    async def sync(archive: Archive) -> Any:
        login = Login(url, Secret(TOKEN), SETTINGS[vendor], archive.names("desk"))
        provider = registry.load(vendor)(login)
        assert isinstance(provider, HttpProvider)
        provider.sleep = Waits()
        job = Sync("desk", provider, login, archive)
        return await job.run(SyncRequest(recordings=True, discover=3 if vendor == "nectar" else 0))

    with Archive(file) as archive:
        return asyncio.run(sync(archive))


def run_envelopes(examples: int, test: Callable[..., None], *strategies: Any) -> None:
    check: Callable[[], None] = settings(max_examples=examples)(given(*strategies)(test))  # type: ignore[no-untyped-call]
    check()


@pytest.mark.parametrize("examples", [30, slow(400), long(20_000)])
def test_generated_envelopes(examples: int, figure: Figure) -> None:
    """Status, headers and frame around any body: JSON or a known error, for both clients."""
    with RawHost(lambda _: b"") as host:

        def one(envelope: tuple[int, dict[str, str], str], body: Any) -> None:
            status, headers, frame = envelope
            reply = answer(status, headers, json.dumps(body).encode(), frame)
            host.reply = lambda _: reply
            asyncio.run(asked(host.url))
            asyncio.run(opened(f"{host.url}/r"))

        run_envelopes(examples, one, ENVELOPES, VALUES)
    figure("generated envelopes over HTTP, no unknown error", examples, "all")


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("examples", [5, slow(40), long(10_000)])
def test_generated_pages(
    vendor: str, examples: int, tmp_path: Path, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any body in a vendor's envelope through client, walk and archive; the walk ends."""
    most, empty = 0, tmp_path / "empty.db"
    Archive(empty).close()
    if examples > FULL_STEPS:  # a hundred ids of Nectar Desk take the same way as ten
        monkeypatch.setattr("tui.sync.sync.DISCOVER_STEP", 5)
    with RawHost(lambda _: b"") as host:

        def one(bodies: list[tuple[bool, Any]]) -> None:
            nonlocal most
            host.asked.clear()

            def reply(path: str) -> bytes:
                bare, inner = bodies[len(host.asked) % len(bodies)]
                body = inner if bare else VENDORS[vendor](path, inner)
                return answer(200, {}, json.dumps(body).encode(), "whole")

            host.reply = reply
            file = Path(shutil.copy(empty, tmp_path / "archive.db"))
            report = walked(vendor, host.url, file)
            assert not isinstance(report.error, NotUnderstood)
            most = max(most, len(host.asked))
            assert most < MOST, "a walk without end"

        run_envelopes(examples, one, st.lists(BODIES, min_size=1, max_size=3))
    figure(f"generated pages of {vendor}: requests of one sync at most", most, f"{MOST}")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_row_over_which_reading_fails_costs_itself_alone(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kind: Any = registry.load(vendor)
    parse = kind.parse

    def fail(self: Any, raw: Any) -> Any:
        first = raw[0] if isinstance(raw, list) else raw
        if first["id"] == 2:
            raise RecursionError
        return parse(self, raw)

    monkeypatch.setattr(kind, "parse", fail)
    rows = [{"id": n, "callID": f"c{n}"} for n in (1, 2, 3)]

    def reply(path: str) -> bytes:
        found: Any = rows
        if vendor == "nectar":
            found = {**rows[int(path[-1]) - 1], "type": "answered"} if path[-1] in "123" else {}
        elif "offset=0" not in path:
            found = []
        return answer(200, {}, json.dumps(VENDORS[vendor](path, found)).encode(), "whole")

    with RawHost(reply) as host:
        report = walked(vendor, host.url, tmp_path / "archive.db")
    assert report.error is None and report.saved.new == 2
    assert [line for line in report.problems if "2 cannot be read (RecursionError)" in line]
    assert "Traceback" in caplog.text
