from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.errors import BadAnswer, NotFound, ProviderError, Rejected
from providers.liner import Liner
from providers.model import CallQuery
from tests.providers.contract import QUERY, ProviderContract, login, walk
from tests.providers.liner_bodies import (
    CALL,
    RECORD,
    RECORD_B,
    SPARSE,
    THIRD,
    listed,
    ok,
    paged,
    script,
)
from tests.providers.server import Answer, Request, Server, Waits


@pytest.fixture
def liner(server: Server) -> Liner:
    script(server)
    made = Liner(login(server.url, order_ids="202"))
    made.sleep = Waits()
    return made


class TestContract(ProviderContract):
    vendor = Liner
    ids = ("918273", "918274", "918275")
    header = "X-Api-Key"

    def login(self, base_url: str) -> Any:
        return login(base_url, order_ids="202")

    def script(self, server: Server) -> None:
        script(server)

    def routes(self, server: Server) -> list[str]:
        return ["/v2/call/"]

    def hostile(self) -> Any:
        return {key: ["SECRET-VALUE"] for key in CALL} | {"statusCode": {"x": 1}}


async def calls_of(liner: Liner) -> list[Any]:
    async with liner:
        return [call for page in await walk(liner) for call in page.calls]


async def test_every_field_of_the_documents_example(liner: Liner) -> None:
    call = (await calls_of(liner))[0]
    assert (call.id, call.direction, call.outcome, call.status) == (
        "918273",
        "outbound",
        "answered",
        "Talked",
    )
    assert call.started_at == datetime(2024, 1, 1, 9, 30, tzinfo=UTC)
    assert call.ended_at == datetime(2024, 1, 1, 9, 32, tzinfo=UTC)
    assert (call.duration_s, call.wait_s, call.talk_s) == (120, 5, 115)
    assert set(call.derived) == {"outcome", "ended_at", "from", "to"}
    assert (call.from_, call.to) == ("+79001112233", "+79001234567")
    assert (call.contact.id, call.contact.name, call.contact.number, call.contact.email) == (
        "789",
        "Jane Roe",
        "+79001234567",
        None,
    )
    assert (call.company_number.number, call.company_number.name) == ("+79001112233", "Main line")
    [agent] = call.agents
    assert (agent.id, agent.name, agent.role) == ("101", "John Doe", "call-center")
    assert (agent.department, agent.started_at, agent.answered, agent.transfer) == (None,) * 4
    assert call.campaign == "Spring sale"
    assert (call.disposition.code, call.disposition.note) == ("Talked", None)
    assert (call.hangup.by, call.hangup.reason, call.hangup.code) == ("customer", None, None)
    assert (call.has_recording, call.recordings_known, call.recordings) == (True, False, ())
    assert (call.queue, call.ring_group, call.ivr, call.original_call_id) == (None,) * 4
    assert call.raw == CALL and call.problems == ()


async def test_the_sparse_example_invents_nothing(liner: Liner) -> None:
    call = (await calls_of(liner))[1]
    assert (call.direction, call.outcome, call.status) == ("inbound", "missed", "no-answer")
    assert (call.from_, call.to) == ("+79007654321", "+79001112233")
    assert call.has_recording is None and call.recordings_known is False
    assert call.campaign is None and call.hangup.by == "system"
    assert call.disposition.code == "no-answer"


async def test_sip_secrets_stay_with_the_vendor(liner: Liner) -> None:
    found = await calls_of(liner)
    assert "SIP-SECRET" not in repr(found) + repr(liner.names)


