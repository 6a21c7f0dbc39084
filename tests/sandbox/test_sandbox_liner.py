"""Liner's API: envelope, filters, paging, and the contradictions of its documents."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from providers.sandbox import Sandbox
from tests.sandbox.conftest import Ask

WEEK = (("createdAt[0]", "2026-02-01T00:00:00Z"), ("createdAt[1]", "2026-03-31T00:00:00Z"))
ORDERS = tuple(("orderIds[]", order) for order in range(201, 206))


def walk(ask: Ask, path: str, *pairs: tuple[str, Any]) -> tuple[list[Any], int]:
    """All items of a list, as the documents' `next` leads through it."""
    items: list[Any] = []
    offset = 0
    while True:
        data = ask("liner", path, *pairs, limit=100, offset=offset).json()["data"]
        if not data["list"]:
            return items, data["total"]
        assert data["next"] == offset + 100
        items += data["list"]
        offset = data["next"]


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong"}, {"Authorization": "Bearer x"}])
def test_a_wrong_or_missing_key_is_401_in_the_envelope(
    world: Sandbox, client: httpx.Client, headers: dict[str, str]
) -> None:
    answer = client.get(world.base_url("liner") + "/v1/health/check/", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"success": False, "message": "Invalid API key", "data": None}


def test_the_health_check_succeeds_with_the_key(ask: Ask) -> None:
    assert ask("liner", "/v1/health/check/").json()["success"] is True


def test_all_calls_come_over_the_pages_each_once(ask: Ask, world: Sandbox) -> None:
    rows, total = walk(ask, "/v2/call/", *WEEK, *ORDERS)
    assert rows == world.data.liner_calls
    assert total == len(rows) == len({row["id"] for row in rows}) == 1200


def test_the_default_page_is_fifty(ask: Ask) -> None:
    data = ask("liner", "/v2/call/", *WEEK, *ORDERS).json()["data"]
    assert (len(data["list"]), data["next"], data["total"]) == (50, 50, 1200)


def test_both_php_forms_of_an_array_mean_the_same(ask: Ask) -> None:
    plain = ask("liner", "/v2/call/", *WEEK, ("orderIds[]", 201), ("orderIds[]", 203)).json()
    indexed = ask("liner", "/v2/call/", *WEEK, ("orderIds[0]", 201), ("orderIds[1]", 203)).json()
    assert plain == indexed
    assert 0 < plain["data"]["total"] < 1200


def test_filters_narrow(ask: Ask, world: Sandbox) -> None:
    details = world.data.liner.details.values()
    wanted = next(row for row in details if row["userId"] and row["statusId"] == 12)
    rows, total = walk(
        ask,
        "/v2/call/",
        *WEEK,
        ("leadIds[]", wanted["leadId"]),
        ("userIds[]", wanted["userId"]),
        ("statusIds[]", 12),
    )
    keys = ("leadId", "userId", "statusId")
    expected = [row["id"] for row in details if all(row[key] == wanted[key] for key in keys)]
    assert [row["id"] for row in rows] == expected
    assert total == len(expected)


def test_the_period_includes_both_ends_and_understands_offsets(ask: Ask, world: Sandbox) -> None:
    row = world.data.liner_calls[500]
    local = row["createdAt"].replace("Z", "+00:00")
    one = (("createdAt[0]", local), ("createdAt[1]", row["createdAt"]))
    assert row in ask("liner", "/v2/call/", *one, *ORDERS).json()["data"]["list"]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (ORDERS, "createdAt[0] and createdAt[1] are required"),
        ((*WEEK[:1], *ORDERS), "createdAt[0] and createdAt[1] are required"),
        (WEEK, "leadIds or orderIds is required"),
        ((*WEEK, ("orderIds[]", "0")), "orderIds must be greater than 0"),
        ((*WEEK, ("leadIds[]", "x")), "leadIds must be greater than 0"),
        ((*WEEK, *ORDERS, ("limit", "101")), "limit between 1 and 100"),
        ((*WEEK, *ORDERS, ("offset", "-1")), "offset must be 0 or more"),
        ((("createdAt[0]", "x"), ("createdAt[1]", "y"), *ORDERS), "ISO 8601"),
    ],
)
def test_bad_parameters_are_400_with_the_reason(
    ask: Ask, pairs: tuple[tuple[str, Any], ...], message: str
) -> None:
    answer = ask("liner", "/v2/call/", *pairs)
    assert answer.status_code == 400
    assert message in answer.json()["message"]
    assert (answer.json()["success"], answer.json()["data"]) == (False, None)


def test_list_rows_have_the_shape_of_the_example_or_of_the_table(world: Sandbox) -> None:
    example = [row for row in world.data.liner_calls if "statusCode" in row]
    table = [row for row in world.data.liner_calls if "statusCode" not in row]
    assert len(example) == 400
    assert not any({"orderId", "statusId", "hasRecords"} & row.keys() for row in example)
    assert all({"orderId", "statusId", "hasRecords"} <= row.keys() for row in table)


def test_the_detail_has_order_code_and_recordings_but_no_status_id(
    ask: Ask, world: Sandbox
) -> None:
    row = world.data.liner_calls[0]
    detail = ask("liner", f"/v2/call/detail/{row['id']}/").json()["data"]
    assert {"orderId", "statusCode", "hasRecords"} <= detail.keys()
    assert "statusId" not in detail
    shared = row.keys() & detail.keys()
    assert {key: row[key] for key in shared} == {key: detail[key] for key in shared}


