"""A recording as a file of the user's: all of a stream, under a name that says which call."""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

from providers.model import Call
from tui.audio.client.source import FileSource
from tui.recordings.cache import RecordingFile
from tui.recordings.progressive_download import ProgressiveDownload

Progress = Callable[[int, int | None], None]
"""Bytes that have come, and how many there will be (None: not known)."""
MOST_COPIES = 999
"""Files of one name, with a number each."""
_PROGRESS_S = 0.25


async def complete(
    source: ProgressiveDownload | FileSource, progress: Progress | None = None
) -> RecordingFile:
    """All of a stream, as a file in the cache; `progress` is told now and then. Raises as it."""
    if isinstance(source, FileSource):
        return RecordingFile(source.path, source.path.suffix[1:])
    finished = asyncio.ensure_future(source.finished())
    try:
        while not (await asyncio.wait({finished}, timeout=_PROGRESS_S))[0]:
            if progress:
                progress(source.came, source.size)
        return RecordingFile(await finished, source.kind)
    finally:
        finished.cancel()


def file_name(provider: str, call: Call, index: int, kind: str) -> str:
    """``20261102T093000Z_nectar_1234.mp3``: sortable, safe on every system, from our ids only."""
    moment = f"{call.started_at:%Y%m%dT%H%M%SZ}" if call.started_at else "undated"
    safe_id = re.sub(r"[^A-Za-z0-9-]", "-", call.id)[:80].strip("-") or "call"
    part = f"_{index + 1}" if len(call.recordings) > 1 else ""
    return f"{moment}_{provider}_{safe_id}{part}.{kind}"


def copy_to(fetched: RecordingFile, folder: Path, name: str) -> Path:
    """A copy under `name`, 0600; an older file of that name stays, the new one gets a number."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem, _, kind = name.rpartition(".")
    for number in range(1, MOST_COPIES + 1):
        path = folder / (name if number == 1 else f"{stem}-{number}.{kind}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            if _same(path, fetched.path):
                return path
            continue
        try:
            with os.fdopen(handle, "wb") as out, fetched.path.open("rb") as source:
                while chunk := source.read(1 << 20):
                    out.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    raise FileExistsError(errno.EEXIST, f"there are {MOST_COPIES} files of that name", str(path))


def _same(a: Path, b: Path) -> bool:
    if a.is_symlink() or not a.is_file() or a.stat().st_size != b.stat().st_size:
        return False
    with a.open("rb") as one, b.open("rb") as two:
        return all(
            x == y
            for x, y in zip(
                iter(lambda: one.read(1 << 20), b""),
                iter(lambda: two.read(1 << 20), b""),
                strict=False,
            )
        )
