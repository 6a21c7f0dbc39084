"""Liner's API as https://docs.linerapp.io/devs/api documents it, contradictions included.

Where the documents are silent, this server decides: calls come newest first; the period includes
both ends; lead, order, user and status filters all have to match; `next` is always offset + limit,
as in every example; more than 100 items is an error; `callId` is required for recordings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from providers.sandbox.media import Library, Sound, Take, takes
from providers.sandbox.server import Answer, Request
from providers.sandbox.world import CAMPAIGNS, LINES, Agent, Call, World

Row = dict[str, Any]

FIRST_CALL, FIRST_RECORD, FIRST_LEAD, FIRST_USER, FIRST_LINE = 918_001, 5_001, 70_001, 101, 451
FIRST_ORDER = 201

# id, code, title, system status, and the code of the lead status that follows from it
_STATUSES = (
    (11, "processing", "In progress", True, None),
    (12, "answered", "Answered", False, None),
    (13, "no-answer", "No answer", True, None),
    (14, "busy", "Busy", True, None),
    (15, "callback", "Call back later", False, "in-progress"),
    (16, "qualified", "Qualified", True, "qualified"),
    (17, "disqualified", "Disqualified", True, "disqualified"),
    (18, "voicemail", "Voicemail", False, None),
    (19, "client-hung-up", "Client hung up while waiting", False, None),
    (20, "connection-failed", "Connection failed", True, None),
    (21, "declined", "Declined", False, None),
    (22, "escalated", "Escalated → team lead", False, "in-progress"),
)
_STATUS_IDS = {code: id_ for id_, code, *_ in _STATUSES} | {"retired": 99}
_BY_OUTCOME = {
    "live": "processing",
    "missed": "no-answer",
    "cancelled": "no-answer",
    "busy": "busy",
    "voicemail": "voicemail",
    "abandoned": "client-hung-up",
    "failed": "connection-failed",
    "declined": "declined",
}
_BY_TOPIC = {
    "Sale": "qualified",
    "Cancellation saved": "qualified",
    "Appointment": "qualified",
    "Not interested": "disqualified",
    "Cancellation": "disqualified",
    "Wrong number": "disqualified",
    "Callback requested": "callback",
    "Complaint": "escalated",
    "Survey": "retired",  # deleted since: no dictionary knows it any more
}
_LEAD_STATUSES = (
    (10, "in-progress", "In progress", "in-progress", "#3498db"),
    (20, "qualified", "Qualified", "qualified", "#2ecc71"),
    (30, "disqualified", "Disqualified", "disqualified", "#e74c3c"),
)
_INITIATORS = {"customer": "client", "agent": "operator", "system": "system"}
_GROUPS = {"ADMIN": "admin", "SUPERVISOR": "call-center-senior", "AGENT": "call-center"}

# The documents' own example objects; what is of interest is written over.
_USER = json.loads("""{
    "id": 0, "name": "", "lastName": "", "secondName": null, "email": "", "isActive": true,
    "accessGroup": "call-center", "webRtcEnabled": true, "interfaceLanguageCode": "en",
    "languageSkillCodes": ["en"], "autoAnswer": 0, "phoneMode": "default", "avatarUrl": null,
    "telegramNotificationsEnabled": false, "telegramChatId": null,
    "telegramNotificationsType": null, "emailNotificationsEnabled": false,
    "emailNotificationsType": null, "lastLoginAt": "", "lastActivityAt": "",
    "createdAt": "2024-01-01T00:00:00Z"}""")
_ORDER = json.loads("""{
    "id": 0, "code": "", "serviceTitle": "Internal name", "title": "",
    "callSchedule": [["09:00", "18:00"]], "callHolidayOverrides": ["2026-01-01"],
    "autoDialingEnabled": true, "predictiveModeEnabled": false, "aiModeEnabled": false,
    "standaloneAiModeEnabled": false, "aiModePrompt": "", "aiModeFirstPhrase": "",
    "aiDefaultLanguage": "gb", "amdDetectionEnabled": false,
    "callRecordRule": "client_is_connected", "callCenterPhone": "",
    "additionalCallCenterPhones": [], "sipEndpointUsageScheme": "random_default",
    "agentUserIds": []}""")
_LEAD = json.loads("""{
    "id": 0, "name": "", "phone": "", "sourceComment": "", "ip": "192.0.2.10",
    "externalIdBitrix24": "B24-001", "externalIdAmo": null, "externalIdMacro": null,
    "externalIdDomoplaner": null, "statusId": 10, "leadType": "straight", "createMethod": "api",
    "isSecondary": false, "planningCallDateTime": null, "priority": 0, "utcOffset": 3,
    "createdAt": "", "updatedAt": "", "orderId": 0, "orderCode": "", "vkId": null,
    "instagramLogin": null, "telegramUserName": null, "telegramPhone": null,
    "customValues": {"10": "example value"}}""")


class Refused(Exception):
    """A request that the vendor refuses: HTTP status and its words."""


class Liner:
    """The tenant's data, and the answers to requests. Immutable once made."""

    def __init__(self, world: World, media_url: str, token: str) -> None:
        self._world, self._media, self._token = world, media_url, token
        self._library = Library(world.seed, "liner")
        calls = {FIRST_CALL + call.index: call for call in reversed(world.calls("liner"))}
        self.details = {id_: _detail(id_, call) for id_, call in calls.items()}
        """Every call with every field that any of the documents has, the newest first."""
        self.records: dict[int, Row] = {}
        """Every recording by its id."""
        self._records_of: dict[int, list[Row]] = {}
        for id_, call in reversed(calls.items()):
            self._records_of[id_] = [self._record_row(id_, call, take) for take in takes(call)]
        self.users = {row["id"]: row for row in map(self._user_row, world.team("liner"))}
        self.orders = [self._order_row(n, title) for n, title in enumerate(CAMPAIGNS)]
        self.leads = {row["id"]: row for row in self._lead_rows(calls.values())}
        self._voicemails = {id_ for id_, call in calls.items() if call.outcome == "voicemail"}
        self._select = lru_cache(8)(self._find_calls)
        self._routes = [(re.compile(path), handle) for path, handle in self._paths().items()]

    def _paths(self) -> Mapping[str, Callable[..., Any]]:
        """Dictionaries differ between a page's heading and its example: one of both works."""
        return {
            r"/v1/health/check/": lambda request: "ok",
            r"/v1/order/list/": lambda request: self._short_orders(),
            r"/v2/call/": self._list_calls,
            r"/v2/call/detail/(\d+)/": lambda _, id_: detailed(_known(self.details, id_, "Call")),
            r"/v2/call-record/": self._list_records,
            r"/v2/call-record/detail/(\d+)/": lambda _, id_: _known(self.records, id_, "Record"),
            r"/v2/call-statuses/": lambda request: call_statuses(),
            r"/v2/lead-status(?:es)?/": lambda request: lead_statuses(),
            r"/v2/sip-endpoint/": lambda request: sip_endpoints(),
            r"/v2/user/list/": self._list_users,
            r"/v2/user/detail/(\d+)/": lambda _, id_: _known(self.users, id_, "User"),
            r"/v2/order/": lambda request: _page(request, self.orders),
            r"/v2/lead/": self._list_leads,
            r"/v2/lead/detail/(\d+)/": lambda _, id_: _known(self.leads, id_, "Lead"),
        }

    def answer(self, request: Request) -> Answer:
        """What the vendor says; every body is the documented envelope."""
        try:
            if request.headers.get("x-api-key") != self._token:
                raise Refused(401, "Invalid API key")
            if request.method != "GET":
                raise Refused(405, "Method not allowed")
            for path, handle in self._routes:
                if match := path.fullmatch(request.path):
                    data = handle(request, *match.groups())
                    return Answer(200, {"success": True, "message": "", "data": data})
                if path.fullmatch(request.path + "/"):
                    query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
                    return Answer(301, b"", {"Location": f"{request.path}/{query}"})
            raise Refused(404, "Method not found")
        except Refused as error:
            status, message = error.args
            return Answer(status, refusal(status, message))

    @property
    def calls(self) -> list[Row]:
        """The calls as the list serves them, the newest first."""
        return list(map(listed, self.details.values()))

    @property
    def sounds(self) -> dict[str, Sound]:
        """The files behind the recordings, by path on the media origin."""
        return self._library.sounds

    def recordings(self, call_id: int) -> list[Row]:
        """A call's recordings as the list serves them."""
        return list(map(recorded, self._records_of.get(call_id, ())))

    def _list_calls(self, request: Request) -> Row:
        since, until = _period(request, required=True)
        names = ("leadIds", "orderIds", "userIds", "statusIds")
        leads, orders, users, statuses = (_ids(request, name) for name in names)
        if not leads and not orders:
            raise Refused(400, "leadIds or orderIds is required")
        page = _page(request, self._select(since, until, leads, orders, users, statuses))
        return page | {"list": list(map(listed, page["list"]))}

    def _find_calls(self, since: str, until: str, *wanted: frozenset[int]) -> list[Row]:
        keys = ("leadId", "orderId", "userId", "statusId")
        filters = [(key, ids) for key, ids in zip(keys, wanted, strict=True) if ids]
        return [
            row
            for row in self.details.values()
            if since <= row["createdAt"] <= until and all(row[k] in ids for k, ids in filters)
        ]

    def _list_records(self, request: Request) -> Row:
        text = request.first("callId")
        if not _positive(text):
            raise Refused(400, "callId is required and must be greater than 0")
        rows = self.recordings(int(text))
        if request.first("isAmd") in ("1", "true") and int(text) not in self._voicemails:
            rows = []
        return _page(request, rows)

    def _list_users(self, request: Request) -> Row:
        group, active = request.first("accessGroup"), request.first("isActive").lower()
        rows = [
            row
            for row in self.users.values()
            if group in ("", row["accessGroup"])
            and (not active or row["isActive"] == (active in ("1", "true")))
        ]
        return _page(request, rows)

    def _list_leads(self, request: Request) -> Row:
        since, until = _period(request, required=False)
        orders, statuses = _ids(request, "orderIds"), _ids(request, "statusIds")
        rows = [
            row
            for row in self.leads.values()
            if since <= row["createdAt"] <= until
            and (not orders or row["orderId"] in orders)
            and (not statuses or row["statusId"] in statuses)
        ]
        return _page(request, rows)

    def _short_orders(self) -> list[Row]:
        keys = ("id", "title", "code")
        return [{key: row[key] for key in keys} | {"callsAllowed": True} for row in self.orders]

    def _record_row(self, call_id: int, call: Call, take: Take) -> Row:
        id_ = FIRST_RECORD + len(self.records)
        style = "mp3-phone" if id_ % 3 == 0 else "mp3-sides"
        if style == "mp3-sides" and take.seconds > 60:
            style = "mp3-sides-long"  # at 44.1 kHz a minute takes a second to encode
        path = f"/records/{{secret}}/{call_id}-{id_}.mp3"
        self.records[id_] = {
            "id": id_,
            "userId": FIRST_USER + take.leg.agent.number if take.leg else None,
            "leadId": _lead_of(call),
            "isTransfer": take.transfer,
            "durationSeconds": take.seconds,
            "fileUrl": self._media + self._library.add(path, call, take, style).path,
            "recordSummary": call.hostile or (call.topic.summary if id_ % 5 < 3 else None),
            "createdAt": _iso(call.started + timedelta(seconds=take.start_s)),
        }
        return self.records[id_]

    def _user_row(self, agent: Agent) -> Row:
        seen = _iso(self._world.now - timedelta(minutes=7 * agent.number))
        row: Row = _USER | {
            "id": FIRST_USER + agent.number,
            "name": agent.first,
            "lastName": agent.last,
            "email": agent.email,
            "isActive": agent.number != 11,
            "accessGroup": _GROUPS[agent.role],
            "lastLoginAt": seen,
            "lastActivityAt": seen,
        }
        return row

    def _order_row(self, number: int, title: str) -> Row:
        row: Row = _ORDER | {
            "id": FIRST_ORDER + number,
            "code": f"order-{FIRST_ORDER + number}",
            "title": title,
            "callCenterPhone": LINES[0][1],
            "predictiveModeEnabled": number % 2 == 0,
            "agentUserIds": list(self.users),
        }
        return row

    def _lead_rows(self, calls: Iterable[Call]) -> list[Row]:
        """Everybody is a lead; a call with a hostile text has a lead of its own."""
        people = [(FIRST_LEAD + c.number, c.number, c.name, c.phone) for c in self._world.customers]
        people += [
            (_lead_of(call), call.customer.number, call.hostile, call.customer.phone)
            for call in calls
            if call.hostile
        ]
        return [self._lead_row(*person) for person in people]

    def _lead_row(self, id_: int, customer: int, name: str, phone: str) -> Row:
        order = FIRST_ORDER + customer % len(CAMPAIGNS)
        created = self._world.now - timedelta(days=8 + id_ % 40, minutes=id_ % 700)
        row: Row = _LEAD | {
            "id": id_,
            "name": name,
            "phone": phone,
            "statusId": _LEAD_STATUSES[id_ % 3][0],
            "planningCallDateTime": _iso(created + timedelta(days=60)) if id_ % 11 == 0 else None,
            "createdAt": _iso(created),
            "updatedAt": _iso(created),
            "orderId": order,
            "orderCode": f"order-{order}",
        }
        return row