async def test_the_request_is_the_documented_one(liner: Liner, server: Server) -> None:
    await calls_of(liner)
    [request] = server.asked("/v2/call/")
    assert request.query == [
        ("createdAt[0]", "2024-01-01T00:00:00Z"),
        ("createdAt[1]", "2024-02-01T12:30:16Z"),
        ("orderIds[]", "202"),
        ("offset", "0"),
        ("limit", "100"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ({"statusId": 12}, None, "Talked"),
        ({"statusId": "12"}, None, "Talked"),
        ({"statusCode": "answered"}, None, "Talked"),
        ({"statusId": 99}, None, "99"),
        ({"statusId": 99, "statusCode": "odd"}, None, "odd"),
        ({}, None, None),
    ],
)
async def test_status_by_id_or_code(
    server: Server, field: dict[str, Any], value: None, status: str | None
) -> None:
    row = {key: v for key, v in CALL.items() if not key.startswith("status")} | field
    script(server, row)
    [call] = await calls_of(Liner(login(server.url, order_ids="1")))
    assert (call.status, call.disposition.code) == (status, status)


async def test_dictionaries_at_the_examples_paths(server: Server) -> None:
    script(server)
    for heading, example in (
        ("/v2/call-status/", "/v2/call-statuses/"),
        ("/v2/sip-endpoint/", "/v2/sip-endpoints/"),
    ):
        server.routes[example] = server.routes.pop(heading)
    call = (await calls_of(Liner(login(server.url, order_ids="202"))))[0]
    assert (call.status, call.company_number.name) == ("Talked", "Main line")


async def test_without_any_dictionary_ids_are_shown_and_it_is_told_once(server: Server) -> None:
    server.on("/v2/call/", paged(CALL, SPARSE, *({**CALL, "id": n} for n in range(150))))
    for path in ("call-status", "sip-endpoint", "user/list", "order", "lead/detail/789"):
        server.on(f"/v2/{path}/", Answer({"success": False, "message": "no"}, 500))
    server.on("/v2/lead/", Answer(status=500))
    async with Liner(login(server.url, order_ids="202")) as liner:
        liner.sleep = Waits()
        pages = await walk(liner)
    assert len(pages) == 2
    assert sorted(line.split(":")[0] for line in pages[0].failed) == [
        "names (lead)",
        "names (line)",
        "names (order)",
        "names (status)",
        "names (user)",
    ]
    assert pages[1].failed == ()
    call = pages[0].calls[0]
    assert (call.status, call.campaign, call.contact.name) == ("answered", "202", None)
    assert (call.agents[0].id, call.agents[0].name) == ("101", None)
    assert call.company_number.number is None and call.from_ is None and "from" not in call.derived


async def test_unknown_ids_are_asked_for_once(server: Server) -> None:
    rows = [
        {**CALL, "id": n, "statusId": 99, "userId": 7, "leadId": 5, "statusCode": None}
        for n in range(250)
    ]
    script(server, *rows)
    async with Liner(login(server.url, order_ids="202")) as liner:
        pages = await walk(liner)
        assert len(pages) == 3 and all(not page.failed for page in pages)
    for path in ("call-status/", "user/list/", "user/detail/7/", "lead/detail/5/"):
        assert len(server.asked(f"/v2/{path}")) == 1, path
    assert liner.names.known["lead", "5"] == {} and liner.names.known["status", "99"] == {}


async def test_known_names_need_no_request(server: Server, liner: Liner) -> None:
    await calls_of(liner)
    server.requests.clear()
    again = Liner(replace(liner.login))
    assert (await calls_of(again))[0].contact.name == "Jane Roe"
    assert {request.path for request in server.requests} == {"/v2/call/"}


async def test_many_leads_are_listed_few_are_asked_one_by_one(server: Server) -> None:
    rows = [{**CALL, "id": n, "leadId": n} for n in range(1, 61)]
    script(server, *rows)
    server.on("/v2/lead/", paged(*({"id": n, "name": f"L{n}"} for n in range(1, 251))))
    found = await calls_of(Liner(login(server.url, order_ids="202")))
    assert [call.contact.name for call in found] == [f"L{n}" for n in range(1, 61)]
    assert len(server.asked("/v2/lead/")) == 3
    first = server.asked("/v2/lead/")[0]
    assert first.one("createdAt[0]") == "2000-01-01T00:00:00Z" and first.all("orderIds[]") == [
        "202"
    ]

    server.on("/v2/lead/", paged(*({"id": n, "name": f"L{n}"} for n in range(9000, 16000))))
    for n in range(1, 61):
        server.on(f"/v2/lead/detail/{n}/", ok({"id": n, "name": f"D{n}"}))
    server.requests.clear()
    found = await calls_of(Liner(login(server.url, order_ids="202")))
    assert [call.contact.name for call in found] == [f"D{n}" for n in range(1, 61)]
    assert len(server.asked("/v2/lead/")) == 1


