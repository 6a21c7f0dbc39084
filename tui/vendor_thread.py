"""One thread with one event loop for everything that talks to a vendor.

Decoding pages and writing the archive would make keys wait if it ran on the screen's loop, and
an HTTP client belongs to one loop: so all of it runs here, and the screen awaits the results.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

from tui.archive.interface import CallArchive
from tui.secrets.process import kill_running

T = TypeVar("T")
Task = asyncio.Task[Any]


class Daemons(ThreadPoolExecutor):
    """A thread for each call. None keeps the program at its end, as those of a pool do: the look-up
    of a name may take half a minute, and nothing can stop it.
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        threading.Thread(target=run, name="network-call", daemon=True).start()
        return future


class VendorThread:
    """Started with the first task; `close` cancels what runs and ends it."""

    def __init__(self, open_archive: Callable[[], CallArchive]) -> None:
        self._open_archive = open_archive
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._archive: CallArchive | None = None
        self._ready = threading.Event()
        self._begun_by: WeakKeyDictionary[Task, ref[Task]] = WeakKeyDictionary()
        """Which task began a task, if one did."""
        self._closed = False

    async def run(self, work: Callable[[CallArchive], Coroutine[Any, Any, T]]) -> T:
        """Await `work` there, with that thread's archive. Cancelling this cancels it there.

        Raises `CancelledError` once this is closed.
        """
        if self._closed:
            raise asyncio.CancelledError
        self._start()
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(self._with_archive(work), self._loop)
        return await asyncio.wrap_future(future)

    async def _with_archive(self, work: Callable[[CallArchive], Coroutine[Any, Any, T]]) -> T:
        if self._archive is None:
            self._archive = self._open_archive()
        return await work(self._archive)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="network", daemon=True)
            self._thread.start()
            self._ready.wait()

    def _serve(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_task_factory(self._begin)
        asyncio.set_event_loop(self._loop)
        self._loop.set_default_executor(Daemons())
        self._loop.call_soon(self._ready.set)
        self._loop.call_soon(_load_http)
        try:
            self._loop.run_forever()
            self._cancel_all(self._loop)
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            # connections that were just closed let go of their sockets one turn later
            self._loop.run_until_complete(asyncio.sleep(0))
        finally:
            if self._archive:
                self._archive.close()
            self._loop.close()

    def _begin(self, loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> Task:
        task = Task(work, loop=loop, **more)
        if now := asyncio.current_task(loop):
            self._begun_by[task] = ref(now)
        return task

    def _cancel_all(self, loop: asyncio.AbstractEventLoop) -> None:
        """Each task before those that it began: cut off from them, it could not close things."""
        loop.run_until_complete(asyncio.sleep(0))  # what was asked for just now is a task then
        while tasks := asyncio.all_tasks(loop):
            ending = [one for one in tasks if self._beginner(one) not in tasks]
            for task in ending:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*ending, return_exceptions=True))

    def _beginner(self, task: Task) -> Task | None:
        by = self._begun_by.get(task)
        return by() if by else None

    def close(self, wait_s: float = 1.0) -> None:
        """End within `wait_s`; the thread is a daemon, so a stuck one cannot keep the program."""
        self._closed = True
        if self._thread and self._loop:
            self._loop.call_soon_threadsafe(self._loop.stop)
            kill_running()  # a token command or a locked keyring would be waited for
            self._thread.join(wait_s)
            self._thread = None


def _load_http() -> None:
    """Load httpx without its own command line, which costs 3 MB wherever click is installed."""
    if "httpx" in sys.modules or "click" in sys.modules:
        return
    sys.modules["click"] = None  # type: ignore[assignment]  # an import of it now fails
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules["click"]
