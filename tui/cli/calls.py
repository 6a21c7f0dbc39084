"""`ringback calls` and `ringback show`: what the archive has, as text, JSON or CSV."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Sequence

from providers.counts import counted
from providers.errors import ProviderError
from providers.model import Call
from providers.sanitize import safe_json, safe_text
from tui import audit_log, call_links
from tui.archive import codec
from tui.archive.errors import REPAIR, ArchiveDamaged, reading
from tui.archive.interface import CallArchive
from tui.archive.records import is_unreadable
from tui.config.accounts import Account, AccountError, UnknownAccount, configured
from tui.console import data_sink, print_data, print_error, print_failure, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.export import csv_json
from tui.query.dates import period
from tui.query.parser import HasField, Problem, Query, Term, parse
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
    return (
        _show(services, arguments) if arguments.command == "show" else _calls(services, arguments)
    )


# -- calls


def _calls(services: Services, arguments: argparse.Namespace) -> int:
    query = asked_query(services, arguments)
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
        _print_doubts(text, _doubts(services, archive, query))
        keys = archive.keys(query, limit=arguments.limit)
        if not keys and arguments.limit != 0:
            _print_doubts(text, archive.spelling_suggestions(query))
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
    return _told_damaged(damaged, unread)


def _told_damaged(damaged: int, names: Sequence[str]) -> int:
    """Say how many calls were left out because they cannot be read; the exit code."""
    if not damaged:
        return ExitCode.DONE
    some = f": {', '.join(names[:NAMED])}" if names else ""
    some += f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    print_failure(CommandError(f"left out: {counted(damaged, 'damaged call')}{some}", REPAIR))
    return ExitCode.PARTLY


def _doubts(services: Services, archive: CallArchive, query: Query) -> Iterable[Problem]:
    """Which names of a query no call has."""
    if not query.names or not archive.counts_by_account():
        return ()
    return archive.unknown_names(query, configured(services.accounts.list()))


def _print_doubts(text: str, doubts: Iterable[Problem]) -> None:
    """Say on standard error what of a query nothing has. That is no failure: the next sync may
    bring it, and nothing found is an answer.
    """
    for doubt in doubts:
        print_failure(CommandError(doubt.message, _marked(text, doubt)))


def _masked(bodies: Iterable[csv_json.Body], unread: list[str]) -> Iterator[csv_json.Body]:
    """Calls as others may see them; `unread` as in `Archive.bodies`."""
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
            csv_json.write_json(data_sink(), counted)
        else:
            plain = arguments.csv_phones == "e164"
            csv_json.write_csv(data_sink(), counted, fields, for_programs=plain)
    finally:
        form = "json" if arguments.json else "csv"
        accounts = sorted(exported.accounts)
        audit_log.record(
            services.paths, audit_log.EXPORT, form=form, calls=exported.calls, accounts=accounts
        )


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


def _removed_account(services: Services, name: str, error: AccountError) -> str | None:
    """The name of an account that is no more and left calls here: those on hold."""
    if not isinstance(error, UnknownAccount) or not services.paths.archive_file.exists():
        return None
    with services.open_archive() as archive:
        return next(
            (one for one in archive.counts_by_account() if one.lower() == name.lower()), None
        )


def _has_field(services: Services) -> HasField:
    """Looked up only for words that are none of the known fields."""

    def has(word: str) -> bool:
        with services.open_archive() as archive:
            return archive.has_field(word)

    return has


def asked_query(services: Services, arguments: argparse.Namespace) -> Query:
    """The query of a command line: its words, `--account`, `--since` and `--until`.

    Raises `CommandError` for what is not understood, with the place.
    """
    now, zone = services.now(), services.zone
    text = " ".join(arguments.query)
    query = parse(text, now, zone, _has_field(services))
    if query.problems:
        problem = query.problems[0]
        raise CommandError(problem.message, _marked(text, problem), ExitCode.USAGE)
    terms: list[Term] = []
    if arguments.account:
        try:
            name = services.accounts.get(arguments.account).name
        except AccountError as error:
            left = _removed_account(services, arguments.account, error)
            if left is None:
                raise CommandError(error.message, error.hint, ExitCode.USAGE) from None
            name = left
        terms.append(Term("field", name, "account"))
    if getattr(arguments, "since", None) or getattr(arguments, "until", None):
        try:
            since, until = period(arguments.since, arguments.until, now, zone)
        except ValueError as error:
            raise CommandError(str(error), code=ExitCode.USAGE) from None
        # a bound of its own kind, so that it narrows a period in the query's words
        low = since.timestamp() if since else 0.0
        high = until.timestamp() if until else 32_503_680_000.0
        terms.append(Term("bound", "", low=low, high=high))
    return query & Query(tuple(terms))


def _marked(text: str, problem: Problem) -> str:
    """The line, and below it signs under the piece that was not understood."""
    from rich.cells import cell_len

    before, piece = text[: problem.start], text[problem.start : problem.stop]
    indent, length = (cell_len(safe_text(part)) for part in (before, piece))
    return f"  {text}\n  {' ' * indent}{'^' * max(1, length)}"


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


# -- show


def split_name(services: Services, name: str) -> tuple[Account, str]:
    """``account:id`` or a link as the account and the call's id. Raises `CommandError`."""
    account, link = read_name(services, name)
    return account, link.id


