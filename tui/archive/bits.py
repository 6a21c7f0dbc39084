"""Which calls have what, as bits: a query of names, lengths and marks is answered by *and* and
*or* over whole stretches of time, and no call is read but those that are shown.

A call has a *spot*: its stretch of time (some six days), and a number within that, in the
order of coming. For each stretch and each token (a name, a mark, one binary digit of a length)
that a call in it has, the table ``bits`` keeps a row with a bit for every spot; in parts of some
thousand spots, so that a new call writes little.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

STRETCH = 44
"""A place without so many of its binary digits names the stretch of time."""
ROOM = 26
"""Binary digits of a spot that number the calls of a stretch."""
PART = 15
"""Binary digits of a spot that number the calls of one row of bits."""
EVERY = ""
"""The token that every call has."""
MARKED = ("missed", "closed", "callback", "sla-missed")
"""Tokens that change as other calls come; see `Bits.settle`."""
DIGITS = 17
"""Binary digits of a length in seconds; a day has fewer."""
LONGEST = (1 << DIGITS) - 1
PARTS = 32
"""Binary digits that number the parts of a token in the table ``bits``."""
ZERO = 1 << (PARTS - 2)
"""Of parts of no time at all, whose numbers are the lowest."""
AT_ONCE = 500
"""Spots that one statement names."""

Bounds = tuple[int, int]
"""The spots that surely have something, and those that may have it; the former are of the latter.
Only the calls themselves tell about the rest."""


def places_of(part: int) -> tuple[int, int]:
    """First and last place of the stretch of time of a part."""
    stretch = _stretch(part)
    return stretch << STRETCH, ((stretch + 1) << STRETCH) - 1


def stretch_of(place: int) -> int:
    return place >> STRETCH


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
    """The spots whose length compares so, by going through its binary digits from the highest."""
    known, odd = have.get(f"{name}#", 0), have.get(f"{name}#odd", 0)
    if seconds >= LONGEST or seconds != int(seconds):
        return 0, known
    greater, equal, whole = 0, known & ~odd, int(seconds)
    for digit in reversed(range(DIGITS)):
        ones = have.get(f"{name}#{digit}", 0)
        if whole >> digit & 1:
            equal &= ones
        else:
            greater |= equal & ones
            equal &= ~ones
    more = have.get(f"{name}#more", 0)
    greater |= equal & more
    equal &= ~more
    less = known & ~odd & ~greater & ~equal
    sure = {"<": less, ">": greater, "=": equal}[sign[0]] | (equal if len(sign) > 1 else 0)
    return sure, sure | odd


class Batch(NamedTuple):
    """Several parts side by side, so that one operation is done on all of them at once."""

    numbers: Sequence[int]
    """Of the parts, in the order of their bits from the lowest on."""
    width: int
    """Bytes of each part."""
    every: int
    """The spots that have a call."""
    have: Mapping[str, int]
    """The bits of the tokens that were asked for."""

    def within(self, test: Callable[[int, int], bool]) -> int:
        """The spots of the parts whose first and last places pass a test."""
        pieces = (
            b"\xff" * self.width if test(*places_of(number)) else bytes(self.width)
            for number in self.numbers
        )
        return self.every & int.from_bytes(b"".join(pieces), "little")


class Test(NamedTuple):
    """What a query, or a term of it, asks of bits."""

    tokens: frozenset[str]
    bounds: Callable[[Batch], Bounds]


class Hits(NamedTuple):
    """The spots of a stretch of time that a query finds: bits by the number of the part."""

    stretch: int
    parts: dict[int, int]

    @property
    def calls(self) -> int:
        return sum(bits.bit_count() for bits in self.parts.values())

    @property
    def room(self) -> int:
        """Among how many calls these are, about."""
        return sum(bits.bit_length() for bits in self.parts.values())

    def spots(self) -> Iterator[int]:
        for number, bits in self.parts.items():
            yield from spots_of(number, bits)


def spots_of(number: int, bits: int) -> Iterator[int]:
    """The spots of a part whose bits are set."""
    first = number << PART
    for at, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            yield from (first + at * 8 + n for n in range(8) if byte >> n & 1)


def bits_of(spots: Iterable[int]) -> int:
    """The bits of spots of one part."""
    data, low = bytearray(1 << (PART - 3)), (1 << PART) - 1
    for spot in spots:
        data[(spot & low) >> 3] |= 1 << (spot & 7)
    return int.from_bytes(data, "little")


class BitChanges:
    """What a transaction does to the bits; `flush` writes it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._changes: defaultdict[int, defaultdict[str, dict[int, bool]]] = defaultdict(
            lambda: defaultdict(dict)
        )

    def put(self, spot: int, tokens: Iterable[str], on: bool) -> None:
        """Whether the call at a spot has these tokens."""
        changes, bit = self._changes[spot >> PART], spot & ((1 << PART) - 1)
        for token in tokens:
            changes[token][bit] = on

    def flush(self) -> None:
        for part, changes in self._changes.items():
            for token, changed in changes.items():
                self._write(token, part, changed)
        self._changes.clear()

    def _write(self, token: str, part: int, changed: Mapping[int, bool]) -> None:
        row = self._db.execute(
            f"SELECT n, bits FROM token LEFT JOIN bits ON place = (n << {PARTS}) + ?"
            " WHERE token = ?",
            (part + ZERO, token),
        ).fetchone()
        n, before = row or (self._number(token), None)
        at, before = row_of(n, part), before or b""
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
        if n and not self._db.execute(used, (row_of(n, -ZERO), row_of(n, ZERO - 1))).fetchone():
            self._db.execute("DELETE FROM token WHERE n = ?", (n,))


