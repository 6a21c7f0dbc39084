"""Which calls have what, as bits: a query of names, lengths and marks is answered by *and* and
*or* over whole partitions of time, and no call is read but those that are shown.

A call has a *slot*: its partition of time (some six days), and a number within that, in the
order of coming. For each partition and each token (a name, a mark, one binary digit of a length)
that a call in it has, the table ``bits`` keeps a row with a bit for every slot; in chunks of some
thousand slots, so that a new call writes little.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

PARTITION_BITS = 44
"""A place without so many of its binary digits names the partition of time."""
SLOT_BITS = 26
"""Binary digits of a slot that number the calls of a partition."""
CHUNK_BITS = 15
"""Binary digits of a slot that number the calls of one row of bits."""
EVERY_CALL = ""
"""The token that every call has."""
MARK_TOKENS = ("missed", "closed", "callback", "sla-missed")
"""Tokens that change as other calls come; see `Bitmaps.write_marks`."""
DIGITS = 17
"""Binary digits of a length in seconds; a day has fewer."""
LONGEST = (1 << DIGITS) - 1
CHUNK_NUMBER_BITS = 32
"""Binary digits that number the chunks of a token in the table ``bits``."""
CHUNK_ZERO = 1 << (CHUNK_NUMBER_BITS - 2)
"""Of chunks of no time at all, whose numbers are the lowest."""
SLOTS_AT_ONCE = 500
"""Slots that one statement names."""
DENSE = 8
"""One call of so many is soon met in the order of time."""

Span = tuple[int, int]
"""First and last place of some time."""
Bounds = tuple[int, int]
"""The slots that surely have something, and those that may have it; the former are of the latter.
Only the calls themselves tell about the rest."""


def places_of(chunk: int) -> tuple[int, int]:
    """First and last place of the partition of time of a chunk."""
    partition = _partition_of_chunk(chunk)
    return partition << PARTITION_BITS, ((partition + 1) << PARTITION_BITS) - 1


def less(some: int, others: int) -> int:
    """The bits of one that the other has not; ``some & ~others`` takes thirty times as long."""
    return some ^ (some & others)


def partition_of(place: int) -> int:
    return place >> PARTITION_BITS


@lru_cache(maxsize=8192)  # the same lengths come again and again
def length_tokens(name: str, seconds: float | None) -> Sequence[str]:
    """The tokens of a length: one for each of its binary digits, and what those do not say."""
    if seconds is None:
        return ()
    if not 0 <= seconds < LONGEST:
        return (f"{name}#", f"{name}#odd")
    whole = int(seconds)
    found = [f"{name}#{digit}" for digit in range(DIGITS) if whole >> digit & 1]
    return [f"{name}#", *found, *([f"{name}#more"] if seconds > whole else [])]


def all_length_tokens(name: str) -> list[str]:
    """Every token that some length has."""
    return [f"{name}#", f"{name}#odd", f"{name}#more", *(f"{name}#{n}" for n in range(DIGITS))]


def compared(have: Mapping[str, int], name: str, sign: str, seconds: float) -> Bounds:
    """The slots whose length compares so, by going through its binary digits from the highest."""
    known, odd = have.get(f"{name}#", 0), have.get(f"{name}#odd", 0)
    if seconds >= LONGEST or seconds != int(seconds):
        return 0, known
    greater, equal, whole = 0, less(known, odd), int(seconds)
    for digit in reversed(range(DIGITS)):
        ones = have.get(f"{name}#{digit}", 0)
        if whole >> digit & 1:
            equal &= ones
        else:
            greater |= equal & ones
            equal = less(equal, ones)
    more = have.get(f"{name}#more", 0)
    greater |= equal & more
    equal = less(equal, more)
    lesser = less(known, odd | greater | equal)
    sure = {"<": lesser, ">": greater, "=": equal}[sign[0]] | (equal if len(sign) > 1 else 0)
    return sure, sure | odd


class BitmapBatch(NamedTuple):
    """Several chunks side by side, so that one operation is done on all of them at once."""

    every: int
    """The slots that have a call."""
    have: Mapping[str, int]
    """The bits of the tokens that were asked for."""


class Test(NamedTuple):
    """What a query, or a term of it, asks of bits."""

    tokens: frozenset[str]
    bounds: Callable[[BitmapBatch], Bounds]


class Matches(NamedTuple):
    """The slots of a partition of time that a query finds: bits by the number of the chunk."""

    chunks: dict[int, int]

    @property
    def calls(self) -> int:
        return sum(bits.bit_count() for bits in self.chunks.values())

    @property
    def room(self) -> int:
        """Among how many calls these are, about."""
        return sum(bits.bit_length() for bits in self.chunks.values())

    def slots(self) -> Iterator[int]:
        for number, bits in self.chunks.items():
            yield from slots_of(number, bits)


def slots_of(number: int, bits: int) -> Iterator[int]:
    """The slots of a chunk whose bits are set."""
    first, pieces = number << CHUNK_BITS, (bits.bit_length() + 63) // 64
    for piece in struct.unpack(f"<{pieces}Q", bits.to_bytes(pieces * 8, "little")):
        while piece:
            lowest = piece & -piece
            yield first + lowest.bit_length() - 1
            piece ^= lowest
        first += 64


def bits_of(slots: Iterable[int]) -> int:
    """The bits of slots of one chunk."""
    data, low = bytearray(1 << (CHUNK_BITS - 3)), (1 << CHUNK_BITS) - 1
    for slot in slots:
        data[(slot & low) >> 3] |= 1 << (slot & 7)
    return int.from_bytes(data, "little")


class BitmapChanges:
    """What a transaction does to the bits; `flush` writes it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._changes: defaultdict[int, defaultdict[str, dict[int, bool]]] = defaultdict(
            lambda: defaultdict(dict)
        )

    def put(self, slot: int, tokens: Iterable[str], on: bool) -> None:
        """Whether the call at a slot has these tokens."""
        changes, bit = self._changes[slot >> CHUNK_BITS], slot & ((1 << CHUNK_BITS) - 1)
        for token in tokens:
            changes[token][bit] = on

    def flush(self) -> None:
        for chunk, changes in self._changes.items():
            for token, changed in changes.items():
                self._write(token, chunk, changed)
        self._changes.clear()

    def _write(self, token: str, chunk: int, changed: Mapping[int, bool]) -> None:
        row = self._db.execute(
            f"SELECT n, bits FROM token LEFT JOIN bits ON place = (n << {CHUNK_NUMBER_BITS}) + ?"
            " WHERE token = ?",
            (chunk + CHUNK_ZERO, token),
        ).fetchone()
        n, before = row or (self._number(token), None)
        at, before = row_of(n, chunk), before or b""
        data = bytearray(before)
        data.extend(bytes(max(0, max(changed) // 8 + 1 - len(data))))
        for bit, on in changed.items():
            if on:
                data[bit >> 3] |= 1 << (bit & 7)
            else:
                data[bit >> 3] &= ~(1 << (bit & 7))
        after = bytes(data).rstrip(b"\0")
        if after == before:
            return
        if after:
            self._db.execute("INSERT OR REPLACE INTO bits VALUES (?, ?)", (at, after))
            return
        self._db.execute("DELETE FROM bits WHERE place = ?", (at,))
        self._forget_unused(token)

    def _number(self, token: str) -> int:
        row = self._db.execute("SELECT n FROM token WHERE token = ?", (token,)).fetchone()
        if row:
            return int(row[0])
        n = self._db.execute("INSERT INTO token VALUES (NULL, ?)", (token,)).lastrowid
        assert n is not None
        return n

    def _forget_unused(self, token: str) -> None:
        """A name that no call has any more is not kept."""
        n = self._number(token)
        used = "SELECT 1 FROM bits WHERE place BETWEEN ? AND ?"
        ends = row_of(n, -CHUNK_ZERO), row_of(n, CHUNK_ZERO - 1)
        if n and not self._db.execute(used, ends).fetchone():
            self._db.execute("DELETE FROM token WHERE n = ?", (n,))


def row_of(n: int, chunk: int) -> int:
    """Where the table ``bits`` has a chunk of the n-th token: all of one token lie together."""
    return (n << CHUNK_NUMBER_BITS) + chunk + CHUNK_ZERO


class Bitmaps:
    """The bits of one archive, on its connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def free_slot(self, place: int) -> int:
        """A slot for a call at this place, behind the others of its partition."""
        first = partition_of(place) << SLOT_BITS
        row = self._db.execute(
            "SELECT max(slot) FROM call WHERE slot >= ? AND slot < ?",
            (first, first + (1 << SLOT_BITS)),
        ).fetchone()
        return first if row[0] is None else int(row[0]) + 1

    def write_marks(self) -> None:
        """Write the marks of calls that others closed or opened; ends every transaction."""
        rows = self._db.execute(
            # CROSS: the few are looked up among the calls, never the other way round
            f"SELECT slot, {', '.join(MARK_COLUMNS)} FROM unsettled CROSS JOIN call USING (key)"
            " WHERE slot IS NOT NULL AND key > (SELECT upto FROM unindexed)"
        ).fetchall()
        changes = BitmapChanges(self._db)
        for slot, *values in rows:
            marks = mark_tokens(dict(zip(MARK_COLUMNS, values, strict=True)))
            changes.put(slot, MARK_TOKENS, on=False)
            changes.put(slot, marks, on=True)
        changes.flush()
        # WHERE: without, SQLite writes the table's page even where it has no rows
        self._db.execute("DELETE FROM unsettled WHERE key IS NOT NULL")

    # -- reading

    def matches(
        self,
        tests: Sequence[Test],
        span: Span,
        descending: bool,
        recheck: Recheck,
    ) -> Iterator[Matches]:
        """What all tests find in each partition that has places of a span, in the order of time.
        Of the first and last one also what lies outside of it.
        """
        chunks = self._chunks(span, descending)
        partitions = [list(numbers) for _, numbers in groupby(chunks, _partition_of_chunk)]
        tests = sorted(tests, key=lambda test: len(test.tokens))
        at, size = 0, 4
        while at < len(partitions):  # most who ask need the first ones only
            together = partitions[at : at + size]
            found = self._find(tests, [*chain.from_iterable(together)], recheck)
            for numbers in together:
                if here := {number: found[number] for number in numbers if number in found}:
                    yield Matches(here)
            at, size = at + size, size * 8

    def _find(
        self, tests: Sequence[Test], numbers: Sequence[int], recheck: Recheck
    ) -> dict[int, int]:
        """The slots that all tests find in some chunks, those without any left out."""
        rows = self._read(0, numbers)
        width = max(map(len, rows.values()), default=0)
        every = _concatenate(rows, numbers, width)
        least = most = every
        have: dict[str, int] = {}
        for test in tests:
            for token, n in self._numbers_of(sorted(test.tokens - have.keys())):
                have[token] = _concatenate(self._read(n, numbers), numbers, width)
            sure, may = test.bounds(BitmapBatch(every, have))
            least, most = least & sure, most & may
            if not most:
                return {}
        unsure = _split(less(most, least), numbers, width) if most != least else {}
        found = _split(least, numbers, width)
        for number, bits in unsure.items():
            found[number] = found.get(number, 0) | recheck(number, bits)
        return {number: bits for number, bits in found.items() if bits}

    def _read(self, n: int, numbers: Sequence[int]) -> dict[int, bytes]:
        """The bits of the n-th token in chunks that follow each other."""
        first = row_of(n, 0)
        rows = self._db.execute(
            "SELECT place, bits FROM bits WHERE place BETWEEN ? AND ?",
            (first + min(numbers), first + max(numbers)),
        )
        return {place - first: bits for place, bits in rows.fetchall()}

    def _numbers_of(self, tokens: Sequence[str]) -> list[tuple[str, int]]:
        if not tokens:
            return []
        marks = ",".join("?" * len(tokens))
        return self._db.execute(
            f"SELECT token, n FROM token WHERE token IN ({marks})", tokens
        ).fetchall()

    def _chunks(self, span: Span, descending: bool) -> list[int]:
        first = partition_of(span[0]) << (SLOT_BITS - CHUNK_BITS)
        last = ((partition_of(span[1]) + 1) << (SLOT_BITS - CHUNK_BITS)) - 1
        rows = self._db.execute(
            "SELECT place FROM bits WHERE place BETWEEN ? AND ?"
            f" ORDER BY place {'DESC' if descending else 'ASC'}",
            (row_of(0, max(first, -CHUNK_ZERO)), row_of(0, min(last, CHUNK_ZERO - 1))),
        )
        return [place - CHUNK_ZERO for (place,) in rows]

    def keys(
        self, matches: Iterable[Matches], span: Span, descending: bool, limit: int
    ) -> list[int]:
        """The keys of the first calls of a span, of partitions of time that come in that order."""
        turn = "DESC" if descending else "ASC"
        found: list[int] = []
        slots: list[int] = []
        for one in matches:
            calls, left = one.calls, limit - len(found)
            few = calls <= SLOTS_AT_ONCE and calls * calls <= left * one.room
            if few:
                slots += one.slots()
            if slots and (not few or len(slots) >= left):
                found += self._look_up(slots, span, turn, left)
                slots = []
            if not few and len(found) < limit:
                found += self._in_time_order(one, span, turn, limit - len(found))
            if len(found) >= limit:
                return found
        return found + self._look_up(slots, span, turn, limit - len(found))

    def _look_up(self, slots: Iterable[int], span: Span, turn: str, limit: int) -> list[int]:
        rows = self._db.execute(
            f"SELECT key FROM call INDEXED BY call_by_slot WHERE {_one_of(slots)}"
            f" ORDER BY place {turn} LIMIT {limit}",
            span,
        )
        return [key for (key,) in rows]

    def count(self, matches: Matches, span: Span, most: int) -> int:
        """How many calls of a partition are in a span; perhaps `most` where there are more."""
        first, last = places_of(next(iter(matches.chunks)))
        if span[0] <= first and last <= span[1]:
            return matches.calls
        if matches.calls * DENSE > matches.room:
            return len(self._in_time_order(matches, span, "DESC", most))
        slots, counted = matches.slots(), 0
        while counted < most and (some := list(islice(slots, SLOTS_AT_ONCE))):
            sql = f"SELECT count(*) FROM call INDEXED BY call_by_slot WHERE {_one_of(some)}"
            counted += self._db.execute(sql, span).fetchone()[0]
        return counted

    def _in_time_order(self, matches: Matches, span: Span, turn: str, limit: int) -> list[int]:
        """Where many calls are found, the first of them are soon met in the order of time."""
        first, last = places_of(next(iter(matches.chunks)))
        bounds = max(first, span[0]), min(last, span[1])
        data = {
            number: bits.to_bytes(1 << (CHUNK_BITS - 3), "little")
            for number, bits in matches.chunks.items()
        }
        empty, low = bytes(1 << (CHUNK_BITS - 3)), (1 << CHUNK_BITS) - 1
        found: list[int] = []
        for key, slot in self._db.execute(
            "SELECT key, slot FROM call INDEXED BY call_by_place WHERE place BETWEEN ? AND ?"
            f" ORDER BY place {turn}",
            bounds,
        ):
            bit = slot & low
            if data.get(slot >> CHUNK_BITS, empty)[bit >> 3] >> (bit & 7) & 1:
                found.append(key)
                if len(found) == limit:
                    break
        return found


def _one_of(slots: Iterable[int]) -> str:
    """A condition: one of these slots, in a span, which is its value."""
    return f"slot IN ({','.join(map(str, slots))}) AND place BETWEEN ? AND ?"


def _concatenate(rows: Mapping[int, bytes], numbers: Iterable[int], width: int) -> int:
    pieces = (rows.get(number, b"").ljust(width, b"\0") for number in numbers)
    return int.from_bytes(b"".join(pieces), "little")


def _split(bits: int, numbers: Sequence[int], width: int) -> dict[int, int]:
    """What `_concatenate` put side by side; without the chunks that have no bit."""
    data = bits.to_bytes(width * len(numbers), "little")
    pieces = (data[at : at + width] for at in range(0, len(data), width or 1))
    whole = ((n, int.from_bytes(piece, "little")) for n, piece in zip(numbers, pieces, strict=True))
    return {number: bits for number, bits in whole if bits}


Recheck = Callable[[int, int], int]
"""The number of a chunk, and bits -> those whose calls are meant, by reading the calls."""


def _partition_of_chunk(chunk: int) -> int:
    return chunk >> (SLOT_BITS - CHUNK_BITS)


MARK_COLUMNS = ("missed", "closed_by", "callback_requested", "sla_met")


def mark_tokens(line: Mapping[str, Any]) -> list[str]:
    """The tokens of `MARK_TOKENS` that a call's line has."""
    has = (
        line["missed"],
        line["closed_by"] is not None,
        line["callback_requested"],
        line["sla_met"] is not None and not line["sla_met"],
    )
    return [mark for mark, it_has in zip(MARK_TOKENS, has, strict=True) if it_has]
