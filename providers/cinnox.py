"""CINNOX: a report of one-to-one calls, a record per leg, recordings inside.

Page: https://docs.cinnox.com/docs/get-call-detail (and /docs/get-staff-list for names). There
is no request for one call: the archived records are the detail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

from providers.base import Login, Secret, parse_each
from providers.cinnox_records import (
    OUTCOMES,
    Record,
    call_id,
    grouped,
    is_running,
    key,
    merged,
    objects,
    ordered,
)
from providers.cinnox_walk import Walk
from providers.cinnox_webhooks import CinnoxWebhooks
from providers.counts import counted
from providers.errors import (
    AuthError,
    BadAnswer,
    Forbidden,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.fields import NO_ID, Reader, bounded_rows, is_empty, joined, rows, to_text, word
from providers.http import HttpProvider, Params
from providers.limits import bounded, is_left_out
from providers.model import (
    Agent,
    Call,
    CallQuery,
    Capabilities,
    CompanyNumber,
    Contact,
    Direction,
    Hangup,
    Json,
    Outcome,
    Page,
    Recording,
    RecordingEvent,
    Setting,
)
from providers.origin import absolute_url
from providers.sanitize import SAID, safe_text

LIMIT, MAX_PAGES, MAX_STAFF_PAGES = 500, 10_000, 100
_DIRECTIONS = {"inbound": Direction.INBOUND, "outbound": Direction.OUTBOUND}
_MEDIA = {"2": "video", "3": "audio"}
_OWN = ("callType", "recordType", "mediaType", "fromRegion", "fromIP", "callPrepareFromNum")
"""Fields that only CINNOX has, or that say more than ours."""
_PARTIES = {"caller": "from", "callee": "to"}
"""The call log's words for who hung up, and the side of a record that each is."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_STAFF_IDS = ("fromEID", "toEID", "lastHandledParty", "releaseParty")
_STAFF_SIDES: Mapping[str | None, tuple[str, ...]] = {
    Direction.INBOUND: ("to",),
    Direction.OUTBOUND: ("from",),
    Direction.INTERNAL: ("from", "to"),
}
_CONTACT: Mapping[str | None, tuple[str, str, str]] = {
    Direction.INBOUND: ("caller", "from", "callee"),
    Direction.OUTBOUND: ("callee", "to", "caller"),
}
_RELEASED: Mapping[tuple[str | None, str], str] = {
    (Direction.INBOUND, "caller"): "customer",
    (Direction.INBOUND, "callee"): "agent",
    (Direction.OUTBOUND, "caller"): "agent",
    (Direction.OUTBOUND, "callee"): "customer",
    (Direction.INTERNAL, "caller"): "agent",
    (Direction.INTERNAL, "callee"): "agent",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """The recordings of all legs of a call."""

    events: tuple[RecordingEvent, ...]
    files: tuple[Recording, ...]
    any: bool | None


class Cinnox(CinnoxWebhooks, HttpProvider):
    """One CINNOX account. See `providers.base.Provider`."""

    id: ClassVar[str] = "cinnox"
    title: ClassVar[str] = "CINNOX"
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=LIMIT, gets_one_call=False, merges_records=True
    )
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "app_id",
            "--app-id",
            "App ID",
            "Shown beside the App Token in CINNOX: Administration, Service Integration, API.",
            required=True,
        ),
    )
    parser_version: ClassVar[int] = 2
    error_codes: ClassVar[Mapping[int, type[ProviderError]]] = {
        401: AuthError,  # the only documented form of an error is a body of status 400
        403: Forbidden,
        6451001: Unreachable,  # "Bad response from the service"
        6451010: RateLimited,  # "Too many requests"
    }

    def __init__(self, login: Login) -> None:
        super().__init__(login)
        self._staff_asked = False

    @staticmethod
    def auth(token: Secret) -> dict[str, Secret]:
        return {"Authorization": Secret(f"Bearer {token.reveal()}")}

    async def check(self) -> str:
        """One record of the last day."""
        now = datetime.now(UTC)
        await self._ask(
            "data/call-detail",
            [*_period(CallQuery(now - timedelta(days=1), now)), ("offset", "0"), ("limit", "1")],
        )
        return "CINNOX accepts the token and the App ID."

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        """Walk the records of a period, up to 500 a page, grouped into calls by ``callID``.

        The end is an empty page; there is no total. Behind a short page it is looked for at once,
        so that a period's last page says that it is. Where records were missed, the period is
        walked once more (`providers.cinnox_walk`).
        """
        walk, period, ahead = Walk(cursor), _period(query), list[Json]()
        for _ in range(MAX_PAGES):
            found = ahead or await self._records(period, walk.at.offset)
            first, fresh = not walk.again, walk.take(found)
            notes, failure = await self._learn_staff(fresh), None
            ahead, shortfall = [], ""
            done = not found or walk.stalled or walk.endless
            if not done and len(found) < LIMIT:
                try:
                    ahead = await self._records(period, walk.at.offset)
                    done = not ahead
                except ProviderError as error:  # this page has come all the same
                    failure = error
            if walk.stalled:
                shortfall, note = await self._beyond(walk, query)
                notes += note
            if done and not shortfall:
                done = not walk.once_more()
                shortfall = walk.shortfall if done else ""
            calls, odd = parse_each(self.parse, grouped(fresh))
            odd += _unreadable(found) if first else ()
            cursor = None if done else walk.write()
            yield Page(
                calls, cursor, unreadable=odd, notes=notes, shortfall=shortfall, watched=True
            )
            if failure:
                raise failure
            if done:
                return
        raise BadAnswer("List without end", f"CINNOX sent {MAX_PAGES:,} pages.")

    async def _records(self, period: Params, offset: int) -> list[Json]:
        paging = [("offset", str(offset)), ("limit", str(LIMIT))]
        return await self._ask("data/call-detail", [*period, *paging])

    async def _beyond(self, walk: Walk, query: CallQuery) -> tuple[str, tuple[str, ...]]:
        """What is missing where the offset does not advance, and what is worth saying: the times
        before and after the records that came are asked for, to see whether there are others.
        """
        since, until = walk.span or (query.until, query.since)
        parts = (CallQuery(query.since, since), CallQuery(until, query.until))
        found = [await self._records(_period(part), 0) for part in parts if walk.span]
        more = any(key(row) not in walk.all for rows in found for row in objects(rows))
        longest = max(map(len, found), default=walk.page_size)
        if more or longest >= LIMIT or not walk.whole:
            came = counted(len(walk.all), "record")
            return f"only the first {came} of this period, whatever the offset", ()
        if not 1 < walk.page_size <= longest:
            return "", ()
        same = f"CINNOX gave the same {walk.page_size:,} records for every offset"
        return "", (f"{same}; if it has more, they cannot be had",)

    async def call(self, call_id: str) -> Call:
        raise NotFound(
            "Not offered by CINNOX",
            "CINNOX has no request for one call.",
            "What was fetched with the list is all there is; fetch the period again to renew it.",
        )

    async def recordings(self, call: Call) -> Call:
        return call

    def parse(self, raw: Json) -> Call:
        """The records (legs) of one call, a list of items of ``result``, as a call."""
        raw, cut = bounded(rows(raw), "records")
        legs = _legs(raw, [*cut])
        if not legs:
            raise ValueError("a CINNOX call is a list of records")
        first, running = legs[0], any(map(is_running, legs))
        direction = _direction(first)
        started = min(filter(None, [leg.time("callDate") for leg in legs]), default=None)
        ended = max(filter(None, [leg.time("callEndTime") for leg in legs]), default=None)
        ended = None if running else ended
        duration = (ended - started).total_seconds() if started and ended else None
        if duration is not None and duration < 0:
            legs[-1].note("callEndTime", "before callDate")
            duration = None
        id_ = call_id(first.raw)
        if id_.startswith(NO_ID):
            first.note("callID", "missing")
        contact, company = self._parties(first, direction)
        found = self._found(legs)
        agents = self._agents(legs, direction)
        return Call(
            id=id_,
            provider=self.id,
            direction=direction,
            outcome=_outcome(legs),
            status=_deciding(legs).text("status"),
            started_at=started,
            ended_at=ended,
            duration_s=duration,
            derived=("duration_s",) if duration is not None else (),
            from_=first.text("caller"),
            to=first.text("callee"),
            contact=contact,
            company_number=company,
            agents=agents,
            hangup=Hangup() if running else self._hangup(legs, direction, contact),
            has_recording=found.any,
            recording_events=found.events,
            recordings=found.files,
            history_id=first.text("hid"),
            vendor_fields=_own_fields(legs),
            problems=tuple(first.problems),
            raw=[*(leg.raw for leg in legs), *filter(is_left_out, rows(raw))],
        )

    def merge(self, older: Json, newer: Json) -> Json:
        """The records of both by their `id`; see `cinnox_records.merged`."""
        return merged(older, newer)

    async def _ask(self, path: str, params: Params) -> list[Json]:
        """The rows of ``result``. Where it holds any, that is success, whatever `code` says."""
        app_id = (self.login.settings.get("app_id") or "").strip()
        if not app_id:
            raise ProviderError(
                "App ID missing",
                "CINNOX needs the App ID beside the token.",
                "Set the account's app_id (--app-id).",
            )
        body = await self.client.get(f"/v1/api/apps/{quote(app_id, safe='')}/{path}", params)
        read = Reader(body)
        message = safe_text((read.text("message") or "").strip(), SAID)
        result = read.raw.get("result")
        failed = message and (read.number("code") or 200) != 200
        if "result" in read.raw and not (failed and is_empty(result)):
            if isinstance(result, dict) and "id" not in result:
                result = next((v for v in result.values() if isinstance(v, list)), result)
            return bounded_rows(result)
        if message:
            raise Rejected("CINNOX says no", f"{message.rstrip('.')}.")
        raise BadAnswer("Not a CINNOX answer", f"{self.client.host} sent JSON without `result`.")

    async def _learn_staff(self, records: Iterable[Record]) -> tuple[str, ...]:
        """Read the staff list, once a run, when an id without a name shows up. What is worth
        saying where it cannot be had: that costs names alone.
        """
        ids = {id_ for row in records for name in _STAFF_IDS if (id_ := to_text(row.get(name)))}
        known = self.names.known
        unknown = {i for i in ids if ("staff", i) not in known and word(i) not in _PARTIES}
        if not unknown or self._staff_asked:
            return ()
        self._staff_asked = True
        try:
            listed = await self._list_staff()
        except ProviderError as error:
            return (f"the staff list cannot be had, so ids stand for names: {error}",)
        for id_ in unknown - listed:
            self.names.put("staff", id_, {})  # not asked for again until another one shows up
        return ()

    async def _list_staff(self) -> set[str]:
        """Keep the names of all staff; their ids. Raises `ProviderError`."""
        listed, offset = set[str](), 0
        for _ in range(MAX_STAFF_PAGES):
            paging = [("offset", str(offset)), ("limit", str(LIMIT))]
            found = await self._ask("contacts/staffcontact-list", paging)
            before = len(listed)
            listed |= {id_ for row in objects(found) if (id_ := self._put_staff(Reader(row)))}
            offset += len(found)
            if len(listed) == before:  # an empty page, or the same one again
                break
        else:
            raise BadAnswer("List without end", f"{self.client.host} lists staff without end.")
        if offset and not listed:
            raise BadAnswer("Not a staff list", f"{self.client.host} sent staff without ids.")
        return listed

    def _put_staff(self, read: Reader) -> str | None:
        """Keep a member of staff; the id, if there is one."""
        id_ = read.text("id")
        name = read.text("displayName") or joined(read.text("firstName"), read.text("lastName"))
        if id_:
            self.names.put("staff", id_, {"id": id_} | ({"name": name} if name else {}))
        return id_

    def _parties(self, leg: Reader, direction: str | None) -> tuple[Contact, CompanyNumber]:
        """The outside party of the first leg, and the company's own number."""
        trunk = leg.text("callPrepareFromNum")
        if direction not in _CONTACT:
            return Contact(), CompanyNumber(number=trunk)
        outside, side, inside = _CONTACT[direction]
        name = joined(leg.text(f"{outside}FirstName"), leg.text(f"{outside}LastName"))
        contact = Contact(name=name or leg.text(f"{side}DisplayName"), number=leg.text(outside))
        return contact, CompanyNumber(number=leg.text(inside) or trunk)

    def _agents(self, legs: list[Reader], direction: str | None) -> tuple[Agent, ...]:
        """The staff side of every leg, then whoever handled the call last. Of several legs also
        one without an agent: how it ended is part of the call.
        """
        found: dict[Agent, None] = {}
        for leg in legs:
            own = _direction(leg) or direction
            for side in _STAFF_SIDES.get(own, ()):
                agent = self._agent(leg, side)
                if agent.id or (agent.name and agent.role) or (len(legs) > 1 and agent.status):
                    found[agent] = None
        for leg in legs:
            handler = leg.text("lastHandledParty")
            if handler and all(agent.id != handler for agent in found):
                found[Agent(id=handler, name=self.names.get("staff", handler))] = None
        return tuple(found)

    def _agent(self, leg: Reader, side: str) -> Agent:
        id_ = leg.text(f"{side}EID")
        outcome = OUTCOMES.get(word(leg.text("status")))
        return Agent(
            id=id_,
            name=self._name(leg, side),
            role=leg.text(f"{side}Role") or leg.text(f"{side}RoleName"),
            department=leg.text(f"{side}Department"),
            started_at=leg.time("callDate"),
            ended_at=leg.time("callEndTime"),
            answered=None if outcome is None else outcome == Outcome.ANSWERED,
            status=leg.text("status"),
            hangup_reason=leg.text("byeReason"),
            hangup_code=leg.text("lastResponseCode"),
        )

    def _hangup(self, legs: list[Reader], direction: str | None, contact: Contact) -> Hangup:
        """How the leg that ended last did, and by whom."""
        last = max(legs[::-1], key=lambda leg: leg.time("callEndTime") or _NEVER)
        by, name = self._released(last, legs, _direction(last) or direction, contact)
        return Hangup(by, last.text("byeReason"), last.text("lastResponseCode"), name)

    def _released(
        self, last: Reader, legs: list[Reader], direction: str | None, contact: Contact
    ) -> tuple[str | None, str | None]:
        """Who ended a leg, and that one's name, else the id: a staff id here,
        ``Caller``/``Callee`` in the call log.
        """
        party = last.text("releaseParty")
        if party is None:
            return None, None
        for leg in (last, *legs):
            for side in ("from", "to"):
                if leg.text(f"{side}EID") == party:
                    return "agent", self._name(leg, side) or party
        handlers = {leg.text("lastHandledParty") for leg in legs}
        if party in handlers or self.names.known.get(("staff", party)):
            return "agent", self.names.get("staff", party) or party
        by = _RELEASED.get((direction, word(party)))
        if by == "agent":
            return by, self._name(last, _PARTIES[word(party)])
        if by == "customer" or party == contact.number:
            return "customer", contact.name
        return "unknown", party

    def _name(self, leg: Reader, side: str) -> str | None:
        """The name of a member of staff at one side of a leg."""
        return leg.text(f"{side}DisplayName") or self.names.get("staff", leg.text(f"{side}EID"))

    def _found(self, legs: list[Reader]) -> _Found:
        """What was recorded, and which files there are. ``isRecording`` without a file is one
        that is still to come.
        """
        events: dict[RecordingEvent, None] = {}
        files: dict[Recording | str, Recording] = {}
        said: list[bool | None] = []
        for leg in legs:
            before = len(files)
            for event in leg.objects("recordingEventList"):
                times = RecordingEvent(
                    event.text("recorderEID"), event.time("startAt"), event.time("endAt")
                )
                if times != RecordingEvent():
                    events[times] = None
                for file in event.objects("files"):
                    recording = self._recording(file, times)
                    files.setdefault(recording.id or recording, recording)
            flags = {leg.boolean("hasAudioFile"), leg.boolean("isRecording")}
            some = len(files) > before or True in flags
            said.append(True if some else False if False in flags else None)
        known = True if True in said else False if set(said) == {False} else None
        return _Found(tuple(events), tuple(files.values()), known)

    def _recording(self, file: Reader, event: RecordingEvent) -> Recording:
        """One of ``files[]``: its duration is in milliseconds, its type 2 (video) or 3 (audio)."""
        type_, address = file.text("type"), file.text("downloadUrl")
        return Recording(
            id=file.text("id"),
            url=absolute_url(address, self.login.base_url) if address else None,
            name=file.text("name"),
            duration_s=file.seconds("duration", per_second=1000),
            mime=file.text("mimeType"),
            size=file.integer("size"),
            media=_MEDIA.get(type_ or "", type_),
            started_at=event.started_at,
            ended_at=event.ended_at,
            agent_id=event.recorder,
            private=file.boolean("isPrivate"),
        )


