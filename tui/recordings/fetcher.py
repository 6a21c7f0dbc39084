"""Recordings for the screen: fetched once, however many play and save them at the same time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import ProviderError, reason
from providers.model import Call
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.config.accounts import Account
from tui.services import Services
from tui.vendor_thread import VendorThread

if TYPE_CHECKING:  # all that knows HTTP is loaded with the first recording
    from providers.base import Provider
    from tui.audio.client.source import FileSource
    from tui.recordings.cache import RecordingCache
    from tui.recordings.progressive_download import ProgressiveDownload
    from tui.recordings.stream import LazyProvider

Streamed = tuple["ProgressiveDownload | FileSource", Call]


def lazy_provider(services: Services, account: Account, archive: CallArchive) -> LazyProvider:
    """The account's provider for whoever turns out to need it."""
    from tui.recordings.stream import LazyProvider

    async def make() -> Provider:
        token = await services.token(account)
        return services.provider(account, services.login(account, token, archive))

    return LazyProvider(make)


class SharedDownload:
    """A recording that somebody uses: to be released when he no longer does."""

    def __init__(self, opening: asyncio.Task[Streamed]) -> None:
        self.opening = opening
        self.users = 0

    @property
    def source(self) -> ProgressiveDownload | FileSource:
        return self.opening.result()[0]

    @property
    def call(self) -> Call:
        """The call, with its list of recordings."""
        return self.opening.result()[1]


class RecordingFetcher:
    """Belongs to the screen's loop; the downloads run in the network's."""

    def __init__(self, services: Services, network: VendorThread) -> None:
        self._services, self._network = services, network
        self._streams: dict[tuple[str, str, int], SharedDownload] = {}

    async def open(self, account: Account, call: Call, index: int) -> SharedDownload:
        """A recording that can be read, though it may still be on its way. To be released.

        Raises `ProviderError`, `RecordingError`, `OSError`.
        """
        key = (account.name, call.id, index)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = SharedDownload(
                asyncio.create_task(self._open(account, call, index))
            )
        stream.users += 1
        try:
            await asyncio.shield(stream.opening)
        except BaseException:
            self.release(stream)
            raise
        return stream

    def release(self, stream: SharedDownload) -> None:
        """Once for each `open`. When nobody uses it, what has not all come is removed."""
        stream.users -= 1
        if stream.users:
            return
        self._streams = {key: one for key, one in self._streams.items() if one is not stream}
        if not stream.opening.done():
            stream.opening.cancel()
        elif not stream.opening.cancelled() and stream.opening.exception() is None:
            stream.source.close()

    async def _open(self, account: Account, call: Call, index: int) -> Streamed:
        from tui.error_boundary import error_boundary
        from tui.recordings.stream import open_stream

        cache = self.cache()
        # a recording that is here needs neither token nor network
        if here := await asyncio.to_thread(cache.find, account.name, call, index):
            from tui.audio.client.source import FileSource

            return FileSource(here.path), call
        made: list[ProgressiveDownload | FileSource] = []
        unwanted = threading.Event()

        async def work(archive: CallArchive) -> Streamed:
            vendor = lazy_provider(self._services, account, archive)
            place = (account.name, account.base_url, call, index, account.recordings_proxy)
            with error_boundary(self._services.paths, account.name, OSError):
                source, known = await open_stream(vendor, archive, cache, *place)
            made.append(source)
            if unwanted.is_set():  # it came while this was being cancelled
                source.close()
            return source, known

        try:
            return await self._network.run(work)
        except BaseException:
            unwanted.set()
            for source in made:
                source.close()
            raise

    async def download(
        self, account: Account, call: Call, folder: Path, say: Callable[[str], None]
    ) -> list[Path]:
        """All recordings of a call as files in `folder`; `say` is told how far it is.

        Raises as `open`; what was saved until then stays.
        """
        from tui.recordings.download import complete, copy_to, file_name

        paths: list[Path] = []
        while len(paths) < max(1, len(call.recordings)):
            index = len(paths)
            title = f"downloading recording {index + 1}"
            say(title)

            def came(done: int, size: int | None, title: str = title) -> None:
                say(f"{title}, {bytes_text(done, size)}")

            stream = await self.open(account, call, index)
            try:
                call = stream.call
                fetched = await complete(stream.source, came)
                name = file_name(account.provider, call, index, fetched.kind)
                paths.append(await asyncio.to_thread(copy_to, fetched, folder, name))
            finally:
                self.release(stream)
        return paths

    def cache(self) -> RecordingCache:
        from tui.recordings.cache import RecordingCache

        return RecordingCache(self._services.paths.cached_recordings)

    def tidy(self) -> None:
        """Remove recordings that were not heard for a while. Takes as long as a disk does."""
        days, cache = self._services.settings().app.keep_days, self.cache()
        with suppress(ArchiveError), self._services.open_archive() as archive:  # else nobody knows
            held = cache.held_files(archive)
            cache.sweep(self._services.now().timestamp(), days, held=held)

    def close(self) -> None:
        """Nobody uses any of them any more."""
        for stream in list(self._streams.values()):
            stream.users = 1
            self.release(stream)


def trouble(error: Exception) -> str:
    """What to say of a recording that cannot be had."""
    if isinstance(error, ProviderError):
        return f"{error}. {error.hint}" if error.hint else str(error)
    if isinstance(error, OSError):
        return f"it cannot be written here: {reason(error)}"
    return str(error)


def bytes_text(done: int, size: int | None) -> str:
    """``0.5 of 1.2 MB``, or ``0.5 MB`` where the size is not known."""
    return f"{done / 1e6:.1f} of {size / 1e6:.1f} MB" if size else f"{done / 1e6:.1f} MB"
