"""What comes after a call: recordings, further ones, summaries; and what asking for them costs."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.archive.database import unpack_details
from tests.outside import raw, raw_cinnox, raw_nectar
from tests.outside.server import Answer, Vendors, always, liner_records
from tests.outside.user import Ringback
from tests.slow_params import few

AGES = [timedelta(minutes=30), timedelta(hours=30)]
AGE_NAMES = ["30 minutes", "30 hours"]
SINCE = ("--since", "7d")


def ago(age: timedelta) -> datetime:
    return datetime.now(UTC) - age


def liner_row(number: int, at: datetime, **change: Any) -> raw.Stored:
    row = {
        "id": number,
        "orderId": 202,
        "userId": 101,
        "leadId": 789,
        "sipEndpointId": 456,
        "statusCode": "answered",
        "direction": "outgoing",
        "totalDurationSeconds": 120,
        "waitTimeDurationSeconds": 5,
        "talkTimeDurationSeconds": 115,
        "clientPhone": "+79001234567",
        "hasRecords": True,
        "createdAt": raw.iso(at),
        **change,
    }
    return raw.Stored(at, row, 202)


def cinnox_row(number: int, at: datetime, **change: Any) -> raw.Stored:
    row = {
        "id": f"r{number}",
        "callID": f"c{number}",
        "callSeq": 1,
        "callDirection": "Inbound",
        "callDate": raw.iso(at, True),
        "callEndTime": raw.iso(at + timedelta(minutes=2), True),
        "caller": "+85290001111",
        "callee": "+85230005678",
        "status": "Call Ended",
        "isRecording": False,
        **change,
    }
    return raw.Stored(at, row)


def recorded(vendors: Vendors, *numbers: int) -> dict[str, Any]:
    """What a record of CINNOX has of its recordings."""
    events = [raw_cinnox.event(vendors.files.url, number) for number in numbers]
    return {"isRecording": True, "hasAudioFile": True, "recordingEventList": events}


def nectar_body(vendors: Vendors, number: int, at: datetime, many: int) -> dict[str, Any]:
    body = raw_nectar.body(vendors.files.url, number, random.Random(number))
    body |= {"started_at": int(at.timestamp()), "is_ended": True, "duration": 95, "talk_time": 80}
    files = [{"id": n, "url": f"{vendors.files.url}/plivo/{n}.mp3"} for n in range(1, many + 1)]
    return {"calls": {**body, "id": number, "recordings": files}}


def recordings(ringback: Ringback, id_: str) -> list[str | None]:
    """The summaries of a call's recordings, in order, as the archive has them."""
    [call] = [call for call in ringback.calls() if call["id"] == id_]
    return [one["summary"] for one in call["recordings"]]


def records(vendors: Vendors, call: int, *summaries: str | None) -> None:
    """What Liner has of a call's recordings."""
    whole = liner_records(vendors.files.url, 2 * call + 1)
    rows = [
        {**whole[number], "id": 10 * call + number, "recordSummary": summary}
        for number, summary in enumerate(summaries)
    ]
    vendors.records[str(call)] = rows


@pytest.mark.parametrize("age", few(1, AGES), ids=AGE_NAMES)
@pytest.mark.parametrize("told", [False, None], ids=["told of none", "not told"])
def test_a_recording_that_comes_late_is_found(
    ringback: Ringback, vendors: Vendors, age: timedelta, told: bool | None
) -> None:
    """`hasRecords` false or absent, later true; a second recording; summaries in the end."""
    vendors.liner = [liner_row(1, ago(age), hasRecords=told)]
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync", "--recordings")
    assert recordings(ringback, "1") == []
    vendors.liner[0].row["hasRecords"] = True
    records(vendors, 1, None)
    ringback("sync", "--recordings")
    assert recordings(ringback, "1") == [None]
    records(vendors, 1, None, None)
    ringback("sync", *SINCE, "--recordings")
    assert recordings(ringback, "1") == [None, None]
    records(vendors, 1, "first", "second")
    ringback("sync", *SINCE, "--recordings")
    assert recordings(ringback, "1") == ["first", "second"]


