"""Sends a terminal only what changed on it: single runs of cells, or a scroll and what it spoiled.

Textual's compositor renders whole lines of the widgets that changed, and sends all of them. Here
the cells that it means to show are kept beside those that the terminal shows, and each frame is
sent in the shortest of three ways: the runs of cells that differ; those that still differ after
lines of the whole width were scrolled; or after a rectangle was, on terminals with left and right
margins (DEC private mode 69). Long blanks are erased (ECH) where that looks the same. Cells stay
where they are when a terminal draws a letter wider or narrower than Textual counts it: behind each
such letter the column is told anew.

`widgets.painted_app` puts it between an application and its driver.

Sequences: ECMA-48, and for margins DEC STD 070 (DECSTBM, DECLRMM, DECSLRM), as xterm's ctlseqs.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

LARGEST_GAP = 5
"""So many cells that are right already are sent again rather than skipped: a move costs as much."""
LEAST_LINES = 6
"""Fewer changed lines are never scrolled."""
LEAST_COLUMNS = 20
MOST_PENS = 4096
BLANKS = re.compile(" {6,}")
LEAST_BLANKS_WITHIN = 12
"""Fewer blanks are sent rather than erased where something follows them: that takes a move."""
UNSEEN_ON_BLANKS = 0b0000000000111
"""Rich's attributes that leave a blank as it is: bold, dim, italic."""
ODD_CELL = re.compile("[^\0-\u02ff\u0370-\u058f\u1e00-\u22ff\u2500-\u25fc\u2800-\u28ff]")
"""What terminals may count as wider or narrower than Textual does."""

_ON = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
"""SGR of each bit of Rich's attributes."""
_OFF = (
    (0b0000000000011, "22"),
    (0b0000000000100, "23"),
    (0b0001000001000, "24"),
    (0b0000000110000, "25"),
    (0b0000001000000, "27"),
    (0b0000010000000, "28"),
    (0b0000100000000, "29"),
    (0b0110000000000, "54"),
    (0b1000000000000, "55"),
)
"""Bits of Rich's attributes that one SGR ends together."""


class Pen(NamedTuple):
    """How a terminal draws letters: Rich's attributes as bits, colours as SGR, a link."""

    attributes: int = 0
    foreground: tuple[str, ...] = ("39",)
    background: tuple[str, ...] = ("49",)
    link: str = ""


PLAIN = Pen()

Position = tuple[int, int]
"""Column and line, from 0."""
Row = tuple[list[str], list[Pen]]
"""The letters and pens of a line's cells. A wide letter's second cell is empty; marks that combine
stand in the cell of their letter. A row is never changed in place.
"""


class Scroll(NamedTuple):
    """Lines to move first: what is sent for it, and what the terminal shows then. Behind it the pen
    is plain, and where the cursor is differs between terminals.
    """

    sequence: str
    rows: list[Row]