def refusal(status: int, message: str = "") -> Row:
    """The documented envelope of a failure; `data` in it is not documented."""
    return {"success": False, "message": message or f"Error {status}", "data": None}


def listed(row: Row) -> Row:
    """A call in the list: every third like the page's example, the others like its table."""
    hidden = ("orderId", "statusId", "hasRecords") if row["id"] % 3 == 0 else ("statusCode",)
    return {key: value for key, value in row.items() if key not in hidden}


def detailed(row: Row) -> Row:
    """A call as its own page's example gives it."""
    return {key: value for key, value in row.items() if key != "statusId"}


def recorded(row: Row) -> Row:
    """A recording in the list: the odd ones in the shorter of the page's two versions."""
    hidden = ("userId", "leadId", "recordSummary") if row["id"] % 2 else ()
    return {key: value for key, value in row.items() if key not in hidden}


def call_statuses() -> list[Row]:
    """The tenant's own outcomes of a call."""
    return [
        {
            "id": id_,
            "code": code,
            "title": title,
            "description": f"{title}.",
            "sort": id_ * 10,
            "commentRequired": code in ("callback", "escalated"),
            "isAvailableForAi": True,
            "agentCallAvailability": "always",
            "leadStatusCode": lead,
            "planningTimeRequired": code == "callback",
            "isSystem": system,
        }
        for id_, code, title, system, lead in _STATUSES
    ]


