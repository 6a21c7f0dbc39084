"""Recordings from a vendor's host to a file here: the cache for the player, or a download."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from providers import media
from providers.base import Provider
from providers.errors import NotFound, ProviderError, RecordingError
from providers.fields import with_recordings
from providers.model import Call, CallQuery, Recording
from tui.archive import Archive
from tui.sync import reconcile

Progress = Callable[[int, int | None], None]
"""Bytes that have come, and how many there will be (None: not known)."""

PEAKS = ".peaks"
"""Ending of the file beside a recording that holds its waveform."""
RENEWABLE = frozenset({"refused", "gone"})
"""Reasons that an expired address also gives."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording's file: where it lies and its kind by its first bytes (``mp3``, ``mp4`` ...)."""

    path: Path
    kind: str


async def with_known_recordings(
    provider: Provider, archive: Archive, account: str, call: Call
) -> Call:
    """The call with its list of recordings, asked for and kept if it was not known.

    Raises `ProviderError`; the archive then stays as it was.
    """
    if call.recordings_known:
        return call
    return _kept(archive, account, with_recordings(call, await provider.recordings(call)))


async def renewed(provider: Provider, archive: Archive, account: str, call: Call) -> Call:
    """The call fresh from the vendor, with fresh addresses. Raises `ProviderError`, `NotFound`."""
    if provider.capabilities.gets_one_call:
        newer = await provider.call(call.id)
    else:
        newer = await _found_again(provider, call)
    if provider.capabilities.separate_recordings:
        newer = with_recordings(newer, await provider.recordings(newer))
    return _kept(archive, account, reconcile(provider, call, newer))


async def _found_again(provider: Provider, call: Call) -> Call:
    """A vendor without "get one call": look where it stood."""
    if call.started_at is None:
        raise NotFound("Not found", f"call {call.id} has no time to look it up by")
    minute = timedelta(minutes=1)
    end = (call.ended_at or call.started_at) + minute
    async for page in provider.pages(CallQuery(call.started_at - minute, end)):
        for found in page.calls:
            if found.id == call.id:
                return found
    raise NotFound("Not found", f"the vendor no longer lists call {call.id}")


def _kept(archive: Archive, account: str, call: Call) -> Call:
    with archive.transaction():
        archive.save(account, [call])
    return call


class RecordingCache:
    """The folder of recordings that were played, so that a second play needs no network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, account: str, call: Call, index: int) -> Fetched | None:
        """The file of one recording, if it is here."""
        for path in self._place(account).glob(f"{_stem(call, index)}.*"):
            if path.suffix == PEAKS:
                continue
            path.touch()  # the age that counts is since it was last heard
            return Fetched(path, path.suffix[1:])
        return None

    def find_peaks(self, account: str, call: Call, index: int) -> bytes | None:
        """What `keep_peaks` kept of one recording, if it is here."""
        try:
            return self._peaks_file(account, call, index).read_bytes()
        except OSError:
            return None

    def keep_peaks(self, account: str, call: Call, index: int, data: bytes) -> None:
        """Keep a recording's waveform beside it; without the recording there is nothing to keep.

        Raises OSError.
        """
        if self.find(account, call, index):
            handle, partial = self.partial()
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            partial.replace(self._peaks_file(account, call, index))

    def _peaks_file(self, account: str, call: Call, index: int) -> Path:
        return self._place(account) / f"{_stem(call, index)}{PEAKS}"

    def forget(self, account: str) -> None:
        """Remove every recording of an account."""
        shutil.rmtree(self._place(account), ignore_errors=True)

    def _place(self, account: str) -> Path:
        return self._folder / hashlib.sha256(account.encode()).hexdigest()[:16]

    def partial(self) -> tuple[int, Path]:
        """A new file for a download to be written to: its handle and its path, 0600."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
        return handle, Path(name)

    def keep(self, partial: Path, account: str, call: Call, index: int, kind: str) -> Fetched:
        place = self._place(account)
        place.mkdir(mode=0o700, exist_ok=True)
        path = place / f"{_stem(call, index)}.{kind}"
        partial.replace(path)
        return Fetched(path, kind)

    def sweep(self, now: float, days: int = 30, limit_bytes: int = 2 << 30) -> int:
        """Remove what was not heard for `days`, and the oldest beyond the size limit."""
        removed = 0
        kept = 0
        files = [
            (path.stat(), path)
            for path in self._folder.rglob("*")
            if path.is_file() and path.suffix != PEAKS
        ]
        for info, path in sorted(files, key=lambda item: -item[0].st_mtime):
            kept += info.st_size
            if now - info.st_mtime > days * 86400 or kept > limit_bytes:
                path.unlink(missing_ok=True)
                removed += 1
        for path in self._folder.rglob(f"*{PEAKS}"):  # they go with their recording
            if not any(other != path for other in path.parent.glob(f"{path.stem}.*")):
                path.unlink(missing_ok=True)
        return removed


