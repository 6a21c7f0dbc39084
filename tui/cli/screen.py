"""`ringback` and `ringback demo`: the screen."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from dataclasses import replace

from tui.call_links import Link
from tui.cli import standard_streams
from tui.config.accounts import AccountError
from tui.config.views import views
from tui.console import print_failure
from tui.exit_codes import CommandError, ExitCode
from tui.secrets.process import share_heap
from tui.services import Services


def run(arguments: argparse.Namespace) -> int:
    _need_terminal()
    if arguments.command == "demo":
        return _open_demo(arguments.port)
    services = Services.build()
    if arguments.command == "open":
        return open_screen(services, "", _link(services, arguments.call))
    query = _first_query(services, arguments)
    return open_screen(services, query, masked=arguments.masked)


def _open_demo(port: int = 0) -> int:
    from tui.cli.demo import demo_services

    with demo_services(port) as services:
        return open_screen(services, "")


def _link(services: Services, name: str) -> Link:
    """A link whose call is in the archive; what it lacks is asked of the vendor, as `show` does.

    Raises `CommandError`.
    """
    from tui.cli.call_names import read_name, wanted_call

    account, link = read_name(services, name)
    with services.open_archive() as archive:
        if archive.key_of(account.name, link.id) is None:
            wanted_call(services, archive, account, link.id)
        if archive.key_of(account.name, link.id) is None:
            raise CommandError(f"the call {link.name} was purged here")
    return link


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        raise CommandError(
            "the screen needs a terminal",
            "Without one there are: ringback calls, show, sync, play (see ringback --help)",
            ExitCode.USAGE,
        )
    standard_streams.draw_on_terminal()


def _first_query(services: Services, arguments: argparse.Namespace) -> str:
    """The query line that the screen begins with. Raises `CommandError`."""
    text = " ".join(arguments.query)
    if arguments.view:
        found = {view.name: view for view in views(services.settings())}
        if arguments.view not in found:
            raise CommandError(
                f"there is no view {arguments.view}",
                f"There is: {', '.join(found)}.",
                ExitCode.USAGE,
            )
        text = found[arguments.view].query
    if arguments.account:
        try:
            account = services.accounts.get(arguments.account)
        except AccountError as error:
            raise CommandError(error.message, error.hint, ExitCode.USAGE) from None
        text = f"account:{account.name} {text}".strip()
    return text


def open_screen(
    services: Services, query: str, link: Link | None = None, masked: bool = False
) -> int:
    """Run the screen to its end; its exit code. Raises `CommandError` if it could not keep all,
    `ArchiveError`.
    """
    from tui.log import try_log

    share_heap()
    services.open_archive().close()  # said in words, before there is a screen
    try_log(services.paths)
    gc.disable()  # until the first paint: nothing that a start loads is garbage
    _tune_textual(services)
    from tui.app import RingbackApp
    from tui.screens.actions import FOR_DEMO

    # nobody sees a pinentry that asks on the terminal which the screen has
    environ = {name: value for name, value in services.environ.items() if name != "GPG_TTY"}
    app = RingbackApp(replace(services, environ=environ), query, link, masked)
    app.run()
    if app.trouble:
        if app.not_kept:
            print_failure(app.not_kept)
        raise app.trouble
    if app.not_kept:
        raise app.not_kept
    return _open_demo() if app.return_code == FOR_DEMO else app.return_code or 0


def _tune_textual(services: Services) -> None:
    """Textual reads these when it is imported: less to send where a line is long."""
    if services.environ.get("SSH_CONNECTION"):
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
