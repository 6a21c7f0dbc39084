"""What fails over one account is said on the screen, and stands in its state; the others go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.nectar import Nectar
from tests.ui.driving import main, page, run_app, settled, status, until
from tui.archive.errors import ArchiveUnavailable
from tui.archive.sqlite import Archive
from tui.services import Services

Home = Callable[..., Services]


def fail(*_: object, **__: object) -> Any:
    raise OverflowError("Python int too large to convert to SQLite INTEGER")


async def test_a_sync_that_fails_is_said_and_the_others_go_on(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cinnox, "_records", fail)
    services = home("cinnox", "nectar")
    async with run_app(services).run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: "cinnox: not understood" in page(pilot))
        archive = main(pilot).ctx.archive
        assert archive and archive.counts_by_account()["nectar"] > 0
        assert archive.account_states()["nectar"].state == "fresh"
        await pilot.press("r")
        await until(pilot, lambda: "cinnox: Not understood: " in status(pilot))
    assert "Traceback" in services.paths.log_file.read_text()


async def test_a_call_that_cannot_be_asked_anew_says_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Nectar, "call", fail)
    async with run_app(home("nectar")).run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        await pilot.press("U")
        await until(pilot, lambda: "Not understood: " in status(pilot))


async def test_an_archive_that_the_network_cannot_open_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_app(home("nectar")).run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        network = main(pilot).ctx.network

        def refuse() -> Archive:
            raise ArchiveUnavailable("the archive is away", "Bring it back.")

        monkeypatch.setattr(network, "_archive", None)
        monkeypatch.setattr(network, "_open_archive", refuse)
        await pilot.press("r")
        await until(pilot, lambda: "nectar: the archive is away" in status(pilot))
