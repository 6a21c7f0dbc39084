"""Several records make one call, and one record has earlier and later states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from providers.cinnox import Cinnox
from tests.providers.cinnox_bodies import (
    RECORD,
    calls_of,
)
from tests.providers.contract import login, walk
from tests.providers.server import Server

TRANSFERRED = [
    {
        **RECORD,
        "id": "b",
        "callSeq": 2,
        "toEID": "staff-0043",
        "toDisplayName": "Ada",
        "callDate": "2023-07-04T02:17:00.000Z",
        "callEndTime": "2023-07-04T02:25:00.000Z",
        "lastHandledParty": "staff-0043",
        "releaseParty": "Caller",
        "byeReason": "Bye",
        "recordingEventList": [],
    },
    {**RECORD, "id": "a", "callSeq": 1},
]


async def test_legs_make_one_call_in_their_order(server: Server) -> None:
    [call] = await calls_of(server, *TRANSFERRED)
    assert [leg["id"] for leg in call.raw] == ["a", "b"]
    assert [(agent.id, agent.name) for agent in call.agents] == [
        ("staff-0042", "Mei"),
        ("staff-0043", "Ada"),
    ]
    assert call.agents[1].started_at == datetime(2023, 7, 4, 2, 17, tzinfo=UTC)
    assert call.ended_at == datetime(2023, 7, 4, 2, 25, tzinfo=UTC)
    assert (call.hangup.by, call.hangup.reason) == ("customer", "Bye")
    assert len(call.recordings) == 1 and call.has_recording is True


async def test_legs_on_two_pages_merge(server: Server, cinnox: Cinnox) -> None:
    second, first = TRANSFERRED
    old = [{**first, "status": "stale"}]
    merged = cinnox.merge(old, [second, first])
    assert merged == [first, second]
    assert cinnox.merge([second], [first]) == merged
    assert cinnox.parse(merged) == cinnox.parse([second, first])


async def test_the_leg_that_decides(cinnox: Cinnox) -> None:
    def outcome(*statuses: str, **more: str) -> tuple[str, str | None]:
        legs = [
            {**RECORD, "id": s, "callSeq": n, "status": s} | more for n, s in enumerate(statuses)
        ]
        call = cinnox.parse(legs)
        return call.outcome, call.status

    assert outcome("Call Ended", "Not Answered") == ("answered", "Call Ended")
    assert outcome("Not Answered", "Busy") == ("busy", "Busy")
    assert outcome("Call Ended", recordType="Voicemail") == ("voicemail", "Call Ended")


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ({"releaseParty": "staff-0042"}, "agent"),
        ({"releaseParty": "staff-0043"}, "agent"),
        ({"releaseParty": "Caller"}, "customer"),
        ({"releaseParty": "callee"}, "agent"),
        ({"releaseParty": "Caller", "callDirection": "OUTBOUND"}, "agent"),
        ({"releaseParty": "Callee", "callDirection": "Outbound"}, "customer"),
        ({"releaseParty": "staff-9999"}, "unknown"),
        ({"releaseParty": ""}, None),
        ({"releaseParty": None}, None),
    ],
)
async def test_who_hung_up(cinnox: Cinnox, change: dict[str, Any], by: str | None) -> None:
    async with cinnox:
        await walk(cinnox)  # makes the staff known
    assert cinnox.parse([{**RECORD, **change}]).hangup.by == by


async def test_the_last_handler_is_an_agent_too(server: Server) -> None:
    [call] = await calls_of(server, {**RECORD, "lastHandledParty": "staff-0043"})
    assert [(agent.id, agent.name, agent.answered) for agent in call.agents] == [
        ("staff-0042", "Mei", True),
        ("staff-0043", "Ada Ho", None),
    ]


async def test_problems_name_the_leg(cinnox: Cinnox) -> None:
    legs = [{**leg, "callDate": "soon"} for leg in TRANSFERRED]
    assert cinnox.parse(legs).problems == (
        "leg 1 callDate: not a time",
        "leg 2 callDate: not a time",
    )


def test_a_call_starts_with_the_first_leg_that_says_when() -> None:
    legs = [
        {"id": "a", "callID": "c", "callSeq": 1, "callDate": ""},
        {"id": "b", "callID": "c", "callSeq": 2, "callDate": "2026-11-02T09:00:00.000Z"},
    ]
    call = Cinnox(login("https://x.example")).parse(legs)
    assert call.started_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
