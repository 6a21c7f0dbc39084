"""The command line. Only `ringback` without a command, and `ringback demo`, load the screen.

Output is plain text, one thing a line, for scripts and screen readers; errors go to standard
error, name the account and the thing to do.
"""

from __future__ import annotations

import argparse
import atexit
import errno
import gc
import io
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from providers.errors import reason
from tui.cli import standard_streams
from tui.cli.parser import SCREEN, build_parser
from tui.console import print_error, print_failure, tell_safely
from tui.exit_codes import CommandError, ExitCode, archive_error

BARE: dict[str, Any] = {
    "command": SCREEN,
    "account": None,
    "view": None,
    "query": [],
    "masked": False,
}
"""What `ringback` alone means; to build the parser takes longer than to read the first calls."""
SAY_THEMSELVES = (SCREEN, "open", "demo", "doctor", "speaker")
"""Commands that tell in their own way what is wrong with config.toml, or do without it."""
MOST_TOLD = 3
"""Lines of it; `doctor` tells all."""
Handler = Callable[[argparse.Namespace], int]

atexit.register(gc.freeze)  # the end of Python looks through all that is left, which takes 0.15 s


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is of `ExitCode`."""
    standard_streams.open_closed()
    tell_safely()
    try:
        try:
            if argv is None:  # the program itself, not a test
                from tui.secrets.process import take_tokens

                take_tokens()
            words = list(sys.argv[1:] if argv is None else argv)
            _encode(words)
            return run(_parsed(words) if words else argparse.Namespace(**BARE))
        finally:
            sys.stdout.flush()
    except CommandError as error:  # of the words; `run` has its own
        print_failure(error)
        return error.code
    except KeyboardInterrupt:
        print_error("Interrupted; what had come is kept.")
        return ExitCode.FAILED
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader (head, less) has gone
            return ExitCode.DONE
        print_failure(_file_error(error))
        return ExitCode.FAILED
    finally:
        standard_streams.end(sys.stdout)
        standard_streams.end(sys.stderr)


def _file_error(error: OSError) -> CommandError:
    """Of a file, or of standard output, that nobody answers for."""
    where = error.filename or "what is printed"
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "See whether the disk has room." if full else "Where its files are: ringback paths"
    return CommandError(f"{where}: {reason(error)}", hint)


def _encode(words: Sequence[str]) -> None:
    """What another program reads is UTF-8, whatever the terminal's locale; what that has no
    letter for becomes a question mark for people.
    """
    utf8 = "utf-8" if {"--json", "--csv"} & {*words} else None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=utf8, errors="replace")


def run(arguments: argparse.Namespace) -> int:
    """Run a parsed command and turn what it raises into lines and an exit code."""
    import sqlite3

    from tui.archive.errors import ArchiveTrouble
    from tui.archive.sqlite.damage import READING
    from tui.config.paths import private_umask
    from tui.config.settings import SettingsError
    from tui.log import clean_last_resort
    from tui.secrets.process import end_in_order, harden_process

    clean_last_resort()
    private_umask()
    harden_process()
    end_in_order()
    told = [] if arguments.command in SAY_THEMSELVES else _wrong_settings()
    for line in told:
        print_error(f"ringback: {line}")
    try:
        return int(_handler(arguments.command)(arguments))
    except (ArchiveTrouble, sqlite3.Error) as error:
        print_failure(archive_error(error))
        return ExitCode.FAILED
    except READING as error:
        from tui.services import damage_behind

        if trouble := damage_behind(error):
            print_failure(archive_error(trouble))
            return ExitCode.FAILED
        raise
    except SettingsError as error:
        print_failure(CommandError(error.message, error.hint), told)
        return ExitCode.FAILED
    except CommandError as error:
        print_failure(error, told)
        return error.code


def _wrong_settings() -> list[str]:
    """What of config.toml cannot be obeyed, lest a command does without it in silence."""
    from tui.config.accounts import AccountStore
    from tui.config.paths import Paths
    from tui.config.settings import load_settings

    paths = Paths.default()
    return [*load_settings(paths).problems, *AccountStore(paths).read()[1]][:MOST_TOLD]


def _parsed(words: list[str]) -> argparse.Namespace:
    parser, commands = build_parser(vendors={"accounts", "add"} <= {*words})
    words = _with_help(words, commands)
    words, behind = _with_nots(_with_command(words, commands)), []
    if words[0] == "speaker" and "--" in words:  # argparse takes them only right behind the host
        at = words.index("--")
        words, behind = words[:at], words[at + 1 :]
    return parser.parse_args(words, argparse.Namespace(ssh_options=behind))


def _with_help(words: list[str], commands: frozenset[str]) -> list[str]:
    """`ringback help accounts add` is `ringback accounts add --help`, `ringback version` is
    `ringback --version`. Raises `CommandError`.
    """
    if words == ["version"]:
        return ["--version"]
    if words[0] != "help":
        return words
    if words[1:] and words[1] not in commands:
        raise CommandError(
            f"there is no command {words[1]}{_did_you_mean(words[1], commands)}",
            f"There is: {', '.join(sorted(commands - {SCREEN}))}.",
            ExitCode.USAGE,
        )
    return [*words[1:], "--help"]


def _did_you_mean(word: str, commands: Iterable[str]) -> str:
    from tui.query.suggestions import SURE, nearest

    near = nearest(word.lower(), commands, SURE)
    return f"; did you mean {near}?" if near else ""


def _no_slip(word: str, commands: frozenset[str]) -> None:
    """A first word that is nearly a command's name is no query, unless it means something there.

    Raises `CommandError`.
    """
    from tui.query.parser import KEYWORDS

    if not word.isalpha() or word.lower() in KEYWORDS:
        return
    if near := _did_you_mean(word, commands - {SCREEN} | {"help", "version"}):
        raise CommandError(
            f"there is no command {word}{near}",
            f"To look for the word: ringback -- {word}",
            ExitCode.USAGE,
        )


def _with_nots(words: list[str]) -> list[str]:
    """`ringback calls -rec`: what stands for "not" in a query is no option; nor is what begins
    with a blank, which a query does not mind.
    """
    if words[0] not in (SCREEN, "calls", "hold"):
        return words
    return [f" {word}" if re.match("-[^-]", word) and word != "-h" else word for word in words]


def _with_command(words: list[str], commands: frozenset[str]) -> list[str]:
    """`ringback missed` opens the screen with a query: it has no command of its own."""
    values = {"--account", "--view"}
    position = 0
    while position < len(words) and words[position].startswith("-"):
        if words[position] in ("-h", "--help", "--version"):
            return words
        position += 2 if words[position] in values else 1
    if position == 0 and words[0] in commands:
        return words
    if position < len(words) and "--" not in words[:position]:
        _no_slip(words[position], commands)
    return [SCREEN, *words]


def _handler(command: str) -> Handler:
    """Each command's module is imported when it is wanted, and no other."""
    if command in ("accounts",):
        from tui.cli import accounts

        return accounts.run
    if command in ("sync", "import"):
        from tui.cli import sync

        return sync.run
    if command in ("calls", "show"):
        from tui.cli import calls

        return calls.run
    if command == "refresh":
        from tui.cli import refresh

        return refresh.run
    if command == "triage":
        from tui.cli import triage

        return triage.run
    if command == "hold":
        from tui.cli import hold

        return hold.run
    if command == "download":
        from tui.cli import download

        return download.run
    if command == "play":
        from tui.cli import play

        return play.run
    if command in ("purge", "audit"):
        from tui.cli import purge

        return purge.run
    if command == "speaker":
        from tui.cli import speaker

        return speaker.run
    if command in ("doctor", "paths"):
        from tui.cli import doctor

        return doctor.run
    from tui.cli import screen

    return screen.run
