"""`ringback sync` and `ringback import`: calls into the archive."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from providers.errors import AuthError, ProviderError
from tui.accounts import Account, AccountError
from tui.archive import Archive
from tui.exits import CommandError, Exit
from tui.services import Services
from tui.sync import Report, Sync, Watcher, Wish, could_not_begin, reconcile
from tui.when import period

MAX_LINES = 5
"""How many failures of one account are printed; the rest is counted."""


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    if arguments.command == "import":
        return _import(services, arguments)
    return _sync(services, arguments)


def chosen_accounts(services: Services, names: Sequence[str]) -> list[Account]:
    """The named accounts, or all. Raises `CommandError` when there is none."""
    try:
        if names:
            return [services.accounts.get(name) for name in dict.fromkeys(names)]
    except AccountError as error:
        raise CommandError(error.message, error.hint, Exit.USAGE) from None
    accounts = services.accounts.list()
    if not accounts:
        raise CommandError(
            "there is no account yet",
            "Add one with: ringback accounts add NAME --provider liner|cinnox|nectar --base-url URL",
        )
    return accounts


def _sync(services: Services, arguments: argparse.Namespace) -> int:
    from tui.log import setup_log

    accounts = chosen_accounts(services, arguments.accounts)
    try:
        since, until = period(arguments.since, arguments.until, services.now(), services.zone)
    except ValueError as error:
        raise CommandError(str(error), code=Exit.USAGE) from None
    setup_log(services.paths, debug=arguments.debug)
    wish = Wish(
        since,
        until,
        asked=f"{arguments.since or ''}..{arguments.until or ''}",
        recordings=arguments.recordings,
        discover=arguments.discover,
    )
    with services.open_archive() as archive, _progress(accounts) as watcher:
        reports = asyncio.run(sync_all(services, accounts, archive, wish, watcher))
    for report in reports:
        _print_report(report)
    return exit_code(reports)


async def sync_all(
    services: Services,
    accounts: Sequence[Account],
    archive: Archive,
    wish: Wish,
    watcher: Watcher | None = None,
) -> list[Report]:
    """All accounts beside each other; one that fails does not stop the others."""

    async def one(account: Account) -> Report:
        return await sync_account(services, account, archive, wish, watcher)

    _cancel_on_term()
    return list(await asyncio.gather(*map(one, accounts)))


def _cancel_on_term() -> None:
    """A terminated sync ends as an interrupted one does: between two transactions."""
    task = asyncio.current_task()
    if task and sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def sync_account(
    services: Services,
    account: Account,
    archive: Archive,
    wish: Wish,
    watcher: Watcher | None = None,
) -> Report:
    """One account; a missing token is a `Report.error` like any other."""
    try:
        token = await asyncio.to_thread(services.find_token, account)
        login = services.login(account, token, archive)
        provider = services.provider(account, login)
    except ProviderError as error:
        return could_not_begin(archive, account.name, error, services.now().timestamp())
    return await Sync(account.name, provider, login, archive, watcher).run(wish)


def exit_code(reports: Sequence[Report]) -> Exit:
    """0 when all came; 4 when only tokens stood in the way; 3 when a part came; else 1."""
    failed = [report for report in reports if report.error]
    if not failed:
        return Exit.PARTLY if any(report.problems for report in reports) else Exit.DONE
    if len(failed) < len(reports) or any(report.fetched for report in failed):
        return Exit.PARTLY
    return (
        Exit.TOKEN if all(isinstance(report.error, AuthError) for report in failed) else Exit.FAILED
    )


def _print_report(report: Report) -> None:
    from widgets.safe import safe_text

    saved = report.saved
    parts = [f"{saved.new:,} new", f"{saved.changed:,} changed", f"{saved.same:,} as before"]
    if report.unknown_ids:
        parts.append(f"{report.unknown_ids:,} ids unknown to the vendor")
    if report.recordings:
        parts.append(f"{report.recordings:,} recordings listed")
    if report.problems:
        parts.append(f"{len(report.problems):,} failed")
    print(f"{report.account}: {', '.join(parts)}")
    for line in report.problems[:MAX_LINES]:
        print(safe_text(f"{report.account}: {line}"), file=sys.stderr)
    if len(report.problems) > MAX_LINES:
        print(f"{report.account}: and {len(report.problems) - MAX_LINES} more", file=sys.stderr)
    if report.error:
        print(safe_text(f"{report.account}: {report.error}"), file=sys.stderr)
        if report.error.hint:
            print(safe_text(report.error.hint, multiline=True), file=sys.stderr)


@contextmanager
def _progress(accounts: Sequence[Account]) -> Iterator[Watcher | None]:
    """A bar for each account while standard error is a terminal; nothing otherwise."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[calls]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        yield _Bars(progress, accounts)


class _Bars:
    """`Watcher` over rich's bars."""

    def __init__(self, progress: "Progress", accounts: Sequence[Account]) -> None:  # noqa: F821, UP037
        self._progress = progress
        self._tasks = {
            account.name: progress.add_task(account.name, total=None, calls="")
            for account in accounts
        }

    def page(self, account: str, fetched: int, total: int | None) -> None:
        text = f"{fetched:,} of {total:,}" if total else f"{fetched:,} so far"
        self._progress.update(self._tasks[account], completed=fetched, total=total, calls=text)


def _import(services: Services, arguments: argparse.Namespace) -> int:
    [account] = chosen_accounts(services, [arguments.account])
    try:
        text = (
            sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
        ).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise CommandError(f"cannot read {arguments.file}: {reason}") from None
    report = import_text(services, account, text)
    _print_report(report)
    if not report.fetched:
        return Exit.FAILED
    return Exit.PARTLY if report.problems else Exit.DONE


def import_text(services: Services, account: Account, text: str) -> Report:
    """Saved bodies of an account's calls into its archive. Raises `CommandError`."""
    with services.open_archive() as archive:
        provider = services.offline_provider(account, archive)
        if not provider.capabilities.imports_saved:
            raise CommandError(
                f"account {account.name} is at {provider.title}, whose calls come by sync alone",
                f"Run: ringback sync {account.name}",
                Exit.USAGE,
            )
        report = Report(account.name)
        bodies, problems = provider.read_saved(text)
        report.problems += problems
        for start in range(0, len(bodies), 500):
            calls = []
            for number, body in enumerate(bodies[start : start + 500], start + 1):
                try:
                    calls.append(provider.parse(body))
                except ValueError as error:
                    report.problems.append(f"body {number}: {error}")
            with archive.transaction():
                report.saved += archive.save(
                    account.name, calls, lambda old, new: reconcile(provider, old, new)
                )
            report.fetched += len(calls)
    return report
