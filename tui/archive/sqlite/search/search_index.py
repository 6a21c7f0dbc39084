"""The search index: what is written beside each call so that any query finds it in a blink.

A call's `place` is its moment in milliseconds, shifted to leave room for calls of the same
millisecond: one number that no other call has and that orders by time. The full-text table has
the call's words and a token for each of its facets under that number, so every search reads
from the newest on and stops after a page. All of it can be made again from the calls.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import log2
from typing import Any, NamedTuple

from tui.archive.errors import CallNotFound, reading
from tui.archive.sqlite.search.bitmap import (
    EVERY,
    MARK_COLUMNS,
    MARKED,
    BitmapChanges,
    Bitmaps,
    length_tokens,
    marks_of,
)
from tui.query.editing import same_name
from tui.query.fields import plain
from tui.query.parser import Term, words
from tui.query.phone_numbers import dialled, lettered
from tui.query.text_cache import cached

TIES = 1 << 15
"""Places in one millisecond; where more calls have it, they take the next one's."""
NO_TIME = -(1 << 62)
"""The first place of calls without a time, before all others."""
LISTS = frozenset({"agents", "tags"})
"""Columns that hold several values, comma-separated."""
FACETS = (
    *("account", "provider", "direction", "outcome", "has_recording", "agents"),
    *("ring_group", "queue", "campaign", "disposition", "tags", "status"),
)
"""Columns whose values have a token each and are counted in the table ``known``."""
SINGLE = frozenset({"account", "provider", "direction", "outcome", "has_recording"})
"""Facets of which each call has one; empty text where the vendor gives none."""
LENGTHS = ("duration_s", "wait_s", "talk_s")
OURS = ("state", "our_tags", "our_words", "held")
"""What people decided and wrote themselves."""
WORDED = ("words", "our_words", "fields")
"""Columns of words; the last is empty where a call's line was written without it."""
INDEXED = ("place", "spot", *FACETS, *LENGTHS, "words", "digits", "fields", *OURS, *MARK_COLUMNS)
Named = tuple[str, list[str]]
"""A facet, and those of its values that are meant."""
Line = Mapping[str, Any]
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


def facets(line: Line) -> list[tuple[str, str]]:
    """Column and value of all facets of a call."""
    found = [(column, value) for column in FACETS for value in values_of(column, line[column])]
    tags = [("tags", value) for value in values_of("tags", line["our_tags"])]
    lengths = [(name, str(bucket(line[name]))) for name in LENGTHS if line[name] is not None]
    held = [("held", "1")] if line["held"] else []
    return list(dict.fromkeys([*found, *tags, *lengths, ("state", line["state"]), *held]))


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
    return [f"={name}={word}" for word in words(text)]


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


class Entry(NamedTuple):
    """All that the index holds of one call."""

    place: int
    words: list[str]
    facets: list[tuple[str, str]]
    numbers: list[str]
    spot: int
    tokens: list[str]
    """Of its bits."""

    @property
    def text(self) -> str:
        return " ".join([*self.words, *(token(*facet) for facet in self.facets)])


def apart(texts: Iterable[str]) -> str:
    """Words as a line holds them, with a sign between the texts that no phrase goes over."""
    found = [word for text in texts for word in ("=", *words(text)) if words(text)]
    return f" {' '.join(found)} " if found else ""


def entry(line: Line) -> Entry:
    told = facets(line)
    return Entry(
        line["place"],
        [word for column in WORDED for word in (line[column] or "").split()],
        told,
        list(dict.fromkeys(line["digits"].split())),
        line["spot"],
        bit_tokens(line, told),
    )


def bit_tokens(line: Line, told: Iterable[tuple[str, str]]) -> list[str]:
    """What a call has, as `tui.archive.sqlite.search.bitmap` keeps it; `told` has its facets."""
    named = ["=".join(facet) for facet in told if facet[0] not in LENGTHS]
    lengths = [token for name in LENGTHS for token in length_tokens(name, line[name])]
    return [EVERY, *named, *lengths, *marks_of(line)]


