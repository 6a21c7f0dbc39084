"""Walks where the vendors' documents are silent or contradict themselves, and where they fail."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest

from tests.outside import expected, expected_nectar, raw, raw_cinnox, raw_nectar
from tests.outside.compare import compare, differences
from tests.outside.server import TOKENS, Answer, Vendors, always, bad, late, once
from tests.outside.user import Ringback
from tests.slow_params import few

PERIOD = ("--since", raw.SINCE, "--until", raw.UNTIL)


def plain_liner(many: int, first: int = 1) -> list[raw.Stored]:
    """Calls in three orders, each with its order in its row."""
    rows = [s for s in raw.liner_rows(many=900) if isinstance(s.row.get("orderId"), int)]
    assert many <= len(rows)
    return [
        raw.Stored(s.at, {**s.row, "id": first + number}, s.order)
        for number, s in enumerate(rows[:many])
    ]


def ids(calls: list[dict[str, Any]]) -> list[int]:
    return sorted(int(call["id"]) for call in calls)


MODES = [
    (mode, totals)
    for totals in (True, False)
    for mode in ("plain", "null", "absent", "total", "zero")
]


@pytest.mark.parametrize("modes", few(1, [[MODES[0], MODES[7]], MODES]), ids=["two", "all"])
def test_liners_last_page_may_end_in_any_way(
    ringback: Ringback, modes: list[tuple[str, bool]]
) -> None:
    """`next` null, absent, equal to the total, 0 or still offset + limit; no total (1.3)."""
    rows = plain_liner(120)
    served = []
    try:
        for number, (mode, totals) in enumerate(modes):
            vendors = Vendors(next_mode=mode, totals=totals, old_paths=bool(number % 2))
            vendors.liner = rows
            served.append(vendors)
            ringback.add(f"a{number}", "liner", vendors.url)
        ringback("sync", *PERIOD)
        calls = ringback.calls()
        for number, (mode, totals) in enumerate(modes):
            own = [call for call in calls if call["account"] == f"a{number}"]
            assert ids(own) == list(range(1, 121)), f"next {mode}, total {totals}"
        report = compare(
            [call for call in calls if call["account"] == "a0"],
            [expected.liner("a0", s.row, filed_under=s.order) for s in rows],
        )
        assert not report, f"\n{report}"
    finally:
        for vendors in served:
            vendors.close()


def without_total(page: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in page.items() if key != "total"}


FORMS: dict[str, Any] = {
    "next as text": lambda page: {**page, "next": str(page["next"])},
    "next and total as floats": lambda page: {**page, "next": page["next"] + 0.0, "total": 345.0},
    "no next": lambda page: {key: value for key, value in page.items() if key != "next"},
    "next null": lambda page: {**page, "next": None},
    "next 0, total as text": lambda page: {**page, "next": 0, "total": "345"},
    "next repeated, no total": lambda page: {**without_total(page), "next": 100},
    "total of the page": lambda page: {**page, "total": len(page["list"])},
    "next null, total of the page": lambda page: (
        {"list": page["list"], "next": None} | {"total": len(page["list"])}
    ),
    "next null, total too small": lambda page: {**page, "next": None, "total": 200},
    "neither": lambda page: {"list": page["list"]},
}


@pytest.mark.parametrize(
    ("most", "forms"),
    few(1, [(100, [*FORMS][2:8:2]), *((most, [*FORMS]) for most in (100, 40, 1000))]),
    ids=["three forms", "100 a page", "40 a page", "no limit"],
)
def test_every_liner_call_comes_whatever_next_and_total_say(
    ringback: Ringback, most: int, forms: list[str]
) -> None:
    """345 calls under these forms of `next` and `total` (1.3)."""
    rows, served = plain_liner(345), []
    try:
        for number, form in enumerate(forms):
            served.append(Vendors(paging=FORMS[form], most=most))
            served[-1].liner = rows
            ringback.add(f"a{number}", "liner", served[-1].url, "--order", "202-204")
        assert ringback("sync", *PERIOD).stderr == ""
        got = Counter(call["account"] for call in ringback.calls())
        assert got == {f"a{number}": 345 for number in range(len(forms))}
    finally:
        for vendors in served:
            vendors.close()


def test_calls_that_liner_counts_and_does_not_give_are_told_each_time(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = plain_liner(145)
    vendors.paging = lambda page: {**page, "total": 200}
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    for _ in range(2):
        vendors.seen.clear()
        done = ringback("sync", *PERIOD, code=3)
        assert "145 of 200 calls" in done.stderr and len(done.stderr.splitlines()) == 1
        offsets = [r.one("offset") for r in vendors.seen if r.path == "/v2/call/"]
        assert offsets.count("0") == 2  # looked for once more
    assert len(ringback.calls()) == 145
    vendors.paging = dict
    for _ in range(2):
        assert ringback("sync", *PERIOD).stderr == ""


def test_orders_leads_agents_and_recordings_have_second_pages(ringback: Ringback) -> None:
    """Lists that give 7 a page and count the page only: calls of every order, every name."""
    vendors = Vendors(most=7, paging=FORMS["total of the page"])
    vendors.liner, orders = plain_liner(60), [*raw.LINER_ORDERS]
    raw.LINER_ORDERS[:0] = [{"id": number, "title": f"Order {number}"} for number in range(1, 20)]
    vendors.records = {
        "1": [{"id": n, "fileUrl": f"{vendors.files.url}/audio/{n}.mp3"} for n in range(1, 16)]
    }
    try:
        ringback.add("sales", "liner", vendors.url)
        assert ringback("sync", *PERIOD).stderr == ""
        assert len(ringback.calls()) == 60
        named = [call["agents"][0]["name"] for call in ringback.calls() if call["agents"]]
        assert None not in named
        shown = json.loads(ringback("show", "sales:1", "--json").stdout)
        assert len(shown["recordings"]) == 15
    finally:
        raw.LINER_ORDERS[:] = orders
        vendors.close()


@pytest.mark.parametrize("answer", few(1, [bad(403, "Not for you"), bad(404, "No"), bad(500, "")]))
def test_dictionaries_that_cannot_be_had_are_told_and_asked_for_again(
    ringback: Ringback, vendors: Vendors, answer: Answer
) -> None:
    vendors.liner = plain_liner(20)
    kinds = ("call-status", "sip-endpoint", "/user/", "/order/", "/lead/")
    vendors.rules += [always(kind, answer) for kind in kinds]
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    done = ringback("sync", *PERIOD)
    told = sorted(line.split("(")[1].split(")")[0] for line in done.stderr.splitlines())
    assert told == ["lead", "line", "order", "status", "user"]
    vendors.rules.clear()
    assert ringback("sync", *PERIOD).stderr == ""
    want = [expected.liner("sales", s.row, filed_under=s.order) for s in vendors.liner]
    report = compare(ringback.calls(), want)
    assert not report, f"\n{report}"
    vendors.rules.append(always("/user/", bad(401, "Wrong API key")))
    vendors.liner[0].row["userId"] = 777
    assert "token" in ringback("sync", *PERIOD, code=None).stderr.lower()


@pytest.mark.parametrize(
    "answer", [bad(400, "callId is wrong"), bad(422, "No"), Answer(200, bad(200, "No call").body)]
)
def test_an_id_that_liner_calls_wrong_is_unknown(
    ringback: Ringback, vendors: Vendors, answer: Answer
) -> None:
    vendors.rules.append(always("/v2/call/detail/", answer))
    ringback.add("sales", "liner", vendors.url)
    told = ringback("show", "sales:77", code=1).stderr
    assert "no such call" in told.lower() and len(told.splitlines()) <= 3


def test_names_that_cannot_be_had_leave_the_ids(ringback: Ringback) -> None:
    """No leads list, one that wants orders, no staff list: the calls come all the same."""
    absent, strict = Vendors(leads="absent", staff=False), Vendors(leads="only for orders")
    for vendors in (absent, strict):
        vendors.liner = plain_liner(60)
    absent.cinnox = raw_cinnox.stored_rows(absent.files.url, many=400)[-60:]
    try:
        ringback.add("absent", "liner", absent.url)
        ringback.add("strict", "liner", strict.url)
        ringback.add("care", "cinnox", absent.url)
        done = ringback("sync", *PERIOD, code=None)
        assert done.returncode in (0, 3)  # a missing name may be told, and costs no call
        calls = ringback.calls()
        for name in ("absent", "strict"):
            want = [
                expected.liner(name, s.row, names=name == "strict", filed_under=s.order)
                for s in plain_liner(60)
            ]
            report = compare([call for call in calls if call["account"] == name], want)
            assert not report, f"\n{report}"
        assert len([call for call in calls if call["account"] == "care"]) > 40
    finally:
        absent.close()
        strict.close()


def test_orders_and_leads_of_the_account_are_what_is_asked_for(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = plain_liner(120)
    ringback.add("one", "liner", vendors.url, "--order", "202-203")
    ringback.add("two", "liner", vendors.url, "--lead", "789-800,805")
    ringback("sync", *PERIOD)
    calls = ringback.calls()
    one = [s.row["id"] for s in vendors.liner if s.order in (202, 203)]
    leads = {*map(str, range(789, 801)), "805"}
    two = [s.row["id"] for s in vendors.liner if str(s.row.get("leadId")) in leads]
    assert ids([c for c in calls if c["account"] == "one"]) == sorted(one)
    assert ids([c for c in calls if c["account"] == "two"]) == sorted(two)
    assert all(r.ids("orderIds") or r.ids("leadIds") for r in vendors.seen if r.path == "/v2/call/")


def test_the_period_that_was_asked_for_is_all_that_comes(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner, vendors.cinnox = plain_liner(120), raw_cinnox.stored_rows(vendors.files.url)
    ringback.add("sales", "liner", vendors.url)
    ringback.add("care", "cinnox", vendors.url)
    ringback("sync", "--since", "2024-01-10", "--until", "2024-01-20")
    first, last = raw.moment("2024-01-10T00:00:00Z", raw.FIRST_DAY), "2024-01-21T00:00:00Z"
    end = raw.moment(last, raw.FIRST_DAY)
    calls = ringback.calls()
    wanted = [s.row["id"] for s in vendors.liner if first <= s.at < end]
    assert ids([c for c in calls if c["account"] == "sales"]) == sorted(wanted)
    legs = {s.row.get("callID") or s.row["id"] for s in vendors.cinnox if first <= s.at < end}
    assert {c["id"] for c in calls if c["account"] == "care"} == legs


def test_rows_that_are_no_calls_cost_no_page_and_are_told(
    ringback: Ringback, vendors: Vendors
) -> None:
    rows = plain_liner(150)
    odd: list[Any] = [None, "row", 7, [], {}, {"direction": "incoming", "clientPhone": "+7911"}]
    vendors.liner = [*rows[:50], *(raw.Stored(rows[0].at, row, 202) for row in odd), *rows[50:]]
    vendors.liner += rows[:20]  # and rows that come twice
    records = raw_cinnox.stored_rows(vendors.files.url)[:80]
    vendors.cinnox = [*records, *(raw.Stored(rows[0].at, row) for row in odd), *records[:10]]
    vendors.nectar = {1: {"calls": None}, 2: [], 3: "text", 4: {"calls": {"id": 4}}, 5: {}}
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "1-5")
    done = ringback("sync", *PERIOD, code=3)
    assert {line.partition(":")[0] for line in done.stderr.splitlines()} >= {"sales", "care"}
    calls = ringback.calls()
    got = Counter((c["account"], c["id"]) for c in calls)
    assert max(got.values()) == 1
    assert {("sales", str(number)) for number in range(1, 151)} <= got.keys()
    wanted = {s.row.get("callID") or s.row["id"] for s in records}
    assert {("care", id) for id in wanted} <= got.keys()
    assert ("desk", "4") in got
    # the row without an id is shown under a made one, with what could be read
    assert [c["account"] for c in calls if c["contact"]["number"] == "+7911"] == ["sales"]


def test_busy_and_failing_vendors_are_asked_again(ringback: Ringback, vendors: Vendors) -> None:
    vendors.liner, vendors.nectar = plain_liner(120), raw_nectar.rows(vendors.files.url, many=160)
    vendors.cinnox = raw_cinnox.stored_rows(vendors.files.url)
    slow_down = Answer(429, {"success": False}, {"Retry-After": "1"})
    vendors.rules += [
        once("/v2/call/", slow_down, bad(503, "Down")),
        once("/data/call-detail", Answer(400, {"code": 6451010, "message": "Too many requests"})),
        once("/calls/5007", Answer(503, "<html>busy</html>")),
        late("/v2/user/list", 0.5),
    ]
    ringback.add("sales", "liner", vendors.url)
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "5000-5050")
    ringback("sync", *PERIOD)
    counts = Counter(call["account"] for call in ringback.calls())
    assert counts == {"sales": 120, "care": 500, "desk": 51}


def test_one_vendor_that_fails_leaves_the_others(ringback: Ringback, vendors: Vendors) -> None:
    vendors.liner, vendors.nectar = plain_liner(30), raw_nectar.rows(vendors.files.url, many=160)
    vendors.rules.append(
        always("/data/call-detail", Answer(400, {"code": 6451000, "message": "Bad query \x1b[2J"}))
    )
    ringback.add("sales", "liner", vendors.url)
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "5000-5010,9999999")
    done = ringback("sync", *PERIOD, code=3)
    assert "Bad query" in done.stderr and "care" in done.stderr and "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert Counter(c["account"] for c in ringback.calls()) == {"sales": 30, "desk": 11}


def test_a_page_that_fails_keeps_the_pages_before_it_and_the_next_sync_goes_on(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = plain_liner(350)
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    broken = [lambda r: bad(400, "No such page") if r.one("offset") == "200" else None]
    vendors.rules += broken
    ringback("sync", *PERIOD, code=3)
    assert len(ringback.calls()) == 200
    vendors.rules.clear()
    vendors.seen.clear()
    ringback("sync", *PERIOD)
    assert ids(ringback.calls()) == list(range(1, 351))
    offsets = [r.one("offset") for r in vendors.seen if r.path == "/v2/call/"]
    assert offsets == ["200", "300"]


@pytest.mark.parametrize("status", few(1, [302, 301, 303, 307, 308]))
def test_a_redirect_to_another_origin_carries_no_token(
    ringback: Ringback, vendors: Vendors, status: int
) -> None:
    """On API calls: every vendor's every path leads away; nothing may follow with a token."""
    away = Answer(status, "", {"Location": f"{vendors.sink.url}/stolen"})
    vendors.rules.append(always("/", away))
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "5000")
    done = ringback("sync", *PERIOD, code=None)
    assert done.returncode in (1, 3)
    assert {"sales", "care", "desk"} <= {line.split(":")[0] for line in done.stderr.splitlines()}
    assert not vendors.sink.saw(*TOKENS.values())


