"""The words of the command line: its commands, their options and their help."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli.argument_parser import PROGRAM, Parser
from tui.cli.json_fields import ALL_FIELDS, json_fields
from tui.console import print_text

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SCREEN = "screen"
USAGE = "ringback [--account NAME] [--view NAME | QUERY]\n       ringback COMMAND ..."
CALL = "ACCOUNT:ID | LINK"
"""How a call is named: `tui.call_links`."""
WHEN = "a date, an ISO time, 7d, 24h, today or yesterday"
BREAKDOWNS = ("hour", "day", "weekday", "agent", "group", "account")
MASKED = "mask numbers and names, and hide what people wrote"


def build_parser(vendors: bool = False) -> tuple[argparse.ArgumentParser, frozenset[str]]:
    """The parser, and the names of its commands; with the `vendors`' own options, for which they
    are loaded, where ``accounts add`` is asked for.
    """
    parser: argparse.ArgumentParser = Parser(
        prog=PROGRAM,
        usage=USAGE,
        description="Browse the calls of your telephony vendors, and hear their recordings.",
        epilog="""\
Without a command the screen opens; a QUERY narrows the calls there, and behind -- any word is one.
`ringback help COMMAND` says more of a command.

exit codes:
  0 done   1 failed   2 wrong usage   3 part of it failed   4 a token is missing or refused
