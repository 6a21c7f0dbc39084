"""`ringback calls`: calls of the archive as text, JSON or CSV."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from providers.counts import counted
from tui import audit_log
from tui.archive import codec
from tui.archive.errors import REPAIR, ArchiveDamaged, reading
from tui.archive.interface import CallArchive
from tui.archive.records import is_unreadable
from tui.cli.json_fields import picked
from tui.cli.query_arguments import marked, query_of
from tui.config.accounts import configured
from tui.console import data_sink, print_error, print_failure, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.export import csv_json
from tui.query.parser import Problem, Query
from tui.services import Services

NAMED = 20
"""Damaged calls that are named."""
TABLE_COLUMNS = (
    "time",
    "direction",
    "outcome",
    "contact",
    "number",
    "agents",
    "duration",
    "recording",
    "disposition",
)


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    query = query_of(services, arguments)
    if arguments.limit is not None and arguments.limit < 0:
        raise CommandError("--limit is 0 or more", code=ExitCode.USAGE)
    if arguments.csv_phones is not None and not arguments.csv:
        raise CommandError("--csv-phones goes with --csv", code=ExitCode.USAGE)
    if arguments.columns is not None and arguments.json:
        raise CommandError(
            "--columns goes with --csv and with text, not --json", code=ExitCode.USAGE
        )
    columns = _wanted_columns(arguments.columns)
    with services.open_archive() as archive:
        while archive.work_out_numbers():
            pass
        text = " ".join(arguments.query)
        _print_unknown(text, _unknown_names(services, archive, query))
        keys = archive.keys(query, limit=arguments.limit)
        if not keys and arguments.limit != 0:
            _print_unknown(text, archive.spelling_suggestions(query))
        if arguments.json or arguments.csv:
            unread: list[str] = []
            bodies = archive.export(keys, unread)
            if arguments.masked:
                bodies = _masked(bodies, unread)
            _export(services, arguments, columns, bodies)
            damaged = len(unread)
        else:
            columns = columns or TABLE_COLUMNS
            damaged = _print_table(services, archive, keys, columns, arguments.masked)
            unread = []
            if not keys and not archive.counts_by_account():
                print_error("The archive is empty; run: ringback sync")
    return _print_damaged(damaged, unread)


def _wanted_columns(text: str | None) -> Sequence[str]:
    """The table's columns that were asked for; none for the usual ones. Raises `CommandError`."""
    if text is None:
        return ()
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in csv_json.OF_COLUMN]
    if unknown or not wanted:
        raise CommandError(
            f"--columns {text}: there is no column {', '.join(unknown)}",
            f"There is: {', '.join(csv_json.OF_COLUMN)}.",
            ExitCode.USAGE,
        )
    return wanted


def _unknown_names(services: Services, archive: CallArchive, query: Query) -> Iterable[Problem]:
    """Which names of a query no call has."""
    if not query.names or not archive.counts_by_account():
        return ()
    return archive.unknown_names(query, configured(services.accounts.list()))


def _print_unknown(text: str, problems: Iterable[Problem]) -> None:
    """Say on standard error what of a query nothing has. That is no failure: the next sync may
    bring it, and nothing found is an answer.
    """
    for problem in problems:
        print_failure(CommandError(problem.message, marked(text, problem)))


def _masked(bodies: Iterable[csv_json.Body], unread: list[str]) -> Iterator[csv_json.Body]:
    """Calls as others may see them; `unread` as in `CallReader.export`."""
    from tui.triage_section import masked_decision
    from widgets.masking import masked_call

    for account, body in bodies:
        given = body.get("triage")
        try:
            with reading("a call"):
                plain = codec.decode(body, {}, None)
                call = codec.encode(masked_call(plain))
        except ArchiveDamaged:
            unread.append(f"{account}:{body['id']}")
            continue
        yield account, {**call, "triage": masked_decision(given, plain)} if given else call


def _export(
    services: Services,
    arguments: argparse.Namespace,
    columns: Sequence[str],
    bodies: Iterable[csv_json.Body],
) -> None:
    """The calls on standard output; the audit log has how many, also of those to a reader that
    went away.
    """
    exported = csv_json.Exported()
    counted = exported.count(bodies)
    fields = csv_json.fields_of(columns) if columns else csv_json.ALL_FIELDS
    try:
        if arguments.json:
            csv_json.write_json(data_sink(), counted, partial(picked, fields=arguments.json))
        else:
            plain = arguments.csv_phones == "e164"
            csv_json.write_csv(data_sink(), counted, fields, for_programs=plain)
    finally:
        form = "json" if arguments.json else "csv"
        accounts = sorted(exported.accounts)
        audit_log.record(
            services.paths, audit_log.EXPORT, form=form, calls=exported.calls, accounts=accounts
        )


def _print_table(
    services: Services,
    archive: CallArchive,
    keys: Sequence[int],
    names: Sequence[str],
    masked: bool,
) -> int:
    """One call a line, behind it ``account:id``; on a terminal with the columns' titles above.
    How many cannot be read.
    """
    from array import array

    from widgets.cells import fit
    from widgets.columns import COLUMNS, Clock
    from widgets.masking import Veil, VeiledRows

    clock = Clock(services.now(), services.zone)
    columns = [COLUMNS[name] for name in names]
    if keys and sys.stdout.isatty():
        print_text("  ".join([*(fit(column.title, column.width) for column in columns), "Call"]))
    found = archive.rows(keys if isinstance(keys, array) else array("q", keys))
    rows = VeiledRows(found, Veil(masked))
    damaged = 0
    for start in range(0, len(rows), 500):
        for row in rows.window(start, start + 500):
            if is_unreadable(row):
                damaged += 1
                continue
            name = f"{row.account}:{row.id}"
            cells = [fit(column.value(row, clock), column.width) for column in columns]
            print_text("  ".join([*cells, name]).rstrip())
    return damaged


def _print_damaged(damaged: int, names: Sequence[str]) -> int:
    """Say how many calls were left out because they cannot be read; the exit code."""
    if not damaged:
        return ExitCode.DONE
    some = f": {', '.join(names[:NAMED])}" if names else ""
    some += f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    print_failure(CommandError(f"left out: {counted(damaged, 'damaged call')}{some}", REPAIR))
    return ExitCode.PARTLY
