"""The search index: what is written beside each call so that any query finds it in a blink.

A call's `place` is its moment in milliseconds, shifted to leave room for calls of the same
millisecond: one number that no other call has and that orders by time. The full-text table has
the call's words and a token for each of its facets under that number, so every search reads
from the newest on and stops after a page. All of it can be made again from the calls.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import log2
from operator import itemgetter
from typing import Any, NamedTuple

from providers.call_fields import CALL_FIELDS, plain
from tui.archive.errors import CallNotFound, reading
from tui.archive.sqlite.search.bitmap import (
    EVERY_CALL,
    MARK_COLUMNS,
    MARK_TOKENS,
    BitmapChanges,
    Bitmaps,
    length_tokens,
    mark_tokens,
    partition_of,
)
from tui.archive.sqlite.search.postings import SEPARATOR, texts_to_rewrite
from tui.query.editing import same_name
from tui.query.parser import Term, words
from tui.query.phone_numbers import dialled, lettered
from tui.query.text_cache import cached

TIES = 1 << 15
"""Places in one millisecond; where more calls have it, they take the next one's."""
NUMBERS_AT_ONCE = 500
"""Numbers that one statement names."""
NO_TIME = -(1 << 62)
"""The first place of calls without a time, before all others."""
LISTS = frozenset(field.column for field in CALL_FIELDS if field.facet == "several")
"""Columns that hold several values, comma-separated."""
FACETS = tuple(field.column for field in CALL_FIELDS if field.facet)
"""Columns whose values have a token each and are counted in the table ``known``."""
SINGLE = frozenset(field.column for field in CALL_FIELDS if field.facet == "one")
"""Facets of which each call has one; empty text where the vendor gives none."""
LENGTHS = tuple(field.column for field in CALL_FIELDS if field.compared)
OURS = ("state", "our_tags", "our_words", "held")
"""What people decided and wrote themselves."""
WORDED = ("words", "our_words", "fields")
"""Columns of words; the last is empty where a call's line was written without it."""
INDEXED = ("place", "slot", *FACETS, *LENGTHS, "words", "digits", "fields", *OURS, *MARK_COLUMNS)
FacetValues = tuple[str, list[str]]
"""A facet, and those of its values that are meant."""
Row = Mapping[str, Any]
"""Columns of the table ``call`` by name, `INDEXED` among them."""


@lru_cache(maxsize=4096)
def token(kind: str, value: str) -> str:
    """A facet as one word of the index; the sign in front keeps it apart from people's words."""
    return f"={kind}={value.encode().hex()}"


def bucket(seconds: float) -> int:
    """Lengths grow by two fifths from one bucket to the next; 0 is below a second."""
    return 0 if seconds < 1 else 1 + int(2 * log2(seconds))


def values_of(column: str, value: Any) -> list[str]:
    """The facet values in a column of a call's line."""
    if column == "has_recording":
        return ["1" if value else "0"]
    if column in LISTS:
        return list(dict.fromkeys(filter(None, map(str.strip, (value or "").split(",")))))
    if column in SINGLE:
        return [value or ""]
    return [value] if value else []


def facets(line: Row) -> list[tuple[str, str]]:
    """Column and value of all facets of a call."""
    found = [(column, value) for column in FACETS for value in values_of(column, line[column])]
    tags = [("tags", value) for value in values_of("tags", line["our_tags"])]
    lengths = [(name, str(bucket(line[name]))) for name in LENGTHS if line[name] is not None]
    held = [("held", "1")] if line["held"] else []
    return list(dict.fromkeys([*found, *tags, *lengths, ("state", line["state"]), *held]))


_words = cached(8192)(words)  # the same values come again and again


@cached(8192)  # the same names come again and again
def _spaced(text: str) -> str:
    return f" {' '.join(words(text))} "


def finds(text: str | None, needle: str) -> bool:
    """SQL function: whether these words stand in a text, one after the other; see `needle_of`."""
    return text is not None and needle in _spaced(text)


