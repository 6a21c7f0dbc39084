"""The synthetic week: plausible, harmless, the same every time."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import pytest

from providers.sandbox import ORIGINS, Sandbox
from providers.sandbox.texts import HOSTILE
from providers.sandbox.world import FICTIONAL_NUMBERS, HEARD_S, Call, World
from tests.sandbox.conftest import NOW

VENDORS = ("liner", "cinnox", "nectar")


def served(sandbox: Sandbox) -> str:
    """Everything that a sandbox serves, as one text without the ports."""
    data = sandbox.data
    liner = data.liner
    everything: list[Any] = [
        data.liner_calls,
        list(liner.records.values()),
        list(liner.leads.values()),
    ]
    everything += [data.cinnox_records, data.nectar_calls]
    everything += [data.nectar_webhooks(row["id"]) for row in data.nectar_calls]
    text = json.dumps(everything)
    for origin in ORIGINS:
        text = text.replace(sandbox.base_url(origin).partition("://")[2], origin)
    return text


def test_the_same_seed_and_time_make_the_same_bytes() -> None:
    with Sandbox(now=NOW, calls=200) as one, Sandbox(now=NOW, calls=200) as two:
        assert served(one) == served(two)
        assert list(one.data.sounds.values()) == list(two.data.sounds.values())


@pytest.mark.parametrize("change", [{"seed": 8}, {"now": NOW - timedelta(days=1)}, {"calls": 190}])
def test_another_seed_or_time_makes_another_week(change: dict[str, Any]) -> None:
    with (
        Sandbox(now=NOW, calls=200) as one,
        Sandbox(**{"now": NOW, "calls": 200, **change}) as two,
    ):
        assert served(one) != served(two)


def test_what_is_asked_first_does_not_change_what_is_served() -> None:
    with Sandbox(now=NOW, calls=200) as one, Sandbox(now=NOW, calls=200) as two:
        assert two.data.nectar_calls and two.data.cinnox_records
        assert served(one) == served(two)


@pytest.fixture(scope="module")
def calls() -> dict[str, list[Call]]:
    world = World(7, NOW, 7, 3000)
    return {vendor: world.calls(vendor) for vendor in VENDORS}


def test_the_calls_are_shared_out_and_lie_within_the_period(calls: dict[str, list[Call]]) -> None:
    assert {vendor: len(found) for vendor, found in calls.items()} == {
        "liner": 1200,
        "cinnox": 1200,
        "nectar": 600,
    }
    for found in calls.values():
        assert found == sorted(found, key=lambda call: call.started)
        assert found[0].started >= NOW - timedelta(days=7, hours=1)
        assert all(call.ended <= NOW for call in found)


@pytest.mark.parametrize("count", [0, 1, 7, 61])
def test_any_number_of_calls_is_shared_out_without_loss(count: int) -> None:
    world = World(7, NOW, 2, count)
    assert sum(len(world.calls(vendor)) for vendor in VENDORS) == count


def test_people_call_in_office_hours_of_the_zone_of_now() -> None:
    zone = timezone(timedelta(hours=8))
    world = World(7, NOW.astimezone(zone), 7, 1500)
    hours = Counter(call.started.astimezone(zone).hour for call in world.calls("liner"))
    assert sum(hours[hour] for hour in range(8, 18)) > 0.8 * sum(hours.values())


def test_outcomes_are_mixed_as_at_a_desk(calls: dict[str, list[Call]]) -> None:
    everything = [call for found in calls.values() for call in found]
    share = {
        outcome: count / len(everything)
        for outcome, count in Counter(call.outcome for call in everything).items()
    }
    assert 0.55 < share["answered"] < 0.8
    assert all(share[outcome] > 0.01 for outcome in ("missed", "abandoned", "voicemail", "busy"))
    repeat = [call for call in everything if call.previous is not None]
    assert len(repeat) > len(everything) / 2


def test_a_leg_lies_within_its_call_and_the_legs_are_the_talk(calls: dict[str, list[Call]]) -> None:
    for call in calls["cinnox"]:
        if call.outcome == "answered":
            assert sum(leg.talk_s for leg in call.legs) == call.talk_s
            last = call.legs[-1]
            assert last.start_s + last.talk_s == call.wait_s + call.talk_s


def test_all_numbers_are_from_ranges_kept_for_fiction() -> None:
    free = tuple(f"+{code}{prefix}" for _, code, prefix, _ in FICTIONAL_NUMBERS)
    people = World(7, NOW, 7, 3000).customers
    assert all(person.phone.startswith(free) for person in people)
    assert len({person.phone for person in people}) == len(people)


def test_the_same_customers_call_at_all_vendors(world: Sandbox) -> None:
    liner = {row["clientPhone"].lstrip("+") for row in world.data.liner_calls}
    cinnox = {
        str(row["caller" if row["callDirection"] == "Inbound" else "callee"])
        for row in world.data.cinnox_records
    }
    nectar = {row["contact"]["number"] for row in world.data.nectar_calls if row.get("contact")}
    assert len(liner & cinnox & nectar) > 100


def test_hostile_texts_stand_in_a_handful_of_rows_of_every_vendor(world: Sandbox) -> None:
    names = {
        "liner": [row["name"] for row in world.data.liner.leads.values()],
        "cinnox": [
            row["callerFirstName" if row["callDirection"] == "Inbound" else "calleeFirstName"]
            for row in world.data.cinnox_records
        ],
        "nectar": [
            row["contact"]["full_name"] for row in world.data.nectar_calls if row.get("contact")
        ],
    }
    for vendor, found in names.items():
        there = Counter(name for name in found if name in HOSTILE)
        assert len(there) >= len(HOSTILE) - 3, vendor
        assert sum(there.values()) <= 2 * len(HOSTILE)


def test_a_time_without_a_zone_is_utc_and_nonsense_is_refused() -> None:
    assert Sandbox(now=datetime(2026, 3, 4, 15, 20)).now == NOW
    assert Sandbox().now.tzinfo is not None
    wrong: tuple[dict[str, Any], ...]
    wrong = ({"days": 0}, {"calls": -1}, {"port": 65_533}, {"port": -1})
    for nonsense in wrong:
        with pytest.raises(ValueError):
            Sandbox(now=NOW, **nonsense)
    with pytest.raises(ValueError):
        World(7, datetime(2026, 3, 4), 7, 10)
    assert NOW.tzinfo is UTC


@pytest.mark.parametrize("seed", range(7, 19))
def test_a_world_can_begin_with_a_call_that_is_heard(seed: int) -> None:
    world = World(seed, NOW, 7, 600, recorded_newest=True)
    newest = max((call for vendor in VENDORS for call in world.calls(vendor)), key=_started)
    assert newest.recorded and newest.outcome == "answered" and newest.ended < NOW
    others = [call for vendor in VENDORS for call in world.calls(vendor) if call != newest]
    assert all(call.started <= NOW - timedelta(seconds=HEARD_S) for call in others)
    with Sandbox(seed=seed, now=NOW, calls=600, recorded_newest=True) as sandbox:
        row = sandbox.data.cinnox_records[0]
        [event] = row["recordingEventList"]
        url = urlsplit(event["files"][0]["downloadUrl"])
        assert sandbox.data.sounds[url.path].trait == ""


def _started(call: Call) -> datetime:
    return call.started


def test_its_newest_recordings_are_made_before_they_are_asked_for() -> None:
    with Sandbox(now=NOW, calls=120, recorded_newest=True) as sandbox:
        newest = [[*sandbox.data.vendor(name).sounds.values()][-1] for name in VENDORS]
        deadline = time.monotonic() + 60
        while not all(map(sandbox.data.files.has, newest)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
