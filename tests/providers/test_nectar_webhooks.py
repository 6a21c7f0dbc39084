from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.nectar import Nectar
from tests.providers.contract import login
from tests.providers.nectar_bodies import HOOK, REST, SPARSE_HOOK


@pytest.fixture
def nectar() -> Nectar:
    """An account on loopback; nothing here speaks to it."""
    return Nectar(login("http://127.0.0.1:8080"))


class TestWebhookForm:
    async def test_every_field_of_the_documents_example(self, nectar: Nectar) -> None:
        call = nectar.parse(HOOK)
        assert (call.id, call.direction, call.outcome, call.status) == (
            "1234",
            "inbound",
            "answered",
            "(Support)Handled",
        )
        assert call.started_at == datetime(2026, 1, 13, 8, 15, 30, tzinfo=UTC)
        assert call.ended_at == datetime(2026, 1, 13, 8, 17, 5, tzinfo=UTC)
        assert (call.duration_s, call.talk_s, call.wait_s) == (95, 80, 12)
        assert set(call.derived) == {"from", "to", "has_recording"}
        assert (call.from_, call.to) == ("+12025550123", "+12025550100")
        contact = call.contact
        assert (contact.id, contact.name, contact.number, contact.email) == (
            "44",
            "John Doe",
            "+12025550123",
            "john.doe@example.com",
        )
        assert (call.company_number.number, call.company_number.name) == ("+12025550100", "Support")
        first, second = call.agents
        assert (first.id, first.name, first.answered, first.transfer, first.hangup_reason) == (
            "5",
            "Agent A",
            True,
            False,
            None,
        )
        assert (second.id, second.answered, second.transfer, second.hangup_reason) == (
            "8",
            None,
            True,
            "Contact hangup",
        )
        assert (call.ring_group, call.campaign, call.ivr) == ("Support", "Winter Promo", None)
        assert (call.disposition.code, call.disposition.note) == ("SALE", "Converted")
        assert (first.status, second.status) == ("Answered", "Contact hangup")
        assert (call.hangup.by, call.hangup.by_name) == ("customer", "John Doe")
        assert call.tags == ("vip", "refund")
        assert call.vendor_fields == {
            "transferred_to": "+12025550999",
            "transfer_talk_time": 32,
            "call_type": "inbound_ring_group",
        }
        assert (call.sla_met, call.callback_requested, call.original_call_id) == (None,) * 3
        [recording] = call.recordings
        assert (recording.id, recording.url) == (None, "https://example.com/api/call/recording/555")
        assert call.has_recording is True and call.problems == () and call.raw == HOOK

    async def test_the_sparse_example(self, nectar: Nectar) -> None:
        call = nectar.parse(SPARSE_HOOK)
        assert (call.direction, call.outcome, call.status) == ("outbound", "missed", "Not Answered")
        assert call.ended_at is None and call.agents == () and call.recordings == ()
        assert call.has_recording is None and call.derived == ()
        assert (call.from_, call.to, call.campaign, call.ring_group) == (None,) * 4
        assert call.problems == ()

    @pytest.mark.parametrize(
        ("change", "outcome"),
        [
            ({"abandoned": 1}, "abandoned"),
            ({"abandoned": "1", "sub_type": "(Support)Handled"}, "abandoned"),
            ({"sub_type": "(Sales (EU))Voicemail"}, "voicemail"),
            ({"sub_type": "(Sales)Voicemail"}, "voicemail"),
            ({"sub_type": "not_answered"}, "missed"),
            ({"sub_type": "Mystery", "talkTime": 0}, "unknown"),
            ({"sub_type": "", "talkTime": 0}, "unknown"),
            ({"sub_type": "In progress"}, "unknown"),
            (
                {"sub_type": "In progress", "endedDate": "", "duration": 0, "agents": []},
                "in_progress",
            ),
        ],
    )
    async def test_outcomes(self, nectar: Nectar, change: dict[str, Any], outcome: str) -> None:
        call = nectar.parse({**HOOK, "talkTime": 0, **change})
        assert call.outcome == outcome and "outcome" not in call.derived

    async def test_talk_time_tells_where_words_do_not(self, nectar: Nectar) -> None:
        call = nectar.parse({**HOOK, "sub_type": "Mystery"})
        assert call.outcome == "answered" and "outcome" in call.derived

    @pytest.mark.parametrize("change", [{}, {"endedDate": None}, {"endedDate": "0000-00-00"}])
    async def test_a_handled_call_without_end_length_or_hangup_goes_on(
        self, nectar: Nectar, change: dict[str, Any]
    ) -> None:
        going = {**HOOK, "endedDate": "", "duration": 0, "talkTime": 0, "agents": [], **change}
        call = nectar.parse(going)
        assert call.outcome == "in_progress" and "outcome" in call.derived
        for end in ({"duration": 5}, {"talkTime": 5}, {"agents": HOOK["agents"]}):
            assert nectar.parse({**going, **end}).outcome == "answered"
        assert nectar.parse({**going, "sub_type": "Not Answered"}).outcome == "missed"

    async def test_who_hung_up_has_a_name(self, nectar: Nectar) -> None:
        agents = [
            {"id": 5, "name": "Ann", "action": "Answered"},
            {"name": "Ben", "action": "Agent hangup"},
        ]
        call = nectar.parse({**HOOK, "agents": agents})
        assert (call.hangup.by, call.hangup.by_name) == ("agent", "Ben")
        call = nectar.parse({**HOOK, "agents": [{"name": "Ben", "action": "System hangup"}]})
        assert (call.hangup.by, call.hangup.by_name) == ("system", None)

    @pytest.mark.parametrize("sign", ["(", ")", "()", ")("])
    async def test_a_long_run_of_brackets_costs_no_more_than_its_length(
        self, nectar: Nectar, sign: str
    ) -> None:
        """Tested by steps, not by time: a regular expression would take hours of them."""
        assert nectar.parse({**HOOK, "sub_type": sign * 64_000 + "Missed"}).id == "1234"

    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("example.com/r/1", "https://example.com/r/1"),
            ("//example.com/r/1", "https://example.com/r/1"),
            ("https://example.com/r/1", "https://example.com/r/1"),
            ("127.0.0.1:8080/r/1", "http://127.0.0.1:8080/r/1"),
            ("localhost:8080/r/1", "http://localhost:8080/r/1"),
            ("/api/call/recording/5", "http://127.0.0.1:8080/api/call/recording/5"),
        ],
    )
    async def test_recordings_without_a_scheme(self, nectar: Nectar, text: str, url: str) -> None:
        assert nectar.parse({**HOOK, "call_recordings": [text]}).recordings[0].url == url

    async def test_what_is_no_address_is_no_recording(self, nectar: Nectar) -> None:
        call = nectar.parse({**HOOK, "call_recordings": 0})
        assert (call.recordings, call.has_recording) == ((), None)
        assert call.problems == ("call_recordings: not an address",)

    async def test_a_vendor_on_https_gives_no_plain_http(self) -> None:
        far = Nectar(login("https://api.example.com"))
        call = far.parse({**HOOK, "call_recordings": ["127.0.0.1/r/1"]})
        assert call.recordings[0].url == "https://127.0.0.1/r/1"

    async def test_an_object_for_a_list_and_no_contact(self, nectar: Nectar) -> None:
        body = {key: value for key, value in HOOK.items() if key != "contact"}
        call = nectar.parse(
            {
                **body,
                "agents": HOOK["agents"][0],
                "external_numbers": [{"number": "+12025550777 (Lobby)"}],
            }
        )
        assert [agent.id for agent in call.agents] == ["5"]
        assert call.contact.number == "+12025550777 (Lobby)" == call.from_

    async def test_a_transfers_number_is_not_the_contacts(self, nectar: Nectar) -> None:
        body = {key: value for key, value in HOOK.items() if key != "contact"}
        assert nectar.parse(body).contact.number is None


