"""What is shown above the main screen: columns, accounts, help, a recording in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from tui.config.settings import Settings, SettingsError, keep_view, put
from tui.screens.context import ScreenContext

if TYPE_CHECKING:
    from tui.screens.insights import InsightsPlace


VIEW_NAME = 40
"""Characters of a view's name, at most."""


class HasColumns(Protocol):
    """The table."""

    columns: tuple[str, ...]


class Dialogs:
    """Each is loaded when it is asked for. `on_accounts` is called when there are others,
    `show_query` shows the calls of a query, `ask_line` asks for a line of text, and
    `use_settings` takes what config.toml says of views by now.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        table: HasColumns,
        on_accounts: Callable[[], None],
        show_query: Callable[[str], None],
        ask_line: Callable[[str, Callable[[str], None], Sequence[str]], None],
        use_settings: Callable[[Settings], None],
    ) -> None:
        self._ctx, self._table, self._on_accounts = ctx, table, on_accounts
        self._show_query, self._ask_line, self._use_settings = show_query, ask_line, use_settings
        self._insights: InsightsPlace | None = None
        """Where the figures were left for calls, whose query is shown."""

    def columns(self) -> None:
        """Choose the table's columns; they are kept for the next start."""
        from widgets.column_chooser import ColumnChooser

        def answered(chosen: tuple[str, ...] | None) -> None:
            if chosen:
                self._table.columns = chosen
                self._ctx.work(partial(self._keep_columns, chosen), "columns")

        self._ctx.ask(ColumnChooser(self._table.columns), answered)

    async def _keep_columns(self, chosen: tuple[str, ...]) -> None:
        paths = self._ctx.services.paths
        try:
            await asyncio.to_thread(put, paths, "table", "columns", [*chosen])
        except SettingsError as error:
            self._ctx.say(f"the columns are not kept: {error}", "error")

    def save_view(self) -> None:
        """Keep the present query as a view."""
        query = self._ctx.query_text.strip()
        if not query:
            self._ctx.say("there is no query to keep: all calls are shown", "warning")
            return

        def named(text: str) -> None:
            if name := " ".join(text.split()):
                self._ctx.work(partial(self._keep_view, name[:VIEW_NAME], query), "views")

        self._ask_line("keep this query as a view, by name", named, ())

    async def _keep_view(self, name: str, query: str) -> None:
        services = self._ctx.services
        try:
            await asyncio.to_thread(keep_view, services.paths, name, query)
        except SettingsError as error:
            self._ctx.say(f"the view is not kept: {error}", "error")
            return
        self._use_settings(services.settings())
        self._ctx.say(f"{name} is a view now")

    def accounts(self) -> None:
        """Add, test and remove accounts."""
        from tui.screens.accounts import AccountsScreen

        def left(changed: bool | None) -> None:
            if changed:
                self._on_accounts()

        self._ctx.ask(AccountsScreen(self._ctx.services, self._ctx.network), left)

    def insights(self) -> None:
        """The figures of the calls that match; where they were left for calls, there."""
        from tui.screens.insights import InsightsScreen

        place, self._insights = self._insights, None
        if place is None or place.query != self._ctx.query_text.strip():
            place = None

        def left(chosen: InsightsPlace | None) -> None:
            self._insights = chosen
            if chosen is not None:
                self._show_query(chosen.calls)
                self._ctx.say(f"{self._ctx.key('back')} goes back to the figures")

        self._ctx.ask(InsightsScreen(self._ctx, place), left)

    def query_before_insights(self) -> str | None:
        """Of which query the figures are whose calls are shown; None where others are."""
        place = self._insights
        return place.query if place and place.calls == self._ctx.query_text else None

    def help(self) -> None:
        """All keys, and how the query line is written."""
        from tui.screens.help import HelpScreen

        self._ctx.show(HelpScreen(self._ctx.keymap))

    def text(self, title: str, text: str) -> None:
        """A longer text, to be read or copied."""
        from widgets.text_modal import TextModal

        self._ctx.show(TextModal(title, text))
