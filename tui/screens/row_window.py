"""The part of a query's rows that the screen holds: some keys, one after the other, in order.

However many calls there are, what is read when somebody wrote is a part, and no more.
"""

from __future__ import annotations

from array import array
from itertools import chain
from typing import NamedTuple

from tui.archive.interface import CallArchive
from tui.archive.records import SortOrder
from tui.query.parser import Query

FIRST_ROWS = 256
"""Rows that are read before the first paint."""
WINDOW_ROWS = 20_000
"""Rows that are read at once in the background, some milliseconds' work."""
MOST_ROWS = 3 * WINDOW_ROWS
"""Rows that are held, unless a range of them is being marked."""


class Order(NamedTuple):
    """Which rows there are, and in which order."""

    query: Query
    sort: SortOrder


class RowWindow(NamedTuple):
    """Rows that are held, and where among all they are."""

    keys: array[int]
    begins: bool = True
    """Whether nothing stands before them."""
    ends: bool = True
    """Whether nothing stands behind them."""
    above: int | None = 0
    """How many rows stand before them; None: not counted."""
    row: int = 0
    """Where the cursor goes, from the first of them, if its call is not among them."""

    @property
    def total(self) -> int | None:
        """How many rows there are in all, where these tell it."""
        return self.seen if self.ends and self.above is not None else None

    @property
    def seen(self) -> int:
        """How many rows there are at least."""
        return (self.above or 0) + len(self.keys)


EMPTY_WINDOW = RowWindow(array("q"))


def first(archive: CallArchive, order: Order, limit: int = 0) -> RowWindow:
    """The first rows."""
    limit = limit or WINDOW_ROWS
    keys = archive.keys(*order, limit=limit)
    return RowWindow(keys, ends=len(keys) < limit)


def last(archive: CallArchive, order: Order) -> RowWindow:
    """The last rows, and the cursor on the last one."""
    keys = archive.keys(*order, limit=WINDOW_ROWS, from_end=True)[::-1]
    begins = len(keys) < WINDOW_ROWS
    return RowWindow(keys, begins, True, 0 if begins else None, max(0, len(keys) - 1))


def around(archive: CallArchive, order: Order, key: int, above: int, below: int) -> RowWindow:
    """So many rows before a call, itself if it matches, and rows behind it.

    Raises `CallNotFound`.
    """
    before = archive.keys(*order, limit=above, before=key, from_end=True)[::-1]
    behind = archive.keys(*order, limit=below, after=key, inclusive=True)
    begins = len(before) < above
    return RowWindow(
        before + behind, begins, len(behind) < below, 0 if begins else None, len(before)
    )


def reload(
    archive: CallArchive, order: Order, part: RowWindow, row: int, wanted: int | None, whole: bool
) -> RowWindow:
    """The rows around the cursor's `row` as they are now, or around the `wanted` call if it is
    elsewhere among those that match; all that were held if `whole`.
    """
    half, some = WINDOW_ROWS // 2, WINDOW_ROWS // 20
    if wanted is not None and archive.matching([wanted], order.query):
        if not part.begins or wanted not in part.keys[:half]:
            return around(archive, order, wanted, half, half)
        row = part.keys.index(wanted)
    nearest = chain(part.keys[row:], reversed(part.keys[:row]))
    key = next((key for key in nearest if archive.names_of([key])), None)
    if key is None:
        return first(archive, order)
    above = below = half
    if whole:
        above, below = row + some, len(part.keys) - row + some
    elif part.begins and row < half:
        found = first(archive, order)._replace(row=row)
        if key in found.keys or not archive.matching([key], order.query):
            return found
    found = around(archive, order, key, above, below)
    if found.above is None and part.above is not None:  # until they are counted
        found = found._replace(above=max(0, part.above + row - found.row))
    return found


def extend(
    archive: CallArchive, order: Order, part: RowWindow, step: int, whole: bool
) -> RowWindow:
    """With more rows below (1) or above (-1); of many, unless the `whole` is wanted, some are let
    go at the other end. Raises `CallNotFound` when a call of them has gone.
    """
    there = set(part.keys)  # a call may have moved meanwhile
    if step > 0:
        read = archive.keys(*order, limit=WINDOW_ROWS, after=part.keys[-1])
    else:
        read = archive.keys(*order, limit=WINDOW_ROWS, before=part.keys[0], from_end=True)[::-1]
    new, all_read = array("q", (key for key in read if key not in there)), len(read) < WINDOW_ROWS
    over = 0 if whole else max(0, len(part.keys) + len(new) - MOST_ROWS)
    if step > 0:
        above = None if part.above is None else part.above + over
        return RowWindow((part.keys + new)[over:], part.begins and not over, all_read, above)
    above = None if part.above is None else max(0, part.above - len(new))
    keys = new + part.keys
    return RowWindow(
        keys[: len(keys) - over], all_read, part.ends and not over, 0 if all_read else above
    )


def extend_to(archive: CallArchive, order: Order, part: RowWindow, key: int) -> RowWindow | None:
    """With all rows from there to a call; None when that does not match any more."""
    if key in part.keys:
        return part
    if not archive.matching([key], order.query):
        return None
    there = set(part.keys)
    below = archive.is_after(key, part.keys[-1], order.sort)
    after, before = (part.keys[-1], key) if below else (key, part.keys[0])
    read = archive.keys(*order, after=after, before=before, inclusive=True)
    new = array("q", (key for key in read if key not in there))
    if below:
        return part._replace(keys=part.keys + new, ends=False)
    above = None if part.above is None else max(0, part.above - len(new))
    return part._replace(keys=new + part.keys, begins=False, above=above)
