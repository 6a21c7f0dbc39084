"""`ringback receive`: vendors' webhooks into the archive."""

from __future__ import annotations

import argparse
import secrets
import sys

from tui.cli.account_names import chosen_accounts
from tui.config.paths import atomic_write, read_file
from tui.console import print_error, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.receive.inbox import Inbox
from tui.receive.keeper import Keeper
from tui.services import Services

LONGEST_S = 10
"""How long requests that are being answered are waited for at the end."""
AT_ONCE = 64
"""Connections; a proxy in front has its own bounds."""


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    accounts = chosen_accounts(services, [])
    secret = _secret(services)
    if arguments.addresses:
        for account in accounts:
            print_text(f"{account.name}: /{account.name}/{secret}")
        return ExitCode.DONE
    try:
        import uvicorn

        from tui.receive.endpoint import make_endpoint
    except ModuleNotFoundError as error:
        raise CommandError(
            f"receiving needs the package {error.name}",
            "Install it with: pip install 'ringback[receive]'",
        ) from None
    inbox = Inbox(services.paths.received)
    keeper = Keeper(services, inbox, lambda line: print_text(line, flush=True))
    endpoint = make_endpoint(lambda: [*services.accounts.list()], secret, inbox, keeper.wake)
    config = uvicorn.Config(
        endpoint,
        host=arguments.host,
        port=arguments.port,
        log_level="error",
        access_log=False,  # the path has the secret in it
        server_header=False,
        limit_concurrency=AT_ONCE,
        timeout_graceful_shutdown=LONGEST_S,
    )
    _say_where(arguments.host, arguments.port)
    keeper.start()
    keeper.wake()  # what came before this start
    server = uvicorn.Server(config)
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):  # how it ends by a signal, and where it cannot listen
        pass
    finally:
        keeper.end()
    if not server.started:
        raise CommandError(
            f"cannot listen at {arguments.host}, port {arguments.port}",
            "Is another program there? Choose another with --port.",
        )
    return ExitCode.DONE


def _secret(services: Services) -> str:
    """What whoever sends must know; made at the first time."""
    file = services.paths.receive_secret
    try:
        return read_file(file).decode().strip()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(24)
        atomic_write(file, f"{secret}\n")
        return secret


def _say_where(host: str, port: int) -> None:
    print_text(f"listening at http://{host}:{port}", flush=True)
    if sys.stdout.isatty():
        print_error("The vendors' addresses: ringback receive --addresses; put them behind https.")
