"""How far a walk over CINNOX's records has come, and whether all of them came.

There is no total and no documented order, and a page may be shorter than was asked for. So the
end is an empty page, and its offset tells how many rows there are. Fewer distinct records than
that prove that some stood on no page: rows shifted, or those of one moment changed places at
the border of two pages. Then the list is walked once more with pages that overlap by half: what
changes places at a border is whole in the page before or behind it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from providers.advance import STANDS, Advance
from providers.cinnox_records import Record, key
from providers.counts import counted
from providers.fields import NO_ID, Reader
from providers.model import Json

REMEMBERED = 1000
"""So many records a cursor names, so that another process sees what comes twice."""


class At(NamedTuple):
    """What a cursor says: all numbers are of this walk over the list."""

    rows_before: int = 0
    """How many rows the first walk had; 0 while it runs."""
    offset: int = 0
    due: int = 0
    """How many records the rows up to `offset` stand for."""
    came: int = 0
    """How many distinct ones came."""


class Walk:
    """One walk over a period, perhaps over again. `take` each page; then ask how it stands."""

    def __init__(self, cursor: str | None = None) -> None:
        self.at, recent = _read(cursor)
        self.whole = cursor is None
        """Whether every record that came is known here, and not only those of a cursor."""
        self.stalled = False
        """Whether the last page was the one before it: the offset does not advance."""
        self.span: tuple[datetime, datetime] | None = None
        """The first and the last moment of the records that came."""
        self.all = set(recent)
        self._these = set(recent)
        self._recent = deque(recent, REMEMBERED)
        self._page: set[str] = set()
        self._largest = 0
        self._advance = Advance()

    @property
    def again(self) -> bool:
        return self.at.rows_before > 0

    def take(self, page: Sequence[Json]) -> list[Record]:
        """Pass over a page; its records that were not seen before."""
        keys = [key(row) if isinstance(row, dict) else None for row in page]
        here = dict.fromkeys(k for k in keys if k)
        self.stalled = bool(page) and here.keys() == self._page
        if self.stalled:
            return []
        fresh = {k: row for k, row in zip(keys, page, strict=True) if k and k not in self.all}
        these = [k for k in here if k not in self._these]
        self._page = set(here)
        self._largest = max(self._largest, len(page))
        self._advance.take(
            (None if k is None or k.startswith(NO_ID) else k, row)
            for k, row in zip(keys, page, strict=True)
        )
        self.all |= self._page
        self._these |= self._page
        self._recent.extend(these)
        self._widen(fresh.values())
        at = self.at
        step = min(len(page), (self._largest + 1) // 2) if self.again else len(page)
        due = at.due + _records_of(keys, step)
        self.at = at._replace(offset=at.offset + step, due=due, came=at.came + len(these))
        return list(fresh.values())

    def once_more(self) -> bool:
        """At the end: whether records were missed and the list was walked only once; it then
        begins anew.
        """
        if self.again or self.endless or self.at.came >= self.at.due:
            return False
        self.at = At(rows_before=self.at.offset)
        self._these, self._page, self._advance = set(), set(), Advance()
        self._recent.clear()
        return True

    @property
    def page_size(self) -> int:
        """Distinct records of the last page."""
        return len(self._page)

    @property
    def endless(self) -> bool:
        """Whether pages come without end: with nothing new, or many more than in the first walk,
        in which alone a page without news is none of chance.
        """
        if self.again:
            return self.at.offset > 2 * self.at.rows_before + REMEMBERED
        return self._advance.stands

    @property
    def shortfall(self) -> str:
        """At the end: what is known to be missing."""
        _, _, due, came = self.at
        if self.endless:
            return f"{counted(len(self.all), 'record')} {STANDS}"
        if came >= due or (self.whole and len(self.all) == due):
            return ""
        found = len(self.all) if self.whole and len(self.all) < due else came
        return f"{found:,} of {counted(due, 'record')}"

    def write(self) -> str:
        return json.dumps([*self.at, [*self._recent]], separators=(",", ":"))

    def _widen(self, records: Iterable[Record]) -> None:
        times = [time for row in records if (time := Reader(row).time("callDate"))]
        if times:
            times += self.span or ()
            self.span = min(times), max(times)


def _records_of(keys: Sequence[str | None], step: int) -> int:
    """How many records the first `step` rows of a page stand for. One answer is of one moment:
    what comes twice in it was written twice, and proves nothing.
    """
    last = {name: place for place, name in enumerate(keys)}
    return sum(name is not None and last[name] == place for place, name in enumerate(keys[:step]))


def _read(cursor: str | None) -> tuple[At, list[str]]:
    """A cursor's place, and the records that it names; a number alone is an older cursor."""
    try:
        said = json.loads(cursor or "")
        if isinstance(said, int):
            return At(0, said, said, said), []
        *numbers, recent = said
        return At(*map(int, numbers)), [*map(str, recent)]
    except (ValueError, TypeError):
        return At(), []
