"""A query that bitmaps answer, partition by partition: its keys and counts."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from tui.archive.sqlite.search.bitmap import (
    CHUNK_BITS,
    SLOTS_AT_ONCE,
    Bitmaps,
    Matches,
    Span,
    Test,
    bits_of,
    slots_of,
)
from tui.archive.sqlite.search.time_ranges import EARLIEST, LATEST, within


class BitmapScan:
    """What tests of bitmaps find in `spans`, which stand in the order of time.

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

    def _matches(self, span: Span, descending: bool = True) -> Iterator[Matches]:
        return self._bits.matches(self._tests, span, descending, self._recheck)

    def _recheck(self, number: int, unsure: int) -> int:
        """Those of a chunk's slots whose calls are meant."""
        if unsure.bit_count() > SLOTS_AT_ONCE:
            of_these = f"slot BETWEEN {number << CHUNK_BITS} AND {((number + 1) << CHUNK_BITS) - 1}"
        else:
            of_these = f"slot IN ({','.join(map(str, slots_of(number, unsure)))})"
        rows = self._db.execute(
            f"SELECT slot FROM call INDEXED BY call_by_slot WHERE {of_these} AND {self._condition}",
            self._values,
        )
        return bits_of(slot for (slot,) in rows) & unsure

    def keys(self, limit: int, descending: bool, after: int | None = None) -> array[int]:
        """The keys of the first calls in the order of time, behind the place `after`."""
        spans = self._spans
        if after is not None:
            behind = (EARLIEST, after - 1) if descending else (after + 1, LATEST)
            spans = within(spans, *behind)
        found = array("q")
        for span in reversed(spans) if descending else spans:
            if len(found) < limit:
                matches = self._matches(span, descending)
                found.extend(self._bits.keys(matches, span, descending, limit - len(found)))
        return found

    def count(self, most: int | None = None) -> int:
        """How many calls it finds; counting ends above `most`."""
        counted, end = 0, LATEST if most is None else most + 1
        for span in self._spans:
            for matches in self._matches(span):
                if counted >= end:
                    return end
                counted += self._bits.count(matches, span, end)
        return min(counted, end)

    def count_before(self, place: int, descending: bool) -> int:
        """How many calls it finds before a place in the order of time."""
        before = (place + 1, LATEST) if descending else (EARLIEST, place - 1)
        spans = within(self._spans, *before)
        return BitmapScan(self._db, self._tests, spans, self._condition, self._values).count()

    def slots_if_few(self, most: int) -> list[int] | None:
        """The slots of what it finds, and perhaps of some around its time; None if more than
        `most`.
        """
        slots: set[int] = set()
        for span in self._spans:
            for matches in self._matches(span):
                if len(slots) + matches.calls > most:
                    return None
                slots.update(matches.slots())
        return sorted(slots)
