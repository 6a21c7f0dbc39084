"""A query that bits can tell about, walked through time: keys and counts, stretch by stretch."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from tui.archive.bits import AT_ONCE, PART, Bits, Hits, Test, bits_of, spots_of


class Walk:
    """What a test of bits finds with places from `low` to `high`, both None for all times.

    `condition` is a condition on a call's line that says the same as the test.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        tests: Sequence[Test],
        span: tuple[int | None, int | None],
        condition: str,
        values: list[Any],
    ) -> None:
        self._db, self._bits, self._tests = db, Bits(db), tests
        self._low, self._high = span
        self._condition, self._values = condition, values

    def _hits(self, descending: bool = True) -> Iterator[Hits]:
        return self._bits.hits(self._tests, self._low, self._high, descending, self._meant)

    def _meant(self, number: int, unsure: int) -> int:
        """Those of a part's spots whose calls are meant."""
        if unsure.bit_count() > AT_ONCE:
            of_these = f"spot BETWEEN {number << PART} AND {((number + 1) << PART) - 1}"
        else:
            of_these = f"spot IN ({','.join(map(str, spots_of(number, unsure)))})"
        rows = self._db.execute(
            f"SELECT spot FROM call INDEXED BY call_by_spot WHERE {of_these} AND {self._condition}",
            self._values,
        )
        return bits_of(spot for (spot,) in rows) & unsure

    def keys(self, limit: int, descending: bool, after: int | None = None) -> array[int]:
        """The keys of the first calls in the order of time, behind the place `after`."""
        if after is not None and descending:
            self._high = after - 1 if self._high is None else min(self._high, after - 1)
        elif after is not None:
            self._low = after + 1 if self._low is None else max(self._low, after + 1)
        hits = self._hits(descending)
        return array("q", self._bits.keys(hits, self._low, self._high, descending, limit))

    def count(self, most: int | None = None) -> int:
        """How many calls it finds; counting ends above `most`."""
        counted = 0
        for hits in self._hits():
            if most is not None and counted > most:
                return most + 1
            counted += self._bits.count(hits, self._low, self._high)
        return counted if most is None else min(counted, most + 1)

    def few(self, most: int) -> list[int] | None:
        """The spots of what it finds, and perhaps of some around its time; None if more than
        `most`.
        """
        spots: list[int] = []
        for hits in self._hits():
            if len(spots) + hits.calls > most:
                return None
            spots.extend(hits.spots())
        return spots