class TerminalPainter:
    """What a terminal of `width` × `height` cells shows, and what it is to show."""

    def __init__(self, width: int, height: int, color_system: ColorSystem | None) -> None:
        self.width, self.height = width, height
        self.has_margins = False
        """Whether the terminal has left and right margins."""
        self.erases_with_color = False
        """Whether the terminal gives what it erases the background of the pen."""
        self._color_system = color_system
        self._pens: dict[Style | None, Pen] = {}
        self._interned = {PLAIN: PLAIN}
        self._wanted: list[Row] = [_blank_row(width)] * height
        self._shown: list[Row] = []
        self._dirty: set[int] = set()
        self.forget()

    def forget(self) -> None:
        """What the terminal shows is not known any more: the next frame sends all of it."""
        unknown = ["\0"] * self.width, [PLAIN] * self.width
        self._shown = [unknown] * self.height
        self._dirty = set(range(self.height))
        self._pen: Pen | None = None
        self._at: Position | None = None

    def put(self, update: LayoutUpdate | ChopsUpdate) -> None:
        """What an update shows is to be shown from the next frame on."""
        for y, x, strip in _strips_of(update, self.height):
            self._put(y, x, strip)

    @property
    def is_behind(self) -> bool:
        """Whether something was put that no frame has shown."""
        return bool(self._dirty)

    def paint(self, cursor: Position, scrolling: Iterable[Region] = ()) -> str:
        """What makes the terminal show all that was put, with its cursor at `cursor`. Lines of a
        region of `scrolling` may have moved together.
        """
        wanted, shown = self._wanted, self._shown
        changed = [y for y in sorted(self._dirty) if wanted[y] != shown[y]]
        self._dirty.clear()
        frame, limit = None, sys.maxsize
        if len(changed) > LEAST_LINES:
            for scroll in self._scrolls(scrolling):
                left = [y for y in range(self.height) if wanted[y] != scroll.rows[y]]
                tried = _Frame(self.width, self.erases_with_color, None, PLAIN, scroll.sequence)
                if tried.draw(left, wanted, scroll.rows, limit):
                    frame, limit = tried, tried.length
        tried = _Frame(self.width, self.erases_with_color, self._at, self._pen)
        if tried.draw(changed, wanted, shown, limit) or frame is None:
            frame = tried
        for y in changed:
            shown[y] = wanted[y]
        if frame.at != cursor:
            frame.move(cursor)
        self._at, self._pen = cursor, frame.pen
        return "".join(frame.parts)

    def end(self) -> str:
        """What gives the terminal back with a plain pen."""
        pen, self._pen = self._pen, PLAIN
        return (
            ""
            if pen is PLAIN
            else pen_change(None, PLAIN) + (_link("") if pen and pen.link else "")
        )

    # -- what is to be shown

    def _put(self, y: int, x: int, strip: Strip) -> None:
        letters, pens = self._wanted[y][0][:], self._wanted[y][1][:]
        for text, style, control in strip:
            if control or not text or x >= self.width:
                continue
            cells = text if text.isascii() else _cells(text)
            count = min(len(cells), self.width - x)
            letters[x : x + count] = cells[:count]
            pens[x : x + count] = [self._pen_of(style)] * count
            x += count
        self._wanted[y] = letters, pens
        self._dirty.add(y)

    def _pen_of(self, style: Style | None) -> Pen:
        pen = self._pens.get(style)
        if pen is None:
            if len(self._pens) > MOST_PENS:  # colours of an animation
                self._pens.clear()
                self._interned = {PLAIN: PLAIN}
                self.forget()
            pen = _pen(style, self._color_system) if style and self._color_system else PLAIN
            pen = self._pens[style] = self._interned.setdefault(pen, pen)
        return pen

    # -- scrolling

    def _scrolls(self, regions: Iterable[Region]) -> Iterator[Scroll]:
        for region in regions:
            region = region.intersection(Region(0, 0, self.width, self.height))
            if region.height < LEAST_LINES or region.width < LEAST_COLUMNS:
                continue
            if found := self._shift(region):
                shift, top, bottom = found
                if self.has_margins and not self._cuts_letters(region, top, bottom):
                    yield self._scroll(shift, top, bottom, region.x, region.right)
                else:
                    yield self._scroll(shift, top, bottom, 0, self.width)

    def _shift(self, region: Region) -> tuple[int, int, int] | None:
        """How many lines up most of a region's lines moved, and between which lines that was. Its
        outer columns, where marks and scroll bars stand, do not count.
        """
        inside = slice(region.x + 1, region.right - 1)
        lines = range(region.y, region.bottom)
        was: dict[tuple[str, ...], int] = {}
        for y in lines:
            text = tuple(self._shown[y][0][inside])
            was[text] = -1 if text in was else y
        came = {y: was.get(tuple(self._wanted[y][0][inside]), -1) for y in lines}
        votes = Counter(before - y for y, before in came.items() if before >= 0)
        if not votes:
            return None
        (shift, count), *_ = votes.most_common(1)
        if not shift or count < LEAST_LINES - 2 or count <= votes[0]:
            return None
        moved = [y for y, before in came.items() if before >= 0 and before - y == shift]
        ends = min(moved), max(moved)
        return shift, min(*ends, ends[0] + shift), max(*ends, ends[1] + shift)

    def _cuts_letters(self, region: Region, top: int, bottom: int) -> bool:
        edges = [x for x in (region.x, region.right) if x < self.width]
        return any(self._shown[y][0][x] == "" for y in range(top, bottom + 1) for x in edges)

    def _scroll(self, shift: int, top: int, bottom: int, left: int, right: int) -> Scroll:
        count, up = abs(shift), shift > 0
        # what comes in has the pen's background on most terminals
        plain = "" if self._pen is PLAIN else _change_with_link(self._pen, PLAIN)
        lines = f"\x1b[{top + 1};{bottom + 1}r"
        if (left, right) == (0, self.width):
            # deleting and inserting lines is older than scrolling up and down
            how = f"\x1b[{top + 1}H\x1b[{count if count > 1 else ''}{'M' if up else 'L'}"
            sequence = f"{plain}{lines}{how}\x1b[r"
        else:
            how = f"\x1b[{count if count > 1 else ''}{'S' if up else 'T'}"
            sequence = f"{plain}\x1b[?69h\x1b[{left + 1};{right}s{lines}{how}\x1b[r\x1b[?69l"
        rows = self._shown[:]
        blank = _blank_row(self.width)
        for y in range(top, bottom + 1):
            source = self._shown[y + shift] if top <= y + shift <= bottom else blank
            letters, pens = self._shown[y][0][:], self._shown[y][1][:]
            letters[left:right] = source[0][left:right]
            pens[left:right] = source[1][left:right]
            rows[y] = letters, pens
        return Scroll(sequence, rows)