def test_a_redirect_within_the_origin_is_followed(ringback: Ringback, vendors: Vendors) -> None:
    """As a server does that wants the path without its last slash, or with it (1.9, 4)."""
    vendors.liner = plain_liner(30)

    def moved(request: Any) -> Answer | None:
        if request.path.startswith("/v2/") and request.path.endswith("/"):
            path, _, query = request.line.partition("?")
            return Answer(301, "", {"Location": f"{path.rstrip('/')}?{query}"})
        return None

    vendors.rules.append(moved)
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    ringback("sync", *PERIOD)
    assert ids(ringback.calls()) == list(range(1, 31))


def test_a_call_that_the_archive_lacks_is_asked_for_where_the_vendor_can(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner, vendors.nectar = plain_liner(3), raw_nectar.rows(vendors.files.url, many=160)
    ringback.add("sales", "liner", vendors.url)
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url)
    assert json.loads(ringback("show", "--raw", "sales:2").stdout) == {
        **vendors.liner[1].row,
        "records": [],
    }
    got = json.loads(ringback("show", "--json", "--with-urls", "desk:5140").stdout)
    want = expected_nectar.rest("desk", raw_nectar.call(vendors.nectar[5140]))
    assert not (report := compare([got], [want])), report
    assert "care" in ringback("show", "care:no-such-call", code=1).stderr
    assert "desk" in ringback("show", "desk:1", code=1).stderr


def test_recordings_are_listed_once_and_only_where_there_may_be_some(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = plain_liner(90)
    vendors.record_all()
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    ringback("sync", "--recordings", *PERIOD)
    said = {str(sent.row["id"]): expected.yes(sent.row.get("hasRecords")) for sent in vendors.liner}
    for call in ringback.calls():
        records = vendors.records.get(call["id"], [])
        want = [{**r, "url": None} for r in expected.liner_recordings(records)]
        assert not [*differences(call["recordings"], want)]
        assert call["has_recording"] is (True if records else said[call["id"]])
    asked = Counter(r.one("callId") for r in vendors.seen if r.path == "/v2/call-record/")
    told = {str(s.row["id"]) for s in vendors.liner if s.row.get("hasRecords") is False}
    assert not told & asked.keys()  # told that there is none: not asked (1.6)
    assert vendors.records.keys() <= asked.keys()


def test_a_slow_vendor_is_waited_for(ringback: Ringback, vendors: Vendors) -> None:
    vendors.liner = plain_liner(10)
    vendors.rules.append(late("/v2/call/", 0.5))
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    began = time.monotonic()
    ringback("sync", *PERIOD)
    assert time.monotonic() - began >= 0.5
    assert len(ringback.calls()) == 10
