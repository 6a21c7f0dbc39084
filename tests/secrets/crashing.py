"""The program with a crash whose message quotes a token: of the screen's help, or of a command."""

import sys

from tui import cli
from tui.cli import sync
from tui.screens.main import MainScreen
from tui.services import Services


def crash(services: Services) -> None:
    token = services.find_token(services.accounts.list()[0])
    raise RuntimeError(f"header {token.reveal()!r} cannot be sent")


def in_the_screen(self: MainScreen) -> None:
    crash(self.services)


def in_a_command(arguments: object) -> int:
    crash(Services.build())
    return 0


MainScreen.action_help = in_the_screen  # type: ignore[method-assign]
sync.run = in_a_command
sys.exit(cli.main())
