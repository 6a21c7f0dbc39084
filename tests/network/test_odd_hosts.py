"""Hosts that answer ranges in every wrong way: each recording plays whole, or why not is said."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import re
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from providers.errors import RecordingError
from providers.media import Remote
from tui.recordings.progressive_download import FIRST, ProgressiveDownload

DATA = b"ID3\x03" + random.Random(4).randbytes(900_000)
ALL = len(DATA)
Span = tuple[int, int] | None
Reply = Callable[["Asked"], bytes]


class Asked:
    """One request: its range as start and end, cut to what there is, or None without one."""

    def __init__(self, text: str, number: int) -> None:
        self.number = number
        """How many came before."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", text)
        self.span: Span = None
        if match:
            self.span = int(match[1]), min(int(match[2]) + 1 if match[2] else ALL, ALL)

    @property
    def part(self) -> bytes:
        return DATA[slice(*self.span)] if self.span else DATA


class OddHost:
    """Sends what `reply` makes of each request, byte by byte as it stands, and hangs up."""

    def __init__(self, reply: Reply) -> None:
        self.asked: list[Asked] = []
        host = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                found = ""
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = line.decode().partition(":")
                    found = value.strip() if name.lower() == "range" else found
                asked = Asked(found, len(host.asked))
                host.asked.append(asked)
                with suppress(OSError):  # who has heard enough leaves
                    self.wfile.write(reply(asked))

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads, self._server.block_on_close = True, False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/r.mp3"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(status: int, body: bytes, **headers: str | int | None) -> bytes:
    """With its true length, unless `content_length` says another or None says none."""
    given = {"content_length": len(body), "connection": "close", **headers}
    lines = [
        f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value is not None
    ]
    return f"HTTP/1.1 {status} x\r\n".encode() + "\r\n".join([*lines, "", ""]).encode() + body


def whole(_: Asked | None = None, **headers: str | int | None) -> bytes:
    return answer(200, DATA, **headers)


def part(asked: Asked, **headers: str | int | None) -> bytes:
    """As it should be."""
    if asked.span is None:
        return whole()
    start, end = asked.span
    headers = {"content_range": f"bytes {start}-{end - 1}/{ALL}", **headers}
    return answer(206, asked.part, **headers)


def ranges_only(reply: Reply) -> Reply:
    """That answer to a range; everything to a request without one."""
    return lambda asked: reply(asked) if asked.span else whole()


def _refusal(status: int) -> Reply:
    return lambda asked: answer(status, b"no")


def later(reply: Reply) -> Reply:
    """The first range as it should be, the others so; everything to a request without one."""
    return lambda asked: reply(asked) if asked.span and asked.span[0] else part(asked)


def span(asked: Asked) -> tuple[int, int]:
    assert asked.span
    return asked.span


def said(text: str) -> Reply:
    """A part that says of itself where it stands; {s} {e} and {n} are the truth."""
    return lambda a: part(a, content_range=text.format(s=span(a)[0], e=span(a)[1] - 1, n=ALL))


def multipart(asked: Asked) -> bytes:
    start, end = span(asked)
    head = f"--XX\r\nContent-Range: bytes {start}-{end - 1}/{ALL}\r\n\r\n".encode()
    body = head + asked.part + b"\r\n--XX--\r\n"
    return answer(206, body, content_type="multipart/byteranges; boundary=XX")


def from_the_beginning(asked: Asked) -> bytes:
    """It names the place that was asked for, and sends the first bytes."""
    start, end = span(asked)
    return answer(206, DATA[: end - start], content_range=f"bytes {start}-{end - 1}/{ALL}")


def all_of_it(asked: Asked) -> bytes:
    start, end = span(asked)
    return answer(206, DATA, content_range=f"bytes {start}-{end - 1}/{ALL}")


def chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def in_chunks(asked: Asked) -> bytes:
    span_, more = asked.span, {"transfer_encoding": "chunked", "content_length": None}
    if span_ is None:
        return answer(200, chunked(DATA), **more)
    return answer(
        206, chunked(asked.part), content_range=f"bytes {span_[0]}-{span_[1] - 1}/{ALL}", **more
    )


def hung_up(asked: Asked) -> bytes:
    """Each answer breaks off after 100,000 bytes, and the next one goes on."""
    return part(asked)[:100_000]


def zipped(body: bytes, coding: str = "gzip", **headers: str | int | None) -> bytes:
    return answer(200, body, content_encoding=coding, etag='"zipped"', **headers)


