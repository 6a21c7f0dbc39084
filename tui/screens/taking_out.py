"""A screen from which calls go elsewhere: copies, links, exports, the vendor's page; and the
jumps between calls that belong together. What goes out is written to the audit log.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on, work

from providers.counts import counted
from providers.model import Call
from providers.sanitize import safe_text
from tui import audit_log
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.archive.records import SortOrder
from tui.call_links import Link, link_text, page_address, time_text
from tui.config.accounts import Account
from tui.playback.views import WITH_SOUND
from tui.query.parser import Query
from tui.screens.playing import PlayingScreen
from tui.services import Services
from tui.vendor_thread import VendorThread
from widgets.call_detail import CallDetail
from widgets.call_document import RelatedCall, one_line
from widgets.call_table import CallTable
from widgets.columns import Clock
from widgets.key_line import KeyHint, KeyLine
from widgets.player_line import PlayerView

if TYPE_CHECKING:
    from tui.export.csv_json import Exported
    from tui.screens.export_prompt import ExportRequest

RELATED = 20
"""Calls that the detail shows beside one, at most."""
COPIES = {"number": "Number", "id": "Id", "link": "Link", "summary": "Summary"}
COPY_CHOICES = (
    *(KeyHint(what[0], title, f"copy_it('{what}')") for what, title in COPIES.items()),
    KeyHint("esc", "Nothing", ""),
)
PERSONAL = frozenset(("number", "summary"))
"""Copies that tell who it was."""
TELL_S = 0.25
"""Between two words about how far an export is."""


class Trail(NamedTuple):
    """The calls that one key goes round in, the one where it began first; and how it was there."""

    keys: tuple[int, ...]
    relations: tuple[str, ...]
    query: str
    opened: bool


class TakingOutScreen(PlayingScreen):
    """See the module."""

    sort: Any
    query_text: Any

    def __init__(
        self, services: Services, network: VendorThread, keymap: Mapping[str, str]
    ) -> None:
        super().__init__(services, network, keymap)
        self._archive: CallArchive | None = None
        self.exporting = ""
        """How far an export is; empty when there is none."""
        self._link: Link | None = None
        """The place that the screen was opened at, until it is played from there."""
        self._logged: tuple[str, str, int] | None = None
        """What is in the player and stands in the audit log already."""
        self._trail: Trail | None = None
        self._chosen_to_copy: tuple[Account, Call] | None = None
        """The call under the cursor when the first of the two keys was pressed."""

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """Now and here."""

    @abstractmethod
    def _go_to_call(self, key: int, query: str | None = None, opened: bool = True) -> None:
        """Put the cursor on a call, and open its detail or close it; `query` is shown first."""

    # -- the audit log

    def _record(self, act: str, **what: Any) -> None:
        """Beside the screen: a disk that hangs must not hold it up."""
        writing = asyncio.to_thread(audit_log.record, self.services.paths, act, **what)
        self.run_worker(writing, group="audit", exit_on_error=False)

    def _player_changed(self, view: PlayerView) -> None:
        super()._player_changed(view)
        playing = self.playback.playing
        if playing is None or view.status in ("idle", "failed"):
            self._logged = None
            return
        if view.status not in WITH_SOUND:
            return
        heard = (playing.account, playing.call.id, playing.index)
        if heard != self._logged:
            self._logged = heard
            name = f"{playing.account}:{playing.call.id}"
            self._record(audit_log.PLAY, call=name, recording=playing.index + 1)
            if self._link and self._link.name == name:
                self._link = None
                self._show_progress()

    def _saved(self, account: Account, call: Call, paths: list[Path]) -> None:
        super()._saved(account, call, paths)
        self._record(audit_log.DOWNLOAD, call=f"{account.name}:{call.id}", recordings=len(paths))

    # -- the place of a link

    def action_play(self) -> None:
        """As ever; the call that the screen was opened at begins where its link says."""
        link, playing = self._link, self.playback.playing
        current = self._current() if link else None
        if link is None or current is None:
            super().action_play()
            return
        account, call = current
        place = (link.account, link.id)
        begun = playing is not None and (playing.account, playing.call.id) == place
        if (account.name, call.id) == place and not begun:
            part = link.recording if link.recording < len(call.recordings) else 0
            self._play(account, call, part, start_s=link.at_s)
        else:
            super().action_play()

    def _place(self) -> str:
        """From where the call that the screen was opened at plays, while the cursor is on it."""
        link = self._link
        if link is None or link.at_s is None or self._archive is None:
            return ""
        if self._archive.key_of(link.account, link.id) != self.query_one(CallTable).current_key:
            return ""
        part = f" of recording {link.recording + 1}" if link.recording else ""
        return f"{self._key('play')} plays from {time_text(link.at_s)}{part}"

    # -- copies

    def action_copy(self) -> None:
        """Wait for the second key, which says what to copy."""
        self._chosen_to_copy = self._current()
        if self._chosen_to_copy:
            self.query_one(KeyLine).ask(COPY_CHOICES, self.focused)

    @on(KeyLine.Refused)
    def _no_such_copy(self) -> None:
        words = "press " + ", ".join(f"{one.key} {one.title.lower()}" for one in COPY_CHOICES)
        self._flash(words, "warning")

    @work(group="copy", exit_on_error=False)
    async def action_copy_it(self, what: str) -> None:
        if self._chosen_to_copy is None:
            return
        if why := self._kept_back(what, *self._chosen_to_copy):
            self._flash(why, "warning")
        elif text := self._copied(what, *self._chosen_to_copy):
            await self._copy(COPIES[what].lower(), text)
        else:
            self._flash(f"this call has no {what}", "warning")

    def _kept_back(self, what: str, account: Account, call: Call) -> str:
        """Why something is not copied: it is masked; empty: it may be."""
        assert self._archive is not None
        key = self._archive.key_of(account.name, call.id)
        if what not in PERSONAL or not self.veil.hides(key):
            return ""
        return f"the {what} is masked; {self._key('reveal')} shows it"

    def _copied(self, what: str, account: Account, call: Call) -> str:
        match what:
            case "number":
                return safe_text(call.contact.number, 200)
            case "id":
                return safe_text(call.id, 200)
            case "link":
                return link_text(self._link_to(account, call))
            case _:
                return one_line(call, account.name, self.clock)

    def _link_to(self, account: Account, call: Call) -> Link:
        """The call; at the playhead while something of it is in the player."""
        playing, view = self.playback.playing, self.playback.view
        here = playing and (playing.account, playing.call.id) == (account.name, call.id)
        if playing is None or not here or not self.playback.has_sound:
            return Link(account.name, call.id)
        return Link(account.name, call.id, view.position_s, playing.index)

    async def _copy(self, what: str, text: str) -> None:
        from tui.export.clipboard import copy

        def by_terminal(text: str) -> None:
            self.app.call_from_thread(self.app.copy_to_clipboard, text)

        way = await asyncio.to_thread(copy, text, self.services.environ, by_terminal)
        self._flash(f"{what} copied by {way}: {text}")

    # -- the vendor's page

    @work(group="page", exclusive=True, exit_on_error=False)
    async def action_page(self) -> None:
        current = self._current()
        if current is None:
            return
        account, call = current
        if not account.page:
            example = f'[accounts.{account.name}] page = "https://.../{{id}}"'
            self._flash(f"no page is known; config.toml gives it: {example}", "warning")
            return
        try:
            address = page_address(account.page, call.id)
        except ValueError as error:
            self._flash(f"{account.name}: {error}", "error")
            return
        if not has_browser(self.services.environ):
            await self._copy("no browser here; address", address)
            return
        import webbrowser

        opened = await asyncio.to_thread(webbrowser.open, address)
        if opened:
            self._flash("opened in the browser")
        else:
            await self._copy("no browser answered; address", address)

    # -- calls that belong together

    def _related(self, key: int) -> tuple[tuple[RelatedCall, ...], bool]:
        """Those of a row's key, newest first, and whether there are more."""
        assert self._archive is not None
        found = self._archive.related(key, RELATED + 1)
        shown = ((self.veil.row(row), relation) for row, relation in found[:RELATED])
        return tuple(RelatedCall(*one) for one in shown), len(found) > RELATED

    def action_related(self) -> None:
        """To the next call of the trail, and from the last one back to the first."""
        key = self.query_one(CallTable).current_key
        if key is None:
            self._flash("no call is chosen", "warning")
            return
        trail = self._trail
        if trail is None or key not in trail.keys:
            trail = self._trail = self._new_trail(key)
        if len(trail.keys) == 1:
            self._trail = None
            self._flash("no related call is known", "warning")
            return
        place = (trail.keys.index(key) + 1) % len(trail.keys)
        self._go_along(trail, place)

    def _new_trail(self, key: int) -> Trail:
        found = sorted(self._related(key)[0], key=lambda one: one.relation != "original")
        keys = (key, *(one.row.key for one in found))
        relations = ("", *(one.relation for one in found))
        return Trail(keys, relations, self.query_text, self.detail_open)

    def _go_along(self, trail: Trail, place: int) -> None:
        if place == 0:
            self._trail = None
            self._go_to_call(trail.keys[0], trail.query, trail.opened)
            self._flash("back at the call of before")
            return
        self._go_to_call(trail.keys[place])
        others = len(trail.keys) - 1
        back = f"{self._key('back')} goes back"
        self._flash(f"{trail.relations[place]}, {place} of {others}; {back}")

    @on(CallDetail.CallChosen)
    def _call_chosen(self, event: CallDetail.CallChosen) -> None:
        key = self.query_one(CallTable).current_key
        if key is not None:
            trail = self._trail
            if trail is None or key not in trail.keys or event.key not in trail.keys:
                trail = self._trail = self._new_trail(key)
            self._go_along(trail, trail.keys.index(event.key))

    def _back_on_trail(self) -> bool:
        """Whether there was a jump to go back from; then it was done."""
        trail = self._trail
        if trail is None or self.query_one(CallTable).current_key not in trail.keys[1:]:
            return False
        self._go_along(trail, 0)
        return True

    # -- exports

    def action_export(self) -> None:
        """Ask where to; at once, so that what is typed right behind goes there."""
        from tui.screens.export_prompt import ExportPrompt

        if self.exporting:
            self._flash(f"an export is running; {self._key('cancel')} stops it", "warning")
            return
        name = f"ringback-{self.clock.now.astimezone(self.clock.zone):%Y-%m-%d-%H%M}"
        shown = f"Export the calls of: {self.query_text}" if self.query_text else "Export all calls"
        shown += " (nothing is masked in the file)" if self.veil.on else ""
        self.app.push_screen(ExportPrompt(shown, name), self._answered)

    @property
    def _rows_asked(self) -> bool:
        # its question may come, for the keys behind
        return self._runs("asking to export") or super()._rows_asked

    def _answered(self, wish: ExportRequest | None) -> None:
        if wish:
            self._export_to(wish)

    @work(group="asking to export", exclusive=True, exit_on_error=False)
    async def _export_to(self, wish: ExportRequest) -> None:
        from widgets.confirm import Confirm

        there = await asyncio.to_thread(lambda: wish.path.exists() or wish.path.is_symlink())
        if there and not await self.app.push_screen_wait(
            Confirm("Replace the file?", f"{wish.path} exists.", yes="Replace", no="Keep")
        ):
            return
        self._export(wish.form, wish.path, there)

    @work(group="export", exclusive=True, exit_on_error=False)
    async def _export(self, form: str, path: Path, replace: bool) -> None:
        """In a thread, on a connection of its own; when stopped, nothing is left."""
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        wanted = self._query, self.sort, self.query_one(CallTable).columns

        def show(calls: int, of: int) -> None:
            if not stop.is_set():
                self._tell_export(f"exporting {calls:,} of {of:,}")

        def tell(calls: int, of: int) -> bool:
            loop.call_soon_threadsafe(show, calls, of)
            return not stop.is_set()

        self._tell_export("exporting")
        try:
            exported = await asyncio.to_thread(
                _save, self.services, *wanted, form, path, replace, tell
            )
        except asyncio.CancelledError:
            stop.set()
            raise
        except (ArchiveError, OSError) as error:
            said = getattr(error, "strerror", None) or error
            self._flash(f"not exported: {said}", "error")
        else:
            told = f"{counted(exported.calls, 'call')} saved in {path}"
            if exported.unread:
                lacks = counted(len(exported.unread), "damaged call")
                self._flash(f"{told}, without {lacks}; ringback doctor --repair", "warning")
            else:
                self._flash(told)
            self._record(
                audit_log.EXPORT,
                form=form,
                calls=exported.calls,
                accounts=sorted(exported.accounts),
            )
        finally:
            self._tell_export("")

    def _tell_export(self, text: str) -> None:
        self.exporting = text
        if self.is_mounted:
            self._show_progress()


def _save(
    services: Services,
    query: Query,
    sort: SortOrder,
    columns: tuple[str, ...],
    form: str,
    path: Path,
    replace: bool,
    tell: Callable[[int, int], bool],
) -> Exported:
    """All calls of a query in a file; `tell` hears now and then how many of how many are
    written, and ends it by False. Raises as `tui.export.csv_json.save`.
    """
    from tui.export import csv_json

    with services.open_archive() as archive:
        keys = archive.keys(query, sort)
        told_at = 0.0

        def said(calls: int) -> bool:
            nonlocal told_at
            if time.monotonic() - told_at < TELL_S:
                return True
            told_at = time.monotonic()
            return tell(calls, len(keys))

        unread: list[str] = []
        bodies = archive.export(keys, unread)
        exported = csv_json.save(bodies, path, form, columns, replace=replace, said=said)
        exported.unread = unread
        return exported


def has_browser(environ: Mapping[str, str]) -> bool:
    """Whether a browser would open before the user's eyes: not over SSH, nor in a terminal."""
    if environ.get("SSH_CONNECTION"):
        return False
    graphical = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return bool(graphical) or sys.platform in ("darwin", "win32")