# --- saved bodies, two forms of one call ----------------------------------------------------


async def test_both_forms_make_one_call(nectar: Nectar) -> None:
    hook = {**HOOK, "id": 1234}
    raw = nectar.merge(REST, hook)
    assert raw == [REST, hook] == nectar.merge(hook, REST)
    call = nectar.parse(json.loads(json.dumps(raw)))
    assert (call.status, call.outcome, call.wait_s) == ("answered", "answered", 12)
    assert call.contact.email == "john.doe@example.com" and call.contact.number == "12025550123"
    assert call.disposition.code == "Successful Deal" and call.ivr == "Main menu"
    assert call.ended_at == datetime(2026, 1, 13, 8, 17, 5, tzinfo=UTC)
    assert "ended_at" not in call.derived and call.hangup.by == "customer"
    assert call.recordings[0].url == REST["recordings"][0]["url"]
    assert call.raw == raw


async def test_a_stale_live_call_yields_to_the_webhook(nectar: Nectar) -> None:
    live = {**REST, "is_ended": False, "duration": 3, "talk_time": 0, "recordings": []}
    call = nectar.parse(nectar.merge(live, HOOK))
    assert (call.outcome, call.duration_s, call.has_recording) == ("answered", 95, True)


async def test_a_silent_newer_body_takes_nothing_away(nectar: Nectar) -> None:
    newer = {**REST, "recordings": [], "tags": None, "type": "missed", "disposition": {}}
    merged = nectar.merge(REST, newer)
    assert merged == {**REST, "type": "missed"}
    both = nectar.merge(nectar.merge(REST, HOOK), newer)
    assert both == [{**REST, "type": "missed"}, HOOK]


