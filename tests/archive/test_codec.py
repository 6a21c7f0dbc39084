import json
from dataclasses import replace
from datetime import UTC, datetime

from providers.model import (
    Agent,
    Call,
    CompanyNumber,
    Contact,
    Disposition,
    Hangup,
    Recording,
    RecordingEvent,
)
from tui.archive import codec

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
FULL = Call(
    id="1",
    provider="nectar",
    direction="inbound",
    outcome="answered",
    status="answered",
    started_at=START,
    ended_at=START.replace(minute=32, microsecond=500_000),
    duration_s=120.5,
    wait_s=5.0,
    talk_s=115.0,
    derived=("ended_at",),
    from_="+12025550100",
    to="0044",
    contact=Contact("c", "Ann", "+12025550100", "a@example.com"),
    company_number=CompanyNumber("0044", "Support"),
    agents=(Agent("a", "Bob", "agent", "Desk", START, True, False, "NORMAL_CLEARING"),),
    ring_group="Support",
    queue="q",
    ivr="Main",
    campaign="Winter",
    disposition=Disposition("Sale", "well"),
    hangup=Hangup("customer", "Normal", "200"),
    tags=("vip",),
    sla_met=True,
    callback_requested=False,
    original_call_id="0",
    summary="text",
    has_recording=True,
    recording_events=(RecordingEvent("a", START, None),),
    recordings=(
        Recording("r", "https://x.example/secret", "n.mp3", 61.0, "mp4", 12, "audio", START),
    ),
    recordings_known=False,
    problems=("x: not a time",),
    raw={"id": 1},
)
TOP = [
    "account",
    "provider",
    "id",
    "direction",
    "outcome",
    "status",
    "started_at",
    "ended_at",
    "duration_s",
    "wait_s",
    "talk_s",
    "derived",
    "from",
    "to",
    "contact",
    "company_number",
    "agents",
    "ring_group",
    "queue",
    "ivr",
    "campaign",
    "disposition",
    "hangup",
    "tags",
    "sla_met",
    "callback_requested",
    "original_call_id",
    "summary",
    "has_recording",
    "recording_events",
    "recordings",
    "triage",
    "problems",
    "vendor_fields",
]


def test_the_printed_call_has_exactly_the_documented_fields() -> None:
    printed = codec.printed(codec.encode(FULL), "desk")
    assert sorted(printed) == sorted(TOP)
    assert list(printed["contact"]) == ["id", "name", "number", "email"]
    assert list(printed["agents"][0]) == [
        "id",
        "name",
        "role",
        "department",
        "started_at",
        "answered",
        "transfer",
        "hangup_reason",
        "status",
        "hangup_code",
        "ended_at",
    ]
    assert list(printed["recordings"][0]) == [
        "id",
        "url",
        "name",
        "duration_s",
        "mime",
        "size",
        "media",
        "started_at",
        "ended_at",
        "agent_id",
        "transfer",
        "private",
        "summary",
    ]
    assert printed["account"] == "desk"
    assert printed["started_at"] == "2026-11-02T09:30:00Z"
    assert printed["ended_at"] == "2026-11-02T09:32:00.500Z"
    assert (printed["duration_s"], printed["wait_s"]) == (120.5, 5)
    assert printed["triage"] == {"state": "new", "note": None, "tags": [], "by": None, "at": None}


def test_an_address_is_printed_only_when_asked_for() -> None:
    body = codec.encode(FULL)
    assert "secret" not in codec.dumps(codec.printed(body, "desk"))
    shown = codec.printed(body, "desk", with_urls=True)
    assert shown["recordings"][0]["url"] == "https://x.example/secret"


def test_an_empty_call_has_nulls_and_empty_lists() -> None:
    printed = codec.printed(codec.encode(Call(id="1", provider="liner")), "desk")
    assert printed["agents"] == printed["tags"] == printed["recordings"] == []
    assert printed["started_at"] is printed["has_recording"] is printed["summary"] is None
    assert printed["disposition"] == {"code": None, "note": None}
    assert printed["outcome"] == "unknown"


def test_decode_gives_back_what_was_encoded() -> None:
    body = json.loads(codec.dumps(codec.encode(FULL)))
    extra = json.loads(codec.dumps(codec.encode_extra(FULL)))
    assert codec.decode(body, extra, FULL.raw) == FULL
    bare = Call(id="1", provider="liner")
    assert codec.decode(codec.encode(bare), codec.encode_extra(bare), None) == bare


def test_json_never_steers_a_terminal_and_stays_json() -> None:
    hostile = "a\x1b]0;x\x07\x9b31m\u202e\u2066\u2028\ud800é中"
    text = codec.dumps(codec.encode(replace(FULL, summary=hostile)))
    assert not any(ch < " " or "\x7f" <= ch <= "\x9f" or ch in "\u202e\u2066\u2028" for ch in text)
    assert "é中" in text
    assert json.loads(text)["summary"] == hostile
    text.encode()
