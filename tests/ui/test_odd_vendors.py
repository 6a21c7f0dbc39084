"""What fails over one account is said on the screen, and stands in its state; the others go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.nectar import Nectar
from tests.ui.calls_page import open_page
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
    async with open_page(services, size=(140, 30)) as page:
        await page.idle()
        await page.until(lambda: "cinnox: not understood" in page.text)
        with services.open_archive() as archive:
            assert archive.counts_by_account()["nectar"] > 0
            assert archive.account_states()["nectar"].state == "fresh"
        await page.press("r")
        await page.until(lambda: "cinnox: Not understood: " in page.status)
    assert "Traceback" in services.paths.log_file.read_text()


async def test_a_call_that_cannot_be_asked_anew_says_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Nectar, "call", fail)
    async with open_page(home("nectar"), size=(140, 30)) as page:
        await page.idle()
        await page.press("U")
        await page.until(lambda: "Not understood: " in page.status)


async def test_an_archive_that_the_network_cannot_open_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_page(home("nectar"), size=(140, 30)) as page:
        await page.idle()
        network = page.screen.network

        def refuse() -> Archive:
            raise ArchiveUnavailable("the archive is away", "Bring it back.")

        monkeypatch.setattr(network, "_archive", None)
        monkeypatch.setattr(network, "_open_archive", refuse)
        await page.press("r")
        await page.until(lambda: "nectar: the archive is away" in page.status)
