"""Liner's recordings, which come later than the call, and the states of a call in any order."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from providers.errors import AuthError, ProviderError, RateLimited
from providers.liner import Liner
from providers.model import Call
from tests.providers.contract import QUERY
from tests.providers.liner_bodies import (
    CALL,
    RECORD,
    RECORD_B,
    SPARSE,
    STATUS,
    THIRD,
    listed,
    ok,
    paged,
)
from tests.providers.server import Answer, Server


async def test_recordings_with_both_shapes_of_the_list(server: Server, liner: Liner) -> None:
    async with liner:
        call = await liner.call("918273")
        known = await liner.recordings(call)
    first, second = known.recordings
    assert (first.id, first.url, first.duration_s) == ("123", RECORD["fileUrl"], 60)
    assert first.started_at == datetime(2024, 1, 1, 9, 31, tzinfo=UTC)
    assert (first.agent_id, first.transfer, first.summary) == (
        "101",
        False,
        "Client asked for a call back on Friday.",
    )
    assert (second.agent_id, second.transfer, second.summary) == (None, True, None)
    assert server.asked("/v2/call-record/")[0].one("callId") == "918273"
    assert len(server.asked("/v2/call-record/detail/124/")) == 1
    assert server.asked("/v2/call-record/detail/123/") == []

    assert known.recordings_known and known.has_recording is True
    assert known.summary == "Client asked for a call back on Friday."


async def test_a_summary_that_only_the_detail_has(server: Server, liner: Liner) -> None:
    server.on(
        "/v2/call-record/detail/124/", ok({**RECORD_B, "recordSummary": "Short.", "userId": 7})
    )
    async with liner:
        found = (await liner.recordings(await liner.call("918273"))).recordings
    assert (found[1].summary, found[1].agent_id) == ("Short.", "7")


async def test_a_broken_detail_costs_only_the_summary(server: Server, liner: Liner) -> None:
    server.on("/v2/call-record/detail/124/", Answer(status=500))
    async with liner:
        found = (await liner.recordings(await liner.call("918273"))).recordings
    assert [recording.id for recording in found] == ["123", "124"]


async def test_a_question_is_always_asked(server: Server, liner: Liner) -> None:
    """`hasRecords` false comes before the recording: who asks for a call wants to know now."""
    async with liner:
        for row in (THIRD, SPARSE, {**THIRD, "records": []}):
            call = liner.parse(row)
            assert call.recordings_known is (row is not SPARSE)
            asked = await liner.recordings(call)
            assert len(asked.recordings) == 2 and asked.recordings_known
            assert asked.has_recording is True
    assert {r.one("callId") for r in server.asked("/v2/call-record/")} == {"918274", "918275"}


async def test_a_call_without_an_id_of_its_own_is_not_asked_for(
    server: Server, liner: Liner
) -> None:
    async with liner:
        call = liner.parse({key: value for key, value in CALL.items() if key != "id"})
        assert (await liner.recordings(call)).recordings == ()
    assert server.requests == []


async def test_a_second_recording_and_a_late_summary_land(server: Server, liner: Liner) -> None:
    early = {**RECORD, "recordSummary": None, "fileUrl": "", "durationSeconds": 0}
    server.on("/v2/call-record/", paged(early))
    server.on("/v2/call-record/detail/123/", ok(early))
    async with liner:
        first = await liner.recordings(await liner.call("918273"))
        assert [(r.id, r.url, r.summary) for r in first.recordings] == [("123", None, None)]
        server.on("/v2/call-record/", paged(RECORD_B, RECORD))
        later = await liner.recordings(first)
    assert [recording.id for recording in later.recordings] == ["123", "124"]
    assert later.recordings[0].url == RECORD["fileUrl"] and later.recordings[0].duration_s == 60
    assert later.summary == RECORD["recordSummary"]
    assert later.recordings[1].transfer is True


async def test_what_was_known_of_a_recording_is_not_lost(server: Server, liner: Liner) -> None:
    """A list that comes shorter, or in the shorter of the page's two versions."""
    short = {**RECORD, "recordSummary": "", "durationSeconds": 0, "userId": None}
    calls = []
    async with liner:
        call = await liner.call("918273")
        for answer in (paged(RECORD, RECORD_B), paged(short), paged()):
            server.on("/v2/call-record/", answer)
            calls.append(call := await liner.recordings(call))
    assert calls[0].recordings == calls[1].recordings == calls[2].recordings
    assert [call.summary for call in calls] == [RECORD["recordSummary"]] * 3


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_every_page_of_recordings_comes(server: Server, liner: Liner, size: int) -> None:
    records = [{**RECORD, "id": n, "createdAt": f"2024-01-01T10:{n:02}:00Z"} for n in range(1, 6)]
    server.on("/v2/call-record/", paged(*records, size=size))
    async with liner:
        call = await liner.recordings(await liner.call("918273"))
    assert [recording.id for recording in call.recordings] == ["1", "2", "3", "4", "5"]
    offsets = [int(request.one("offset") or 0) for request in server.asked("/v2/call-record/")]
    assert offsets == [*range(0, 5, size), *([5] if size == 1 else [])]