class Changes:
    """What a transaction does to the index; `flush` writes the counts that many calls share."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._words: Counter[str] = Counter()
        self._known: Counter[tuple[str, str]] = Counter()
        self._numbers: Counter[int] = Counter()
        self._bits = BitmapChanges(db)

    def add(self, one: Entry) -> None:
        self._add_text(one)
        self._add_numbers(one)

    def drop(self, one: Entry) -> None:
        """Take out what `add` put in: the same entry, word for word."""
        self._drop_text(one)
        self._drop_numbers(one)

    def replace(self, before: Entry, after: Entry) -> None:
        """The numbers stay where they are: people decide about a call, and seldom its vendor
        about whose it is.
        """
        self._drop_text(before)
        self._add_text(after)
        if (before.place, before.numbers) != (after.place, after.numbers):
            self._drop_numbers(before)
            self._add_numbers(after)

    def _add_text(self, one: Entry) -> None:
        self._bits.put(one.spot, one.tokens, on=True)
        self._db.execute("INSERT INTO search (rowid, text) VALUES (?, ?)", (one.place, one.text))
        self._count(one, 1)

    def _drop_text(self, one: Entry) -> None:
        self._bits.put(one.spot, (*one.tokens, *MARKED), on=False)
        self._db.execute(
            "INSERT INTO search (search, rowid, text) VALUES ('delete', ?, ?)",
            (one.place, one.text),
        )
        self._count(one, -1)

    def _add_numbers(self, one: Entry) -> None:
        for n in map(self._number, one.numbers):
            self._db.execute("INSERT INTO call_number VALUES (?, ?)", (n, one.place))
            self._numbers[n] += 1

    def _drop_numbers(self, one: Entry) -> None:
        for n in map(self._number, one.numbers):
            self._db.execute("DELETE FROM call_number WHERE n = ? AND place = ?", (n, one.place))
            self._numbers[n] -= 1

    def _count(self, one: Entry, by: int) -> None:
        for word in set(one.words):
            self._words[word] += by
        for facet in one.facets:
            self._known[facet] += by

    def _number(self, digits: str) -> int:
        row = self._db.execute("SELECT n FROM number WHERE digits = ?", (digits,)).fetchone()
        if row:
            return int(row[0])
        n = self._db.execute("INSERT INTO number VALUES (NULL, ?, 0)", (digits,)).lastrowid
        self._db.execute("INSERT INTO fragment (rowid, digits) VALUES (?, ?)", (n, digits))
        assert n is not None
        return n

    def flush(self) -> None:
        """Write what was counted; a word, name or number that no call has any more goes."""
        self._bits.flush()
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
            "UPDATE number SET calls = calls + ? WHERE n = ?",
            [(by, n) for n, by in self._numbers.items() if by],
        )
        run(
            "DELETE FROM word WHERE term = ? AND calls <= 0",
            [(word,) for word, by in self._words.items() if by < 0],
        )
        run(
            "DELETE FROM known WHERE kind = ? AND value = ? AND calls <= 0",
            [facet for facet, by in self._known.items() if by < 0],
        )
        for n in [n for n, by in self._numbers.items() if by < 0]:
            row = self._db.execute("SELECT digits, calls FROM number WHERE n = ?", (n,)).fetchone()
            if row and row[1] <= 0:
                self._db.execute(
                    "INSERT INTO fragment (fragment, rowid, digits) VALUES ('delete', ?, ?)",
                    (n, row[0]),
                )
                self._db.execute("DELETE FROM number WHERE n = ?", (n,))
        for counted in (self._words, self._known, self._numbers):
            counted.clear()


class SearchIndex:
    """The index of one archive, on its connection. Everything that writes runs inside the
    caller's transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.bits = Bitmaps(db)

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

    def lacking(self) -> bool:
        """Whether something of some calls is not in the index yet."""
        return bool(self.unindexed()) or self.unfilled()

    def finished(self, upto: int) -> None:
        self._db.execute("UPDATE unindexed SET upto = ?", (upto,))

    def free_place(self, started_at: int | None) -> int:
        """A place for a call of this moment (Unix milliseconds) after the others of that moment."""
        first = NO_TIME if started_at is None else started_at * TIES
        room = TIES if started_at is not None else 1 << 61
        while True:
            row = self._db.execute(
                "SELECT max(place) FROM call WHERE place >= ? AND place < ?", (first, first + room)
            ).fetchone()
            place = first if row[0] is None else int(row[0]) + 1
            if place < first + room:
                return place
            first += room

    def free(self, started_at: int | None) -> dict[str, int]:
        """The columns that say where in time a call of this moment stands."""
        place = self.free_place(started_at)
        return {"place": place, "spot": self.bits.free_spot(place)}

    def line(self, key: int) -> dict[str, Any]:
        """What is indexed of a call's line. Raises `CallNotFound`."""
        row = self._db.execute(
            f"SELECT {', '.join(INDEXED)} FROM call WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            raise CallNotFound(key)
        return dict(zip(INDEXED, row, strict=True))

    def entry(self, key: int) -> Entry | None:
        """What the index holds of a call; None: nothing yet."""
        return None if key <= self.unindexed() else entry(self.line(key))

    @contextmanager
    def changing(self, key: int, changes: Changes) -> Iterator[None]:
        """What is written into a call's line inside stands in the index afterwards."""
        before = self.entry(key)
        yield
        if before is not None and (after := entry(self.line(key))) != before:
            changes.replace(before, after)

    def forget(self, keys: Iterable[int]) -> None:
        """Take calls out of the index, their words and numbers too; before they are removed."""
        changes = self.changes()
        for key in keys:
            if one := self.entry(key):
                changes.drop(one)
        changes.flush()

    def removed(self) -> None:
        """Calls were removed: a new one may get a key that the last of them had."""
        self._db.execute(
            "UPDATE unindexed SET upto = min(upto, (SELECT IFNULL(max(key), 0) FROM call))"
        )

    # -- what the archive knows

    def known(self, kind: str) -> dict[str, int]:
        """The values of a facet, and how many calls have each."""
        return dict(self._db.execute("SELECT value, calls FROM known WHERE kind = ?", (kind,)))

    def named(self, term: Term) -> Named | None:
        """What a term names; None: it asks for no facet."""
        kind = "has_recording" if term.kind == "recording" else term.field or term.kind
        if term.kind not in ("field", "recording") and kind not in SINGLE:
            return None
        if kind in SINGLE:
            value = same(kind, term.value)
            if term.kind == "recording":
                value = "1" if term.value else "0"
            return kind, [one for one in self.known(kind) if same(kind, one) == value]
        if kind not in FACETS:
            return None
        if term.exact:
            name = same_name(term.value)
            return kind, [value for value in self.known(kind) if same_name(value) == name]
        function, needle = lists if kind in LISTS else finds, needle_of(term.value)
        return kind, [value for value in self.known(kind) if function(value, needle)]

    def has_field(self, word: str) -> bool:
        """Whether some call has a field of that name of its vendor's own."""
        return bool(self.beginning(f"={plain(word)}=", 1))

    def beginning(self, start: str, limit: int) -> list[tuple[str, int]]:
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
