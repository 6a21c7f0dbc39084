"""Liner: orders hold leads, calls belong to both.

Pages: https://docs.linerapp.io/devs/api/v2/call/list/, /call/detail/, /call-record/list/ and
/call-record/detail/. Calls are listed by order or lead ids; recordings are one more request.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import ClassVar, Self
from urllib.parse import quote

from providers.base import Login, Secret
from providers.errors import NotFound, ProviderError
from providers.fields import Reader, is_empty, later, made_id, word
from providers.http import HttpProvider, gather_bounded
from providers.ids import parse_ids
from providers.liner_api import CHUNK, Dictionaries, Step, ask, orders, walk
from providers.model import (
    Agent,
    Call,
    CallQuery,
    Capabilities,
    CompanyNumber,
    Contact,
    Direction,
    Disposition,
    Hangup,
    Json,
    Outcome,
    Page,
    Recording,
    Setting,
)

_DIRECTIONS = {"incoming": Direction.INBOUND, "outgoing": Direction.OUTBOUND}
_HANGUP = {"client": "customer", "operator": "agent", "system": "system"}


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a walk goes on: the chunk of ids, the offset in it, what was counted before it, and
    the ids of the page before, so that a row that slipped onto the next page comes once."""

    chunk: int = 0
    offset: int = 0
    total: int | None = 0
    seen: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str | None) -> Self:
        try:
            chunk, offset, total, seen = json.loads(text or "")
            return cls(int(chunk), int(offset), total, tuple(map(str, seen)))
        except (ValueError, TypeError):
            return cls()

    def write(self) -> str:
        return json.dumps([self.chunk, self.offset, self.total, self.seen], separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Target:
    """One chunk of ids to ask for at once."""

    order_ids: tuple[str, ...]
    lead_ids: tuple[str, ...]

    def params(self, period: list[tuple[str, str]]) -> list[tuple[str, str]]:
        ids = [("leadIds[]", id_) for id_ in self.lead_ids]
        return [*period, *ids, *(("orderIds[]", id_) for id_ in self.order_ids)]


class Liner(HttpProvider):
    """One Liner account. See `providers.base.Provider`."""

    id: ClassVar[str] = "liner"
    title: ClassVar[str] = "Liner"
    capabilities: ClassVar[Capabilities] = Capabilities(has_total=True, separate_recordings=True)
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "order_ids",
            "--order",
            "Order ids",
            "Whose calls to list, for example 1000-1060,1071. With no orders and no leads: all.",
            ids=True,
        ),
        Setting(
            "lead_ids",
            "--lead",
            "Lead ids",
            "Leads whose calls to list. With orders as well, Liner is asked for both at once.",
            ids=True,
        ),
    )

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self._dictionaries: Dictionaries | None = None

    @staticmethod
    def auth(token: Secret) -> dict[str, Secret]:
        return {"X-Api-Key": token}

    @property
    def dictionaries(self) -> Dictionaries:
        if self._dictionaries is None:
            self._dictionaries = Dictionaries(self.client, self.names)
        return self._dictionaries

    async def check(self) -> str:
        """One call of the last day, or with no ids set, the list of orders."""
        now = datetime.now(UTC)
        if targets := _chunked(self._ids("order_ids"), self._ids("lead_ids")):
            period = _period(CallQuery(now - timedelta(days=1), now))
            params = [*targets[0].params(period), ("offset", "0"), ("limit", "1")]
            await ask(self.client, "/v2/call/", params)
            return "Liner accepts the token."
        found = await orders(self.client, self.names)
        return f"Liner accepts the token; it has {len(found)} order{'s' * (len(found) != 1)}."

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        """Walk ``/v2/call/`` over the account's orders and leads, 100 calls a page."""
        at = _Cursor.read(cursor)
        targets = await self._targets()
        if at.chunk >= len(targets):
            yield Page((), None, total=0)
            return
        seen = dict.fromkeys(at.seen)
        counted, period = at.total, _period(query)
        for number in range(at.chunk, len(targets)):
            target, last = targets[number], number + 1 == len(targets)
            offset = at.offset if number == at.chunk else 0
            step = None
            async for step in walk(self.client, "/v2/call/", target.params(period), offset):
                ids = tuple(_call_id(row) for row in step.rows if isinstance(row, dict))
                total = _sum(counted, step.total)
                after = _Cursor(number, step.next, counted, ids) if step.next else None
                if after is None and not last:
                    after = _Cursor(number + 1, 0, total, ids)
                ahead = max(1, (step.total or 0) - offset)
                yield await self._page(step, target, seen, after, total if last else None, ahead)
                offset = step.next or offset
            counted = _sum(counted, step.total if step else None)

    async def _page(
        self,
        step: Step,
        target: _Target,
        seen: dict[str, None],
        after: _Cursor | None,
        total: int | None,
        ahead: int,
    ) -> Page:
        fresh: list[Json] = []
        unreadable: list[str] = []
        for number, row in enumerate(step.rows, 1):
            if not isinstance(row, dict):
                unreadable.append(f"row {number} of a page: not an object")
            elif (id_ := _call_id(row)) not in seen:
                seen[id_] = None
                fresh.append(row)
        failed = await self.dictionaries.learn(fresh, ahead, target.order_ids)
        return Page(
            tuple(map(self.parse, fresh)),
            after.write() if after else None,
            total=total,
            unreadable=tuple(unreadable),
            failed=failed,
        )

    async def call(self, call_id: str) -> Call:
        raw = await ask(self.client, f"/v2/call/detail/{quote(call_id, safe='')}/")
        raw = raw[0] if isinstance(raw, list) and len(raw) == 1 else raw
        if not isinstance(raw, dict) or is_empty(raw):
            raise NotFound("No such call", "Liner has no call with this id.")
        await self.dictionaries.learn([raw])
        return self.parse(raw)

    async def recordings(self, call: Call) -> Call:
        """``/v2/call-record/`` for the call, and the detail of each item without a summary.

        Nothing is asked when Liner said that there is no recording.
        """
        if call.has_recording is False or call.id.startswith("no-id-"):
            return self._with_records(call, [])
        found: dict[str, dict[str, Json]] = {}
        async for step in walk(self.client, "/v2/call-record/", [("callId", call.id)]):
            for row in step.rows:
                if isinstance(row, dict):
                    found.setdefault(Reader(row).text("id") or made_id(row), row)

        async def complete(id_: str) -> None:
            try:
                detail = await ask(self.client, f"/v2/call-record/detail/{quote(id_, safe='')}/")
            except ProviderError:
                return  # the item of the list is good without its summary
            if isinstance(detail, dict):
                known = {key: value for key, value in detail.items() if not is_empty(value)}
                found[id_] = {**found[id_], **known}

        silent = [id_ for id_, row in found.items() if is_empty(row.get("recordSummary"))]
        await gather_bounded(complete, [id_ for id_ in silent if not id_.startswith("no-id-")])
        return self._with_records(call, [*found.values()])

    def _with_records(self, call: Call, records: list[Json]) -> Call:
        raw = call.raw if isinstance(call.raw, dict) else {"id": call.id}
        return self.parse({**raw, "records": records})

    def parse(self, raw: Json) -> Call:
        """An item of ``/v2/call/`` or the data of ``/v2/call/detail/{callId}/`` as a call, with
        the items of ``/v2/call-record/`` under ``records`` where they were asked for.
        """
        if not isinstance(raw, dict):
            raise ValueError("a Liner call is an object")
        read, names = Reader(raw), self.names
        id_ = read.text("id")
        if id_ is None:
            read.note("id", "missing")
        direction = _direction(read.text("direction"))
        started, total = read.time("createdAt"), read.seconds("totalDurationSeconds")
        talk = read.seconds("talkTimeDurationSeconds")
        ended = later(started, total)
        lead, order, line = read.ref("leadId"), read.ref("orderId"), read.ref("sipEndpointId")
        client, company = read.text("clientPhone"), names.get("line", line, "number")
        status = self._status(read)
        from_, to = _ends(direction, client, company)
        has = read.boolean("hasRecords")
        asked = "records" in raw
        recordings = tuple(_recording(item) for item in read.objects("records"))
        hangup = read.text("finishInitiator")
        derived = {"outcome": talk, "ended_at": ended, "from": from_, "to": to}
        return Call(
            id=id_ or made_id({key: raw[key] for key in raw if key != "records"}),
            provider=self.id,
            direction=direction,
            outcome=_outcome(talk),
            status=status,
            started_at=started,
            ended_at=ended,
            duration_s=total,
            wait_s=read.seconds("waitTimeDurationSeconds"),
            talk_s=talk,
            derived=tuple(name for name, value in derived.items() if value is not None),
            from_=from_,
            to=to,
            contact=Contact(id=lead, name=names.get("lead", lead), number=client),
            company_number=CompanyNumber(company, names.get("line", line)),
            agents=self._agents(read.ref("userId")),
            campaign=names.get("order", order, "title") or order,
            disposition=Disposition(code=status),
            hangup=Hangup(by=_HANGUP.get(word(hangup), hangup)),
            summary=next((item.summary for item in recordings if item.summary), None),
            has_recording=True if recordings else has,
            recordings=recordings,
            recordings_known=asked or has is False,
            problems=tuple(read.problems),
            raw=raw,
        )

    def merge(self, older: Json, newer: Json) -> Json:
        """The newer object, with the older one's fields where the newer has none."""
        if not isinstance(older, dict) or not isinstance(newer, dict):
            return newer
        return {**older, **{key: value for key, value in newer.items() if not is_empty(value)}}

    def _status(self, read: Reader) -> str | None:
        """The dictionary's title by id or code; else the code, else the id."""
        id_, code = read.ref("statusId"), read.text("statusCode")
        titles = (self.names.get("status", key, "title") for key in (id_, code))
        return next((title for title in titles if title), None) or code or id_

    def _agents(self, user: str | None) -> tuple[Agent, ...]:
        if user is None:
            return ()
        name, role = self.names.get("user", user), self.names.get("user", user, "role")
        return (Agent(id=user, name=name, role=role),)

    def _ids(self, key: str) -> list[str]:
        try:
            return [str(id_) for id_ in parse_ids(self.login.settings.get(key, "") or "")]
        except ValueError as error:
            raise ProviderError("Setting not readable", f"{key}: {error}.") from None

    async def _targets(self) -> list[_Target]:
        order_ids, lead_ids = self._ids("order_ids"), self._ids("lead_ids")
        if not order_ids and not lead_ids:
            order_ids = await orders(self.client, self.names)
        return _chunked(order_ids, lead_ids)