def test_a_call_that_was_running_gets_its_end_and_its_recording(
    ringback: Ringback, vendors: Vendors
) -> None:
    running = {"totalDurationSeconds": None, "talkTimeDurationSeconds": None, "statusCode": None}
    vendors.liner = [liner_row(1, ago(timedelta(minutes=4)), hasRecords=False, **running)]
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync")
    vendors.liner = [liner_row(1, vendors.liner[0].at)]
    records(vendors, 1, "said")
    ringback("sync", "--recordings")
    [call] = ringback.calls()
    assert (call["outcome"], call["talk_s"]) == ("answered", 115)
    assert recordings(ringback, "1") == ["said"]


def test_only_what_may_still_come_is_asked_for_again(ringback: Ringback, vendors: Vendors) -> None:
    old = ago(timedelta(days=30))
    young = ago(timedelta(hours=30))
    vendors.liner = [liner_row(1, old), liner_row(2, young), liner_row(3, young, hasRecords=False)]
    for number in (1, 2):
        records(vendors, number, "said")
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync", "--recordings")

    def asked(*words: str) -> list[str]:
        vendors.seen.clear()
        ringback("sync", *words, "--recordings")
        return sorted(r.one("callId") or "" for r in vendors.seen if r.path == "/v2/call-record/")

    assert asked() == []  # all is there, and it was asked a moment ago
    assert asked(*SINCE) == ["2"]  # of this period a further one may have come
    assert asked("--since", "60d") == ["2"]  # what is said of an old call is final
    records(vendors, 2)
    vendors.liner[0].row["hasRecords"] = vendors.liner[2].row["hasRecords"] = True
    records(vendors, 3, "late")
    assert asked() == ["3"]
    assert recordings(ringback, "2") == ["said"]  # gone at the vendor, known here


@pytest.mark.parametrize("age", few(1, AGES), ids=AGE_NAMES)
def test_a_call_is_refreshed_at_every_vendor(
    ringback: Ringback, vendors: Vendors, age: timedelta
) -> None:
    """Also one older than a day, which no refresh of the screen looks at any more."""
    at = ago(age)
    vendors.liner = [liner_row(1, at, hasRecords=False)]
    vendors.cinnox = [cinnox_row(1, at)]
    vendors.nectar = {1: nectar_body(vendors, 1, at, 0)}
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback.add("care", "cinnox", vendors.url)
    ringback.add("desk", "nectar", vendors.url, "--ids", "1")
    ringback("sync")
    names = ("sales:1", "care:c1", "desk:1")
    assert ringback("refresh", *names).stdout.splitlines() == [f"{n}: nothing new" for n in names]
    vendors.liner[0].row["hasRecords"] = True
    records(vendors, 1, "said")
    vendors.cinnox[0].row.update(recorded(vendors, 1))
    vendors.nectar = {1: nectar_body(vendors, 1, at, 1)}
    lines = ringback("refresh", *names).stdout.splitlines()
    assert [line.partition(": ")[2].partition(",")[0] for line in lines] == ["recording found"] * 3
    assert lines[0] == "sales:1: recording found, summary found"
    records(vendors, 1, "said", "and more")
    vendors.cinnox[0].row.update(recorded(vendors, 1, 2))
    vendors.nectar = {1: nectar_body(vendors, 1, at, 2)}
    for line in ringback("refresh", "--json", *names).stdout.splitlines():
        told = json.loads(line)
        assert (told["recordings_found"], told["error"], told["new"]) == (1, None, False)
    for call in ringback.calls():
        assert len(call["recordings"]) == 2, call


def test_a_refresh_loses_nothing_and_says_what_failed(ringback: Ringback, vendors: Vendors) -> None:
    at = ago(timedelta(hours=30))
    vendors.liner = [liner_row(1, at), liner_row(2, at)]
    records(vendors, 1, "said")
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync", "--recordings")
    before = ringback.calls()
    vendors.liner, vendors.records = [liner_row(2, at, clientPhone="+79000000000")], {}
    done = ringback("refresh", "sales:1", "sales:2", code=3)
    assert done.stdout.startswith("sales:2: changed: ")
    assert "sales:1" in done.stderr and "stays here" in done.stderr
    assert [c for c in ringback.calls() if c["id"] == "1"] == [c for c in before if c["id"] == "1"]
    assert "sales:9" in ringback("refresh", "sales:9", code=1).stderr
    assert "nobody" in ringback("refresh", "nobody:1", code=2).stderr
    ringback.env["RINGBACK_TOKEN_SALES"] = "wrong"
    assert "refused" in ringback("refresh", "sales:1", code=4).stderr.lower()


