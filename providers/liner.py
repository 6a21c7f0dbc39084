"""Liner: orders hold leads, calls belong to both.

Pages: https://docs.linerapp.io/devs/api/v2/call/list/, /call/detail/, /call-record/list/ and
/call-record/detail/. Calls are listed by order or lead ids; recordings are one more request.
What states of a call make when they come one after the other is in `providers.liner_states`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import ClassVar, Self
from urllib.parse import quote

from providers.base import Login, Secret, parse_each
from providers.concurrency import gather_bounded
from providers.counts import counted
from providers.errors import BadAnswer, Forbidden, NotFound, ProviderError, Unreachable
from providers.fields import NO_ID, Reader, ends, is_empty, later, made_id, to_text, word
from providers.http import HttpProvider
from providers.ids import parse_ids
from providers.limits import ITEMS, LEFT_OUT, bounded
from providers.liner_api import START, Place, Step, ask, ask_one_of, row_id, shortfall, walk
from providers.liner_names import CHUNK, Dictionaries, orders
from providers.liner_states import is_running, merged, merged_records
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
from providers.origin import absolute_url

_DIRECTIONS = {"incoming": Direction.INBOUND, "outgoing": Direction.OUTBOUND}
_HANGUP = {"client": "customer", "operator": "agent", "system": "system"}


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a walk goes on: the chunk of ids, what the chunks before it had, the place in it."""

    chunk: int = 0
    total: int | None = 0
    count: int = 0
    missing: int = 0
    doubt: str = ""
    place: Place = START

    @classmethod
    def read(cls, text: str | None) -> Self:
        """A cursor that cannot be read, as those of earlier versions, begins anew."""
        try:
            fields = json.loads(text or "{}")
            place = fields.pop("place", {})
            return cls(**fields, place=Place(**place | {"ids": tuple(place.get("ids", ()))}))
        except (ValueError, TypeError, AttributeError):
            return cls()

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    def shortfall(self, orders_missing: str) -> str:
        """In words what is missing at the end of the walk."""
        calls_missing = shortfall(self.count, self.missing, self.doubt, "call")
        return " and ".join(filter(None, (orders_missing, calls_missing)))

    def after(self, step: Step) -> Self:
        """The cursor behind a page: in the same chunk, or where that is at its end, in the next."""
        if step.place:
            return replace(self, place=step.place)
        return replace(
            self,
            chunk=self.chunk + 1,
            total=_sum(self.total, step.total),
            count=self.count + step.count,
            missing=self.missing + step.missing,
            doubt=self.doubt or step.doubt,
            place=START,
        )


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
    capabilities: ClassVar[Capabilities] = Capabilities(separate_recordings=True)
    parser_version: ClassVar[int] = 2
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "order_ids",
            "--order",
            "Order ids",
            "Whose calls to list, for example 1000-1060,1071. With no orders and no leads: all.",
            kind="ids",
        ),
        Setting(
            "lead_ids",
            "--lead",
            "Lead ids",
            "Leads whose calls to list. With orders as well, Liner is asked for both at once.",
            kind="ids",
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
        found, _ = await orders(self.client, self.names)
        return f"Liner accepts the token; it has {counted(len(found), 'order')}."

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        """Walk ``/v2/call/`` over the account's orders and leads, 100 calls a page."""
        at, period = _Cursor.read(cursor), _period(query)
        targets, orders_missing = await self._targets()
        if at.chunk >= len(targets):
            yield Page((), None, total=at.total, shortfall=at.shortfall(orders_missing))
            return
        seen = dict.fromkeys(at.place.ids)
        for target in targets[at.chunk :]:
            after = at
            async for step in walk(self.client, "/v2/call/", target.params(period), at.place):
                after = at.after(step)
                page = await self._page(step, target, seen)
                if after.chunk + 1 >= len(targets):  # all that came before is counted
                    page = replace(page, total=_sum(at.total, step.total))
                if after.chunk < len(targets):
                    yield replace(page, cursor=after.write())
                else:
                    yield replace(page, shortfall=after.shortfall(orders_missing))
            at = after

    async def _page(self, step: Step, target: _Target, seen: dict[str, None]) -> Page:
        """The calls of a page that no chunk of ids before had."""
        fresh: list[dict[str, Json]] = []
        unreadable: list[str] = []
        for row in step.rows:
            if not isinstance(row, dict):
                unreadable.append("a row of a page: not an object")
            elif (id_ := row_id(row)) not in seen:
                seen[id_] = None
                fresh.append(row)
        ahead = max(1, (step.total or 0) - step.count + len(step.rows))
        notes = await self.dictionaries.learn(fresh, ahead, target.order_ids)
        calls, odd = parse_each(self.parse, fresh)
        return Page(calls, None, unreadable=(*unreadable, *odd), notes=notes, watched=True)

    async def call(self, call_id: str) -> Call:
        try:
            path = f"/v2/call/detail/{quote(call_id, safe='')}/"
            raw = await ask_one_of(self.client, path, call_id, "call")
        except NotFound as error:
            raise NotFound("No such call", error.message, error.hint) from None
        await self.dictionaries.learn([raw])
        return self.parse(raw)

    async def recordings(self, call: Call) -> Call:
        """``/v2/call-record/`` for the call, and the detail of each item without a summary.

        What was known of a recording stays where the vendor now says nothing.
        """
        raw = call.raw if isinstance(call.raw, dict) else {"id": call.id}
        if call.id.startswith(NO_ID):
            return self.parse({**raw, "records": []})
        found: list[Json] = []
        missing, others = "", 0
        async for step in walk(self.client, "/v2/call-record/", [("callId", call.id)], few=True):
            mine = [row for row in step.rows if _is_of(row, call.id)]
            others += len(step.rows) - len(mine)
            found += mine
            missing = step.shortfall("recording")
            if len(found) > ITEMS:  # more than a call may have: the others are not asked for
                found = [*found[:ITEMS], {LEFT_OUT: max(step.total or 0, len(found)) - ITEMS}]
                break
        if others:
            missing = f"{counted(others, 'recording')} of another call left out"
        records = {row_id(row): row for row in merged_records(raw.get("records"), found)}

        async def complete(id_: str) -> None:
            path = f"/v2/call-record/detail/{quote(id_, safe='')}/"
            with suppress(BadAnswer, Forbidden, NotFound, Unreachable):  # the list's item will do
                more = await ask_one_of(self.client, path, id_, "recording")
                records[id_] = merged(records[id_], more)

        silent = [id_ for id_, row in records.items() if is_empty(row.get("recordSummary"))]
        await gather_bounded(complete, [id_ for id_ in silent if not id_.startswith(NO_ID)])
        kept = {key: value for key, value in raw.items() if key != "recordsMissing"}
        told = {"recordsMissing": missing} if missing else {}
        return self.parse({**kept, "records": [*records.values()], **told})

    def parse(self, raw: Json) -> Call:
        """An item of ``/v2/call/`` or the data of ``/v2/call/detail/{callId}/`` as a call, with
        the items of ``/v2/call-record/`` under ``records`` where they were asked for, and under
        ``recordsMissing`` in words what of them did not come.
        """
        if not isinstance(raw, dict):
            raise ValueError("a Liner call is an object")
        raw, cut = bounded(raw)
        read, names = Reader(raw, problems=[*cut]), self.names
        id_ = read.id("id")
        if id_ is None:
            read.note("id", "missing")
        direction = _direction(read.text("direction"))
        started, total = read.time("createdAt"), read.seconds("totalDurationSeconds")
        talk, running = read.seconds("talkTimeDurationSeconds"), self._is_running(read)
        outcome = Outcome.IN_PROGRESS if running else _outcome(talk)
        ended = None if running else later(started, total)
        lead, order, line = read.ref("leadId"), read.ref("orderId"), read.ref("sipEndpointId")
        contact = Contact(lead, names.get("lead", lead), read.text("clientPhone"))
        company = CompanyNumber(names.get("line", line, "number"), names.get("line", line))
        status, agents = self._status(read), self._agents(read.ref("userId"))
        from_, to = ends(direction, contact.number, company.number)
        has, missing = read.boolean("hasRecords"), read.text("recordsMissing")
        if missing:
            read.note("records", missing)
        recordings = self._recordings(read)
        guessed = None if outcome is Outcome.UNKNOWN else outcome
        derived = {"outcome": guessed, "ended_at": ended, "from": from_, "to": to}
        return Call(
            id=id_ or made_id({key: raw[key] for key in raw if not key.startswith("records")}),
            provider=self.id,
            direction=direction,
            outcome=outcome,
            status=status,
            started_at=started,
            ended_at=ended,
            duration_s=total,
            wait_s=read.seconds("waitTimeDurationSeconds"),
            talk_s=talk,
            derived=tuple(name for name, value in derived.items() if value is not None),
            from_=from_,
            to=to,
            contact=contact,
            company_number=company,
            agents=agents,
            campaign=names.get("order", order, "title") or order,
            disposition=Disposition(code=status),
            hangup=_hangup(read.text("finishInitiator"), agents, contact),
            summary=next((item.summary for item in recordings if item.summary), None),
            has_recording=True if recordings else has,
            recordings=recordings,
            recordings_known=("records" in raw and not missing) or has is False,
            problems=tuple(read.problems),
            vendor_fields=_vendor_fields(read.boolean("isPredictive"), line, company),
            raw=raw,
        )

    def merge(self, older: Json, newer: Json) -> Json:
        """Two states of a call as one, whichever came first. See `providers.liner_states`."""
        if not isinstance(older, dict) or not isinstance(newer, dict):
            return newer
        return merged(older, newer)

    def _is_running(self, read: Reader) -> bool:
        by_id = self.names.get("status", read.ref("statusId"), "code")
        return is_running(read.raw, read.text("statusCode") or by_id)

    def _recordings(self, read: Reader) -> tuple[Recording, ...]:
        """In the order in which they began, since those of several answers stand together."""
        found = [_recording(item, self.login.base_url) for item in read.objects("records")]
        return tuple(sorted(found, key=_when_begun))

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

    async def _targets(self) -> tuple[list[_Target], str]:
        """What to ask for, and in words which orders the vendor did not give."""
        order_ids, lead_ids, missing = self._ids("order_ids"), self._ids("lead_ids"), ""
        if not order_ids and not lead_ids:
            order_ids, missing = await orders(self.client, self.names)
        return _chunked(order_ids, lead_ids), missing


def _is_of(record: Json, call_id: str) -> bool:
    """Whether a recording is of this call; the documents' items do not say of which they are."""
    of = to_text(record.get("callId")) if isinstance(record, dict) else None
    return of is None or of == call_id


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


def _direction(text: str | None) -> str | None:
    return _DIRECTIONS.get(word(text), text)


def _outcome(talk_s: float | None) -> Outcome:
    """Statuses are the customer's own, so talk time alone tells."""
    if talk_s is None:
        return Outcome.UNKNOWN
    return Outcome.ANSWERED if talk_s > 0 else Outcome.MISSED


def _hangup(initiator: str | None, agents: Sequence[Agent], contact: Contact) -> Hangup:
    by = _HANGUP.get(word(initiator), initiator)
    agent = agents[0].name if agents else None
    return Hangup(by, by_name={"customer": contact.name, "agent": agent}.get(by or ""))


def _vendor_fields(
    predictive: bool | None, line: str | None, company: CompanyNumber
) -> dict[str, Json]:
    nameless = line if company == CompanyNumber() else None
    found = {"isPredictive": predictive, "sipEndpointId": nameless}
    return {key: value for key, value in found.items() if value is not None}


def _recording(read: Reader, base_url: str) -> Recording:
    address = read.text("fileUrl")
    return Recording(
        id=read.text("id"),
        url=absolute_url(address, base_url) if address else None,
        duration_s=read.seconds("durationSeconds"),
        started_at=read.time("createdAt"),
        agent_id=read.ref("userId"),
        transfer=read.boolean("isTransfer"),
        summary=read.text("recordSummary"),
    )


def _when_begun(recording: Recording) -> tuple[datetime, int, str]:
    id_ = recording.id or ""
    return recording.started_at or datetime.max.replace(tzinfo=UTC), len(id_), id_
