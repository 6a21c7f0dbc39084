"""Names of agents, groups, tags and the like: those that the archive knows, and the others."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from tui.archive.asking import has_any
from tui.archive.index import FACETS, LISTS, SearchIndex, finds, needle_of
from tui.archive.spans import ALWAYS
from tui.archive.walking import Walk
from tui.query import FIELDS, STATES, Name, Problem, Query, unknown, words


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
        any_of_them = Walk(db, [has_any(column, group)], [ALWAYS], "1", [])
        return sum(counts[one] for one in group) - any_of_them.count()

    return together(counts, twice)


def complete(index: SearchIndex, kind: str, start: str) -> list[str]:
    """Names for a word before a colon (``agent``) that a query with this beginning would find;
    those of most calls first. Raises KeyError for a word that is none of `tui.query.FIELDS`.
    """
    column = FIELDS[kind]
    known = index.known(column) if column in FACETS else {}
    if kind == "state":
        known = dict.fromkeys(STATES, 0)
    needle = needle_of(start)
    if words(start):
        fits = {value: known[value] for value in known if finds(value, needle)}
    else:  # signs alone, which a query would not look for
        fits = {value: known[value] for value in known if start in value}
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
        if name.kind == "id":
            sql = (
                "SELECT 1 FROM call WHERE account IN"
                " (SELECT value FROM known WHERE kind = 'account') AND id = ?"
            )
            return db.execute(sql, (name.term.value,)).fetchone() is not None
        here, soon = index.named(name.term), more.get(name.kind, ())
        return bool(here and here[1]) or name.value.lower() in map(str.lower, soon)

    def others(name: Name) -> list[str]:
        return list(dict.fromkeys((*complete(index, name.kind, ""), *more.get(name.kind, ()))))

    return tuple(unknown(name, others(name)) for name in query.names if not known(name))
