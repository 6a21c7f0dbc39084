"""The command line. Only `ringback` without a command, and `ringback demo`, load the screen.

Output is plain text, one thing a line, for scripts and screen readers; errors go to standard
error, name the account and the thing to do.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tui import streams
from tui.console import print_error, print_failure, print_text, print_traceback
from tui.exits import CommandError, Exit, archive_error

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SCREEN = "screen"
CALL = "ACCOUNT:ID | LINK"
"""How a call is named: `tui.links`."""
MASKED = "mask numbers and names, and hide what people wrote"
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
    """Run one command; the exit code is of `Exit`."""
    streams.open_closed()
    sys.excepthook = print_traceback
    if argv is None:  # the program itself, not a test
        from tui.process import take_tokens

        take_tokens()
    words = list(sys.argv[1:] if argv is None else argv)
    _encode(words)
    try:
        try:
            return run(_parsed(words) if words else argparse.Namespace(**BARE))
        finally:
            sys.stdout.flush()
    except CommandError as error:  # of the words; `run` has its own
        print_failure(error)
        return error.code
    except KeyboardInterrupt:
        print_error("Interrupted; what had come is kept.")
        return Exit.FAILED
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader (head, less) has gone
            return Exit.DONE
        print_failure(CommandError(str(error), "See whether the disk has room."))
        return Exit.FAILED
    finally:
        streams.end(sys.stdout)
        streams.end(sys.stderr)


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

    from tui.archive import ArchiveTrouble
    from tui.archive.damage import READING
    from tui.log import clean_last_resort
    from tui.paths import private_umask
    from tui.process import end_in_order, harden_process
    from tui.settings import SettingsError

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
        return Exit.FAILED
    except READING as error:
        from tui.services import damage_behind

        if trouble := damage_behind(error):
            print_failure(archive_error(trouble))
            return Exit.FAILED
        raise
    except SettingsError as error:
        print_failure(CommandError(error.message, error.hint), told)
        return Exit.FAILED
    except CommandError as error:
        print_failure(error, told)
        return error.code


def _wrong_settings() -> list[str]:
    """What of config.toml cannot be obeyed, lest a command does without it in silence."""
    from tui.accounts import AccountStore
    from tui.paths import Paths
    from tui.settings import load_settings

    paths = Paths.default()
    return [*load_settings(paths).problems, *AccountStore(paths).read()[1]][:MOST_TOLD]


def _parsed(words: list[str]) -> argparse.Namespace:
    parser, commands = build_parser()
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
            Exit.USAGE,
        )
    return [*words[1:], "--help"]


def _did_you_mean(word: str, commands: Iterable[str]) -> str:
    from tui.slips import SURE, nearest

    near = nearest(word.lower(), commands, SURE)
    return f"; did you mean {near}?" if near else ""


def _no_slip(word: str, commands: frozenset[str]) -> None:
    """A first word that is nearly a command's name is no query, unless it means something there.

    Raises `CommandError`.
    """
    from tui.query import KEYWORDS

    if not word.isalpha() or word.lower() in KEYWORDS:
        return
    if near := _did_you_mean(word, commands - {SCREEN} | {"help", "version"}):
        raise CommandError(
            f"there is no command {word}{near}",
            f"To look for the word: ringback -- {word}",
            Exit.USAGE,
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
        from tui import cli_accounts

        return cli_accounts.run
    if command in ("sync", "import"):
        from tui import cli_sync

        return cli_sync.run
    if command in ("calls", "show"):
        from tui import cli_calls

        return cli_calls.run
    if command == "refresh":
        from tui import cli_refresh

        return cli_refresh.run
    if command == "triage":
        from tui import cli_triage

        return cli_triage.run
    if command == "hold":
        from tui import cli_hold

        return cli_hold.run
    if command == "download":
        from tui import cli_recordings

        return cli_recordings.run
    if command == "play":
        from tui import cli_play

        return cli_play.run
    if command in ("purge", "audit"):
        from tui import cli_away

        return cli_away.run
    if command == "speaker":
        from tui import cli_speaker

        return cli_speaker.run
    if command in ("doctor", "paths"):
        from tui import cli_doctor

        return cli_doctor.run
    from tui import cli_screen

    return cli_screen.run


def build_parser() -> tuple[argparse.ArgumentParser, frozenset[str]]:
    """The parser, and the names of its commands."""
    parser: argparse.ArgumentParser = Parser(
        prog="ringback",
        usage="ringback [--account NAME] [--view NAME | QUERY]\n       ringback COMMAND ...",
        description="Browse the calls of your telephony vendors, and hear their recordings.",
        epilog="Without a command the screen opens; a QUERY there narrows the calls: "
        "ringback 'yesterday in missed'; behind -- any word is one. `ringback help COMMAND` says "
        "more of one. Exit codes: 0 done, 1 failed, 2 wrong usage, "
        "3 part of it failed, 4 a token is missing or refused.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", prog="ringback")
    _add_screen(commands)
    _add_accounts(commands)
    _add_calls(commands)
    _add_rest(commands)
    _add_speaker(commands)
    return parser, frozenset(commands.choices)


class Parser(argparse.ArgumentParser):
    """What it says quotes the words of the command line, and they may come from anywhere."""

    def _print_message(self, message: str, file: Any = None) -> None:
        say = print_text if file is sys.stdout else print_error
        say(message.removesuffix("\n"))


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than to parse a line."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print_text(f"ringback {version('ringback')}")
        parser.exit()


def _add_screen(commands: Commands) -> None:
    screen = commands.add_parser(SCREEN)  # what stands behind `ringback` alone; not in the help
    screen.add_argument("--account", metavar="NAME", help="show one account")
    screen.add_argument("--masked", action="store_true", help=MASKED)
    chosen = screen.add_mutually_exclusive_group()
    chosen.add_argument("--view", metavar="NAME", help="open a view")
    chosen.add_argument(
        "query", nargs="*", type=str.strip, default=[], metavar="QUERY", help="narrow the calls"
    )
    opening = commands.add_parser("open", help="open the screen on a call")
    opening.add_argument("call", metavar="LINK | ACCOUNT:ID", help="ringback://desk/1234?t=3m12s")
    demo = commands.add_parser(
        "demo", help="three synthetic vendors on this machine, and the screen"
    )
    demo.add_argument(
        "--port", type=int, default=0, metavar="N", help="ports N to N+3 (default: free ones)"
    )


def _add_accounts(commands: Commands) -> None:
    accounts = commands.add_parser("accounts", help="add, list, test, bind and remove accounts")
    actions = accounts.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="add an account; asks for its token on a terminal")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--provider", required=True, metavar="VENDOR", help="liner, cinnox or nectar")
    add.add_argument("--base-url", required=True, metavar="URL")
    add.add_argument("--app-id", metavar="ID", help="CINNOX: the App ID")
    add.add_argument("--order", metavar="IDS", help="Liner: order ids, for example 1-20,35")
    add.add_argument("--lead", metavar="IDS", help="Liner: lead ids")
    add.add_argument(
        "--ids", metavar="IDS", help="Nectar Desk: call ids, for example 1000-1060,1071"
    )
    add.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of another vendor",
    )
    add.add_argument(
        "--region", metavar="CC", help="country of numbers without a country code, e.g. GB"
    )
    add.add_argument("--replace", action="store_true", help="change the account of that name")
    token = add.add_mutually_exclusive_group()
    token.add_argument(
        "--token-stdin", action="store_true", help="read the token from standard input"
    )
    token.add_argument("--token-command", metavar="CMD", help="a command that prints the token")
    listing = actions.add_parser("list", help="the accounts and where their tokens come from")
    listing.add_argument("name", nargs="?", metavar="NAME")
    listing.add_argument("--json", action="store_true")
    test = actions.add_parser("test", help="ask the vendor whether the token is good")
    test.add_argument("name", nargs="?", metavar="NAME")
    bind = actions.add_parser("bind", help="let the token go to where the base URL is now")
    bind.add_argument("name", metavar="NAME")
    bind.add_argument("origin", nargs="?", metavar="ORIGIN", help="that place; without it: asks")
    remove = actions.add_parser(
        "remove", help="remove an account, its token, its calls, and their triage"
    )
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--keep-calls", action="store_true", help="leave its calls in the archive")
    remove.add_argument("--yes", action="store_true", help="do not ask")


def _add_period(parser: argparse.ArgumentParser) -> None:
    when = "a date, an ISO time, 7d, 24h, today or yesterday"
    parser.add_argument("--since", metavar="WHEN", help=when)
    parser.add_argument("--until", metavar="WHEN", help=when)


def _add_calls(commands: Commands) -> None:
    sync = commands.add_parser("sync", help="bring calls from the vendors into the archive")
    sync.add_argument("accounts", nargs="*", metavar="ACCOUNT", help="which (default: all)")
    _add_period(sync)
    sync.add_argument(
        "--recordings",
        action="store_true",
        help="also ask for each call's list of recordings, and again where more may have come",
    )
    sync.add_argument(
        "--discover",
        type=int,
        nargs="?",
        const=20,
        default=0,
        metavar="N",
        help="Nectar Desk: go on above the highest id until N in a row are unknown (20)",
    )
    sync.add_argument(
        "--debug", action="store_true", help="log every request (no token, no address)"
    )
    importing = commands.add_parser(
        "import", help="import saved bodies of Nectar Desk (REST or webhook)"
    )
    importing.add_argument("account", metavar="ACCOUNT")
    importing.add_argument(
        "file", metavar="FILE", help="JSON in any form, also in gzip; - for standard input"
    )
    refresh = commands.add_parser("refresh", help="ask the vendors anew for single calls")
    refresh.add_argument("calls", nargs="+", metavar=CALL)
    refresh.add_argument("--json", action="store_true", help="one JSON object a line")
    calls = commands.add_parser("calls", help="list calls of the archive, newest first")
    calls.add_argument("query", nargs="*", type=str.strip, default=[], metavar="QUERY")
    calls.add_argument("--account", metavar="NAME")
    _add_period(calls)
    calls.add_argument("--limit", type=int, metavar="N")
    calls.add_argument("--masked", action="store_true", help=MASKED)
    form = calls.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument("--csv", action="store_true", help="for spreadsheets: text stays that text")
    calls.add_argument(
        "--columns", metavar="NAMES", help="text and CSV: the table's columns, with commas"
    )
    calls.add_argument(
        "--csv-phones",
        choices=("safe", "e164"),
        help="CSV: +12025550123, 00042 with an apostrophe in front (safe), or as they are, for"
        " programs (e164)",
    )
    show = commands.add_parser("show", help="everything about one call")
    show.add_argument("call", metavar=CALL)
    show.add_argument("--json", action="store_true")
    show.add_argument("--masked", action="store_true", help=MASKED)
    show.add_argument("--raw", action="store_true", help="the vendor's own JSON")
    show.add_argument(
        "--with-urls", action="store_true", help="print the recordings' addresses too"
    )


def _add_rest(commands: Commands) -> None:
    download = commands.add_parser("download", help="fetch the recordings of a call")
    download.add_argument("call", metavar=CALL)
    download.add_argument("--output", metavar="DIR", default=".")
    play = commands.add_parser("play", help="play a call's recording, or a file")
    play.add_argument("what", metavar=f"{CALL} | FILE")
    play.add_argument("--speed", type=float, metavar="X", help="0.5 to 3")
    play.add_argument("--from", dest="start", metavar="m:ss", help="default: the link's time")
    play.add_argument("--words", action="store_true", help="print who speaks when; play nothing")
    purge = commands.add_parser("purge", help="remove calls and all that is kept of them for good")
    which = purge.add_mutually_exclusive_group(required=True)
    which.add_argument("--number", metavar="N", help="calls with this number, however written")
    which.add_argument("--before", metavar="WHEN", help="calls that began before")
    which.add_argument(
        "--retention", action="store_true", help="calls older than config.toml keeps them"
    )
    which.add_argument(
        "--deleted", action="store_true", help="calls that were deleted at the vendor"
    )
    purge.add_argument("--dry-run", action="store_true", help="only say what would go")
    purge.add_argument("--yes", action="store_true", help="do not ask")
    hold = commands.add_parser("hold", help="calls that nothing removes, or their release")
    hold.add_argument("words", nargs="*", type=str.strip, metavar="ACCOUNT:ID | QUERY")
    hold.add_argument("--reason", metavar="TEXT", help="why, for whoever wonders later")
    hold.add_argument("--release", action="store_true", help="a purge may take them again")
    hold.add_argument("--list", action="store_true", help="the calls on hold")
    hold.add_argument("--json", action="store_true", help="with --list: one JSON object a line")
    log = commands.add_parser("audit", help="who played, exported, revealed and purged what")
    log.add_argument("--since", metavar="WHEN")
    log.add_argument("--json", action="store_true", help="one JSON object a line")
    _add_triage(commands)
    doctor = commands.add_parser("doctor", help="what works here, what does not, and the cure")
    doctor.add_argument("--json", action="store_true")
    work = doctor.add_mutually_exclusive_group()
    work.add_argument("--deep", action="store_true", help="look at every row of the archive")
    work.add_argument(
        "--repair",
        action="store_true",
        help="make a new archive of what can be read of a damaged one",
    )
    commands.add_parser("paths", help="where Ringback keeps its files")


def _add_speaker(commands: Commands) -> None:
    speaker = commands.add_parser(
        "speaker",
        help="hear on this machine what a screen at the other end of ssh plays",
        usage="ringback speaker [USER@]HOST [-p PORT] [-i FILE] [-o OPTION] [-- SSH OPTION ...]",
        description="Run it where you sit. It starts Ringback at the other end through ssh, "
        "without any forwarding; the screen there finds it within a second. ctrl+c ends it. "
        "What stands behind -- goes to ssh as it is.",
    )
    speaker.add_argument("host", nargs="?", metavar="[USER@]HOST", help="as for ssh")
    for name, long, metavar in (
        ("-p", "port", "PORT"),
        ("-i", "identity", "FILE"),
        ("-o", "option", "OPTION"),
    ):
        speaker.add_argument(
            name, f"--{long}", action="append", default=[], metavar=metavar, help="for ssh"
        )
    speaker.add_argument(
        "--remote-command",
        default="ringback",
        metavar="CMD",
        help="how Ringback is started at the other end (default: ringback)",
    )
    speaker.add_argument("--ssh", default="ssh", metavar="CMD", help="another ssh program")
    speaker.add_argument(
        "--relay", action="store_true", help="the other end of it; started through ssh"
    )


def _add_triage(commands: Commands) -> None:
    triage = commands.add_parser(
        "triage",
        help="say what was decided about calls, or show it",
        description="Say what was decided about calls; without an option, show it. Several calls "
        "at once are one step of --undo.",
    )
    triage.add_argument("calls", nargs="*", metavar="ACCOUNT:ID")
    triage.add_argument("--state", metavar="S", help="new, open, follow-up, done or snoozed")
    triage.add_argument(
        "--until", metavar="WHEN", help="with snoozed: 1h, 14:30, tomorrow, 'mon 9:00', a date"
    )
    triage.add_argument("--note", metavar="TEXT", help="the calls' note; earlier ones are kept")
    triage.add_argument(
        "--comment",
        action="append",
        default=[],
        metavar="TEXT",
        help="at a time of the first recording: '3:12 refund promised'",
    )
    triage.add_argument(
        "--tag", action="append", default=[], metavar="T", help="give it; 'a, -b': take b away"
    )
    triage.add_argument("--untag", action="append", default=[], metavar="T", help="take it away")
    triage.add_argument(
        "--undo", action="store_true", help="take back your last step, or these calls' last one"
    )
    triage.add_argument("--json", action="store_true", help="one JSON object a line")


if __name__ == "__main__":
    sys.exit(main())