CONTACT = {"id": 44, "firstName": "John", "phone": "+12025550123"}
"""What the event "Contact Created" posts to the same address: no call."""
LINES = "\n".join(json.dumps(body) for body in (HOOK, SPARSE_HOOK))


@pytest.mark.parametrize(
    ("text", "ids", "errors"),
    [
        (json.dumps(HOOK), [1234], []),
        (json.dumps(HOOK, indent=2), [1234], []),
        (json.dumps([HOOK, SPARSE_HOOK]), [1234, 1235], []),
        (json.dumps({"calls": REST}), [1234], []),
        (json.dumps({"calls": [REST, {**REST, "id": 2}]}), [1234, 2], []),
        (json.dumps([{"calls": REST}, HOOK]), [1234, 1234], []),
        (json.dumps({"calls": [{"id": 5}, {"a": 1}]}), [5], ["line 1: not a call"]),
        ('{"id": 5, "duration": 3}{"id": 6}', [5], ["line 1, object 2: not a call"]),
        (LINES, [1234, 1235], []),
        (LINES.replace("\n", "\r\nbroken\r\n"), [1234, 1235], ["line 2: not JSON"]),
        (LINES + "\n7\n[]\n{}", [1234, 1235], ["line 3: not a call"]),
        (
            json.dumps([HOOK, "x", {"a": 1}]),
            [1234],
            ["line 1, object 2: not a call", "line 1, object 3: not a call"],
        ),
        (LINES + json.dumps(CONTACT), [1234, 1235], ["line 2, object 2: not a call"]),
        ("", [], ["the file is empty"]),
        (" \n\0\n", [], ["the file is empty"]),
        ("[]", [], []),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_saved_files(text: str, ids: list[int], errors: list[str]) -> None:
    saved = list(Nectar.read_saved(text.encode()))
    assert [body["id"] for body, _ in saved if body] == ids
    assert [words for _, words in saved if words] == errors


async def test_a_body_without_an_id_is_kept(nectar: Nectar) -> None:
    body = {key: value for key, value in HOOK.items() if key != "id"}
    call = nectar.parse(body)
    assert call.id.startswith("no-id-") and call.problems == ("id: missing",)