def lists(text: str | None, needle: str) -> bool:
    """SQL function: the same of one of several comma-separated values."""
    return text is not None and any(finds(part, needle) for part in text.split(","))


def needle_of(text: str, *, whole: bool = False) -> str:
    """The words of a query as `finds` looks for them: the last one may go on unless `whole`."""
    return f" {' '.join(words(text))}{' ' if whole else ''}"


def prefixed(field: str, text: str) -> list[str]:
    """The words of a field's value as the index has them: none is a word that people write."""
    name = plain(field)
    return [f"={name}={word}" for word in _words(text)]


def is_name(text: str | None, name: str) -> bool:
    """SQL function: whether a text is just this name; `name` is of `same_name`."""
    return text is not None and same_name(text) == name


def has_name(text: str | None, name: str) -> bool:
    """SQL function: the same of one of several comma-separated values."""
    return text is not None and any(is_name(part, name) for part in text.split(","))


def dials(text: str | None, fragment: str) -> bool:
    """SQL function: whether one of some numbers, each in a line of its own, has these digits."""
    return text is not None and any(fragment in dialled(one) for one in text.split("\n"))


def spells(text: str | None, needle: str) -> bool:
    """SQL function: whether one of some numbers that are words has these; see `needle_of`."""
    return text is not None and any(finds(lettered(one), needle) for one in text.split("\n"))


def same(column: str, value: str) -> str:
    """A value as it is compared: accounts are the same whatever their case."""
    return value.lower() if column == "account" else value


def _room(started_at: int | None) -> tuple[int, int]:
    """The first place of a moment, and how many it has."""
    return (NO_TIME, 1 << 61) if started_at is None else (started_at * TIES, TIES)


class Entry(NamedTuple):
    """All that the index holds of one call."""

    place: int
    words: list[str]
    facets: list[tuple[str, str]]
    numbers: list[str]
    slot: int
    bitmap_tokens: list[str]
    """Of its bits."""

    @property
    def terms(self) -> list[str]:
        """Of the full-text table, each at its position."""
        return [*self.words, *(token(*facet) for facet in self.facets)]


def joined_words(texts: Iterable[str]) -> str:
    """Words as a line holds them, with a sign between the texts that no phrase goes over."""
    found = [word for text in texts for word in (SEPARATOR, *words(text)) if words(text)]
    return f" {' '.join(found)} " if found else ""


def entry(line: Row) -> Entry:
    all_facets = facets(line)
    return Entry(
        line["place"],
        [word for column in WORDED for word in (line[column] or "").split()],
        all_facets,
        list(dict.fromkeys(line["digits"].split())),
        line["slot"],
        bitmap_tokens(line, all_facets),
    )


def bitmap_tokens(line: Row, all_facets: Iterable[tuple[str, str]]) -> list[str]:
    """What a call has, as `tui.archive.sqlite.search.bitmap` keeps it; `all_facets` are its own."""
    named = ["=".join(facet) for facet in all_facets if facet[0] not in LENGTHS]
    lengths = [token for name in LENGTHS for token in length_tokens(name, line[name])]
    return [EVERY_CALL, *named, *lengths, *mark_tokens(line)]


