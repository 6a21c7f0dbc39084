"""Calls that go elsewhere: copies, links, exports, the vendor's page. What goes out is written to
the audit log.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from providers.counts import counted
from providers.model import Call
from providers.sanitize import safe_text
from tui import audit_log
from tui.archive.errors import ArchiveError
from tui.archive.records import SortOrder
from tui.call_links import Link, link_text, page_address
from tui.config.accounts import Account
from tui.query.parser import Query
from tui.screens.context import ScreenContext
from tui.services import Services
from widgets.call_document import one_line
from widgets.key_line import KeyHint

if TYPE_CHECKING:
    from tui.export.csv_json import Exported
    from tui.screens.export_prompt import ExportRequest

COPIES = {"number": "Number", "id": "Id", "link": "Link", "summary": "Summary"}
COPY_CHOICES = (
    *(KeyHint(what[0], title, f"copy_it('{what}')") for what, title in COPIES.items()),
    KeyHint("esc", "Nothing", ""),
)
PERSONAL = frozenset(("number", "summary"))
"""Copies that tell who it was."""
TELL_S = 0.25
"""Between two words about how far an export is."""


class ShownCalls(NamedTuple):
    """What of the calls is exported: those of a query, in an order, with these columns."""

    query: Query
    sort: SortOrder
    columns: tuple[str, ...]


class ExportController:
    """Belongs to the screen's loop. `shown` says what the table shows, `playhead` seconds and
    recording of a call that is in the player; `on_progress` is called when `progress` changed.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        shown: Callable[[], ShownCalls],
        playhead: Callable[[Account, Call], tuple[float, int] | None],
        on_progress: Callable[[], None],
    ) -> None:
        self._ctx, self._shown, self._playhead = ctx, shown, playhead
        self._on_progress = on_progress
        self.progress = ""
        """How far an export is; empty when there is none."""
        self._chosen: tuple[Account, Call] | None = None
        """The call under the cursor when the first of the two keys to copy was pressed."""

    # -- copies

    def choose_call(self) -> bool:
        """The call under the cursor is to be copied; whether there is one."""
        self._chosen = self._ctx.current_call()
        return self._chosen is not None

    def refuse_key(self) -> None:
        """The second key was none that says what to copy."""
        words = "press " + ", ".join(f"{one.key} {one.title.lower()}" for one in COPY_CHOICES)
        self._ctx.say(words, "warning")

    def copy(self, what: str) -> None:
        """Copy of the chosen call one of `COPIES`."""
        if self._chosen is not None:
            self._ctx.work(partial(self._copy, what, *self._chosen), "copy")

    async def _copy(self, what: str, account: Account, call: Call) -> None:
        if why := self._kept_back(what, account, call):
            self._ctx.say(why, "warning")
        elif text := self._copied(what, account, call):
            await self._put(COPIES[what].lower(), text)
        else:
            self._ctx.say(f"this call has no {what}", "warning")

    def _kept_back(self, what: str, account: Account, call: Call) -> str:
        """Why something is not copied: it is masked; empty: it may be."""
        assert self._ctx.archive is not None
        key = self._ctx.archive.key_of(account.name, call.id)
        if what not in PERSONAL or not self._ctx.veil.hides(key):
            return ""
        return f"the {what} is masked; {self._ctx.key('reveal')} shows it"

    def _copied(self, what: str, account: Account, call: Call) -> str:
        match what:
            case "number":
                return safe_text(call.contact.number, 200)
            case "id":
                return safe_text(call.id, 200)
            case "link":
                return link_text(self._link_to(account, call))
            case _:
                return one_line(call, account.name, self._ctx.clock)

    def _link_to(self, account: Account, call: Call) -> Link:
        """The call; at the playhead while something of it is in the player."""
        at = self._playhead(account, call)
        return Link(account.name, call.id, *at) if at else Link(account.name, call.id)

    async def _put(self, what: str, text: str) -> None:
        by = await self._ctx.copy(text)
        self._ctx.say(f"{what} copied by {by}: {text}")

    # -- the vendor's page

    def open_page(self) -> None:
        """Open the call's page at its vendor; where there is no browser, copy its address."""
        self._ctx.work(self._open_page, "page", exclusive=True)

    async def _open_page(self) -> None:
        current = self._ctx.current_call()
        if current is None:
            return
        account, call = current
        if not account.page:
            example = f'[accounts.{account.name}] page = "https://.../{{id}}"'
            self._ctx.say(f"no page is known; config.toml gives it: {example}", "warning")
            return
        try:
            address = page_address(account.page, call.id)
        except ValueError as error:
            self._ctx.say(f"{account.name}: {error}", "error")
            return
        if not has_browser(self._ctx.services.environ):
            await self._put("no browser here; address", address)
            return
        import webbrowser

        opened = await asyncio.to_thread(webbrowser.open, address)
        if opened:
            self._ctx.say("opened in the browser")
        else:
            await self._put("no browser answered; address", address)

    # -- exports

    @property
    def asks(self) -> bool:
        """Whether a question about an export may come."""
        return self._ctx.is_working("asking to export")

    def ask(self, query_text: str) -> None:
        """Ask where to; at once, so that what is typed right behind goes there."""
        from tui.screens.export_prompt import ExportPrompt

        if self.progress:
            self._ctx.say(f"an export is running; {self._ctx.key('cancel')} stops it", "warning")
            return
        now = self._ctx.clock.local(self._ctx.clock.now)
        shown = f"Export the calls of: {query_text}" if query_text else "Export all calls"
        shown += " (nothing is masked in the file)" if self._ctx.veil.on else ""
        self._ctx.ask(ExportPrompt(shown, f"ringback-{now:%Y-%m-%d-%H%M}"), self._answered)

    def _answered(self, request: ExportRequest | None) -> None:
        if request:
            self._ctx.work(partial(self._check, request), "asking to export", exclusive=True)

    async def _check(self, request: ExportRequest) -> None:
        """Replace no file unasked."""
        path = request.path
        if await asyncio.to_thread(lambda: path.exists() or path.is_symlink()):
            replace = partial(self._begin, request, True)
            labels = {"yes": "Replace", "no": "Keep"}
            self._ctx.confirm("Replace the file?", f"{path} exists.", replace, **labels)
        else:
            self._begin(request, replace=False)

    def _begin(self, request: ExportRequest, replace: bool) -> None:
        self._ctx.work(partial(self._export, request, replace), "export", exclusive=True)

    async def _export(self, request: ExportRequest, replace: bool) -> None:
        """In a thread, on a connection of its own; when stopped, nothing is left."""
        stop = threading.Event()
        loop = asyncio.get_running_loop()

        def show(calls: int, of: int) -> None:
            if not stop.is_set():
                self._tell(f"exporting {calls:,} of {of:,}")

        def tell(calls: int, of: int) -> bool:
            loop.call_soon_threadsafe(show, calls, of)
            return not stop.is_set()

        self._tell("exporting")
        save = partial(_save, self._ctx.services, self._shown(), request, replace, tell)
        try:
            exported = await asyncio.to_thread(save)
        except asyncio.CancelledError:
            stop.set()
            raise
        except (ArchiveError, OSError) as error:
            self._ctx.say(f"not exported: {getattr(error, 'strerror', None) or error}", "error")
        else:
            self._say_exported(exported, request)
        finally:
            self._tell("")

    def _say_exported(self, exported: Exported, request: ExportRequest) -> None:
        told = f"{counted(exported.calls, 'call')} saved in {request.path}"
        if exported.unread:
            lacks = counted(len(exported.unread), "damaged call")
            self._ctx.say(f"{told}, without {lacks}; ringback doctor --repair", "warning")
        else:
            self._ctx.say(told)
        accounts = sorted(exported.accounts)
        form, calls = request.form, exported.calls
        self._ctx.record(audit_log.EXPORT, form=form, calls=calls, accounts=accounts)

    def _tell(self, text: str) -> None:
        self.progress = text
        if not self._ctx.has_ended:
            self._on_progress()


def _save(
    services: Services,
    shown: ShownCalls,
    request: ExportRequest,
    replace: bool,
    tell: Callable[[int, int], bool],
) -> Exported:
    """All calls of a query in a file; `tell` hears now and then how many of how many are
    written, and ends it by False. Raises as `tui.export.csv_json.save`.
    """
    from tui.export import csv_json

    with services.open_archive() as archive:
        keys = archive.keys(shown.query, shown.sort)
        told_at = 0.0

        def said(calls: int) -> bool:
            nonlocal told_at
            if time.monotonic() - told_at < TELL_S:
                return True
            told_at = time.monotonic()
            return tell(calls, len(keys))

        unread: list[str] = []
        bodies = archive.export(keys, unread)
        save = partial(csv_json.save, bodies, request.path, request.form, shown.columns)
        exported = save(replace=replace, said=said)
        exported.unread = unread
        return exported


def has_browser(environ: Mapping[str, str]) -> bool:
    """Whether a browser would open before the user's eyes: not over SSH, nor in a terminal."""
    if environ.get("SSH_CONNECTION"):
        return False
    graphical = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return bool(graphical) or sys.platform in ("darwin", "win32")
