"""CINNOX's API: pages without a total, legs that share a call, codes and messages."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import httpx
import pytest

from providers.sandbox import Sandbox
from tests.sandbox.conftest import Ask

APP = "/v1/api/apps/sandbox-app"
CALLS = f"{APP}/data/call-detail"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"X-Api-Key": "x"}])
def test_a_wrong_or_missing_token_is_401(
    world: Sandbox, client: httpx.Client, headers: dict[str, str]
) -> None:
    answer = client.get(world.base_url("cinnox") + CALLS, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Unauthorized"})


def test_all_records_come_over_the_pages_each_once(ask: Ask, world: Sandbox) -> None:
    rows: list[dict[str, Any]] = []
    while page := ask("cinnox", CALLS, offset=len(rows), limit=500).json()["result"]:
        rows += page
    assert rows == world.data.cinnox_records
    assert len({row["id"] for row in rows}) == len(rows) > 1200


def test_the_default_page_is_fifty(ask: Ask) -> None:
    assert len(ask("cinnox", CALLS).json()["result"]) == 50


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"startAt": "2026-03-01T00:00:00.000Z"}, "missing one of startAt, endAt"),
        ({"endAt": "2026-03-01T00:00:00.000Z"}, "missing one of startAt, endAt"),
        ({"startAt": "2026-03-02T00:00:00Z", "endAt": "2026-03-01T00:00:00Z"}, "endAt is prior"),
        ({"offset": -1}, "negative offset"),
        ({"limit": -1}, "negative limit"),
        ({"limit": 501}, "exceed maximum limit 500"),
        ({"limit": "many"}, "Bad query"),
        ({"startAt": "x", "endAt": "y"}, "Bad query"),
        ({"callType": "carrier-pigeon"}, "Bad query"),
    ],
)
def test_bad_parameters_share_one_code_and_differ_in_the_message(
    ask: Ask, query: dict[str, Any], message: str
) -> None:
    answer = ask("cinnox", CALLS, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, 6451000)
    assert message in answer.json()["message"]


def test_an_unknown_method_says_so_with_its_code(ask: Ask) -> None:
    answer = ask("cinnox", f"{APP}/data/nothing")
    assert answer.json()["code"] == 6450001
    assert answer.json()["message"] == f"method not found, method: GET url: {APP}/data/nothing"


def test_another_app_id_is_refused(ask: Ask) -> None:
    answer = ask("cinnox", "/v1/api/apps/another/data/call-detail")
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


def test_the_period_includes_both_ends(ask: Ask, world: Sandbox) -> None:
    row = world.data.cinnox_records[700]
    rows = ask("cinnox", CALLS, startAt=row["callDate"], endAt=row["callDate"]).json()["result"]
    assert row in rows


@pytest.mark.parametrize(("key", "value"), [("status", "Busy"), ("callType", "smartcall")])
def test_filters_narrow(ask: Ask, world: Sandbox, key: str, value: str) -> None:
    rows = ask("cinnox", CALLS, limit=500, **{key: value}).json()["result"]
    assert rows == [row for row in world.data.cinnox_records if row[key] == value]


def test_every_status_and_kind_of_record_occurs(world: Sandbox) -> None:
    rows = world.data.cinnox_records
    assert {row["status"] for row in rows} == {
        *("Call Ended", "Declined", "Busy", "Not Answered", "Cancelled", "Abandoned"),
        *("Unreachable", "Call Failed"),
    }
    assert {row["callType"] for row in rows} == {"onnet", "offnet", "smartcall"}
    assert {row["recordType"] for row in rows} == {"call", "voicemail"}
    assert {row["mediaType"] for row in rows} == {"audio", "video"}
    assert {type(row["caller"]) for row in rows} == {int, str}


def test_legs_of_a_transfer_follow_each_other_and_may_stand_on_two_pages(world: Sandbox) -> None:
    legs = defaultdict(list)
    for place, row in enumerate(world.data.cinnox_records):
        legs[row["callID"]].append((row["callSeq"], row["callDate"], row["callEndTime"], place))
    handed_on = [sorted(found) for found in legs.values() if len(found) > 1]
    assert len(handed_on) > 50
    for found in handed_on:
        assert [leg[0] for leg in found] == list(range(1, len(found) + 1))
        assert all(before[2] == after[1] for before, after in pairwise(found))
    assert any(found[0][3] // 50 != found[-1][3] // 50 for found in handed_on)


def test_files_state_milliseconds_and_both_spellings_of_their_type(world: Sandbox) -> None:
    files = [
        (event, file)
        for row in world.data.cinnox_records
        for event in row["recordingEventList"]
        for file in event["files"]
    ]
    assert {repr(file["type"]) for _, file in files} == {"2", "3", "'2'", "'3'"}
    assert {file["mimeType"] for _, file in files} == {"video", "mp4"}
    assert all(file["isPrivate"] is True for _, file in files)
    for event, file in files[:50]:
        seconds = file["duration"] / 1000
        assert seconds <= 600
        assert event["endAt"] > event["startAt"]


def test_a_call_that_has_just_ended_is_recorded_but_has_no_files_yet(world: Sandbox) -> None:
    pending = [
        row for row in world.data.cinnox_records if row["isRecording"] and not row["hasAudioFile"]
    ]
    assert pending
    assert all(row["recordingEventList"] == [] for row in pending)
    assert min(row["callEndTime"] for row in pending) >= "2026-03-04T15:14:00"


def test_the_staff_behind_the_ids_can_be_had(ask: Ask, world: Sandbox) -> None:
    staff = ask("cinnox", f"{APP}/contacts/staffcontact-list").json()["result"]
    known = {row["id"] for row in staff}
    rows = world.data.cinnox_records
    named = {row["fromEID"] for row in rows} | {row["toEID"] for row in rows}
    assert named - {""} == known
    assert len(known) == 14
    found = ask("cinnox", f"{APP}/contacts/staffcontact-list", fullName="yuki").json()
    everybody = Counter(row["firstName"] for row in staff)
    assert [row["firstName"] for row in found["result"]] == ["Yuki"] * everybody["Yuki"]


def test_labels_are_listed_under_their_own_key(ask: Ask) -> None:
    labels = ask("cinnox", f"{APP}/labels").json()["result"]["labelList"]
    assert [row["name"] for row in labels][:2] == ["VIP", "Complaint"]
    one = ask("cinnox", f"{APP}/labels", name="VIP").json()["result"]["labelList"]
    assert one == labels[:1]


def private(world: Sandbox, odd: int) -> str:
    own = world.base_url("cinnox")
    return next(
        own + path
        for path, sound in world.data.cinnox.sounds.items()
        if path.startswith("/files/") and sound.number % 2 == odd
        if sound.seconds < 30 and not sound.trait
    )


def test_a_private_file_needs_the_token(world: Sandbox, client: httpx.Client) -> None:
    url = private(world, odd=0)
    assert client.get(url).status_code == 401
    token = {"Authorization": f"Bearer {world.tokens['cinnox']}"}
    answer = client.get(url, headers=token)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] in ("audio/mp4", "video/mp4")
    assert answer.content[4:8] == b"ftyp"


def test_some_private_files_lead_to_the_other_origin(world: Sandbox, client: httpx.Client) -> None:
    token = {"Authorization": f"Bearer {world.tokens['cinnox']}"}
    answer = client.get(private(world, odd=1), headers=token)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(world.media_url)
    assert client.get(answer.headers["Location"]).content[4:8] == b"ftyp"
    unsigned = answer.headers["Location"].partition("?")[0]
    assert client.get(unsigned).status_code == 403
