"""The program with a help key that crashes while a secret stands in a local variable."""

import sys

from tui import cli
from tui.screens.dialogs import Dialogs


def crash(self: Dialogs) -> None:
    secret = "-".join(("t0ken", "in", "a", "local"))
    raise RuntimeError(f"a mistake of {len(secret)} letters")


Dialogs.help = crash  # type: ignore[method-assign]
sys.exit(cli.main([]))
