"""Recordings from a vendor's host to a file here: the cache for the player, or a download."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Container
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from providers import media
from providers.base import Provider
from providers.counts import counted
from providers.errors import NotFound, ProviderError, RateLimited, RecordingError, Unreachable
from providers.model import Call, CallQuery, Recording
from tui.archive.interface import CallArchive
from tui.archive.merging import keep, reconcile
from tui.audio.client.source import FileSource
from tui.config.paths import open_file, read_file
from tui.recordings.progressive_download import ProgressiveDownload, in_words

Progress = Callable[[int, int | None], None]
"""Bytes that have come, and how many there will be (None: not known)."""

PEAKS = ".peaks"
"""Ending of the file beside a recording that holds its waveform."""
RENEWABLE = frozenset({"refused", "gone"})
"""Reasons that an expired address also gives."""
ASKED = "asked just now"
_PROGRESS_S = 0.25
LONG = timedelta(hours=2)
"""How long a call may be that had not ended when it was last seen."""
RECENT = timedelta(minutes=15)
"""How long after its end a call's recording may still be under way at the vendor."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A recording's file: where it lies and its kind by its first bytes (``mp3``, ``mp4`` ...)."""

    path: Path
    kind: str


async def with_known_recordings(
    provider: Provider, archive: CallArchive, account: str, call: Call
) -> Call:
    """The call with its list of recordings, asked for and kept (not kept where there is no room
    for it).

    Raises `ProviderError`; the archive then stays as it was.
    """
    kept = _kept(provider, archive, account, await provider.recordings(call))
    if not kept.recordings_known:  # it was asked all the same
        archive.write_if_possible(
            lambda: archive.note_recordings_asked(account, [call.id], time.time())
        )
    return kept


async def renewed(provider: Provider, archive: CallArchive, account: str, call: Call) -> Call:
    """`asked_anew`, kept where there is room for it. Raises `ProviderError`."""
    return _kept(provider, archive, account, await asked_anew(provider, call))


async def asked_anew(provider: Provider, call: Call) -> Call:
    """The call with its recordings as the vendor has it now. Raises `ProviderError`."""
    if provider.capabilities.gets_one_call:
        newer = await provider.call(call.id)
    else:
        newer = await _found_again(provider, call)
    if provider.capabilities.separate_recordings:
        newer = await provider.recordings(newer)
    return newer


async def _found_again(provider: Provider, call: Call) -> Call:
    """A vendor without "get one call": look where it stood, for its records on all pages."""
    if call.started_at is None:
        raise NotFound(
            "Not known",
            f"{provider.title} is asked by time, and when call {call.id} was is not known",
            "Bring the calls of its day: ringback sync --since DATE",
        )
    minute = timedelta(minutes=1)
    end = (call.ended_at or call.started_at + LONG) + minute
    raw = None
    async for page in provider.pages(CallQuery(call.started_at - minute, end)):
        for found in page.calls:
            if found.id == call.id:
                raw = found.raw if raw is None else provider.merge(raw, found.raw)
    if raw is None:
        raise NotFound("Not found", f"the vendor no longer lists call {call.id}")
    return provider.parse(raw)


def _kept(provider: Provider, archive: CallArchive, account: str, call: Call) -> Call:
    """The call over what the archive has of it now: what came while it was asked for stays."""
    before = archive.call_by_id(account, call.id)
    archive.write_if_possible(lambda: keep(archive, account, provider, [call], time.time()))
    return reconcile(provider, before, call) if before else call


class RecordingCache:
    """The folder of recordings that were played, so that a second play needs no network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, account: str, call: Call, index: int) -> Fetched | None:
        """The file of one recording, if it is here."""
        if index >= len(call.recordings):
            return None
        for path in self.place(account).glob(f"{stem(call, index)}.*"):
            if path.suffix == PEAKS:
                continue
            with suppress(OSError):  # a disk that may only be read
                path.touch()  # the age that counts is since it was last heard
            return Fetched(path, path.suffix[1:])
        return None

    def find_peaks(self, account: str, call: Call, index: int) -> bytes | None:
        """What `keep_peaks` kept of one recording, if it is here."""
        try:
            return read_file(self._peaks_file(account, call, index))
        except OSError:
            return None

    def keep_peaks(self, account: str, call: Call, index: int, data: bytes) -> None:
        """Keep a recording's waveform beside it. Raises `OSError`."""
        file = self._peaks_file(account, call, index)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, partial = self.partial()
        try:
            with os.fdopen(handle, "wb") as sink:
                sink.write(data)
            partial.replace(file)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def unmeasured(self) -> Counter[str]:
        """How many recordings are here that cannot be measured, by the reason."""
        from tui.audio.peaks import TROUBLE, Peaks

        found: Counter[str] = Counter()
        for path in self._folder.rglob(f"*{PEAKS}"):
            with suppress(OSError, ValueError), os.fdopen(open_file(path), "rb") as file:
                head = file.read(TROUBLE)
                found[Peaks.from_bytes(head).trouble] += 1
        found.pop("", None)
        return found

    def _peaks_file(self, account: str, call: Call, index: int) -> Path:
        return self.place(account) / f"{stem(call, index)}{PEAKS}"

    def count(self, account: str) -> int:
        """How many recordings of an account are here."""
        return sum(path.suffix != PEAKS for path in self.place(account).glob("*"))

    def forget(self, account: str, kept: Container[Path] = ()) -> None:
        """Remove every recording of an account but those that are `kept`, as `held_files` says."""
        place = self.place(account)
        for path in place.glob("*"):
            if path.with_suffix("") not in kept:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # some are kept, or there were none
            place.rmdir()

    def held_files(self, archive: CallArchive) -> frozenset[Path]:
        """The recordings of calls on hold that may be here, each without its ending."""
        held = (found for key in archive.held() if (found := archive.call(key)))
        return frozenset(
            self.place(account) / stem(call, index)
            for account, call in held
            for index in range(len(call.recordings))
        )

    def place(self, account: str) -> Path:
        return self._folder / hashlib.sha256(account.encode()).hexdigest()[:16]

    def partial(self) -> tuple[int, Path]:
        """A new file for a download to be written to: its handle and its path, 0600."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
        return handle, Path(name)

    def keep(self, partial: Path, account: str, call: Call, index: int, kind: str) -> Fetched:
        place = self.place(account)
        place.mkdir(mode=0o700, exist_ok=True)
        path = place / f"{stem(call, index)}.{kind}"
        partial.replace(path)
        return Fetched(path, kind)

    def sweep(
        self,
        now: float,
        days: int = 30,
        limit_bytes: int = 2 << 30,
        held: Container[Path] = (),
    ) -> int:
        """Remove what was not heard for `days`, and the oldest beyond the size limit; nothing of
        calls on hold (`held_files`).
        """
        removed = 0
        kept = 0
        files = [
            (path.stat(), path)
            for path in self._folder.rglob("*")
            if path.is_file() and path.suffix != PEAKS
        ]
        for info, path in sorted(files, key=lambda item: -item[0].st_mtime):
            if path.with_suffix("") in held:
                continue
            kept += info.st_size
            # a download that a killed program left unfinished is nobody's after a day
            keep_s = 86400 * (min(days, 1) if path.suffix == ".part" else days)
            if now - info.st_mtime > keep_s or kept > limit_bytes:
                path.unlink(missing_ok=True)
                removed += 1
        for path in self._folder.rglob(f"*{PEAKS}"):  # they go with their recording
            if path.with_suffix("") not in held and not any(
                other != path for other in path.parent.glob(f"{path.stem}.*")
            ):
                path.unlink(missing_ok=True)
        return removed


def stem(call: Call, index: int) -> str:
    """Names come from ids alone, never from the vendor's file names or addresses."""
    recording = call.recordings[index].id or f"#{index}"
    return hashlib.sha256(f"{call.id}\0{recording}".encode()).hexdigest()[:32]


