"""`ringback completions`: a script that completes commands, options and names in a shell.

Made from the parser by shtab; names of accounts and views are asked of Ringback when they are
completed, so that a new one is there at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from tui.console import print_data
from tui.exit_codes import CommandError, ExitCode

_NAMES = {
    "accounts": ("--account", "account", "accounts", "name"),
    "views": ("--view",),
}
"""Which options and words of a command are completed with which names."""
_NEW = "accounts add"
"""The command whose name is one that there is not yet."""


def run(arguments: argparse.Namespace) -> int:
    if arguments.names:
        for name in _names(arguments.names):
            print_data(name)
        return ExitCode.DONE
    if arguments.shell is None:
        raise CommandError("which shell? bash, zsh or fish", code=ExitCode.USAGE)
    print_data(script(arguments.shell))
    return ExitCode.DONE


def script(shell: str) -> str:
    """The completions for ``bash``, ``zsh`` or ``fish``."""
    import shtab

    from tui.cli.parser import SCREEN, add_screen_arguments, build_parser

    parser, _ = build_parser(vendors=True)
    add_screen_arguments(parser)
    for command in _with_commands(parser):
        for action in command._actions:
            if complete := _completed(command.prog, action):
                action.complete = complete  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            action.choices.pop(SCREEN, None)  # what stands behind `ringback` alone is not typed
    return str(shtab.complete(parser, shell))


def _with_commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _with_commands(command)


def _completed(program: str, action: argparse.Action) -> Any:
    """How shtab completes this, as its documentation has it; None: it does so by itself."""
    import shtab

    if action.metavar in ("FILE", "ACCOUNT:ID | LINK | FILE"):
        return shtab.FILE
    if action.metavar == "DIR":
        return shtab.DIRECTORY
    if program.endswith(_NEW):
        return None
    for kind, words in _NAMES.items():
        if {*action.option_strings, action.dest} & {*words}:
            return shtab.cmd(f"ringback completions --names {kind} 2>/dev/null")
    return None


def _names(kind: str) -> list[str]:
    from tui.config.views import views
    from tui.services import Services

    services = Services.build()
    if kind == "accounts":
        return [account.name for account in services.accounts.list()]
    return [view.name for view in views(services.settings())]
