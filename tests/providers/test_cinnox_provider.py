"""What CINNOX's records mean: fields, outcomes, files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from providers.cinnox import MAX_STAFF_PAGES, Cinnox
from providers.model import Hangup, RecordingEvent
from tests.providers.cinnox_bodies import (
    EVENT,
    FILE,
    PATH,
    RECORD,
    STAFF,
    calls_of,
    script,
)
from tests.providers.contract import ProviderContract, login, walk
from tests.providers.server import Answer, Request, Server


class TestContract(ProviderContract):
    vendor = Cinnox
    ids = ("c1f0b6d4", "out-1", "in-3")
    header = "Authorization"

    def login(self, base_url: str) -> Any:
        return login(base_url, app_id="app 1")

    def script(self, server: Server) -> None:
        script(server)

    def routes(self, server: Server) -> list[str]:
        return [PATH]

    def hostile(self) -> Any:
        return [{key: {"x": "SECRET-VALUE"} for key in RECORD} | {"files": 1}]


async def test_every_field_of_the_documents_example(server: Server) -> None:
    call = (await calls_of(server))[0]
    assert (call.id, call.direction, call.outcome, call.status) == (
        "c1f0b6d4",
        "inbound",
        "answered",
        "Call Ended",
    )
    assert call.started_at == datetime(2023, 7, 4, 2, 15, 7, 120_000, tzinfo=UTC)
    assert call.ended_at == datetime(2023, 7, 4, 2, 19, 41, 880_000, tzinfo=UTC)
    assert (call.duration_s, call.wait_s, call.talk_s) == (274.76, None, None)
    assert call.derived == ("duration_s",)
    assert (call.from_, call.to) == ("85291234567", "85230001234")
    assert (call.contact.name, call.contact.number) == ("Chi Wong", "85291234567")
    assert (call.contact.id, call.contact.email) == (None, None)
    assert (call.company_number.number, call.company_number.name) == ("85230001234", None)
    [agent] = call.agents
    assert (agent.id, agent.name, agent.role, agent.department) == (
        "staff-0042",
        "Mei",
        "AGENT",
        "Support",
    )
    assert agent.started_at == call.started_at and agent.answered is True
    assert (agent.status, agent.hangup_reason, agent.hangup_code) == (
        "Call Ended",
        "Normal Clearing",
        "200",
    )
    assert (agent.transfer, agent.ended_at) == (None, call.ended_at)
    assert call.hangup == Hangup("agent", "Normal Clearing", "200", "Mei")
    assert call.vendor_fields == {
        "callType": "offnet",
        "recordType": "call",
        "mediaType": "audio",
        "fromRegion": "HK",
        "fromIP": "203.0.113.7",
        "callPrepareFromNum": "85230001234",
    }
    [recording] = call.recordings
    assert (recording.id, recording.url) == ("file-9001", FILE["downloadUrl"])
    assert (recording.name, recording.duration_s) == ("20230704-021520.mp4", 261.0)
    assert (recording.mime, recording.size, recording.media) == ("mp4", 2093440, "audio")
    assert (recording.agent_id, recording.private) == ("staff-0042", True)
    start, end = (datetime(2023, 7, 4, 2, *at, tzinfo=UTC) for at in ((15, 20), (19, 41)))
    assert (recording.started_at, recording.ended_at) == (start, end)
    assert call.recording_events == (RecordingEvent("staff-0042", start, end),)
    assert call.has_recording is True and call.recordings_known
    assert call.raw == [RECORD] and call.problems == ()
    assert (call.queue, call.ring_group, call.campaign, call.summary) == (None,) * 4


async def test_an_outbound_call_with_numbers_as_numbers(server: Server) -> None:
    call = (await calls_of(server))[1]
    assert (call.direction, call.outcome, call.status) == ("outbound", "missed", "Not Answered")
    assert (call.from_, call.to) == ("85230001234", "85291234567")
    assert (call.contact.name, call.contact.number) == ("Ms Lee", "85291234567")
    assert call.company_number.number == "85230001234"
    [agent] = call.agents
    assert (agent.id, agent.name, agent.role, agent.department, agent.answered) == (
        "staff-0043",
        "Ada Ho",
        "SUPERVISOR",
        "Sales",
        False,
    )
    assert (call.hangup.by, call.hangup.by_name) == ("agent", "Ada Ho")
    assert call.has_recording is True and call.recordings == ()  # one is still to come


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Call Ended", "answered"),
        ("CALL ENDED", "answered"),
        ("Not Answered", "missed"),
        ("Busy", "busy"),
        ("Declined", "declined"),
        ("Cancelled", "cancelled"),
        ("Abandoned", "abandoned"),
        ("Unreachable", "failed"),
        ("Call Failed", "failed"),
        ("Teleported", "unknown"),
        ("", "unknown"),
    ],
)
async def test_outcomes_of_the_eight_statuses(cinnox: Cinnox, status: str, outcome: str) -> None:
    call = cinnox.parse([{**RECORD, "status": status}])
    assert (call.outcome, call.status) == (outcome, status or None)
    known = outcome != "unknown"
    assert call.agents[0].answered is ((outcome == "answered") if known else None)


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"recordingEventList": []}, True),
        ({"recordingEventList": [], "hasAudioFile": False}, True),  # still to come
        ({"recordingEventList": [], "hasAudioFile": None}, True),  # still to come
        ({"recordingEventList": [], "hasAudioFile": None, "isRecording": False}, False),
        ({"recordingEventList": None, "hasAudioFile": "", "isRecording": False}, False),
        ({"recordingEventList": [], "hasAudioFile": None, "isRecording": None}, None),
        ({"recordingEventList": [], "hasAudioFile": "false", "isRecording": "1"}, True),
        ({"recordingEventList": [], "hasAudioFile": "false", "isRecording": ""}, False),
        ({"hasAudioFile": False, "isRecording": False}, True),
        ({"recordingEventList": {**EVENT, "files": FILE}}, True),
    ],
)
async def test_whether_there_is_a_recording(
    cinnox: Cinnox, change: dict[str, Any], known: bool | None
) -> None:
    assert cinnox.parse([{**RECORD, **change}]).has_recording is known


async def test_staff_calling_staff(cinnox: Cinnox) -> None:
    call = cinnox.parse(
        [
            {
                **RECORD,
                "callType": "OnNet",
                "fromEID": "staff-0043",
                "fromDisplayName": "Ada",
                "fromRole": "ADMIN",
                "releaseParty": "Caller",
            }
        ]
    )
    assert call.direction == "internal"
    assert [(agent.id, agent.role) for agent in call.agents] == [
        ("staff-0043", "ADMIN"),
        ("staff-0042", "AGENT"),
    ]
    assert call.contact.number is None and call.hangup.by == "agent"


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"size": "2093440"}, "size", 2093440),
        ({"type": "2"}, "media", "video"),
        ({"type": "3"}, "media", "audio"),
        ({"type": 9}, "media", "9"),
        ({"duration": "1500"}, "duration_s", 1.5),
        ({"duration": None}, "duration_s", None),
        ({"mimeType": "video"}, "mime", "video"),
        ({"isPrivate": "True"}, "private", True),
        ({"name": "../../x"}, "name", "../../x"),
    ],
)
async def test_files_of_other_types(
    cinnox: Cinnox, change: dict[str, Any], field: str, value: Any
) -> None:
    call = cinnox.parse(
        [{**RECORD, "recordingEventList": [{**EVENT, "files": [{**FILE, **change}]}]}]
    )
    assert getattr(call.recordings[0], field) == value
    assert call.problems == ()


@pytest.mark.parametrize(
    ("change", "id_"),
    [
        ({"callID": ""}, RECORD["hid"]),
        ({"callID": None, "hid": ""}, RECORD["id"]),
        ({"callID": 77}, "77"),
    ],
)
async def test_ids_that_are_missing(server: Server, change: dict[str, Any], id_: str) -> None:
    [call] = await calls_of(server, {**RECORD, **change})
    assert call.id == id_


async def test_records_without_any_id(server: Server) -> None:
    bare = {**RECORD, "callID": "", "hid": "", "id": ""}
    [call] = await calls_of(server, bare, "junk", bare)
    assert call.id.startswith("no-id-") and call.problems == ("callID: missing",)


async def test_times_that_are_none(cinnox: Cinnox) -> None:
    for end in ("", None, "0001-01-01T00:00:00Z"):
        call = cinnox.parse([{**RECORD, "callEndTime": end}])
        assert (call.ended_at, call.duration_s, call.derived, call.problems) == (None, None, (), ())
    call = cinnox.parse([{**RECORD, "callEndTime": "2023-07-04T02:00:00Z"}])
    assert call.duration_s is None and call.problems == ("callEndTime: before callDate",)


async def test_a_staff_list_without_end_ends(server: Server, cinnox: Cinnox) -> None:
    def endless(request: Request) -> Answer:
        return Answer({"code": 200, "result": [{"id": f"more-{request.one('offset')}"}]})

    server.on(STAFF, endless)
    async with cinnox:
        [page] = await walk(cinnox)
    [note] = page.notes
    assert "staff without end" in note and len(server.asked(STAFF)) == MAX_STAFF_PAGES
    assert page.calls, "it costs names alone"