@pytest.mark.parametrize("kind", ["call", "call-record", "user", "lead"])
def test_an_unknown_id_is_404_in_the_envelope(ask: Ask, kind: str) -> None:
    answer = ask("liner", f"/v2/{kind}/detail/999999999/")
    assert answer.status_code == 404
    assert answer.json()["success"] is False
    assert answer.json()["message"].endswith("not found")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/call-status/", 404),
        ("/v2/call-statuses/", 200),
        ("/v2/sip-endpoint/", 200),
        ("/v2/sip-endpoints/", 404),
        ("/v2/lead-status/", 200),
        ("/v2/lead-statuses/", 200),
    ],
)
def test_a_dictionary_answers_under_one_of_its_two_documented_paths(
    ask: Ask, path: str, status: int
) -> None:
    answer = ask("liner", path)
    assert answer.status_code == status
    assert isinstance(answer.json()["data"], list) == (status == 200)


def test_statuses_explain_the_calls_except_for_a_deleted_one(ask: Ask, world: Sandbox) -> None:
    known = {row["id"]: row["code"] for row in ask("liner", "/v2/call-statuses/").json()["data"]}
    used = {row["statusId"]: row["statusCode"] for row in world.data.liner.details.values()}
    assert used.keys() - known.keys() == {99}
    assert all(known[id_] == code for id_, code in used.items() if id_ != 99)
    assert len(used) == 13


def test_without_the_slash_comes_a_redirect_that_keeps_the_query(ask: Ask) -> None:
    answer = ask("liner", "/v2/user/list", accessGroup="admin")
    assert answer.status_code == 301
    assert answer.headers["Location"] == "/v2/user/list/?accessGroup=admin"


def test_recordings_of_a_call_add_up_to_its_talk_time(ask: Ask, world: Sandbox) -> None:
    transferred = 0
    for call in list(world.data.liner.details.values())[:120]:
        rows = ask("liner", "/v2/call-record/", callId=call["id"]).json()["data"]["list"]
        assert bool(rows) == call["hasRecords"]
        expected = call["talkTimeDurationSeconds"] if rows else 0
        assert sum(row["durationSeconds"] for row in rows) == expected
        transferred += any(row["isTransfer"] for row in rows)
    assert transferred


def test_recordings_come_in_both_documented_shapes_and_whole_in_the_detail(
    ask: Ask, world: Sandbox
) -> None:
    ids = sorted(world.data.liner.records)[:40]
    shapes = set()
    for call in world.data.liner.details:
        shapes |= {frozenset(row) for row in world.data.liner_recordings(call)}
    assert {len(shape) for shape in shapes} == {5, 8}
    for id_ in ids[:4]:
        row = ask("liner", f"/v2/call-record/detail/{id_}/").json()["data"]
        assert row == world.data.liner.records[id_]
        assert {"userId", "leadId", "recordSummary"} <= row.keys()


def test_call_records_need_a_call(ask: Ask) -> None:
    assert ask("liner", "/v2/call-record/").status_code == 400
    assert ask("liner", "/v2/call-record/", callId=1).json()["data"]["total"] == 0


def test_answering_machines_can_be_asked_for(ask: Ask, world: Sandbox) -> None:
    details = world.data.liner.details.values()
    machine = next(row["id"] for row in details if row["statusCode"] == "voicemail")
    talk = next(row["id"] for row in details if row["hasRecords"] and row["statusId"] == 12)
    totals = [
        ask("liner", "/v2/call-record/", callId=id_, isAmd=1).json()["data"]["total"]
        for id_ in (machine, talk)
    ]
    assert totals == [1, 0]


def test_every_name_behind_an_id_can_be_had(ask: Ask, world: Sandbox) -> None:
    leads, _ = walk(ask, "/v2/lead/")
    users, _ = walk(ask, "/v2/user/list/")
    orders, _ = walk(ask, "/v2/order/")
    lines = ask("liner", "/v2/sip-endpoint/").json()["data"]
    known = {
        "leadId": {row["id"] for row in leads},
        "userId": {row["id"] for row in users} | {None},
        "orderId": {row["id"] for row in orders},
        "sipEndpointId": {row["id"] for row in lines},
    }
    for row in world.data.liner.details.values():
        assert all(row[key] in ids for key, ids in known.items())
    assert len(leads) > 300
    assert ask("liner", f"/v2/lead/detail/{leads[5]['id']}/").json()["data"] == leads[5]
    assert ask("liner", f"/v2/user/detail/{users[5]['id']}/").json()["data"] == users[5]


def test_users_and_leads_can_be_filtered(ask: Ask) -> None:
    active = ask("liner", "/v2/user/list/", isActive=1).json()["data"]["list"]
    senior = ask("liner", "/v2/user/list/", accessGroup="call-center-senior").json()["data"]
    qualified, total = walk(ask, "/v2/lead/", ("statusIds[]", 20), ("orderIds[]", 202))
    assert (len(active), senior["total"]) == (11, 2)
    assert {(row["statusId"], row["orderId"]) for row in qualified} == {(20, 202)}
    assert total == len(qualified)


def test_the_old_order_list_has_four_fields_and_no_pages(ask: Ask) -> None:
    rows = ask("liner", "/v1/order/list/").json()["data"]
    assert [set(row) for row in rows] == [{"id", "title", "code", "callsAllowed"}] * 5


def test_other_methods_and_paths_are_refused_in_the_envelope(
    world: Sandbox, client: httpx.Client
) -> None:
    headers = {"X-Api-Key": world.tokens["liner"]}
    url = world.base_url("liner")
    assert client.post(url + "/v2/call/", headers=headers, json={}).status_code == 405
    assert client.get(url + "/v3/call/", headers=headers).json()["message"] == "Method not found"