async def test_one_broken_lead_costs_only_its_own_name(server: Server) -> None:
    script(server, CALL, SPARSE)
    server.on("/v2/lead/detail/790/", Answer(status=500))
    found = await calls_of(Liner(login(server.url, order_ids="202")))
    assert [call.contact.name for call in found] == ["Jane Roe", None]


# --- paging -------------------------------------------------------------------------------


@pytest.mark.parametrize("next_", [None, "abc", True, 0, -1, 2.5, [], ...])
async def test_a_walk_ends_where_next_is_of_no_use(server: Server, next_: Any) -> None:
    script(server)
    data = {"list": [CALL, SPARSE], "next": next_, "total": None}
    if next_ is ...:
        del data["next"]
    server.on("/v2/call/", ok(data))
    async with Liner(login(server.url, order_ids="1")) as liner:
        [page] = await walk(liner)
    assert len(page.calls) == 2 and page.cursor is None and page.total is None


async def test_the_documents_own_inconsistent_example(server: Server) -> None:
    """One element, next 50, total 12345: the walk goes on at 50 and ends at the empty page."""
    script(server)
    server.on("/v2/call/", listed(CALL, next=50, total=12345), listed(next=100, total=12345))
    found = await calls_of(Liner(login(server.url, order_ids="1")))
    assert [call.id for call in found] == ["918273"]
    assert [r.one("offset") for r in server.asked("/v2/call/")] == ["0", "50"]


async def test_total_ends_a_walk_whose_next_goes_on(server: Server) -> None:
    script(server)
    server.on("/v2/call/", listed(CALL, SPARSE, next=100, total=2))
    async with Liner(login(server.url, order_ids="1")) as liner:
        [page] = await walk(liner)
    assert page.total == 2 and len(server.asked("/v2/call/")) == 1


async def test_a_vendor_that_ignores_the_offset(server: Server) -> None:
    script(server)

    def same(request: Request) -> Answer:
        return Answer(listed(CALL, SPARSE, next=int(request.one("offset") or 0) + 100, total=None))

    server.on("/v2/call/", same)
    found = await calls_of(Liner(login(server.url, order_ids="1")))
    assert [call.id for call in found] == ["918273", "918274"]
    assert len(server.asked("/v2/call/")) == 2


async def test_rows_that_slip_to_the_next_page_come_once_also_after_a_break(
    server: Server,
) -> None:
    script(server)
    a, b, c = ({**CALL, "id": n} for n in (1, 2, 3))

    def shifting(request: Request) -> Answer:
        first = request.one("offset") == "0"
        return Answer(listed(*((a, b) if first else (b, c)), next=2 if first else 4, total=4))

    server.on("/v2/call/", shifting)
    async with Liner(login(server.url, order_ids="1")) as liner:
        pages = await walk(liner)
        assert [[call.id for call in page.calls] for page in pages] == [["1", "2"], ["3"]]
    async with Liner(login(server.url, order_ids="1")) as liner:
        resumed = await walk(liner, pages[0].cursor)
        assert [[call.id for call in page.calls] for page in resumed] == [["3"]]


