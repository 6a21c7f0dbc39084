"""Removing calls for good: rows, triage, recordings and peaks, and the traces in the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tui import audit_log
from tui.archive import codec
from tui.archive.errors import ArchiveDamaged
from tui.archive.interface import CallArchive
from tui.config.paths import Paths
from tui.recordings.cache import RecordingCache, file_stem

UNDATED = "no time"


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge removed."""

    calls: int
    rows: int
    names: int
    files: int
    """Recordings and peaks in the cache."""
    accounts: tuple[str, ...]
    size_before: int
    """Bytes of the archive's file."""
    size_after: int
    rewritten: bool
    """False: another Ringback kept the archive's log from being emptied."""
    mentioned: int
    """Calls that stay and hold the number all the same: in a note, or as the company's line."""
    held: int
    """Calls that stay for they are on hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a purge would remove."""

    calls: int
    accounts: tuple[str, ...]
    first: str
    last: str
    """Days of the oldest and the newest call."""
    held: int
    """Calls on hold among those that were asked for; the rest is without them."""


def look(archive: CallArchive, keys: Sequence[int]) -> Found:
    """Sum up calls for the question whether they may go."""
    held = archive.held(keys)
    accounts: dict[str, None] = {}
    days: list[str] = []
    for account, body in archive.export(key for key in keys if key not in held):
        accounts[account] = None
        days.append((body.get("started_at") or UNDATED)[:10])
    dated = [day for day in days if day != UNDATED] or [UNDATED]
    return Found(len(days), tuple(accounts), min(dated), max(dated), len(held))


def purge(
    paths: Paths,
    archive: CallArchive,
    keys: Sequence[int],
    number: str | None = None,
    by: str = "before",
) -> Purge:
    """Remove calls for good, but those on hold. Raises OSError, `ArchiveError` and
    `ArchiveDamaged`.

    The audit log keeps how many and of which accounts, and not the number: a hash of it would
    give it away to whoever tries all numbers.
    """
    size_before = paths.archive_file.stat().st_size
    found = look(archive, keys)
    # the files first: without the rows nobody knows their names
    files = remove_files(paths, archive, keys)
    gone, rewritten = archive.purge(keys, number)
    by = "number" if number else by
    audit_log.record(
        paths, audit_log.PURGE, by=by, calls=gone.calls, files=files, accounts=[*found.accounts]
    )
    return Purge(
        gone.calls,
        gone.rows,
        gone.names,
        files,
        found.accounts,
        size_before,
        paths.archive_file.stat().st_size,
        rewritten,
        archive.mentions(number) if number else 0,
        found.held,
    )


def remove_files(paths: Paths, archive: CallArchive, keys: Sequence[int]) -> int:
    """Remove what the cache has of these calls but those on hold: each recording, and what was
    made of it. Raises OSError, and `ArchiveDamaged` before a file goes whose row stays.
    """
    if isinstance(archive.read_only, ArchiveDamaged):
        raise archive.read_only
    removed, held = 0, archive.held(keys)
    cache = RecordingCache(paths.cached_recordings)
    for account, body in archive.export(key for key in keys if key not in held):
        place: Path = cache.place(account)
        if not place.is_dir():
            continue
        call = codec.decode(body, {}, None)
        for index in range(len(call.recordings)):
            for path in place.glob(f"{file_stem(call, index)}.*"):
                path.unlink(missing_ok=True)
                removed += 1
    return removed
