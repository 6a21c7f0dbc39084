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
from tests.ui.terminal import Program
from tests.widgets.terminal import ROOT


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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the example as a package of its own."""
    package, target = tmp_path_factory.mktemp("acme"), tmp_path_factory.mktemp("site")
    shutil.copy(example_vendor.__file__, package / "acme_ringback.py")
    (package / "pyproject.toml").write_text(PACKAGE)
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--quiet")
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), "."]
    subprocess.run(command, cwd=package, check=True)
    return target


PACKAGE = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "acme-ringback"
version = "1.0"

[project.entry-points."ringback.providers"]
acme = "acme_ringback:Acme"

[tool.setuptools]
py-modules = ["acme_ringback"]
"""


@pytest.mark.slow
def test_an_installed_package_brings_the_vendor(site: Path, server: Server, tmp_path: Path) -> None:
    """From its option on the command line to its field on the screen."""
    server.on("/calls", {"calls": [row(11), row(12)]})
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environ = {**os.environ, "PYTHONPATH": path, "RINGBACK_TOKEN_SHOP": "tok-1"}

    def ringback(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "tui.cli", *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return done.stdout or done.stderr

    assert "Acme: Workspace. Whose calls to list" in " ".join(
        ringback("accounts", "add", "--help").split()
    )
    add = ("accounts", "add", "shop", "--provider", "acme", "--base-url", server.url)
    said = ringback(*add, "--app-id", "x", code=2)
    assert "Acme has no option --app-id" in said and "It has: --workspace." in said
    ringback(*add, "--workspace", "north")
    assert "Workspace: north  token: found" in ringback("accounts", "list")
    assert ringback("accounts", "test", "shop") == "shop: Acme accepts the token.\n"
    assert ringback("sync", "shop") == "shop: 2 new, 0 changed, 0 as before\n"
    assert {request.one("workspace") for request in server.requests[-1:]} == {"north"}
    names = [line.rpartition("  ")[2] for line in ringback("calls", "vendor:acme").splitlines()]
    assert names == ["shop:12", "shop:11"]
    program = Program(
        "tui.cli", PYTHONPATH=os.pathsep.join([str(site), str(ROOT)]), RINGBACK_TOKEN_SHOP="tok-1"
    )
    with program as screen:
        screen.wait_for("Ann")
        screen.press("a")
        screen.wait_for("shop  Acme")
        screen.press("e")
        screen.wait_for("Change shop")
        assert "Workspace (optional)" in screen.text and "north" in screen.text
