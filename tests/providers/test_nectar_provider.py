from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from contract import ProviderContract, login, walk
from server import Answer, Request, Server, Waits

from providers.errors import AuthError, BadAnswer, NotFound, ProviderError, RateLimited
from providers.nectar import Nectar, read_saved

AGENT: dict[str, Any] = {
    "id": 1,
    "user_id": 43,
    "alias": "Agent A",
    "sip": "sip:agent-a@sip.example.com",
    "started_at": 1747839090,
    "type": "agent",
    "is_any_transfer": False,
    "hangup_reason": "NORMAL_CLEARING",
}
REST: dict[str, Any] = {
    "id": 1234,
    "is_inbound": True,
    "is_answered": True,
    "is_in_queue": False,
    "contact": {
        "id": 4321,
        "full_name": "John Doe",
        "number_country_code": "1",
        "national_number": "2025550123",
        "number": "12025550123",
        "list_ids": [1, 2, 3],
    },
    "agents": [1],
    "all_agents": [AGENT],
    "answered_agents": [AGENT],
    "external_numbers": [{"number": "12025550999", "is_any_transfer": False}],
    "number": {
        "id": 1,
        "number": "12025550100",
        "numberWithAlias": "12025550100 (Support)",
        "alias": "Support",
    },
    "started_at": 1747839084,
    "duration": 95,
    "talk_time": 80,
    "requested_callback": False,
    "is_ended": True,
    "type": "answered",
    "is_answered_within_sla": True,
    "is_data_cached": True,
    "original_call_id": 1230,
    "campaign": {"id": 1, "name": "Winter Promo"},
    "ring_group": {"id": 7, "name": "Support"},
    "ivr": {"id": 1, "name": "Main menu"},
    "disposition": {"id": 3, "code": "Successful Deal", "note": "Converted"},
    "recordings": [{"id": 12, "url": "https://media.plivo.com/v1/Account/MA/Recording/0.mp3"}],
    "tags": ["vip", "refund"],
}
HOOK: dict[str, Any] = {
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
    },
    "agents": [
        {"id": 5, "name": "Agent A", "action": "Answered", "type": "Normal call"},
        {"id": 8, "name": "Agent B", "action": "Contact hangup", "type": "Transfer Call"},
    ],
}
SPARSE_HOOK: dict[str, Any] = {
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


def script(server: Server, *bodies: dict[str, Any]) -> None:
    for body in bodies or (REST, {**REST, "id": 1235}, {**REST, "id": 1236}):
        server.on(f"/calls/{body['id']}", {"calls": body})


def account(server: Server, ids: str = "1234-1236") -> Any:
    return login(server.url, call_ids=ids)


@pytest.fixture
def nectar(server: Server) -> Nectar:
    script(server)
    made = Nectar(account(server))
    made.sleep = Waits()
    return made


class TestContract(ProviderContract):
    vendor = Nectar
    ids = ("1234", "1235", "1236")
    header = "Access-Token"

    def login(self, base_url: str) -> Any:
        return login(base_url, call_ids="1234-1236")

    def script(self, server: Server) -> None:
        script(server)

    def routes(self, server: Server) -> list[str]:
        return [f"/calls/{id_}" for id_ in self.ids]

    def hostile(self) -> Any:
        return {key: ["SECRET-VALUE", 1, {"x": []}] for key in REST}


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
        assert call.hangup.by == "customer" and call.tags == ("vip", "refund")
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
        ],
    )
    async def test_outcomes(self, nectar: Nectar, change: dict[str, Any], outcome: str) -> None:
        call = nectar.parse({**HOOK, "talkTime": 0, **change})
        assert call.outcome == outcome and "outcome" not in call.derived

    async def test_talk_time_tells_where_words_do_not(self, nectar: Nectar) -> None:
        call = nectar.parse({**HOOK, "sub_type": "Mystery"})
        assert call.outcome == "answered" and "outcome" in call.derived

    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("example.com/r/1", "https://example.com/r/1"),
            ("//example.com/r/1", "https://example.com/r/1"),
            ("https://example.com/r/1", "https://example.com/r/1"),
            ("127.0.0.1:8080/r/1", "http://127.0.0.1:8080/r/1"),
            ("localhost:8080/r/1", "http://localhost:8080/r/1"),
        ],
    )
    async def test_recordings_without_a_scheme(self, nectar: Nectar, text: str, url: str) -> None:
        assert nectar.parse({**HOOK, "call_recordings": [text]}).recordings[0].url == url

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


