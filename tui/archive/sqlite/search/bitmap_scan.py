"""A query that bits can tell about, walked through time: keys and counts, stretch by stretch."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from tui.archive.sqlite.search.bitmap import (
    AT_ONCE,
    CHUNK_BITS,
    Bitmaps,
    Matches,
    Span,
    Test,
    bits_of,
    spots_of,
)
from tui.archive.sqlite.search.time_ranges import EARLIEST, LATEST, within


class BitmapScan:
    """What a test of bits finds in `spans`, which stand in the order of time.

    `condition` is a condition on a call's line that says the same as the tests.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        tests: Sequence[Test],
        spans: Sequence[Span],
        condition: str,
        values: list[Any],
    ) -> None:
        self._db, self._bits, self._tests = db, Bitmaps(db), tests
        self._spans = spans
        self._condition, self._values = condition, values

    def _hits(self, span: Span, descending: bool = True) -> Iterator[Matches]:
        return self._bits.hits(self._tests, span, descending, self._meant)

    def _meant(self, number: int, unsure: int) -> int:
        """Those of a part's spots whose calls are meant."""
        if unsure.bit_count() > AT_ONCE:
            of_these = f"spot BETWEEN {number << CHUNK_BITS} AND {((number + 1) << CHUNK_BITS) - 1}"
        else:
            of_these = f"spot IN ({','.join(map(str, spots_of(number, unsure)))})"
        rows = self._db.execute(
            f"SELECT spot FROM call INDEXED BY call_by_spot WHERE {of_these} AND {self._condition}",
            self._values,
        )
        return bits_of(spot for (spot,) in rows) & unsure

    def keys(self, limit: int, descending: bool, after: int | None = None) -> array[int]:
        """The keys of the first calls in the order of time, behind the place `after`."""
        spans = self._spans
        if after is not None:
            behind = (EARLIEST, after - 1) if descending else (after + 1, LATEST)
            spans = within(spans, *behind)
        found = array("q")
        for span in reversed(spans) if descending else spans:
            if len(found) < limit:
                hits = self._hits(span, descending)
                found.extend(self._bits.keys(hits, span, descending, limit - len(found)))
        return found

    def count(self, most: int | None = None) -> int:
        """How many calls it finds; counting ends above `most`."""
        counted, end = 0, LATEST if most is None else most + 1
        for span in self._spans:
            for hits in self._hits(span):
                if counted >= end:
                    return end
                counted += self._bits.count(hits, span, end)
        return min(counted, end)

    def count_before(self, place: int, descending: bool) -> int:
        """How many calls it finds before a place in the order of time."""
        before = (place + 1, LATEST) if descending else (EARLIEST, place - 1)
        spans = within(self._spans, *before)
        return BitmapScan(self._db, self._tests, spans, self._condition, self._values).count()

    def few(self, most: int) -> list[int] | None:
        """The spots of what it finds, and perhaps of some around its time; None if more than
        `most`.
        """
        spots: set[int] = set()
        for span in self._spans:
            for hits in self._hits(span):
                if len(spots) + hits.calls > most:
                    return None
                spots.update(hits.spots())
        return sorted(spots)
