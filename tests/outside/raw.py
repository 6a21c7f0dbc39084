"""Three vendors' raw data, written from the vendors' documents alone: about 1,500 calls and a seed.

Every field of a row is seen missing, null, "", {} and [], ids and numbers as text and as numbers,
and with words nobody documents. What the program must make of a row is in `expected.py`.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 60
SINCE, UNTIL = "2023-12-31T00:00:00Z", "2024-03-02T00:00:00Z"
NOTHING: tuple[Any, ...] = ("absent", None, "", {}, [])
SIP_PASSWORD = "sip-password-kept-from-everyone"


@dataclass(frozen=True)
class Stored:
    """A row as the vendor keeps it: when it was created for its filters, and what it sends."""

    at: datetime
    row: Any
    order: int | None = None


def iso(at: datetime, milliseconds: bool = False) -> str:
    return at.isoformat(timespec="milliseconds" if milliseconds else "seconds").replace(
        "+00:00", "Z"
    )


def moment(value: Any, otherwise: datetime) -> datetime:
    """When the vendor's own filters place a row: its time, or `otherwise` if that says nothing."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return otherwise
    return at if at.tzinfo else otherwise


def without(row: Row, field: str, value: Any) -> Row:
    """The row with one field emptied in one of the ways of `NOTHING`."""
    changed = copy.deepcopy(row)
    if value == "absent":
        changed.pop(field, None)
    else:
        changed[field] = copy.deepcopy(value)
    return changed


def emptied(make: Any, fields: list[str]) -> Iterator[Row]:
    """For every field and every kind of nothing, one row that lacks just that."""
    for field in fields:
        for nothing in NOTHING:
            yield without(make(), field, nothing)


# ── Liner ────────────────────────────────────────────────────────────────────────────────────

