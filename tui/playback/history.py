"""What is remembered of listening: how far each recording was heard, why one could not be, and
the speed and volume that were chosen. Written beside the screen's loop, a moment later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from providers.model import Call
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.archive.records import HEARD_SHARE, Heard
from tui.config.settings import SettingsError, edit_settings, subtable
from tui.services import Services

NOTE_S = 10.0
"""How often the position is noted while it plays."""
SETTLED_S = 2.0
"""A speed or volume is kept once it was left alone for so long."""
PATIENCE_S = 0.3
"""How long another Ringback's transaction is waited for; after that it is tried later."""

_log = logging.getLogger(__name__)


def recording_title(call: Call, index: int) -> str:
    """Whose recording this is, and which of several."""
    who = call.contact.name or call.contact.number or call.id
    count = len(call.recordings)
    return f"{who} ({index + 1} of {count})" if count > 1 else who


@dataclass(slots=True)
class ListeningSession:
    """One recording that plays: which seconds were heard, and when that was noted last."""

    account: str
    call_id: str
    recording: str
    now: Callable[[], float]
    """Unix seconds."""
    position_s: float = 0.0
    length_s: float | None = None
    began_s: float = 0.0
    """Where it began to play; there is no sound where that is its end, too."""
    ended: bool = False
    heard: bool = False
    """Once 90 % of its seconds were played here, or its end was reached."""
    played: bool = False
    """Whether anything of it sounded."""
    seconds: set[int] = field(default_factory=set)
    noted_at: float = 0.0

    def listen(self, status: str, position_s: float, length_s: float | None) -> bool:
        """Take in what the player does; True when that is worth noting now."""
        before = (self.ended, self.heard)
        self.position_s, self.length_s = position_s, length_s or self.length_s
        self.ended = status == "ended"
        reached = self.ended and position_s > self.began_s
        if reached:  # whatever the file said before
            self.length_s = position_s
        if status == "playing":
            self.played = True
            self.seconds.add(int(position_s))
        share = len(self.seconds) / self.length_s if self.length_s else 0.0
        self.heard = self.heard or reached or share >= HEARD_SHARE
        due = status == "playing" and self.now() - self.noted_at >= NOTE_S
        worth = due or before != (self.ended, self.heard) or status == "paused"
        if worth and (self.played or reached):
            self.noted_at = self.now()
            return True
        return False

    def note(self, archive: CallArchive) -> None:
        at = self.now() if self.heard else None
        archive.listening.note(
            self.account, self.call_id, self.recording, self.position_s, self.length_s, at
        )


class ListeningHistory:
    """Belongs to the screen's loop; what it is told is written in order in another thread."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._writes: dict[tuple[str, ...], Callable[[CallArchive], None]] = {}
        self._settings: dict[str, float | bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: asyncio.TimerHandle | None = None
        self._writing = asyncio.Lock()

    async def find(self, account: str, call_id: str) -> dict[str, Heard]:
        """What is known of a call's recordings; nothing when the archive cannot be read."""
        await self.write()

        def look() -> dict[str, Heard]:
            with self._services.open_archive() as archive:
                return archive.listening.of_call(account, call_id)

        try:
            return await asyncio.to_thread(look)
        except ArchiveError:
            return {}

    def note(self, sitting: ListeningSession) -> None:
        """Keep how far it was heard; the latest of several that wait is written."""
        key = ("heard", sitting.account, sitting.call_id, sitting.recording)
        self._writes[key] = sitting.note
        self._soon(self.write())

    def note_trouble(self, account: str, call_id: str, recording: str, reason: str) -> None:
        """Keep why it could not be played."""
        at = self._services.now().timestamp()
        self._writes["trouble", account, call_id, recording] = lambda archive: (
            archive.listening.note_trouble(account, call_id, recording, reason, at)
        )
        self._soon(self.write())

    def keep_setting(self, name: str, value: float | bool) -> None:
        """Write ``[audio] name`` into config.toml, once nothing changed for a moment."""
        self._settings[name] = value
        if self._settling:
            self._settling.cancel()
        loop = asyncio.get_running_loop()
        self._settling = loop.call_later(SETTLED_S, lambda: self._soon(self.write_settings()))

    async def write(self) -> None:
        """Write what waits; what cannot be written now is tried with the next."""
        async with self._writing:
            if not self._writes:
                return
            waiting, self._writes = self._writes, {}
            try:
                await asyncio.to_thread(self._write, list(waiting.values()))
            except ArchiveError as error:
                _log.debug("what was heard is not written yet: %s", type(error).__name__)
                self._writes = {**waiting, **self._writes}

    def _write(self, writes: list[Callable[[CallArchive], None]]) -> None:
        with self._services.open_archive() as archive:
            archive.listening.wait_at_most(PATIENCE_S)
            for write in writes:
                write(archive)

    async def write_settings(self) -> None:
        """Write the settings that wait."""
        changed, self._settings = self._settings, {}
        if changed:
            try:
                await asyncio.to_thread(self._write_settings, changed)
            except SettingsError as error:
                _log.warning("speed and volume are not kept: %s", error)

    def _write_settings(self, changed: dict[str, float | bool]) -> None:
        def change(document: Any) -> None:
            subtable(document, "audio").update(changed)

        edit_settings(self._services.paths, change)

    def beside(self, write: Callable[[], None]) -> None:
        """Do without the loop what a disk may refuse without harm."""

        async def work() -> None:
            try:
                await asyncio.to_thread(write)
            except OSError as error:
                _log.debug("not written: %s", error.strerror)

        self._soon(work())

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Write all that waits."""
        if self._settling:
            self._settling.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.write()
        await self.write_settings()
