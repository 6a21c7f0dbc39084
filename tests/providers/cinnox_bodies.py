"""CINNOX's documented bodies, and a server that answers with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from providers.cinnox import Cinnox
from tests.providers.contract import login, walk
from tests.providers.server import Answer, Request, Server, Waits

PATH = "/v1/api/apps/app%201/data/call-detail"
STAFF = "/v1/api/apps/app%201/contacts/staffcontact-list"
FILE: dict[str, Any] = {
    "id": "file-9001",
    "name": "20230704-021520.mp4",
    "downloadUrl": "https://files.example.com/v1/file-9001",
    "duration": 261000,
    "mimeType": "mp4",
    "size": 2093440,
    "type": 3,
    "isPrivate": True,
}
EVENT: dict[str, Any] = {
    "recorderEID": "staff-0042",
    "startAt": "2023-07-04T02:15:20.000Z",
    "endAt": "2023-07-04T02:19:41.000Z",
    "files": [FILE],
    "code": 0,
}
RECORD: dict[str, Any] = {
    "id": "64a3f0c2e1b2a30001c0ffee",
    "hid": "64a3f0c2e1b2a30001c0aaaa",
    "svcID": "svc-210b",
    "date": "20230704",
    "roomID": "room-7f31",
    "seq": 4,
    "type": "call",
    "fromEID": "",
    "toEID": "staff-0042",
    "fromSvcID": "",
    "toSvcID": "svc-210b",
    "fromRegion": "HK",
    "callSeq": 1,
    "callID": "c1f0b6d4",
    "callDirection": "Inbound",
    "callType": "offnet",
    "fromIP": "203.0.113.7",
    "callPrepareFromNum": "85230001234",
    "caller": "85291234567",
    "callee": "85230001234",
    "callDate": "2023-07-04T02:15:07.120Z",
    "callEndTime": "2023-07-04T02:19:41.880Z",
    "status": "Call Ended",
    "lastResponseCode": "200",
    "byeReason": "Normal Clearing",
    "releaseParty": "staff-0042",
    "mediaType": "audio",
    "isRecording": True,
    "hasAudioFile": True,
    "recordingEventList": [EVENT],
    "recordType": "call",
    "fromRole": "",
    "toRole": "AGENT",
    "fromRoleName": "",
    "toRoleName": "Agent",
    "fromDepartment": "",
    "toDepartment": "Support",
    "fromDisplayName": "Visitor 91234567",
    "toDisplayName": "Mei",
    "lastHandledParty": "staff-0042",
    "fromDepartmentID": "",
    "toDepartmentID": "dep-11",
    "callerFirstName": "Chi",
    "callerLastName": "Wong",
    "calleeFirstName": "Mei",
    "calleeLastName": "Chan",
}
OUTBOUND = {
    **RECORD,
    "id": "r2",
    "callID": "out-1",
    "callDirection": "Outbound",
    "fromEID": "staff-0043",
    "toEID": "",
    "fromRole": "SUPERVISOR",
    "fromDepartment": "Sales",
    "fromDisplayName": "",
    "toDisplayName": "Ms Lee",
    "caller": 85230001234,
    "callee": 85291234567,
    "calleeFirstName": "",
    "calleeLastName": "",
    "status": "Not Answered",
    "releaseParty": "Caller",
    "lastHandledParty": "staff-0043",
    "hasAudioFile": False,
    "recordingEventList": [],
}
THIRD = {**RECORD, "id": "r3", "callID": "in-3"}
PEOPLE = [
    {
        "id": "staff-0042",
        "firstName": "Mei",
        "lastName": "Chan",
        "displayName": "Mei",
        "role": "Agent",
    },
    {"id": "staff-0043", "firstName": "Ada", "lastName": "Ho", "displayName": "", "role": "Agent"},
]


Order = Callable[[list[Any], Request], list[Any]]


def paged(
    *records: Any, cap: int = 500, order: Order | None = None, **more: Any
) -> Callable[[Request], Answer]:
    """The list by `offset` and `limit`, at most `cap` a page, in this answer's own `order`."""

    def answer(request: Request) -> Answer:
        offset, limit = int(request.one("offset") or 0), int(request.one("limit") or 50)
        assert limit <= 500
        rows = order([*records], request) if order else [*records]
        return Answer({"code": 200, "result": rows[offset : offset + min(limit, cap)], **more})

    return answer


def script(server: Server, *records: Any) -> None:
    server.on(
        "/v1/api/apps/app%201/data/call-detail", paged(*(records or (RECORD, OUTBOUND, THIRD)))
    )
    server.on(STAFF, paged(*PEOPLE))


def account(server: Server) -> Any:
    return login(server.url, app_id="app 1")


async def calls_of(server: Server, *records: Any) -> list[Any]:
    script(server, *records)
    async with Cinnox(account(server)) as cinnox:
        cinnox.sleep = Waits()
        return [call for page in await walk(cinnox) for call in page.calls]
