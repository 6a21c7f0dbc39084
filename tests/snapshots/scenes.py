"""Whole screens at a frozen moment, with an archive of invented calls and a silent network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from providers.errors import AuthError, MissingToken, ProviderError, Unreachable
from providers.model import (
    Agent,
    Call,
    CompanyNumber,
    Disposition,
    Hangup,
    Outcome,
    Recording,
    RecordingEvent,
)
from tests.benchmarks.fill import call
from tests.ui.calls_page import CallsPage
from tests.widgets.hosts import STEREO
from tui.app import RingbackApp
from tui.archive.interface import CallArchive
from tui.archive.records import AccountState
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.config.settings import put
from tui.services import Services
from tui.sync.report import Report, could_not_begin
from widgets.player_line import PlayerView

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
ACCOUNTS = {"support": "liner", "hotline": "cinnox", "desk": "nectar"}
COUNT = 240


class FrozenServices(Services):
    """Services for which it is always the same moment."""

    def now(self) -> datetime:
        return NOW


class Silence:
    """In the network's place: every sync ends at once in the same way, or (None) never."""

    def __init__(self, report: Callable[[], Report] | None) -> None:
        self._report = report

    async def run(self, work: Callable[[CallArchive], Coroutine[Any, Any, Any]]) -> Any:
        if self._report is None:
            await asyncio.Event().wait()
        assert self._report is not None
        return self._report()

    def close(self) -> None:
        pass


def app_over(
    environ: Mapping[str, str],
    calls: int = COUNT,
    accounts: Mapping[str, str] = ACCOUNTS,
    error: ProviderError | None = None,
    busy: bool = False,
    query: str = "",
) -> RingbackApp:
    """The application in a home of its own, with `calls` calls shared out among the accounts."""
    paths = Paths.default(environ)
    paths.make()
    services = FrozenServices(paths, dict(environ), UTC)
    put(paths, "app", "theme", "textual-dark")  # whatever the terminal of the tests can show
    settings = {"cinnox": {"app_id": "demo"}, "nectar": {"call_ids": "1000-1999"}}
    for name, vendor in accounts.items():
        url = f"https://{vendor}.example"
        services.accounts.add(make_account(name, vendor, url, settings.get(vendor, {})))
    with services.open_archive() as archive:
        _fill(archive, calls, list(accounts.items()))
        for name in accounts if calls else ():
            archive.save_account_state(name, AccountState("fresh", "", (NOW - STEP).timestamp()))

    def ended() -> Report:
        name = next(iter(accounts))
        if error is None:
            return Report(name)
        with services.open_archive() as archive:
            for one in accounts:
                could_not_begin(archive, one, error, NOW.timestamp())
        return Report(name, error=error)

    app = RingbackApp(services, query)
    app.network = Silence(None if busy else ended)  # type: ignore[assignment]
    return app


STEP = timedelta(minutes=7)


def _fill(archive: CallArchive, count: int, accounts: list[tuple[str, str]]) -> None:
    random = Random(3)
    with archive.transaction():
        for number in range(count):
            name, vendor = accounts[number % len(accounts)]
            one = call(number, random)
            started = NOW - STEP * (number + 1)
            one = replace(
                one,
                provider=vendor,
                started_at=started,
                ended_at=started + timedelta(seconds=one.duration_s or 0),
                outcome=random.choice((one.outcome, one.outcome, Outcome.VOICEMAIL)),
                has_recording=one.outcome is Outcome.ANSWERED,
                recordings_known=True,
                recordings=(Recording("r1"),) if one.outcome is Outcome.ANSWERED else (),
            )
            archive.save(name, [whole(one) if number == 1 else one])