async def test_many_orders_are_asked_for_in_chunks(server: Server) -> None:
    script(server)

    def by_order(request: Request) -> Answer:
        orders = [int(id_) for id_ in request.all("orderIds[]")]
        assert len(orders) <= 100
        rows = [{**CALL, "id": order, "orderId": order} for order in orders]
        return paged(*rows, size=60)(request)

    server.on("/v2/call/", by_order)
    async with Liner(login(server.url, order_ids="1-250")) as liner:
        pages = await walk(liner)
        whole = [call.id for page in pages for call in page.calls]
        assert whole == [str(n) for n in range(1, 251)]
        assert pages[-1].total == 250
        for index, page in enumerate(pages[:-1]):
            rest = await walk(liner, page.cursor)
            seen = sum(len(p.calls) for p in pages[: index + 1])
            assert [call.id for p in rest for call in p.calls] == whole[seen:]
            assert rest[-1].total == 250


async def test_leads_and_orders_are_both_asked_for(server: Server) -> None:
    script(server)
    await calls_of(Liner(login(server.url, order_ids="202", lead_ids="789-790")))
    [request] = server.asked("/v2/call/")
    assert request.all("orderIds[]") == ["202"] and request.all("leadIds[]") == ["789", "790"]


async def test_with_neither_all_orders_are_listed_first(server: Server) -> None:
    script(server)
    server.on("/v2/order/", paged(*({"id": n, "title": f"O{n}"} for n in range(150, 0, -1))))
    async with Liner(login(server.url)) as liner:
        await walk(liner)
        assert "150" in await liner.check()
    asked = [request.all("orderIds[]") for request in server.asked("/v2/call/")]
    assert [id_ for chunk in asked for id_ in chunk] == [str(n) for n in range(1, 151)]


async def test_the_old_list_of_orders_serves_as_well(server: Server) -> None:
    script(server)
    del server.routes["/v2/order/"]
    server.on("/v1/order/list/", ok([{"id": 202, "title": "Old", "callsAllowed": True}]))
    call = (await calls_of(Liner(login(server.url))))[0]
    assert call.campaign == "Old"


async def test_no_orders_no_calls(server: Server) -> None:
    server.on("/v2/order/", listed(total=0, next=None))
    async with Liner(login(server.url)) as liner:
        [page] = await walk(liner)
    assert page.calls == () and page.cursor is None and server.asked("/v2/call/") == []


async def test_a_setting_that_is_no_list_of_ids() -> None:
    with pytest.raises(ProviderError, match="order_ids"):
        await calls_of(Liner(login("https://api.example.com", order_ids="all")))


# --- contradictions and damage ------------------------------------------------------------


async def test_rows_that_are_no_objects_or_have_no_id(server: Server) -> None:
    no_id = {key: value for key, value in CALL.items() if key != "id"}
    script(server)
    server.on("/v2/call/", listed("junk", None, no_id, SPARSE, next=None, total=4))
    async with Liner(login(server.url, order_ids="202")) as liner:
        [page] = await walk(liner)
        assert len(page.unreadable) == 2
        first, second = page.calls
        assert first.id.startswith("no-id-") and first.problems == ("id: missing",)
        assert second.id == "918274"
        assert liner.parse(json.loads(json.dumps(no_id))).id == first.id
        assert (await liner.recordings(first)).recordings == ()


@pytest.mark.parametrize("data", [None, [], {}, {"list": None}, {"list": {}}])
async def test_empty_in_every_way(server: Server, data: Any) -> None:
    script(server)
    server.on("/v2/call/", ok(data))
    assert await calls_of(Liner(login(server.url, order_ids="1"))) == []


async def test_numbered_objects_are_lists(server: Server) -> None:
    script(server)
    server.on("/v2/call/", ok({"list": {"0": CALL, "2": SPARSE}, "next": None, "total": 2}))
    assert len(await calls_of(Liner(login(server.url, order_ids="1")))) == 2


