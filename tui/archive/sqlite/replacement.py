"""Putting a new archive in the place of a damaged one, while nobody else has it open.

The damaged one is kept first, under a name of its own, then its write-ahead log is put away, and
then one renaming replaces it: whenever that is ended, either of both stands there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tui.archive.errors import ArchiveBusy, ArchiveUnavailable
from tui.archive.sqlite.damage import put_mark, remove_mark

_SHARED = (0x40000000 + 2, 510)
"""The bytes of a database that SQLite locks as long as a connection has it open."""
BUSY = "Close the other Ringbacks, at other terminals too, and try again."


def folder_of(archive: Path) -> Path:
    """Where a repair works; what an ended one left goes with the next, and with a purge."""
    return archive.with_name(f"{archive.name}.repair")


def kept_of(archive: Path) -> list[Path]:
    """The damaged archives that repairs have kept beside."""
    return sorted(archive.parent.glob(f"{archive.stem}-damaged-*{archive.suffix}"))


@contextmanager
def alone(archive: Path) -> Iterator[BinaryIO | None]:
    """The archive's file, while no other process has it open, nor can open it; None: there is none.

    It is opened nowhere else meanwhile: to close it would end that.
    """
    if not archive.is_file():
        yield None
        return
    with archive.open("r+b") as file:
        with suppress(ImportError):  # elsewhere a file that is open cannot be replaced
            import fcntl

            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED[1], _SHARED[0])
            except OSError:
                raise ArchiveBusy("another Ringback has the archive open", BUSY) from None
        yield file


@contextmanager
def work_folder(archive: Path) -> Iterator[Path]:
    folder = folder_of(archive)
    sweep(archive)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        sweep(archive)


def sweep(archive: Path) -> None:
    """Remove what an ended repair left."""
    shutil.rmtree(folder_of(archive), ignore_errors=True)


def check_room(source: Path, folder: Path) -> None:
    """A copy and a new archive need room; to find out at the end would be late."""
    wanted = 2 * (size_of(source) + size_of(log_of(source)))
    if shutil.disk_usage(folder).free < wanted:
        raise ArchiveUnavailable(
            f"a repair needs {wanted >> 20:,} MB of free disk", "Make room, and try again."
        )


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def swap(archive: Path, source: Path, new: Path) -> Path | None:
    """Keep the damaged archive under a name of its own, and put the new one into its place; where
    the old one is now. `source`: where an ended repair has kept it already, or the archive.
    """
    from tui.config.paths import sync_folder

    if archive.is_dir():
        kept = _free_name(archive)
        os.rename(archive, kept)
    elif source != archive:  # an ended repair has kept it already
        kept = source
    elif archive.exists():
        kept = _free_name(archive)
        _keep(log_of(archive), log_of(kept))
        _keep(archive, kept)
        sync_folder(archive.parent)
        put_mark(archive, "a repair of it was ended", kept.name)
    else:
        kept = None
    for beside in ("-wal", "-shm", "-journal"):
        other = archive.with_name(archive.name + beside)
        if other.is_dir():
            os.rename(other, _free_name(other))
        else:
            other.unlink(missing_ok=True)
    sync_folder(archive.parent)
    os.replace(new, archive)
    sync_folder(archive.parent)
    remove_mark(archive)
    return kept


def _free_name(archive: Path) -> Path:
    """``archive-damaged-2026-11-02-0930.db``, or with a number where that is taken."""
    day = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
    for more in ("", *(f"-{number}" for number in range(2, 1000))):
        path = archive.with_name(f"{archive.stem}-damaged-{day}{more}{archive.suffix}")
        if not path.exists():
            return path
    raise FileExistsError(f"{archive.parent} has no free name left")


def _keep(path: Path, kept: Path) -> None:
    """The same file under another name too; a copy where the disk knows no second names."""
    if not path.is_file():
        return
    try:
        os.link(path, kept)
    except OSError:
        shutil.copyfile(path, kept)
    kept.chmod(0o600)