def _period(query: CallQuery) -> list[tuple[str, str]]:
    """RFC 3339 with milliseconds, the end rounded up."""
    since = query.since.astimezone(UTC)
    until = query.until.astimezone(UTC)
    if rest := until.microsecond % 1000:
        until += timedelta(microseconds=1000 - rest)
    return [
        (key, time.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        for key, time in (("startAt", since), ("endAt", until))
    ]


def _unreadable(page: list[Json]) -> tuple[str, ...]:
    return tuple(
        f"record {number} of a page: not an object"
        for number, row in enumerate(page, 1)
        if not isinstance(row, dict)
    )


def _legs(raw: Json, problems: list[str]) -> list[Reader]:
    """Readers of a call's records in order; they share one list of problems."""
    records = ordered(record for record in objects(raw) if not is_left_out(record))
    many = len(records) > 1
    return [
        Reader(record, f"leg {number} " if many else "", problems)
        for number, record in enumerate(records, 1)
    ]


def _direction(leg: Reader) -> str | None:
    if word(leg.text("callType")) == "onnet" and leg.text("fromEID") and leg.text("toEID"):
        return Direction.INTERNAL
    text = leg.text("callDirection")
    return _DIRECTIONS.get(word(text), text)


def _deciding(legs: list[Reader]) -> Reader:
    """The leg whose status is the call's: one that still runs, or else the last connected one,
    or else the last.
    """
    running = [leg for leg in legs if is_running(leg)]
    connected = [leg for leg in legs if word(leg.text("status")) == "callended"]
    return (running or connected or legs)[-1]


def _outcome(legs: list[Reader]) -> Outcome:
    if any(map(is_running, legs)):
        return Outcome.IN_PROGRESS
    if any(word(leg.text("recordType")) == "voicemail" for leg in legs):
        return Outcome.VOICEMAIL
    return OUTCOMES.get(word(_deciding(legs).text("status")), Outcome.UNKNOWN)


def _own_fields(legs: list[Reader]) -> dict[str, Json]:
    """The vendor's own fields; a list where the legs differ."""
    said = {name: dict.fromkeys(filter(None, (leg.text(name) for leg in legs))) for name in _OWN}
    return {name: [*v] if len(v) > 1 else next(iter(v)) for name, v in said.items() if v}
