"""The endpoint over real HTTP, as vendors, proxies and strangers use it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from providers.sandbox import Sandbox
from tests.providers.nectar_bodies import HOOK
from tui.cli import main
from tui.config.accounts import make_account
from tui.receive.endpoint import MOST_BYTES
from tui.receive.inbox import Inbox
from tui.services import Services

WAIT_S = 30.0


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Receiver:
    """`ringback receive` in a process of its own."""

    def __init__(self, services: Services, environ: dict[str, str]) -> None:
        self.services, self._environ = services, environ
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui.cli", "receive", "--port", str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environ,
        )
        assert self.process.stdout is not None
        assert "listening at" in self.process.stdout.readline()
        self.until(lambda: listens(self.port))
        self.secret = self.services.paths.receive_secret.read_text().strip()
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it; what it printed."""
        with self.process:
            self.process.send_signal(number)
            return self.process.communicate(timeout=WAIT_S)[0]

    def post(self, body: object, account: str = "desk") -> httpx.Response:
        url = f"{self.url}/{account}/{self.secret}"
        if isinstance(body, bytes):
            return httpx.post(url, content=body)
        return httpx.post(url, json=body)

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def calls(self) -> list[str]:
        with self.services.open_archive() as archive:
            return sorted(id_ for _, id_ in archive.names_of(archive.keys()))


@pytest.fixture
def services() -> Services:
    services = Services.build(os.environ)
    account = make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"})
    services.accounts.add(account)
    return services


@pytest.fixture
def receiver(services: Services) -> Iterator[Receiver]:
    receiver = Receiver(services, dict(os.environ))
    yield receiver
    if receiver.process.poll() is None:
        receiver.stop()


def hook(id_: int, **fields: object) -> dict[str, object]:
    return {**HOOK, "id": id_, **fields}


def test_a_webhooks_call_is_in_the_archive(receiver: Receiver) -> None:
    assert receiver.post(hook(901)).json() == {"kept": True}
    receiver.until(lambda: receiver.calls() == ["901"])
    receiver.post(hook(901))  # once more, and another one behind it
    receiver.post([hook(902), hook(903)])
    receiver.until(lambda: receiver.calls() == ["901", "902", "903"])
    out = receiver.stop()
    assert receiver.process.returncode == 0 and "desk: 1 new, 0 changed" in out
    assert receiver.secret not in out


def test_a_stranger_learns_nothing(receiver: Receiver) -> None:
    for path in (
        "/desk/wrong",
        "/nobody/wrong",
        f"/nobody/{receiver.secret}",
        "/desk",
        "/",
        "/a/b/c",
    ):
        answer = httpx.post(receiver.url + path, json={})
        assert answer.status_code == 404, path
        assert "server" not in answer.headers
    assert httpx.get(f"{receiver.url}/desk/{receiver.secret}").status_code == 405
    assert not [*Inbox(receiver.services.paths.received).pending()]


@pytest.mark.parametrize("header", ["Authorization", "X-Ringback-Secret"])
def test_the_secret_may_stand_in_a_header(receiver: Receiver, header: str) -> None:
    value = receiver.secret if header.startswith("X") else f"Bearer {receiver.secret}"
    answer = httpx.post(f"{receiver.url}/Desk", json=hook(904), headers={header: value})
    assert answer.status_code == 200
    receiver.until(lambda: receiver.calls() == ["904"])


def test_odd_bodies_are_refused_or_set_aside(receiver: Receiver) -> None:
    assert receiver.post(b"{").status_code == 400
    assert receiver.post(b"[" * 100_000).status_code == 400
    assert receiver.post(b'"' + b"x" * MOST_BYTES + b'"').status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 50_000

    url = f"{receiver.url}/desk/{receiver.secret}"
    assert httpx.post(url, content=pieces()).status_code == 413
    assert receiver.post({"contact": {"id": 1}}).status_code == 200
    aside = receiver.services.paths.received / "unreadable"
    receiver.until(lambda: aside.exists() and len([*aside.iterdir()]) == 1)
    receiver.post(hook(905))
    receiver.until(lambda: receiver.calls() == ["905"])


def test_what_was_answered_survives_a_kill(receiver: Receiver) -> None:
    for number in range(906, 926):
        assert receiver.post(hook(number)).status_code == 200
    receiver.stop(signal.SIGKILL)
    receiver.start()
    receiver.until(lambda: receiver.calls() == [str(number) for number in range(906, 926)])


def test_what_cannot_be_kept_now_waits(receiver: Receiver) -> None:
    receiver.post(hook(930))
    receiver.until(lambda: receiver.calls() == ["930"])
    with receiver.services.open_archive() as archive, archive.transaction():
        assert receiver.post(hook(931)).status_code == 200
        assert [one.account for one in Inbox(receiver.services.paths.received).pending()] == [
            "desk"
        ]
    receiver.until(lambda: receiver.calls() == ["930", "931"])


def test_an_event_without_a_call_asks_the_vendor(services: Services) -> None:
    now = datetime.now(UTC)
    with Sandbox(now=now, calls=60, days=2) as sandbox:
        services.accounts.add(
            make_account("eu", "cinnox", sandbox.base_url("cinnox"), sandbox.settings["cinnox"])
        )
        environ = {**os.environ, "RINGBACK_TOKEN_EU": sandbox.tokens["cinnox"]}
        receiver = Receiver(services, environ)
        try:
            challenge = {"type": "message", "challenge": "abc123", "message": {}}
            answer = receiver.post(challenge, "eu").json()
            assert answer == {"code": 200, "result": {"challenge": "abc123"}}
            event = {"type": "message", "message": {"status": "CallEnd", "id": "c1"}}
            assert receiver.post(event, "eu").json() == {"code": 200}
            receiver.until(lambda: len(receiver.calls()) > 10)
        finally:
            receiver.stop()


def test_a_port_that_is_taken_is_told(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["receive", "--port", str(receiver.port)]) == 1
    assert f"cannot listen at 127.0.0.1, port {receiver.port}" in capsys.readouterr().err


def test_the_addresses_are_printed_when_asked_for(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["receive", "--addresses"]) == 0
    first = capsys.readouterr().out
    assert main(["receive", "--addresses"]) == 0
    assert capsys.readouterr().out == first
    name, _, path = first.strip().partition(": ")
    assert name == "desk" and path == f"/desk/{services.paths.receive_secret.read_text().strip()}"
    assert len(path) > 30
    assert services.paths.receive_secret.stat().st_mode & 0o777 == 0o600


def test_without_its_packages_it_says_what_to_install(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["receive"]) == 1
    assert "pip install 'ringback[receive]'" in capsys.readouterr().err
