"""CINNOX's raw data, written from its documents alone: 500 calls, a tenth of them with legs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tests.outside.raw import DAYS, FIRST_DAY, Row, Stored, emptied, iso, moment

STAFF: list[Row] = [
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
STATUSES = [
    "Call Ended",
    "Declined",
    "Busy",
    "Not Answered",
    "Cancelled",
    "Abandoned",
    "Unreachable",
    "Call Failed",
]
FIELDS = [
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
_ODD: list[Row] = [
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


def event(host: str, number: int, **change: Any) -> Row:
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


_FILES: list[Row] = [
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


def _record(
    host: str, chance: random.Random, number: Iterator[int], inbound: bool | None = None
) -> Row:
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
        "status": chance.choice(STATUSES),
        "lastResponseCode": "200",
        "byeReason": "Normal Clearing",
        "releaseParty": "staff-0042" if inbound else "staff-0043",
        "mediaType": "audio",
        "isRecording": recorded,
        "hasAudioFile": recorded,
        "recordingEventList": [event(host, n)] if recorded else [],
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


def _whole(host: str, row: Row) -> Row:
    n = int(row["hid"].removeprefix("hid-"))
    return {
        **row,
        "status": "Call Ended",
        "isRecording": True,
        "hasAudioFile": True,
        "recordingEventList": [event(host, n)],
    }


def _further_legs(rows: list[Row], chance: random.Random, plain: Callable[..., Row]) -> list[Row]:
    """A second leg, and perhaps a third, of fifty calls."""
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
    return legs


def stored_rows(host: str, seed: int = 2, many: int = 500) -> list[Stored]:
    """`many` calls in more records: about a tenth of them have two or three legs, far apart."""
    chance = random.Random(seed)
    plain = partial(_record, host, chance, iter(range(9000, 10_000_000)))

    def whole() -> Row:
        return _whole(host, plain(inbound=True))

    rows = [*emptied(whole, FIELDS), *({**whole(), **odd} for odd in _ODD)]
    for change in _FILES:
        row = whole()
        n = int(row["hid"].removeprefix("hid-"))
        rows.append({**row, "recordingEventList": [event(host, n, **change)]})
    rows += [plain() for _ in range(many - len(rows))]
    rows += _further_legs(rows, chance, plain)
    chance.shuffle(rows)
    return [
        Stored(moment(row.get("callDate"), FIRST_DAY + timedelta(days=chance.randrange(DAYS))), row)
        for row in rows
    ]


def newest_first(many: int, same: int) -> list[Stored]:
    """The newest first, `same` of them begun in one moment."""
    template = next(
        s.row for s in stored_rows("https://f.example.com") if s.row.get("callSeq") == 1
    )
    found = []
    for n in range(many):
        at = FIRST_DAY + timedelta(days=30, minutes=-(n // same))
        ends = {"callDate": iso(at, True), "callEndTime": iso(at + timedelta(seconds=30), True)}
        found.append(Stored(at, {**template, **ends, "id": f"r{n}", "callID": f"c{n}"}))
    return found