async def test_recordings_that_do_not_come_are_told_and_asked_for_again(
    server: Server, liner: Liner
) -> None:
    server.on("/v2/call-record/", paged(RECORD, total=2))
    async with liner:
        part = await liner.recordings(await liner.call("918273"))
        assert part.problems == ("records: 1 of 2 recordings",) and not part.recordings_known
        server.on("/v2/call-record/", listed(RECORD, RECORD_B))
        for whole in (
            await liner.recordings(part),
            liner.parse(liner.merge(part.raw, {**CALL, "records": [RECORD_B]})),
            liner.parse(liner.merge({**CALL, "records": [RECORD_B]}, part.raw)),
        ):
            assert whole.problems == () and whole.recordings_known and len(whole.recordings) == 2


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (429, RateLimited)])
async def test_a_detail_that_says_stop_is_heard(
    server: Server, liner: Liner, status: int, kind: type[ProviderError]
) -> None:
    server.on("/v2/call-record/detail/124/", Answer(status=status, headers={"Retry-After": "900"}))
    async with liner:
        call = await liner.call("918273")
        with pytest.raises(kind):
            await liner.recordings(call)


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500])
async def test_a_detail_that_cannot_be_had_costs_the_summary(
    server: Server, liner: Liner, status: int
) -> None:
    server.on("/v2/call-record/detail/124/", Answer({"message": "no"}, status))
    async with liner:
        found = (await liner.recordings(await liner.call("918273"))).recordings
    assert [recording.id for recording in found] == ["123", "124"]


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("/records/1.mp3", "{base}/records/1.mp3"),
        ("records/1.mp3", "{base}/records/1.mp3"),
        ("storage.example.com/1.mp3", "https://storage.example.com/1.mp3"),
        ("//storage.example.com/1.mp3", "https://storage.example.com/1.mp3"),
        ("https://storage.example.com/1.mp3", "https://storage.example.com/1.mp3"),
    ],
)
async def test_an_address_without_scheme_or_host_is_at_the_accounts_origin(
    server: Server, liner: Liner, address: str, whole: str
) -> None:
    call = liner.parse({**CALL, "records": [{**RECORD, "fileUrl": address}]})
    assert call.recordings[0].url == whole.format(base=server.url)


# --- states in any order ------------------------------------------------------------------

BEGUN = {"statusCode": "dialing", "finishInitiator": None, "hasRecords": False}
NOTHING = {"totalDurationSeconds": 0, "talkTimeDurationSeconds": 0, "waitTimeDurationSeconds": 0}
TALKING = {
    "statusCode": "processing",
    "totalDurationSeconds": 40,
    "waitTimeDurationSeconds": 5,
    "talkTimeDurationSeconds": 35,
}
ENDED = {"finishInitiator": "client", "statusCode": "answered"}
LENGTHS = {key: CALL[key] for key in NOTHING}
LATE = {**RECORD_B, "fileUrl": "", "durationSeconds": 0}


