"""Vendors' raw data, written from the vendors' documents alone: a seed, and Liner's 600 calls.

Every field of a row is seen missing, null, "", {} and [], ids and numbers as text and as numbers,
and with words nobody documents. What the program must make of a row is in `expected.py`.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
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


def _liner_row(chance: random.Random, number: Iterator[int]) -> Row:
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


def _liner_whole(row: Row) -> Row:
    return {
        **row,
        "orderId": 202,
        "statusId": 12,
        "statusCode": "answered",
        "hasRecords": True,
        "totalDurationSeconds": 120,
        "waitTimeDurationSeconds": 5,
        "talkTimeDurationSeconds": 115,
    }


def liner_rows(seed: int = 1, many: int = 600) -> list[Stored]:
    """`many` calls of three orders, in no order of time, and rows no client can read whole."""
    chance = random.Random(seed)
    number = iter(range(918000, 10_000_000))
    plain = partial(_liner_row, chance, number)

    def whole() -> Row:
        return _liner_whole(plain())

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