class _Frame:
    """What is sent for one frame, with where the cursor and how the pen is behind it."""

    def __init__(
        self,
        width: int,
        erases_with_color: bool,
        at: Position | None,
        pen: Pen | None,
        head: str = "",
    ) -> None:
        self.parts = [head] if head else []
        self.length = len(head)
        self.at, self.pen = at, pen
        self._width, self._erases_with_color = width, erases_with_color

    def draw(
        self, lines: Iterable[int], wanted: Sequence[Row], shown: Sequence[Row], limit: int
    ) -> bool:
        """Send what differs in these lines; False: it gave up, at a length of `limit`."""
        for y in lines:
            letters, pens = wanted[y]
            is_odd = not "".join(letters).isascii() and _is_odd(letters)
            for start, end in changed_spans(wanted[y], shown[y], is_odd or "" in shown[y][0]):
                if self.at != (start, y):
                    self.move((start, y))
                self._draw_span(letters, pens, start, end, y, is_odd)
                if self.length >= limit:
                    return False
        return True

    def move(self, to: Position) -> None:
        self._send(cursor_move(self.at, to))
        self.at = to

    def _draw_span(
        self, letters: list[str], pens: list[Pen], start: int, end: int, y: int, is_odd: bool
    ) -> None:
        x, erased = start, 0
        while x < end:
            pen = pens[x]
            stop = x + 1
            while stop < end and pens[stop] is pen:
                stop += 1
            if pen is not self.pen:
                self._send(_change_with_link(self.pen, pen))
                self.pen = pen
            if is_odd:
                self._send(_placed(letters, x, stop))
            else:
                erased = self._send_text("".join(letters[x:stop]), stop == end)
            x = stop
        if erased:
            self.at = (end - erased, y)
            return
        # behind the last column, and behind an odd letter, terminals differ in where they are
        is_sure = end < self._width and not (is_odd and _is_odd(letters[end - 1 : end]))
        self.at = (end, y) if is_sure else None

    def _send_text(self, text: str, is_last: bool) -> int:
        """Send letters of one cell each, long runs of blanks by erasing them. How many erased ones
        are behind the cursor then, of those that are the last of a span.
        """
        sent = 0
        for run in BLANKS.finditer(text) if self._can_erase else ():
            count = len(run[0])
            ends = is_last and run.end() == len(text)
            if not ends and count < LEAST_BLANKS_WITHIN:
                continue
            self._send(f"{text[sent : run.start()]}\x1b[{count}X")
            if ends:
                return count
            self._send(f"\x1b[{count}C")
            sent = run.end()
        self._send(text[sent:])
        return 0

    @property
    def _can_erase(self) -> bool:
        """Whether what is erased now looks as blanks of the pen do."""
        pen = self.pen
        return (
            pen is not None
            and not pen.attributes & ~UNSEEN_ON_BLANKS
            and not pen.link
            and (self._erases_with_color or pen.background == PLAIN.background)
        )

    def _send(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


def _strips_of(update: LayoutUpdate | ChopsUpdate, height: int) -> Iterator[tuple[int, int, Strip]]:
    """Line and column of each strip that an update shows."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                if 0 <= y < height:
                    yield y, x, strip
                x += strip.cell_length
        return
    for y, start, end in update.spans:
        if not 0 <= y < height:
            continue
        for right, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x < end and right > start:
                yield y, x, chop if right <= end else chop.crop(0, end - x)


def _cells(text: str) -> list[str]:
    cells: list[str] = []
    for letter in text:
        width = cell_len(letter)
        if width:
            cells += [letter, ""] if width == 2 else [letter]
        elif cells:
            cells[-1 if cells[-1] else -2] += letter
    return cells


@lru_cache(4)
def _blank_row(width: int) -> Row:
    return [" "] * width, [PLAIN] * width


def _is_odd(letters: list[str]) -> bool:
    return any(len(letter) != 1 or ODD_CELL.match(letter) for letter in letters)


def _placed(letters: list[str], start: int, end: int) -> str:
    """Letters with their column told behind each whose width terminals may see otherwise."""
    parts: list[str] = []
    for x in range(start, end):
        letter = letters[x]
        parts.append(letter)
        if len(letter) == 1 and not ODD_CELL.match(letter):
            continue
        is_wide = bool(letter) and x + 1 < len(letters) and letters[x + 1] == ""
        if not is_wide and x + 1 < end:
            parts.append(f"\x1b[{x + 2}G")
    return "".join(parts)


def changed_spans(wanted: Row, shown: Row, has_halves: bool) -> list[tuple[int, int]]:
    """The runs of cells, each from its first to behind its last, in which two rows differ; with
    short gaps between them filled. With `has_halves`, no run begins or ends inside a wide letter.
    """
    spans: list[tuple[int, int]] = []
    start = last = -1
    cells = zip(*wanted, *shown, strict=True)
    for x, (letter, pen, shown_letter, shown_pen) in enumerate(cells):
        if letter != shown_letter or pen is not shown_pen:
            if start < 0:
                start = x
            elif x - last > LARGEST_GAP:
                spans.append((start, last + 1))
                start = x
            last = x
    if start >= 0:
        spans.append((start, last + 1))
    if not has_halves:
        return spans
    whole: list[tuple[int, int]] = []
    for start, end in spans:
        while start > 0 and "" in (wanted[0][start], shown[0][start]):
            start -= 1
        while end < len(wanted[0]) and "" in (wanted[0][end], shown[0][end]):
            end += 1
        if whole and start <= whole[-1][1]:
            start = whole.pop()[0]
        whole.append((start, end))
    return whole


def cursor_move(at: Position | None, to: Position) -> str:
    """The shortest way from one cell to another; from None, from anywhere."""
    x, y = to
    if at == to:
        return ""
    if at is not None:
        if at[1] == y:
            if x > at[0]:
                return f"\x1b[{x - at[0]}C" if x - at[0] > 1 else "\x1b[C"
            if not x:
                return "\r"
        elif y == at[1] + 1:
            if not x:
                return "\r\n"
            if x == at[0]:
                return "\x1b[B"
    if x:
        return f"\x1b[{y + 1};{x + 1}H"
    return f"\x1b[{y + 1}H" if y else "\x1b[H"


@lru_cache(4096)
def pen_change(old: Pen | None, new: Pen) -> str:
    """The shortest SGR from one pen to another; from None, from any. Links are not among it."""
    if old is not None and old[:3] == new[:3]:
        return ""
    own = [_ON[bit] for bit in range(len(_ON)) if new.attributes >> bit & 1]
    own += [code for code in new.foreground if code != "39"]
    own += [code for code in new.background if code != "49"]
    whole = f"\x1b[{';'.join(['0', *own]) if own else ''}m"
    if old is None:
        return whole
    codes: list[str] = []
    gone, kept = old.attributes & ~new.attributes, old.attributes & new.attributes
    for bits, off in _OFF:
        if gone & bits:
            codes.append(off)
            kept &= ~bits
    codes += [_ON[bit] for bit in range(len(_ON)) if new.attributes & ~kept & 1 << bit]
    codes += new.foreground if new.foreground != old.foreground else ()
    codes += new.background if new.background != old.background else ()
    part = f"\x1b[{';'.join(codes)}m"
    return part if len(part) < len(whole) else whole


def _change_with_link(old: Pen | None, new: Pen) -> str:
    if (old.link if old else "") == new.link:
        return pen_change(old, new)
    return _link(new.link) + pen_change(old, new)


def _link(address: str) -> str:
    return f"\x1b]8;;{address}\x1b\\"


def _pen(style: Style, color_system: ColorSystem) -> Pen:
    foreground, background = style.color, style.bgcolor
    return Pen(
        style._attributes & style._set_attributes,
        foreground.downgrade(color_system).get_ansi_codes() if foreground else PLAIN.foreground,
        background.downgrade(color_system).get_ansi_codes(False)
        if background
        else PLAIN.background,
        style.link or "",
    )