LINER_STATUSES: list[Row] = [
    {"id": 12, "code": "answered", "title": "Answered", "isSystem": False, "leadStatusCode": None},
    {"id": 13, "code": "no-answer", "title": "No answer", "isSystem": False},
    {"id": 14, "code": "busy", "title": "Занято", "isSystem": False},
    {"id": "15", "code": "callback", "title": "[bold]Call back[/bold] \x1b[31m", "sort": 4},
    {"id": 16, "code": "untitled", "title": None},
    {"id": 17, "code": "waiting", "title": "Waiting", "isSystem": True},
]
LINER_USERS: list[Row] = [
    {"id": 101, "name": "John", "lastName": "Doe", "secondName": None, "accessGroup": "admin"},
    {"id": 102, "name": "Анна", "lastName": "Иванова", "accessGroup": "call-center"},
    {"id": 103, "name": "Solo", "lastName": "", "accessGroup": "call-center-senior"},
    {"id": "104", "name": None, "lastName": "Nameless", "accessGroup": None},
    *(
        {"id": 110 + n, "name": f"Agent{n}", "lastName": f"Number{n}", "accessGroup": "call-center"}
        for n in range(120)
    ),
]
LINER_ORDERS: list[Row] = [
    {"id": 202, "code": "order-001", "serviceTitle": "Internal", "title": "Winter promo"},
    {"id": 203, "code": "order-002", "serviceTitle": "", "title": "Renewals, north"},
    {"id": "204", "code": "order-003", "title": "=SUM(A1:A9)"},
]
LINER_LEADS: list[Row] = [
    {
        "id": 789 + n,
        "name": f"Lead {n}" if n % 7 else None,
        "phone": f"+7900{n:07d}",
        "orderId": 202 + n % 3,
        "planningCallDateTime": None,
        "customValues": {"10": "x"},
    }
    for n in range(130)
]
LINER_ENDPOINTS: list[Row] = [
    {
        "id": 456,
        "title": "Virtual number",
        "connectionType": "pstn",
        "params": {"phone": "+79001112233"},
    },
    {
        "id": 457,
        "title": "Trunk",
        "connectionType": "sip-reg",
        "params": {"login": "trunk", "password": SIP_PASSWORD, "host": "sip.example.com"},
    },
    {"id": "458", "title": None, "connectionType": "pstn", "params": {"phone": 79004445566}},
    {"id": 459, "title": "Empty", "connectionType": "pstn", "params": []},
]
LINER_FIELDS = [
    "sipEndpointId",
    "finishInitiator",
    "direction",
    "leadId",
    "userId",
    "orderId",
    "statusId",
    "statusCode",
    "totalDurationSeconds",
    "waitTimeDurationSeconds",
    "talkTimeDurationSeconds",
    "isPredictive",
    "clientPhone",
    "hasRecords",
    "createdAt",
]
_NOT_YET = {"totalDurationSeconds": 0, "talkTimeDurationSeconds": None, "hasRecords": False}
_LINER_ODD: list[Row] = [
    {"direction": "sideways"},
    {"finishInitiator": "robot"},
    {"statusId": 999, "statusCode": None},
    {"statusId": None, "statusCode": "never-defined"},
    {"statusId": 16, "statusCode": None},
    {"statusId": "12", "statusCode": None},
    {"statusId": "15"},
    {"leadId": "791", "userId": "102", "orderId": "203", "sipEndpointId": "456"},
    {"leadId": 99999, "userId": 99999, "orderId": 99999, "sipEndpointId": 99999},
    {"sipEndpointId": 457},
    {"sipEndpointId": 458},
    {"sipEndpointId": 459},
    {"userId": 103},
    {"userId": 104},
    {"totalDurationSeconds": "120", "waitTimeDurationSeconds": "5"},
    {"talkTimeDurationSeconds": "115"},
    {"talkTimeDurationSeconds": 114.5, "totalDurationSeconds": 119.5},
    {"talkTimeDurationSeconds": 0},
    {"totalDurationSeconds": 0, "waitTimeDurationSeconds": 0, "talkTimeDurationSeconds": 0},
    {"totalDurationSeconds": "two minutes"},
    {"talkTimeDurationSeconds": True},
    {"createdAt": "2024-01-05T12:30:00+03:00"},
    {"createdAt": "2024-01-05T12:30:00.250Z"},
    {"createdAt": "2024-01-05T12:30:00+0300"},
    {"createdAt": "yesterday, at noon"},
    {"clientPhone": 79001234567},
    {"clientPhone": "8 (900) 123-45-67"},
    {"clientPhone": "\x1b[31m+7900[bold]"},
    {"hasRecords": 1},
    {"hasRecords": 0},
    {"hasRecords": "true"},
    {"hasRecords": "false"},
    {"isPredictive": "1"},
    {"finishInitiator": None, "statusId": 17, "statusCode": None, **_NOT_YET},
    {"finishInitiator": "", "statusId": None, "statusCode": "dialing", **_NOT_YET},
    {"finishInitiator": None, "statusId": None, "statusCode": "processing", "hasRecords": False},
    {"finishInitiator": "client", "statusId": 17, "statusCode": "waiting"},
    {"id": "text"},
]


