from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.errors import AuthError, BadAnswer, NotFound, ProviderError, Rejected
from providers.liner import Liner
from tests.providers.contract import ProviderContract, login, walk
from tests.providers.liner_bodies import (
    CALL,
    SPARSE,
    listed,
    ok,
    paged,
    script,
)
from tests.providers.server import Answer, Server, Waits


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
    request = server.asked("/v2/call/")[0]
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


ABSENT = Answer({"success": False, "message": "No such method"}, 404)


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"success": False, "message": "no"}, 500),
        Answer({"success": False, "message": "Not for you"}, 403),
        ABSENT,
        Answer({"success": False, "message": "Bad"}, 400),
        Answer(b"<h1>Welcome</h1>"),
        Answer({"success": True, "data": {"names": 1}}),
        Answer({"success": False, "message": "Not today"}),
    ],
    ids=["500", "403", "404", "400", "page", "odd", "200 that says no"],
)
async def test_without_any_dictionary_ids_are_shown_and_it_is_told_once(
    server: Server, answer: Answer
) -> None:
    rows = [{**CALL, "id": n, "leadId": 780 + n % 20} for n in range(1, 151)]
    paths = [f"lead/detail/{n}" for n in range(780, 800)]
    paths += ["call-status", "call-statuses", "sip-endpoint", "sip-endpoints", "user/list", "order"]
    paths += ["lead", "user/detail/101"]
    script(server, *rows)
    for path in paths:
        server.on(f"/v2/{path}/", answer)
    async with Liner(login(server.url, order_ids="202")) as liner:
        liner.sleep = Waits()
        pages = await walk(liner)
        assert [page.failed for page in pages] == [()] * len(pages)
        assert sorted(line.split(":")[0] for line in pages[0].notes) == [
            "names (lead)",
            "names (line)",
            "names (order)",
            "names (status)",
            "names (user)",
        ]
        assert not [page.notes for page in pages[1:] if page.notes]
        call = pages[0].calls[0]
        assert (call.status, call.campaign, call.contact.name) == ("answered", "202", None)
        assert (call.agents[0].id, call.agents[0].name) == ("101", None)
        assert call.company_number.number is None and call.from_ is None
        assert "from" not in call.derived and call.vendor_fields["sipEndpointId"] == "456"
        asked = [r for r in server.requests if r.path.startswith("/v2/lead/detail/")]
        assert len({request.path for request in asked}) <= 9  # some at once, then no more

    # a later run asks again
    script(server, *rows)
    server.on("/v2/lead/", ABSENT)
    for n in range(780, 800):
        server.on(f"/v2/lead/detail/{n}/", ok({"id": n, "name": f"L{n}"}))
    again = Liner(replace(liner.login))
    call = (await calls_of(again))[0]
    assert (call.status, call.campaign, call.contact.name) == ("Talked", "Spring sale", "L781")
    assert (call.agents[0].name, call.company_number.name) == ("John Doe", "Main line")


async def test_a_dictionary_that_says_who_are_you_refuses(server: Server, liner: Liner) -> None:
    server.on("/v2/user/list/", Answer({"success": False, "message": "Wrong key"}, 401))
    async with liner:
        with pytest.raises(AuthError):
            await walk(liner)


async def test_unknown_ids_are_asked_for_once(server: Server) -> None:
    rows = [
        {**CALL, "id": n, "statusId": 99, "userId": 7, "leadId": 5, "statusCode": None}
        for n in range(250)
    ]
    script(server, *rows)
    server.on("/v2/lead/", paged({"id": 1, "name": "Another"}))
    async with Liner(login(server.url, order_ids="202")) as liner:
        pages = await walk(liner)
        assert not [page for page in pages if page.failed or page.notes]
    for path in ("call-status/", "user/detail/7/", "lead/detail/5/"):
        assert len(server.asked(f"/v2/{path}")) == 1, path
    assert liner.names.known["lead", "5"] == {} and liner.names.known["status", "99"] == {}


