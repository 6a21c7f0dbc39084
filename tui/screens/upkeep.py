"""What a screen does for its archive beside itself, some steps at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tui.archive.errors import ArchiveError
from tui.screens.context import ScreenContext
from tui.services import Services

REST_S = 0.1
"""Between two steps of reading calls anew, in which others may write."""


def bring_up_to_date(services: Services, ended: Callable[[], bool]) -> None:
    """Bring calls from before the search index into it, and read those anew that an older
    version kept: some at a time, until `ended`. The backup of the decisions comes first.
    """
    from tui.sync.jobs import read_anew

    def rested() -> bool:
        time.sleep(REST_S)
        return ended()

    with services.open_archive() as archive:
        archive.back_up()
        while not ended() and archive.index_more():
            pass
        if not ended():
            read_anew(services, archive, services.accounts.list(), rested)


class Upkeep:
    """Belongs to the screen's loop. `notify` shows what there is to say of calls that were
    removed, and `on_written` is called then; `on_accounts` when a command or an editor changed
    the accounts.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        notify: Callable[..., None],
        on_written: Callable[[], None],
        on_accounts: Callable[[], None],
    ) -> None:
        self._ctx, self._notify, self._on_written = ctx, notify, on_written
        self._on_accounts = on_accounts
        self._config = file_version(ctx.services.paths.config_file)

    def _has_ended(self) -> bool:
        return self._ctx.has_ended

    def start(self, tidy: Callable[[], None]) -> None:
        """`tidy` the recordings, bring the archive up to date, and sweep for the first time."""
        services = self._ctx.services
        self._ctx.work(partial(asyncio.to_thread, tidy), "tidy")
        index = partial(asyncio.to_thread, bring_up_to_date, services, self._has_ended)
        self._ctx.work(index, "index")
        self.sweep()

    def look_for_accounts(self) -> None:
        """Follow a `config.toml` that was changed beside the screen; while it cannot be read, the
        accounts stay as they are, and that is said.
        """
        version = file_version(self._ctx.services.paths.config_file)
        if version == self._config:
            return
        self._config = version
        if broken := self._ctx.services.settings().broken:
            self._ctx.say(f"the accounts stay as they were: {broken}", "error", news=True)
        elif [*self._ctx.services.accounts.list()] != self._ctx.accounts:
            self._on_accounts()

    def sweep(self) -> None:
        """Let calls go that are older than config.toml keeps them, and say so."""
        self._ctx.work(self._sweep, "retention")

    async def _sweep(self) -> None:
        try:
            said = await asyncio.to_thread(swept, self._ctx.services, self._has_ended)
        except (ArchiveError, OSError) as error:
            self._ctx.say(f"no calls were removed: {error}", "error")
            return
        if said:
            self._notify(said, title="Retention", timeout=30, markup=False)
            self._on_written()


def file_version(file: Path) -> tuple[int, int, int]:
    """Another one when the file was written or replaced; zeros where there is none."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def swept(services: Services, ended: Callable[[], bool]) -> str:
    """Let calls go that are older than config.toml keeps them, some at a time, between which others
    may write; what there is to say of it.
    """
    from tui.removal.retention import sweep

    def rested() -> bool:
        time.sleep(REST_S)
        return ended()

    with services.open_archive() as archive:
        return sweep(services, archive, rested).words
