"""`ringback hold`: calls that nothing removes, until somebody releases them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from providers.counts import counted
from tui import audit_log, call_links
from tui.archive import codec
from tui.archive.interface import CallArchive
from tui.archive.triage_events import RELEASE, CallName, hold, standing
from tui.cli.errors import print_not_backed_up
from tui.console import print_data, print_error, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.query.parser import Query, Term
from tui.services import Services

HELD = Query((Term("mark", "held"),))


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    if arguments.list:
        return _list(services, arguments)
    if not arguments.words:
        raise CommandError(
            "name the calls, or a query that finds them",
            "For example: ringback hold desk:1234 --reason 'case 12'",
            ExitCode.USAGE,
        )
    if arguments.release and arguments.reason:
        raise CommandError("--reason goes with a hold", code=ExitCode.USAGE)
    try:
        change = RELEASE if arguments.release else hold(arguments.reason or "")
    except ValueError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from None
    with services.open_archive() as archive:
        names, unknown = _wanted(services, archive, arguments.words)
        changed = [name for name in names if _changes(archive, name, arguments)]
        archive.triage.append(changed, [change], services.person)
        audit_log.record_holds(services.paths, changed, [change.kind])
        print_not_backed_up(archive)
    for text in unknown:
        print_error(f"ringback: there is no call {text} in the archive")
    if names:
        _say(arguments.release, len(names), len(changed))
    elif not unknown:
        print_text("No such call is in the archive.")
        return ExitCode.FAILED
    return ExitCode.DONE if not unknown else ExitCode.PARTLY if names else ExitCode.FAILED


def _changes(archive: CallArchive, name: CallName, arguments: argparse.Namespace) -> bool:
    """Whether a call is not what is wanted yet; another reason is a change too."""
    held = archive.triage.of(*name).held
    if arguments.release:
        return held is not None
    return held is None or bool(arguments.reason and held != arguments.reason)


def _say(released: bool, calls: int, changed: int) -> None:
    what = "released; a purge may take them again" if released else "on hold; nothing removes them"
    print_text(f"{counted(changed, 'call')} {what}.")
    if changed < calls:
        print_text(
            f"{counted(calls - changed, 'call')} {'not on hold' if released else 'held'} before."
        )


def _wanted(
    services: Services, archive: CallArchive, words: Sequence[str]
) -> tuple[list[CallName], list[str]]:
    """The calls that are named, or that a query finds; and names of none. Raises `CommandError`.

    An account need not be there any more: its calls on hold are.
    """
    known = {*archive.counts_by_account(), *(account.name for account in services.accounts.list())}
    known = {name.lower() for name in known}
    named = [link for word in words if (link := _link(word)) and link.account.lower() in known]
    if len(named) == len(words):
        found = {link.name: archive.key_of(link.account, link.id) for link in named}
        keys = [key for key in found.values() if key is not None]
        unknown = [name for name, key in found.items() if key is None]
        return list(dict.fromkeys(archive.names_of(keys))), unknown
    return archive.names_of(archive.keys(_query(services, words))), []


def _link(word: str) -> call_links.Link | None:
    try:
        return call_links.parse(word)
    except ValueError:
        return None


def _query(services: Services, words: Sequence[str]) -> Query:
    from tui.cli.query_arguments import query_of

    return query_of(services, argparse.Namespace(query=words, account=None))


def _list(services: Services, arguments: argparse.Namespace) -> int:
    with services.open_archive() as archive:
        keys = archive.keys(_query(services, arguments.words) & HELD)
        for entry in _held(archive, archive.names_of(keys)):
            if arguments.json:
                print_data(codec.dumps(entry))
                continue
            why = f": {entry['reason']}" if entry["reason"] else ""
            signed = f"{entry['by']}, {entry['at']}"
            print_text(f"{entry['account']}:{entry['id']}  on hold{why}  ({signed})")
    return ExitCode.DONE


def _held(archive: CallArchive, names: Sequence[CallName]) -> Iterator[dict[str, str | None]]:
    """Which calls are on hold, why, by whom and since when."""
    for account, id_ in names:
        events = standing(archive.triage.events(account, id_))
        last = [event for event in events if event.kind == "hold"][-1]
        reason = archive.triage.of(account, id_).held
        at = codec.moment_text(last.at)
        yield {"account": account, "id": id_, "reason": reason, "by": last.by, "at": at}
