"""Names of agents, groups, tags and the like: those that the archive knows, and the others."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import reduce

from tui.archive.bits import Batch, Bounds, Test
from tui.archive.index import FACETS, LISTS, SearchIndex, finds, needle_of
from tui.archive.walking import Walk
from tui.query import EXACT, FIELDS, STATES, Name, Problem, Query, unknown


def same_name(value: str) -> str:
    """Equal for two spellings of one name: those that differ in case alone."""
    return value.lower() if value.isascii() else unicodedata.normalize("NFC", value).casefold()


def spellings(counts: Mapping[str, int]) -> list[list[str]]:
    """The spellings of each name, that of most calls first."""
    found = defaultdict(list)
    for value in sorted(filter(None, counts), key=lambda one: (-counts[one], one)):
        found[same_name(value)].append(value)
    return list(found.values())


def together(
    counts: Mapping[str, int], twice: Callable[[list[str]], int] = lambda _: 0
) -> dict[str, int]:
    """Counts of calls by spelling as counts by name, those of most calls first; `twice` tells
    how often too many a call with several of these spellings was counted.
    """
    total = {}
    for group in spellings(counts):
        total[group[0]] = sum(counts[one] for one in group)
        if len(group) > 1:
            total[group[0]] -= twice(group)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def doubled(values: Iterable[str]) -> dict[str, int]:
    """How many spellings too many some values of one call have, by name."""
    found: dict[str, int] = {}
    for name in map(same_name, values):
        found[name] = found.get(name, -1) + 1
    return found


def counted(db: sqlite3.Connection, index: SearchIndex, column: str) -> dict[str, int]:
    """How many of all calls have each name of a facet, those of most first."""
    counts = index.known(column)
    if column not in LISTS:
        return together(counts)

    def twice(group: list[str]) -> int:
        return sum(counts[one] for one in group) - _with_any(db, column, group)

    return together(counts, twice)


def _with_any(db: sqlite3.Connection, column: str, values: Collection[str]) -> int:
    """How many calls have one of these values or more."""
    tokens = frozenset(f"{column}={value}" for value in values)

    def bounds(batch: Batch) -> Bounds:
        bits = reduce(int.__or__, (batch.have.get(token, 0) for token in tokens), 0)
        return bits, bits

    return Walk(db, [Test(tokens, bounds)], (None, None), "1", []).count()


def complete(index: SearchIndex, kind: str, start: str) -> list[str]:
    """Names for a word before a colon (``agent``) that a query with this beginning would find;
    those of most calls first. Raises KeyError for a word that is none of `tui.query.FIELDS`.
    """
    column = FIELDS[kind]
    known = index.known(column) if column in FACETS else {}
    if kind == "state":
        known = dict.fromkeys(STATES, 0)
    needle = needle_of(start)
    fits = {value: known[value] for value in known if not start or finds(value, needle)}
    return list(together(fits))


def doubts(
    db: sqlite3.Connection,
    index: SearchIndex,
    query: Query,
    more: Mapping[str, Collection[str]],
) -> tuple[Problem, ...]:
    """What of the names in a query line no call has; `more` names there are by field, without
    calls yet. None while calls are missing in the index.
    """
    if index.unindexed():
        return ()

    def known(name: Name) -> bool:
        column, value = name.term.field, name.term.value
        if column == "id":
            sql = (
                "SELECT 1 FROM call WHERE account IN"
                " (SELECT value FROM known WHERE kind = 'account') AND id = ?"
            )
            return db.execute(sql, (value,)).fetchone() is not None
        if column in EXACT:
            there = {*index.known(column), *more.get(name.kind, ())}
            return value.lower() in map(str.lower, there)
        return bool(index.meant(column, value))

    def others(name: Name) -> list[str]:
        return list(dict.fromkeys((*complete(index, name.kind, ""), *more.get(name.kind, ()))))

    return tuple(unknown(name, others(name)) for name in query.names if not known(name))