async def test_every_field_of_the_rest_example(nectar: Nectar) -> None:
    async with nectar:
        call = await nectar.call("1234")
    assert (call.id, call.direction, call.outcome, call.status) == (
        "1234",
        "inbound",
        "answered",
        "answered",
    )
    assert call.started_at == datetime(2025, 5, 21, 14, 51, 24, tzinfo=UTC)
    assert call.ended_at == datetime(2025, 5, 21, 14, 52, 59, tzinfo=UTC)
    assert (call.duration_s, call.talk_s, call.wait_s) == (95, 80, None)
    assert set(call.derived) == {"ended_at", "from", "to", "has_recording"}
    assert (call.from_, call.to) == ("12025550123", "12025550100")
    contact = call.contact
    assert (contact.id, contact.name, contact.number, contact.email) == (
        "4321",
        "John Doe",
        "12025550123",
        None,
    )
    assert (call.company_number.number, call.company_number.name) == ("12025550100", "Support")
    [agent] = call.agents
    assert (agent.id, agent.name, agent.role, agent.department) == ("1", "Agent A", None, None)
    assert agent.started_at == datetime(2025, 5, 21, 14, 51, 30, tzinfo=UTC)
    assert (agent.answered, agent.transfer, agent.hangup_reason) == (True, False, "NORMAL_CLEARING")
    assert (call.ring_group, call.ivr, call.campaign) == ("Support", "Main menu", "Winter Promo")
    assert (call.disposition.code, call.disposition.note) == ("Successful Deal", "Converted")
    assert call.tags == ("vip", "refund")
    assert (call.sla_met, call.callback_requested, call.original_call_id) == (True, False, "1230")
    [recording] = call.recordings
    assert (recording.id, recording.url) == ("12", REST["recordings"][0]["url"])
    assert (recording.duration_s, recording.mime, recording.size) == (None,) * 3
    assert call.has_recording is True and call.recordings_known
    assert call.hangup.by is None and call.raw == REST and call.problems == ()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda body: {"calls": body},
        lambda body: {"call": body},
        lambda body: {"calls": [body]},
        lambda body: [body],
        lambda body: body,
        lambda body: {"calls": [{**body, "id": 1}, body]},
    ],
)
async def test_envelopes(server: Server, nectar: Nectar, wrap: Any) -> None:
    server.on("/calls/1234", wrap(REST))
    async with nectar:
        assert (await nectar.call("1234")).id == "1234"


@pytest.mark.parametrize("body", [{}, {"calls": None}, {"calls": []}, {"calls": {}}, [], None])
async def test_an_empty_answer_is_no_call(server: Server, nectar: Nectar, body: Any) -> None:
    server.on("/calls/1234", Answer(json.dumps(body).encode()))
    async with nectar:
        with pytest.raises(NotFound):
            await nectar.call("1234")


