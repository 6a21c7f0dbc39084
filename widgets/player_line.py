"""The player: one line with state, position, settings and title. It plays nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import ClassVar

from rich.cells import cell_len
from textual.reactive import reactive

from providers.sanitize import safe_text
from widgets.cells import Line, fit
from widgets.columns import duration_text
from widgets.line_view import LineView

STATUS_WORDS = {
    "loading": "Loading",
    "playing": "Playing",
    "paused": "Paused",
    "finished": "Ended",
    "failed": "Failed",
}
"""What is shown for each status; any other status is idle, and the line is hidden."""
WORD_WIDTH = 8
SPEED_WIDTH, VOLUME_WIDTH = 5, 8
GAP = "  "
TICK_S = 0.7
"""The position is shown no oftener while nothing else changes."""
JUMP_S = 4.0
"""A position that differs more from the last was sought, and is shown at once."""


@dataclass(frozen=True, slots=True)
class PlayerView:
    """What the player does, in plain values.

    `status` is a key of `STATUS_WORDS` or ``idle``; times are seconds, `speed` a factor,
    `volume` percent, `side` is ``both``, ``left`` or ``right``, `loop` from where to where is
    repeated; `message` (why it failed, what it waits for) stands in for the title, and `output`
    names where the sound comes out.
    """

    status: str = "idle"
    position_s: float = 0.0
    length_s: float | None = None
    speed: float = 1.0
    volume: int = 100
    title: str = ""
    message: str = ""
    output: str = ""
    side: str = "both"
    skip_silence: bool = False
    loop: tuple[float, float | None] | None = None
    autoplay: bool = False
    """Whether the next call's recording is played when this one has ended."""
    heard: bool = False


def settings_words(state: PlayerView) -> tuple[str, ...]:
    """What is set otherwise than usual, in short words."""
    a, b = state.loop or (None, None)
    loop = f"loop {duration_text(a)}-{'?' if b is None else duration_text(b)}"
    words = (
        f"{state.side} only" if state.side != "both" else "",
        loop if state.loop else "",
        "skip" if state.skip_silence else "",
        "auto" if state.autoplay else "",
        "heard" if state.heard else "",
    )
    return tuple(filter(None, words))


class PlayerLine(LineView):
    """Shows `state`. Updates send a few cells, never a layout."""

    DEFAULT_CSS = """
    PlayerLine {
        height: 1;
        background: $panel;
        color: $foreground;
        display: none;
        .player-line--playing { color: $text-success; text-style: bold; }
        .player-line--paused { text-style: bold; }
        .player-line--failed { color: $text-error; text-style: bold; }
        .player-line--setting { color: $text-accent; }
        .player-line--silent { color: $text-warning; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "player-line--playing",
        "player-line--paused",
        "player-line--failed",
        "player-line--setting",
        "player-line--silent",
    }

    state: reactive[PlayerView] = reactive(PlayerView(), repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._told_at = 0.0
        self._shown_s = 0.0

    def watch_state(self, old: PlayerView, state: PlayerView) -> None:
        self.display = state.status in STATUS_WORDS
        now = monotonic()
        step = 0 <= state.position_s - old.position_s <= JUMP_S
        only_time = state.status == "playing" and replace(old, position_s=state.position_s) == state
        if step and only_time and now - self._told_at < TICK_S:
            return  # at three times the speed a second passes three times a second
        self._told_at = now
        self._shown_s = state.position_s
        self.repaint()

    def watch_plain(self) -> None:
        self.repaint()

    def _clock_text(self) -> str:
        """Position and length at a width that does not change while it plays."""
        length = duration_text(self.state.length_s) or "?"
        position = duration_text(max(0.0, self._shown_s))
        return f"{position:>{max(4, len(length))}} / {length}"

    def line(self, y: int) -> Line:
        state = self.state
        word = fit(STATUS_WORDS.get(state.status, ""), WORD_WIDTH)
        tone = state.status if state.status in ("playing", "paused", "failed") else ""
        style = f"player-line--{tone}" if tone else ""
        if state.status == "failed" or (state.status == "loading" and state.length_s is None):
            # nothing to hear: the reason, or what it waits for, gets the whole line
            return ((" ", ""), (f"{word}{safe_text(state.message or state.title, 300)}", style))
        start: Line = ((" ", ""), (word, style), (self._clock_text() + GAP, ""))
        message = safe_text(state.message, 300)
        for settings in (self._settings(), ()):
            used = sum(cell_len(text) for text, _ in (*start, *settings))
            space = self.size.width - used - 1
            if not message or cell_len(message) <= space:
                break  # a long reason gets the settings' room
        text = fit(message or safe_text(state.title, 300), max(0, space)).rstrip()
        return (*start, *settings, (text, ""))

    def _settings(self) -> Line:
        """Speed, volume, where the sound goes, and what is otherwise than usual."""
        state = self.state
        volume = "muted" if state.volume == 0 else f"vol {state.volume}%"
        always = fit(f"{state.speed:g}x", SPEED_WIDTH) + GAP + fit(volume, VOLUME_WIDTH) + GAP
        words = "".join(word + GAP for word in settings_words(state))
        output = safe_text(state.output, 24)
        silent = "player-line--silent" if output == "no sound" else ""
        return (
            (always, ""),
            (output + GAP if output else "", silent),
            (words, "player-line--setting"),
        )