def read_name(services: Services, name: str) -> tuple[Account, call_links.Link]:
    """``account:id`` or a link, and the account. Raises `CommandError`."""
    try:
        link = call_links.parse(name)
    except ValueError as error:
        raise CommandError(str(error), call_links.FORM, ExitCode.USAGE) from None
    try:
        account = services.accounts.get(link.account)
    except AccountError as error:
        raise CommandError(error.message, error.hint, ExitCode.USAGE) from error
    return account, link._replace(account=account.name)


def wanted_call(services: Services, archive: CallArchive, account: Account, id_: str) -> Call:
    """The call of `look_up`, or a `CommandError` with what to do."""
    call, error = asyncio.run(look_up(services, archive, account, id_))
    if call is None:
        if error:
            from providers.errors import AuthError

            code = ExitCode.TOKEN if isinstance(error, AuthError) else ExitCode.FAILED
            raise CommandError(f"{account.name}: {error}", error.hint, code)
        raise CommandError(
            f"account {account.name} has no call {id_} in the archive",
            f"Bring its calls with: ringback sync {account.name}",
        )
    if error:
        print_error(f"{account.name}: not refreshed: {error}")
    return call


def _show(services: Services, arguments: argparse.Namespace) -> int:
    from tui.triage_section import masked_triage
    from widgets.masking import masked_call

    with services.open_archive() as archive:
        name, call = _call_to_show(services, archive, arguments.call)
        decided = archive.triage.of(name, call.id)
        triage = masked_triage(decided, call) if arguments.masked else decided
        page = _page(services, archive, name, call, arguments.masked)
        call = masked_call(call) if arguments.masked else call
    if (arguments.raw or arguments.with_urls) and not arguments.masked:
        audit_log.record(services.paths, audit_log.REVEAL, call=f"{name}:{call.id}")
    if arguments.raw:
        print_data(safe_json(json.dumps(call.raw, ensure_ascii=False, indent=2)))
    elif arguments.json:
        body = {**codec.encode(call), "triage": triage.printed()}
        print_data(codec.dumps(codec.printed(body, name, with_urls=arguments.with_urls)))
    else:
        _print_page(page, call, arguments.with_urls)
    return ExitCode.DONE


def _call_to_show(services: Services, archive: CallArchive, name: str) -> tuple[str, Call]:
    """The account's name and the call; also of an account that was removed, as it is here.
    Raises `CommandError`.
    """
    try:
        account, id_ = split_name(services, name)
    except CommandError as error:
        if not isinstance(error.__cause__, UnknownAccount):
            raise
        link = call_links.parse(name)
        left = _removed_account(services, link.account, error.__cause__)
        call = left and archive.call_by_id(left, link.id)
        if not left or not call:
            raise
        return left, call
    return account.name, wanted_call(services, archive, account, id_)


async def look_up(
    services: Services, archive: CallArchive, account: Account, id_: str
) -> tuple[Call | None, ProviderError | None]:
    """A call of the archive, with its recordings asked for if there may be more; or the
    vendor's, if the archive lacks it. What the vendor refused is the second value.
    """
    from providers import registry
    from tui.error_boundary import error_boundary
    from tui.recordings.download import renewed, with_known_recordings
    from tui.sync.recheck import is_due

    call = archive.call_by_id(account.name, id_)
    if call and not is_due(archive, account.name, call, services.now()):
        return call, None
    try:
        with error_boundary(services.paths, account.name):
            if call and not registry.load(account.provider).capabilities.separate_recordings:
                return call, None
            token = await services.token(account)
            login = services.login(account, token, archive)
            provider = services.provider(account, login)
            if call is None and not provider.capabilities.gets_one_call:
                return None, None
            async with provider:
                if call is None:
                    new = Call(id_, account.provider)
                    call = await renewed(provider, archive, account.name, new)
                else:
                    call = await with_known_recordings(provider, archive, account.name, call)
                archive.write_if_possible(lambda: archive.save_names(account.name, login.names))
    except ProviderError as error:
        return call, error
    return call, None


def _page(services: Services, archive: CallArchive, account: str, call: Call, masked: bool) -> str:
    from tui.triage_section import triage_section
    from widgets.call_document import Extra, plain_text
    from widgets.columns import Clock
    from widgets.masking import masked_call

    clock = Clock(services.now(), services.zone)
    extra = Extra(triage_section(archive, account, call, clock, masked))
    return plain_text(masked_call(call) if masked else call, account, clock, extra=extra)


def _print_page(page: str, call: Call, with_urls: bool) -> None:
    print_text(page)
    for recording in call.recordings if with_urls else ():
        print_text(recording.url or "")
