"""A recording on its way: a file that fills while it is played.

It fills in order. Where bytes are wanted that would be long in coming, they are asked for, and
it fills on from there; what it left behind is not thrown away but read later, so that no byte
is fetched twice. A host that knows no ranges sends everything in order, and is waited for.

The download runs in one loop, who reads may run in another: the bytes meet on the disk.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
import time
from asyncio import AbstractEventLoop, Future, Task
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from providers.errors import ProviderError, RecordingError
from providers.http import why
from providers.media import Body, kind_of, too_little
from tui.recordings.byte_ranges import ByteRanges

FIRST, MOST = 1 << 13, 1 << 22
"""Bytes of the first request in a place; twice as many each time, up to these."""
REST = 1 << 18
"""So few bytes before the end are asked for at once."""
NEAR = (1 << 14, 1 << 18)
"""Bytes that are waited for rather than asked for: how far ahead at least, and at most."""

_GROUP = 1 << 18  # who reads ahead wants all of this at once, the first byte first
_LONG_S = 2.0  # what one request brings should come in this time
_MOMENT_S = 0.05  # for whoever opens a recording to say what he wants next
_OPEN = 4  # answers that stand open while another place is read
_SAME = 64  # so many equal bytes are no chance
TRIES_S = (0.0, 0.5, 1.0, 2.0)  # waits before a cut connection is tried again

log = logging.getLogger("ringback.recordings")
T = TypeVar("T")
Keep = Callable[[str], Path]


class Origin(Protocol):
    """Where the bytes come from; `providers.media.Remote` is one."""

    async def open(self, start: int, end: int | None = None) -> Body: ...
    async def close(self) -> None: ...


class _Reader:
    """Somebody who waits for the byte at `offset` in a loop of his own."""

    def __init__(self, offset: int, idle: bool) -> None:
        self.offset, self.idle = offset, idle
        self.error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self.news: Future[None] = self._loop.create_future()

    def tell(self, error: Exception | None) -> None:
        """In any thread: look again, or give up."""
        self.error = self.error or error
        with suppress(RuntimeError):  # his loop has ended
            self._loop.call_soon_threadsafe(_resolve, self.news)
        self.news = self._loop.create_future()


def _resolve(news: Future[None]) -> None:
    if not news.done():
        news.set_result(None)


class _RangeResponse:
    """An answer that is being read: the bytes from `at` to before `end` are still to come."""

    def __init__(self, body: Body, size: int | None) -> None:
        self.start, self.at = body.start, body.start
        self.end = size if body.end is None else body.end
        self._body = body
        self._coming: Task[bytes] | None = None
        self.used_at = time.monotonic()

    def ask(self, arrived: Callable[[], None]) -> None:
        """See that a chunk is under way; it may be left there and fetched later."""
        self.used_at = time.monotonic()
        if self.arrived:
            arrived()
        elif self._coming is None:
            self._coming = asyncio.create_task(_next(self._body.chunks))
            self._coming.add_done_callback(lambda _: arrived())

    @property
    def arrived(self) -> bool:
        return self._coming is not None and self._coming.done()

    def take(self) -> bytes:
        """The chunk that has arrived; nothing at the answer's end. Raises what went wrong."""
        assert self._coming is not None
        coming, self._coming = self._coming, None
        return coming.result()

    async def close(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)
        elif self.at == self.end:  # read to its very end, so that the connection can be kept
            with suppress(RecordingError):
                await _next(self._body.chunks)
        await self._body.close()


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    return await anext(chunks, b"")