@pytest.mark.parametrize("answer", [Answer({"message": "x"}, 400), Answer({"message": "x"}, 422)])
async def test_an_id_that_the_vendor_calls_wrong_has_no_name(
    server: Server, answer: Answer
) -> None:
    script(server, *({**CALL, "id": n, "leadId": n} for n in range(1, 4)))
    server.on("/v2/lead/", paged({"id": 1, "name": "One"}))
    server.on("/v2/lead/detail/2/", answer)
    server.on("/v2/lead/detail/3/", {"success": False, "message": "Invalid id", "data": None})
    async with Liner(login(server.url, order_ids="202")) as liner:
        pages = await walk(liner)
    assert not [page for page in pages if page.failed or page.notes]
    assert liner.names.known["lead", "2"] == liner.names.known["lead", "3"] == {}


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
    async with Liner(login(server.url, order_ids="202")) as liner:
        liner.sleep = Waits()
        pages = await walk(liner)
    assert [call.contact.name for page in pages for call in page.calls] == ["Jane Roe", None]
    assert pages[0].notes == ("names (lead): Vendor failed: 127.0.0.1 answered 500.",)


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
    rows = listed("junk", None, no_id, SPARSE, next=None, total=4)
    server.on("/v2/call/", rows, listed(next=None, total=4))
    async with Liner(login(server.url, order_ids="202")) as liner:
        page, end = await walk(liner)
        assert len(page.unreadable) == 2 and (end.unreadable, end.shortfall) == ((), "")
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
    async with liner:
        for status, message in ((200, "Call not found"), (200, "No"), (400, "No"), (422, "No")):
            server.on("/v2/call/detail/5/", Answer({"success": False, "message": message}, status))
            with pytest.raises(NotFound, match=message):
                await liner.call("5")
        for status in (401, 403):
            server.on("/v2/call/detail/5/", Answer({"message": "No"}, status))
            with pytest.raises(AuthError):
                await liner.call("5")
    odd: tuple[Any, ...] = ({}, [], "x", {"success": True}, {"success": True, "data": {"calls": 1}})
    for body in odd:
        server.on("/v2/call/", body)
        with pytest.raises(BadAnswer):
            await calls_of(liner)


@pytest.mark.parametrize(
    ("data", "found"),
    [(CALL, True), ([CALL], True), ([CALL, CALL], False), ([], False), ({}, False)],
    ids=["one", "a list of one", "of two", "of none", "nothing"],
)
async def test_one_call_in_the_shapes_in_which_it_may_come(
    server: Server, liner: Liner, data: Any, found: bool
) -> None:
    server.on("/v2/call/detail/918273/", ok(data))
    async with liner:
        if found:
            assert (await liner.call("918273")).id == "918273"
        else:
            with pytest.raises(NotFound, match="nothing with this id"):
                await liner.call("918273")


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


@pytest.mark.parametrize(
    ("initiator", "by", "name"),
    [
        ("client", "customer", "Jane Roe"),
        ("operator", "agent", "John Doe"),
        ("OPERATOR", "agent", "John Doe"),
        ("system", "system", None),
        ("robot", "robot", None),
        ("", None, None),
        (None, None, None),
    ],
)
async def test_who_hung_up(
    liner: Liner, initiator: str | None, by: str | None, name: str | None
) -> None:
    async with liner:
        await liner.call("918273")  # brings the names
    hangup = liner.parse({**CALL, "finishInitiator": initiator}).hangup
    assert (hangup.by, hangup.by_name) == (by, name)
    nobody = {**CALL, "finishInitiator": initiator, "userId": None, "leadId": None}
    assert liner.parse(nobody).hangup.by_name is None


async def test_what_liner_alone_has(liner: Liner) -> None:
    assert liner.parse(CALL).vendor_fields == {"isPredictive": False, "sipEndpointId": "456"}
    assert liner.parse({"id": 1}).vendor_fields == {}
    async with liner:
        await liner.call("918273")  # brings the names
    assert liner.parse({**CALL, "isPredictive": "1"}).vendor_fields == {"isPredictive": True}
    unknown = {**CALL, "sipEndpointId": 9}
    assert liner.parse(unknown).vendor_fields == {"isPredictive": False, "sipEndpointId": "9"}


async def test_another_call_than_was_asked_for_is_no_answer(server: Server, liner: Liner) -> None:
    server.on("/v2/call/detail/918273/", ok({**CALL, "id": 7}))
    async with liner:
        with pytest.raises(BadAnswer, match="call 918273 was asked for, and call 7 came"):
            await liner.call("918273")
