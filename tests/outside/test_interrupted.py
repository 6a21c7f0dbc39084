"""Syncs that are ended in the middle, and syncs beside each other."""

from __future__ import annotations

import signal
import time
from collections import Counter, defaultdict

import pytest

from tests.outside import expected_cinnox, raw, raw_cinnox, raw_nectar
from tests.outside.compare import compare, without_urls
from tests.outside.server import Vendors, late
from tests.outside.test_walks import PERIOD, ids, plain_liner
from tests.outside.user import Ringback
from tests.slow_params import few


def wait_for(vendors: Vendors, pages: int) -> None:
    deadline = time.monotonic() + 20
    while len(vendors.paths("/v2/call/")) < pages:
        assert time.monotonic() < deadline, "the sync does not ask for pages"
        time.sleep(0.01)


@pytest.mark.parametrize("number", few(1, [signal.SIGKILL, signal.SIGINT, signal.SIGTERM]))
def test_an_ended_sync_is_resumed_where_it_stood(
    ringback: Ringback, vendors: Vendors, number: signal.Signals
) -> None:
    vendors.liner = plain_liner(300)
    again = [raw.Stored(s.at, {**s.row, "id": 1000 + s.row["id"]}, s.order) for s in vendors.liner]
    vendors.liner += again
    vendors.rules.append(late("/v2/call/", 0.2))
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    running = ringback.start("sync", *PERIOD)
    wait_for(vendors, 4)
    running.send_signal(number)
    _, err = running.communicate()
    assert running.returncode == (-9 if number == signal.SIGKILL else 1), err
    assert "Traceback" not in err
    kept = len(ringback.calls())
    assert 0 < kept < 600 and kept % 100 == 0  # whole pages
    vendors.rules.clear()
    vendors.seen.clear()
    ringback("sync", *PERIOD)
    got = ids(ringback.calls())
    assert got == sorted(s.row["id"] for s in vendors.liner)
    offsets = [int(r.one("offset") or 0) for r in vendors.seen if r.path == "/v2/call/"]
    assert min(offsets) >= kept  # what was kept is not fetched again


def test_an_interrupted_sync_without_a_period_is_resumed_too(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = plain_liner(300)
    vendors.rules.append(late("/v2/call/", 0.2))
    ringback.add("sales", "liner", vendors.url, "--order", "202-204")
    running = ringback.start("sync")
    wait_for(vendors, 2)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    kept = len(ringback.calls())
    vendors.rules.clear()
    vendors.seen.clear()
    ringback("sync")
    assert ids(ringback.calls()) == list(range(1, 301))
    walked = [r for r in vendors.seen if r.path == "/v2/call/"]
    assert kept and not [
        r for r in walked if (r.one("createdAt[0]") or "") < "2024" and not r.one("offset")
    ]
    old = [int(r.one("offset") or 0) for r in walked if (r.one("createdAt[0]") or "") < "2024"]
    assert min(old) >= kept


def test_two_syncs_at_once_bring_every_call_once(ringback: Ringback, vendors: Vendors) -> None:
    vendors.liner = plain_liner(200)
    vendors.cinnox = raw_cinnox.stored_rows(vendors.files.url)
    vendors.nectar = raw_nectar.rows(vendors.files.url, many=160)
    ringback.add("sales", "liner", vendors.url)
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "5000-5060")
    both = [ringback.start("sync", *PERIOD) for _ in range(2)]
    for running in both:
        _, err = running.communicate()
        assert running.returncode == 0, err
    counts = Counter((c["account"], c["id"]) for c in ringback.calls())
    assert max(counts.values()) == 1
    assert Counter(account for account, _ in counts) == {"sales": 200, "care": 500, "desk": 61}


def test_legs_on_both_sides_of_an_interruption_are_one_call(
    ringback: Ringback, vendors: Vendors
) -> None:
    """CINNOX: records of one callID on pages that two runs fetch, and a page of exactly 500."""
    stored = raw_cinnox.stored_rows(vendors.files.url, many=950)
    vendors.cinnox = stored[:1000]
    assert len(vendors.cinnox) == 1000
    vendors.rules.append(lambda r: late("", 2)(r) if r.one("offset") == "500" else None)
    ringback.add("care", "cinnox", vendors.url)
    running = ringback.start("sync", *PERIOD)
    deadline = time.monotonic() + 20
    while not [r for r in vendors.seen if r.one("offset") == "500"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    vendors.rules.clear()
    vendors.seen.clear()
    ringback("sync", *PERIOD)
    walked = [r.one("offset") for r in vendors.seen if r.path.endswith("/call-detail")]
    assert walked[0] == "500"
    legs = defaultdict(list)
    for one in vendors.cinnox:
        legs[one.row.get("callID") or one.row["id"]].append(one.row)
    halves = [
        {n // 500 for n, s in enumerate(vendors.cinnox) if s.row in rows} for rows in legs.values()
    ]
    assert {0, 1} in halves
    want = without_urls([expected_cinnox.cinnox("care", rows) for rows in legs.values()])
    assert not (report := compare(ringback.calls(), want)), report
