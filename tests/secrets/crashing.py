"""The program with a crash whose message quotes a token: of the screen's help, or of a command."""

import sys

from tui import cli
from tui.cli import sync
from tui.screens.dialogs import Dialogs
from tui.services import Services


def crash(services: Services) -> None:
    token = services.find_token(services.accounts.list()[0])
    raise RuntimeError(f"header {token.reveal()!r} cannot be sent")


def in_the_screen(self: Dialogs) -> None:
    crash(self._ctx.services)


def in_a_command(arguments: object) -> int:
    crash(Services.build())
    return 0


Dialogs.help = in_the_screen  # type: ignore[method-assign]
sync.run = in_a_command
sys.exit(cli.main())
