"""How many of a query's calls each agent, outcome, disposition, group and tag has."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from tui.archive.index import SearchIndex, values_of
from tui.archive.search import Planner, order_by
from tui.query import Query

SOON = 1000
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
    plan = planner.plan(query)
    columns = list(COUNTED.values())
    ours = "(SELECT tags FROM indexed_ours AS o WHERE o.key = call.key)"
    limit = "" if within is None else f"LIMIT {within + 1}"
    rows = db.execute(
        plan.select(
            f"{', '.join(f'call.{column}' for column in columns)}, {ours}",
            f"{order_by('time', True, plan.place)} {limit}",
        ),
        plan.values,
    )
    seen: dict[str, Counter[str]] = {kind: Counter() for kind in COUNTED}
    read = 0
    for *values, own in rows:
        read += 1
        if within is not None and read > within:
            break
        for (kind, column), value in zip(COUNTED.items(), values, strict=True):
            found = values_of(column, value)
            if kind == "tag" and own:
                found = [*found, *values_of(column, ",".join(json.loads(own)))]
            seen[kind].update(dict.fromkeys(found, 1))
    return Facets(
        {kind: _sorted(counts) for kind, counts in seen.items()}, within is None or read <= within
    )


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {
        value: counts[value]
        for value in sorted(counts, key=lambda one: (-counts[one], one))
        if value
    }
