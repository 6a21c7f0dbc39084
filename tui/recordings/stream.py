"""One recording of a call as a stream: from the cache, or from its host while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from providers import media
from providers.base import Provider
from providers.counts import counted
from providers.errors import NotFound, ProviderError, RateLimited, RecordingError, Unreachable
from providers.model import Call, Recording
from tui.archive.interface import CallArchive
from tui.audio.client.source import FileSource
from tui.recordings.cache import RecordingCache
from tui.recordings.lookup import refresh_call, refresh_recordings
from tui.recordings.progressive_download import ProgressiveDownload, in_words

RENEWABLE = frozenset({"refused", "gone"})
"""Reasons that an expired address also gives."""
ASKED = "asked just now"
RECENT = timedelta(minutes=15)
"""How long after its end a call's recording may still be under way at the vendor."""

Renew = Callable[[str, RecordingError], Awaitable[str]]


class LazyProvider:
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


async def open_stream(
    vendor: LazyProvider,
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
    download = None
    try:
        if here := cache.find(account, call, index):
            return FileSource(here.path), call
        if not call.recordings_known or index >= len(call.recordings):
            call, asked = await _refreshed(vendor, archive, account, call)
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

        download = ProgressiveDownload(
            _RenewableOrigin(remote, vendor, renew), handle, partial, keep
        )
        await download.begun()
        return download, call
    except BaseException as error:
        if download is not None:
            download.close()
        await vendor.close()
        if isinstance(error, OSError):
            raise in_words(error) from None
        raise


class _RenewableOrigin:
    """A recording at its host, found again when its address has expired."""

    def __init__(self, remote: media.Remote, vendor: LazyProvider, renew: Renew) -> None:
        self._remote, self._vendor, self._renew = remote, vendor, renew

    async def open(self, start: int, end: int | None = None) -> media.Body:
        try:
            return await self._remote.open(start, end)
        except RecordingError as error:
            self._remote.move(await self._renew(self._remote.url, error))
            return await self._remote.open(start, end)

    async def close(self) -> None:
        await self._remote.close()
        await self._vendor.close()


def _renewing(
    vendor: LazyProvider, archive: CallArchive, account: str, call: Call, index: int
) -> Renew:
    """Asks the vendor where a recording lies now."""

    async def renew(url: str, error: RecordingError) -> str:
        """Another address than `url`. Raises `error` when there is none, or a better reason."""
        if error.reason not in RENEWABLE:
            raise error
        try:
            newer = await refresh_call(await vendor(), archive, account, call)
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


def _credential(vendor: LazyProvider) -> media.Credential:
    async def headers(url: str) -> dict[str, str]:
        return (await vendor()).media_headers(url)

    return headers


async def _refreshed(
    vendor: LazyProvider, archive: CallArchive, account: str, call: Call
) -> tuple[Call, str]:
    """The call as its vendor has it now, and in words that it was asked. Raises `ProviderError`,
    but where the vendor had said that there is no recording: then the words say why not.
    """
    try:
        provider = await vendor()
        if provider.capabilities.separate_recordings:
            return await refresh_recordings(provider, archive, account, call), ASKED
        return await refresh_call(provider, archive, account, call), ASKED
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


def may_still_come(call: Call, now: datetime) -> bool:
    """Whether a recording that is not there yet is no wonder: the call is only just over."""
    ended = call.ended_at or call.started_at
    return ended is not None and now - ended < RECENT