def whole(one: Call) -> Call:
    """A call of which everything is known."""
    assert one.started_at is not None
    at = [one.started_at + timedelta(seconds=s) for s in (0, 14, 95, 260)]
    return replace(
        one,
        direction=one.direction,
        outcome=Outcome.ANSWERED,
        status="answered",
        ended_at=at[3],
        duration_s=260,
        wait_s=14,
        talk_s=246,
        to="+442079460000",
        company_number=CompanyNumber("+442079460000", "Support"),
        ring_group="Second line",
        agents=(
            Agent("1", "Mei Chan", "agent", "Support", at[1], True, True, "transferred"),
            Agent("2", "Jonas Bergström", "agent", "Second line", at[2], True, False, "hung up"),
        ),
        disposition=Disposition("Refund", "Charged twice. Refunded 40.00, mailed the receipt."),
        hangup=Hangup("customer", "Normal clearing", "16"),
        tags=("refund", "billing"),
        sla_met=True,
        has_recording=True,
        recording_events=(RecordingEvent("1", at[1], at[3]),),
        recordings=(
            Recording("a", None, None, 81, "audio/mpeg", 648_000, "audio", at[1], at[2], "1"),
            Recording("b", None, None, 165, "audio/mpeg", 1_320_000, "audio", at[2], at[3], "2"),
        ),
    )


REFUSED = AuthError("Token refused", "the vendor answered 401", "Give the token again.")
MISSING = MissingToken("Token missing", "no token for support", "ringback accounts test support")
OFFLINE = Unreachable("No connection", "liner.example cannot be reached", "Check the network.")


async def rest(page: CallsPage) -> None:
    """Everything has been read, and no message is left in the status line."""
    await page.idle()
    page.unflash()
    await page.pause()


async def opened(page: CallsPage) -> None:
    await rest(page)
    await page.press("j", "enter")
    await page.pause()


async def playing(page: CallsPage) -> None:
    await opened(page)
    page.sound.show_player(1, PlayerView("playing", 41.0, 165.0, 1.25, 100))
    page.sound.waveform.wave = replace(STEREO, position_s=67.0)
    await page.pause()


async def loading(page: CallsPage) -> None:
    await page.until(lambda: page.is_started and page.has_read_all)
    await page.pause()


async def said(page: CallsPage) -> None:
    """As `rest`, with what the status line says."""
    await page.idle()


async def help_(page: CallsPage) -> None:
    await rest(page)
    await page.press("question_mark")
    await page.pause()


async def insights(page: CallsPage) -> None:
    await rest(page)
    await page.press("I", "w", "w", "right", "right")
    await page.until(lambda: "counting" not in page.text and " all " in page.text)
    await page.pause()


async def accounts(page: CallsPage) -> None:
    await rest(page)
    await page.press("a")
    await page.until(lambda: "token: missing" in page.text)


async def form(page: CallsPage) -> None:
    await accounts(page)
    await page.press("a")
    await page.until(lambda: page.top.query("#field-token"))
    await page.pause()


async def problem(page: CallsPage) -> None:
    await rest(page)
    await page.press("slash", *"missed agnt")
    await page.press("colon", *"mei")
    await rest(page)


async def filtered(page: CallsPage) -> None:
    await rest(page)
    await page.press("2")
    await rest(page)


async def columns(page: CallsPage) -> None:
    await rest(page)
    await page.press("C")
    await page.pause()


Scene = tuple[dict[str, Any], Callable[[CallsPage], Coroutine[Any, Any, None]]]
SCENES: dict[str, Scene] = {
    "many": ({}, rest),
    "detail": ({}, opened),
    "playing": ({}, playing),
    "no-accounts": ({"accounts": {}, "calls": 0}, rest),
    "loading": ({"calls": 0, "busy": True}, loading),
    "empty": ({"calls": 0}, rest),
    "refused": ({"calls": 0, "error": REFUSED}, said),
    "token-missing": ({"calls": 0, "error": MISSING}, rest),
    "offline": ({"error": OFFLINE}, said),
    "no-match": ({"query": "agent:nobody"}, rest),
    "filtered": ({}, filtered),
    "filter-problem": ({}, problem),
    "columns": ({}, columns),
    "help": ({}, help_),
    "insights": ({}, insights),
    "accounts": ({}, accounts),
    "account-form": ({}, form),
}
"""How the application is made, and what is done to it."""
