"""Liner's documented bodies, and a server that answers with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.providers.server import Answer, Request, Server

CALL: dict[str, Any] = {
    "id": 918273,
    "sipEndpointId": 456,
    "finishInitiator": "client",
    "direction": "outgoing",
    "leadId": 789,
    "userId": 101,
    "orderId": 202,
    "statusId": 12,
    "statusCode": "answered",
    "totalDurationSeconds": 120,
    "waitTimeDurationSeconds": 5,
    "talkTimeDurationSeconds": 115,
    "isPredictive": False,
    "clientPhone": "+79001234567",
    "hasRecords": True,
    "createdAt": "2024-01-01T09:30:00Z",
}
SPARSE: dict[str, Any] = {
    "id": 918274,
    "sipEndpointId": 456,
    "finishInitiator": "system",
    "direction": "incoming",
    "leadId": 790,
    "statusCode": "no-answer",
    "userId": 101,
    "totalDurationSeconds": 31,
    "waitTimeDurationSeconds": 31,
    "talkTimeDurationSeconds": 0,
    "isPredictive": True,
    "clientPhone": "+79007654321",
    "createdAt": "2024-01-01T09:35:12Z",
}
THIRD = {**CALL, "id": 918275, "hasRecords": False}
RECORD = {
    "id": 123,
    "userId": 101,
    "leadId": 789,
    "isTransfer": False,
    "durationSeconds": 60,
    "fileUrl": "https://storage.example.com/records/918273-1.mp3",
    "recordSummary": "Client asked for a call back on Friday.",
    "createdAt": "2024-01-01T09:31:00Z",
}
RECORD_B = {
    "id": 124,
    "isTransfer": True,
    "durationSeconds": 54,
    "fileUrl": "https://storage.example.com/records/918273-2.mp3",
    "createdAt": "2024-01-01T09:32:01Z",
}
STATUS = {"id": 12, "code": "answered", "title": "Talked", "isSystem": False}
USER = {"id": 101, "name": "John", "lastName": "Doe", "accessGroup": "call-center"}
LINE = {
    "id": 456,
    "title": "Main line",
    "params": {"phone": "+79001112233", "password": "SIP-SECRET"},
}


def ok(data: Any) -> dict[str, Any]:
    return {"success": True, "message": "", "data": data}


def listed(*rows: Any, next: Any = 50, total: Any = ...) -> dict[str, Any]:
    return ok({"list": list(rows), "next": next, "total": len(rows) if total is ... else total})


def paged(*rows: Any, size: int = 100, total: int | None = None) -> Callable[[Request], Answer]:
    """A list that really pages."""

    def answer(request: Request) -> Answer:
        offset, limit = int(request.one("offset") or 0), int(request.one("limit") or 50)
        limit = min(limit, size)
        found = list(rows)[offset : offset + limit]
        return Answer(listed(*found, next=offset + limit, total=total or len(rows)))

    return answer


def script(server: Server, *calls: Any) -> None:
    server.on("/v2/call/", paged(*(calls or (CALL, SPARSE, THIRD))))
    server.on("/v2/call/detail/918273/", ok(CALL))
    server.on("/v2/call/detail/918274/", ok(SPARSE))
    server.on("/v2/call-record/", listed(RECORD, RECORD_B))
    server.on("/v2/call-record/detail/124/", ok({**RECORD_B, "recordSummary": None}))
    server.on("/v2/call-status/", ok([STATUS]))
    server.on("/v2/sip-endpoint/", ok([LINE]))
    server.on("/v2/user/list/", paged(USER))
    server.on("/v2/order/", paged({"id": 202, "title": "Spring sale"}))
    server.on("/v2/lead/detail/789/", ok({"id": 789, "name": "Jane Roe"}))
    server.on("/v2/lead/detail/790/", ok({"id": 790, "name": "Max Moe"}))
