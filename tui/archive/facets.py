"""How many of a query's calls each agent, outcome, disposition, group and tag has."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tui.archive.index import SearchIndex, values_of
from tui.archive.search import Planner, order_by
from tui.query import Query

SOON = 400
"""Calls that are read for counts that shall be there at once."""
COUNTED = {
    "agent": "agents",
    "outcome": "outcome",
    "dispo": "disposition",
    "group": "ring_group",
    "tag": "tags",
}
"""Kinds as the query line names them, and the columns they stand in."""


class Facets(NamedTuple):
    """Counts by kind and value, the most frequent first."""

    counts: Mapping[str, Mapping[str, int]]
    complete: bool = True
    """False: there are more calls than were read, so every count may be higher."""


def count_facets(
    db: sqlite3.Connection, index: SearchIndex, planner: Planner, query: Query, within: int | None
) -> Facets:
    if not query.terms and not index.unindexed():
        return Facets({kind: _sorted(index.known(column)) for kind, column in COUNTED.items()})
    read = _read(db, planner, query, within)
    complete = within is None or len(read) <= within
    if not read:
        return Facets({kind: {} for kind in COUNTED})
    *told, own = zip(*read[:within], strict=True)
    counts = {
        kind: _counted(column, values)
        for (kind, column), values in zip(COUNTED.items(), told, strict=True)
    }
    vendors = told[list(COUNTED).index("tag")]
    for theirs, mine in zip(vendors, own, strict=True):
        if mine:
            counts["tag"].update(set(values_of("tags", mine)) - set(values_of("tags", theirs)))
    return Facets({kind: _sorted(counted) for kind, counted in counts.items()}, complete)


def _read(
    db: sqlite3.Connection, planner: Planner, query: Query, within: int | None
) -> list[tuple[str | None, ...]]:
    """The columns of the newest calls that match, one more than `within`."""
    columns = f"{', '.join(f'call.{column}' for column in COUNTED.values())}, our_tags"
    if within is not None and (walk := planner.walk(query)):
        keys = ",".join(map(str, walk.keys(within + 1, descending=True)))
        return db.execute(
            f"SELECT {columns} FROM call WHERE key IN ({keys}) ORDER BY place DESC"
        ).fetchall()
    plan = planner.plan(query)
    limit = "" if within is None else f"LIMIT {within + 1}"
    order = order_by("time", True, plan.place)
    return db.execute(plan.select(columns, f"{order} {limit}"), plan.values).fetchall()


def _counted(column: str, values: Iterable[object]) -> Counter[str]:
    """Equal lines of a column are counted first, since most are."""
    counts: Counter[str] = Counter()
    for text, calls in Counter(values).items():
        for value in values_of(column, text):
            counts[value] += calls
    return counts


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {
        value: counts[value]
        for value in sorted(counts, key=lambda one: (-counts[one], one))
        if value
    }
