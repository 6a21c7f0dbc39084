"""What each action of `tui.commands` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from providers.counts import counted
from tui.screens.export_controller import COPY_CHOICES

if TYPE_CHECKING:
    from tui.screens.main import MainScreen

FOR_DEMO = -1
"""The return code of a screen that was left for the demo."""
CANCELLABLE = ("play", "download", "recordings", "renew", "export", "range", "find")
"""Groups of workers that the cancel key stops."""


class ScreenActions:
    """Most are the controllers' own; here are those that have to do with panes and widgets, or
    with several controllers.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    def table(self) -> dict[str, Callable[..., object]]:
        """What is called for an action, by the name before its brackets."""
        screen, parts = self._screen, self._screen.controllers
        calls, sync, exports = parts.calls, parts.sync, parts.exports
        triage, dialogs, panes = parts.triage, parts.dialogs, screen.panes
        return {
            "open": panes.open_detail,
            "filter": self.filter,
            "copy": self.copy,
            "toggle_sidebar": panes.toggle_sidebar,
            "toggle_detail": panes.toggle_detail,
            "next_pane": screen.focus_next,
            "previous_pane": screen.focus_previous,
            "cancel_work": self.cancel,
            "demo": self.demo,
            "back": self.back,
            "leave": self.leave,
            "view": calls.show_view,
            "columns": dialogs.columns,
            "save_view": dialogs.save_view,
            "accounts": dialogs.accounts,
            "help": dialogs.help,
            "insights": dialogs.insights,
            "mask": parts.masks.mask,
            "reveal": parts.masks.reveal,
            "refresh": sync.refresh,
            "load_all": sync.load_all,
            "discover": sync.discover,
            "refresh_call": lambda: sync.refresh_calls(triage.targets()),
            "related": parts.trail.go_on,
            "export": lambda: exports.ask(screen.query_text),
            "page": exports.open_page,
            "triage": triage.triage,
            "done_with_note": triage.done_with_note,
            "note": triage.note,
            "tag": triage.tag,
            "comment": triage.comment,
            "snooze": triage.snooze,
            "hold": triage.hold,
            "undo": triage.undo,
            "untriaged": triage.go_to_untriaged,
            **self._of_recordings(),
        }

    def _of_recordings(self) -> dict[str, Callable[..., object]]:
        player = self._screen.controllers.player
        return {
            "play": player.play,
            "seek": player.seek_by,
            "restart": lambda: player.seek_to_percent(0),
            "percent": player.seek_to_percent,
            "stop": player.stop,
            "speed": player.change_speed,
            "normal_speed": player.change_speed,
            "volume": player.change_volume,
            "mute": player.mute,
            "side": player.next_side,
            "skip_silence": player.skip_silence,
            "loop": player.mark_loop,
            "turn": player.next_turn,
            "turns": self.turns,
            "recording": player.play_other,
            "autoplay": player.autoplay,
            "download": player.download,
            "output": player.next_output,
            "copy_speaker": player.copy_speaker,
        }

    def copy(self) -> None:
        """Wait for the second key, which says what to copy."""
        if self._screen.controllers.exports.choose_call():
            self._screen.key_line.ask(COPY_CHOICES, self._screen.focused)

    def filter(self) -> None:
        self._screen.panes.leave_detail()
        self._screen.calls.begin_edit()
        self._screen.filter_line.edit(self._screen.query_text, self._screen.table)

    def cancel(self) -> None:
        """Stop what runs; else take all marks away."""
        stopped = (
            self._screen.sync.cancel()
            + self._screen.ctx.cancel(*CANCELLABLE)
            + self._screen.calls.end_reading()
        )
        if not stopped and (marks := self._screen.triage.clear_marks()):
            self._screen.ctx.say(f"{counted(marks, 'mark')} taken away")
            return
        text = f"{stopped} stopped; what came is kept" if stopped else "nothing is running"
        self._screen.ctx.say(text)

    def back(self) -> None:
        """One step back: rows that are being read, a jump to a related call, the detail, then the
        query.
        """
        if self._screen.calls.notice.is_recent:
            if self._screen.calls.end_reading():
                self._screen.ctx.say("stopped; the rows are those of before")
        elif self._screen.controllers.trail.go_back():
            pass
        elif self._screen.detail_open:
            self._screen.panes.leave_detail()
        elif (before := self._screen.controllers.dialogs.query_before_insights()) is not None:
            self._screen.calls.go_to(before, back=True)
            self._screen.controllers.dialogs.insights()
        else:
            self._screen.calls.go_to("", back=True)

    def demo(self) -> None:
        """Leave for the demo, where there is no account yet."""
        if self._screen.ctx.accounts:
            self._screen.ctx.say("the demo is a command: ringback demo", "warning")
        else:
            self._screen.app.exit(return_code=FOR_DEMO)

    def leave(self) -> None:
        if self._screen.detail_open or self._screen.query_text:
            self.back()
        else:
            self._screen.app.exit()

    def turns(self) -> None:
        """The recording in words."""
        if found := self._screen.player.turns():
            self._screen.controllers.dialogs.text(*found)
