"""Where the table's calls come from, a block at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from providers.model import CallRow

BLOCK = 128
"""Rows fetched at once, aligned."""
BLOCKS_KEPT = 6


class Rows(Protocol):
    """Where the calls come from: all of them, or some that stand one after the other. Every
    method is synchronous and answers within 5 ms.
    """

    begins: bool
    """Whether nothing stands before them."""
    ends: bool
    """Whether nothing stands behind them."""

    def __len__(self) -> int: ...

    def window(self, start: int, stop: int) -> Sequence[CallRow]:
        """The rows from `start` up to `stop`; fewer where there are no more."""
        ...

    def keys_between(self, start: int, stop: int) -> Sequence[int]:
        """The keys of the rows from `start` up to `stop`."""
        ...

    def index_of(self, key: int) -> int | None:
        """Where the call with this key stands, or None when it is not among the rows."""
        ...


class NoRows:
    """No calls at all."""

    begins = ends = True

    def __len__(self) -> int:
        return 0

    def window(self, start: int, stop: int) -> Sequence[CallRow]:
        return ()

    def keys_between(self, start: int, stop: int) -> Sequence[int]:
        return ()

    def index_of(self, key: int) -> int | None:
        return None


class Blocks:
    """The blocks of rows that were read last."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._kept: OrderedDict[int, Sequence[CallRow]] = OrderedDict()

    def row(self, index: int) -> CallRow | None:
        """One row; None past the end, also when the archive shrank meanwhile."""
        start = index - index % BLOCK
        block = self._kept.get(start)
        if block is None:
            block = self._kept[start] = self._rows.window(start, start + BLOCK)
            if len(self._kept) > BLOCKS_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(start)
        offset = index - start
        return block[offset] if 0 <= offset < len(block) else None
