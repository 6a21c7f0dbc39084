from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.errors import (
    AuthError,
    BadAnswer,
    NotFound,
    ProviderError,
    RateLimited,
    Unreachable,
)
from providers.nectar import Nectar
from tests.providers.contract import ProviderContract, login, walk
from tests.providers.nectar_bodies import AGENT, REST
from tests.providers.server import Answer, Request, Server, Waits


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
    assert call.vendor_fields == {"is_in_queue": False, "list_ids": ["1", "2", "3"]}


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


@pytest.mark.parametrize(
    "body", ["text", 7, {"a": "no"}, {"calls": "x"}, [[1]], {"calls": {"id": 5}}]
)
async def test_an_answer_without_a_call(server: Server, nectar: Nectar, body: Any) -> None:
    server.on("/calls/1234", Answer(json.dumps(body).encode()))
    async with nectar:
        with pytest.raises(BadAnswer):
            await nectar.call("1234")


ERRORS = [
    Answer({"error": "no"}),
    Answer({"id": 1235, "error": "no"}),
    Answer({"success": False, "data": None}),
    Answer({"error": {"code": 404, "message": "Call not found"}}),
    Answer({"code": 1042, "message": "unknown call"}),
    Answer({"error": "bad id"}, 400),
    Answer(b"no", 400),
    Answer({"errors": ["id"]}, 422),
    Answer({"errors": [{"message": "no such call", "code": 404}]}),
    Answer({"calls": {"error": "not found"}}),
    Answer(status=404),
    Answer(status=410),
]
"""What a vendor may answer for an id that it does not have."""
REFUSALS = [
    (Answer(status=401), AuthError),
    (Answer(status=403), AuthError),
    (Answer({"error": "Invalid access token"}), AuthError),
    (Answer({"code": 401, "message": "no"}), AuthError),
    (Answer({"error": {"status": 403}}), AuthError),
    (Answer({"message": "Unauthorised"}, 400), AuthError),
    (Answer({"status": 429, "calls": None}), RateLimited),
    (Answer({"errors": [{"message": "slow", "code": 429}]}), RateLimited),
    (Answer({"errors": ["Invalid token"]}), AuthError),
    (Answer({"errors": [{"message": "Invalid token"}]}, 400), AuthError),
    (Answer({"calls": {"error": "Invalid access token"}}), AuthError),
]
"""What concerns the token or the rate, and so every id alike."""


@pytest.mark.parametrize("answer", ERRORS)
async def test_an_id_that_the_vendor_does_not_take_is_unknown_not_failed(
    server: Server, nectar: Nectar, answer: Answer
) -> None:
    server.on("/calls/1235", answer)
    async with nectar:
        [page] = await walk(nectar)
        assert page.unknown_ids == ("1235",) and page.failed == ()
        assert [call.id for call in page.calls] == ["1234", "1236"]
        with pytest.raises(NotFound):
            await nectar.call("1235")


@pytest.mark.parametrize(("answer", "error"), REFUSALS)
async def test_what_concerns_the_token_or_the_rate_is_no_unknown_id(
    server: Server, nectar: Nectar, answer: Answer, error: type[ProviderError]
) -> None:
    server.on("/calls/1234", answer)
    async with nectar:
        with pytest.raises(error):
            await nectar.check()
        with pytest.raises(error):
            await walk(nectar)


async def test_an_error_in_words_does_not_pass_for_a_good_answer(
    server: Server, nectar: Nectar
) -> None:
    server.on("/calls/1234", Answer({"success": True, "message": "ok", "data": {}}))
    async with nectar:
        with pytest.raises(BadAnswer):
            await nectar.call("1234")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"is_ended": False}, "in_progress"),
        ({"is_ended": None, "type": "ringing"}, "in_progress"),
        ({"type": "in_progress"}, "answered"),
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