""",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", prog=PROGRAM, title="commands"
    )
    _add_screen(commands)
    _add_accounts(commands, vendors)
    _add_calls(commands)
    _add_rest(commands)
    _add_speaker(commands)
    return parser, frozenset(commands.choices)


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than to parse a line."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print_text(f"ringback {version('ringback')}")
        parser.exit()


def _add_screen(commands: Commands) -> None:
    # what stands behind `ringback` alone; not in the help
    add_screen_arguments(commands.add_parser(SCREEN, prog=PROGRAM, usage=USAGE))
    opening = commands.add_parser("open", help="open the screen on a call")
    opening.add_argument("call", metavar="LINK | ACCOUNT:ID", help="ringback://desk/1234?t=3m12s")
    demo = commands.add_parser(
        "demo", help="three synthetic vendors on this machine, and the screen"
    )
    demo.add_argument(
        "--port", type=int, default=0, metavar="N", help="ports N to N+3 (default: free ones)"
    )


def add_screen_arguments(screen: argparse.ArgumentParser) -> None:
    """The options of the screen, which stand behind `ringback` without a command."""
    screen.add_argument("--account", metavar="NAME", help="show one account")
    screen.add_argument("--masked", action="store_true", help=MASKED)
    chosen = screen.add_mutually_exclusive_group()
    chosen.add_argument("--view", metavar="NAME", help="open a view")
    chosen.add_argument(
        "query", nargs="*", type=str.strip, default=[], metavar="QUERY", help="narrow the calls"
    )


def _add_accounts(commands: Commands, vendors: bool) -> None:
    accounts = commands.add_parser("accounts", help="add, list, test, bind and remove accounts")
    actions = accounts.add_subparsers(
        dest="action", metavar="ACTION", required=True, title="actions"
    )
    add = actions.add_parser("add", help="add an account; asks for its token on a terminal")
    add.add_argument("name", metavar="NAME", help="how you call it: desk, sales-uk")
    provider = add.add_argument("--provider", required=True, metavar="VENDOR")
    add.add_argument(
        "--base-url", required=True, metavar="URL", help="where its web console is: https://..."
    )
    if vendors:
        from providers import registry
        from tui.cli.vendor_options import add_vendor_options

        provider.help = ", ".join(registry.names())
        add_vendor_options(add)
    add.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting by its name in config.toml",
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
    listing.add_argument("name", nargs="?", metavar="NAME", help="which (default: all)")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    test = actions.add_parser("test", help="ask the vendor whether the token is good")
    test.add_argument("name", nargs="?", metavar="NAME", help="which (default: all)")
    bind = actions.add_parser("bind", help="let the token go to where the base URL is now")
    bind.add_argument("name", metavar="NAME", help="which")
    bind.add_argument("origin", nargs="?", metavar="ORIGIN", help="that place; without it: asks")
    remove = actions.add_parser(
        "remove", help="remove an account, its token, its calls, and their triage"
    )
    remove.add_argument("name", metavar="NAME", help="which")
    remove.add_argument("--keep-calls", action="store_true", help="leave its calls in the archive")
    remove.add_argument("--yes", action="store_true", help="do not ask")


def _add_period(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="WHEN", help=WHEN)
    parser.add_argument("--until", metavar="WHEN", help=WHEN)


def _add_query(parser: argparse.ArgumentParser) -> None:
    """Which calls."""
    parser.add_argument(
        "query",
        nargs="*",
        type=str.strip,
        default=[],
        metavar="QUERY",
        help="which calls: as in the screen's query line",
    )
    parser.add_argument("--account", metavar="NAME", help="of one account")
    _add_period(parser)


def _add_json(parser: argparse._ActionsContainer) -> None:
    """``--json`` alone, or with the names of fields: `tui.cli.words` tells them from a query."""
    parser.add_argument(
        "--json",
        nargs="?",
        const=ALL_FIELDS,
        type=json_fields,
        metavar="FIELDS",
        help="one JSON object a line; of these fields alone, with commas: id,contact.name",
    )


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
        help="vendors that give calls by id: go on above the highest until N in a row are unknown"
        " (20)",
    )
    sync.add_argument(
        "--debug", action="store_true", help="log every request (no token, no address)"
    )
    importing = commands.add_parser(
        "import", help="import saved bodies (REST or webhook) of a vendor that gives calls by id"
    )
    importing.add_argument("account", metavar="ACCOUNT", help="whose calls they are")
    importing.add_argument(
        "file", metavar="FILE", help="JSON in any form, also in gzip; - for standard input"
    )
    _add_listing(commands)


def _add_stats(commands: Commands) -> None:
    stats = commands.add_parser("stats", help="what happened at the desk, in figures")
    _add_query(stats)
    stats.add_argument("--by", choices=BREAKDOWNS, help="a table of the calls of each")
    form = stats.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="all figures in one JSON object")
    form.add_argument("--csv", action="store_true", help="the table of --by (default: day)")
    form.add_argument(
        "--prometheus", action="store_true", help="for a scraper: Prometheus's text format"
    )
    form.add_argument(
        "--watch",
        type=float,
        nargs="?",
        const=10.0,
        metavar="S",
        help="show them anew every S seconds (10), until ctrl+c",
    )


def _add_listing(commands: Commands) -> None:
    refresh = commands.add_parser("refresh", help="ask the vendors anew for single calls")
    refresh.add_argument("calls", nargs="+", metavar=CALL, help="which")
    refresh.add_argument("--json", action="store_true", help="one JSON object a line")
    calls = commands.add_parser("calls", help="list calls of the archive, newest first")
    _add_query(calls)
    calls.add_argument("--limit", type=int, metavar="N", help="the first N alone")
    calls.add_argument("--masked", action="store_true", help=MASKED)
    form = calls.add_mutually_exclusive_group()
    _add_json(form)
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
    _add_stats(commands)
    show = commands.add_parser("show", help="everything about one call")
    show.add_argument("call", metavar=CALL, help="which")
    _add_json(show)
    show.add_argument("--masked", action="store_true", help=MASKED)
    show.add_argument("--raw", action="store_true", help="the vendor's own JSON")
    show.add_argument(
        "--with-urls", action="store_true", help="print the recordings' addresses too"
    )


def _add_rest(commands: Commands) -> None:
    download = commands.add_parser("download", help="fetch the recordings of a call")
    download.add_argument("call", metavar=CALL, help="which")
    download.add_argument(
        "--output", metavar="DIR", default=".", help="a folder (default: this one)"
    )
    play = commands.add_parser("play", help="play a call's recording, or a file")
    play.add_argument("what", metavar=f"{CALL} | FILE", help="a call, or a file of sound")
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
    hold.add_argument(
        "words", nargs="*", type=str.strip, metavar="ACCOUNT:ID | QUERY", help="which"
    )
    hold.add_argument("--reason", metavar="TEXT", help="why, for whoever wonders later")
    hold.add_argument("--release", action="store_true", help="a purge may take them again")
    hold.add_argument("--list", action="store_true", help="the calls on hold")
    hold.add_argument("--json", action="store_true", help="with --list: one JSON object a line")
    log = commands.add_parser("audit", help="who played, exported, revealed and purged what")
    log.add_argument("--since", metavar="WHEN", help=WHEN)
    log.add_argument("--json", action="store_true", help="one JSON object a line")
    _add_triage(commands)
    _add_receive(commands)
    doctor = commands.add_parser("doctor", help="what works here, what does not, and the cure")
    doctor.add_argument("--json", action="store_true", help="one JSON object a line")
    work = doctor.add_mutually_exclusive_group()
    work.add_argument("--deep", action="store_true", help="look at every row of the archive")
    work.add_argument(
        "--repair",
        action="store_true",
        help="make a new archive of what can be read of a damaged one",
    )
    commands.add_parser("paths", help="where Ringback keeps its files")
    completions = commands.add_parser(
        "completions", help="a script that completes commands, options and names in your shell"
    )
    completions.add_argument(
        "shell", nargs="?", choices=("bash", "zsh", "fish"), help="of which shell"
    )
    completions.add_argument(
        "--names", choices=("accounts", "views"), help="only print these names, for such a script"
    )


def _add_receive(commands: Commands) -> None:
    receive = commands.add_parser(
        "receive", help="receive the vendors' webhooks, so that calls come by themselves"
    )
    receive.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (127.0.0.1)"
    )
    receive.add_argument("--port", type=int, default=8765, metavar="N", help="at which port (8765)")
    receive.add_argument(
        "--addresses", action="store_true", help="print what to enter at the vendors; then end"
    )


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
    triage.add_argument("calls", nargs="*", metavar="ACCOUNT:ID", help="which")
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