def _stem(call: Call, index: int) -> str:
    """Names come from ids alone, never from the vendor's file names or addresses."""
    recording = call.recordings[index].id or f"#{index}"
    return hashlib.sha256(f"{call.id}\0{recording}".encode()).hexdigest()[:32]


async def fetch(
    provider: Provider,
    archive: Archive,
    cache: RecordingCache,
    account: str,
    base_url: str,
    call: Call,
    index: int = 0,
    progress: Progress | None = None,
) -> Fetched:
    """One recording of a call as a file in the cache; an expired address is renewed once.

    Raises `RecordingError`, `ProviderError`, OSError. Nothing is left behind on failure.
    """
    if here := _cached(cache, account, call, index):
        return here
    call = await with_known_recordings(provider, archive, account, call)
    recording = _pick(call, index)
    if here := cache.find(account, call, index):
        return here
    handle, partial = cache.partial()
    try:
        with os.fdopen(handle, "wb") as sink:
            private = await media.allows_private(base_url)
            try:
                got = await media.fetch(
                    recording.url or "",
                    sink,
                    allow_private=private,
                    credential=provider.media_headers,
                    progress=progress,
                )
            except RecordingError as error:
                if error.reason not in RENEWABLE:
                    raise
                fresh = await _renewed_url(provider, archive, account, call, index)
                if fresh is None or fresh == recording.url:
                    raise
                sink.seek(0)
                sink.truncate()
                got = await media.fetch(
                    fresh,
                    sink,
                    allow_private=private,
                    credential=provider.media_headers,
                    progress=progress,
                )
        return cache.keep(partial, account, call, index, got.kind)
    finally:
        partial.unlink(missing_ok=True)


def _cached(cache: RecordingCache, account: str, call: Call, index: int) -> Fetched | None:
    return cache.find(account, call, index) if index < len(call.recordings) else None


def _pick(call: Call, index: int) -> Recording:
    if not call.recordings:
        pending = call.has_recording and call.recordings_known
        raise RecordingError("pending" if pending else "none")
    if index >= len(call.recordings):
        raise RecordingError("none", f"the call has {len(call.recordings)} recordings")
    if not call.recordings[index].url:
        raise RecordingError("pending")
    return call.recordings[index]


async def _renewed_url(
    provider: Provider, archive: Archive, account: str, call: Call, index: int
) -> str | None:
    try:
        newer = await renewed(provider, archive, account, call)
    except ProviderError:
        return None
    wanted = call.recordings[index].id
    for position, recording in enumerate(newer.recordings):
        if recording.id == wanted if wanted else position == index:
            return recording.url
    return None


def file_name(provider: str, call: Call, index: int, kind: str) -> str:
    """``20261102T093000Z_nectar_1234.mp3``: sortable, safe on every system, from our ids only."""
    moment = f"{call.started_at:%Y%m%dT%H%M%SZ}" if call.started_at else "undated"
    safe_id = re.sub(r"[^A-Za-z0-9-]", "-", call.id)[:80].strip("-") or "call"
    part = f"_{index + 1}" if len(call.recordings) > 1 else ""
    return f"{moment}_{provider}_{safe_id}{part}.{kind}"


def copy_to(fetched: Fetched, folder: Path, name: str) -> Path:
    """A copy under `name`, 0600; an older file of that name stays, the new one gets a number."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem, _, kind = name.rpartition(".")
    for number in range(1, 1000):
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
    raise FileExistsError(f"{folder / name} and 999 more exist")


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