def liner_rows(seed: int = 1, many: int = 600) -> list[Stored]:
    """`many` calls of three orders, in no order of time, and rows no client can read whole."""
    chance = random.Random(seed)
    number = iter(range(918000, 10_000_000))

    def plain() -> Row:
        talk, wait = chance.choice([0, 0, 30, 115, 3600]), chance.randint(0, 40)
        status = chance.choice(LINER_STATUSES[:4])
        row = {
            "id": next(number),
            "sipEndpointId": 456,
            "finishInitiator": chance.choice(["client", "operator", "system"]),
            "direction": chance.choice(["incoming", "outgoing"]),
            "leadId": 789 + chance.randrange(130),
            "userId": chance.choice([101, 102, 103, 104, 110, 229]),
            "orderId": chance.choice([202, 203, 204]),
            "statusId": int(status["id"]),
            "statusCode": status["code"],
            "totalDurationSeconds": talk + wait,
            "waitTimeDurationSeconds": wait,
            "talkTimeDurationSeconds": talk,
            "isPredictive": chance.random() < 0.2,
            "clientPhone": f"+7900{chance.randrange(10**7):07d}",
            "hasRecords": talk > 0,
            "createdAt": iso(FIRST_DAY + timedelta(seconds=chance.randrange(DAYS * 86400))),
        }
        # contradictions 1 and 2 of section 1.9: the table's row and the example's row
        shape = chance.choice(["table", "example", "both"])
        for field in {
            "table": ("statusCode",),
            "example": ("orderId", "statusId", "hasRecords"),
            "both": (),
        }[shape]:
            del row[field]
        return row

    def whole() -> Row:
        return {
            **plain(),
            "orderId": 202,
            "statusId": 12,
            "statusCode": "answered",
            "hasRecords": True,
            "totalDurationSeconds": 120,
            "waitTimeDurationSeconds": 5,
            "talkTimeDurationSeconds": 115,
        }

    rows = [*emptied(whole, LINER_FIELDS)]
    for odd in _LINER_ODD:
        rows.append({**whole(), **{key: value for key, value in odd.items() if key != "id"}})
        if "id" in odd:
            rows[-1]["id"] = str(rows[-1]["id"])
    rows += [plain() for _ in range(many - len(rows))]
    chance.shuffle(rows)
    return [
        Stored(
            moment(row.get("createdAt"), FIRST_DAY + timedelta(days=chance.randrange(DAYS))),
            row,
            int(row["orderId"])
            if str(row.get("orderId")) in {"202", "203", "204"}
            else chance.choice([202, 203, 204]),
        )
        for row in rows
    ]


# ── CINNOX ───────────────────────────────────────────────────────────────────────────────────

CINNOX_STAFF: list[Row] = [
    {
        "id": "staff-0042",
        "status": "Activated",
        "firstName": "Mei",
        "lastName": "Chan",
        "displayName": "Mei",
        "role": "Agent",
        "phone": 85230005678,
    },
    {"id": "staff-0043", "firstName": "Ka", "lastName": "Lee", "displayName": "", "role": None},
]
CINNOX_STATUSES = [
    "Call Ended",
    "Declined",
    "Busy",
    "Not Answered",
    "Cancelled",
    "Abandoned",
    "Unreachable",
    "Call Failed",
]
CINNOX_FIELDS = [
    "id",
    "hid",
    "svcID",
    "date",
    "roomID",
    "seq",
    "type",
    "fromEID",
    "toEID",
    "fromRegion",
    "callSeq",
    "callDirection",
    "callType",
    "fromIP",
    "callPrepareFromNum",
    "caller",
    "callee",
    "callDate",
    "callEndTime",
    "status",
    "lastResponseCode",
    "byeReason",
    "releaseParty",
    "mediaType",
    "isRecording",
    "hasAudioFile",
    "recordingEventList",
    "recordType",
    "fromRole",
    "toRole",
    "fromRoleName",
    "toRoleName",
    "toDepartment",
    "fromDisplayName",
    "toDisplayName",
    "lastHandledParty",
    "callerFirstName",
    "callerLastName",
    "calleeFirstName",
    "calleeLastName",
]
_RUNNING = {
    "byeReason": "",
    "lastResponseCode": "",
    "releaseParty": "",
    "isRecording": True,
    "hasAudioFile": False,
    "recordingEventList": [],
}
_CINNOX_ODD: list[Row] = [
    {"caller": 85291234567, "callee": 85230001234, "callPrepareFromNum": 85230001234},
    {"caller": "0035291234567"},
    {"status": "call ended"},
    {"status": "Teleported"},
    {"callDirection": "inbound"},
    {"callDirection": "OUTBOUND"},
    {"callDirection": "Diagonal"},
    {"callType": "onnet", "fromEID": "staff-0043", "toEID": "staff-0042"},
    {"callType": "smartcall"},
    {"mediaType": "video"},
    {"recordType": "voicemail"},
    {"recordType": "conference"},
    {"isRecording": False, "hasAudioFile": False, "recordingEventList": []},
    {"isRecording": True, "hasAudioFile": False, "recordingEventList": []},
    {"isRecording": None, "hasAudioFile": None, "recordingEventList": None},
    {"isRecording": "true", "hasAudioFile": 1, "recordingEventList": [{"files": None}]},
    {"releaseParty": "Caller"},
    {"releaseParty": "staff-0043"},
    {"lastResponseCode": 487, "seq": "4", "callSeq": "1"},
    {"callDate": "2024-01-09T10:15:07.120+08:00"},
    {"callDate": "07/04/2023"},
    {"callEndTime": "2000-01-01T00:00:00.000Z"},
    {"toDisplayName": "[link=http://x]Mei[/link]\x1b]0;title\x07"},
    {"callerFirstName": "", "callerLastName": "", "fromDisplayName": "Visitor"},
    {"lastHandledParty": "staff-0043"},
    {"status": "Declined", "byeReason": "Call Rejected", "lastResponseCode": 603},
    {"fromRegion": "VE", "fromIP": "2001:db8::7", "callPrepareFromNum": "sip:trunk@example.com"},
    {"releaseParty": "staff-0042", "toDisplayName": ""},
    # a call that still runs has no end, and none of the statuses of 2.7, which all are endings
    {**_RUNNING, "status": "", "callEndTime": ""},
    {**_RUNNING, "status": None, "callEndTime": None},
    {**_RUNNING, "status": "Ringing", "callEndTime": ""},
]


