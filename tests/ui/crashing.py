"""The program with a help key that crashes while a secret stands in a local variable."""

import sys

from tui import cli
from tui.screens.main import MainScreen


def crash(self: MainScreen) -> None:
    secret = "-".join(("t0ken", "in", "a", "local"))
    raise RuntimeError(f"a mistake of {len(secret)} letters")


MainScreen.action_help = crash  # type: ignore[method-assign]
sys.exit(cli.main([]))
