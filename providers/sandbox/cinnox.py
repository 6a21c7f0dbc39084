"""CINNOX's Open API as https://docs.cinnox.com documents it, contradictions included.

Where the documents are silent, this server decides: records come newest first, each leg of a
transferred call is a record of its own with the same `callID`; the period includes both ends; the
default `limit` is 50, as on the other list pages; a wrong token is 401, a wrong path 404, a wrong
app id 400. A recording is on the media origin, or, for some, on this origin behind the token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.sandbox.media import Files, Library, Sound, Take, serve, takes
from providers.sandbox.server import Answer, Request
from providers.sandbox.world import Agent, Call, Customer, Leg, World

Row = dict[str, Any]

APP_ID = "sandbox-app"
CALL_TYPES = ("offnet", "onnet", "smartcall")
_BAD = 6451000
_PENDING = timedelta(minutes=6)
"""How long after its end a call's files are not there yet."""

# status, lastResponseCode, byeReason (the documents name no reason; these are plausible)
_ENDINGS = {
    "answered": ("Call Ended", "200", "Normal Clearing"),
    "voicemail": ("Not Answered", "200", "Voicemail"),
    "missed": ("Not Answered", "480", "No Answer"),
    "busy": ("Busy", "486", "User Busy"),
    "declined": ("Declined", "603", "Call Rejected"),
    "cancelled": ("Cancelled", "487", "Originator Cancel"),
    "abandoned": ("Abandoned", "487", "Originator Cancel"),
    "failed": ("Unreachable", "404", "Subscriber Absent"),
}
_FAILED = ("Call Failed", "503", "Network Out Of Order")
_STYLES = ("mp4", "mp4-sides", "mp4-index-last", "mp4", "mp4-sides")
_RECORD = json.loads("""{
    "id": "", "hid": "", "svcID": "svc-210b", "date": "", "roomID": "", "seq": 0, "type": "call",
    "fromEID": "", "toEID": "", "fromSvcID": "", "toSvcID": "", "fromRegion": "", "callSeq": 1,
    "callID": "", "callDirection": "", "callType": "offnet", "fromIP": "203.0.113.7",
    "callPrepareFromNum": "", "caller": "", "callee": "", "callDate": "", "callEndTime": "",
    "status": "", "lastResponseCode": "", "byeReason": "", "releaseParty": "",
    "mediaType": "audio", "isRecording": false, "hasAudioFile": false, "recordingEventList": [],
    "recordType": "call", "fromRole": "", "toRole": "", "fromRoleName": "", "toRoleName": "",
    "fromDepartment": "", "toDepartment": "", "fromDisplayName": "", "toDisplayName": "",
    "lastHandledParty": "", "fromDepartmentID": "", "toDepartmentID": "", "callerFirstName": "",
    "callerLastName": "", "calleeFirstName": "", "calleeLastName": ""}""")
_STAFF = json.loads("""{
    "id": "", "status": "Activated", "firstName": "", "lastName": "", "email": "",
    "phone": 442079460000, "role": "Agent", "dataScope": "Department", "jobTitle": "",
    "timezone": "Asia/Hong_Kong", "extensionNumber": 0, "avatarUrl": "", "displayName": "",
    "twoFactorAuthentication": false, "microsoftActiveDirectory": false,
    "directStaffEnquiry": true, "directchatEnquiry": "", "directCallEnquiry": ""}""")
_LABELS = ("VIP", "Complaint", "Refund", "Follow up", "投訴")


class Refused(Exception):
    """A request that the vendor refuses: HTTP status, code and message."""


