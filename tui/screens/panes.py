"""Which panes of the main screen stand beside each other, and what the detail shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.call_details import read_extra

if TYPE_CHECKING:
    from tui.screens.main import MainScreen

WIDE = 170
"""Cells in which table and detail have room beside each other."""
NORMAL = 100
"""Cells in which the sidebar has room beside them, unless the user chose otherwise."""


class Panes:
    """Sidebar, table and detail of one screen."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._beside = True
        """Whether a wide screen shows the detail beside the table."""
        self._sidebar_wanted: bool | None = None
        """As the user chose; None: by the width."""

    @property
    def _is_wide(self) -> bool:
        return self._screen.size.width >= WIDE

    @property
    def detail_shown(self) -> bool:
        """Whether there is a detail to see."""
        return self._screen.detail_open or (self._is_wide and self._beside)

    def lay_out(self) -> None:
        """Show those panes that are wanted at this width."""
        screen = self._screen
        if not screen.is_mounted or screen.ctx.archive is None:
            return
        wide, shown = self._is_wide, self.detail_shown
        sidebar = self._sidebar_wanted
        if sidebar is None:
            sidebar = screen.size.width >= NORMAL
        table_side, detail = screen.query_one("#list"), screen.detail
        screen.sidebar.display = sidebar
        table_side.display = wide or not shown
        detail.display = shown
        for pane in (table_side, detail):
            pane.set_class(shown and wide, "-beside")
        self.show_detail_beside()
        screen.show_hints()
        if screen.focused is None or not screen.focused.focusable:
            self._focus()

    def _focus(self) -> None:
        screen = self._screen
        screen.set_focus(screen.detail if screen.detail_open else screen.table)

    def toggle_sidebar(self) -> None:
        screen = self._screen
        self._sidebar_wanted = not screen.sidebar.display
        self.lay_out()
        if not self._sidebar_wanted and screen.sidebar.has_focus:
            self.focus_table()
        screen.calls.counts.recount(anew=True)

    def toggle_detail(self) -> None:
        screen = self._screen
        if self._is_wide:
            self._beside, screen.detail_open = not self.detail_shown, False
            self.lay_out()
        else:
            screen.detail_open = not screen.detail_open
        self._focus()

    def open_detail(self) -> None:
        """Show the detail of the call under the cursor, and give it the keys."""
        if self._screen.table.current_key is None:
            self._screen.ctx.say("no call to open", "warning")
            return
        self._screen.detail_open = True
        self._focus()

    def leave_detail(self) -> None:
        """Back from the detail to the table."""
        if self._screen.detail_open:
            self._screen.detail_open = False
            self.focus_table()

    def focus_table(self) -> None:
        """The keys go to the table."""
        self._screen.set_focus(self._screen.table)

    def wants_facets(self) -> bool:
        """Whether there is room for the names that calls have."""
        return self._screen.sidebar.display

    def go_to_call(self, key: int, query: str | None = None, opened: bool = True) -> None:
        """Put the cursor on a call, and open its detail or close it; `query` is shown first."""
        self._screen.calls.go_to_call(key, query)
        self._screen.detail_open = opened
        self._focus()

    # -- the detail

    def show_detail_beside(self) -> None:
        """Show the call as it is now, where there is a detail to see."""
        if self.detail_shown:
            self.show_detail()

    def show_detail(self) -> None:
        """Show the call under the cursor as it is now."""
        screen, ctx, key = self._screen, self._screen.ctx, self._screen.table.current_key
        found = ctx.archive.call(key) if ctx.archive and key is not None else None
        if found is None or key is None:
            screen.detail.show(None, "", ctx.clock)
            return
        account, call = found
        if screen.detail_open:
            screen.sync.ask_recordings(account, call)
        asking = screen.sync.asks_recordings(account, call.id)
        playing, trail = screen.player.playback.playing, screen.controllers.trail
        extra = read_extra(ctx, trail, key, call, account, playing, asking)
        screen.detail.show(ctx.veil.call(key, call), account, ctx.clock, extra)
