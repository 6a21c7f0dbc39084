"""Which bytes of a file are here: stretches that neither touch nor overlap, in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class ByteRanges:
    """Stretches are half open: from their first byte to the one after their last."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __iter__(self) -> zip[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    def add(self, start: int, end: int) -> None:
        """These bytes have come. What was here already stays so."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)  # the first that reaches to `start` or beyond
        after = bisect_right(self._starts, end)  # the first that begins beyond `end`
        if first < after:
            start, end = min(start, self._starts[first]), max(end, self._ends[after - 1])
        self._starts[first:after] = [start]
        self._ends[first:after] = [end]

    def end(self, at: int) -> int:
        """Where the stretch that holds the byte `at` ends; `at` itself when it is missing."""
        index = bisect_right(self._starts, at) - 1
        return max(at, self._ends[index]) if index >= 0 else at

    def gap(self, at: int, size: int | None) -> tuple[int, int | None] | None:
        """The first missing stretch at or after `at`; None when all is here up to `size`.

        Its end is None where neither a later stretch nor the size says what it is.
        """
        start = self.end(at)
        if size is not None and start >= size:
            return None
        index = bisect_right(self._starts, start)
        return start, self._starts[index] if index < len(self._starts) else size