def life(seed: int) -> list[dict[str, Any]]:
    """The bodies of one call from its ringing to its summary, some fields left out or empty."""
    chance = random.Random(seed)
    plain = {key: value for key, value in CALL.items() if not key.startswith("status")}
    states: list[dict[str, Any]] = [
        {**plain, **BEGUN, **chance.choice([NOTHING, dict.fromkeys(NOTHING)])},
        {**plain, **BEGUN, **TALKING},
        {**plain, **ENDED, **NOTHING, "hasRecords": False},
        {**plain, **ENDED, **LENGTHS, "hasRecords": False},
        {**plain, **ENDED, **LENGTHS, "hasRecords": True},
        {**plain, **ENDED, **LENGTHS, "records": []},
        {**plain, **ENDED, **LENGTHS, "hasRecords": True, "records": [LATE]},
        {**plain, **ENDED, **LENGTHS, "records": [RECORD_B, {**RECORD, "recordSummary": None}]},
        {**plain, **ENDED, **LENGTHS, "hasRecords": True, "records": [RECORD]},
    ]
    for state in states[:-1]:
        for key in chance.sample(
            ["sipEndpointId", "leadId", "userId", "orderId", "clientPhone"], 2
        ):
            state[key] = chance.choice([None, "", {}, [], 0 if key.endswith("Id") else " "])
            if chance.random() < 0.5:
                del state[key]
        if chance.random() < 0.3:
            state |= dict.fromkeys(["isPredictive", "direction"])
    # the list's other shape: a number where the example has a code
    for state in states[3:]:
        if chance.random() < 0.5:
            state["statusId"] = STATUS["id"]
            del state["statusCode"]
    return states


def parsed(liner: Liner, states: list[dict[str, Any]]) -> Call:
    kept: Any = states[0]
    for state in states[1:]:
        kept = json.loads(json.dumps(liner.merge(kept, state)))
    return liner.parse(kept)


async def test_states_of_a_call_in_any_order_and_number_give_one_call(liner: Liner) -> None:
    async with liner:
        await liner.call("918273")  # brings the names
    whole = liner.parse({**CALL, "records": [RECORD, RECORD_B]})
    for seed in range(40):
        states = life(seed)
        for number in range(4):
            chance = random.Random(f"{seed} {number}")
            order = chance.sample(states, len(states)) + chance.choices(states, k=4)
            chance.shuffle(order)
            assert parsed(liner, order) == whole, f"seed {seed}, order {number}"
            assert parsed(liner, [*order, *order]) == whole


async def test_every_order_of_few_states(liner: Liner) -> None:
    plain = {**CALL, "statusId": None}
    states = [
        {**plain, **BEGUN, **NOTHING},
        {**plain, **BEGUN, **TALKING},
        {**plain, "talkTimeDurationSeconds": 0, "totalDurationSeconds": None},
        {**plain, "records": [RECORD]},
    ]
    want = liner.parse({**CALL, "statusId": None, "records": [RECORD]})
    for order in permutations(states):
        assert parsed(liner, list(order)) == want


@pytest.mark.parametrize(
    ("older", "newer", "field", "value"),
    [
        ({}, {"statusCode": "callback", "statusId": None}, "status", "callback"),
        ({"statusId": 12}, {"statusId": None, "statusCode": "callback"}, "status", "callback"),
        ({"statusCode": "answered"}, {"statusId": 77, "statusCode": None}, "status", "77"),
        ({}, {"talkTimeDurationSeconds": 100}, "talk_s", 100),  # put right after the end
        ({}, {"clientPhone": "+7"}, "to", "+7"),
        ({"hasRecords": True}, {"hasRecords": False}, "has_recording", True),
        ({"hasRecords": True}, {"hasRecords": None}, "has_recording", True),
        ({"hasRecords": False}, {"hasRecords": True}, "has_recording", True),
        ({}, {"talkTimeDurationSeconds": 0}, "talk_s", 115),
        ({}, {"totalDurationSeconds": ""}, "duration_s", 120),
        ({}, {"finishInitiator": None}, "outcome", "answered"),
        ({}, {"finishInitiator": "system"}, "outcome", "answered"),
    ],
)
async def test_the_newer_state_wins_and_loses_nothing(
    liner: Liner, older: dict[str, Any], newer: dict[str, Any], field: str, value: Any
) -> None:
    call = liner.parse(liner.merge({**CALL, **older}, {**CALL, **newer}))
    assert getattr(call, field) == value


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (BEGUN, "in_progress"),
        ({**BEGUN, **NOTHING}, "in_progress"),
        ({**BEGUN, **TALKING}, "in_progress"),
        ({**BEGUN, "statusCode": "waiting"}, "in_progress"),
        ({**BEGUN, "statusCode": "ringing", **NOTHING}, "in_progress"),
        ({**BEGUN, "statusCode": "In progress", **NOTHING}, "in_progress"),
        ({**BEGUN, "statusCode": None, "statusId": 17, **NOTHING}, "in_progress"),
        ({**BEGUN, "statusCode": None, "statusId": None, **NOTHING}, "in_progress"),
        ({**BEGUN, "statusCode": "no-answer", **NOTHING}, "missed"),
        ({**BEGUN, "statusCode": None, "statusId": None}, "answered"),
        ({**BEGUN, "statusCode": "answered"}, "answered"),
        ({"statusCode": "processing", **NOTHING}, "missed"),  # somebody has ended it
        ({"finishInitiator": None, "statusCode": None, "createdAt": None}, "answered"),
    ],
)
async def test_a_running_call_is_in_progress(
    liner: Liner, change: dict[str, Any], outcome: str
) -> None:
    liner.names.put("status", "17", {"code": "waiting", "title": "Warten"})
    row = {**CALL, "statusId": None, **change}
    call = liner.parse(row)
    assert call.outcome == outcome
    if outcome == "in_progress":
        assert call.ended_at is None and "ended_at" not in call.derived
        assert call.started_at == datetime(2024, 1, 1, 9, 30, tzinfo=UTC)