@pytest.mark.parametrize("body", ["text", 7, {"error": "no"}, {"calls": "x"}, [[1]]])
async def test_an_answer_without_a_call(server: Server, nectar: Nectar, body: Any) -> None:
    server.on("/calls/1234", Answer(json.dumps(body).encode()))
    async with nectar:
        with pytest.raises(BadAnswer):
            await nectar.call("1234")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"is_ended": False}, "in_progress"),
        ({"is_ended": None, "is_in_queue": True}, "in_progress"),
        ({"type": "Missed"}, "missed"),
        ({"type": "no-answer"}, "missed"),
        ({"type": "not_answered"}, "missed"),
        ({"type": "abandoned"}, "abandoned"),
        ({"type": "voicemail"}, "voicemail"),
        ({"type": "busy"}, "busy"),
        ({"type": "rejected"}, "declined"),
        ({"type": "canceled"}, "cancelled"),
        ({"type": "failed"}, "failed"),
        ({"type": "odd"}, "answered"),
        ({"type": "odd", "is_answered": 0}, "missed"),
        ({"type": None, "is_answered": None}, "unknown"),
        ({"type": "odd", "is_answered": None}, "unknown"),
    ],
)
async def test_outcomes(nectar: Nectar, change: dict[str, Any], outcome: str) -> None:
    call = nectar.parse({**REST, **change})
    assert call.outcome == outcome
    assert call.status == {**REST, **change}["type"]


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"is_ended": False}, "ended_at", None),
        ({"is_ended": None}, "ended_at", None),
        ({"recordings": []}, "has_recording", False),
        ({"recordings": [], "is_ended": False}, "has_recording", None),
        ({"recordings": {"id": 1, "url": "https://h/x"}}, "has_recording", True),
        ({"is_inbound": 0}, "direction", "outbound"),
        ({"is_inbound": False}, "from_", "12025550100"),
        ({"is_inbound": None}, "direction", None),
        ({"original_call_id": 0}, "original_call_id", None),
        ({"original_call_id": ""}, "original_call_id", None),
        ({"campaign": "Winter"}, "campaign", "Winter"),
        ({"campaign": {}}, "campaign", None),
        ({"ring_group": None}, "ring_group", None),
        ({"tags": None}, "tags", ()),
        ({"tags": [{"id": 1, "name": "vip"}, 5]}, "tags", ("vip", "5")),
        ({"started_at": "1747839084"}, "started_at", datetime(2025, 5, 21, 14, 51, 24, tzinfo=UTC)),
        (
            {"started_at": 1747839084000},
            "started_at",
            datetime(2025, 5, 21, 14, 51, 24, tzinfo=UTC),
        ),
        ({"contact": None}, "from_", "12025550999"),
        ({"number": {"numberWithAlias": "1202 (Support)"}}, "to", "1202 (Support)"),
    ],
)
async def test_other_shapes_are_read(
    nectar: Nectar, change: dict[str, Any], field: str, value: Any
) -> None:
    call = nectar.parse({**REST, **change})
    assert getattr(call, field) == value and call.problems == ()


async def test_absent_recordings_are_unknown(nectar: Nectar) -> None:
    body = {key: value for key, value in REST.items() if key != "recordings"}
    assert nectar.parse(body).has_recording is None


async def test_which_agents_answered(nectar: Nectar) -> None:
    again = {**AGENT, "started_at": 1747839150}
    other = {**AGENT, "id": 2, "alias": "B"}
    legs = {**REST, "all_agents": [AGENT, other, again], "answered_agents": [again]}
    assert [agent.answered for agent in nectar.parse(legs).agents] == [False, False, True]
    assert nectar.parse({**legs, "answered_agents": {"id": 2}}).agents[1].answered is True
    del legs["answered_agents"]
    assert [agent.answered for agent in nectar.parse(legs).agents] == [None] * 3
    one = nectar.parse({**REST, "all_agents": AGENT})
    assert [agent.name for agent in one.agents] == ["Agent A"]
    ids = nectar.parse({**REST, "all_agents": [], "agents": [1, "2"]})
    assert [(agent.id, agent.answered) for agent in ids.agents] == [("1", True), ("2", False)]


# --- walks --------------------------------------------------------------------------------


def by_id(known: set[int]) -> Any:
    def answer(request: Request) -> Answer:
        id_ = int(request.path.rpartition("/")[2])
        return Answer({"calls": {**REST, "id": id_}}) if id_ in known else Answer(status=404)

    return answer


