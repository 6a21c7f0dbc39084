"""Names of agents, groups, tags and the like: those that the archive knows, and the others."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from providers.call_fields import plain
from tui.archive.sqlite.search.bitmap_scan import BitmapScan
from tui.archive.sqlite.search.bitmap_tests import has_any
from tui.archive.sqlite.search.search_index import (
    FACETS,
    LISTS,
    SearchIndex,
    finds,
    needle_of,
    prefixed,
)
from tui.archive.sqlite.search.time_ranges import ALWAYS
from tui.query.editing import same_name
from tui.query.fields import FIELDS, field_of
from tui.query.parser import CHOICES, KEYWORDS, Name, Problem, Query, fold, unknown, words
from tui.query.suggestions import NEAR_AMONG, SURE, nearest


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
    counts = index.facet_values(column)
    if column not in LISTS:
        return together(counts)

    def twice(group: list[str]) -> int:
        any_of_them = BitmapScan(db, [has_any(column, group)], [ALWAYS], "1", [])
        return sum(counts[one] for one in group) - any_of_them.count()

    return together(counts, twice)


def suggest(index: SearchIndex, kind: str, start: str) -> list[str]:
    """Names for a word before a colon (``agent``) that a query with this beginning would find;
    those of most calls first. None for a word that is none of `FIELDS`.
    """
    field = FIELDS.get(plain(kind))
    if field is None:
        return []
    if field.kind == "kept":
        return _kept_words(index, field.column, start)
    known = index.facet_values(field.column) if field.column in FACETS else {}
    if field.kind == "choice":
        known = dict.fromkeys(CHOICES[field.column], 0)
    needle = needle_of(start)
    if words(start):
        fits = {value: known[value] for value in known if finds(value, needle)}
    else:  # signs alone, which a query would not look for
        fits = {value: known[value] for value in known if start in value}
    return list(fits) if field.kind == "choice" else list(together(fits))


def _kept_words(index: SearchIndex, column: str, start: str) -> list[str]:
    """Words of a field that has no names: those that go on from the last of `start`."""
    *before, last = words(start) or [""]
    prefix = f"={plain(column)}="
    found = index.words_with_prefix(prefix + last, NEAR_AMONG)
    ordered = sorted(found, key=lambda one: (-one[1], one[0]))
    return [" ".join([*before, word.removeprefix(prefix)]) for word, _ in ordered]


def unknown_names(
    db: sqlite3.Connection,
    index: SearchIndex,
    query: Query,
    more: Mapping[str, Collection[str]],
) -> tuple[Problem, ...]:
    """What of the names in a query line no call has; `more` names there are by field, without
    calls yet. None while calls are missing in the index.
    """
    if index.is_incomplete():
        return ()

    def known(name: Name) -> bool:
        term = name.term
        if term.kind in ("text", "kept"):
            said = words(term.value) if term.kind == "text" else prefixed(term.field, term.value)
            return all(index.words_with_prefix(word, 1) for word in said)
        if name.kind == "id":
            sql = (
                "SELECT 1 FROM call WHERE account IN"
                " (SELECT value FROM known WHERE kind = 'account') AND id = ?"
            )
            return db.execute(sql, (term.value,)).fetchone() is not None
        here, soon = index.resolve_facet(term), more.get(name.kind, ())
        return bool(here and here[1]) or name.value.lower() in map(str.lower, soon)

    def others(name: Name) -> list[str]:
        if field_of(name.kind) is None:
            return _kept_words(index, name.term.field, "")
        return list(dict.fromkeys((*suggest(index, name.kind, ""), *more.get(name.kind, ()))))

    return tuple(unknown(name, others(name)) for name in query.names if not known(name))


def spelling_suggestions(
    db: sqlite3.Connection, index: SearchIndex, query: Query
) -> tuple[Problem, ...]:
    """What the words of a query that found nothing may be slips of: of a word that means more
    than itself, and where no call has the word, of one that calls have.
    """
    found = ((name, _meant(db, index, name)) for name in query.words)
    return tuple(
        Problem(name.start, name.stop, f"did you mean {meant}?") for name, meant in found if meant
    )


def _meant(db: sqlite3.Connection, index: SearchIndex, name: Name) -> str | None:
    word = fold(name.value)
    if found := nearest(word, KEYWORDS, SURE):
        return found
    if words(name.value) != [word] or index.words_with_prefix(word, 1):
        return None
    known = db.execute(
        "SELECT term FROM word WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ?"
        " ORDER BY calls DESC LIMIT ?",
        (word[0], word[0] + "\U0010ffff", len(word) - 2, len(word) + 2, NEAR_AMONG),
    )
    return nearest(word, [term for (term,) in known], SURE)
