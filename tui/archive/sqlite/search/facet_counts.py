"""How many of a query's calls each agent, outcome, disposition, group and tag has."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from providers.call_fields import CALL_FIELDS
from tui.archive.sqlite.search.name_lookup import doubled, together
from tui.archive.sqlite.search.planner import Planner
from tui.archive.sqlite.search.search_index import values_of
from tui.query.editing import same_name
from tui.query.parser import Query

COUNTED = {field.asked.word: field.column for field in CALL_FIELDS if field.counted and field.asked}
"""Kinds as the query line names them, and the columns they stand in."""


def count_facets(
    db: sqlite3.Connection, planner: Planner, query: Query, newest: Sequence[int] | None
) -> dict[str, dict[str, int]]:
    """The counts of the calls with the keys `newest`; None: of all that match."""
    columns = f"{', '.join(f'call.{column}' for column in COUNTED.values())}, our_tags"
    if newest is None:
        plan = planner.plan(planner.parts_of(query))
        read = db.execute(plan.select(columns), plan.values).fetchall()
    else:
        named = ",".join(map(str, newest))
        read = db.execute(f"SELECT {columns} FROM call WHERE key IN ({named})").fetchall()
    if not read:
        return {kind: {} for kind in COUNTED}
    *vendors, own = zip(*read, strict=True)
    lines: dict[str, Iterable[object]] = dict(zip(COUNTED, vendors, strict=True))
    lines["tag"] = (
        f"{theirs or ''},{mine}" if mine else theirs
        for theirs, mine in zip(lines["tag"], own, strict=True)
    )
    return {kind: _counted(column, lines[kind]) for kind, column in COUNTED.items()}


def _counted(column: str, lines: Iterable[object]) -> dict[str, int]:
    """Equal lines of a column are counted first, since most are."""
    counts: Counter[str] = Counter()
    twice: Counter[str] = Counter()
    for text, calls in Counter(lines).items():
        values = values_of(column, text)
        for value in values:
            counts[value] += calls
        if len(values) > 1:
            for name, times in doubled(values).items():
                twice[name] += times * calls
    return together(counts, lambda group: twice[same_name(group[0])])