class Changes:
    """What a transaction does to the index; `flush` writes it.

    The full-text tables get all of it at once and in the order of their rows: FTS5 writes a
    segment of its own, and soon merges many, whenever a row comes out of order or another
    statement comes between.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._texts: list[tuple[int, str | None, str | None]] = []
        """Places, and the texts to delete and to insert there, in that order."""
        self._new_numbers: list[tuple[int, str]] = []
        self._added: list[tuple[str, int]] = []
        """Numbers of calls at places, which are not written yet."""
        self._words: Counter[str] = Counter()
        self._known: Counter[tuple[str, str]] = Counter()
        self._numbers: Counter[int] = Counter()
        self._bits = BitmapChanges(db)

    def add(self, one: Entry) -> None:
        self._bits.put(one.slot, one.bitmap_tokens, on=True)
        self._texts.append((one.place, None, " ".join(one.terms)))
        self._add_numbers(one.place, one.numbers)
        self._count(one, 1)

    def drop(self, one: Entry) -> None:
        """Take out what `add` put in: the same entry, word for word."""
        self._bits.put(one.slot, (*one.bitmap_tokens, *MARK_TOKENS), on=False)
        self._texts.append((one.place, " ".join(one.terms), None))
        self._drop_numbers(one.place, one.numbers)
        self._count(one, -1)

    def replace(self, before: Entry, after: Entry) -> None:
        """Write what two entries of a call differ in, and no more: most decisions change a word
        or two of hundreds.
        """
        if before.place != after.place or before.slot != after.slot:
            self.drop(before)
            self.add(after)
            return
        self._bits.put(after.slot, set(before.bitmap_tokens) - set(after.bitmap_tokens), on=False)
        self._bits.put(after.slot, set(after.bitmap_tokens) - set(before.bitmap_tokens), on=True)
        self._texts.append((after.place, *texts_to_rewrite(before.terms, after.terms)))
        self._drop_numbers(after.place, set(before.numbers) - set(after.numbers))
        self._add_numbers(after.place, set(after.numbers) - set(before.numbers))
        self._count(before, -1)
        self._count(after, 1)

    def _add_numbers(self, place: int, numbers: Iterable[str]) -> None:
        self._added += [(digits, place) for digits in numbers]

    def _drop_numbers(self, place: int, numbers: Collection[str]) -> None:
        if numbers:
            self._write_numbers()  # what was added before may be what is dropped
        ids = self._ids_of(numbers)
        for n in (ids[digits] for digits in numbers):
            self._db.execute("DELETE FROM call_number WHERE n = ? AND place = ?", (n, place))
            self._numbers[n] -= 1

    def _write_numbers(self) -> None:
        ids = self._ids_of({digits for digits, _ in self._added})
        rows = [(ids[digits], place) for digits, place in self._added]
        self._db.executemany("INSERT INTO call_number VALUES (?, ?)", rows)
        self._numbers.update(n for n, _ in rows)
        self._added.clear()

    def _count(self, one: Entry, by: int) -> None:
        for word in set(one.words):
            self._words[word] += by
        for facet in one.facets:
            self._known[facet] += by

    def _ids_of(self, numbers: Collection[str]) -> dict[str, int]:
        """The rows of numbers; those that are not known yet are written."""
        wanted, found = [*dict.fromkeys(numbers)], dict[str, int]()
        for at in range(0, len(wanted), NUMBERS_AT_ONCE):
            some = wanted[at : at + NUMBERS_AT_ONCE]
            marks = ",".join("?" * len(some))
            sql = f"SELECT digits, n FROM number WHERE digits IN ({marks})"
            found |= dict(self._db.execute(sql, some).fetchall())
        new = [digits for digits in wanted if digits not in found]
        if new:
            first = self._db.execute("SELECT IFNULL(max(n), 0) + 1 FROM number").fetchone()[0]
            rows = [*enumerate(new, first)]
            self._db.executemany("INSERT INTO number VALUES (?, ?, 0)", rows)
            self._new_numbers += rows
            found |= {digits: n for n, digits in rows}
        return found

    def flush(self) -> None:
        """A word, name or number that no call has any more goes."""
        self._bits.flush()
        self._flush_texts()
        self._flush_names()
        self._flush_numbers()
        for written in (self._words, self._known, self._numbers, self._texts, self._new_numbers):
            written.clear()

    def _flush_texts(self) -> None:
        delete = "INSERT INTO search (search, rowid, text) VALUES ('delete', ?, ?)"
        texts = sorted(self._texts, key=itemgetter(0))
        if all(deleted is None for _, deleted, _ in texts):
            self._db.executemany(
                "INSERT INTO search (rowid, text) VALUES (?, ?)",
                [(place, inserted) for place, _, inserted in texts],
            )
            return
        for place, deleted, inserted in texts:
            if deleted is not None:
                self._db.execute(delete, (place, deleted))
            if inserted is not None:
                self._db.execute(
                    "INSERT INTO search (rowid, text) VALUES (?, ?)", (place, inserted)
                )

    def _flush_names(self) -> None:
        run = self._db.executemany
        run(
            "INSERT INTO word VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET calls = calls + excluded.calls",
            [(word, by) for word, by in self._words.items() if by],
        )
        run(
            "INSERT INTO known VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET calls = calls + excluded.calls",
            [(*facet, by) for facet, by in self._known.items() if by],
        )
        run(
            "DELETE FROM word WHERE term = ? AND calls <= 0",
            [(word,) for word, by in self._words.items() if by < 0],
        )
        run(
            "DELETE FROM known WHERE kind = ? AND value = ? AND calls <= 0",
            [facet for facet, by in self._known.items() if by < 0],
        )

    def _flush_numbers(self) -> None:
        self._write_numbers()
        self._db.executemany(
            "UPDATE number SET calls = calls + ? WHERE n = ?",
            [(by, n) for n, by in self._numbers.items() if by],
        )
        self._db.executemany(
            "INSERT INTO fragment (rowid, digits) VALUES (?, ?)", self._new_numbers
        )
        fewer = [n for n, by in sorted(self._numbers.items()) if by <= 0]
        sql = "SELECT n, digits FROM number WHERE n = ? AND calls <= 0"
        unused = [row for n in fewer for row in self._db.execute(sql, (n,))]
        self._db.executemany(
            "INSERT INTO fragment (fragment, rowid, digits) VALUES ('delete', ?, ?)", unused
        )
        self._db.executemany("DELETE FROM number WHERE n = ?", [(n,) for n, _ in unused])


class SearchIndex:
    """The index of one archive, on its connection. Everything that writes runs inside the
    caller's transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.bitmaps = Bitmaps(db)

    def changes(self) -> Changes:
        return Changes(self._db)

    def unindexed(self) -> int:
        """Calls up to this key are not in the index yet; 0: all are."""
        row = self._db.execute("SELECT upto FROM unindexed").fetchone()
        with reading("how far the search index is"):
            return int(row[0])

    def unfilled(self) -> bool:
        """Whether there are calls whose lines were written without ``fields``."""
        sql = "SELECT 1 FROM call WHERE fields IS NULL LIMIT 1"
        return self._db.execute(sql).fetchone() is not None

    def is_incomplete(self) -> bool:
        """Whether something of some calls is not in the index yet."""
        return bool(self.unindexed()) or self.unfilled()

    def set_unindexed(self, upto: int) -> None:
        self._db.execute("UPDATE unindexed SET upto = ?", (upto,))

    def free_positions(self, moments: Sequence[int | None]) -> list[dict[str, int]]:
        """The columns that say where in time calls of these moments (Unix milliseconds) stand:
        each after the others of its moment, in the order given.
        """
        highest, slots = self._highest_places(moments), dict[int, int]()
        found = []
        for started_at in moments:
            first, room = _room(started_at)
            while (place := 1 + self._highest(highest, first, room)) >= first + room:
                first += room
            highest[first] = place
            partition = partition_of(place)
            free = slots.get(partition)
            slots[partition] = slot = self.bitmaps.free_slot(place) if free is None else free + 1
            found.append({"place": place, "slot": slot})
        return found

    def _highest_places(self, moments: Iterable[int | None]) -> dict[int, int]:
        """The highest place of each moment that has a call, or the one before its first."""
        firsts = {one * TIES for one in moments if one is not None}
        rows = self._db.execute(
            "SELECT value, IFNULL((SELECT max(place) FROM call WHERE place >= value"
            f" AND place < value + {TIES}), value - 1) FROM json_each(?)",
            (json.dumps([*firsts]),),
        )
        return dict(rows.fetchall())

    def _highest(self, known: dict[int, int], first: int, room: int) -> int:
        if first not in known:
            sql = "SELECT IFNULL(max(place), ? - 1) FROM call WHERE place >= ? AND place < ?"
            row = self._db.execute(sql, (first, first, first + room)).fetchone()
            known[first] = row[0]
        return known[first]

    def row(self, key: int) -> dict[str, Any]:
        """What is indexed of a call's line. Raises `CallNotFound`."""
        if not (found := self.rows([key])):
            raise CallNotFound(key)
        return found[0]

    def rows(self, keys: Sequence[int]) -> list[dict[str, Any]]:
        """The same of some hundred calls, in the order of their keys."""
        marks = ",".join("?" * len(keys))
        rows = self._db.execute(
            f"SELECT {', '.join(INDEXED)} FROM call WHERE key IN ({marks}) ORDER BY key", keys
        )
        return [dict(zip(INDEXED, row, strict=True)) for row in rows.fetchall()]

    def entry(self, key: int) -> Entry | None:
        """What the index holds of a call; None: nothing yet."""
        return None if key <= self.unindexed() else entry(self.row(key))

    @contextmanager
    def updating(self, key: int, changes: Changes) -> Iterator[None]:
        """What is written into a call's line inside stands in the index afterwards."""
        before = self.entry(key)
        yield
        if before is not None and (after := entry(self.row(key))) != before:
            changes.replace(before, after)

    def remove(self, keys: Iterable[int]) -> None:
        """Take calls out of the index, their words and numbers too; before they are removed."""
        changes = self.changes()
        for key in keys:
            if one := self.entry(key):
                changes.drop(one)
        changes.flush()

    def calls_removed(self) -> None:
        """Calls were removed: a new one may get a key that the last of them had."""
        self._db.execute(
            "UPDATE unindexed SET upto = min(upto, (SELECT IFNULL(max(key), 0) FROM call))"
        )

    # -- what the archive knows

    def facet_values(self, kind: str) -> dict[str, int]:
        """The values of a facet, and how many calls have each."""
        return dict(self._db.execute("SELECT value, calls FROM known WHERE kind = ?", (kind,)))

    def resolve_facet(self, term: Term) -> FacetValues | None:
        """What a term names; None: it asks for no facet."""
        kind = "has_recording" if term.kind == "recording" else term.field or term.kind
        if term.kind not in ("field", "recording") and kind not in SINGLE:
            return None
        if kind in SINGLE:
            value = same(kind, term.value)
            if term.kind == "recording":
                value = "1" if term.value else "0"
            return kind, [one for one in self.facet_values(kind) if same(kind, one) == value]
        if kind not in FACETS:
            return None
        if term.exact:
            name = same_name(term.value)
            return kind, [value for value in self.facet_values(kind) if same_name(value) == name]
        function, needle = lists if kind in LISTS else finds, needle_of(term.value)
        return kind, [value for value in self.facet_values(kind) if function(value, needle)]

    def has_field(self, word: str) -> bool:
        """Whether some call has a field of that name of its vendor's own."""
        return bool(self.words_with_prefix(f"={plain(word)}=", 1))

    def words_with_prefix(self, start: str, limit: int) -> list[tuple[str, int]]:
        """Words that begin so, and how many calls have each; at most `limit`."""
        return self._db.execute(
            "SELECT term, calls FROM word WHERE term >= ? AND term < ? LIMIT ?",
            (start, start + "\U0010ffff", limit),
        ).fetchall()

    def numbers(self, digits: str) -> Sequence[tuple[int, int]]:
        """The numbers with this fragment, and how many calls have each."""
        if len(digits) < 3:
            return self._db.execute(
                "SELECT n, calls FROM number WHERE digits LIKE ?", (f"%{digits}%",)
            ).fetchall()
        return self._db.execute(
            "SELECT n, calls FROM fragment CROSS JOIN number ON n = fragment.rowid"
            " WHERE fragment MATCH ?",
            (f'"{digits}"',),
        ).fetchall()
