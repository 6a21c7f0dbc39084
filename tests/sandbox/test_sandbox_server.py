"""The HTTP side: faults on demand, what is written down, starting and stopping."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from providers.sandbox import HANG_UP, ORIGINS, Sandbox
from providers.sandbox.world import Call, World
from tests.sandbox.conftest import NOW, auth


def call(
    sandbox: Sandbox, vendor: str = "nectar", path: str = "/calls/1000", **options: Any
) -> httpx.Response:
    with httpx.Client() as client:
        url = sandbox.base_url(vendor) + path
        return client.get(url, headers=auth(sandbox, vendor), **options)


def test_requests_are_written_down_with_headers_and_status(fresh: Sandbox) -> None:
    call(fresh, "cinnox", "/nothing", params={"a": ["1", "2"], "b": ""})
    [request] = fresh.requests
    assert (request.origin, request.method, request.path) == ("cinnox", "GET", "/nothing")
    assert request.query == {"a": ["1", "2"], "b": [""]}
    assert request.headers["authorization"] == f"Bearer {fresh.tokens['cinnox']}"
    assert request.status == 404


@pytest.mark.parametrize(
    ("vendor", "body"),
    [
        ("liner", {"success": False, "message": "Error 503", "data": None}),
        ("cinnox", {"code": 0, "message": "Error 503"}),
        ("nectar", {"error": "Error 503"}),
    ],
)
def test_a_fault_speaks_like_its_vendor(fresh: Sandbox, vendor: str, body: dict[str, Any]) -> None:
    fresh.fail(vendor, status=503, headers={"Retry-After": "2"})
    answer = call(fresh, vendor, "/any")
    assert (answer.status_code, answer.json()) == (503, body)
    assert answer.headers["Retry-After"] == "2"


def test_a_fault_strikes_its_path_so_many_times(fresh: Sandbox) -> None:
    fresh.fail("nectar", status=500, times=2, path="/1001")
    paths = ["/calls/1000", "/calls/1001", "/calls/1001", "/calls/1001"]
    assert [call(fresh, path=path).status_code for path in paths] == [200, 500, 500, 200]
    assert [request.status for request in fresh.requests] == [200, 500, 500, 200]


def test_a_fault_may_have_a_body_of_its_own(fresh: Sandbox) -> None:
    fresh.fail("media", status=200, body=b"<html>", headers={"Content-Type": "text/html"})
    with httpx.Client() as client:
        answer = client.get(fresh.media_url + "/any")
    assert (answer.content, answer.headers["Content-Type"]) == (b"<html>", "text/html")


def test_the_true_answer_may_come_late(fresh: Sandbox) -> None:
    fresh.fail("nectar", status=0, delay_s=5)
    with pytest.raises(httpx.ReadTimeout):
        call(fresh, timeout=0.1)
    assert call(fresh).status_code == 200
    assert [request.status for request in fresh.requests] == [200, 200]


def test_the_connection_may_be_closed_without_an_answer(fresh: Sandbox) -> None:
    fresh.fail("nectar", status=HANG_UP)
    with pytest.raises(httpx.RemoteProtocolError):
        call(fresh)
    assert call(fresh).status_code == 200


def test_only_known_origins_fail(fresh: Sandbox) -> None:
    with pytest.raises(ValueError):
        fresh.fail("example")
    with pytest.raises(ValueError):
        fresh.fail("media", times=0)
    assert call(fresh).status_code == 200


def test_a_connection_is_kept_for_many_requests(fresh: Sandbox) -> None:
    before = set(threading.enumerate())
    with httpx.Client(headers=auth(fresh, "nectar")) as client:
        for _ in range(5):
            assert client.get(fresh.base_url("nectar") + "/calls/1000").status_code == 200
        assert len(set(threading.enumerate()) - before) == 1


def test_nothing_is_made_before_it_is_asked_for_and_then_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    real = World.calls

    def calls(self: World, vendor: str) -> list[Call]:
        made.append(vendor)
        return real(self, vendor)

    monkeypatch.setattr(World, "calls", calls)
    with Sandbox(now=NOW, calls=100_000) as sandbox:
        assert made == []
    with Sandbox(now=NOW, calls=300) as sandbox, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: call(sandbox, path=f"/calls/{1000 + n}"), range(16)))
        assert {answer.status_code for answer in answers} == {200}
        assert made == ["nectar"]


def test_stop_leaves_no_thread_and_no_port_even_with_open_connections() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox(now=NOW, calls=60).start()
    clients = [httpx.Client(headers=auth(sandbox, "nectar")) for _ in range(4)]
    url = sandbox.base_url("nectar")
    for client in clients:
        client.get(url + "/calls/1000")
    sandbox.fail("nectar", status=0, delay_s=30)

    def wait() -> None:
        with pytest.raises(httpx.HTTPError):
            clients[0].get(url)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while len(sandbox.requests) < 5:
        time.sleep(0.005)
    assert len(set(threading.enumerate()) - before) == 6  # one accepts, four converse, and ours
    sandbox.stop()
    waiting.join(5)
    assert set(threading.enumerate()) == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    for client in clients:
        client.close()


def test_it_can_be_stopped_twice_and_started_again() -> None:
    sandbox = Sandbox(now=NOW, calls=60)
    sandbox.stop()
    with pytest.raises(RuntimeError):
        _ = sandbox.data
    for _ in range(2):
        with sandbox:
            assert call(sandbox).status_code == 200
            with pytest.raises(RuntimeError):
                sandbox.start()
        sandbox.stop()
    with pytest.raises(RuntimeError):
        sandbox.base_url("liner")


def test_a_port_is_the_first_of_four_and_a_taken_one_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError):
            Sandbox(now=NOW, port=port).start()
    for first in range(42000, 60000, 97):
        try:
            sandbox = Sandbox(now=NOW, calls=10, port=first).start()
        except OSError:
            continue
        urls = [sandbox.base_url(origin) for origin in ORIGINS]
        sandbox.stop()
        assert urls == [f"http://127.0.0.1:{first + n}" for n in range(4)]
        return
    raise AssertionError("no four free ports in a row")


@pytest.mark.parametrize(
    "lines",
    [
        b"nonsense\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\nConnection: close\r\n\r\n",
        b"GET /calls/%ff?%ff=[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_nonsense_is_answered_and_harms_nobody(fresh: Sandbox, lines: bytes) -> None:
    port = int(fresh.base_url("nectar").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(lines)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert b"40" in answer
    assert call(fresh).status_code == 200
