"""The README's example keeps the contract, and is found by its entry point."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from providers.base import Login
from providers.model import Outcome
from tests.providers import example_vendor
from tests.providers.contract import ProviderContract, login, walk
from tests.providers.example_vendor import Acme
from tests.providers.server import Answer, Request, Server


def row(id_: int) -> dict[str, Any]:
    return {
        "id": id_,
        "start": "2024-01-01T09:30:00Z",
        "seconds": 90,
        "result": "ok",
        "who": "Ann",
        "number": "+4930123",
        "files": [
            {"id": "r1", "url": f"https://files.acme.example/{id_}.mp3?sig=x", "seconds": 80}
        ],
    }


class TestContract(ProviderContract):
    vendor = Acme
    ids = ("11", "12", "13")
    header = "X-Acme-Token"

    def login(self, base_url: str) -> Login:
        return login(base_url)

    def script(self, server: Server) -> None:
        def listed(request: Request) -> Answer:
            second = request.one("after") == "p2"
            calls = [row(12), row(13)] if second else [row(11), row(12)]
            return Answer({"calls": calls, "next": None if second else "p2"})

        server.on("/calls", listed)
        for id_ in self.ids:
            server.on(f"/calls/{id_}", row(int(id_)))

    def routes(self, server: Server) -> list[str]:
        return ["/calls"]

    def hostile(self) -> Any:
        return {key: ["SECRET-VALUE", 1, {"x": []}] for key in row(1)}


async def test_the_period_is_asked_for_and_the_fields_are_read(server: Server) -> None:
    server.on("/calls", {"calls": [row(11)]})
    async with Acme(login(server.url)) as provider:
        [page] = await walk(provider)
    [asked] = server.requests
    assert asked.one("from") == "2024-01-01T00:00:00+00:00"
    [call] = page.calls
    assert (call.outcome, call.duration_s, call.contact.name) == (Outcome.ANSWERED, 90, "Ann")
    assert call.ended_at and call.ended_at.minute == 31 and call.derived == ("ended_at",)


@pytest.mark.slow
def test_an_installed_package_brings_the_vendor(tmp_path: Path, server: Server) -> None:
    """As pip would leave it: a module, and a dist-info that names the entry point."""
    server.on("/calls", {"calls": [row(11), row(12)]})
    shutil.copy(example_vendor.__file__, tmp_path / "acme_ringback.py")
    info = tmp_path / "acme_ringback-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ringback\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ringback.providers]\nacme = acme_ringback:Acme\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environ = {**os.environ, "PYTHONPATH": path, "RINGBACK_TOKEN_SHOP": "tok-1"}

    def ringback(*words: str) -> str:
        command = [sys.executable, "-m", "tui.cli", *words]
        return subprocess.run(
            command, env=environ, capture_output=True, text=True, check=True
        ).stdout

    ringback("accounts", "add", "shop", "--provider", "acme", "--base-url", server.url)
    assert ringback("accounts", "test", "shop") == "shop: Acme accepts the token.\n"
    assert ringback("sync", "shop") == "shop: 2 new, 0 changed, 0 as before\n"
    names = [line.rpartition("  ")[2] for line in ringback("calls", "vendor:acme").splitlines()]
    assert names == ["shop:12", "shop:11"]
