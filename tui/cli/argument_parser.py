"""The parser of one command: its help has examples, and what it refuses is told with its own usage.

Standard: `argparse`, of which this changes three things. An unknown option is told by the command
that was given it, with the nearest option there is; help ends in the command's examples
(`tui.cli.examples`); and what is said is made safe for a terminal, for it quotes words that may
come from anywhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from tui.console import print_error, print_text

PROGRAM = "ringback"


class Parser(argparse.ArgumentParser):
    """Of the program, or of one of its commands."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, **options)
        self._has_commands = False

    def add_subparsers(self, **options: Any) -> Any:
        self._has_commands = True
        return super().add_subparsers(**options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and not self._has_commands:
            self._refuse(unknown)
        return found, unknown

    def _refuse(self, unknown: Sequence[str]) -> NoReturn:
        from tui.query.suggestions import nearest

        options = [name for action in self._actions for name in action.option_strings]
        near = nearest(unknown[0].partition("=")[0], options)
        self.error(
            f"unknown: {' '.join(unknown)}{f'; did you mean {near}?' if near else ''}"
            if unknown[0].startswith("-")
            else f"too many words: {' '.join(unknown)}"
        )

    def error(self, message: str) -> NoReturn:
        lines = (f"{PROGRAM}: {message}", f"usage: {self.short_usage}", f"More: {self.prog} --help")
        self.exit(2, "\n".join(lines) + "\n")

    @property
    def short_usage(self) -> str:
        """One line: what must be given; `format_usage` has every option."""
        needed = [action for action in self._actions if action.required or _is_word(action)]
        words = [self._words_of(action) for action in sorted(needed, key=_is_word)]
        more = [] if self._has_commands else ["[OPTION ...]"]
        return " ".join([self.prog, *words, *more])

    def _words_of(self, action: argparse.Action) -> str:
        if action.nargs == argparse.PARSER:
            return f"{action.metavar} ..."
        name = str(action.metavar or "|".join(action.choices or (action.dest,)))
        if action.nargs in ("?", "*"):
            name = f"[{name}{' ...' if action.nargs == '*' else ''}]"
        return f"{action.option_strings[0]} {name}" if action.option_strings else name

    def format_help(self) -> str:
        from tui.cli.examples import examples_text

        examples = examples_text(self.prog.removeprefix(PROGRAM).strip())
        return "\n".join(part for part in (super().format_help(), examples) if part)

    def _print_message(self, message: str, file: Any = None) -> None:
        say = print_text if file is sys.stdout else print_error
        say(message.removesuffix("\n"))


def _is_word(action: argparse.Action) -> bool:
    """Whether it is given by its place, without the name of an option."""
    return not action.option_strings
