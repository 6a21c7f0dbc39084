from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.errors import AuthError, BadAnswer, ProviderError, RateLimited, Rejected
from providers.model import RecordingEvent
from tests.providers.contract import ProviderContract, login, walk
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


def paged(*records: Any, **more: Any) -> Any:
    def answer(request: Request) -> Answer:
        offset, limit = int(request.one("offset") or 0), int(request.one("limit") or 50)
        assert limit <= 500
        return Answer({"code": 200, "result": list(records)[offset : offset + limit], **more})

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


@pytest.fixture
def cinnox(server: Server) -> Cinnox:
    script(server)
    made = Cinnox(account(server))
    made.sleep = Waits()
    return made


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
    assert (agent.transfer, agent.hangup_reason) == (None, None)
    assert (call.hangup.by, call.hangup.reason, call.hangup.code) == (
        "agent",
        "Normal Clearing",
        "200",
    )
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
    assert call.hangup.by == "agent"
    assert call.has_recording is False and call.recordings == ()


async def test_the_request_is_the_documented_one(server: Server, cinnox: Cinnox) -> None:
    async with cinnox:
        await walk(cinnox)
    [request] = server.asked(PATH)
    assert request.query == [
        ("startAt", "2024-01-01T00:00:00.000Z"),
        ("endAt", "2024-02-01T12:30:15.001Z"),
        ("offset", "0"),
        ("limit", "500"),
    ]
    assert request.headers["Authorization"].startswith("Bearer ")


async def test_pages_of_500_and_no_total(server: Server) -> None:
    records = [{**RECORD, "id": f"r{n}", "callID": f"c{n}"} for n in range(1000)]
    script(server, *records)
    async with Cinnox(account(server)) as cinnox:
        pages = await walk(cinnox)
        assert [len(page.calls) for page in pages] == [500, 500, 0]
        assert all(page.total is None for page in pages)
        resumed = await walk(cinnox, pages[0].cursor)
        assert [call.id for page in resumed for call in page.calls] == [
            f"c{n}" for n in range(500, 1000)
        ]


async def test_a_vendor_that_ignores_the_offset(server: Server) -> None:
    records = [{**RECORD, "id": f"r{n}", "callID": f"c{n}"} for n in range(500)]
    script(server)
    server.on(PATH, {"code": 200, "result": records})
    async with Cinnox(account(server)) as cinnox:
        pages = await walk(cinnox)
    assert sum(len(page.calls) for page in pages) == 500 and len(server.asked(PATH)) == 2


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


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"recordingEventList": []}, True),
        ({"recordingEventList": [], "hasAudioFile": False}, False),
        ({"recordingEventList": [], "hasAudioFile": None}, None),
        ({"recordingEventList": None, "hasAudioFile": "", "isRecording": False}, False),
        ({"recordingEventList": [], "hasAudioFile": None, "isRecording": None}, None),
        ({"recordingEventList": [], "hasAudioFile": "false", "isRecording": True}, False),
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


async def test_the_last_handler_is_an_agent_too(server: Server) -> None:
    [call] = await calls_of(server, {**RECORD, "lastHandledParty": "staff-0043"})
    assert [(agent.id, agent.name, agent.answered) for agent in call.agents] == [
        ("staff-0042", "Mei", True),
        ("staff-0043", "Ada Ho", None),
    ]


async def test_no_staff_list_costs_only_names(server: Server) -> None:
    script(server)
    server.on(STAFF, Answer({"code": 6450001, "message": "method not found"}, 404))
    async with Cinnox(account(server)) as cinnox:
        [page] = await walk(cinnox)
        assert len(page.failed) == 1 and page.failed[0].startswith("names (staff)")
        assert (await walk(cinnox))[0].failed == ()
    assert page.calls[1].agents[0].id == "staff-0043" and page.calls[1].agents[0].name is None
    assert len(server.asked(STAFF)) == 1


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


async def test_problems_name_the_leg(cinnox: Cinnox) -> None:
    legs = [{**leg, "callDate": "soon"} for leg in TRANSFERRED]
    assert cinnox.parse(legs).problems == (
        "leg 1 callDate: not a time",
        "leg 2 callDate: not a time",
    )


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (
            {"code": 6451000, "message": "missing one of startAt, endAt"},
            400,
            Rejected,
            "missing one",
        ),
        ({"code": 0, "message": "negative offset"}, 400, Rejected, "negative offset"),
        ({"code": 6451000, "message": "exceed maximum limit"}, 200, Rejected, "exceed maximum"),
        ({"code": 401, "message": "Unauthorized"}, 200, AuthError, "Unauthorized"),
        ({"code": 6451010, "message": "Too many requests"}, 400, RateLimited, "Too many"),
        ({"code": 6451010, "message": "Too many requests"}, 200, RateLimited, "Too many"),
        ({"code": 200}, 200, BadAnswer, "without `result`"),
        ([], 200, BadAnswer, "without `result`"),
    ],
)
async def test_failures_wherever_they_stand(
    server: Server, cinnox: Cinnox, body: Any, status: int, kind: type[ProviderError], words: str
) -> None:
    server.on(PATH, Answer(body, status))
    async with cinnox:
        with pytest.raises(kind, match=words):
            await walk(cinnox)


@pytest.mark.parametrize("code", [0, 200, "OK", None, ...])
async def test_result_alone_means_success(server: Server, cinnox: Cinnox, code: Any) -> None:
    body = {"code": code, "result": [RECORD]}
    if code is ...:
        del body["code"]
    server.on(PATH, body)
    async with cinnox:
        assert len((await walk(cinnox))[0].calls) == 1


@pytest.mark.parametrize(
    ("result", "count"),
    [(None, 0), ([], 0), ({}, 0), ({"list": [RECORD]}, 1), (RECORD, 1), ({"0": RECORD}, 1)],
)
async def test_result_in_other_shapes(
    server: Server, cinnox: Cinnox, result: Any, count: int
) -> None:
    server.on(PATH, {"code": 200, "result": json.loads(json.dumps(result))})
    async with cinnox:
        assert len((await walk(cinnox))[0].calls) == count


async def test_without_an_app_id_nothing_is_asked(server: Server) -> None:
    async with Cinnox(login(server.url)) as cinnox:
        with pytest.raises(ProviderError, match="App ID"):
            await cinnox.check()
    assert server.requests == []


def test_a_call_starts_with_the_first_leg_that_says_when() -> None:
    legs = [
        {"id": "a", "callID": "c", "callSeq": 1, "callDate": ""},
        {"id": "b", "callID": "c", "callSeq": 2, "callDate": "2026-11-02T09:00:00.000Z"},
    ]
    call = Cinnox(login("https://x.example")).parse(legs)
    assert call.started_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
