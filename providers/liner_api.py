"""Liner's envelope, its paging, and its dictionaries: what the calls' ids are called.

Pages: https://docs.linerapp.io/devs/api/request-schema (envelope), /v2/call-status/list/,
/v2/sip-endpoint/list/, /v2/user/list/, /v2/user/detail/, /v2/order/list/, /v2/lead/list/,
/v2/lead/detail/. The dictionaries' headings and examples name two paths; both are tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from providers.base import Names
from providers.errors import AuthError, BadAnswer, NotFound, ProviderError, Rejected
from providers.fields import Reader, clean, is_empty, joined, rows, to_text, word
from providers.http import Params, VendorClient, gather_bounded
from providers.model import Json

LIMIT = 100
CHUNK = 100  # ids in one request, so that no address grows too long
MAX_PAGES = 10_000
_LOADS = 5  # how often one dictionary is read again in a run because of new unknown ids
_FAILURES = 5  # single names that may fail before the rest of their kind is left alone
_STATUS = ("/v2/call-status/", "/v2/call-statuses/")
_LINE = ("/v2/sip-endpoint/", "/v2/sip-endpoints/")
_ID_FIELDS = {
    "status": ("statusId", "statusCode"),
    "line": ("sipEndpointId",),
    "user": ("userId",),
    "order": ("orderId",),
    "lead": ("leadId",),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a list: its rows, where the next one starts (None: the end), and the total."""

    rows: list[Json]
    next: int | None
    total: int | None


async def ask(client: VendorClient, path: str, params: Params = ()) -> Json:
    """The `data` of an answer. Raises `ProviderError` also for a 200 with ``success: false``."""
    body = await client.get(path, params)
    if not isinstance(body, dict):
        raise BadAnswer("Not a Liner answer", f"{client.host} sent JSON without `data`.")
    if Reader(body).boolean("success") is False:
        message = clean(to_text(body.get("message")) or "no reason given")
        kind = NotFound if "notfound" in word(message) else Rejected
        raise kind("Liner says no", f"{message.rstrip('.')}.")
    if "data" not in body:
        raise BadAnswer("Not a Liner answer", f"{client.host} sent JSON without `data`.")
    return body["data"]


async def ask_first(client: VendorClient, paths: Sequence[str]) -> list[Json]:
    """An unpaged dictionary at the first of these paths that exists."""
    for path in paths[:-1]:
        try:
            return _listed(await ask(client, path))
        except NotFound:
            continue
    return _listed(await ask(client, paths[-1]))


async def walk(
    client: VendorClient, path: str, params: Params, offset: int = 0
) -> AsyncIterator[Step]:
    """The pages of a list. What `next` is on the last page is not documented, so a walk ends at
    an empty page, at a `next` that is no int or not further on, or when `total` is reached.
    """
    before: list[Json] | None = None
    for _ in range(MAX_PAGES):
        paging = [("offset", str(offset)), ("limit", str(LIMIT))]
        data = await ask(client, path, [*params, *paging])
        found = _listed(data)
        total, next_ = (
            _int(data.get(key)) if isinstance(data, dict) else None for key in ("total", "next")
        )
        if found and found == before:  # the vendor ignores the offset: the same page again
            yield Step([], None, total)
            return
        done = next_ is None or next_ <= offset or not found
        if total is not None and offset + len(found) >= total:
            done = True
        yield Step(found, None if done else next_, total)
        if done or next_ is None:
            return
        before, offset = found, next_
    raise BadAnswer("List without end", f"{client.host} sent {MAX_PAGES:,} pages and no last one.")


async def orders(client: VendorClient, names: Names) -> list[str]:
    """The ids of all orders, sorted; their titles go to `names`. Falls back to the v1 list."""
    found: list[Json] = []
    try:
        async for step in walk(client, "/v2/order/", ()):
            found += step.rows
    except NotFound:
        found = await ask_first(client, ("/v1/order/list/",))
    put_all(names, "order", found)
    ids = {id_ for row in found if isinstance(row, dict) and (id_ := to_text(row.get("id")))}
    return sorted(ids, key=lambda id_: (len(id_), id_))