def cinnox_event(host: str, number: int, **change: Any) -> Row:
    """One recording event with one file, as section 2.4 has it; `change` goes into the file."""
    start = FIRST_DAY + timedelta(minutes=number)
    return {
        "recorderEID": "staff-0042",
        "startAt": iso(start, True),
        "endAt": iso(start + timedelta(minutes=4), True),
        "code": 0,
        "files": [
            {
                "id": f"file-{number}",
                "name": f"../../{number}:*?.mp4",
                "downloadUrl": f"{host}/audio/cinnox-{number}.wav",
                "duration": 261500,
                "mimeType": "mp4",
                "size": 2093440,
                "type": 3,
                "isPrivate": True,
                **change,
            }
        ],
    }


_CINNOX_FILES: list[Row] = [
    {"type": "3", "duration": "261500", "size": "2093440"},
    {"type": 2, "mimeType": "video"},
    {"type": "2"},
    {"type": "audio"},
    {"mimeType": None, "type": None, "duration": None, "size": None, "isPrivate": None},
    {"name": "", "mimeType": "", "type": "", "duration": "", "size": "", "isPrivate": ""},
    {"duration": {}, "size": [], "type": {}, "name": [], "mimeType": {}},
    {"isPrivate": "true", "id": 77},
    {"duration": "long"},
    {"downloadUrl": None},
    {"downloadUrl": ""},
]