def test_a_call_that_was_purged_is_not_called_new(ringback: Ringback, vendors: Vendors) -> None:
    at = ago(timedelta(hours=30))
    vendors.liner = [liner_row(1, at), liner_row(2, at, clientPhone="+79000000000")]
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync")
    ringback("purge", "--number", "+79000000000", "--yes")
    done = ringback("refresh", "sales:1", "sales:2", code=3)
    assert done.stdout == "sales:1: nothing new\n"
    assert done.stderr.startswith("sales:2: Purged: ")


def test_a_vendor_that_may_be_asked_at_once_again_leaves_no_empty_words(
    ringback: Ringback, vendors: Vendors
) -> None:
    ringback.add("desk", "nectar", vendors.url, "--ids", "1")
    vendors.rules.append(always("/calls/", Answer(429, {"message": "slow"}, {"Retry-After": "0"})))
    assert "()" not in ringback("refresh", "desk:1", code=1).stderr


def test_a_call_without_a_recording_is_asked_for_once_when_it_is_to_be_heard(
    ringback: Ringback, vendors: Vendors
) -> None:
    at = ago(timedelta(hours=30))
    vendors.liner = [liner_row(1, at, hasRecords=False)]
    vendors.nectar = {1: nectar_body(vendors, 1, at, 0)}
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback.add("desk", "nectar", vendors.url, "--ids", "1")
    ringback("sync")
    out = ("--output", str(ringback.home / "out"))
    for name in ("sales:1", "desk:1"):
        assert "no recording (asked just now)" in ringback("download", name, *out, code=1).stderr
    records(vendors, 1, "said")
    vendors.nectar = {1: nectar_body(vendors, 1, at, 1)}
    for name in ("sales:1", "desk:1"):
        assert ringback("download", name, *out).stdout


