"""`ringback doctor --repair`: a new archive of what can be read of a damaged one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from providers.counts import counted
from tui.archive.errors import MOVE_AWAY, ArchiveDamaged, ArchiveUnavailable
from tui.archive.sqlite import Archive
from tui.archive.sqlite.connection import odd_file_beside
from tui.archive.sqlite.file_systems import refuse_network
from tui.cli.errors import print_not_backed_up
from tui.console import print_data, print_error, print_text
from tui.exit_codes import ExitCode
from tui.services import Services

if TYPE_CHECKING:
    from tui.archive.sqlite.repair import Repaired

NAMED = 20
"""Calls of lost decisions that are named; `--json` has all."""


def run(services: Services, *, as_json: bool) -> int:
    """Raises `ArchiveError`; then the archive is as before."""
    from tui.archive.sqlite.repair import Repaired, repair

    path = services.paths.archive_file
    refuse_network(path, services.environ)
    if odd := odd_file_beside(path):
        raise ArchiveUnavailable(f"the archive {path} cannot be repaired: {odd}", MOVE_AWAY)
    if path.exists() and _is_whole(services):
        found = Repaired()
        with services.open_archive() as archive:
            found.decisions_from_backup = archive.take_up_backup()
            found.backup_damaged = archive.mend_backup()
        if as_json:
            print_data(json.dumps(found.told()))
        else:
            _say_whole(found.decisions_from_backup)
            _say_backup(found.backup_damaged)
        return ExitCode.DONE
    found = repair(path, _say_progress, [one.name for one in services.accounts.list()])
    with services.open_archive() as archive:
        found.backup_damaged = archive.mend_backup()
        archive.back_up()
        print_not_backed_up(archive)
    if as_json:
        print_data(json.dumps(found.told()))
    else:
        _say(found)
        _say_backup(found.backup_damaged)
    return ExitCode.PARTLY if found.is_partly else ExitCode.DONE


def _is_whole(services: Services) -> bool:
    """After the deepest look, which writes nothing."""
    try:
        with Archive(services.paths.archive_file, only_read=True) as archive:
            return not archive.check(deep=True).faults
    except ArchiveDamaged:
        return False


def _say_whole(taken_up: int) -> None:
    if taken_up:
        print_text(f"The archive is whole. It has {_decisions(taken_up)} of its backup again.")
    else:
        print_text("The archive is whole; there is nothing to repair.")


def _say_backup(damaged: int) -> None:
    if damaged:
        lines = counted(damaged, "damaged line")
        print_text(f"The backup of the decisions had {lines}; it is written again without.")


def _say_progress(calls: int) -> None:
    if calls and calls % 10_000 == 0:
        print_error(f"{counted(calls, 'call')} so far ...")


def _say(found: Repaired) -> None:
    print_text(
        f"A new archive is there. It has {_decisions(found.decisions)}"
        f" ({found.decisions_from_backup:,} of them from the backup)"
        f" and {counted(found.calls, 'call')}."
    )
    if found.unread:
        print_text("Nothing of the damaged archive could be read.")
    if found.others:
        rows = ", ".join(f"{table} {count:,}" for table, count in found.others.items())
        print_text(f"Rows beside them: {rows}")
    if found.decisions_lost:
        names = ", ".join(found.lost_of[:NAMED])
        print_text(f"Lost: {_decisions(found.decisions_lost)}, about {names}")
    elif found.decisions_torn:
        print_text("Perhaps decisions are lost: a part of them could not be read.")
    if calls := found.of_unknown_accounts:
        text = f"Left out: {counted(len(calls), 'call')} of an account that nobody knows"
        print_text(f"{text}: {', '.join(calls[:NAMED])}")
    if found.calls_torn:
        many = (
            f"at least {counted(found.calls_lost, 'call')}" if found.calls_lost else "perhaps calls"
        )
        print_text(f"Lost: {many}. The vendors have them still; run: ringback sync")
    if found.kept:
        print_text(f"The damaged archive is kept as {found.kept}")
        print_text("It holds the same personal data: remove it when you miss nothing.")


def _decisions(count: int) -> str:
    return counted(count, "decision")