async def test_failure_inside_a_200(server: Server, liner: Liner) -> None:
    server.on("/v2/call/", {"success": False, "message": "Period is too long", "data": None})
    with pytest.raises(Rejected, match="Period is too long"):
        await calls_of(liner)
    server.on("/v2/call/detail/5/", {"success": False, "message": "Call not found", "data": None})
    async with liner:
        with pytest.raises(NotFound):
            await liner.call("5")
    for body in ({}, [], "x", {"success": True}, {"success": True, "data": {"calls": 1}}):
        server.on("/v2/call/", body)
        with pytest.raises(BadAnswer):
            await calls_of(liner)


async def test_a_redirect_to_the_slash(server: Server, liner: Liner) -> None:
    server.on("/v2/call/", Answer(status=301, headers={"Location": "/v2/calls?offset=0"}))
    server.on("/v2/calls", listed(CALL, next=None))
    assert [call.id for call in await calls_of(liner)] == ["918273"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"createdAt": "yesterday"}, "createdAt: not a time"),
        ({"createdAt": "2024-01-01T09:30:00"}, "createdAt: a time without a zone, taken as UTC"),
        ({"totalDurationSeconds": "long"}, "totalDurationSeconds: not a number"),
        ({"totalDurationSeconds": -5}, "totalDurationSeconds: a negative duration"),
        ({"talkTimeDurationSeconds": True}, "talkTimeDurationSeconds: not a number"),
        ({"hasRecords": "perhaps"}, "hasRecords: neither true nor false"),
        ({"clientPhone": {"x": 1}}, "clientPhone: not text"),
    ],
)
async def test_problems_name_the_field(liner: Liner, change: dict[str, Any], problem: str) -> None:
    assert liner.parse({**CALL, **change}).problems == (problem,)


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"clientPhone": 79001234567}, "to", "79001234567"),
        ({"clientPhone": 7.9001234567e10}, "to", "79001234567"),
        ({"direction": "INCOMING"}, "direction", "inbound"),
        ({"direction": "sideways"}, "direction", "sideways"),
        ({"direction": None}, "from_", None),
        ({"hasRecords": 0}, "has_recording", False),
        ({"hasRecords": "true"}, "has_recording", True),
        ({"talkTimeDurationSeconds": None}, "outcome", "unknown"),
        ({"talkTimeDurationSeconds": "0"}, "outcome", "missed"),
        ({"createdAt": 1704101400}, "started_at", datetime(2024, 1, 1, 9, 30, tzinfo=UTC)),
        (
            {"createdAt": "2024-01-01T12:30:00+03:00"},
            "started_at",
            datetime(2024, 1, 1, 9, 30, tzinfo=UTC),
        ),
        ({"totalDurationSeconds": 1e300}, "ended_at", None),
        ({"userId": 0}, "agents", ()),
    ],
)
async def test_other_types_are_read(
    liner: Liner, change: dict[str, Any], field: str, value: Any
) -> None:
    assert getattr(liner.parse({**CALL, **change}), field) == value


async def test_who_hung_up(liner: Liner) -> None:
    said = [
        liner.parse({**CALL, "finishInitiator": w}).hangup.by
        for w in ("client", "operator", "system", "robot", "", None)
    ]
    assert said == ["customer", "agent", "system", "robot", None, None]


# --- recordings ---------------------------------------------------------------------------


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


async def test_only_a_clear_no_saves_the_request(server: Server, liner: Liner) -> None:
    async with liner:
        no, unknown = liner.parse(THIRD), liner.parse(SPARSE)
        assert no.recordings_known and (await liner.recordings(no)).recordings == ()
        assert server.requests == []
        assert not unknown.recordings_known
        assert len((await liner.recordings(unknown)).recordings) == 2


async def test_a_period_is_whole_seconds(server: Server, liner: Liner) -> None:
    edge = CallQuery(QUERY.since.replace(microsecond=999), QUERY.since.replace(second=59))
    async with liner:
        _ = [page async for page in liner.pages(edge)]
    request = server.asked("/v2/call/")[0]
    assert request.one("createdAt[0]") == "2024-01-01T00:00:00Z"
    assert request.one("createdAt[1]") == "2024-01-01T00:00:59Z"