def lead_statuses() -> list[Row]:
    """The states of a lead."""
    keys = ("id", "code", "title", "category", "color")
    return [
        dict(zip(keys, values, strict=True)) | {"sort": values[0], "isSystem": True}
        for values in _LEAD_STATUSES
    ]


def sip_endpoints() -> list[Row]:
    """The company's lines; the first holds SIP credentials, which nobody should ever show."""
    secret = {"login": "desk", "password": "fake-sip-password"}
    return [
        {
            "id": FIRST_LINE + n,
            "title": title,
            "orderId": None,
            "connectionType": "pstn" if n else "sip-reg",
            "params": {"phone": phone} | ({} if n else secret),
            "isDefault": n == 0,
            "outgoing": True,
            "incoming": True,
            "channels": 2 + n,
        }
        for n, (title, phone) in enumerate(LINES)
    ]


def _detail(id_: int, call: Call) -> Row:
    code = _BY_OUTCOME.get(call.outcome) or _BY_TOPIC.get(call.topic.code, "answered")
    return {
        "id": id_,
        "sipEndpointId": FIRST_LINE + LINES.index(call.line),
        "finishInitiator": None if call.outcome == "live" else _INITIATORS[call.hung_up],
        "direction": "incoming" if call.inbound else "outgoing",
        "leadId": _lead_of(call),
        "userId": FIRST_USER + call.legs[0].agent.number if call.legs else None,
        "orderId": FIRST_ORDER + call.customer.number % len(CAMPAIGNS),
        "statusId": _STATUS_IDS[code],
        "statusCode": code,
        "totalDurationSeconds": call.wait_s + call.talk_s,
        "waitTimeDurationSeconds": call.wait_s,
        "talkTimeDurationSeconds": call.talk_s,
        "isPredictive": not call.inbound and call.index % 4 == 0,
        "clientPhone": call.customer.phone,
        "hasRecords": call.recorded,
        "createdAt": _iso(call.started),
    }