class ProgressiveDownload:
    """A `Source` of a recording that is being downloaded into the file `partial`.

    Make it in the loop that is to download, and await `begun` there. When all of it has come,
    `keep(kind)` gives the file its lasting place, and this goes on reading it there.
    """

    kind = ""
    """What it is by its first bytes, once it has begun."""

    def __init__(self, origin: Origin, handle: int, partial: Path, keep: Keep) -> None:
        self._origin, self._fd, self._partial, self._keep = origin, handle, partial, keep
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._lock = threading.RLock()
        self._ranges = ByteRanges()
        self._readers: list[_Reader] = []
        self._responses: list[_RangeResponse] = []
        self._wakeup = asyncio.Event()
        self._task: Task[None] | None = None
        self._ending = False
        self._closed = False
        self._path: Path | None = None
        self._first_body: Body | None = None  # all later ones are of the same file
        self._position = 0  # the place it fills on from
        self._request_size = FIRST
        self._request_end = 0  # where the last request ended
        self._waited_s = 0.0
        self._received = 0
        self._latency_s = 0.0
        self.size: int | None = None

    # for anyone, in any thread

    @property
    def path(self) -> Path | None:
        """The lasting place of the file, once all of it is here."""
        return self._path

    @property
    def came(self) -> int:
        """Bytes that have come so far."""
        return self._received

    async def begun(self) -> None:
        """Until it is certain that this is sound. Raises as `read`."""
        await self._until(lambda: self.kind or None)

    async def finished(self) -> Path:
        """Until all of it has come. Raises as `read`."""
        return await self._until(lambda: self._path)

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        """As `Source.read`. Raises `RecordingError`, `ProviderError`, `OSError`.

        After an error the next read tries again.
        """
        return await self._until(lambda: self._bytes_here(offset, n), offset, idle)

    def close(self) -> None:
        """Forget it at once; what is not complete is removed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.close(self._fd)
            if self._path is None:
                self._partial.unlink(missing_ok=True)
        self._tell_readers(OSError(errno.EBADF, "the recording was put away"))
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)

    # readers

    async def _until(self, look: Callable[[], T | None], at: int = -1, idle: bool = True) -> T:
        with self._lock:
            if not self._closed and (found := look()) is not None:
                return found
            reader = _Reader(at, idle)
            self._readers.append(reader)
        try:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ensure_download)
            while True:
                with self._lock:
                    if self._closed:
                        raise OSError(errno.EBADF, "the recording was put away")
                    if (found := look()) is not None:
                        return found
                    if reader.error is not None:
                        raise reader.error
                    news = reader.news
                await news
        finally:
            with self._lock:
                self._readers.remove(reader)

    def _bytes_here(self, offset: int, n: int) -> bytes | None:
        end = self._ranges.end(offset)
        if end > offset:
            return _read_at(self._fd, min(n, end - offset), offset)
        return b"" if self.size is not None and offset >= self.size else None

    def _tell_readers(self, error: Exception | None = None) -> None:
        with self._lock:
            for reader in self._readers:
                reader.tell(error)

    # the download, in its own loop

    def _ensure_download(self) -> None:
        """See that somebody downloads what is missing."""
        if self._closed or self._path is not None:
            return
        if self._task is None or self._task.done():
            self._ending = False
            self._task = asyncio.create_task(self._download())
            self._task.add_done_callback(self._download_over)
        self._wakeup.set()

    def _download_over(self, _: Task[None]) -> None:
        """Who came while a failed download was being put away wants another."""
        if any(reader.error is None for reader in self._readers):
            self._ensure_download()

    def _end(self) -> None:
        if self._task is not None and not self._ending:  # else its connections would stay open
            self._task.cancel()

    async def _download(self) -> None:
        tries = iter(TRIES_S)
        try:
            while (wanted := self._next_offset()) is not None:
                before = self._received
                if before == FIRST == self._request_end and await self._is_wanted_elsewhere():
                    continue
                try:
                    await self._wait_for_chunk(
                        self._response_with(wanted) or await self._request(wanted)
                    )
                except RecordingError as error:
                    wait_s = next(tries, None)
                    if error.reason != "unreachable" or not self._may_resume() or wait_s is None:
                        raise
                    await asyncio.sleep(wait_s)
                if self._received > before:
                    tries = iter(TRIES_S)
            self._complete()
        except (RecordingError, ProviderError, OSError) as error:
            self._tell_readers(in_words(error))
        except Exception as error:  # its text may hold an address
            log.warning("a download failed", exc_info=True)
            self._tell_readers(RecordingError("unreachable", why(error)))
        finally:
            self._ending = True
            for response in self._responses:
                await response.close()
            self._responses.clear()
            await self._origin.close()

    async def _is_wanted_elsewhere(self) -> bool:
        """Whether somebody who has seen the first bytes wants others than those that follow.

        The index of an MP4 may stand at its end, and should have the line for itself.
        """
        self._wakeup.clear()
        with self._lock:
            if self._offsets_waited_for():
                return False
        with suppress(TimeoutError):
            async with asyncio.timeout(_MOMENT_S):
                await self._wakeup.wait()
                return True
        return False

    def _may_resume(self) -> bool:
        return self._first_body is not None and self._first_body.ranges

    def _next_offset(self) -> int | None:
        """The missing byte to go for; None when nothing is missing."""
        with self._lock:
            wants = self._offsets_waited_for()
            on = self._ranges.gap(self._position, self.size)
            if wants:  # who asked last comes first, and of what he wants the first byte
                first = min(at for at in wants if 0 <= wants[-1] - at <= _GROUP)
                if on is None or not on[0] <= first <= on[0] + self._near_bytes():
                    self._position = first
            gap = self._ranges.gap(self._position, self.size) or self._ranges.gap(0, self.size)
            return gap[0] if gap else None

    def _offsets_waited_for(self) -> list[int]:
        """Missing bytes that somebody waits for, in the order of asking."""
        wants = [reader.offset for reader in self._readers if not reader.idle]
        return [at for at in wants if self._ranges.end(at) == at and not self._is_beyond_end(at)]

    def _is_beyond_end(self, at: int) -> bool:
        return self.size is not None and at >= self.size

    def _response_with(self, wanted: int) -> _RangeResponse | None:
        """An answer that brings this byte, sooner than a new request would."""
        here = [f for f in self._responses if f.at <= wanted and (f.end is None or wanted < f.end)]
        if not here:
            return None
        response = max(here, key=lambda response: response.at)
        return (
            response
            if not self._may_resume() or wanted - response.at <= self._near_bytes()
            else None
        )

    def _near_bytes(self) -> int:
        """Bytes that come in the time that a request takes."""
        return min(max(round(self._rate * self._latency_s), NEAR[0]), NEAR[1])

    def _largest_request(self) -> int:
        """Bytes that come in a while: who jumps out of the middle of more would lose them."""
        return min(max(round(self._rate * _LONG_S), REST), MOST)

    @property
    def _rate(self) -> float:
        """Bytes a second."""
        return self._received / self._waited_s if self._waited_s else 0.0

    async def _request(self, wanted: int) -> _RangeResponse:
        """Ask the host for a stretch that is missing, from here on."""
        for response in list(self._responses):  # one that would bring it later than this
            if response.at <= wanted and (response.end is None or wanted < response.end):
                await self._drop(response)
        if len(self._responses) >= _OPEN:
            await self._drop(min(self._responses, key=lambda response: response.used_at))
        self._request_size = (
            min(self._request_size * 2, self._largest_request())
            if 0 < wanted == self._request_end
            else FIRST
        )
        began = time.monotonic()
        body = await self._origin.open(wanted, self._until_known(wanted))
        self._latency_s = time.monotonic() - began
        return self._begin(body)

    def _begin(self, body: Body) -> _RangeResponse:
        """Read this answer from now on. Raises `RecordingError`: it is of another file."""
        response = _RangeResponse(body, self.size)
        self._responses.append(response)
        self._check_same(body)
        self._request_end = response.end or 0
        return response

    def _until_known(self, wanted: int) -> int:
        """The end of a request that begins there: before what is here or on its way."""
        gap = self._ranges.gap(wanted, self.size)
        ends = [gap[1]] if gap and gap[1] else []
        ends += [response.at for response in self._responses if response.at > wanted]
        step = self._request_size
        if wanted and ends and min(ends) - wanted <= REST:
            step = REST
        return min([wanted + step, *ends])

    def _check_same(self, body: Body) -> None:
        """Every answer is of the file that was begun. Raises `RecordingError`."""
        known = self._first_body
        if known is None:
            self._first_body = body
            self.size = body.total
            return
        sizes = {one.total for one in (body, known) if one.total is not None}
        if len(sizes) > 1 or (body.tag and known.tag and body.tag != known.tag):
            raise RecordingError("changed")
        if not body.ranges:  # from now on what it sends is waited for, as it comes
            self._first_body = body

    async def _wait_for_chunk(self, response: _RangeResponse) -> None:
        """Wait until something has come, or something else is wanted."""
        response.ask(self._wakeup.set)
        began = time.monotonic()
        await self._wakeup.wait()
        self._wakeup.clear()
        self._waited_s += time.monotonic() - began
        for one in list(self._responses):
            if one.arrived:
                await self._store(one)

    async def _store(self, response: _RangeResponse) -> None:
        try:
            chunk = response.take()
        except RecordingError:
            await self._drop(response)
            raise
        if not chunk:
            await self._drop(response)
            if self.size is None:  # a host that did not say how much there is
                self.size = response.at
                self._tell_readers()
            elif response.end is not None and response.at < response.end:
                raise RecordingError("unreachable", "the connection failed")
            return
        if response.at == response.start > 0 and self._is_beginning(chunk):
            await self._drop(response)  # it names the place that was asked for, and sends another
            self._begin(await self._origin.open(0))
            return
        chunk = chunk if response.end is None else chunk[: response.end - response.at]
        with self._lock:
            if self._closed:
                return  # the end of this task is on its way
            _write_at(self._fd, chunk, response.at)
            self._ranges.add(response.at, response.at + len(chunk))
            self._received += len(chunk)
            response.at += len(chunk)
        self._look_at_head()
        if response.at == response.end:
            await self._drop(response)
        self._tell_readers()

    def _is_beginning(self, chunk: bytes) -> bool:
        """Whether these are the recording's first bytes; by chance it costs one more request."""
        head = self._bytes_here(0, min(len(chunk), _SAME)) or b""
        return len(set(head)) > _SAME // 8 and chunk.startswith(head)

    async def _drop(self, response: _RangeResponse) -> None:
        self._responses.remove(response)
        await response.close()

    def _look_at_head(self) -> None:
        head = None if self.kind else self._bytes_here(0, 4096)
        if head and not (too_little(head) and self._ranges.end(0) != self.size):
            self.kind = kind_of(head)

    def _complete(self) -> None:
        """Everything is here: this is now the cached recording."""
        with self._lock:
            if self._closed:
                return
            if not self.kind:
                self.kind = kind_of(self._bytes_here(0, 4096) or b"")
            self._path = self._keep(self.kind)
        self._tell_readers()


def in_words(error: Exception) -> Exception:
    """A full disk is a reason like any other for hearing nothing."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return RecordingError("no_room") if full else error


def _read_at(fd: int, n: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(fd, n, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, n)


def _write_at(fd: int, data: bytes, offset: int) -> None:
    """All of it. Raises `OSError`."""
    view = memoryview(data)
    while view:
        if hasattr(os, "pwrite"):
            done = os.pwrite(fd, view, offset)
        else:
            os.lseek(fd, offset, os.SEEK_SET)
            done = os.write(fd, view)
        view, offset = view[done:], offset + done
