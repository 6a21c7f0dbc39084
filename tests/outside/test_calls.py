"""About 1,500 calls of three vendors, from the account to the JSON, field by field."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.outside import expected, expected_cinnox, expected_nectar, raw, raw_nectar
from tests.outside.compare import compare, differences, without_urls
from tests.outside.server import TOKENS, Vendors
from tests.outside.user import Ringback


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ringback, Vendors]]:
    """Three accounts, synced once; the tests of this module read them."""
    vendors = Vendors.full()
    ringback = Ringback(tmp_path_factory.mktemp("home"))
    ids = f"{min(vendors.nectar)}-{max(vendors.nectar) + 5}"
    ringback.add("sales", "liner", vendors.url)
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", ids)
    ringback("sync", "--since", raw.SINCE, "--until", raw.UNTIL)
    yield ringback, vendors
    vendors.close()


def wanted(vendors: Vendors) -> list[dict[str, Any]]:
    legs = defaultdict(list)
    for stored in vendors.cinnox:
        legs[stored.row.get("callID") or stored.row["id"]].append(stored.row)
    return [
        *(expected.liner("sales", s.row, filed_under=s.order) for s in vendors.liner),
        *(expected_cinnox.cinnox("care", rows) for rows in map(list, legs.values())),
        *(expected_nectar.rest("desk", raw_nectar.call(body)) for body in vendors.nectar.values()),
    ]


def test_every_call_is_printed_with_every_field_right(world: tuple[Ringback, Vendors]) -> None:
    ringback, vendors = world
    want = wanted(vendors)
    assert len(want) > 1450
    report = compare(ringback.calls("--limit", "5000"), without_urls(want))
    assert not report, f"\n{report}"


def test_what_could_not_be_read_is_said_and_the_rest_is_shown(
    world: tuple[Ringback, Vendors],
) -> None:
    ringback, vendors = world
    rows = [stored.row for stored in vendors.liner]
    late = next(row for row in rows if row.get("createdAt") == "yesterday, at noon")
    long = next(row for row in rows if row.get("totalDurationSeconds") == "two minutes")
    noon = next(
        id for id, b in vendors.nectar.items() if raw_nectar.call(b).get("started_at") == "noon"
    )
    file = next(
        s.row["callID"]
        for s in vendors.cinnox
        if isinstance(s.row.get("recordingEventList"), list)
        and "long" in [f["duration"] for e in s.row["recordingEventList"] for f in e["files"] or []]
    )
    for name, field in (
        (f"sales:{late['id']}", "createdAt"),
        (f"sales:{long['id']}", "totalDurationSeconds"),
        (f"desk:{noon}", "started_at"),
        (f"care:{file}", "duration"),
    ):
        shown = ringback("show", name).stdout
        assert field in shown, f"{name} does not name {field}:\n{shown}"


def test_show_prints_one_call_and_its_address_only_when_asked(
    world: tuple[Ringback, Vendors],
) -> None:
    ringback, vendors = world
    row = next(s.row for s in vendors.liner if s.row.get("hasRecords") is True)
    name, host = f"sales:{row['id']}", vendors.files.url
    plain = json.loads(ringback("show", "--json", name).stdout)
    urls = json.loads(ringback("show", "--json", "--with-urls", name).stdout)
    want = expected.liner_recordings(vendors.records[str(row["id"])])
    assert not [*differences(urls["recordings"], want)]
    assert host not in json.dumps(plain)
    assert [r["url"] for r in plain["recordings"]] == [None] * len(want)
    assert host not in ringback("show", name).stdout
    assert want[0]["url"] in ringback("show", "--with-urls", name).stdout
    shown_row = json.loads(ringback("show", "--raw", name).stdout)
    assert shown_row.pop("records") == vendors.records[str(row["id"])]
    assert shown_row == row
    body = next(b for b in vendors.nectar.values() if raw_nectar.call(b).get("recordings"))
    shown = ringback("show", f"desk:{raw_nectar.call(body)['id']}").stdout
    assert "MASECRET" not in shown  # the Plivo account stands in the path (3.4)


def test_nothing_that_a_terminal_obeys_and_no_secret_is_printed_or_kept(
    world: tuple[Ringback, Vendors],
) -> None:
    ringback, vendors = world
    for words in (["calls"], ["calls", "--csv"], ["calls", "--json"]):
        out = ringback(*words).stdout
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", out)
    odd = [s.row["id"] for s in vendors.liner if "\x1b" in str(s.row.get("clientPhone"))]
    for words in (["show", f"sales:{odd[0]}"], ["show", "--raw", f"sales:{odd[0]}"]):
        assert "\x1b" not in ringback(*words).stdout
    kept = ringback.text_of_all_files()
    for secret in (*TOKENS.values(), raw.SIP_PASSWORD):
        assert secret not in kept
    for origin in (vendors.files, vendors.sink):
        assert not origin.saw(*TOKENS.values())
    assert not [r.line for r in vendors.seen if any(t in r.line for t in TOKENS.values())]


def test_a_token_goes_only_into_the_header_of_its_own_vendor(
    world: tuple[Ringback, Vendors],
) -> None:
    _, vendors = world
    headers = {"liner": "x-api-key", "cinnox": "authorization", "nectar": "access-token"}
    starts = {"/v2/": "liner", "/v1/api/apps/": "cinnox", "/calls/": "nectar"}
    for request in vendors.seen:
        vendor = next(name for start, name in starts.items() if request.path.startswith(start))
        carrying = [name for name, value in request.headers.items() if TOKENS[vendor] in value]
        assert carrying == [headers[vendor]]
        others = [token for name, token in TOKENS.items() if name != vendor]
        assert not any(token in str(request.headers) for token in others)


def test_files_are_the_users_alone(world: tuple[Ringback, Vendors]) -> None:
    ringback, _ = world
    home = ringback.home / "ringback"
    loose = [p for p in (home, *home.rglob("*")) if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert not loose


def test_a_spreadsheet_takes_no_cell_for_a_formula(world: tuple[Ringback, Vendors]) -> None:
    ringback, vendors = world
    rows = list(csv.DictReader(io.StringIO(ringback("calls", "--csv").stdout)))
    assert len(rows) == len(wanted(vendors))
    assert any("SUM" in row["campaign"] for row in rows)
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_queries_narrow_what_is_listed(world: tuple[Ringback, Vendors]) -> None:
    ringback, _ = world
    everything = ringback.calls()
    by: dict[str, Callable[[Any], bool]] = {
        "missed": lambda c: c["outcome"] == "missed",
        "in": lambda c: c["direction"] == "inbound",
        "account:desk": lambda c: c["account"] == "desk",
        "Иванова": lambda c: "Анна Иванова" in [a["name"] for a in c["agents"]],
    }
    for query, right in by.items():
        got = {(c["account"], c["id"]) for c in ringback.calls(query)}
        assert got == {(c["account"], c["id"]) for c in everything if right(c)} != set(), query
    times = [datetime.fromisoformat(c["started_at"]) for c in everything if c["started_at"]]
    assert times == sorted(times, reverse=True)
    assert ringback.calls("--limit", "7") == everything[:7]
    assert ringback("calls", "--limit", "0").stdout == ""
    assert ringback.calls("--account", "care") == [c for c in everything if c["account"] == "care"]


def test_a_date_is_the_whole_day_in_the_users_zone(world: tuple[Ringback, Vendors]) -> None:
    ringback, _ = world
    zone = ZoneInfo("Asia/Hong_Kong")
    everything = [call for call in ringback.calls() if call["started_at"]]
    env = {**ringback.env, "TZ": "Asia/Hong_Kong"}
    old, ringback.env = ringback.env, env
    try:
        got = ringback.calls("--since", "2024-01-20", "--until", "2024-01-21")
        late = ringback.calls("--since", "2024-01-20T23:30")
    finally:
        ringback.env = old
    local = {c["id"]: datetime.fromisoformat(c["started_at"]).astimezone(zone) for c in everything}
    days = {date(2024, 1, 20), date(2024, 1, 21)}
    assert {c["id"] for c in got} == {id for id, at in local.items() if at.date() in days} != set()
    after = datetime(2024, 1, 20, 23, 30, tzinfo=zone)
    assert {c["id"] for c in late} == {id for id, at in local.items() if at >= after}
