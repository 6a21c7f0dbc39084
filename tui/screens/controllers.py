"""The main screen's controllers, put together: none of them knows another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.call_list_controller import CallListController
from tui.screens.dialogs import Dialogs
from tui.screens.export_controller import ExportController, ShownCalls
from tui.screens.mask_controller import MaskController
from tui.screens.player_controller import PlayerController
from tui.screens.related_trail import RelatedTrail
from tui.screens.sync_controller import SyncController
from tui.screens.triage_controller import TriageController
from tui.screens.upkeep import Upkeep
from widgets.status_line import message_cells

if TYPE_CHECKING:
    from tui.screens.main import MainScreen


class Controllers:
    """Those of one screen."""

    def __init__(self, screen: MainScreen) -> None:
        ctx, panes, show_progress = screen.ctx, screen.panes, screen.show_progress
        self.calls = CallListController(ctx, screen.settings, screen, panes)
        self.sync = SyncController(ctx, screen.show_states, self.calls.look, panes.show_detail)
        self.player = PlayerController(
            ctx,
            self.calls.call_after,
            screen.show_player,
            panes.show_detail_beside,
            show_progress,
        )
        self.triage = TriageController(
            ctx,
            self.calls,
            self.player,
            screen.ask_line,
            lambda: message_cells(screen.size.width),
            show_progress,
        )
        self.exports = ExportController(
            ctx,
            lambda: ShownCalls(ctx.query, ctx.sort, screen.table.columns),
            self.player.playhead,
            show_progress,
        )
        self.trail = RelatedTrail(
            ctx, lambda: (ctx.query_text, screen.detail_open), panes.go_to_call
        )
        self.masks = MaskController(ctx, screen.show_anew, screen.show_calls_anew)
        self.dialogs = Dialogs(
            ctx,
            screen.table,
            screen.accounts_changed,
            self.calls.go_to,
            screen.ask_line,
            self.calls.use_settings,
        )
        self.upkeep = Upkeep(ctx, screen.notify, self.calls.look, screen.accounts_changed)
