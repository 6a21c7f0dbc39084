"""Liner's envelope, and its lists: every row once, however the vendor says `next` and `total`.

Pages: https://docs.linerapp.io/devs/api/request-schema (envelope), /v2/call/list/ (paging).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from providers import limits
from providers.advance import Advance
from providers.counts import counted
from providers.errors import BadAnswer, NotFound, Rejected, another_came
from providers.fields import (
    Reader,
    bounded_rows,
    is_empty,
    made_id,
    rows,
    to_count,
    to_text,
    word,
)
from providers.http import Params, VendorClient
from providers.model import Json
from providers.sanitize import SAID, safe_text

LIMIT = 100
HANDFUL = 10
MAX_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk goes on, small enough to be kept."""

    offset: int = 0
    count: int = 0
    """Distinct rows before it, in this lap."""
    twice: bool = False
    """Whether a row came on two of the pages before it."""
    ids: tuple[str, ...] = ()
    """With which ids the page before ended: the rows that may slip onto the next one."""
    first_lap: int | None = None
    """In a second lap: how many distinct rows the first one had."""


START = Place()


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a walk."""

    rows: list[Json]
    """Those that did not come before in this walk."""
    place: Place | None
    """Where the walk goes on; None: the end."""
    count: int
    """Distinct rows so far. Fewer than `total` at the end: the others are missing."""
    total: int | None
    """How many the list has; None where the vendor does not say."""
    doubt: str = ""
    """At the end, without a total to count against: why some may be missing."""

    @property
    def missing(self) -> int:
        """How many rows the vendor counts and did not give, at the end of a walk."""
        return 0 if self.place or self.total is None else self.total - self.count

    def shortfall(self, noun: str) -> str:
        """``100 of 345 calls``; "" when nothing is known to be missing."""
        return shortfall(self.count, self.missing, self.doubt, noun)


def shortfall(count: int, missing: int, doubt: str, noun: str) -> str:
    """What a walk did not bring, in words for `Page.shortfall`."""
    if missing:
        return f"{count:,} of {counted(count + missing, noun)}"
    return f"{counted(count, noun)}, {doubt}" if doubt else ""


async def ask(client: VendorClient, path: str, params: Params = ()) -> Json:
    """The `data` of an answer. Raises `ProviderError` also for a 200 with ``success: false``."""
    body = await client.get(path, params)
    if not isinstance(body, dict):
        raise BadAnswer("Not a Liner answer", f"{client.host} sent JSON without `data`.")
    if Reader(body).boolean("success") is False:
        message = safe_text((to_text(body.get("message")) or "no reason given").strip(), SAID)
        kind = NotFound if "notfound" in word(message) else Rejected
        raise kind("Liner says no", f"{message.rstrip('.')}.")
    if "data" not in body:
        raise BadAnswer("Not a Liner answer", f"{client.host} sent JSON without `data`.")
    return body["data"]


async def ask_one(client: VendorClient, path: str) -> dict[str, Json]:
    """One thing by the id in its path. Raises `NotFound` also where the vendor answers an id that
    it does not know with 400, 422 or a 200 that says no.
    """
    try:
        data = await ask(client, path)
    except Rejected as error:
        raise NotFound("Not found", error.message) from None
    data = data[0] if isinstance(data, list) and len(data) == 1 else data
    if not isinstance(data, dict) or is_empty(data):
        raise NotFound("Not found", "Liner has nothing with this id.")
    row: dict[str, Json] = limits.bounded(data)[0]
    return row


async def ask_one_of(client: VendorClient, path: str, id_: str, what: str) -> dict[str, Json]:
    """As `ask_one`, of what has an id of its own. Raises `BadAnswer` where another one came."""
    row = await ask_one(client, path)
    came = to_text(row.get("id"))
    if came and came != id_:
        raise another_came(what, id_, came)
    return row


async def ask_first(client: VendorClient, paths: Sequence[str]) -> list[Json]:
    """An unpaged dictionary at the first of these paths that exists."""
    for path in paths[:-1]:
        try:
            return bounded_rows(_listed(await ask(client, path)), every=True)
        except NotFound:
            continue
    return bounded_rows(_listed(await ask(client, paths[-1])), every=True)


async def walk(
    client: VendorClient, path: str, params: Params, start: Place = START, *, few: bool = False
) -> AsyncIterator[Step]:
    """The pages of a list.

    What `next` and `total` are is not to be relied on: offsets are counted by the rows that came.
    A walk ends at an empty page, at one with nothing new, or where `total` is reached on a page
    shorter than one before: one page alone may be all, or all that a vendor gives at a time.
    (`few`: a handful of rows and their total are believed, unless `next` is right behind them.)
    Rows that are missing then, or that came twice because others moved, are looked for in a
    second lap, which goes on where the vendor says.
    """
    tally, offset = _Tally(start), start.offset
    for _ in range(MAX_PAGES):
        data = await ask(client, path, [*params, ("offset", str(offset)), ("limit", str(LIMIT))])
        found, paging = bounded_rows(_listed(data)), data if isinstance(data, dict) else {}
        fresh = tally.take(found, to_count(paging.get("total")), paged="list" in paging)
        behind, said = offset + len(found), to_count(paging.get("next")) or 0
        handful = few and len(found) <= HANDFUL and said != behind
        if (over := tally.over(handful)) and (tally.again or not tally.doubtful):
            yield Step(fresh, None, tally.count, tally.known_total, tally.doubt)
            return
        if over:
            offset = 0
            tally.begin_again()
        else:
            offset = said if tally.again and offset < said <= behind + LIMIT else behind
        yield Step(fresh, tally.place(offset), tally.count, tally.known_total)
    raise BadAnswer("List without end", f"{client.host} sent {MAX_PAGES:,} pages and no last one.")


class _Tally:
    """What a walk has seen of a list."""

    def __init__(self, start: Place) -> None:
        self.again = start.first_lap is not None
        self._first_lap = start.first_lap or 0
        self._knows_all = start == START
        self._known, self._lap = set(start.ids), set(start.ids)  # in the walk, in this lap of it
        self._all, self._rows = 0, start.count  # how many those are, with what is no object
        self._twice, self._moved = start.twice, self.again
        self._ids, self._longest = start.ids, len(start.ids)
        self._total: int | None = None
        self._page: list[Json] = []
        self._advance = Advance()
        self._stuck = self._paged = self._shorter = False

    def take(self, found: list[Json], total: int | None, paged: bool) -> list[Json]:
        """Count a page; gives those of its rows that are new in this walk."""
        ids = [row_id(row) if isinstance(row, dict) else "" for row in found]
        page = {id_ for id_ in ids if id_}
        nothing_new = page <= self._lap if page else found == self._page
        self._advance.take(named(found))
        self._stuck = bool(found) and (nothing_new or self._advance.stands)
        self._paged = paged
        self._twice |= bool(page & self._lap)
        if total is not None and (found or self._total is None):
            self._total = max(total, self._total or 0) if self._rows else total
        # what is no object has no id: it comes in the first lap, and counts as one of the total
        odd = 0 if self._stuck else ids.count("")
        fresh = []
        for row, id_ in zip(found, ids, strict=True):
            if id_ not in self._known if id_ else odd and not self.again:
                fresh.append(row)
                self._known |= {id_} - {""}
        self._all += len(fresh)
        self._rows += len(page - self._lap) + odd
        self._lap |= page
        self._shorter = len(found) < self._longest
        self._longest = max(self._longest, len(found))
        self._page, self._ids = found, tuple(id_ for id_ in ids if id_)[-LIMIT:]
        return fresh

    @property
    def count(self) -> int:
        """Distinct rows of the walk; after a break, of its better lap."""
        return self._all if self._knows_all else max(self._first_lap, self._rows)

    @property
    def known_total(self) -> int | None:
        return None if self._total is None else max(self._total, self.count)

    def over(self, handful: bool) -> bool:
        agreed = self.count == self._total and (self._shorter or handful)
        return not self._page or self._stuck or agreed

    @property
    def doubtful(self) -> bool:
        """Whether rows are missing for sure, or may be and no total says otherwise."""
        return self._short or ((self._twice or self._stuck) and not self._agreed)

    @property
    def doubt(self) -> str:
        """After a second lap, without a total: why rows may be missing."""
        if not self.again or self._short or self._agreed:
            return ""
        if self._stuck:
            return "the same again when asked for more"
        moved = self._moved and self._twice
        return "some of them twice, so that others may be missing" if moved else ""

    @property
    def _short(self) -> bool:
        """Whether the vendor counts more rows than came."""
        return (self._total or 0) > self.count

    @property
    def _agreed(self) -> bool:
        """Whether the vendor's own count, or a list that is not paged, speaks for all rows. A
        first page that is full and always the same speaks for nothing.
        """
        if self._stuck and self.count in (LIMIT, limits.ROWS):
            return False
        return self.count == self._total or (self._stuck and not self._paged)

    def begin_again(self) -> None:
        self._first_lap, self.again = self.count, True
        self._moved, self._twice = self._twice, False
        self._lap, self._page, self._ids, self._rows = set(), [], (), 0
        self._advance = Advance()

    def place(self, offset: int) -> Place:
        first_lap = self._first_lap if self.again else None
        return Place(offset, self._rows, self._twice, self._ids, first_lap)


def named(found: Sequence[Json]) -> Iterator[tuple[str | None, Json]]:
    """Rows for `Advance.take`."""
    for row in found:
        yield (Reader(row).text("id") if isinstance(row, dict) else None), row


def row_id(row: dict[str, Json]) -> str:
    return Reader(row).text("id") or made_id(row)


def _listed(data: Json) -> list[Json]:
    """The rows of `data`: itself a list, or an object with a `list`."""
    if isinstance(data, dict) and not is_empty(data) and "id" not in data:
        if "list" in data:
            return rows(data["list"])
        if not all(key.isdigit() for key in data):
            raise BadAnswer("Not a Liner answer", "The answer has no list in it.")
    return rows(data)
