"""Which calls the table shows, in which order: the query line, the views, and the way back."""

from __future__ import annotations

import asyncio
import re
from array import array
from functools import partial
from typing import NamedTuple, Protocol

from providers.model import Call
from tui.archive.errors import ArchiveError
from tui.archive.records import SortOrder
from tui.config.accounts import Account
from tui.config.settings import Settings, View
from tui.config.views import views
from tui.playback.views import Playing
from tui.query.editing import begun, completed, with_or_without
from tui.query.parser import Query, Term
from tui.screens.column_settings import sort_of
from tui.screens.context import ScreenContext
from tui.screens.query_problems import QueryProblems
from tui.screens.reading_notice import ReadingNotice
from tui.screens.row_counts import RowCounts
from tui.screens.row_reader import RowReader
from tui.screens.row_window import RowWindow, next_recorded
from tui.screens.sidebar_items import may_show, typed
from tui.screens.snapshot import Snapshot
from tui.services import Services
from widgets.filter_line import Choices
from widgets.sidebar import ALL, FacetItem, ViewItem

COMPLETED = 8
"""Names that are shown for what is typed, at most."""
RECORDED = Term("recording", "rec")


class CallListView(Protocol):
    """The screen: what it shows, and what it does for the list."""

    facets: tuple[FacetItem, ...]
    problem: tuple[int, str] | None
    waiting: str
    """What is being read, and how to stop it."""
    views: tuple[ViewItem, ...]
    selected: tuple[str, str]
    """Kind and id of the sidebar's item that the query stands for."""

    def show_rows(self, snapshot: Snapshot, keep: bool) -> None:
        """Show these rows, with the cursor on its call if it is to `keep` that."""

    def show_more_rows(self) -> None:
        """Show the rows that are held by now; the cursor stays."""

    def show_position(self) -> None:
        """Show where the cursor is, and of how many."""

    def show_query(self, *, in_line: bool) -> None:
        """Show query and order as they are now, `in_line` also where the query is typed."""

    def is_editing(self) -> bool:
        """Whether somebody types at the query."""

    def show_choices(self, choices: Choices) -> None:
        """Show how what is typed may go on."""


class CallListPanes(Protocol):
    """Where the list has its place."""

    def wants_facets(self) -> bool:
        """Whether there is room for the names that calls have."""

    def leave_detail(self) -> None:
        """Back from the detail to the table."""

    def focus_table(self) -> None:
        """The keys go to the table."""


class Shown(NamedTuple):
    """What the rows are of that the table shows."""

    text: str
    """The query line."""
    sort: SortOrder
    own_sort: SortOrder


