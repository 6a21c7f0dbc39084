"""`ringback triage`: the same events as the screen's keys, for scripts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tui import audit_log
from tui.archive import codec
from tui.archive.interface import CallArchive
from tui.archive.tag_edits import tag_changes
from tui.archive.triage_events import (
    UNTIMED,
    CallName,
    Change,
    Undone,
    comment,
    described,
    note,
    state,
    timed,
    untag,
)
from tui.cli.call_names import find_call
from tui.cli.errors import print_not_backed_up
from tui.console import print_data, print_error, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.query.dates import parse_later
from tui.services import Services


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    changes = _changes(services, arguments)
    if arguments.undo and changes:
        raise CommandError("--undo stands alone", "Undo first, then change.", ExitCode.USAGE)
    if not (arguments.calls or arguments.undo):
        raise CommandError(
            "name the calls", "For example: ringback triage desk:1234", ExitCode.USAGE
        )
    with services.open_archive() as archive:
        names, unknown = _known(services, archive, arguments.calls)
        if arguments.undo and (names or not arguments.calls):
            names = _undo(services, archive, names)
        elif names and changes:
            archive.triage.append(names, changes, services.person)
        for name in names:
            _print(archive, name, arguments.json)
        print_not_backed_up(archive)
    for text in unknown:
        print_error(f"ringback: there is no call {text} in the archive")
    if not unknown:
        return ExitCode.DONE
    return ExitCode.PARTLY if names else ExitCode.FAILED


def _changes(services: Services, arguments: argparse.Namespace) -> list[Change]:
    """What the options ask for. Raises `CommandError`."""
    changes: list[Change] = []
    wanted = (arguments.state or "").lower()
    try:
        if arguments.until and wanted != "snoozed":
            raise ValueError("--until goes with --state snoozed")
        if wanted == "snoozed" and not arguments.until:
            raise ValueError("--state snoozed needs --until, for example --until tomorrow")
        if wanted:
            until = None
            if arguments.until:
                until = parse_later(arguments.until, services.now(), services.zone).timestamp()
            changes.append(state(wanted, until))
        if arguments.note is not None:
            changes.append(note(arguments.note))
        changes += [comment(*_timed(text)) for text in arguments.comment]
        # the shell has taken the quotes that keep a tag of several words one
        given = [tag_changes(text, blanks_part=False) for text in arguments.tag]
        taken = [tag_changes(text, blanks_part=False) for text in arguments.untag]
        changes += [change for several in given for change in several]
        changes += [untag(change.body["tag"]) for several in taken for change in several]
    except ValueError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from None
    return changes


def _timed(text: str) -> tuple[str, float]:
    if (said := timed(text)) is None:
        raise ValueError(f"--comment: {UNTIMED}")
    return said


def _known(
    services: Services, archive: CallArchive, texts: Sequence[str]
) -> tuple[list[CallName], list[str]]:
    """The calls that the archive has, each once, and the texts that name none of them."""
    names: dict[CallName, None] = {}
    unknown = []
    for text in texts:
        _, link = find_call(services, text)
        if archive.key_of(link.account, link.id) is not None:
            names[link.account, link.id] = None
        else:
            unknown.append(text)
    return list(names), unknown


def _undo(services: Services, archive: CallArchive, names: list[CallName]) -> list[CallName]:
    """Take back a step; the calls of it. Raises `CommandError` when there is none."""
    log, person = archive.triage, services.person
    undone: Undone | None = log.undo_of(names, person) if names else log.undo(person)
    if undone is None:
        raise CommandError("there is nothing to undo" + ("" if names else f" by {person}"))
    kinds = [change.kind for change in undone.changes]
    audit_log.record_holds(services.paths, undone.calls, kinds, undone=True)
    print_error(f"ringback: undone: {described(undone.changes)}")
    return list(undone.calls)


def _print(archive: CallArchive, name: CallName, as_json: bool) -> None:
    account, id_ = name
    decided = archive.triage.of(*name)
    triage = decided.printed()
    if as_json:
        print_data(codec.dumps({"account": account, "id": id_, "triage": triage}))
        return
    tags = ", ".join(triage["tags"])
    snoozed = decided.state == "snoozed"
    until = f" until {codec.moment_text(decided.snoozed_until)}" if snoozed else ""
    shown = f"{decided.state}{until}"
    parts = (f"{account}:{id_}", shown, triage["note"], tags and f"tags: {tags}")
    signed = triage["by"] and f"{triage['by']}, {triage['at']}"
    print_text("  ".join(filter(None, (*parts, signed))))
