"""CINNOX without a total: every call comes, whatever the pages are like, or it is told."""

from __future__ import annotations

import random

import pytest

from tests.outside import raw, raw_cinnox
from tests.outside.server import Answer, Vendors, always
from tests.outside.test_walks import PERIOD
from tests.outside.user import Ringback
from tests.slow_params import few


@pytest.mark.parametrize("same", few(1, [45, 1, 13, 7]))
@pytest.mark.parametrize("cap", few(1, [100, 500]))
def test_cinnoxs_pages_may_be_capped_and_its_order_unstable(
    ringback: Ringback, cap: int, same: int
) -> None:
    """1,300 of 1,300; and a refresh with nothing new asks for a page and its end (2.3)."""
    vendors = Vendors(cap=cap, ties=True)
    vendors.cinnox = raw_cinnox.newest_first(1300, same)
    try:
        ringback.add("care", "cinnox", vendors.url)
        done = ringback("sync", *PERIOD)
        assert not done.stderr
        assert {c["id"] for c in ringback.calls("--limit", "2000")} == {
            f"c{n}" for n in range(1300)
        }
        assert len(vendors.paths("call-detail")) <= 3 * (1300 // cap) + 5
    finally:
        vendors.close()


def test_calls_that_cinnox_never_gave_are_told(ringback: Ringback, vendors: Vendors) -> None:
    """Every call in one moment, in another order each time: no client can know all of them."""
    vendors.cap, vendors.ties = 20, random.Random(3)
    vendors.cinnox = raw_cinnox.newest_first(400, 400)
    ringback.add("care", "cinnox", vendors.url)
    done = ringback("sync", *PERIOD, code=3)
    came = len(ringback.calls("--limit", "2000"))
    assert f"care: the vendor gave {came} of 400 records" in done.stderr
    assert came < 400


def test_an_offset_that_cinnox_ignores_is_told(ringback: Ringback, vendors: Vendors) -> None:
    vendors.cinnox = raw_cinnox.newest_first(300, 1)
    vendors.cap, vendors.offsets = 100, False
    ringback.add("care", "cinnox", vendors.url)
    done = ringback("sync", *PERIOD, code=3)
    assert "only the first 100 records" in done.stderr


def test_a_walk_of_cinnox_that_was_interrupted_goes_on(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.cap, vendors.ties = 100, random.Random(5)
    vendors.cinnox = raw_cinnox.newest_first(600, 45)
    ringback.add("care", "cinnox", vendors.url)
    down = Answer(400, {"code": 6451000, "message": "Bad query"})
    for number in (2, 3, 6):
        left = iter(range(number))
        rule = lambda r: down if "call-detail" in r.path and next(left, None) is None else None  # noqa: B023, E731
        vendors.rules[:] = [rule]
        ringback("sync", *PERIOD, code=3)
    vendors.rules.clear()
    ringback("sync", *PERIOD)
    assert {c["id"] for c in ringback.calls("--limit", "2000")} == {f"c{n}" for n in range(600)}


@pytest.mark.parametrize("status, code", few(1, [(400, 401), (200, 401), (400, 403)]))
def test_a_token_that_cinnox_refuses_in_a_body_is_exit_4(
    ringback: Ringback, vendors: Vendors, status: int, code: int
) -> None:
    refused = Answer(status, {"code": code, "message": "Unauthorized"})
    vendors.rules.append(always("/data/call-detail", refused))
    ringback.add("care", "cinnox", vendors.url)
    for words in (["sync", "care"], ["accounts", "test", "care"]):
        assert "refused" in ringback(*words, code=4).stderr


@pytest.mark.parametrize("status", few(1, [403, 404, 500]))
def test_a_staff_list_that_is_refused_is_said_once(
    ringback: Ringback, vendors: Vendors, status: int
) -> None:
    vendors.cinnox = raw_cinnox.newest_first(50, 1)
    vendors.cap = 20
    vendors.rules.append(always("/staffcontact-list", Answer(status, {"code": 0, "message": "no"})))
    ringback.add("care", "cinnox", vendors.url)
    done = ringback("sync", *PERIOD)
    assert len(done.stderr.splitlines()) == 1 and "staff list" in done.stderr
    assert len(ringback.calls("--limit", "2000")) == 50


def test_a_recording_that_cinnox_saves_later_lands_and_stays(
    ringback: Ringback, vendors: Vendors
) -> None:
    [stored] = raw_cinnox.newest_first(1, 1)
    young = {**stored.row, "isRecording": True, "hasAudioFile": False, "recordingEventList": []}
    event = raw_cinnox.event(vendors.files.url, 1)
    saved = {**young, "hasAudioFile": True, "recordingEventList": [event]}
    running = {**young, "status": "", "callEndTime": "", "byeReason": ""}
    ringback.add("care", "cinnox", vendors.url)
    for row, files, outcome in (
        (running, 0, "in_progress"),
        (young, 0, None),
        (saved, 1, None),
        (young, 1, None),
        (running, 1, None),
    ):
        vendors.cinnox = [raw.Stored(stored.at, row)]
        ringback("sync", *PERIOD)
        [call] = ringback.calls()
        assert (len(call["recordings"]), call["has_recording"]) == (files, True)
        assert (call["outcome"] == "in_progress") is (outcome == "in_progress")
    assert call["ended_at"]