async def test_of_very_many_recordings_the_first_are_asked_for(
    server: Server, liner: Liner
) -> None:
    rows = [{**RECORD_B, "id": n} for n in range(5_000)]
    server.on("/v2/call-record/", paged(*rows))
    async with liner:
        known = await liner.recordings(await liner.call("918273"))
    assert [one.id for one in known.recordings] == [str(n) for n in range(200)]
    assert "records: 4,800 or more left out" in known.problems and known.recordings_known
    assert len(server.asked("/v2/call-record/")) == 3
    details = [one for one in server.requests if one.path.startswith("/v2/call-record/detail/")]
    assert len(details) == 200
    assert liner.parse(json.loads(json.dumps(known.raw))) == known


async def test_an_id_that_is_too_long_is_not_asked_for(server: Server, liner: Liner) -> None:
    long, same = "é" * 30_000, "é" * 29_999 + "e"
    calls = [liner.parse({**CALL, "id": id_, "leadId": long}) for id_ in (long, same)]
    first, second = calls
    assert first.id.startswith("no-id-") and first.id != second.id
    assert "id: longer than 200 characters" in first.problems
    assert liner.parse(json.loads(json.dumps(first.raw))) == first
    server.on("/v2/call/", listed(*({**CALL, "id": n, "leadId": long} for n in range(3))))
    async with liner:
        pages = [page async for page in liner.pages(QUERY)]
    assert len(pages[0].calls) == 3 and not pages[0].notes
    assert not [one for one in server.requests if "lead/detail" in one.path]


async def test_what_is_of_another_recording_or_call_is_not_taken(
    server: Server, liner: Liner
) -> None:
    server.on("/v2/call-record/", listed(RECORD, RECORD_B, {**THIRD, "callId": 7}))
    server.on("/v2/call-record/detail/124/", ok({**RECORD_B, "id": 9, "recordSummary": "Other."}))
    async with liner:
        found = await liner.recordings(await liner.call("918273"))
    assert [(one.id, one.summary) for one in found.recordings][1:] == [("124", None)]
    assert found.problems == ("records: 1 recording of another call left out",)


@pytest.mark.parametrize(
    ("states", "missing"),
    [
        ([{"records": [RECORD], "recordsMissing": "1 of 2"}, {"records": [RECORD_B]}], False),
        ([{"records": [RECORD]}, {"records": [RECORD_B], "recordsMissing": "1 of 2"}], False),
        (
            [
                {"records": [RECORD], "recordsMissing": "1 of 2"},
                {"records": [RECORD], "recordsMissing": "1 of 2"},
            ],
            True,
        ),
        ([{"records": [RECORD], "recordsMissing": "1 of 2"}, {}], True),
        ([{}, {"records": [RECORD]}], False),
    ],
)
async def test_that_recordings_are_missing_is_told_until_one_answer_had_all(
    liner: Liner, states: list[dict[str, Any]], missing: bool
) -> None:
    older, newer = ({**CALL, **state} for state in states)
    for call in (liner.merge(older, newer), liner.merge(newer, older)):
        assert any("1 of 2" in problem for problem in liner.parse(call).problems) is missing
