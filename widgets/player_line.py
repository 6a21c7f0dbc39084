"""The player: one line with state, position, bar, speed and title. It plays nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.reactive import reactive

from widgets.cells import Line, fit
from widgets.columns import duration_text
from widgets.lines import LineView
from widgets.safe import safe_text

STATUS_WORDS = {
    "loading": "Loading",
    "playing": "Playing",
    "paused": "Paused",
    "finished": "Ended",
    "failed": "Failed",
}
"""What is shown for each status; any other status is idle, and the line is hidden."""
WORD_WIDTH = 8
BAR_SHARE = 3
"""The bar takes a third of the line."""


@dataclass(frozen=True, slots=True)
class PlayerView:
    """What the player does, in plain values.

    `status` is a key of `STATUS_WORDS` or ``idle``; times are seconds, `speed` a factor,
    `volume` percent; `message` (why it failed, what it waits for) stands in for the title, and
    `output` names where the sound comes out.
    """

    status: str = "idle"
    position_s: float = 0.0
    length_s: float | None = None
    speed: float = 1.0
    volume: int = 100
    title: str = ""
    message: str = ""
    output: str = ""


def bar_text(fraction: float | None, width: int, plain: bool = False) -> str:
    """The bar with its playhead; `fraction` of the length is played (None: not known)."""
    played, head, rest = "=>-" if plain else "━╸─"
    if width <= 0:
        return ""
    if fraction is None:
        return rest * width
    at = min(width - 1, int(max(0.0, min(fraction, 1.0)) * width))
    return played * at + head + rest * (width - at - 1)


class PlayerLine(LineView):
    """Shows `state`; a click on the bar asks to seek. Updates send a few cells, never a layout."""

    DEFAULT_CSS = """
    PlayerLine {
        height: 1;
        background: $panel;
        color: $foreground;
        display: none;
        .player-line--playing { color: $text-success; text-style: bold; }
        .player-line--paused { text-style: bold; }
        .player-line--failed { color: $text-error; text-style: bold; }
        .player-line--bar { color: $text-accent; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "player-line--playing",
        "player-line--paused",
        "player-line--failed",
        "player-line--bar",
    }

    state: reactive[PlayerView] = reactive(PlayerView(), repaint=False)

    class SeekRequested(Message):
        """Go to this part of the recording, 0 to 1."""

        def __init__(self, fraction: float) -> None:
            super().__init__()
            self.fraction = fraction

    def watch_state(self, state: PlayerView) -> None:
        self.display = state.status in STATUS_WORDS
        self.repaint()

    def watch_plain(self) -> None:
        self.repaint()

    def _clock_text(self) -> str:
        """Position and length at a width that does not change while it plays."""
        length = duration_text(self.state.length_s) or "?"
        position = duration_text(max(0.0, self.state.position_s))
        return f"{position:>{max(4, len(length))}} / {length}"

    def _bar(self) -> tuple[int, int]:
        """Where the bar starts, and how wide it is."""
        start = 1 + WORD_WIDTH + len(self._clock_text()) + 2
        return start, max(4, self.size.width // BAR_SHARE)

    def line(self, y: int) -> Line:
        state = self.state
        word = fit(STATUS_WORDS.get(state.status, ""), WORD_WIDTH)
        toned = state.status if state.status in ("playing", "paused", "failed") else ""
        if state.status == "failed" or (state.status == "loading" and state.length_s is None):
            # nothing to seek in: the reason, or what it waits for, gets the whole line
            text = safe_text(state.message or state.title, 300)
            return ((" ", ""), (f"{word}{text}", f"player-line--{toned}" if toned else ""))
        fraction = state.position_s / state.length_s if state.length_s else None
        start, width = self._bar()
        settings = f"{state.speed:g}x"
        settings += f"  vol {state.volume}%" if state.volume != 100 else ""
        settings += f"  {safe_text(state.output, 40)}" if state.output else ""
        space = self.size.width - start - width - 2
        title = fit(safe_text(state.message or state.title, 300), space - cell_len(settings) - 3)
        return (
            (" ", ""),
            (word, f"player-line--{toned}" if toned else ""),
            (f"{self._clock_text()}  ", ""),
            (bar_text(fraction, width, self.plain), "player-line--bar"),
            (f"  {settings}  ", ""),
            (title, ""),
        )

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        start, width = self._bar()
        playable = self.state.length_s and self.state.status != "failed"
        if offset is not None and 0 <= offset.x - start < width and playable:
            event.stop()
            self.post_message(self.SeekRequested((offset.x - start) / max(1, width - 1)))
