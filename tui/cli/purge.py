"""`ringback purge`: calls that go for good."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from providers.counts import counted
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.archive.sqlite.purge import SHORTEST
from tui.call_links import held_text
from tui.cli.confirmation import ask_before
from tui.console import print_error, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.query.dates import parse_when
from tui.query.phone_numbers import digits
from tui.services import Services

if TYPE_CHECKING:
    from tui.removal import purge


def run(arguments: argparse.Namespace) -> int:
    from tui.archive.sqlite.replacement import kept_of
    from tui.removal import purge

    services = Services.build()
    with services.open_archive() as archive:
        keys = _wanted(services, archive, arguments)
        by_age = arguments.number is None and not arguments.deleted
        undated = archive.undated() if by_age else 0
        if not keys:
            print_text("No such call is in the archive; nothing was removed.")
            _say_undated(undated)
            return ExitCode.DONE
        found = purge.look(archive, keys)
        if arguments.dry_run:
            print_text(f"{_going(found)} would go." if found.calls else "Nothing would go.")
            say_held(found.held)
            _say_undated(undated)
            return ExitCode.DONE
        if not found.calls:
            say_held(found.held)
            return ExitCode.PARTLY
        if not arguments.yes:
            _ask(found)
        try:
            by = "retention" if arguments.retention else "vendor" if arguments.deleted else "before"
            done = purge.purge(services.paths, archive, keys, arguments.number, by)
        except (ArchiveError, OSError) as error:
            raise CommandError(
                f"not all could be removed: {error}",
                "Give the disk room for the archive once more, and run the same command again.",
            ) from None
    _say(done)
    _say_undated(undated)
    kept = kept_of(services.paths.archive_file)
    for path in kept:
        print_text(f"They may still be in a damaged archive that was kept; remove it: {path}")
    return ExitCode.DONE if done.rewritten and not done.held and not kept else ExitCode.PARTLY


def _wanted(services: Services, archive: CallArchive, arguments: argparse.Namespace) -> list[int]:
    if arguments.deleted:
        return archive.vanished()
    if arguments.retention:
        return archive.keys_before(_kept_since(services, archive))
    if arguments.number is None:
        try:
            before = parse_when(arguments.before, services.now(), services.zone)[0]
        except ValueError as error:
            raise CommandError(f"--before: {error}", code=ExitCode.USAGE) from None
        return archive.keys_before(before.timestamp())
    if len(digits(arguments.number)) < SHORTEST:
        raise CommandError(
            f"--number {arguments.number}: a number has {SHORTEST} digits or more",
            "Write it as the vendor does, for example +12025550123",
            ExitCode.USAGE,
        )
    return archive.keys_of_number(arguments.number)


def _kept_since(services: Services, archive: CallArchive) -> float:
    """The moment before which config.toml lets calls go, Unix seconds. Raises `CommandError`."""
    from tui.removal.retention import SETTING, kept_since

    days = services.settings().retention.calls_days
    since = kept_since(services, days)
    if since is None:
        raise CommandError(
            f"calls are kept for ever: {SETTING} is not set",
            "Write into config.toml, for example:\n[retention]\ncalls_days = 400",
            ExitCode.USAGE,
        )
    if not archive.read_only:
        archive.tell_days(days)
    return since


def _going(found: purge.Found) -> str:
    accounts = ", ".join(found.accounts)
    return f"{counted(found.calls, 'call')} of {accounts}, {found.first} to {found.last}"


def _ask(found: purge.Found) -> None:
    """Go on only after a yes. Raises `CommandError`."""
    ask_before(
        f"{counted(found.calls, 'call')} would be removed for good",
        f"{_going(found)}, their recordings in the cache and all that was noted of them go for"
        " good." + (f" {held_text(found.held)}." if found.held else ""),
        "Remove them?",
    )


def say_held(calls: int) -> None:
    """That calls stay, and how to see which; nothing where none does."""
    if calls:
        print_error(f"{held_text(calls)}; see: ringback hold --list")


def _say(done: purge.Purge) -> None:
    say_held(done.held)
    print_text(f"Removed {counted(done.calls, 'call')} of {', '.join(done.accounts)}.")
    print_text(f"Removed {counted(done.files, 'file')} of recordings and peaks from the cache.")
    print_text(
        f"Removed {counted(done.rows, 'row')} of the archive in all,"
        f" and {done.names:,} of the names."
    )
    if done.rewritten:
        print_text(
            f"The archive's file was rewritten: {done.size_before:,} B, now {done.size_after:,} B."
        )
    else:
        print_error(
            "The file could not be written anew: another Ringback is at it, or the disk is full.\n"
            "What was removed is blanked out; its log goes when the last Ringback ends."
        )
    if done.mentioned:
        print_text(
            f"These digits stand in {counted(done.mentioned, 'call')} that stay, too:"
            " as a line, in another number, or in a note."
        )
    print_text(
        "Files that were downloaded or exported are not touched; a sync brings nothing back."
    )


def _say_undated(calls: int) -> None:
    if calls:
        print_text(
            f"{counted(calls, 'call')} without a time: not removed,"
            " for nobody knows how old they are."
        )
