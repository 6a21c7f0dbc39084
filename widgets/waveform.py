"""The sound of a recording as text: one line a lane, a playhead and marks on it.

It plays nothing itself: it is given plain values and asks to seek.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import ClassVar

from textual import events
from textual.message import Message
from textual.reactive import reactive

from widgets.cells import Line, Run
from widgets.levels import SPEECH_PEAK
from widgets.line_view import LineView

CROSSED = 4
"""A column is cross-talk when in one of so many of its windows both sides speak."""
STEP_S = 2.5
"""The playhead of each lane moves no oftener while it plays: a step costs some 110 bytes."""
JUMP_S = 4.0
"""A position that differs more from the last one was sought, and is shown at once."""
PATIENCE_S = 0.5
"""Peaks that arrive are shown no oftener."""
LABELS = ("L", "R")
LABEL_WIDTH = 2
LABEL_FROM = 40
"""Narrower lanes have no label."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a lane is drawn with; `levels` from the quietest to the loudest."""

    levels: str
    silence: str
    unknown: str
    head: str
    begin: str
    end: str
    comment: str


BLOCKS = Glyphs("▁▂▃▄▅▆▇█", "·", "╌", "┃", "[", "]", "◆")
ASCII = Glyphs(".:-=+*#@", " ", "?", "|", "[", "]", "^")


@dataclass(frozen=True, slots=True)
class Wave:
    """A recording's sound and what is marked on it. Times are seconds of the recording.

    A lane is one byte for each window of `window_s`: ``255 * sqrt(peak / full scale)``; as many
    as are measured so far. Lanes may grow in place: `revision` says when they did.
    """

    lanes: tuple[bytes | bytearray, ...] = field(default=(), compare=False, repr=False)
    revision: int = 0
    complete: bool = False
    window_s: float = 0.05
    length_s: float | None = None
    position_s: float = 0.0
    playing: bool = False
    loop: tuple[float, float | None] | None = None
    comments: tuple[float, ...] = ()
    side: str = "both"

    @property
    def span_s(self) -> float:
        """What the whole width stands for."""
        measured = max(map(len, self.lanes), default=0) * self.window_s
        if self.complete and measured:
            return measured
        return max(self.length_s or 0.0, measured)


def loudest(lane: Sequence[int], width: int, windows: float) -> list[int | None]:
    """The largest byte in each of `width` columns over `windows` windows; None: not measured.

    A column is measured as soon as its first window is.
    """
    known = len(lane)
    columns: list[int | None] = []
    for start, end in _bounds(width, windows):
        columns.append(max(lane[start:end]) if start < known else None)
    return columns


def crossed(left: bytes | bytearray, right: bytes | bytearray, width: int, windows: float) -> bytes:
    """1 for each column in which both speak at once for a good part of the time."""
    table = bytes(value >= SPEECH_PEAK for value in range(256))
    known = min(len(left), len(right))
    one, other = (int.from_bytes(lane[:known].translate(table), "little") for lane in (left, right))
    both = (one & other).to_bytes(known, "little")
    return bytes(
        both.count(1, start, end) * CROSSED >= end - start for start, end in _bounds(width, windows)
    )


def _bounds(width: int, windows: float) -> list[tuple[int, int]]:
    """First and last window (exclusive) of each column; none is empty."""
    share = max(windows, 1.0) / max(width, 1)
    return [
        (int(column * share), max(int(column * share) + 1, int((column + 1) * share)))
        for column in range(width)
    ]


