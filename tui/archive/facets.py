"""How many of a query's calls each agent, outcome, disposition, group and tag has."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tui.archive.index import values_of
from tui.archive.search import Planner
from tui.query import Query

SOON = 200
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
    db: sqlite3.Connection, planner: Planner, query: Query, newest: Sequence[int] | None
) -> dict[str, dict[str, int]]:
    """The counts of the calls with the keys `newest`; None: of all that match."""
    columns = f"{', '.join(f'call.{column}' for column in COUNTED.values())}, our_tags"
    if newest is None:
        plan = planner.plan(planner.ask(query))
        read = db.execute(plan.select(columns), plan.values).fetchall()
    else:
        named = ",".join(map(str, newest))
        read = db.execute(f"SELECT {columns} FROM call WHERE key IN ({named})").fetchall()
    if not read:
        return {kind: {} for kind in COUNTED}
    *told, own = zip(*read, strict=True)
    counts = {
        kind: _counted(column, values)
        for (kind, column), values in zip(COUNTED.items(), told, strict=True)
    }
    vendors = told[list(COUNTED).index("tag")]
    for theirs, mine in zip(vendors, own, strict=True):
        if mine:
            counts["tag"].update(set(values_of("tags", mine)) - set(values_of("tags", theirs)))
    return {kind: most_first(counted) for kind, counted in counts.items()}


def _counted(column: str, values: Iterable[object]) -> Counter[str]:
    """Equal lines of a column are counted first, since most are."""
    counts: Counter[str] = Counter()
    for text, calls in Counter(values).items():
        for value in values_of(column, text):
            counts[value] += calls
    return counts


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts in the order in which they are shown."""
    return {
        value: counts[value]
        for value in sorted(counts, key=lambda one: (-counts[one], one))
        if value
    }