def _chunked(order_ids: Sequence[str], lead_ids: Sequence[str]) -> list[_Target]:
    """Every chunk of orders with every chunk of leads: right whether Liner means "and" or "or"."""
    if not order_ids and not lead_ids:
        return []
    chunks = [
        [tuple(ids[i : i + CHUNK]) for i in range(0, len(ids), CHUNK)] or [()]
        for ids in (order_ids, lead_ids)
    ]
    return [_Target(*pair) for pair in product(*chunks)]


def _period(query: CallQuery) -> list[tuple[str, str]]:
    """Whole seconds, as Liner's examples have them, and none of the period lost."""
    since, until = query.since.astimezone(UTC), query.until.astimezone(UTC)
    if until.microsecond:
        until += timedelta(seconds=1)
    pattern = "%Y-%m-%dT%H:%M:%SZ"
    return [("createdAt[0]", since.strftime(pattern)), ("createdAt[1]", until.strftime(pattern))]


def _sum(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _call_id(row: dict[str, Json]) -> str:
    return Reader(row).text("id") or made_id(row)


def _direction(text: str | None) -> str | None:
    return _DIRECTIONS.get(word(text), text)


def _outcome(talk_s: float | None) -> Outcome:
    """Statuses are the customer's own, so talk time alone tells."""
    if talk_s is None:
        return Outcome.UNKNOWN
    return Outcome.ANSWERED if talk_s > 0 else Outcome.MISSED


def _ends(
    direction: str | None, client: str | None, company: str | None
) -> tuple[str | None, str | None]:
    if direction == Direction.INBOUND:
        return client, company
    if direction == Direction.OUTBOUND:
        return company, client
    return None, None


def _recording(read: Reader) -> Recording:
    return Recording(
        id=read.text("id"),
        url=read.text("fileUrl"),
        duration_s=read.seconds("durationSeconds"),
        started_at=read.time("createdAt"),
        agent_id=read.ref("userId"),
        transfer=read.boolean("isTransfer"),
        summary=read.text("recordSummary"),
    )
