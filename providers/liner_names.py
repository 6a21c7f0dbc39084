"""Liner's dictionaries: what the ids of its calls are called.

Pages: https://docs.linerapp.io/devs/api/v2/call-status/list/, /sip-endpoint/list/, /user/list/,
/user/detail/, /order/list/, /lead/list/ and /lead/detail/. The dictionaries' headings and examples
name two paths; both are tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from providers.base import Names
from providers.concurrency import gather_bounded
from providers.counts import counted
from providers.errors import AuthError, BadAnswer, Forbidden, NotFound, ProviderError, Rejected
from providers.fields import Reader, joined, to_text
from providers.http import Params, VendorClient
from providers.limits import ID
from providers.liner_api import LIMIT, ask_first, ask_one_of, walk
from providers.model import Json

CHUNK = 100  # ids in one request, so that no address grows too long
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


async def orders(client: VendorClient, names: Names) -> tuple[list[str], str]:
    """The ids of all orders, sorted, and in words which of them the vendor did not give; their
    titles go to `names`. Falls back to the v1 list.
    """
    found: list[Json] = []
    short = ""
    try:
        async for step in walk(client, "/v2/order/", ()):
            found += step.rows
            short = step.shortfall("order")
    except NotFound:
        found = await ask_first(client, ("/v1/order/list/",))
    put_all(names, "order", found)
    ids = [to_text(row.get("id")) if isinstance(row, dict) else None for row in found]
    nameless = ids.count(None)
    lost = f"{counted(nameless, 'order')} without an id" if nameless else ""
    known = sorted(set(filter(None, ids)), key=lambda id_: (len(id_), id_))
    return known, " and ".join(filter(None, (short, lost)))


class Dictionaries:
    """Fetches the names behind the ids of a page of calls, each dictionary as rarely as it can.

    A failure costs names alone: the id itself is shown, the failure is told once, and a later run
    asks again. Only a token that is refused is raised.
    """

    def __init__(self, client: VendorClient, names: Names) -> None:
        self._client = client
        self._names = names
        self._loads: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._named: set[str] = set()
        """Kinds of which the vendor has named one in this run."""
        self._unlisted: set[str] = set()
        """Kinds whose list could not be had."""
        self._gone: set[tuple[str, str]] = set()
        self._told: set[str] = set()

    async def learn(
        self, calls: Sequence[Json], ahead: int = 1, order_ids: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Make the names of these calls known; gives in words what could not be had.

        `ahead` is how many calls the walk still has, with these; `order_ids` are its orders.
        Raises `AuthError` when the token itself is refused.
        """
        failed: dict[str, ProviderError] = {}

        async def one(kind: str) -> None:
            unknown = self._unknown(kind, calls)
            if not unknown or self._failures[kind] >= _FAILURES:
                return
            share = max(1.0, ahead / max(1, len(calls)))
            try:
                error = await self._load(kind, unknown, len(unknown) * share, order_ids)
            except ProviderError as whole:
                error, self._failures[kind] = _bearable(whole), _FAILURES
            if error:
                failed[kind] = error

        await gather_bounded(one, _ID_FIELDS)
        fresh = [kind for kind in _ID_FIELDS if kind in failed and kind not in self._told]
        self._told.update(fresh)
        return tuple(f"names ({kind}): {failed[kind]}" for kind in fresh)

    def _unknown(self, kind: str, calls: Iterable[Json]) -> list[str]:
        found: dict[str, None] = {}
        for call in calls:
            reader = Reader(call)
            found_ids = filter(None, map(reader.ref, _ID_FIELDS[kind]))
            ids = [id_ for id_ in found_ids if len(id_) <= ID]  # of a longer one nobody is asked
            known = any((kind, id_) in self._names.known for id_ in ids)
            gone = any((kind, id_) in self._gone for id_ in ids)
            if not known and not gone:
                found.update(dict.fromkeys(ids))
        return list(found)

    async def _load(
        self, kind: str, unknown: list[str], expected: float, order_ids: Sequence[str]
    ) -> ProviderError | None:
        """Fetch what is unknown; gives why single names failed. Raises when nothing can be had."""
        self._loads[kind] += 1
        first = self._loads[kind] == 1
        if kind in ("lead", "user"):
            try:
                if first and kind == "user":
                    await self._list("user", "/v2/user/list/", ())
                elif first and expected > 2:
                    await self._list("lead", "/v2/lead/", _lead_filter(order_ids), expected)
            except (NotFound, Rejected, BadAnswer, Forbidden):
                self._unlisted.add(kind)  # not there, or not allowed: one request for each id
            return await self._details(kind, f"/v2/{kind}/detail/", unknown)
        if self._loads[kind] <= _LOADS and await self._whole(kind):
            self._forget(kind, unknown)
        return None

    async def _whole(self, kind: str) -> bool:
        """Read a dictionary that is one list; False when a part of it did not come."""
        if kind == "order":
            return not (await orders(self._client, self._names))[1]
        paths = _STATUS if kind == "status" else _LINE
        put_all(self._names, kind, await ask_first(self._client, paths))
        return True

    async def _list(
        self, kind: str, path: str, params: Params, worth: float = float("inf")
    ) -> None:
        """Walk a list of names, unless that takes more requests than it is worth."""
        async for step in walk(self._client, path, params):
            put_all(self._names, kind, step.rows)
            self._named.add(kind)
            if worth < float("inf") and (step.total is None or step.total / LIMIT > worth):
                return

    async def _details(self, kind: str, path: str, ids: Iterable[str]) -> ProviderError | None:
        """One request for each id that is still unknown; one that fails is not asked again in
        this run. Gives the first failure.
        """
        errors: dict[str, ProviderError] = {}

        async def one(id_: str) -> None:
            if self._failures[kind] >= _FAILURES:
                return
            try:
                path_of = f"{path}{quote(id_, safe='')}/"
                row = await ask_one_of(self._client, path_of, id_, kind)
                fields = _fields(kind, row)
                if not fields and "id" not in row:
                    raise BadAnswer("Not a Liner answer", "There is no name in it.")
            except ProviderError as error:
                errors[id_] = _bearable(error)
                self._failures[kind] += self._is_failure(kind, error)
            else:
                self._named.add(kind)
                self._names.put(kind, id_, fields)

        await gather_bounded(one, [i for i in ids if (kind, i) not in self._names.known])
        self._gone.update((kind, id_) for id_ in errors)
        if kind in self._named:
            self._forget(kind, (id_ for id_, e in errors.items() if isinstance(e, NotFound)))
        return next((e for e in errors.values() if self._is_failure(kind, e)), None)

    def _is_failure(self, kind: str, error: ProviderError) -> bool:
        """Whether a name could not be had. An id without a name is none, unless the list is not
        there either and nothing of its kind has a name: then the whole dictionary is missing.
        """
        missing = kind in self._unlisted and kind not in self._named
        return missing or not isinstance(error, NotFound)

    def _forget(self, kind: str, ids: Iterable[str]) -> None:
        """Remember that the vendor has no name for these."""
        for id_ in ids:
            if (kind, id_) not in self._names.known:
                self._names.put(kind, id_, {})


def _bearable(error: ProviderError) -> ProviderError:
    """An error that costs names alone; raises the one that says that the token is refused."""
    if isinstance(error, AuthError) and not isinstance(error, Forbidden):
        raise error
    return error


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
