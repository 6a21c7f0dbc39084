"""Whatever ends in the midst of what it does, no connection stays open and nothing is left; and
a request costs no more than a request.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread

import pytest

from providers.base import Secret
from providers.concurrency import gather_bounded
from providers.http import VendorClient
from providers.media import Remote
from tests.slow_params import few
from tui.archive.interface import CallArchive
from tui.services import Services
from tui.vendor_thread import VendorThread

AT_A_TIME = 4


@pytest.fixture(scope="module")
def vendor() -> Iterator[str]:
    """The address of one that keeps connections open; `AT_A_TIME` requests for /all come at once."""
    together = Barrier(AT_A_TIME)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/all":
                together.wait(10)
            with suppress(OSError):  # who was cancelled has left
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads, server.block_on_close = True, False
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def connected(off_line: None, monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """Every socket that was connected."""
    made: list[socket.socket] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: object) -> None:
        made.append(self)
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", noted)
    return made


def still_open(made: list[socket.socket]) -> list[socket.socket]:
    return [one for one in made if one.fileno() != -1]


@contextmanager
def nothing_left() -> Iterator[None]:
    """Nothing is found that was not closed, or not awaited."""
    gc.collect()  # what others left is not ours
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(one.message) for one in found] == []


async def of_a_vendor(url: str) -> Callable[[], Awaitable[None]]:
    client = VendorClient(url, {"X-Api-Key": Secret("t0ken-42")})
    await gather_bounded(client.get, ["/all"] * AT_A_TIME)
    return client.aclose


async def of_a_recording(url: str) -> Callable[[], Awaitable[None]]:
    remote = Remote(f"{url}/all", allow_private=True)

    async def whole(_: int) -> None:
        body = await remote.open()
        assert [chunk async for chunk in body.chunks] == [b"{}"]

    await gather_bounded(whole, range(AT_A_TIME))
    return remote.close


@pytest.mark.parametrize("turns", range(1, 2 * AT_A_TIME))
@pytest.mark.parametrize("opened", [of_a_vendor, of_a_recording])
async def test_a_close_that_is_cancelled_closes_every_connection(
    vendor: str,
    connected: list[socket.socket],
    opened: Callable[..., Awaitable[object]],
    turns: int,
) -> None:
    close = await opened(vendor)
    assert len(still_open(connected)) == AT_A_TIME
    closing = asyncio.create_task(close())  # type: ignore[operator]
    for _ in range(turns):
        await asyncio.sleep(0)
    closing.cancel()
    with suppress(asyncio.CancelledError):
        await closing
    await asyncio.sleep(0)  # a socket is let go of one turn later
    assert still_open(connected) == []


def turns_later(turns: int, then: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    if turns:
        loop.call_soon(turns_later, turns - 1, then)
    else:
        then()


@pytest.mark.parametrize("turns", few(8, range(48)))
async def test_the_thread_ends_at_any_moment(
    vendor: str, connected: list[socket.socket], turns: int
) -> None:
    """While it connects, asks, reads or closes: all that has begun ends in order."""
    network = VendorThread(Services.build({}).open_archive)

    async def sync() -> None:
        client = VendorClient(vendor, {"X-Api-Key": Secret("t0ken-42")})
        try:
            await gather_bounded(client.get, ["/one"] * AT_A_TIME)
        finally:
            await client.aclose()

    async def work(_: CallArchive) -> None:
        turns_later(turns, asyncio.get_running_loop().stop)
        await asyncio.gather(sync(), sync())

    with nothing_left():
        asked = asyncio.create_task(network.run(work))
        await asyncio.wait([asked])
        assert network._thread
        network._thread.join(10)
        assert asked.cancelled() or asked.exception() is None
        del asked
    assert still_open(connected) == []


async def test_what_is_asked_for_after_its_end_is_cancelled() -> None:
    network = VendorThread(Services.build({}).open_archive)

    async def work(archive: CallArchive) -> int:
        return sum(archive.counts_by_account().values())

    assert await network.run(work) == 0
    network.close(10)
    with nothing_left(), pytest.raises(asyncio.CancelledError):
        await network.run(work)


async def test_what_is_asked_for_as_it_ends_is_cancelled() -> None:
    network = VendorThread(Services.build({}).open_archive)
    begun = asyncio.Event()
    here = asyncio.get_running_loop()

    async def work(_: CallArchive) -> None:
        here.call_soon_threadsafe(begun.set)
        try:
            await asyncio.Event().wait()
        finally:
            asyncio.get_running_loop().create_task(asyncio.Event().wait())

    with nothing_left():
        first = asyncio.create_task(network.run(work))
        await begun.wait()
        network.close(10)
        with pytest.raises(asyncio.CancelledError):
            await first
        del first


async def test_no_request_looks_for_a_module(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is not installed was looked for in every folder, six times a request."""
    looked_for: list[str] = []

    class Noted:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            looked_for.append(name)

    monkeypatch.delitem(sys.modules, "sniffio", raising=False)  # as it is in a new process
    client = VendorClient(vendor, {"X-Api-Key": Secret("t0ken-42")})
    await client.get("/one")
    monkeypatch.setattr(sys, "meta_path", [Noted, *sys.meta_path])
    await client.get("/one")
    await client.aclose()
    assert looked_for == []