def cinnox_rows(host: str, seed: int = 2, many: int = 500) -> list[Stored]:
    """`many` calls in more records: about a tenth of them have two or three legs, far apart."""
    chance = random.Random(seed)
    number = iter(range(9000, 10_000_000))

    def plain(inbound: bool | None = None) -> Row:
        n = next(number)
        inbound = chance.random() < 0.5 if inbound is None else inbound
        start = FIRST_DAY + timedelta(milliseconds=chance.randrange(DAYS * 86_400_000))
        end = start + timedelta(milliseconds=chance.randrange(600_000))
        recorded = chance.random() < 0.5
        return {
            "id": f"64a3f0c2e1b2a3{n:010d}",
            "hid": f"hid-{n}",
            "svcID": "svc-210b",
            "date": start.strftime("%Y%m%d"),
            "roomID": f"room-{n}",
            "seq": 4,
            "type": "call",
            "fromEID": "" if inbound else "staff-0043",
            "toEID": "staff-0042" if inbound else "",
            "fromRegion": "HK" if inbound else "",
            "callSeq": 1,
            "callID": f"c1f0b6d4-{n}",
            "callDirection": "Inbound" if inbound else "Outbound",
            "callType": "offnet",
            "fromIP": "203.0.113.7",
            "callPrepareFromNum": "85230001234",
            "caller": "85291234567" if inbound else "85230001234",
            "callee": "85230001234" if inbound else "85291234567",
            "callDate": iso(start, True),
            "callEndTime": iso(end, True),
            "status": chance.choice(CINNOX_STATUSES),
            "lastResponseCode": "200",
            "byeReason": "Normal Clearing",
            "releaseParty": "staff-0042" if inbound else "staff-0043",
            "mediaType": "audio",
            "isRecording": recorded,
            "hasAudioFile": recorded,
            "recordingEventList": [cinnox_event(host, n)] if recorded else [],
            "recordType": "call",
            "fromRole": "" if inbound else "AGENT",
            "toRole": "AGENT" if inbound else "",
            "fromRoleName": "" if inbound else "Agent",
            "toRoleName": "Agent" if inbound else "",
            "fromDepartment": "" if inbound else "Sales",
            "toDepartment": "Support" if inbound else "",
            "fromDisplayName": "Visitor 91234567" if inbound else "Ka Lee",
            "toDisplayName": "Mei" if inbound else "Visitor",
            "lastHandledParty": "staff-0042" if inbound else "staff-0043",
            "callerFirstName": "Chi" if inbound else "Ka",
            "callerLastName": "Wong" if inbound else "Lee",
            "calleeFirstName": "Mei" if inbound else "Chi",
            "calleeLastName": "Chan" if inbound else "Wong",
        }

    def whole() -> Row:
        row = plain(inbound=True)
        n = int(row["hid"].removeprefix("hid-"))
        return {
            **row,
            "status": "Call Ended",
            "isRecording": True,
            "hasAudioFile": True,
            "recordingEventList": [cinnox_event(host, n)],
        }

    rows = [*emptied(whole, CINNOX_FIELDS), *({**whole(), **odd} for odd in _CINNOX_ODD)]
    for change in _CINNOX_FILES:
        row = whole()
        n = int(row["hid"].removeprefix("hid-"))
        rows.append({**row, "recordingEventList": [cinnox_event(host, n, **change)]})
    rows += [plain() for _ in range(many - len(rows))]
    legs = []
    for row in chance.sample(rows[-220:], 50):
        for sequence in range(2, chance.choice([3, 4])):
            leg = plain(inbound=row["callDirection"] == "Inbound")
            begin = datetime.fromisoformat(row["callDate"]) + timedelta(minutes=10 * sequence)
            leg |= {
                "callID": row["callID"],
                "callSeq": sequence,
                "callDate": iso(begin, True),
                "callEndTime": iso(begin + timedelta(seconds=42), True),
                "caller": row["caller"],
                "callee": row["callee"],
            }
            legs.append(leg)
    rows += legs
    chance.shuffle(rows)
    return [
        Stored(moment(row.get("callDate"), FIRST_DAY + timedelta(days=chance.randrange(DAYS))), row)
        for row in rows
    ]


def cinnox_plain(many: int, same: int) -> list[Stored]:
    """The newest first, `same` of them begun in one moment."""
    template = next(
        s.row for s in cinnox_rows("https://f.example.com") if s.row.get("callSeq") == 1
    )
    found = []
    for n in range(many):
        at = FIRST_DAY + timedelta(days=30, minutes=-(n // same))
        ends = {"callDate": iso(at, True), "callEndTime": iso(at + timedelta(seconds=30), True)}
        found.append(Stored(at, {**template, **ends, "id": f"r{n}", "callID": f"c{n}"}))
    return found