def row_of(n: int, part: int) -> int:
    """Where the table ``bits`` has a part of the n-th token: all of one token lie together."""
    return (n << PARTS) + part + ZERO


class Bits:
    """The bits of one archive, on its connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def free_spot(self, place: int) -> int:
        """A spot for a call at this place, behind the others of its stretch."""
        first = stretch_of(place) << ROOM
        row = self._db.execute(
            "SELECT max(spot) FROM call WHERE spot >= ? AND spot < ?", (first, first + (1 << ROOM))
        ).fetchone()
        return first if row[0] is None else int(row[0]) + 1

    def settle(self) -> None:
        """Write the marks of calls that others closed or opened; ends every transaction."""
        rows = self._db.execute(
            f"SELECT spot, {', '.join(MARK_COLUMNS)} FROM unsettled JOIN call USING (key)"
            " WHERE spot IS NOT NULL AND key > (SELECT upto FROM unindexed)"
        ).fetchall()
        changes = BitChanges(self._db)
        for spot, *values in rows:
            marks = marks_of(dict(zip(MARK_COLUMNS, values, strict=True)))
            changes.put(spot, MARKED, on=False)
            changes.put(spot, marks, on=True)
        changes.flush()
        self._db.execute("DELETE FROM unsettled")

    # -- reading

    def hits(
        self,
        tests: Sequence[Test],
        low: int | None,
        high: int | None,
        descending: bool,
        decide: Decide,
    ) -> Iterator[Hits]:
        """What all tests find in each stretch that has places from `low` to `high`, in the order
        of time. Of the first and last one also what lies outside of these.
        """
        stretches = [
            (stretch, list(numbers))
            for stretch, numbers in groupby(self._parts(low, high, descending), _stretch)
        ]
        tests = sorted(tests, key=lambda test: len(test.tokens))
        at, size = 0, 4
        while at < len(stretches):  # most who ask need the first ones only
            together = stretches[at : at + size]
            found = self._found(tests, [n for _, numbers in together for n in numbers], decide)
            for stretch, numbers in together:
                if parts := {number: found[number] for number in numbers if number in found}:
                    yield Hits(stretch, parts)
            at, size = at + size, size * 8

    def _found(
        self, tests: Sequence[Test], numbers: Sequence[int], decide: Decide
    ) -> dict[int, int]:
        """The spots that all tests find in some parts, those without any left out."""
        rows = self._read(0, numbers)
        width = max(map(len, rows.values()), default=0)
        every = _joined(rows, numbers, width)
        least = most = every
        have: dict[str, int] = {}
        for test in tests:
            for token, n in self._numbers_of(sorted(test.tokens - have.keys())):
                have[token] = _joined(self._read(n, numbers), numbers, width)
            sure, may = test.bounds(Batch(numbers, width, every, have))
            least, most = least & sure, most & may
            if not most:
                return {}
        unsure = _apart(most & ~least, numbers, width) if most != least else {}
        found = _apart(least, numbers, width)
        for number, bits in unsure.items():
            found[number] = found.get(number, 0) | decide(number, bits)
        return {number: bits for number, bits in found.items() if bits}

    def _read(self, n: int, numbers: Sequence[int]) -> dict[int, bytes]:
        """The bits of the n-th token in parts that follow each other."""
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

    def _parts(self, low: int | None, high: int | None, descending: bool) -> list[int]:
        first = -ZERO if low is None else stretch_of(low) << (ROOM - PART)
        last = ZERO - 1 if high is None else ((stretch_of(high) + 1) << (ROOM - PART)) - 1
        rows = self._db.execute(
            "SELECT place FROM bits WHERE place BETWEEN ? AND ?"
            f" ORDER BY place {'DESC' if descending else 'ASC'}",
            (row_of(0, max(first, -ZERO)), row_of(0, min(last, ZERO - 1))),
        )
        return [place - ZERO for (place,) in rows]

    def keys(
        self, hits: Iterable[Hits], low: int | None, high: int | None, descending: bool, limit: int
    ) -> list[int]:
        """The keys of the first calls with places from `low` to `high`, of stretches of time that
        come in that order.
        """
        bounds = (-(1 << 63) if low is None else low, (1 << 63) - 1 if high is None else high)
        turn = "DESC" if descending else "ASC"
        found: list[int] = []
        spots: list[int] = []
        for one in hits:
            calls, left = one.calls, limit - len(found)
            few = calls <= AT_ONCE and calls * calls <= left * one.room
            if few:
                spots += one.spots()
            if spots and (not few or len(spots) >= left):
                found += self._named(spots, bounds, turn, left)
                spots = []
            if not few and len(found) < limit:
                found += self._among(one, bounds, turn, limit - len(found))
            if len(found) >= limit:
                return found
        return found + self._named(spots, bounds, turn, limit - len(found))

    def _named(self, spots: Iterable[int], bounds: Bounds, turn: str, limit: int) -> list[int]:
        named = ",".join(map(str, spots))
        rows = self._db.execute(
            f"SELECT key FROM call INDEXED BY call_by_spot WHERE spot IN ({named})"
            f" AND place BETWEEN ? AND ? ORDER BY place {turn} LIMIT {limit}",
            bounds,
        )
        return [key for (key,) in rows]

    def count(self, hits: Hits, low: int | None, high: int | None) -> int:
        """How many calls of a stretch have places from `low` to `high`."""
        first, last = places_of(next(iter(hits.parts)))
        if (low is None or low <= first) and (high is None or last <= high):
            return hits.calls
        return len(self.keys([hits], low, high, descending=True, limit=1 << ROOM))

    def _among(self, hits: Hits, bounds: Bounds, turn: str, limit: int) -> list[int]:
        """Where many calls are found, the first of them are soon met in the order of time."""
        first, last = places_of(next(iter(hits.parts)))
        bounds = max(first, bounds[0]), min(last, bounds[1])
        data = {
            number: bits.to_bytes(1 << (PART - 3), "little") for number, bits in hits.parts.items()
        }
        empty, low = bytes(1 << (PART - 3)), (1 << PART) - 1
        found: list[int] = []
        for key, spot in self._db.execute(
            "SELECT key, spot FROM call INDEXED BY call_by_place WHERE place BETWEEN ? AND ?"
            f" ORDER BY place {turn}",
            bounds,
        ):
            bit = spot & low
            if data.get(spot >> PART, empty)[bit >> 3] >> (bit & 7) & 1:
                found.append(key)
                if len(found) == limit:
                    break
        return found


def _joined(rows: Mapping[int, bytes], numbers: Iterable[int], width: int) -> int:
    pieces = (rows.get(number, b"").ljust(width, b"\0") for number in numbers)
    return int.from_bytes(b"".join(pieces), "little")


def _apart(bits: int, numbers: Sequence[int], width: int) -> dict[int, int]:
    """What `_joined` put side by side; without the parts that have no bit."""
    data = bits.to_bytes(width * len(numbers), "little")
    pieces = (data[at : at + width] for at in range(0, len(data), width or 1))
    whole = ((n, int.from_bytes(piece, "little")) for n, piece in zip(numbers, pieces, strict=True))
    return {number: bits for number, bits in whole if bits}


Decide = Callable[[int, int], int]
"""The number of a part, and bits -> those whose calls are meant, by reading the calls."""


def _stretch(part: int) -> int:
    return part >> (ROOM - PART)


MARK_COLUMNS = ("missed", "closed_by", "callback_requested", "sla_met")


def marks_of(line: Mapping[str, Any]) -> list[str]:
    """The tokens of `MARKED` that a call's line has."""
    has = (
        line["missed"],
        line["closed_by"] is not None,
        line["callback_requested"],
        line["sla_met"] is not None and not line["sla_met"],
    )
    return [mark for mark, it_has in zip(MARKED, has, strict=True) if it_has]
