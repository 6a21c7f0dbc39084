"""`ringback sync`: calls from the vendors into the archive."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from providers.errors import AuthError
from providers.sanitize import safe_text
from tui.cli.account_names import chosen_accounts
from tui.cli.errors import print_not_backed_up
from tui.cli.sync_report import print_report
from tui.config.accounts import Account
from tui.console import bars_console, print_error, print_failure
from tui.exit_codes import CommandError, ExitCode, archive_error
from tui.query.dates import period
from tui.removal.retention import sweep
from tui.services import Services
from tui.sync.account_states import until_words
from tui.sync.jobs import read_anew, sync_all
from tui.sync.report import Report
from tui.sync.sync import SyncRequest, Watcher

if TYPE_CHECKING:
    from rich.progress import Progress

INDEX_STEPS = 40
"""Steps of `Archive.index_more` of one sync: some seconds' work."""
READ_ANEW_S = 10.0
"""So long a sync reads calls anew that an older version of Ringback kept; the next one goes on."""
T = TypeVar("T")


def run(arguments: argparse.Namespace) -> int:
    from tui.log import try_log

    services = Services.build()
    accounts = chosen_accounts(services, arguments.accounts)
    try:
        since, until = period(arguments.since, arguments.until, services.now(), services.zone)
    except ValueError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from None
    trouble = try_log(services.paths, debug=arguments.debug)
    if trouble and arguments.debug:
        raise CommandError(f"no log can be kept: {trouble}")
    request = SyncRequest(
        since,
        until,
        asked=f"{arguments.since or ''}..{arguments.until or ''}",
        recordings=arguments.recordings,
        discover=arguments.discover,
    )
    with services.open_archive() as archive:
        with _progress(accounts) as watcher:
            reports = asyncio.run(
                _until_terminated(sync_all(services, accounts, archive, request, watcher))
            )
        for report in reports:
            print_report(report)
            _print_wait(services, report)
        _print_unkept(reports)
        if any(report.unkept for report in reports):
            return exit_code(reports)
        # some of what an older Ringback kept otherwise, for those who open no screen
        archive.back_up()
        print_not_backed_up(archive)
        all(archive.index_more() for _ in range(INDEX_STEPS))
        end = time.monotonic() + READ_ANEW_S
        read_anew(services, archive, accounts, lambda: time.monotonic() > end)
        if words := sweep(services, archive).words:
            print_error(words)
    left_out = not arguments.accounts and services.accounts.read()[1]  # as `cli` has said
    return exit_code(reports) or (ExitCode.PARTLY if left_out else ExitCode.DONE)


def _print_unkept(reports: Sequence[Report]) -> None:
    """The archive's trouble once, and the accounts of which nothing more was kept."""
    found: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        if report.unkept:
            error = archive_error(report.unkept)
            found.setdefault((error.message, error.hint), []).append(report.account)
    for (message, hint), names in found.items():
        what = f"{message} (nothing more was kept of {', '.join(names)})"
        print_failure(CommandError(what, hint))


def _print_wait(services: Services, report: Report) -> None:
    """Until when a vendor that limits requests is not to be asked."""
    if words := until_words(report.again_at, services.now(), services.zone):
        print_error(f"{report.account}: {report.state} {words}")


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    """A terminated sync ends as an interrupted one does: between two transactions."""
    task = asyncio.current_task()
    if task and sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def exit_code(reports: Sequence[Report]) -> ExitCode:
    """0 when all came; 4 when only tokens stood in the way; 3 when a part came; else 1."""
    failed = [report for report in reports if report.error or report.unkept]
    if not failed:
        return ExitCode.PARTLY if any(report.problems for report in reports) else ExitCode.DONE
    if len(failed) < len(reports) or any(report.fetched for report in failed):
        return ExitCode.PARTLY
    return (
        ExitCode.TOKEN
        if all(isinstance(report.error, AuthError) for report in failed)
        else ExitCode.FAILED
    )


@contextmanager
def _progress(accounts: Sequence[Account]) -> Iterator[Watcher | None]:
    """A bar for each account while standard error is a terminal; nothing otherwise."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[calls]}", markup=False),
        console=bars_console(),
        transient=True,
    ) as progress:
        yield _Bars(progress, accounts)


class _Bars:
    """`Watcher` over rich's bars."""

    def __init__(self, progress: Progress, accounts: Sequence[Account]) -> None:
        self._progress = progress
        self._tasks = {
            account.name: progress.add_task(safe_text(account.name), total=None, calls="")
            for account in accounts
        }

    def page(self, account: str, fetched: int, total: int | None) -> None:
        text = f"{fetched:,} of {total:,}" if total else f"{fetched:,} so far"
        self._progress.update(self._tasks[account], completed=fetched, total=total, calls=text)
