"""Saved bodies of Nectar Desk: REST and webhook, alone, in lists, and line by line."""

from __future__ import annotations

import copy
import gzip
import json
import random
from itertools import permutations
from typing import Any

import pytest

from tests.outside import expected_nectar, raw, raw_nectar
from tests.outside.compare import compare
from tests.outside.user import Ringback
from tests.slow_params import few

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


@pytest.mark.parametrize("form", ["pretty", "joined", "one line"])
def test_objects_one_behind_the_other_are_read(desk: Ringback, form: str) -> None:
    bodies = [{**WEBHOOK, "id": n} for n in range(1, 5)]
    pretty = "\n".join(json.dumps(body, indent=2) for body in bodies)  # as jq and cat give them
    texts = {
        "pretty": pretty,
        "joined": pretty.replace("}\n{", "}{"),
        "one line": "".join(map(json.dumps, bodies)),
    }
    bring(desk, texts[form])
    assert sorted(call["id"] for call in desk.calls()) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("encoding", "packed"), [("utf-16", False), ("utf-16-le", True)])
def test_a_file_is_read_in_the_encoding_it_has(desk: Ringback, encoding: str, packed: bool) -> None:
    body = {**WEBHOOK, "contact": {**WEBHOOK["contact"], "firstName": "Zoë", "lastName": "李"}}
    text = "\n".join(json.dumps({**body, "id": n}, ensure_ascii=False) for n in (1, 2))
    file = desk.home / "hooks"
    data = text.encode(encoding)
    file.write_bytes(gzip.compress(data) if packed else data)
    desk("import", "desk", str(file))
    assert [call["contact"]["name"] for call in desk.calls()] == ["Zoë 李"] * 2


def test_a_line_in_another_encoding_is_told_and_the_others_are_taken(desk: Ringback) -> None:
    def line(number: int) -> str:
        return json.dumps(
            {**WEBHOOK, "id": number, "sub_type": "(Büro)Handled"}, ensure_ascii=False
        )

    file = desk.home / "hooks.jsonl"
    file.write_bytes(b"\n".join([line(1).encode(), line(2).encode("latin-1"), line(3).encode()]))
    done = desk("import", "desk", str(file), code=3)
    assert "line 2" in done.stderr and "UTF-8" in done.stderr
    assert sorted(call["id"] for call in desk.calls()) == ["1", "3"]


def test_damage_and_what_is_no_call_is_told(desk: Ringback) -> None:
    file = desk.home / "hooks"
    text = json.dumps({**WEBHOOK, "id": 1})
    contact = json.dumps({"id": 44, "firstName": "John", "phone": "+12025550123"})
    for end, words in (
        ("\n<html>", "line 2"),
        (f"\n{contact}", "line 2: not a call"),
        ("]", "list"),
    ):
        file.write_text(text + end)
        assert words in desk("import", "desk", str(file), code=3).stderr
    file.write_bytes(gzip.compress(text.encode() + b"\n")[:-3])
    assert "gzip" in desk("import", "desk", str(file), code=3).stderr
    assert [call["id"] for call in desk.calls()] == ["1"]
    directory = desk("import", "desk", str(desk.home), code=1)
    assert "directory" in directory.stderr.lower() and "line" not in directory.stderr


LIVE = {"is_ended": False, "type": "in_progress", "duration": 7, "talk_time": 0}
YOUNG = {"recordings": [], "disposition": {}, "tags": [], "talk_time": 0}
HOOK_STATES: tuple[dict[str, Any], ...] = (
    {"endedDate": None, "duration": 0, "talkTime": 0, "tags": [], "call_recordings": []},
    {"call_recordings": [], "disposition": {}},
    {},
)


@pytest.mark.parametrize("forms", few(1, ["rest", "webhook", "both"]))
def test_states_in_any_order_and_twice_give_one_call(desk: Ringback, forms: str) -> None:
    rests = [{"calls": {**rest(1234), **state}} for state in (LIVE, YOUNG, {})]
    hooks = [{**WEBHOOK, **state} for state in HOOK_STATES]
    states = {"rest": rests, "webhook": hooks, "both": [*rests[::2], *hooks[::2]]}[forms]
    seen, number = [], 5000
    lines = []
    for order in permutations(states):
        for times in (1, 2):
            number += 1
            for state in order * times:
                inner = state.get("calls")
                body = {**(inner or state), "id": number}
                lines.append(json.dumps({"calls": body} if inner else body))
    bring(desk, "\n".join(lines))
    for call in desk.calls("--account", "desk"):
        del call["id"]
        seen.append(json.dumps(call))
    assert len(seen) == number - 5000 and len(set(seen)) == 1
    call = json.loads(seen[0])
    assert (call["outcome"], call["duration_s"], call["talk_s"]) == ("answered", 95, 80)
    assert call["ended_at"] and call["disposition"]["code"] and call["has_recording"] is True
    assert call["tags"] == ["vip", "refund"]


def test_states_in_files_of_their_own_give_one_call(desk: Ringback) -> None:
    states = [json.dumps({"calls": {**rest(7000), **state}}) for state in (LIVE, {})]
    for number, order in ((7001, states), (7002, states[::-1])):
        for text in order:
            bring(desk, text.replace("7000", str(number)))
    raws = [desk("show", "--raw", f"desk:{n}").stdout.replace(str(n), "") for n in (7001, 7002)]
    assert raws[0] == raws[1]
    for call in (shown(desk, 7001), shown(desk, 7002)):
        assert (call["outcome"], call["duration_s"]) == ("answered", 95)


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