async def test_ids_and_ranges_fifty_a_page(server: Server) -> None:
    for n in range(1, 122):
        server.on(f"/calls/{n}", by_id(set(range(1, 122)) - {3, 120}))
    async with Nectar(account(server, "1-120,121")) as nectar:
        pages = await walk(nectar)
        assert [len(page.calls) + len(page.unknown_ids) for page in pages] == [50, 50, 21]
        assert (pages[0].unknown_ids, pages[2].unknown_ids) == (("3",), ("120",))
        assert not any(page.failed for page in pages)
        resumed = await walk(nectar, pages[1].cursor)
        assert [call.id for page in resumed for call in page.calls] == [
            *(str(n) for n in range(101, 120)),
            "121",
        ]


async def test_settled_ids_are_skipped(server: Server, nectar: Nectar) -> None:
    nectar.skip_ids = frozenset({"1234", "1236"})
    async with nectar:
        pages = await walk(nectar)
    assert [call.id for page in pages for call in page.calls] == ["1235"]
    assert [request.path for request in server.requests] == ["/calls/1235"]


async def test_one_failing_id_costs_only_itself(server: Server, nectar: Nectar) -> None:
    server.on("/calls/1235", Answer(b"<html>\x1b]0;x\x07", 500))
    server.on("/calls/1236", Answer(b"no json"))
    async with nectar:
        [page] = await walk(nectar)
    assert [call.id for call in page.calls] == ["1234"]
    assert [line.split(":")[0] for line in page.failed] == ["1235", "1236"]
    assert "\x1b" not in "".join(page.failed)


async def test_a_refused_token_or_a_rate_limit_ends_the_walk(
    server: Server, nectar: Nectar
) -> None:
    server.on("/calls/1235", Answer(status=401))
    async with nectar:
        with pytest.raises(AuthError):
            await walk(nectar)
        server.on("/calls/1235", Answer(status=429, headers={"Retry-After": "600"}))
        with pytest.raises(RateLimited):
            await walk(nectar)


async def test_no_ids_no_requests(server: Server) -> None:
    async with Nectar(login(server.url)) as nectar:
        [page] = await walk(nectar)
        assert page.calls == () and page.cursor is None and server.requests == []
        assert "accepts the token" in await nectar.check()


async def test_a_setting_that_is_no_list_of_ids(server: Server) -> None:
    async with Nectar(account(server, "12 to 15")) as nectar:
        with pytest.raises(ProviderError, match="call_ids"):
            await walk(nectar)


async def test_discovery_ends_after_so_many_unknown_ids_in_a_row(server: Server) -> None:
    for n in range(90, 200):
        server.on(f"/calls/{n}", by_id({101, 102, 108, 121}))
    async with Nectar(account(server)) as nectar:
        pages = [page async for page in nectar.discover(100, stop_after=12, step=5)]
    assert [call.id for page in pages for call in page.calls] == ["101", "102", "108"]
    asked = sorted(int(request.path.rpartition("/")[2]) for request in server.requests)
    assert asked == list(range(101, 121))
    assert [page.cursor for page in pages] == ["106", "111", "116", None]


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
        (LINES, [1234, 1235], []),
        ("\ufeff" + LINES + "\n\n", [1234, 1235], []),
        (LINES.replace("\n", "\r\nbroken\r\n"), [1234, 1235], ["line 2: not JSON"]),
        (LINES + "\n7\n[]\n{}", [1234, 1235], ["line 3: not a call"]),
        (json.dumps([HOOK, "x", {"a": 1}]), [1234], ["item 2: not a call", "item 3: not a call"]),
        ("", [], ["the file is empty"]),
        ("[]", [], []),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_saved_files(text: str, ids: list[int], errors: list[str]) -> None:
    found, said = read_saved(text)
    assert [body["id"] for body in found] == ids and said == errors


def test_a_file_that_is_no_json_says_so_once() -> None:
    found, errors = read_saved("<html>\nnothing\nhere\n")
    assert found == [] and len(errors) == 1 and errors[0].startswith("not JSON")


async def test_a_body_without_an_id_is_kept(nectar: Nectar) -> None:
    body = {key: value for key, value in HOOK.items() if key != "id"}
    call = nectar.parse(body)
    assert call.id.startswith("no-id-") and call.problems == ("id: missing",)