class Cinnox:
    """The app's data, and the answers to requests. Immutable once made."""

    def __init__(
        self, world: World, media_url: str, own_url: str, token: str, files: Files
    ) -> None:
        self._world, self._media, self._own = world, media_url, own_url
        self._token, self._files = token, files
        self._library = Library(world.seed, "cinnox")
        self.records = [
            record
            for call in world.calls("cinnox")
            if call.outcome != "live"
            for record in self._legs(call)
        ]
        """The records (legs) as they are served, the newest first."""
        self.records.sort(key=lambda row: (row["callDate"], row["id"]), reverse=True)
        self.staff = [_staff(agent) for agent in world.team("cinnox")]
        app = f"/v1/api/apps/{APP_ID}"
        self._routes = {
            f"{app}/data/call-detail": self._call_detail,
            f"{app}/contacts/staffcontact-list": self._staff_list,
            f"{app}/labels": self._labels,
        }

    @property
    def sounds(self) -> dict[str, Sound]:
        """The files behind the recordings, by path; those under ``/files/`` are on this origin."""
        return self._library.sounds

    def answer(self, request: Request) -> Answer:
        """What the vendor says: ``code`` and ``result``, or ``code`` and ``message``."""
        try:
            if request.headers.get("authorization") != f"Bearer {self._token}":
                raise Refused(401, 401, "Unauthorized")
            if request.path.startswith("/files/"):
                return self._file(request)
            handle = self._routes.get(request.path)
            if handle is None and request.path.startswith("/v1/api/apps/"):
                app = request.path.split("/")[4]
                if app != APP_ID:
                    raise Refused(400, 400, "Bad request")
            if handle is None or request.method != "GET":
                text = f"method not found, method: {request.method} url: {request.path}"
                raise Refused(404, 6450001, text)
            return Answer(200, {"code": 200, "result": handle(request)})
        except Refused as error:
            status, code, message = error.args
            return Answer(status, refusal(status, message, code))

    def _call_detail(self, request: Request) -> list[Row]:
        since, until = _period(request)
        type_, status = request.first("callType"), request.first("status").lower()
        if type_ and type_ not in CALL_TYPES:
            raise Refused(400, _BAD, "Bad query")
        rows = [
            row
            for row in self.records
            if since <= row["callDate"] <= until
            and type_ in ("", row["callType"])
            and status in ("", row["status"].lower())
        ]
        return _page(request, rows)

    def _staff_list(self, request: Request) -> list[Row]:
        wanted = request.first("fullName").lower()
        full = [(f"{row['firstName']} {row['lastName']}".lower(), row) for row in self.staff]
        return _page(request, [row for name, row in full if wanted in name])

    def _labels(self, request: Request) -> Row:
        rows = [
            {
                "id": f"lbl-{n}",
                "name": name,
                "colorName": ("red", "orange", "green", "blue", "purple")[n % 5],
                "createdBy": "staff-0001",
                "updatedBy": "staff-0001",
                "createdAt": "2023-05-01T08:00:00.000Z",
                "updatedAt": "2023-05-01T08:00:00.000Z",
            }
            for n, name in enumerate(_LABELS, 1)
        ]
        for key in ("id", "name"):
            rows = [row for row in rows if request.first(key) in ("", row[key])]
        return {"labelList": _page(request, rows)}

    def _file(self, request: Request) -> Answer:
        """A private file: some are sent from here, the others are a signed address elsewhere."""
        sound = self.sounds.get(request.path)
        if sound is not None and sound.number % 2:
            return Answer(302, b"", {"Location": self._media + sound.signed})
        return serve(request, self.sounds, self._files, trusted=True)

    # -- records

    def _legs(self, call: Call) -> list[Row]:
        """A record for every agent who had the call; one without an agent where nobody had."""
        files = list(takes(call))
        legs = call.legs if call.outcome == "answered" else call.legs[:1]
        if not legs:
            return [self._record(call, 1, None, files)]
        if call.outcome != "answered":
            return [self._record(call, 1, legs[0], files)]
        return [
            self._record(call, n, leg, [take for take in files if take.leg is leg])
            for n, leg in enumerate(legs, 1)
        ]

    def _record(self, call: Call, seq: int, leg: Leg | None, files: list[Take]) -> Row:
        secret = self._library.secret
        start = call.started + timedelta(seconds=leg.start_s if leg and seq > 1 else 0)
        end = call.started + timedelta(seconds=leg.start_s + leg.talk_s) if leg else call.ended
        if not call.talk_s:
            end = call.ended
        status, code, reason = _ending(call)
        ready = call.heard or end < self._world.now.astimezone(UTC) - _PENDING
        agents = [leg.agent for leg in call.legs]
        video = call.index % 17 == 3
        row: Row = _RECORD | {
            "id": secret("record", call.index, seq)[:24],
            "hid": secret("history", call.index)[:24],
            "date": start.strftime("%Y%m%d"),
            "roomID": f"room-{call.customer.number:04x}",
            "seq": call.index + 1,
            "callSeq": seq,
            "callID": _uuid(secret("call", call.index)),
            "callDirection": "Inbound" if call.inbound else "Outbound",
            "callType": "smartcall" if call.index % 10 == 4 else "offnet",
            "callDate": _rfc3339(start),
            "callEndTime": _rfc3339(end),
            "status": status,
            "lastResponseCode": code,
            "byeReason": reason,
            "releaseParty": _eid(leg.agent) if leg and call.hung_up == "agent" else "",
            "mediaType": "video" if video else "audio",
            "isRecording": bool(files),
            "hasAudioFile": bool(files) and ready,
            "recordingEventList": self._events(call, files, video) if ready else [],
            "recordType": "voicemail" if call.outcome == "voicemail" else "call",
            "lastHandledParty": _eid(agents[-1]) if agents else "",
        }
        return row | _parties(call, leg)

    def _events(self, call: Call, files: list[Take], video: bool) -> list[Row]:
        """Who recorded what; the last file of a call with a hostile text has it for a name."""
        return [
            {
                "recorderEID": _eid(take.leg.agent) if take.leg else "",
                "startAt": _rfc3339(call.started + timedelta(seconds=take.start_s)),
                "endAt": _rfc3339(call.started + timedelta(seconds=take.start_s + take.seconds)),
                "files": [self._file_row(call, take, video)],
                "code": 0,
            }
            for take in files
        ]

    def _file_row(self, call: Call, take: Take, video: bool) -> Row:
        private = call.index % 9 == 5
        path = "/files/{secret}" if private else "/v1/files/{secret}.mp4"
        style = "mp4-video" if video else _STYLES[call.index % len(_STYLES)]
        sound = self._library.add(path, call, take, style)
        kind = 2 if video else 3
        started = call.started + timedelta(seconds=take.start_s)
        return {
            "id": f"file-{sound.number:08x}",
            "name": call.hostile or started.strftime("%Y%m%d-%H%M%S.mp4"),
            "downloadUrl": (self._own if private else self._media) + sound.path,
            "duration": take.seconds * 1000,
            "mimeType": "video" if video else "mp4",
            "size": sound.size,
            "type": str(kind) if sound.number % 4 == 0 else kind,
            "isPrivate": True,
        }


