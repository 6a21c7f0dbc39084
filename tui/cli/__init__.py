"""The command line. Only `ringback` without a command, and `ringback demo`, load the screen.

Output is plain text, one thing a line, for scripts and screen readers; errors go to standard
error, name the account and the thing to do.

`words` reads what was typed (with `parser`), `dispatch` runs the command's module and turns what
it raises into lines and an exit code (`errors`). A command is one module, with a `run`; what
several share stands beside them: which call is meant (`call_names`), the query of a line
(`query_arguments`), questions before what cannot be taken back (`confirmation`). Commands may
import all of `tui` but the screen; only `screen` and `demo` do.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""The exit code of a command that was interrupted before it began: as of a program that knows
nothing of SIGINT.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is of `ExitCode`, or `INTERRUPTED`.

    Nothing is imported outside of it, so that ctrl+c is silent from the first moment.
    """
    try:
        from tui.cli.dispatch import run_program

        return run_program(argv)
    except KeyboardInterrupt:  # nothing had begun, or all was done
        return INTERRUPTED
    finally:
        if argv is None:  # the program itself, whose Python ends now, and would tell of a ctrl+c
            import signal

            signal.signal(signal.SIGINT, signal.SIG_DFL)