def _lead_of(call: Call) -> int:
    return FIRST_LEAD + (1_000_000 + call.index if call.hostile else call.customer.number)


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _period(request: Request, *, required: bool) -> tuple[str, str]:
    """The period's ends in the form of `createdAt`, which sorts as it reads."""
    texts = [request.first(f"createdAt[{n}]") for n in (0, 1)]
    if not any(texts) and not required:
        return "", "~"
    if not all(texts):
        raise Refused(400, "createdAt[0] and createdAt[1] are required")
    try:
        times = [datetime.fromisoformat(text) for text in texts]
    except ValueError:
        raise Refused(400, "createdAt must be in ISO 8601 format") from None
    since, until = (_iso(t if t.tzinfo else t.replace(tzinfo=UTC)) for t in times)
    return since, until


def _ids(request: Request, name: str) -> frozenset[int]:
    """``name[]=1&name[]=2`` or ``name[0]=1&name[1]=2``, as PHP reads both."""
    form = re.compile(rf"{name}\[\d*\]")
    texts = [t for key, values in request.query.items() if form.fullmatch(key) for t in values]
    if not all(map(_positive, texts)):
        raise Refused(400, f"{name} must be greater than 0")
    return frozenset(map(int, texts))


def _positive(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,18}", text) is not None and int(text) > 0


def _page(request: Request, rows: list[Row]) -> Row:
    offset, limit = request.first("offset", "0"), request.first("limit", "50")
    if not ((offset == "0" or _positive(offset)) and _positive(limit) and int(limit) <= 100):
        raise Refused(400, "offset must be 0 or more and limit between 1 and 100")
    start, end = int(offset), int(offset) + int(limit)
    return {"list": rows[start:end], "next": end, "total": len(rows)}


def _known(rows: Mapping[int, Row], id_: str, what: str) -> Row:
    if int(id_) not in rows:
        raise Refused(404, f"{what} not found")
    return rows[int(id_)]