class Vendor:
    """An account's provider, made when it is first needed: most recordings' addresses need none.

    So a recording plays before a keyring has been asked for the token.
    """

    def __init__(self, make: Callable[[], Awaitable[Provider]]) -> None:
        """`make` may raise `ProviderError`."""
        self._make = make
        self._provider: Provider | None = None
        self._making = asyncio.Lock()

    async def __call__(self) -> Provider:
        async with self._making:
            if self._provider is None:
                made = await self._make()
                self._provider = await made.__aenter__()
            return self._provider

    async def close(self) -> None:
        """It can be used again afterwards."""
        provider, self._provider = self._provider, None
        if provider is not None:
            await provider.__aexit__(None, None, None)


async def stream(
    vendor: Vendor,
    archive: CallArchive,
    cache: RecordingCache,
    account: str,
    base_url: str,
    call: Call,
    index: int = 0,
    through_proxy: bool = True,
) -> tuple[ProgressiveDownload | FileSource, Call]:
    """One recording of a call, to be played while it comes, and the call with its recordings.

    It returns when the first bytes are here and are those of sound. When all of it has come it
    is the cached recording. An expired address is renewed whenever it shows. The caller closes
    the source, which ends the download in the loop where this was called. `through_proxy` is
    `Account.recordings_proxy`.

    Raises `RecordingError`, `ProviderError`, `OSError`. Nothing is left behind on failure.
    """
    spool = None
    try:
        if here := cache.find(account, call, index):
            return FileSource(here.path), call
        if not call.recordings_known or index >= len(call.recordings):
            call, asked = await _asked_now(vendor, archive, account, call)
            if here := cache.find(account, call, index):
                await vendor.close()
                return FileSource(here.path), call
        else:
            asked = ""
        recording = _pick(call, index, asked)
        proxies = media.proxies_of() if through_proxy else media.DIRECT
        remote = media.Remote(
            recording.url or "",
            allow_private=await media.allows_private(base_url, proxies=proxies),
            credential=_credential(vendor),
            proxies=proxies,
        )
        renew = _renewing(vendor, archive, account, call, index)
        handle, partial = cache.partial()

        def keep(kind: str) -> Path:
            return cache.keep(partial, account, call, index, kind).path

        spool = ProgressiveDownload(_Origin(remote, vendor, renew), handle, partial, keep)
        await spool.begun()
        return spool, call
    except BaseException as error:
        if spool is not None:
            spool.close()
        await vendor.close()
        if isinstance(error, OSError):
            raise in_words(error) from None
        raise


