"""Saved bodies of Nectar Desk: REST and webhook, alone, in lists, and line by line."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from tests.outside import expected_nectar, raw, raw_nectar
from tests.outside.compare import compare
from tests.outside.user import Ringback

HOST = "https://media.example.com"
WEBHOOK: dict[str, Any] = {
    "id": 1234,
    "type": "inbound",
    "startedDate": "2026-01-13T10:15:30+02:00",
    "endedDate": "2026-01-13T10:17:05+02:00",
    "duration": 95,
    "talkTime": 80,
    "waitingTime": 12,
    "tags": ["vip", "refund"],
    "call_type": "inbound_ring_group",
    "call_recordings": ["example.com/api/call/recording/555"],
    "number": {
        "id": 10,
        "number": "+12025550100",
        "numberWithAlias": "+12025550100 (Support)",
        "alias": "Support",
    },
    "campaign": "Winter Promo",
    "external_numbers": [{"number": "+12025550999 (Sales ext)", "is_any_transfer": False}],
    "transfer_details": {"transfer_talk_time": 32, "number": "+12025550999"},
    "abandoned": 0,
    "sub_type": "(Support)Handled",
    "ringGroup": {"id": 7, "name": "Support"},
    "disposition": {"id": 3, "code": "SALE", "note": "Converted"},
    "contact": {
        "id": 44,
        "firstName": "John",
        "lastName": "Doe",
        "email": "john.doe@example.com",
        "phone": "+12025550123",
        "createDate": "2025-10-01T12:00:00+02:00",
        "additionalFields": {"customerType": "premium"},
    },
    "agents": [
        {"id": 5, "name": "Agent A", "action": "Answered", "type": "Normal call"},
        {"id": 8, "name": "Agent B", "action": "Contact hangup", "type": "Transfer Call"},
    ],
}
SPARSE: dict[str, Any] = {
    "id": 1235,
    "type": "outbound",
    "startedDate": "2026-01-13T10:15:30+02:00",
    "endedDate": "",
    "duration": 0,
    "talkTime": 0,
    "waitingTime": 0,
    "tags": [],
    "call_type": "outbound",
    "call_recordings": [],
    "number": {},
    "campaign": "",
    "external_numbers": [],
    "transfer_details": {},
    "abandoned": 0,
    "sub_type": "Not Answered",
}


@pytest.fixture
def desk(ringback: Ringback) -> Ringback:
    ringback.add("desk", "nectar", "https://nectar.example.com")
    return ringback


def bring(desk: Ringback, text: str, code: int = 0) -> Any:
    return desk("import", "desk", "-", feed=text, code=code)


def rest(number: int = 77) -> dict[str, Any]:
    return raw_nectar.body(HOST, number, random.Random(number))


def shown(desk: Ringback, number: int) -> dict[str, Any]:
    call: dict[str, Any] = json.loads(
        desk("show", "--json", "--with-urls", f"desk:{number}").stdout
    )
    return call


def test_both_forms_are_read_field_by_field(desk: Ringback) -> None:
    bring(desk, json.dumps([{"calls": rest()}, WEBHOOK, SPARSE]))
    want = [
        expected_nectar.rest("desk", rest()),
        expected_nectar.webhook("desk", WEBHOOK),
        expected_nectar.webhook("desk", SPARSE),
    ]
    got = [shown(desk, number) for number in (77, 1234, 1235)]
    report = compare(got, want)
    assert not report, f"\n{report}"
    assert [call["outcome"] for call in got] == ["answered", "answered", "missed"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(WEBHOOK, indent=2),
        json.dumps([WEBHOOK]),
        "\ufeff" + json.dumps(WEBHOOK),
        json.dumps(WEBHOOK) + "\n",
        json.dumps(WEBHOOK) + "\r\n\r\n" + json.dumps(WEBHOOK) + "\r\n",
        json.dumps({"calls": {**rest(), "id": 1234}}),
        json.dumps({"calls": [{**rest(), "id": "1234"}]}),
        json.dumps({"call": {**rest(), "id": 1234}}),
    ],
    ids=["indented", "list", "bom", "line", "lines", "rest", "rest-list", "call"],
)
def test_every_way_to_save_a_body_is_read(desk: Ringback, text: str) -> None:
    bring(desk, text)
    assert [call["id"] for call in desk.calls()] == ["1234"]


def test_a_bad_line_costs_no_other_and_is_named(desk: Ringback) -> None:
    lines = [json.dumps({**WEBHOOK, "id": 1}), "{not json", "7", json.dumps({**SPARSE, "id": 4})]
    done = bring(desk, "\n".join(lines), code=3)
    assert sorted(call["id"] for call in desk.calls()) == ["1", "4"]
    assert "line 2" in done.stderr and "line 3" in done.stderr and "desk" in done.stderr


@pytest.mark.parametrize("field", sorted(WEBHOOK.keys() - {"id"}))
def test_any_field_of_a_webhook_may_be_empty(field: str, many: dict[str, dict[str, Any]]) -> None:
    for kind in range(len(raw.NOTHING)):
        id = f"{900 + sorted(WEBHOOK).index(field) * 10 + kind}"
        body = {**raw.without(WEBHOOK, field, raw.NOTHING[kind]), "id": int(id)}
        got = many[id]
        want = expected_nectar.webhook("desk", body)
        want["recordings"] = [{**r, "url": None} for r in want["recordings"]]
        assert not (report := compare([got], [want])), f"{field} {raw.NOTHING[kind]!r}\n{report}"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every field empty in every way, imported at once; by id."""
    desk = Ringback(tmp_path_factory.mktemp("home"))
    desk.add("desk", "nectar", "https://nectar.example.com")
    bodies = [
        {**raw.without(WEBHOOK, field, nothing), "id": 900 + place * 10 + kind}
        for place, field in enumerate(sorted(WEBHOOK))
        for kind, nothing in enumerate(raw.NOTHING)
        if field != "id"
    ]
    bring(desk, "\n".join(map(json.dumps, bodies)))
    return {call["id"]: call for call in desk.calls()}