class CallListController:
    """Belongs to the screen's loop."""

    def __init__(
        self, ctx: ScreenContext, settings: Settings, view: CallListView, panes: CallListPanes
    ) -> None:
        self._ctx, self._settings, self._view, self._panes = ctx, settings, view, panes
        self.notice = ReadingNotice(ctx, self._show_reading)
        self.counts = RowCounts(ctx, view.show_position, self._show_facets, panes.wants_facets)
        self.problems = QueryProblems(ctx, self._show_problem)
        self.rows = RowReader(
            ctx, self.notice, self.counts, self._prepare, view.show_rows, view.show_more_rows
        )
        self._own_sort = sort_of(settings.table.sort)
        """The user's order, which a view's own one leaves as it is."""
        ctx.sort = self._order_of_view() or self._own_sort
        self._shown_now = Shown("", ctx.sort, ctx.sort)
        self._left: dict[str, int] = {}
        """The calls that the cursor was on when queries were left, by their texts."""
        self._edited = ""
        """The query's text before it was typed at."""

    def _show_reading(self, text: str) -> None:
        self._view.waiting = text

    def _show_facets(self, facets: tuple[FacetItem, ...]) -> None:
        self._view.facets = facets

    def _show_problem(self, problem: tuple[int, str] | None) -> None:
        self._view.problem = problem

    def _prepare(self) -> None:
        self.problems.parse()
        self.problems.look_for_unknown_names()

    # -- as others need it

    def show_call(self, key: int) -> None:
        """Put the cursor on a call, if it is among those that match."""
        self.rows.show_call(key)

    def look(self) -> None:
        """Show what was written since the last look."""
        self.rows.look()

    def say_reading(self, text: str) -> None:
        """Say what is being read, if it takes a moment; empty: that has ended."""
        self.notice.say(text)

    # -- the query

    def set_query(self, text: str, back: bool = False) -> None:
        """Show the rows of another query; `back`: from the call on where one was there before."""
        if text == self._ctx.query_text:
            return
        self._note_left()
        self.put_query(text, in_line=False)
        if self._end_asking():
            return
        if back and text in self._left:
            self.rows.reload_at(self._left[text])
        else:
            self.rows.reload("first")

    def put_query(self, text: str, in_line: bool = True) -> None:
        """Make `text` the query; whoever calls reads the rows. `in_line`: show it in its line."""
        self._ctx.query_text = text
        self.problems.forget_slips()
        self._ctx.cursor.end_range()  # it was one of other rows
        self.problems.parse()
        self.select()
        self._view.show_query(in_line=in_line)

    def select(self) -> None:
        """Mark the view or account that the query line stands for, if it is one."""
        accounts, line = self._ctx.accounts, self._ctx.query_text.strip()
        items = {f"account:{account.name}": ("account", account.name) for account in accounts}
        items |= {view.query: ("view", view.name) for view in views(self._settings)}
        self._view.selected = items.get(line) or items.get(_of_all(line), ALL)

    def begin_edit(self) -> None:
        """Somebody is about to type at the query."""
        self._edited = self._ctx.query_text

    def edit(self, text: str) -> None:
        """Somebody typed at the query."""
        self.set_query(text, back=not self._view.is_editing())
        if (found := begun(text)) is not None:
            self._ctx.work(partial(self._complete, text, *found), "complete", exclusive=True)

    async def _complete(self, text: str, kind: str, start: str) -> None:
        """Show names that the archive knows, for what is typed."""
        try:
            names = await asyncio.to_thread(_names, self._ctx.services, kind, start)
        except ArchiveError:
            return  # the rows are read too, and say it
        names = [name for name in names if may_show(kind, name, self._ctx.veil)]
        lines = tuple(completed(text, name) for name in names)
        self._view.show_choices(Choices(text, tuple(names), lines))

    # -- the way back

    def _note_left(self) -> None:
        """Keep where one was; not for each letter of a query that is being typed."""
        key, text = self._ctx.cursor.current_key, self._ctx.query_text
        begun = self._view.is_editing() and text != self._edited
        if key is not None and text == self._shown_now.text and not begun:
            self._left[text] = key

    def note_shown(self) -> None:
        """The table shows what query and order say now."""
        self.problems.rows_shown(bool(self._ctx.snapshot.part.keys))
        self._shown_now = Shown(self._ctx.query_text, self._ctx.sort, self._own_sort)

    def _end_asking(self) -> bool:
        """Where the rows that are shown are those that are wanted again, read no others."""
        wanted_again = self._shown_now[:2] == (self._ctx.query_text, self._ctx.sort)
        return wanted_again and self.end_reading()

    def end_reading(self) -> bool:
        """Stay with the rows that are shown, in their order, instead of reading on; whether
        something was being read of which the status line told.
        """
        if not self.rows.end():
            return False
        text, self._ctx.sort, self._own_sort = self._shown_now
        if text != self._ctx.query_text:
            self.put_query(text)
        else:
            self._view.show_query(in_line=False)
        return True

    # -- views and accounts

    def use_settings(self, settings: Settings) -> None:
        """Show the views of these settings."""
        self._settings = settings
        shown = views(settings)
        self._view.views = tuple(ViewItem(one.name, one.title, one.key or "") for one in shown)
        self.select()

    def choose(self, kind: str, id: str) -> None:
        """Show what an item of the sidebar stands for."""
        if kind == "view":
            self._show_view({view.name: view for view in views(self._settings)}[id])
        elif kind == "facet":
            self.go_to(with_or_without(self._ctx.query_text, id), self._ctx.sort)
        else:
            self.go_to(f"account:{id}" if kind == "account" else "")

    def show_view(self, number: int) -> None:
        """Show the view that has this key."""
        for view in views(self._settings):
            if view.key == str(number):
                self._show_view(view)
                return
        self._ctx.say(f"no view has the key {number}", "warning")

    def _show_view(self, view: View) -> None:
        self.go_to(view.query, sort_of(view.sort) if view.sort else None)

    def _order_of_view(self) -> SortOrder | None:
        """The order of the view that the query line stands for, if it has one; also of a view
        of one account.
        """
        text = self._ctx.query_text
        found = (view.sort for view in views(self._settings) if view.query in (text, _of_all(text)))
        return next((sort_of(sort) for sort in found if sort), None)

    def go_to(self, text: str, sort: SortOrder | None = None, back: bool = False) -> None:
        """Show what a view or an account stands for; a view may have an order of its own."""
        self._panes.leave_detail()
        self._note_left()
        self._sort_by(sort or self._own_sort)
        self.set_query(text, back)
        self._view.show_query(in_line=True)
        self._panes.focus_table()

    def sort_by(self, column: str, descending: bool) -> None:
        """The user's own order."""
        self._own_sort = SortOrder(column, descending)
        self._sort_by(self._own_sort)

    def _sort_by(self, sort: SortOrder) -> None:
        if sort != self._ctx.sort:
            self._ctx.cursor.end_range()
            self._ctx.sort = sort
            self._view.show_query(in_line=False)
            self.rows.reload("first")

    def go_to_call(self, key: int, query: str | None = None) -> None:
        """Put the cursor on a call at once, whatever is shown; of `query` first, if it is given.
        Raises `ArchiveDamaged`.
        """
        ctx = self._ctx
        assert ctx.archive is not None
        if query is not None and query != ctx.query_text:
            self.put_query(query)
        elif not ctx.cursor.move_to_key(key) and not ctx.archive.matching([key], ctx.query):
            self.put_query("")
        if ctx.cursor.current_key != key:
            # it is shown at once; the others come round it
            alone = RowWindow(array("q", [key]), begins=False, ends=False, above=None)
            self._view.show_rows(ctx.snapshot._replace(part=alone), False)
            self.rows.reload()

    # -- one call after the other

    async def call_after(self, playing: Playing) -> tuple[Account, Call] | None:
        """The next call of the table that has a recording; the cursor goes with it."""
        archive, part, asked = self._ctx.archive, self._ctx.snapshot.part, self._ctx.asked
        assert archive is not None
        here = archive.key_of(playing.account, playing.call.id)
        if here is None or not archive.matching([here], self._ctx.query):
            return None
        held = here in part.keys
        key = next_recorded(archive, part.keys, here) if held else None
        if key is None and not (held and part.ends):
            order = Query((*self._ctx.query.terms, RECORDED)), self._ctx.sort
            after = part.keys[-1] if held else here
            keys = await self._ctx.reads.ask(lambda a: a.keys(*order, limit=1, after=after))
            key = keys[0] if keys else None
        found = archive.call(key) if key is not None else None
        account = self._ctx.account(found[0]) if found else None
        if key is None or found is None or account is None:
            return None
        if self._ctx.cursor.current_key == here and asked == self._ctx.asked:
            self.show_call(key)
        return account, found[1]


def _of_all(text: str) -> str:
    """A query of one account, as `ringback --account` writes it, without the account."""
    return re.sub(r"^account:\S+ +", "", text)


def _names(services: Services, kind: str, start: str) -> list[str]:
    with services.open_archive() as archive:
        return [typed(name) for name in archive.suggest(kind, start, COMPLETED)]
