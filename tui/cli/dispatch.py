"""From the words of a command line to its command's module, and to an exit code."""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import cast

from tui.cli import standard_streams
from tui.cli.errors import file_error
from tui.cli.parser import SCREEN
from tui.cli.words import parse_words
from tui.console import print_error, print_failure, tell_safely
from tui.exit_codes import CommandError, ExitCode, archive_error

MODULES = {"import": "import_calls", "open": "screen", "demo": "screen"}
"""Commands whose module has another name; it is imported when it is wanted, and no other."""
TELL_OF_CONFIG = (SCREEN, "open", "demo", "doctor", "speaker")
"""Commands that tell in their own way what is wrong with config.toml, or do without it."""
MOST_PROBLEMS = 3
"""Lines of it; `doctor` tells all."""

Command = Callable[[argparse.Namespace], int]

atexit.register(gc.freeze)  # the end of Python looks through all that is left, which takes 0.15 s


def run_program(argv: Sequence[str] | None) -> int:
    """Run one command of these words (None: those that the program was started with); the exit
    code is of `ExitCode`. Raises SystemExit as argparse does, and KeyboardInterrupt until the
    command begins.
    """
    standard_streams.open_closed()
    tell_safely()
    begun = False
    try:
        try:
            if argv is None:  # the program itself, not a test
                from tui.secrets.process import take_tokens

                take_tokens()
            words = list(sys.argv[1:] if argv is None else argv)
            _encode(words)
            arguments = parse_words(words)
            warned = _prepare(arguments.command)
            command = _command(arguments.command)
            begun = True
            return _run(command, arguments, warned)
        finally:
            sys.stdout.flush()
    except CommandError as error:  # of the words; `_run` has its own
        print_failure(error)
        return error.code
    except KeyboardInterrupt:
        if not begun:
            raise
        print_error("Interrupted; what had come is kept.")
        return ExitCode.FAILED
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader (head, less) has gone
            return ExitCode.DONE
        print_failure(file_error(error))
        return ExitCode.FAILED
    finally:
        standard_streams.end(sys.stdout)
        standard_streams.end(sys.stderr)


def _encode(words: Sequence[str]) -> None:
    """What another program reads is UTF-8, whatever the terminal's locale; what that has no
    letter for becomes a question mark for people.
    """
    options = {word.partition("=")[0] for word in words}
    utf8 = "utf-8" if {"--json", "--csv"} & options else None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=utf8, errors="replace")


def _prepare(command: str) -> list[str]:
    """See to this process before a command begins. What was said to be wrong in config.toml."""
    from tui.config.paths import private_umask
    from tui.log import clean_last_resort
    from tui.secrets.process import end_in_order, harden_process

    clean_last_resort()
    private_umask()
    harden_process()
    end_in_order()
    warned = [] if command in TELL_OF_CONFIG else _config_problems()
    for line in warned:
        print_error(f"ringback: {line}")
    return warned


def _run(command: Command, arguments: argparse.Namespace, warned: Sequence[str]) -> int:
    """Run a command and turn what it raises into lines, but those that were told before, and an
    exit code.
    """
    from tui.archive.errors import READING, ArchiveError
    from tui.config.settings import SettingsError

    try:
        return int(command(arguments))
    except ArchiveError as error:
        print_failure(archive_error(error))
        return ExitCode.FAILED
    except READING as error:
        from tui.services import damage_behind

        if trouble := damage_behind(error):
            print_failure(archive_error(trouble))
            return ExitCode.FAILED
        raise
    except SettingsError as error:
        print_failure(CommandError(error.message, error.hint), warned)
        return ExitCode.FAILED
    except CommandError as error:
        print_failure(error, warned)
        return error.code


def _config_problems() -> list[str]:
    """What of config.toml cannot be obeyed, lest a command does without it in silence."""
    from tui.config.accounts import AccountStore
    from tui.config.paths import Paths
    from tui.config.settings import load_settings

    paths = Paths.default()
    return [*load_settings(paths).problems, *AccountStore(paths).read()[1]][:MOST_PROBLEMS]


def _command(name: str) -> Command:
    """The `run` of a command's module."""
    module = import_module(f"tui.cli.{MODULES.get(name, name)}")
    return cast("Command", module.run)