def test_a_download_brings_the_recordings_that_came_since(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = [liner_row(1, ago(timedelta(minutes=30)))]
    records(vendors, 1, "said")
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync", "--recordings")
    records(vendors, 1, "said", "and more")
    earlier(ringback, hours=0.1)
    out = ("--output", str(ringback.home / "out"))
    assert len(ringback("download", "sales:1", *out).stdout.splitlines()) == 2
    records(vendors, 1)
    earlier(ringback, hours=0.1)
    vendors.rules.append(always("/v2/", Answer(500, "broken")))
    assert len(ringback("download", "sales:1", *out).stdout.splitlines()) == 2


# -- what a refresh asks


@pytest.fixture
def busy(vendors: Vendors) -> Iterator[Vendors]:
    """A busy day, ending now: 4,000 calls at Liner, 1,500 at CINNOX, 60 at Nectar Desk."""
    day = timedelta(hours=20)
    vendors.liner = [liner_row(n + 1, ago(day * n / 4000), hasRecords=False) for n in range(4000)]
    vendors.cinnox = [cinnox_row(n + 1, ago(day * n / 1500)) for n in range(1500)]
    vendors.nectar = {
        n + 1: nectar_body(vendors, n + 1, ago(timedelta(hours=3) + day * n / 60), 1)
        for n in range(60)
    }
    yield vendors


@pytest.mark.slow
def test_a_refresh_with_nothing_new_asks_for_an_hour_and_each_hour_for_the_day(
    ringback: Ringback, busy: Vendors
) -> None:
    ringback.add("sales", "liner", busy.url, "--order", "202")
    ringback.add("care", "cinnox", busy.url)
    ringback.add("desk", "nectar", busy.url, "--ids", "1-60")
    ringback("sync")

    def asked() -> tuple[int, int, int]:
        busy.seen.clear()
        ringback("sync")
        starts = ("/v2/call/", "/v1/api/", "/calls/")
        return tuple(len([r for r in busy.seen if r.path.startswith(s)]) for s in starts)  # type: ignore[return-value]

    liner, cinnox, nectar = asked()
    # an hour has 200 calls at Liner and 75 at CINNOX; a page more may be asked for the end
    assert liner <= 3 and cinnox <= 2 and nectar == 0
    assert len(busy.seen) == liner + cinnox + nectar  # and no names
    earlier(ringback, hours=1)
    liner, cinnox, nectar = asked()
    assert 40 <= liner <= 42 and 3 <= cinnox <= 5
    assert nectar <= 20  # those that have come of an age at which they are asked for once more
    assert asked()[0] <= 3


def earlier(ringback: Ringback, hours: float) -> None:
    """As if all that was asked had been asked so many hours ago."""
    with closing(archive_of(ringback)) as archive, archive:
        for column in ("day_at", "week_at"):
            archive.execute(f"UPDATE coverage SET {column} = {column} - ?", (hours * 3600,))
        archive.execute("UPDATE call SET asked_at = asked_at - ?", (hours * 3600,))


def test_a_vendor_that_limits_requests_is_not_asked_before_it_said(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = [liner_row(1, ago(timedelta(hours=1)))]
    limit = always("/v2/", Answer(429, {"message": "slow"}, {"Retry-After": "7200"}))
    vendors.rules.append(limit)
    ringback.env["TZ"] = "Asia/Tokyo"
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync", code=1)
    until = datetime.now(UTC) + timedelta(hours=2 + 9)  # as clocks in Tokyo show it
    words = [f"until {until + timedelta(minutes=n):%Y-%m-%d %H:%M}" for n in (-1, 0)]
    words += [f"until {until + timedelta(minutes=n):%H:%M}" for n in (-1, 0)]

    def told(text: str) -> bool:
        return any(f"rate-limited {one}" in text or f"({one})" in text for one in words)

    seen = len(vendors.seen)
    vendors.rules.clear()
    assert told(ringback("sync", code=1).stderr)
    assert told(ringback("refresh", "sales:1", code=1).stderr)
    assert len(vendors.seen) == seen
    assert told(ringback("accounts", "list").stdout)
    assert told(ringback("doctor", code=None).stdout)
    entry = json.loads(ringback("accounts", "list", "--json").stdout)
    assert (entry["state"], entry["again_at"] is not None) == ("rate-limited", True)


def archive_of(ringback: Ringback) -> sqlite3.Connection:
    path = next(path for path in ringback.files() if path.suffix == ".db")
    return sqlite3.connect(path)


def test_calls_that_are_missing_make_an_account_incomplete_until_they_come(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = [liner_row(n, ago(timedelta(days=2, minutes=n))) for n in range(1, 31)]
    vendors.paging = lambda data: {**data, "total": 45}
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    for _ in range(2):  # it is asked for each time
        vendors.seen.clear()
        done = ringback("sync", code=3)
        assert "30 of 45 calls" in done.stderr
        assert any((r.one("createdAt[0]") or "").startswith("2000") for r in vendors.seen)
    assert "incomplete (30 of 45 calls)" in ringback("accounts", "list").stdout
    assert "incomplete (30 of 45 calls)" in ringback("doctor", code=None).stdout
    vendors.paging = dict
    ringback("sync")
    assert "incomplete" not in ringback("accounts", "list").stdout


def test_what_an_older_reading_kept_is_read_anew_by_a_sync(
    ringback: Ringback, vendors: Vendors
) -> None:
    vendors.liner = [liner_row(n, ago(timedelta(days=20, minutes=n))) for n in range(1, 131)]
    ringback.add("sales", "liner", vendors.url, "--order", "202")
    ringback("sync")
    before = ringback.calls()
    with closing(archive_of(ringback)) as archive, archive:
        archive.execute("UPDATE reading SET version = version - 1")
        unpack_details(archive)
        archive.execute("UPDATE detail SET body = json_set(body, '$.campaign', 'as it was read')")
    assert (
        "to be read anew by a sync or the screen: 130 calls" in ringback("doctor", code=None).stdout
    )
    assert ringback.calls() != before
    vendors.seen.clear()
    ringback("sync")
    assert not [r for r in vendors.seen if r.path.startswith("/v2/call/detail/")]
    assert ringback.calls() == before
    assert "read anew" not in ringback("doctor", code=None).stdout