GZIP = gzip.compress(DATA)
PLAYS: dict[str, Reply] = {
    "as it should be": part,
    "200 to a range": whole,
    "200 without a length": lambda a: whole(content_length=None),
    "200 in chunks": lambda a: answer(200, chunked(DATA), transfer_encoding="chunked", content_length=None),
    "206 without Content-Range": ranges_only(lambda a: answer(206, a.part)),
    "206 without Content-Range, later": later(lambda a: answer(206, a.part)),
    "206 of everything without Content-Range": ranges_only(lambda a: answer(206, DATA)),
    "multipart/byteranges": ranges_only(multipart),
    "multipart/byteranges, later": later(multipart),
    "another place": ranges_only(said("bytes 7-100/{n}")),
    "another place, later": later(said("bytes 7-100/{n}")),
    "the beginning, later": later(lambda a: answer(206, DATA[:FIRST], content_range=f"bytes 0-{FIRST - 1}/{ALL}")),
    "the beginning under another name": later(from_the_beginning),
    "everything under another name": later(all_of_it),
    "no total": ranges_only(said("bytes {s}-{e}/*")),
    "the part's size as the total": ranges_only(lambda a: part(a, content_range=f"bytes 0-{len(a.part) - 1}/{len(a.part)}")),
    "a total below the part": ranges_only(said("bytes {s}-{e}/5")),
    "an end before the start": ranges_only(said("bytes 5-2/{n}")),
    "units of its own": ranges_only(said("frames {s}-{e}/{n}")),
    "words for a place": ranges_only(said("everything")),
    "bytes= in the answer": said("bytes={s}-{e}/{n}"),
    "a length that is not the part's": ranges_only(lambda a: part(a)[:-9].replace(b"content-length: ", b"content-length: 9")),
    "parts in chunks": in_chunks,
    "416 to every range": ranges_only(lambda a: answer(416, b"")),
    "hanging up on every range": ranges_only(lambda a: b""),
    "no HTTP to a range": ranges_only(lambda a: b"\x1b[31mno\r\n\r\n"),
    "416 later": later(lambda a: answer(416, b"", content_range=f"bytes */{ALL}")),
    **{f"{status} to a range": ranges_only(_refusal(status)) for status in (400, 405, 412, 500, 501)},
    "parts shorter than asked": lambda a: part(a) if a.span is None else part(a, content_range=f"bytes {a.span[0]}-{min(a.span[1], a.span[0] + 70_000) - 1}/{ALL}", content_length=None)[:70_000 + 200].split(b"\r\n\r\n")[0] + b"\r\n\r\n" + a.part[:70_000],
    "hanging up early": hung_up,
    "gzip instead of a range": lambda a: zipped(GZIP),
    "gzip in a part": ranges_only(lambda a: part(a, content_encoding="gzip")),
    "gzip in a part, later": later(lambda a: part(a, content_encoding="gzip")),
    "gzip to both": lambda a: part(a, content_encoding="gzip") if a.span else zipped(GZIP),
    "gzip later": lambda a: part(a, etag='"one"') if a.span and not a.span[0] else zipped(GZIP),
    "gzip without a length": lambda a: zipped(GZIP, content_length=None),
    "gzip in two members": lambda a: zipped(gzip.compress(DATA[:5]) + gzip.compress(DATA[5:])),
    "gzip and zeros behind it": lambda a: zipped(GZIP + bytes(512)),
    "deflate": lambda a: zipped(zlib.compress(DATA), "deflate"),
    "x-gzip in capitals": lambda a: zipped(GZIP, "X-GZIP"),
    "gzip that is none": lambda a: zipped(DATA),
    "gzip in small chunks": lambda a: answer(200, b"".join(b"1\r\n%c\r\n" % one for one in GZIP[:30]) + chunked(GZIP[30:]), transfer_encoding="chunked", content_length=None, content_encoding="gzip"),
    "a coding that is none": lambda a: whole(content_encoding="binary"),
    "206 of everything to a plain GET": lambda a: answer(206, DATA, content_range=f"bytes 0-{ALL - 1}/{ALL}"),
    "203": lambda a: answer(203, DATA),
}  # fmt: skip
REFUSED: dict[str, tuple[Reply, str, str]] = {
    "206 to a plain GET": (lambda a: answer(206, a.part), "refused", "a part of it, of no known place"),
    "a part to a plain GET": (lambda a: answer(206, DATA[:9000], content_range=f"bytes 0-8999/{ALL}", content_length=None, etag='"x"') if a.span is None else answer(206, a.part), "refused", "a part of it, when all was asked for"),
    "multipart to a plain GET": (lambda a: multipart(a) if a.span else answer(206, DATA, content_type="multipart/byteranges; boundary=X"), "refused", "of no known place"),
    "a length above the body": (lambda a: whole(content_length=ALL + 1), "unreachable", "the connection failed"),
    "a total above the body": (lambda a: whole() if a.span is None else part(a, content_range=f"bytes {a.span[0]}-{a.span[1] - 1}/{ALL + 50_000}") if a.span[0] < ALL else answer(416, b""), "changed", "replaced"),
    "another total each time": (lambda a: part(a, content_range=f"bytes {span(a)[0]}-{span(a)[1] - 1}/{ALL + a.number}"), "changed", "replaced"),
    "gzip that is cut": (lambda a: zipped(GZIP[:-5000], content_length=None), "unreachable", "the connection failed"),
    "gzip that is broken": (lambda a: zipped(GZIP[:10] + b"\xff" * 9000), "damaged", "its gzip is broken"),
    "br": (lambda a: zipped(DATA, "br"), "refused", "a coding that was not asked for"),
    "nothing at all": (lambda a: b"", "unreachable", ""),
    "no HTTP": (lambda a: b"\x1b[31mICY 200 OK\r\n\r\n" + DATA, "unreachable", ""),
    "a page in gzip": (lambda a: zipped(gzip.compress(b"<html>log in</html>" * 9)), "not_sound", ""),
    "nothing but a head": (lambda a: answer(204, b"", content_length=None), "refused", "204"),
    "416 to everything": (lambda a: answer(416, b""), "changed", ""),
    "500 to everything": (lambda a: answer(500, b""), "unreachable", "500"),
}  # fmt: skip


