"""Several records make one call, and one record has earlier and later states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.model import Hangup
from tests.providers.cinnox_bodies import (
    EVENT,
    FILE,
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
    ("change", "by", "name"),
    [
        ({"releaseParty": "staff-0042"}, "agent", "Mei"),
        ({"releaseParty": "staff-0042", "toDisplayName": "Mei C."}, "agent", "Mei C."),
        ({"releaseParty": "staff-0043"}, "agent", "Ada Ho"),  # by the staff list alone
        ({"releaseParty": "staff-9", "lastHandledParty": "staff-9"}, "agent", "staff-9"),
        ({"releaseParty": "Caller"}, "customer", "Chi Wong"),
        ({"releaseParty": "callee"}, "agent", "Mei"),
        ({"releaseParty": "callee", "toDisplayName": ""}, "agent", "Mei"),
        ({"releaseParty": "Caller", "callDirection": "OUTBOUND"}, "agent", "Visitor 91234567"),
        ({"releaseParty": "Callee", "callDirection": "Outbound"}, "customer", "Mei Chan"),
        ({"releaseParty": "85291234567"}, "customer", "Chi Wong"),  # the contact's number
        ({"releaseParty": "staff-9999"}, "unknown", "staff-9999"),
        ({"releaseParty": ""}, None, None),
        ({"releaseParty": None}, None, None),
    ],
)
async def test_who_hung_up(
    cinnox: Cinnox, change: dict[str, Any], by: str | None, name: str | None
) -> None:
    async with cinnox:
        await walk(cinnox)  # makes the staff known
    hangup = cinnox.parse([{**RECORD, **change}]).hangup
    assert (hangup.by, hangup.by_name) == (by, name)


DECLINED = {
    **RECORD,
    "id": "d",
    "callSeq": 2,
    "toEID": "staff-0043",
    "toDisplayName": "Ada",
    "callDate": "2023-07-04T02:16:00.000Z",
    "callEndTime": "2023-07-04T02:16:12.000Z",
    "status": "Declined",
    "byeReason": "Call Rejected",
    "lastResponseCode": 603,
    "releaseParty": "staff-0043",
    "callType": "onnet",
    "recordingEventList": [],
}


async def test_every_leg_has_its_own_ending(cinnox: Cinnox) -> None:
    """A colleague is asked, declines, and the first agent talks on until the call ends."""
    call = cinnox.parse([RECORD, {**DECLINED, "fromEID": "staff-0042", "callType": "offnet"}])
    assert [
        (agent.name, agent.answered, agent.status, agent.hangup_reason, agent.hangup_code)
        for agent in call.agents
    ] == [
        ("Mei", True, "Call Ended", "Normal Clearing", "200"),
        ("Ada", False, "Declined", "Call Rejected", "603"),
    ]
    assert [agent.ended_at for agent in call.agents] == [
        datetime(2023, 7, 4, 2, 19, 41, 880_000, tzinfo=UTC),
        datetime(2023, 7, 4, 2, 16, 12, tzinfo=UTC),
    ]
    # the call ended as the leg that ended last did
    assert call.hangup == Hangup("agent", "Normal Clearing", "200", "Mei")
    assert (call.outcome, call.status) == ("answered", "Call Ended")


async def test_a_leg_without_an_agent_is_told_too(cinnox: Cinnox) -> None:
    nobody = {"toEID": "", "toDisplayName": "", "toRole": "", "toRoleName": "", "toDepartment": ""}
    abandoned = {**DECLINED, **nobody, "status": "Abandoned", "byeReason": "Originator Cancel"}
    _, second = cinnox.parse([RECORD, abandoned]).agents
    assert (second.id, second.name, second.status) == (None, None, "Abandoned")
    assert cinnox.parse([{**abandoned, "lastHandledParty": ""}]).agents == ()  # as before


async def test_the_vendors_own_fields(cinnox: Cinnox) -> None:
    own = cinnox.parse([RECORD, DECLINED]).vendor_fields
    assert (own["callType"], own["fromIP"]) == (["offnet", "onnet"], "203.0.113.7")
    conference = cinnox.parse([{**RECORD, "recordType": "conference", "mediaType": "video"}])
    assert conference.vendor_fields["recordType"] == "conference"
    assert conference.vendor_fields["mediaType"] == "video"
    bare = cinnox.parse([{"id": "1", "callType": "", "fromIP": None, "fromRegion": {}}])
    assert bare.vendor_fields == {}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"status": "", "callEndTime": ""}, "in_progress"),
        ({"status": None, "callEndTime": None}, "in_progress"),
        ({"status": "Ringing", "callEndTime": "0001-01-01T00:00:00Z"}, "in_progress"),
        ({"status": "Talking", "callEndTime": ""}, "in_progress"),
        ({"status": "", "callEndTime": "", "recordType": "voicemail"}, "in_progress"),
        ({"status": "Call Ended", "callEndTime": ""}, "answered"),
        ({"status": "Busy", "callEndTime": None}, "busy"),
        ({"status": ""}, "unknown"),
        ({"status": "", "callEndTime": "", "callDate": ""}, "unknown"),
    ],
)
async def test_a_call_that_still_runs(cinnox: Cinnox, change: dict[str, Any], outcome: str) -> None:
    call = cinnox.parse([{**RECORD, **change}])
    assert call.outcome == outcome
    if outcome == "in_progress":
        assert (call.ended_at, call.duration_s, call.hangup) == (None, None, Hangup())
        assert call.agents[0].answered is None
        handed_on = cinnox.parse([RECORD, {**DECLINED, "callSeq": 3, **change}])
        assert (handed_on.outcome, handed_on.ended_at) == (outcome, None)
        assert handed_on.agents[0].ended_at is not None


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("https://files.example.com/1", "https://files.example.com/1"),
        ("files.example.com/1", "https://files.example.com/1"),
        ("/v1/files/1", "https://x.example/v1/files/1"),
        ("", None),
    ],
)
def test_addresses_are_whole(address: str, whole: str | None) -> None:
    event = {**EVENT, "files": [{**FILE, "downloadUrl": address}]}
    call = Cinnox(login("https://x.example")).parse([{**RECORD, "recordingEventList": [event]}])
    assert call.recordings[0].url == whole


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
