"""A screen with a query line: what the table shows, in which order, and the views; and the
reading of it beside the screen.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from typing import Any

from rich.cells import cell_len
from textual import on, work
from textual.reactive import var

from tui.archive import TROUBLES, Archive
from tui.archive.facets import Facets
from tui.query import Query, begun, completed, parse, with_or_without
from tui.screens import state
from tui.screens.calls import CallsScreen
from tui.services import Services
from tui.settings import Settings, View
from tui.views import views
from widgets.call_table import CallTable
from widgets.filter_line import Choices, FilterLine
from widgets.safe import safe_text
from widgets.sidebar import ALL, Sidebar

COMPLETED = 8
"""Names that are shown for what is typed, at most."""


class QueryingScreen(CallsScreen):
    """See the module. Whoever is one shows what was read."""

    query_text: var[str] = var("", bindings=True)
    """The query line: what the table shows, and the views and accounts set."""
    sort: var[tuple[str, bool]] = var(("time", True))

    settings: Settings
    _archive: Archive | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._version = 0
        self._reading = self._stale = False
        self._reader: state.Reading | None = None
        self._own_sort = self.sort
        """The user's order, which a view's own one leaves as it is."""
        self._keep = True
        """Whether the next reading leaves the cursor on its call."""

    @abstractmethod
    def _show(self, snapshot: state.Snapshot, keep: bool) -> None:
        """Show the rows; `keep` the cursor on its call."""

    @abstractmethod
    def _close_detail(self) -> None:
        """Back from the detail to the table."""

    @abstractmethod
    def _show_hints(self) -> None:
        """Show the keys that work now."""

    # -- reading

    def _look(self) -> None:
        """Somebody wrote (a sync here, or another Ringback): show it."""
        if self._archive and (version := self._archive.version()) != self._version:
            self._version = version
            self._reload()

    def _reload(self, keep: bool = True) -> None:
        """Read the rows anew, one reading at a time; `keep` the cursor on its call."""
        self._parse()  # "today" and "24h" go on with the clock
        self._stale, self._keep = True, self._keep and keep
        if self._reader and not keep:
            self._reader.end()  # of another query
        if not self._reading:
            self._reading = True
            self._read()

    @work(group="rows", exit_on_error=False)
    async def _read(self) -> None:
        """Read the order of all rows beside the screen, then show it."""
        try:
            while self._stale:
                self._stale = False
                # the first page at once where other calls are asked for, then the whole order
                for limit in (None,) if self._keep else (state.FIRST_ROWS, None):
                    await self._read_once(limit)
        except TROUBLES as error:
            self._flash(f"the archive cannot be read: {error}", "error")
        finally:
            self._reading = False
        self._count_facets()

    @work(group="facets", exclusive=True, exit_on_error=False)
    async def _count_facets(self) -> None:
        """Count beside the screen whom and what the calls shown have most of."""
        sidebar = self.query_one(Sidebar)
        if not sidebar.display:
            return
        with suppress(*TROUBLES):  # the rows are read too, and say it
            found = await asyncio.to_thread(_facets, self.services, self._query)
            sidebar.facets = state.facet_items(found)

    async def _read_once(self, limit: int | None) -> None:
        wanted = self.query_text, self.sort
        if self._stale:
            return
        self._reader = state.Reading(self.services, self.accounts, self._query, self.sort, limit)
        snapshot = await asyncio.to_thread(self._reader.run)
        whole = limit is None or (snapshot is not None and not snapshot.complete)
        if snapshot and whole and wanted == (self.query_text, self.sort):
            keep, self._keep = self._keep, True
            self._show(snapshot, keep)

    def _end_reading(self) -> None:
        """Nobody waits for it any more."""
        if self._reader:
            self._reader.end()

    # -- the query

    def _parse(self) -> None:
        query = parse(self.query_text, self.services.now(), self.services.zone)
        self._query = Query(query.terms)
        first = query.problems[0] if query.problems else None
        place = cell_len(self.query_text[: first.start]) if first else 0
        self.query_one(FilterLine).problem = (place, first.message) if first else None

    def _set_query(self, text: str) -> None:
        if text != self.query_text:
            self._put_query(text, shown=True)
            self._reload(keep=False)

    def _put_query(self, text: str, shown: bool = False) -> None:
        """Make `text` the query; whoever calls reads the rows. `shown`: it stands in its line."""
        if not shown:
            self.query_one(FilterLine).show(text)
        self.query_text = text
        self._parse()
        self._mark_sidebar()
        self._show_hints()

    def _mark_sidebar(self) -> None:
        """Mark the view or account that the query line stands for, if it is one."""
        items = {f"account:{account.name}": ("account", account.name) for account in self.accounts}
        items |= {view.query: ("view", view.name) for view in views(self.settings)}
        self.query_one(Sidebar).selected = items.get(self.query_text.strip(), ALL)

    def action_filter(self) -> None:
        self._close_detail()
        self.query_one(FilterLine).edit(self.query_text, self.query_one(CallTable))

    @on(FilterLine.Edited)
    def _typed(self, event: FilterLine.Edited) -> None:
        self._set_query(event.text)
        if (found := begun(event.text)) is not None:
            self._complete(event.text, *found)

    @work(group="complete", exclusive=True, exit_on_error=False)
    async def _complete(self, text: str, kind: str, start: str) -> None:
        """Show names that the archive knows, for what is typed."""
        try:
            names = await asyncio.to_thread(_names, self.services, kind, start)
        except TROUBLES:
            return  # the rows are read too, and say it
        lines = tuple(completed(text, name) for name in names)
        self.query_one(FilterLine).choices = Choices(text, tuple(names), lines)

    @on(Sidebar.Chosen)
    def _chosen(self, event: Sidebar.Chosen) -> None:
        if event.kind == "view":
            named = {view.name: view for view in views(self.settings)}
            self._show_view(named[event.id])
        elif event.kind == "facet":
            self._go_to(with_or_without(self.query_text, event.id), self.sort)
        else:
            self._go_to(f"account:{event.id}" if event.kind == "account" else "")

    def _order_of_view(self) -> tuple[str, bool] | None:
        """The order of the view that the query line stands for, if it has one."""
        found = (view.sort for view in views(self.settings) if view.query == self.query_text)
        return next((state.sort_of(sort) for sort in found if sort), None)

    def _show_view(self, view: View) -> None:
        self._go_to(view.query, state.sort_of(view.sort) if view.sort else None)

    def _go_to(self, text: str, sort: tuple[str, bool] | None = None) -> None:
        """Show what a view or an account stands for; a view may have an order of its own."""
        self.query_one(FilterLine).show(text)
        self._close_detail()
        self._sort_by(sort or self._own_sort)
        self._set_query(text)
        self.set_focus(self.query_one(CallTable))

    def action_view(self, number: int) -> None:
        for view in views(self.settings):
            if view.key == str(number):
                self._show_view(view)
                return
        self._flash(f"no view has the key {number}", "warning")

    @on(CallTable.SortRequested)
    def _sort_requested(self, event: CallTable.SortRequested) -> None:
        self._own_sort = (event.column_id, event.descending)
        self._sort_by(self._own_sort)

    def _sort_by(self, sort: tuple[str, bool]) -> None:
        if sort != self.sort:
            self.sort = self.query_one(CallTable).sort = sort
            self._reload(keep=False)


def _names(services: Services, kind: str, start: str) -> list[str]:
    with services.open_archive() as archive:
        return [safe_text(name, 200) for name in archive.complete(kind, start, COMPLETED)]


def _facets(services: Services, query: Query) -> Facets:
    with services.open_archive() as archive:
        return archive.facets(query)