@pytest.fixture
def host() -> Iterator[Callable[[Reply], OddHost]]:
    made: list[OddHost] = []

    def one(reply: Reply) -> OddHost:
        made.append(OddHost(reply))
        return made[-1]

    yield one
    for server in made:
        server.close()


Begin = Callable[[str], ProgressiveDownload]


@pytest.fixture
async def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Begin]:
    monkeypatch.setattr("tui.recordings.progressive_download.TRIES_S", (0.0, 0.0, 0.0, 0.0))
    made: list[ProgressiveDownload] = []

    def one(url: str, limit_bytes: int = 10**8) -> ProgressiveDownload:
        partial = tmp_path / f"{len(made)}.part"
        handle = os.open(partial, os.O_RDWR | os.O_CREAT, 0o600)
        remote = Remote(url, allow_private=True, limit_bytes=limit_bytes)
        made.append(
            ProgressiveDownload(
                remote, handle, partial, lambda kind: partial.replace(partial.with_suffix(".mp3"))
            )
        )
        return made[-1]

    yield one
    for spool in made:
        spool.close()
    async with asyncio.timeout(5):
        while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", PLAYS)
async def test_it_plays_whole(name: str, host: Callable[[Reply], OddHost], begin: Begin) -> None:
    odd = host(PLAYS[name])
    spool = begin(odd.url)
    async with asyncio.timeout(20):
        assert (await spool.finished()).read_bytes() == DATA
    assert len(odd.asked) < 40, "no request is made over and over"


@pytest.mark.parametrize("name", PLAYS)
async def test_any_place_of_it_can_be_heard_first(
    name: str, host: Callable[[Reply], OddHost], begin: Begin
) -> None:
    odd = host(PLAYS[name])
    spool = begin(odd.url)
    async with asyncio.timeout(20):
        await spool.begun()
        for place in (ALL - 3000, ALL // 2, 100):
            data = b""
            while len(data) < 2000:
                data += await spool.read(place + len(data), 2000 - len(data))
            assert data == DATA[place : place + 2000]
        assert (await spool.finished()).read_bytes() == DATA


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_in_words(
    name: str, host: Callable[[Reply], OddHost], begin: Begin
) -> None:
    reply, reason, words = REFUSED[name]
    odd = host(reply)
    spool = begin(odd.url)
    async with asyncio.timeout(20):
        with pytest.raises(RecordingError) as caught:
            await spool.finished()
    assert caught.value.reason == reason and words in str(caught.value), caught.value
    assert odd.url not in str(caught.value) and "\x1b" not in str(caught.value)
    assert len(odd.asked) < 40, "no request is made over and over"


async def test_a_trouble_that_passes_costs_no_ranges(
    host: Callable[[Reply], OddHost], begin: Begin
) -> None:
    """A 500 in the middle is another try, not the whole once more."""
    odd = host(lambda a: answer(500, b"no") if a.number == 2 else part(a))
    spool = begin(odd.url)
    assert (await spool.finished()).read_bytes() == DATA
    assert all(asked.span for asked in odd.asked)


async def test_no_small_body_becomes_a_huge_one(
    host: Callable[[Reply], OddHost], tmp_path: Path
) -> None:
    bomb = gzip.compress(b"ID3\x03" + bytes(300_000_000), 9)
    assert len(bomb) < 400_000
    remote = Remote(host(lambda a: zipped(bomb)).url, allow_private=True, limit_bytes=1_000_000)
    body, came = await remote.open(), 0
    with pytest.raises(RecordingError) as caught:
        async for chunk in body.chunks:
            came += len(chunk)
            assert len(chunk) <= 1 << 16
    await body.close()
    await remote.close()
    assert caught.value.reason == "too_large" and came <= 1_000_000
