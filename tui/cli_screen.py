"""`ringback` and `ringback demo`: the screen."""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tui.accounts import AccountError, make_account
from tui.exits import CommandError, Exit
from tui.services import Services
from tui.views import views


def run(arguments: argparse.Namespace) -> int:
    _need_terminal()
    if arguments.command == "demo":
        with demo_services(arguments.port) as services:
            return open_screen(services, "")
    services = Services.build()
    return open_screen(services, _first_query(services, arguments))


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        raise CommandError(
            "the screen needs a terminal",
            "Without one there are: ringback calls, show, sync, play (see ringback --help)",
            Exit.USAGE,
        )


def _first_query(services: Services, arguments: argparse.Namespace) -> str:
    """The query line that the screen begins with. Raises `CommandError`."""
    text = " ".join(arguments.query)
    if arguments.view:
        found = {view.name: view for view in views(services.settings())}
        if arguments.view not in found:
            raise CommandError(
                f"there is no view {arguments.view}", f"There is: {', '.join(found)}.", Exit.USAGE
            )
        text = found[arguments.view].query
    if arguments.account:
        try:
            account = services.accounts.get(arguments.account)
        except AccountError as error:
            raise CommandError(error.message, error.hint, Exit.USAGE) from None
        text = f"account:{account.name} {text}".strip()
    return text


def open_screen(services: Services, query: str) -> int:
    """Run the screen to its end; its exit code."""
    from tui.log import setup_log

    setup_log(services.paths)
    gc.disable()  # until the first paint: nothing that a start loads is garbage
    _tune_textual(services)
    from tui.app import RingbackApp

    app = RingbackApp(services, query)
    app.run()
    return app.return_code or 0


def _tune_textual(services: Services) -> None:
    """Textual reads these when it is imported: less to send where a line is long."""
    if services.environ.get("SSH_CONNECTION"):
        os.environ.setdefault("TEXTUAL_FPS", "20")
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")


@contextmanager
def demo_services(port: int) -> Iterator[Services]:
    """A home of its own with an account at each synthetic vendor; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="ringback-demo-"))
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "providers.sandbox", "--port", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert sandbox.stdout is not None
        line = sandbox.stdout.readline()
        if not line:
            raise CommandError(
                "the synthetic vendors did not start",
                f"Is one of the ports {port} to {port + 3} taken?",
            )
        services = _demo_home(home, json.loads(line))
        yield services
    finally:
        sandbox.terminate()
        sandbox.wait()
        shutil.rmtree(home, ignore_errors=True)


def _demo_home(home: Path, vendors: dict[str, Any]) -> Services:
    # the demo's environment names no keyring, and its tokens are worth nothing
    environ = {**os.environ, "RINGBACK_HOME": str(home)}
    environ |= {
        f"RINGBACK_TOKEN_{vendor.upper()}": token for vendor, token in vendors["tokens"].items()
    }
    services = Services.build(environ)
    for vendor, url in vendors["base_urls"].items():
        settings = vendors["settings"][vendor]
        services.accounts.add(make_account(vendor, vendor, url, settings))
    return services
