"""Whether a walk over a vendor's list still advances: the one rule for every list.

A page without a row that is new may be chance: calls that came meanwhile shift a list. Two in a
row mean that the list goes round, or stands still, however its pages are numbered.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator

from providers.fields import NO_ID, rows
from providers.model import Call, Json

MOST_IDLE = 2
"""So many pages in a row without a new row end a walk."""
_PAGES = 12
"""Rows without an id are looked for in so many pages back."""
STANDS = "of a list that does not advance"
"""How a shortfall says it."""


class Advance:
    """What the pages of a walk brought; `take` each of them, then ask whether it `stands`."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._traces: deque[set[int]] = deque(maxlen=_PAGES)
        self._idle = 0

    def take(self, rows: Iterable[tuple[str | None, Json]]) -> None:
        """A page: each row's id, or None and the row itself, which is not new either where all
        but one of its fields came before.
        """
        ids, traces, new = set[str](), set[int](), False
        for id_, row in rows:
            if id_ is not None:
                ids.add(id_)
            else:
                of_row = set(_traces(row))
                traces |= of_row
                new |= not any(of_row & page for page in self._traces)
        new |= not ids <= self._ids
        self._idle = 0 if new else self._idle + 1
        self._ids |= ids
        self._traces.append(traces)

    @property
    def stands(self) -> bool:
        return self._idle >= MOST_IDLE


def named(calls: Iterable[Call], merges: bool) -> Iterator[tuple[str | None, Json]]:
    """Calls for `Advance.take`; where records merge into calls (`merges`), each of the records."""
    for call in calls:
        if merges:
            yield from ((None, record) for record in rows(call.raw))
        else:
            yield None if call.id.startswith(NO_ID) else call.id, call.raw


def _traces(row: Json) -> Iterator[int]:
    """Numbers of which two rows share one when they differ in one field at most."""
    fields = row.items() if isinstance(row, dict) else [("", row)]
    numbers = [hash((name, json.dumps(value, default=str))) for name, value in fields]
    whole = sum(numbers)
    yield whole
    if len(numbers) > 1:
        yield from (whole - number for number in numbers)