class Dictionaries:
    """Fetches the names behind the ids of a page of calls, each dictionary as rarely as it can.

    A failure never costs a page: the id itself is shown, and the failure is told once.
    """

    def __init__(self, client: VendorClient, names: Names) -> None:
        self._client = client
        self._names = names
        self._loads: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._gone: set[tuple[str, str]] = set()

    async def learn(
        self, calls: Sequence[Json], ahead: int = 1, order_ids: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Make the names of these calls known; gives what failed, in words.

        `ahead` is how many calls the walk still has, with these; `order_ids` are its orders.
        """
        told: list[str] = []

        async def one(kind: str) -> None:
            unknown = self._unknown(kind, calls)
            if not unknown or self._failures[kind] >= _FAILURES:
                return
            share = max(1.0, ahead / max(1, len(calls)))
            try:
                await self._load(kind, unknown, len(unknown) * share, order_ids)
            except ProviderError as error:
                if not self._failures[kind]:
                    told.append(f"names ({kind}): {error}")
                self._failures[kind] = _FAILURES

        await gather_bounded(one, _ID_FIELDS)
        return tuple(told)

    def _unknown(self, kind: str, calls: Iterable[Json]) -> list[str]:
        found: dict[str, None] = {}
        for call in calls:
            reader = Reader(call)
            ids = [id_ for field in _ID_FIELDS[kind] if (id_ := reader.ref(field))]
            known = any((kind, id_) in self._names.known for id_ in ids)
            gone = any((kind, id_) in self._gone for id_ in ids)
            if not known and not gone:
                found.update(dict.fromkeys(ids))
        return list(found)

    async def _load(
        self, kind: str, unknown: list[str], expected: float, order_ids: Sequence[str]
    ) -> None:
        self._loads[kind] += 1
        first = self._loads[kind] == 1
        if kind in ("lead", "user"):
            # a list that is not there or not allowed like this leaves one request per id
            with suppress(NotFound, Rejected, BadAnswer):
                if first and kind == "user":
                    await self._list("user", "/v2/user/list/", ())
                elif first and expected > 2:
                    await self._list("lead", "/v2/lead/", _lead_filter(order_ids), expected)
            await self._details(kind, f"/v2/{kind}/detail/", unknown)
        elif self._loads[kind] <= _LOADS:
            await self._whole(kind)
            for id_ in unknown:
                if (kind, id_) not in self._names.known:
                    self._names.put(kind, id_, {})

    async def _whole(self, kind: str) -> None:
        if kind == "order":
            await orders(self._client, self._names)
        else:
            paths = _STATUS if kind == "status" else _LINE
            put_all(self._names, kind, await ask_first(self._client, paths))

    async def _list(
        self, kind: str, path: str, params: Params, worth: float = float("inf")
    ) -> None:
        """Walk a list of names, unless that takes more requests than it is worth."""
        async for step in walk(self._client, path, params):
            put_all(self._names, kind, step.rows)
            if worth < float("inf") and (step.total is None or step.total / LIMIT > worth):
                return

    async def _details(self, kind: str, path: str, ids: Iterable[str]) -> None:
        """One request for each id that is still unknown; one that fails is not asked again."""

        async def one(id_: str) -> None:
            try:
                row = await ask(self._client, f"{path}{quote(id_, safe='')}/")
            except NotFound:
                row = None
            except AuthError:
                raise
            except ProviderError:
                self._gone.add((kind, id_))
                self._failures[kind] += 1
                if self._failures[kind] >= _FAILURES:
                    raise
                return
            self._names.put(kind, id_, _fields(kind, row) if isinstance(row, dict) else {})

        await gather_bounded(one, [i for i in ids if (kind, i) not in self._names.known])


def _lead_filter(order_ids: Sequence[str]) -> list[tuple[str, str]]:
    """All leads of some orders: the list wants a period, so one that holds every lead."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    period = [("createdAt[0]", "2000-01-01T00:00:00Z"), ("createdAt[1]", now)]
    few = order_ids if len(order_ids) <= CHUNK else ()
    return [*period, *(("orderIds[]", id_) for id_ in few)]


def put_all(names: Names, kind: str, found: Iterable[Json]) -> None:
    """Keep the names of a dictionary's rows by id; statuses by code as well."""
    # an id wins over a code that looks like one, so ids are written last
    for key in ("code", "id") if kind == "status" else ("id",):
        for row in found:
            if isinstance(row, dict) and (id_ := to_text(row.get(key))):
                names.put(kind, id_, _fields(kind, row))


def _fields(kind: str, row: dict[str, Json]) -> dict[str, str]:
    """What is kept of a dictionary's row; of a line's `params` (SIP secrets) the number alone."""
    read = Reader(row)
    found = {
        "status": lambda: {"code": read.text("code"), "title": read.text("title")},
        "line": lambda: {"number": read.object("params").text("phone"), "name": read.text("title")},
        "user": lambda: {
            "name": joined(read.text("name"), read.text("lastName")),
            "role": read.text("accessGroup"),
        },
        "lead": lambda: {"name": read.text("name")},
        "order": lambda: {"title": read.text("title")},
    }[kind]()
    return {key: value for key, value in found.items() if value}


def _listed(data: Json) -> list[Json]:
    """The rows of `data`: itself a list, or an object with a `list`."""
    if isinstance(data, dict) and not is_empty(data) and "id" not in data:
        if "list" in data:
            return rows(data["list"])
        if not all(key.isdigit() for key in data):
            raise BadAnswer("Not a Liner answer", "The answer has no list in it.")
    return rows(data)


def _int(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
