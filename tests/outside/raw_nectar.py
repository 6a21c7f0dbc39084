"""Nectar Desk's raw data: REST calls by id, in every envelope that the documents hint at (3.1)."""

from __future__ import annotations

import copy
import random
from typing import Any

from tests.outside.raw import DAYS, FIRST_DAY, Row, emptied

FIELDS = [
    "is_inbound",
    "is_answered",
    "is_in_queue",
    "contact",
    "agents",
    "all_agents",
    "answered_agents",
    "external_numbers",
    "number",
    "started_at",
    "duration",
    "talk_time",
    "requested_callback",
    "is_ended",
    "type",
    "is_answered_within_sla",
    "is_data_cached",
    "original_call_id",
    "campaign",
    "ring_group",
    "ivr",
    "disposition",
    "recordings",
    "tags",
]
_ODD: list[Row] = [
    {"type": "missed", "is_answered": False, "answered_agents": [], "talk_time": 0},
    {"type": "voicemail", "is_answered": False},
    {"type": "abandoned", "is_answered": False},
    {"type": "teleported", "is_answered": False},
    {"is_ended": False, "is_in_queue": True, "duration": None},
    {"is_inbound": 0},
    {"is_inbound": "true"},
    {"started_at": 1706200000123},
    {"started_at": "1706200000"},
    {"started_at": "2024-01-25T16:26:40Z"},
    {"started_at": "noon"},
    {"duration": "95", "talk_time": "80"},
    {"duration": 0, "talk_time": 0},
    {"contact": {"id": None, "full_name": "", "number": None}},
    {"contact": {"id": "44", "full_name": "[red]Joe\x1b[2J", "number": 12025550123}},
    {"contact": "John"},
    {"campaign": "Winter Promo", "ring_group": {"id": 9, "name": None}},
    {"ring_group": "Support", "ivr": []},
    {"number": "12025550100"},
    {"number": {"id": 1, "number": 12025550100, "alias": None}},
    {"all_agents": {"id": 1, "alias": "Only", "started_at": None}},
    {"all_agents": [{"id": "8", "alias": None}, None, 5], "answered_agents": [{"id": 8}]},
    {"disposition": {"id": 3, "code": "SALE", "note": None}},
    {"recordings": [{"id": None, "url": None}]},
    {"recordings": [None, "x", {"id": 5, "url": ""}]},
    {"tags": ["ok", None, 7, "", {}]},
    {"tags": "vip"},
    {"external_numbers": [{"number": "12025550777", "is_any_transfer": True}]},
    {"external_numbers": {"number": 12025550778, "is_any_transfer": "true"}, "is_in_queue": 1},
    {"original_call_id": "777"},
    {"original_call_id": 0},
]


_AGENTS: list[Row] = [
    {
        "id": 1,
        "user_id": 43,
        "alias": "Agent A",
        "sip": "sip:agent-a@sip.example.com",
        "started_at": 1706200006,
        "type": "agent",
        "is_any_transfer": False,
        "hangup_reason": "NORMAL_CLEARING",
    },
    {
        "id": 2,
        "user_id": 44,
        "alias": "Agent B",
        "sip": "sip:agent-b@sip.example.com",
        "started_at": 1706200050,
        "type": "agent",
        "is_any_transfer": True,
        "hangup_reason": "ORIGINATOR_CANCEL",
    },
]


def body(host: str, number: int, chance: random.Random) -> Row:
    """One REST call as section 3.2 has it."""
    agents = copy.deepcopy(_AGENTS)
    return {
        "id": number,
        "is_inbound": chance.random() < 0.5,
        "is_answered": True,
        "is_in_queue": False,
        "contact": {
            "id": 4321 + number % 9,
            "full_name": "John Doe",
            "number_country_code": "1",
            "national_number": "2025550123",
            "number": "12025550123",
            "list_ids": [1, 2, 3],
        },
        "agents": [1, 2],
        "all_agents": agents,
        "answered_agents": agents[:1],
        "external_numbers": [{"number": "12025550999", "is_any_transfer": False}],
        "number": {
            "id": 1,
            "number": "12025550100",
            "numberWithAlias": "12025550100 (Support)",
            "alias": "Support",
        },
        "started_at": int(FIRST_DAY.timestamp()) + chance.randrange(DAYS * 86400),
        "duration": 95,
        "talk_time": 80,
        "requested_callback": False,
        "is_ended": True,
        "type": "answered",
        "is_answered_within_sla": True,
        "is_data_cached": True,
        "original_call_id": 1230,
        "campaign": {"id": 1, "name": "Winter Promo"},
        "ring_group": {"id": 7, "name": "Support"},
        "ivr": {"id": 1, "name": "Main menu"},
        "disposition": {"id": 3, "code": "Successful Deal", "note": "Converted"},
        "recordings": [{"id": 12, "url": f"{host}/v1/Account/MASECRET/Recording/{number}.mp3"}],
        "tags": ["vip", "refund"],
    }


def rows(host: str, seed: int = 3, first: int = 5000, many: int = 400) -> dict[int, Row]:
    """Call id -> body, each with the envelope `calls`, `call`, a list of one, or none."""
    chance = random.Random(seed)
    number = iter(range(first, first + many))

    def plain() -> Row:
        return body(host, next(number), chance)

    rows = [*emptied(plain, FIELDS)]
    rows += [{**plain(), **odd} for odd in _ODD]
    rows += [plain() for _ in range(many - len(rows))]
    wraps = (
        lambda row: {"calls": row},
        lambda row: {"calls": [row]},
        lambda row: {"call": row},
        lambda row: row,
    )
    return {row["id"]: wraps[row["id"] % 4](row) for row in rows}


def call(envelope: Any) -> Row:
    """The call in a body, whatever its envelope."""
    inner = envelope.get("calls", envelope.get("call", envelope))
    row: Row = inner[0] if isinstance(inner, list) else inner
    return row