async def complete(
    source: ProgressiveDownload | FileSource, progress: Progress | None = None
) -> Fetched:
    """All of a stream, as a file in the cache; `progress` is told now and then. Raises as it."""
    if isinstance(source, FileSource):
        return Fetched(source.path, source.path.suffix[1:])
    finished = asyncio.ensure_future(source.finished())
    try:
        while not (await asyncio.wait({finished}, timeout=_PROGRESS_S))[0]:
            if progress:
                progress(source.came, source.size)
        return Fetched(await finished, source.kind)
    finally:
        finished.cancel()


Renew = Callable[[str, RecordingError], Awaitable[str]]


class _Origin:
    """A recording at its host, found again when its address has expired."""

    def __init__(self, remote: media.Remote, vendor: Vendor, renew: Renew) -> None:
        self._remote, self._vendor, self._renew = remote, vendor, renew

    async def open(self, start: int = 0, end: int | None = None) -> media.Body:
        try:
            return await self._remote.open(start, end)
        except RecordingError as error:
            self._remote.move(await self._renew(self._remote.url, error))
            return await self._remote.open(start, end)

    async def close(self) -> None:
        await self._remote.close()
        await self._vendor.close()


def _renewing(vendor: Vendor, archive: CallArchive, account: str, call: Call, index: int) -> Renew:
    """Asks the vendor where a recording lies now."""

    async def renew(url: str, error: RecordingError) -> str:
        """Another address than `url`. Raises `error` when there is none, or a better reason."""
        if error.reason not in RENEWABLE:
            raise error
        try:
            newer = await renewed(await vendor(), archive, account, call)
        except NotFound:
            raise error from None
        except ProviderError as trouble:
            raise RecordingError("expired", f"no new one: {trouble}") from None
        wanted = call.recordings[index].id
        for position, recording in enumerate(newer.recordings):
            this = recording.id == wanted if wanted else position == index
            if this and recording.url and recording.url != url:
                return recording.url
        raise error

    return renew


def _credential(vendor: Vendor) -> media.Credential:
    async def headers(url: str) -> dict[str, str]:
        return (await vendor()).media_headers(url)

    return headers


def may_still_come(call: Call, now: datetime) -> bool:
    """Whether a recording that is not there yet is no wonder: the call is only just over."""
    ended = call.ended_at or call.started_at
    return ended is not None and now - ended < RECENT


async def _asked_now(
    vendor: Vendor, archive: CallArchive, account: str, call: Call
) -> tuple[Call, str]:
    """The call as its vendor has it now, and in words that it was asked. Raises `ProviderError`,
    but where the vendor had said that there is no recording: then the words say why not.
    """
    try:
        provider = await vendor()
        if provider.capabilities.separate_recordings:
            return await with_known_recordings(provider, archive, account, call), ASKED
        return await renewed(provider, archive, account, call), ASKED
    except ProviderError as error:
        awaited = call.has_recording and not call.recordings
        passes = isinstance(error, Unreachable | RateLimited)
        if not call.recordings_known or (awaited and not passes):
            raise
        return call, f"not asked again: {error}"


def _pick(call: Call, index: int, asked: str) -> Recording:
    if not call.recordings:
        if call.has_recording and call.recordings_known:
            raise RecordingError("pending", asked.removeprefix(ASKED))
        raise RecordingError("none", asked)
    if index >= len(call.recordings):
        raise RecordingError("none", f"the call has {counted(len(call.recordings), 'recording')}")
    if not call.recordings[index].url:
        raise RecordingError("pending")
    return call.recordings[index]


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