@pytest.mark.parametrize(
    ("change", "transferred_to"),
    [
        ({}, None),
        ({"external_numbers": [{"number": "1202", "is_any_transfer": True}]}, "1202"),
        (
            {
                "external_numbers": [
                    {"number": 1202, "is_any_transfer": 1},
                    {"number": "1203", "is_any_transfer": False},
                    {"number": "1204", "is_any_transfer": True},
                    {"number": 1202, "is_any_transfer": 1},
                ]
            },
            "1202, 1204",
        ),
        (
            {
                "external_numbers": [{"number": "+1202 (Sales)", "is_any_transfer": True}],
                "transfer_details": {"number": "+1202"},
            },
            "+1202",
        ),
    ],
)
async def test_where_a_call_was_transferred_to(
    nectar: Nectar, change: dict[str, Any], transferred_to: str | None
) -> None:
    assert nectar.parse({**REST, **change}).vendor_fields.get("transferred_to") == transferred_to


async def test_recordings_without_a_scheme_or_host_are_the_accounts_own(nectar: Nectar) -> None:
    host = nectar.login.base_url
    for text, url in (
        ("/r/1", f"{host}/r/1"),
        ("media.example.com/1", "https://media.example.com/1"),
    ):
        call = nectar.parse({**REST, "recordings": [{"id": 1, "url": text}]})
        assert call.recordings[0].url == url


async def test_agents_are_matched_in_one_pass(nectar: Nectar) -> None:
    """Tested by steps, not by time: pair by pair these would be billions."""
    legs = [{"id": n, "alias": f"A{n}", "started_at": 1747839090 + n} for n in range(10_000)]
    call = nectar.parse({**REST, "all_agents": legs, "answered_agents": legs[::2]})
    assert [agent.answered for agent in call.agents[:4]] == [True, False, True, False]


async def test_a_long_list_of_what_cannot_be_read_is_noted_in_one_pass(nectar: Nectar) -> None:
    body = {**REST, "all_agents": [7] * 50_000, "agents": [[1]] * 50_000}
    assert 2 <= len(nectar.parse(body).problems) <= 1000


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


async def test_a_vendor_that_is_away_is_told_where_one_id_is_left_to_ask(
    server: Server, nectar: Nectar
) -> None:
    """Else it passed for one that answers; an error of its own may be about that call alone."""
    nectar.skip_ids = frozenset({"1234"})
    server.on("/calls/1235", Answer(status=500))
    server.on("/calls/1236", Answer(status=500))
    async with nectar:
        [page] = await walk(nectar)
        assert len(page.failed) == 2
        nectar.skip_ids = frozenset({"1234", "1236"})
        server.on("/calls/1235", Answer(status=503, headers={"Retry-After": "600"}))
        with pytest.raises(Unreachable):
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


async def test_discovery_counts_ids_that_are_refused_as_unknown(server: Server) -> None:
    for n in range(101, 120):
        answer = Answer({"error": "bad id"}, 400) if n % 2 else Answer({"error": "no"})
        server.on(f"/calls/{n}", answer)
    async with Nectar(account(server)) as nectar:
        [page] = [page async for page in nectar.discover(100, stop_after=10, step=10)]
    assert len(page.unknown_ids) == 10 and page.failed == () and page.cursor is None


async def test_discovery_ends_after_so_many_unknown_ids_in_a_row(server: Server) -> None:
    for n in range(90, 200):
        server.on(f"/calls/{n}", by_id({101, 102, 108, 121}))
    async with Nectar(account(server)) as nectar:
        pages = [page async for page in nectar.discover(100, stop_after=12, step=5)]
    assert [call.id for page in pages for call in page.calls] == ["101", "102", "108"]
    asked = sorted(int(request.path.rpartition("/")[2]) for request in server.requests)
    assert asked == list(range(101, 121))
    assert [page.cursor for page in pages] == ["106", "111", "116", None]


@pytest.mark.parametrize("answer", [{"calls": {**REST, "id": 9}}, [{**REST, "id": "9"}]])
async def test_another_call_than_was_asked_for_is_no_answer(
    server: Server, nectar: Nectar, answer: Any
) -> None:
    server.on("/calls/1235", answer)
    async with nectar:
        with pytest.raises(BadAnswer, match="call 1235 was asked for, and call 9 came"):
            await nectar.call("1235")
        pages = await walk(nectar)
    assert [call.id for page in pages for call in page.calls] == ["1234", "1236"]
    assert "call 9 came" in pages[0].failed[0]