def test_both_forms_of_one_call_become_one_call(desk: Ringback) -> None:
    body = {**rest(), "id": 1234}
    del body["contact"]["full_name"]
    bring(desk, json.dumps(WEBHOOK))
    bring(desk, json.dumps({"calls": body}))
    assert len(desk.calls()) == 1
    call = shown(desk, 1234)
    assert call["wait_s"] == 12 and call["contact"]["email"] == "john.doe@example.com"  # webhook
    assert call["ivr"] == "Main menu" and call["sla_met"] is True  # REST
    kept = json.dumps(json.loads(desk("show", "--raw", "desk:1234").stdout))
    assert "waitingTime" in kept and "is_answered_within_sla" in kept
    again = bring(desk, json.dumps(WEBHOOK))
    assert " 0 new" in again.stdout and shown(desk, 1234) == call


def test_a_later_event_completes_the_call(desk: Ringback) -> None:
    """`Call Ended` without recordings, then `Call Recording Received` and a new disposition."""
    ended = {**copy.deepcopy(WEBHOOK), "call_recordings": [], "disposition": {}}
    later = {**WEBHOOK, "agents": [], "contact": {}}
    bring(desk, json.dumps(ended))
    assert shown(desk, 1234)["disposition"]["code"] is None
    bring(desk, json.dumps(later))
    call = shown(desk, 1234)
    assert call["has_recording"] is True and call["disposition"]["code"] == "SALE"
    assert call["contact"]["name"] == "John Doe" and len(call["agents"]) == 2


@pytest.mark.parametrize(
    "change, outcome",
    [
        ({"abandoned": 1, "sub_type": ""}, "abandoned"),
        ({"abandoned": "1"}, "abandoned"),
        ({"sub_type": "Not Answered", "talkTime": 0}, "missed"),
        ({"sub_type": "(Night)Voicemail"}, "voicemail"),
    ],
)
def test_the_outcome_of_a_webhook(desk: Ringback, change: dict[str, Any], outcome: str) -> None:
    bring(desk, json.dumps({**WEBHOOK, **change}))
    assert shown(desk, 1234)["outcome"] == outcome


def test_what_cannot_be_imported_is_refused_in_words(desk: Ringback) -> None:
    desk.add("sales", "liner", "https://liner.example.com")
    assert "sales" in desk("import", "sales", "-", feed=json.dumps(WEBHOOK), code=2).stderr
    assert "nobody" in desk("import", "nobody", "-", code=2).stderr
    missing = desk("import", "desk", str(desk.home / "missing.json"), code=1)
    assert "missing.json" in missing.stderr
    for text in ("", "not json at all", "[]", "[1, 2]", '{"hello": 1}', "\x00\x01"):
        done = bring(desk, text, code=1)
        assert "desk" in done.stderr, text
    broken = desk.home / "latin1.json"
    broken.write_bytes(json.dumps(WEBHOOK).encode("utf-16"))
    assert "Traceback" not in desk("import", "desk", str(broken), code=None).stderr
    assert not [call for call in desk.calls() if call["id"] != "1234"]
