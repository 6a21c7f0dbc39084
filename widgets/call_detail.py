"""The detail of one call: a page that scrolls, with the vendor's JSON at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import chop_cells
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from providers.model import Call
from widgets.call_document import LABEL, Extra, Row, document, heading, secrets_of
from widgets.cells import Line
from widgets.columns import Clock
from widgets.json_text import json_lines
from widgets.line_view import ScrolledLines

JSON_TITLE = "Vendor's JSON"


class CallDetail(ScrolledLines):
    """Shows what `show` was given; a click on a recording's or a related call's line asks for
    that one.
    """

    DEFAULT_CSS = """
    CallDetail {
        height: 1fr;
        background: $background;
        color: $foreground;
        .call-detail--heading { color: $text-accent; text-style: bold; }
        .call-detail--label { color: $text-muted; }
        .call-detail--problem { color: $text-warning; text-style: bold; }
        .call-detail--playing { color: $text-success; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "call-detail--heading",
        "call-detail--label",
        "call-detail--problem",
        "call-detail--playing",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next_moment", "Next comment", id="detail.next-comment", show=False)
    ]

    class RecordingChosen(Message):
        """Play the recording with this index in `Call.recordings`."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class CallChosen(Message):
        """Go to the call with this row's key."""

        def __init__(self, key: int) -> None:
            super().__init__()
            self.key = key

    class MomentChosen(Message):
        """Go to these seconds of the recording with this index."""

        def __init__(self, recording: int, at_s: float) -> None:
            super().__init__()
            self.recording, self.at_s = recording, at_s

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: tuple[Call, str, Clock, Extra] | None = None
        self._rows: list[Row] = []
        self._json: list[str] | None = None
        self._wrapped = False
        self._composed_width = 0
        self._jumped = -1
        """Which of the moments was gone to last."""

    def show(
        self, call: Call | None, account: str, clock: Clock, extra: Extra | None = None
    ) -> None:
        """Show a call; None shows nothing. The same call again keeps the place on the page."""
        same = bool(call and self._shown and self._identity == (account, call.id))
        if not same:
            self._jumped = -1
        if not same or (self._shown and call and self._shown[0].raw is not call.raw):
            self._json = None
        self._shown = (call, account, clock, extra or Extra()) if call else None
        self._compose_rows()
        self.scroll_top(self.top if same else 0)

    @property
    def call(self) -> Call | None:
        """The call that is shown."""
        return self._shown[0] if self._shown else None

    @property
    def _identity(self) -> tuple[str, str] | None:
        return (self._shown[1], self._shown[0].id) if self._shown else None

    def _compose_rows(self) -> None:
        self._wrapped = False
        self._composed_width = self.size.width
        if self._shown is None:
            self._rows = [Row((("  No call is chosen.", LABEL),))]
            return
        width = self._composed_width
        self._rows = document(*self._shown, width)
        if self._shown[0].raw is not None:
            self._rows.append(heading(JSON_TITLE))

    def _json_rows(self) -> list[Row]:
        assert self._shown is not None
        call = self._shown[0]
        if self._json is None:
            self._json = json_lines(call.raw, secrets_of(call))
        width = max(10, self.size.width - 2)
        return [
            Row(((f"  {piece}", ""),)) for text in self._json for piece in chop_cells(text, width)
        ]

    @property
    def lines(self) -> Sequence[Line]:
        return [row.line for row in self._rows]

    def scroll_top(self, top: int) -> None:
        """The JSON is formatted when the window first comes near it."""
        raw = self._shown is not None and self._shown[0].raw is not None
        if raw and not self._wrapped and top + self.size.height >= len(self._rows):
            self._wrapped = True
            self._rows += self._json_rows()
        super().scroll_top(top)

    def line(self, y: int) -> Line:
        if self._composed_width != self.size.width:
            # the first paint at a new width comes before the resize event
            self._compose_rows()
            self.top = max(0, min(self.top, len(self._rows) - self.size.height))
        index = self.top + y
        return self._rows[index].line if index < len(self._rows) else ()

    def on_resize(self) -> None:
        self._compose_rows()
        super().on_resize()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        index = self.top + offset.y if offset is not None else len(self._rows)
        row = self._rows[index] if index < len(self._rows) else Row(())
        if row.moment is not None:
            event.stop()
            self.post_message(self.MomentChosen(*row.moment))
        elif row.recording is not None:
            event.stop()
            self.post_message(self.RecordingChosen(row.recording))
        elif row.call is not None:
            event.stop()
            self.post_message(self.CallChosen(row.call))

    def action_next_moment(self) -> None:
        """To the next comment in a recording; after the last, to the first again."""
        moments = list(dict.fromkeys(row.moment for row in self._rows if row.moment))
        if moments:
            self._jumped = (self._jumped + 1) % len(moments)
            self.post_message(self.MomentChosen(*moments[self._jumped]))