def level_text(columns: Sequence[int | None], glyphs: Glyphs) -> str:
    """A lane's columns as characters."""
    top = len(glyphs.levels)
    return "".join(
        glyphs.unknown
        if value is None
        else glyphs.silence
        if value < SPEECH_PEAK
        else glyphs.levels[min(top - 1, (value - SPEECH_PEAK) * top // (256 - SPEECH_PEAK))]
        for value in columns
    )


def column_of(at_s: float, span_s: float, width: int) -> int:
    """The column in which a moment lies."""
    return max(0, min(width - 1, int(at_s / span_s * width))) if span_s > 0 else 0


BOTH, FAINT, MARK = "waveform--both", "waveform--faint", "waveform--mark"


class Waveform(LineView):
    """Shows `wave`; a click asks to seek. Its height is that of its lanes."""

    DEFAULT_CSS = """
    Waveform {
        height: auto;
        background: $panel;
        color: $text-accent;
        display: none;
        .waveform--both { color: $text-warning; text-style: bold; }
        .waveform--faint { color: $text-muted; }
        .waveform--mark { color: $foreground; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        BOTH,
        FAINT,
        MARK,
    }
    wave: reactive[Wave | None] = reactive(None, repaint=False, always_update=True)

    class SeekRequested(Message):
        """Go to this part of the recording, 0 to 1."""

        def __init__(self, fraction: float) -> None:
            super().__init__()
            self.fraction = fraction

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: Wave | None = None
        self._drawn: tuple[tuple[object, ...], list[str], bytes] | None = None
        self._lanes_drawn: tuple[bytes | bytearray, ...] = ()
        self._moved_at = self._grown_at = self._told_s = 0.0

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, len(self._shown.lanes) if self._shown else 1)

    def watch_wave(self, wave: Wave | None) -> None:
        lanes = len(self._shown.lanes) if self._shown else -1
        self._shown = self._calmed(wave)
        self.display = wave is not None
        if wave is not None and max(1, len(wave.lanes)) != max(1, lanes):
            self.refresh(layout=True)
        else:
            self.repaint()

    def watch_plain(self) -> None:
        self.repaint()

    def _calmed(self, wave: Wave | None) -> Wave | None:
        """`wave` with the playhead and the peaks of before where a step would come too soon."""
        old, now = self._shown, monotonic()
        if wave is None or old is None:
            self._told_s = wave.position_s if wave else 0.0
            self._moved_at = self._grown_at = now
            return wave
        jumped = not 0 <= wave.position_s - self._told_s <= JUMP_S
        self._told_s = wave.position_s
        step_s = STEP_S * max(1, len(wave.lanes))
        if wave.playing and old.playing and not jumped and now - self._moved_at < step_s:
            wave = replace(wave, position_s=old.position_s)
        else:
            self._moved_at = now
        same_kind = len(wave.lanes) == len(old.lanes) and not wave.complete
        if wave.revision != old.revision and same_kind and now - self._grown_at < PATIENCE_S:
            return replace(wave, revision=old.revision)  # drawn from the cache of that revision
        self._grown_at = now
        return wave

    # -- drawing

    def _area(self) -> tuple[int, int]:
        """Where the lanes start, and how wide they are."""
        labelled = self._shown and len(self._shown.lanes) > 1 and self.size.width >= LABEL_FROM
        start = 1 + (LABEL_WIDTH if labelled else 0)
        return start, max(1, self.size.width - start - 1)

    def _lanes(self, wave: Wave, width: int) -> tuple[list[str], bytes]:
        """Each lane's characters, and where there is cross-talk; drawn once a revision."""
        key = (wave.revision, wave.complete, wave.span_s, width, self.plain)
        drawn = self._drawn
        if drawn is None or drawn[0] != key or self._lanes_drawn is not wave.lanes:
            windows = wave.span_s / wave.window_s
            glyphs = ASCII if self.plain else BLOCKS
            lanes = wave.lanes or (b"",)
            texts = [level_text(loudest(lane, width, windows), glyphs) for lane in lanes]
            both = crossed(lanes[0], lanes[1], width, windows) if len(lanes) > 1 else bytes(width)
            drawn = self._drawn = key, texts, both
            self._lanes_drawn = wave.lanes
        return drawn[1], drawn[2]

    def line(self, y: int) -> Line:
        wave = self._shown
        if wave is None:
            return ()
        glyphs = ASCII if self.plain else BLOCKS
        start, width = self._area()
        texts, both = self._lanes(wave, width)
        if y >= len(texts):
            return ()
        silenced = len(texts) > 1 and wave.side not in ("both", ("left", "right")[y])
        base = FAINT if silenced else ""
        cells = [
            (char, FAINT if char == glyphs.unknown else BOTH if cross else base)
            for char, cross in zip(texts[y], both, strict=True)
        ]
        for at_s, char in self._marks(wave, glyphs, y):
            cells[column_of(at_s, wave.span_s, width)] = (char, MARK)
        label: Run = (f" {LABELS[y]} " if start > 1 else " ", MARK if not silenced else FAINT)
        return (label, *cells)

    @staticmethod
    def _marks(wave: Wave, glyphs: Glyphs, y: int) -> list[tuple[float, str]]:
        """What stands on lane `y`, the most important last."""
        marks = [(at_s, glyphs.comment) for at_s in wave.comments] if y == 0 else []
        for at_s, char in zip(wave.loop or (), (glyphs.begin, glyphs.end), strict=False):
            if at_s is not None:
                marks.append((at_s, char))
        return [*marks, (wave.position_s, glyphs.head)]

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        start, width = self._area()
        known = self._shown is not None and self._shown.span_s > 0
        if offset is not None and 0 <= offset.x - start < width and known:
            event.stop()
            self.post_message(self.SeekRequested((offset.x - start) / width))