def refusal(status: int, message: str = "", code: int = 0) -> Row:
    """The documented body of a failure."""
    return {"code": code, "message": message or f"Error {status}"}


def _ending(call: Call) -> tuple[str, str, str]:
    if call.outcome == "failed" and call.index % 2:
        return _FAILED
    return _ENDINGS[call.outcome]


def _parties(call: Call, leg: Leg | None) -> Row:
    """Both ends; one call in thirty is between colleagues, without a number from outside."""
    desk = _desk(leg.agent if leg else None, call.line[1])
    if call.index % 30 == 7 and leg is not None and not call.inbound:
        return _ends(desk, _colleague(leg.agent)) | {"callType": "onnet", "callPrepareFromNum": ""}
    outside = _outside(call)
    ends = _ends(outside, desk) if call.inbound else _ends(desk, outside)
    if call.index % 7 == 0:
        ends |= {key: int(ends[key]) for key in ("caller", "callee")}
    region = call.customer.region if call.inbound else ""
    return ends | {"callPrepareFromNum": call.line[1].lstrip("+"), "fromRegion": region}


def _ends(caller: Mapping[str, str], callee: Mapping[str, str]) -> Row:
    """The documented fields for both ends, from one description of each."""
    row: Row = {"caller": caller["number"], "callee": callee["number"]}
    for side, name, end in (("from", "caller", caller), ("to", "callee", callee)):
        fields = ("EID", "SvcID", "Role", "RoleName", "Department", "DepartmentID", "DisplayName")
        row |= {f"{side}{field}": end.get(field, "") for field in fields}
        row |= {f"{name}{field}": end.get(field, "") for field in ("FirstName", "LastName")}
    return row


def _desk(agent: Agent | None, number: str) -> dict[str, str]:
    end = {"number": number.lstrip("+"), "SvcID": "svc-210b"}
    if agent is None:
        return end
    return end | {
        "EID": _eid(agent),
        "Role": agent.role,
        "RoleName": agent.role.capitalize(),
        "Department": agent.department,
        "DepartmentID": f"dep-{agent.number % 4 + 11}",
        "DisplayName": agent.first,
        "FirstName": agent.first,
        "LastName": agent.last,
    }


def _colleague(agent: Agent) -> dict[str, str]:
    """Somebody in the office, reached by extension."""
    return {"number": f"10{(agent.number + 1) % 14:02d}", "DisplayName": "Ext", "SvcID": "svc-210b"}


def _outside(call: Call) -> dict[str, str]:
    customer: Customer = call.customer
    name = call.hostile or customer.name
    return {
        "number": customer.phone.lstrip("+"),
        "DisplayName": name if call.index % 6 else f"Visitor {customer.phone[-8:]}",
        "FirstName": call.hostile or customer.first,
        "LastName": "" if call.hostile else customer.last,
    }


def _staff(agent: Agent) -> Row:
    row: Row = _STAFF | {
        "id": _eid(agent),
        "status": "Suspended" if agent.number == 13 else "Activated",
        "firstName": agent.first,
        "lastName": agent.last,
        "email": agent.email,
        "role": agent.role.capitalize(),
        "jobTitle": agent.department,
        "extensionNumber": 1000 + agent.number,
        "displayName": agent.first,
    }
    return row


def _eid(agent: Agent) -> str:
    return f"staff-{agent.number + 1:04d}"


def _uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _rfc3339(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def _period(request: Request) -> tuple[str, str]:
    """The period's ends in the form of `callDate`, which sorts as it reads."""
    texts = request.first("startAt"), request.first("endAt")
    if not any(texts):
        return "", "~"
    if not all(texts):
        raise Refused(400, _BAD, "missing one of startAt, endAt")
    try:
        since, until = (datetime.fromisoformat(text) for text in texts)
        zoned = _rfc3339(since), _rfc3339(until)
    except ValueError:
        raise Refused(400, _BAD, "Bad query") from None
    if zoned[1] < zoned[0]:
        raise Refused(400, _BAD, "endAt is prior to startAt")
    return zoned


def _page(request: Request, rows: list[Row]) -> list[Row]:
    numbers = {}
    for name, default in (("offset", "0"), ("limit", "50")):
        try:
            numbers[name] = int(request.first(name, default))
        except ValueError:
            raise Refused(400, _BAD, "Bad query") from None
        if numbers[name] < 0:
            raise Refused(400, _BAD, f"negative {name}")
    if numbers["limit"] > 500:
        raise Refused(400, _BAD, "exceed maximum limit 500")
    return rows[numbers["offset"] : numbers["offset"] + numbers["limit"]]
