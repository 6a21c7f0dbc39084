"""`ringback sync`: its lines, its bars, its exit code, and its end by a signal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from providers.errors import AuthError, ProviderError, RateLimited, Unreachable
from tui.archive.errors import ArchiveReadOnly
from tui.archive.records import Saved
from tui.cli import main
from tui.cli.sync import exit_code
from tui.cli.sync_report import MAX_LINES, print_report
from tui.config.accounts import make_account
from tui.exit_codes import ExitCode
from tui.services import Services
from tui.sync.report import Report
from tui.sync.sync import SyncRequest, Watcher

Captured = pytest.CaptureFixture[str]
Syncing = Callable[[SyncRequest, Watcher | None], list[Report]]
REFUSED = AuthError("Token refused", "no", "Give it again.")
AWAY = Unreachable("No answer", "the vendor is away", "Try later.")
FULL = ArchiveReadOnly("the disk is full")


@pytest.mark.parametrize(
    ("reports", "code"),
    [
        ([Report("a"), Report("b")], ExitCode.DONE),
        ([Report("a"), Report("b", problems=["x"])], ExitCode.PARTLY),
        ([Report("a"), Report("b", error=REFUSED)], ExitCode.PARTLY),
        ([Report("a", error=REFUSED), Report("b", error=REFUSED)], ExitCode.TOKEN),
        ([Report("a", error=REFUSED), Report("b", error=AWAY)], ExitCode.FAILED),
        ([Report("a", error=AWAY, fetched=3)], ExitCode.PARTLY),
        ([Report("a", error=AWAY)], ExitCode.FAILED),
        ([Report("a", unkept=FULL)], ExitCode.FAILED),
        ([Report("a", unkept=FULL), Report("b")], ExitCode.PARTLY),
        ([Report("a", unkept=FULL), Report("b", error=REFUSED)], ExitCode.FAILED),
    ],
)
def test_the_exit_code_tells_how_much_came(reports: list[Report], code: ExitCode) -> None:
    assert exit_code(reports) == code


def printed(capsys: Captured, report: Report) -> tuple[str, str]:
    capsys.readouterr()
    print_report(report)
    said = capsys.readouterr()
    return said.out, said.err


def test_a_report_counts_what_came(capsys: Captured) -> None:
    report = Report("desk", Saved(1200, 2, 3), 1205, unknown_ids=1, recordings=2)
    assert printed(capsys, report) == (
        "desk: 1,200 new, 2 changed, 3 as before, 1 id unknown to the vendor, 2 recordings listed\n",
        "",
    )
    assert printed(capsys, Report("desk")) == ("desk: 0 new, 0 changed, 0 as before\n", "")


def test_a_report_tells_what_went_wrong_up_to_a_limit(capsys: Captured) -> None:
    report = Report("desk", fetched=1, notes={"a note": None})
    report.tell(*(f"call {n}" for n in range(MAX_LINES)))
    out, err = printed(capsys, report)
    assert out == f"desk: 0 new, 0 changed, 0 as before, {MAX_LINES} failed\n"
    assert err.splitlines() == ["desk: a note", *(f"desk: call {n}" for n in range(MAX_LINES))]
    report.tell("one more")
    assert printed(capsys, report)[1].splitlines()[-1] == "desk: and 1 more"


@pytest.mark.parametrize(
    ("report", "out", "err"),
    [
        (Report("a", error=AWAY), "", "a: No answer: the vendor is away\nTry later.\n"),
        (Report("a", error=AWAY, fetched=1), "a: 0 new, 0 changed, 0 as before\n", "a: No answer: the vendor is away\nTry later.\n"),
        (Report("a", error=Unreachable("No answer")), "", "a: No answer\n"),
        (Report("a", unkept=FULL), "", ""),
    ],
)  # fmt: skip
def test_a_report_says_why_nothing_came(
    capsys: Captured, report: Report, out: str, err: str
) -> None:
    assert printed(capsys, report) == (out, err)


# -- the command


@pytest.fixture
def syncing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Syncing], None]:
    """An account, and vendors that answer as a function says."""
    services = Services.build(os.environ)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))

    def by(syncs: Syncing) -> None:
        async def sync_all(
            services: object, accounts: object, archive: object, request: SyncRequest, watcher: Watcher | None
        ) -> list[Report]:  # fmt: skip
            reports = syncs(request, watcher)
            await asyncio.sleep(0)
            return reports

        monkeypatch.setattr("tui.cli.sync.sync_all", sync_all)

    return by


def test_the_request_is_what_the_options_say(syncing: Callable[[Syncing], None]) -> None:
    asked: list[tuple[SyncRequest, Watcher | None]] = []

    def syncs(request: SyncRequest, watcher: Watcher | None) -> list[Report]:
        asked.append((request, watcher))
        return [Report("desk")]

    syncing(syncs)
    assert main(["sync"]) == 0
    words = ["--since", "2026-11-02", "--until", "2026-11-03", "--recordings", "--discover"]
    assert main(["sync", "desk", *words]) == 0
    assert [watcher for _, watcher in asked] == [None, None], "no bar without a terminal"
    (plain, _), (full, _) = asked
    assert plain == SyncRequest(None, None, asked="..", recordings=False, discover=0)
    assert full.since == datetime(2026, 11, 2, tzinfo=UTC)
    assert (full.asked, full.recordings, full.discover) == ("2026-11-02..2026-11-03", True, 20)
    assert full.until and f"{full.until:%Y-%m-%d %H:%M}" == "2026-11-03 23:59"


def test_bars_tell_how_far_it_is_on_a_terminal(
    syncing: Callable[[Syncing], None], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.progress import Progress

    shown: list[str] = []
    bars: list[Progress] = []

    def syncs(request: SyncRequest, watcher: Watcher | None) -> list[Report]:
        assert watcher is not None
        for fetched, total in ((1200, None), (2, 3000)):
            watcher.page("desk", fetched, total)
            bars[-1].refresh()
            shown.append(capsys.readouterr().err)
        return [Report("desk")]

    class Watched(Progress):
        """The progress that is made, for whoever wants it drawn now."""

        def start(self) -> None:
            bars.append(self)
            super().start()

    monkeypatch.setattr("rich.progress.Progress", Watched)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    syncing(syncs)
    assert main(["sync"]) == 0
    assert "desk" in shown[0] and "1,200 so far" in shown[0]
    assert "2 of 3,000" in shown[1]


def test_until_when_a_vendor_is_not_to_be_asked_is_told(
    syncing: Callable[[Syncing], None], capsys: Captured
) -> None:
    limit = RateLimited("Too many requests", retry_after_s=3600)
    later = datetime.now(UTC).timestamp() + 86_400 * 400
    syncing(lambda *_: [Report("desk", error=limit, again_at=later)])
    assert main(["sync"]) == 1
    told = f"desk: rate-limited until {datetime.fromtimestamp(later, UTC):%Y-%m-%d %H:%M}"
    assert capsys.readouterr().err.splitlines()[-1] == told


def test_what_the_archive_refuses_is_told_once_for_all_accounts(
    syncing: Callable[[Syncing], None], capsys: Captured
) -> None:
    syncing(lambda *_: [Report("desk", unkept=FULL), Report("eu", unkept=FULL)])
    assert main(["sync"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"ringback: {FULL.message} (nothing more was kept of desk, eu)",
        FULL.hint,
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_as_an_interrupt(
    syncing: Callable[[Syncing], None],
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    ended: list[str] = []

    async def sync_all(*_: object) -> list[Report]:
        os.kill(os.getpid(), getattr(signal, name))
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("in order")
        return []

    monkeypatch.setattr("tui.cli.sync.sync_all", sync_all)
    assert main(["sync"]) == 1
    assert capsys.readouterr().err == "Interrupted; what had come is kept.\n"
    assert ended == ["in order"]


def test_an_error_of_a_vendor_is_no_error_of_another(
    syncing: Callable[[Syncing], None], capsys: Captured
) -> None:
    errors: list[ProviderError] = [REFUSED, AWAY]
    syncing(lambda *_: [Report(f"a{n}", error=error) for n, error in enumerate(errors)])
    assert main(["sync"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "a0: Token refused: no",
        "Give it again.",
        "a1: No answer: the vendor is away",
        "Try later.",
    ]
