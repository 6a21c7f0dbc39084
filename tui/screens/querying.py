"""A screen with a query line: what the table shows, in which order, and the views."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from rich.cells import cell_len
from textual import on, work

from tui.archive.errors import ArchiveError
from tui.archive.records import SortOrder
from tui.config.accounts import configured
from tui.config.settings import Settings, View
from tui.config.views import views
from tui.query.editing import begun, completed, with_or_without
from tui.query.parser import EVERYTHING, Problem, Query, parse
from tui.screens import state
from tui.screens.reading import ReadingScreen
from tui.services import Services
from widgets.call_table import CallTable
from widgets.filter_line import Choices, FilterLine
from widgets.sidebar import ALL, Sidebar

COMPLETED = 8
"""Names that are shown for what is typed, at most."""


class Shown(NamedTuple):
    """What the rows are of that the table shows."""

    text: str
    """The query line."""
    sort: SortOrder
    own_sort: SortOrder


class QueryingScreen(ReadingScreen):
    """See the module."""

    settings: Settings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._own_sort = self.sort
        """The user's order, which a view's own one leaves as it is."""
        self._shown_now = Shown("", self.sort, self.sort)
        self._left: dict[str, int] = {}
        """The calls that the cursor was on when queries were left, by their texts."""
        self._edited = ""
        """The query's text before it was typed at."""
        self._line = EVERYTHING
        """The query with what was not understood of its text."""
        self._doubts: tuple[Problem, ...] = ()
        """Names that no call has, of the query `_doubted` or of one that goes on from it."""
        self._doubted = ""
        self._slips: tuple[Problem, ...] = ()
        """What the words of a query that finds nothing may have meant."""

    @abstractmethod
    def _close_detail(self) -> None:
        """Back from the detail to the table."""

    @abstractmethod
    def _show_hints(self) -> None:
        """Show the keys that work now."""

    # -- the query

    def _parse(self) -> None:
        now, zone = self.services.now(), self.services.zone
        self._line = parse(self.query_text, now, zone, self._has_field)
        self._query = Query(self._line.terms)
        if not self._line.names or not self.query_text.startswith(self._doubted):
            self._doubts = ()
        self._show_problem()

    def _has_field(self, word: str) -> bool:
        with suppress(ArchiveError):  # the rows are read too, and say it
            return self._archive is not None and self._archive.has_field(word)
        return False

    def _show_problem(self) -> None:
        """Mark the first piece of the query that was not understood, or that nothing has."""
        said = [*self._doubts, *self._slips]
        if self.veil.on:  # behind the first words stand names that calls have
            said = [one._replace(message=one.message.partition(";")[0]) for one in self._doubts]
        first = min((*self._line.problems, *said), default=None)
        place = cell_len(self.query_text[: first.start]) if first else 0
        self.query_one(FilterLine).problem = (place, first.message) if first else None

    def _reload(self, goal: Literal["here", "first", "last"] = "here") -> None:
        super()._reload(goal)
        if self._line.names:
            self._doubt(self.query_text, self._line)

    @work(group="doubt", exclusive=True, exit_on_error=False)
    async def _doubt(self, text: str, line: Query) -> None:
        """Look for names in the query that no call has; what was said stays until then."""
        more = configured(self.accounts)
        with suppress(ArchiveError):  # the rows are read too, and say it
            doubts = await self._ask_archive(lambda archive: archive.unknown_names(line, more))
            if doubts is not None and text == self.query_text:
                self._doubts, self._doubted = doubts, text
                self._show_problem()

    @work(group="slips", exclusive=True, exit_on_error=False)
    async def _look_for_slips(self, text: str, line: Query) -> None:
        """Nothing was found: see whether a word of the query is another's slip."""
        with suppress(ArchiveError):
            slips = await self._ask_archive(lambda archive: archive.spelling_suggestions(line))
            if slips and text == self.query_text:
                self._slips = slips
                self._show_problem()

    def _set_query(self, text: str, back: bool = False) -> None:
        """Show the rows of another query; `back`: from the call on where one was there before."""
        if text == self.query_text:
            return
        self._note_left()
        self._put_query(text, shown=True)
        if self._end_asking():
            return
        if back and text in self._left:
            self._reload_at(self._left[text])
        else:
            self._reload("first")

    def _note_left(self) -> None:
        """Keep where one was; not for each letter of a query that is being typed."""
        key, text = self.query_one(CallTable).current_key, self.query_text
        begun = self.query_one(FilterLine).editing and text != self._edited
        if key is not None and text == self._shown_now.text and not begun:
            self._left[text] = key

    def _end_asking(self) -> bool:
        """Where the rows that are shown are those that are wanted again, read no others."""
        wanted_again = self._shown_now[:2] == (self.query_text, self.sort)
        return wanted_again and self._end_jump()

    def _note_shown(self) -> None:
        """The table shows what query and order say now."""
        empty = not len(self._snapshot.part.keys)
        if empty and self._line.words and not self._slips:
            self._look_for_slips(self.query_text, self._line)
        elif self._slips and not empty:
            self._slips = ()
            self._show_problem()
        self._shown_now = Shown(self.query_text, self.sort, self._own_sort)

    def _back_to_shown(self) -> None:
        text, self.sort, self._own_sort = self._shown_now
        self.query_one(CallTable).sort = self.sort
        if text != self.query_text:
            self._put_query(text)

    def _put_query(self, text: str, shown: bool = False) -> None:
        """Make `text` the query; whoever calls reads the rows. `shown`: it stands in its line."""
        if not shown:
            self.query_one(FilterLine).show(text)
        self.query_text = text
        self._slips = ()
        self.query_one(CallTable).end_range()  # it was one of other rows
        self._parse()
        self._mark_sidebar()
        self._show_hints()

    def _mark_sidebar(self) -> None:
        """Mark the view or account that the query line stands for, if it is one."""
        items = {f"account:{account.name}": ("account", account.name) for account in self.accounts}
        items |= {view.query: ("view", view.name) for view in views(self.settings)}
        line = self.query_text.strip()
        self.query_one(Sidebar).selected = items.get(line) or items.get(_of_all(line), ALL)

    def action_filter(self) -> None:
        self._close_detail()
        self._edited = self.query_text
        self.query_one(FilterLine).edit(self.query_text, self.query_one(CallTable))

    @on(FilterLine.Edited)
    def _typed(self, event: FilterLine.Edited) -> None:
        self._set_query(event.text, back=not self.query_one(FilterLine).editing)
        if (found := begun(event.text)) is not None:
            self._complete(event.text, *found)

    @work(group="complete", exclusive=True, exit_on_error=False)
    async def _complete(self, text: str, kind: str, start: str) -> None:
        """Show names that the archive knows, for what is typed."""
        try:
            names = await asyncio.to_thread(_names, self.services, kind, start)
        except ArchiveError:
            return  # the rows are read too, and say it
        names = [name for name in names if state.may_show(kind, name, self.veil)]
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

    def _order_of_view(self) -> SortOrder | None:
        """The order of the view that the query line stands for, if it has one; also of a view
        of one account.
        """
        meant = (self.query_text, _of_all(self.query_text))
        found = (view.sort for view in views(self.settings) if view.query in meant)
        return next((state.sort_of(sort) for sort in found if sort), None)

    def _show_view(self, view: View) -> None:
        self._go_to(view.query, state.sort_of(view.sort) if view.sort else None)

    def _go_to(self, text: str, sort: SortOrder | None = None, back: bool = False) -> None:
        """Show what a view or an account stands for; a view may have an order of its own."""
        self.query_one(FilterLine).show(text)
        self._close_detail()
        self._note_left()
        self._sort_by(sort or self._own_sort)
        self._set_query(text, back)
        self.set_focus(self.query_one(CallTable))

    def action_view(self, number: int) -> None:
        for view in views(self.settings):
            if view.key == str(number):
                self._show_view(view)
                return
        self._flash(f"no view has the key {number}", "warning")

    @on(CallTable.SortRequested)
    def _sort_requested(self, event: CallTable.SortRequested) -> None:
        self._own_sort = SortOrder(event.column_id, event.descending)
        self._sort_by(self._own_sort)

    def _sort_by(self, sort: SortOrder) -> None:
        if sort != self.sort:
            self.query_one(CallTable).end_range()
            self.sort = self.query_one(CallTable).sort = sort
            self._reload("first")


def _of_all(text: str) -> str:
    """A query of one account, as `ringback --account` writes it, without the account."""
    return re.sub(r"^account:\S+ +", "", text)


def _names(services: Services, kind: str, start: str) -> list[str]:
    with services.open_archive() as archive:
        return [state.typed(name) for name in archive.suggest(kind, start, COMPLETED)]
