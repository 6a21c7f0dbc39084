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

from providers.base import Login, Secret
from providers.errors import (
    AuthError,
    BadAnswer,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.fields import Reader, clean, first_text, joined, made_id, rows, to_text, word
from providers.http import HttpProvider, Params
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

LIMIT = 500
MAX_PAGES = 10_000
_DIRECTIONS = {"inbound": Direction.INBOUND, "outbound": Direction.OUTBOUND}
_OUTCOMES = {
    "callended": Outcome.ANSWERED,
    "notanswered": Outcome.MISSED,
    "busy": Outcome.BUSY,
    "declined": Outcome.DECLINED,
    "cancelled": Outcome.CANCELLED,
    "abandoned": Outcome.ABANDONED,
    "unreachable": Outcome.FAILED,
    "callfailed": Outcome.FAILED,
}
_MEDIA = {"2": "video", "3": "audio"}
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


class Cinnox(HttpProvider):
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
    busy_codes: ClassVar[Mapping[int, type[ProviderError]]] = {
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
        """Walk the records of a period, 500 a page, grouped into calls by ``callID``.

        The end is a page with fewer records than were asked for; there is no total.
        """
        offset = int(cursor) if cursor and cursor.isdecimal() else 0
        period, seen, before = _period(query), set[str](), list[Json]()
        for _ in range(MAX_PAGES):
            paging = [("offset", str(offset)), ("limit", str(LIMIT))]
            found = await self._ask("data/call-detail", [*period, *paging])
            repeated = bool(found) and found == before  # the offset is ignored
            done = len(found) < LIMIT or repeated
            offset, before = offset + len(found), found
            fresh = [row for row in found if isinstance(row, dict) and _new(row, seen)]
            failed = await self._learn_staff(fresh)
            yield Page(
                tuple(self.parse(records) for records in _grouped(fresh)),
                None if done else str(offset),
                unreadable=tuple(
                    f"record {number} of a page: not an object"
                    for number, row in enumerate(found, 1)
                    if not isinstance(row, dict)
                ),
                failed=failed,
            )
            if done:
                return
        raise BadAnswer("List without end", f"CINNOX sent {MAX_PAGES:,} full pages.")

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
        legs = _legs(raw)
        if not legs:
            raise ValueError("a CINNOX call is a list of records")
        first, last = legs[0], legs[-1]
        direction = _direction(first)
        started = min(filter(None, [leg.time("callDate") for leg in legs]), default=None)
        ended = max(filter(None, [leg.time("callEndTime") for leg in legs]), default=None)
        duration = (ended - started).total_seconds() if started and ended else None
        if duration is not None and duration < 0:
            last.note("callEndTime", "before callDate")
            duration = None
        id_ = _call_id(first.raw)
        if id_.startswith("no-id-"):
            first.note("callID", "missing")
        contact, company = self._parties(first, direction)
        found = _found(legs)
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
            hangup=Hangup(
                by=self._released(legs, direction),
                reason=last.text("byeReason"),
                code=last.text("lastResponseCode"),
            ),
            has_recording=found.any,
            recording_events=found.events,
            recordings=found.files,
            history_id=first.text("hid"),
            problems=tuple(first.problems),
            raw=[leg.raw for leg in legs],
        )

    def merge(self, older: Json, newer: Json) -> Json:
        """The records of both by their `id`, the newer one's where both have it, in order."""
        records = {_key(row): row for raw in (older, newer) for row in _objects(raw)}
        return _ordered(records.values())

    async def _ask(self, path: str, params: Params) -> list[Json]:
        """The rows of ``result``; its presence alone means success, whatever `code` says."""
        app_id = (self.login.settings.get("app_id") or "").strip()
        if not app_id:
            raise ProviderError(
                "App ID missing",
                "CINNOX needs the App ID beside the token.",
                "Set the account's app_id (--app-id).",
            )
        body = await self.client.get(f"/v1/api/apps/{quote(app_id, safe='')}/{path}", params)
        if isinstance(body, dict) and "result" in body:
            result = body["result"]
            if isinstance(result, dict) and "id" not in result:
                result = next((v for v in result.values() if isinstance(v, list)), result)
            return rows(result)
        read = Reader(body)
        message = clean(read.text("message") or "")
        if read.text("code") in ("401", "403"):
            raise AuthError("Token refused", message, "Check the account's token.")
        if message:
            raise Rejected("CINNOX says no", f"{message.rstrip('.')}.")
        raise BadAnswer("Not a CINNOX answer", f"{self.client.host} sent JSON without `result`.")

    async def _learn_staff(self, records: Iterable[dict[str, Json]]) -> tuple[str, ...]:
        """Read the staff list, once a run, when an id without a name shows up."""
        keys = ("fromEID", "toEID", "lastHandledParty", "releaseParty")
        ids = {id_ for row in records for key in keys if (id_ := to_text(row.get(key)))}
        unknown = {id_ for id_ in ids if ("staff", id_) not in self.names.known}
        if not unknown or self._staff_asked:
            return ()
        self._staff_asked = True
        try:
            for page in range(MAX_PAGES):
                paging = [("offset", str(page * LIMIT)), ("limit", str(LIMIT))]
                found = await self._ask("contacts/staffcontact-list", paging)
                fresh = [self._put_staff(row) for row in found if isinstance(row, dict)]
                if len(found) < LIMIT or not any(fresh):
                    break
        except ProviderError as error:
            return (f"names (staff): {error}",)
        return ()

    def _put_staff(self, row: dict[str, Json]) -> bool:
        """Keep a member of staff; False when nothing was learned."""
        read = Reader(row)
        id_ = read.text("id")
        name = read.text("displayName") or joined(read.text("firstName"), read.text("lastName"))
        before = len(self.names.fresh)
        if id_:
            self.names.put("staff", id_, {"name": name} if name else {})
        return len(self.names.fresh) > before

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
        """The staff side of every leg, then whoever handled the call last."""
        found: dict[Agent, None] = {}
        for leg in legs:
            own = _direction(leg) or direction
            for side in _STAFF_SIDES.get(own, ()):
                agent = self._agent(leg, side)
                if agent.id or (agent.name and agent.role):
                    found[agent] = None
        for leg in legs:
            handler = leg.text("lastHandledParty")
            if handler and all(agent.id != handler for agent in found):
                found[Agent(id=handler, name=self.names.get("staff", handler))] = None
        return tuple(found)

    def _agent(self, leg: Reader, side: str) -> Agent:
        id_ = leg.text(f"{side}EID")
        outcome = _OUTCOMES.get(word(leg.text("status")))
        return Agent(
            id=id_,
            name=leg.text(f"{side}DisplayName") or self.names.get("staff", id_),
            role=leg.text(f"{side}Role") or leg.text(f"{side}RoleName"),
            department=leg.text(f"{side}Department"),
            started_at=leg.time("callDate"),
            answered=None if outcome is None else outcome == Outcome.ANSWERED,
        )

    def _released(self, legs: list[Reader], direction: str | None) -> str | None:
        """Who ended the last leg: a staff id here, ``Caller``/``Callee`` in the call log."""
        party = legs[-1].text("releaseParty")
        if party is None:
            return None
        keys = ("fromEID", "toEID", "lastHandledParty")
        staff = {leg.text(key) for leg in legs for key in keys}
        if party in staff or self.names.known.get(("staff", party)):
            return "agent"
        return _RELEASED.get((direction, word(party)), "unknown")


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


def _objects(raw: Json) -> list[dict[str, Json]]:
    return [row for row in rows(raw) if isinstance(row, dict)]


def _key(record: dict[str, Json]) -> str:
    return to_text(record.get("id")) or made_id(record)


def _new(record: dict[str, Json], seen: set[str]) -> bool:
    key = _key(record)
    fresh = key not in seen
    seen.add(key)
    return fresh


def _call_id(record: dict[str, Json]) -> str:
    return first_text(record, ("callID", "hid", "id")) or made_id(record)


def _grouped(records: Iterable[dict[str, Json]]) -> list[list[dict[str, Json]]]:
    calls: dict[str, list[dict[str, Json]]] = {}
    for record in records:
        calls.setdefault(_call_id(record), []).append(record)
    return list(calls.values())


def _ordered(records: Iterable[dict[str, Json]]) -> list[dict[str, Json]]:
    """By ``callSeq``; records without one last, by their date."""

    def place(record: dict[str, Json]) -> tuple[float, str]:
        number = Reader(record).number("callSeq")
        return float("inf") if number is None else number, str(record.get("callDate"))

    return sorted(records, key=place)


def _legs(raw: Json) -> list[Reader]:
    """Readers of a call's records in order; they share one list of problems."""
    records = _ordered(_objects(raw))
    problems: list[str] = []
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
    """The leg whose status is the call's: the last connected one, or else the last."""
    connected = [leg for leg in legs if word(leg.text("status")) == "callended"]
    return (connected or legs)[-1]


def _outcome(legs: list[Reader]) -> Outcome:
    if any(word(leg.text("recordType")) == "voicemail" for leg in legs):
        return Outcome.VOICEMAIL
    return _OUTCOMES.get(word(_deciding(legs).text("status")), Outcome.UNKNOWN)


def _found(legs: list[Reader]) -> _Found:
    events: list[RecordingEvent] = []
    files: dict[Recording | str, Recording] = {}
    said: list[bool | None] = []
    for leg in legs:
        before = len(files)
        for event in leg.objects("recordingEventList"):
            times = RecordingEvent(
                event.text("recorderEID"), event.time("startAt"), event.time("endAt")
            )
            if times not in (*events, RecordingEvent()):
                events.append(times)
            for file in event.objects("files"):
                recording = _recording(file, times)
                files.setdefault(recording.id or recording, recording)
        saved, recorded = leg.boolean("hasAudioFile"), leg.boolean("isRecording")
        said.append(
            True if len(files) > before else False if recorded is False and not saved else saved
        )
    known = True if True in said else False if set(said) == {False} else None
    return _Found(tuple(events), tuple(files.values()), known)


def _recording(file: Reader, event: RecordingEvent) -> Recording:
    """One of ``files[]``: its duration is in milliseconds, its type 2 (video) or 3 (audio)."""
    type_ = file.text("type")
    return Recording(
        id=file.text("id"),
        url=file.text("downloadUrl"),
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
