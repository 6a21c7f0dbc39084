"""Bodies of one call in any order, once or twice, in both forms: one and the same call."""

from __future__ import annotations

import json
from itertools import permutations
from random import Random
from typing import Any

import pytest

from providers.model import Call
from providers.nectar import Nectar
from tests.providers.contract import login
from tests.providers.nectar_bodies import AGENT, HOOK, REST
from tests.slow_params import few
from tui.archive import codec

Body = dict[str, Any]
LIVE: Body = {
    **REST,
    "is_ended": False,
    "type": "in_progress",
    "duration": 12,
    "talk_time": 0,
    "tags": [],
    "disposition": {},
    "recordings": [],
}
YOUNG: Body = {**REST, "recordings": [], "disposition": None, "tags": [], "talk_time": 0}
"""Over, and not all is known yet."""
HOOK_LIVE: Body = {
    **HOOK,
    "endedDate": None,
    "duration": 0,
    "talkTime": 0,
    "agents": [],
    "tags": [],
    "call_recordings": [],
}
HOOK_YOUNG: Body = {**HOOK, "call_recordings": [], "disposition": {}}


@pytest.fixture(scope="module")
def nectar() -> Nectar:
    """An account on loopback; nothing here speaks to it."""
    return Nectar(login("http://127.0.0.1:8080"))


def printed(call: Call) -> str:
    return codec.dumps(codec.printed(codec.encode(call), "desk", with_urls=True))


def came(nectar: Nectar, bodies: list[Body]) -> Call:
    """What the archive has after these bodies came one by one."""
    call = nectar.parse(bodies[0])
    for body in bodies[1:]:
        call = nectar.parse(nectar.merge_saved(call.raw, nectar.parse(body).raw))
    return call


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(
    "states",
    [
        [LIVE, REST],
        [LIVE, YOUNG, REST],
        [HOOK_LIVE, HOOK],
        [HOOK_LIVE, HOOK_YOUNG, HOOK],
        [LIVE, HOOK],
        [REST, HOOK_LIVE],
        [LIVE, HOOK_LIVE, YOUNG, HOOK],
        [{**LIVE, "is_in_queue": True}, HOOK],
    ],
    ids=lambda states: str(len(states)),
)
def test_states_in_any_order_give_the_call_as_it_ended(
    nectar: Nectar, states: list[Body], twice: bool
) -> None:
    calls = [came(nectar, [*order] * (1 + twice)) for order in permutations(states)]
    assert len({printed(call) for call in calls}) == 1
    assert len({json.dumps(call.raw) for call in calls}) == 1
    call = calls[0]
    assert (call.outcome, call.duration_s, call.talk_s) == ("answered", 95, 80)
    assert call.ended_at and call.has_recording and call.disposition.code
    assert call.tags == ("vip", "refund") and not call.vendor_fields.get("is_in_queue")


@pytest.mark.parametrize(("earlier", "later"), [(LIVE, REST), (HOOK_LIVE, HOOK)])
def test_what_a_later_state_tells_as_well_is_not_kept_twice(
    nectar: Nectar, earlier: Body, later: Body
) -> None:
    assert nectar.merge_saved(earlier, later) == later == nectar.merge_saved(later, earlier)
    assert nectar.merge(earlier, later) == later == nectar.merge(later, earlier)


def test_what_only_an_earlier_state_tells_is_kept(nectar: Nectar) -> None:
    later = {**REST, "ivr": None, "duration": 0, "talk_time": 0}
    for order in permutations([LIVE, later, HOOK_LIVE]):
        call = came(nectar, [*order])
        assert (call.ivr, call.outcome, call.duration_s) == ("Main menu", "answered", 12)


def varied(dice: Random) -> list[Body]:
    """States of one call, with fields that lack, are empty or contradict each other."""
    bodies: list[Body] = []
    for _ in range(dice.randint(2, 5)):
        body = dict(dice.choice([REST, LIVE, YOUNG, HOOK, HOOK_LIVE, HOOK_YOUNG]))
        for key in dice.sample(sorted(body.keys() - {"id"}), dice.randint(0, 6)):
            nothing: Any = dice.choice([None, "", [], {}, 0, "gone"])
            if nothing == "gone":
                del body[key]
            else:
                body[key] = nothing
        choices: Body = {
            "duration": dice.choice([0, 12, 95, "95", None]),
            "disposition": dice.choice([{}, {"code": "A"}, {"code": "B", "note": "n"}]),
            "tags": dice.choice([[], ["vip"], ["a", "b"]]),
            "all_agents": dice.choice([[AGENT], [], [AGENT, {**AGENT, "id": 2}]]),
        }
        body |= {key: choices[key] for key in dice.sample(sorted(choices), 2)}
        if "startedDate" in body:
            body.pop("all_agents", None)
        bodies.append(body)
    return bodies


@pytest.mark.parametrize("seed", few(1, range(4)))
def test_any_bodies_in_any_order_and_grouping_give_one_call(nectar: Nectar, seed: int) -> None:
    dice = Random(seed)
    for _ in range(12):
        bodies = varied(dice)
        wanted = came(nectar, bodies)
        for _ in range(6):
            heap: list[Any] = [*bodies, *dice.choices(bodies, k=2)]
            dice.shuffle(heap)
            while len(heap) > 1:  # join any two, whatever they were joined from
                one = heap.pop(dice.randrange(len(heap)))
                other = heap.pop(dice.randrange(len(heap)))
                heap.append(nectar.merge_saved(one, other))
            got = nectar.parse(json.loads(json.dumps(heap[0])))
            assert printed(got) == printed(wanted)
            assert json.dumps(got.raw) == json.dumps(wanted.raw)
            assert nectar.merge_saved(got.raw, got.raw) == got.raw


@pytest.mark.parametrize("seed", range(4))
def test_state_goes_only_forward(nectar: Nectar, seed: int) -> None:
    """For bodies that came in any order, and for those that were fetched one after the other."""
    dice = Random(seed)
    for _ in range(12):
        bodies = varied(dice)
        calls = [nectar.parse(body) for body in bodies]
        fetched = bodies[0]
        for body in bodies[1:]:
            fetched = nectar.merge(fetched, body)
        for call in (came(nectar, bodies), nectar.parse(fetched)):
            if any(one.ended_at for one in calls):
                assert call.ended_at and call.outcome != "in_progress"
            assert bool(call.duration_s) == any(one.duration_s for one in calls)
            assert bool(call.talk_s) == any(one.talk_s for one in calls)
            assert bool(call.recordings) == any(one.recordings for one in calls)


def test_a_fresh_answer_corrects_what_agents_change_later(nectar: Nectar) -> None:
    change = {"disposition": {"id": 4, "code": "A", "note": "a"}, "tags": ["a"]}
    for known in (REST, [REST, HOOK], nectar.merge(LIVE, REST), nectar.merge(REST, LIVE)):
        call = nectar.parse(nectar.merge(known, {**REST, **change}))
        assert (call.disposition.code, call.disposition.note, call.tags) == ("A", "a", ("a",))
        again = nectar.parse(nectar.merge(call.raw, REST))
        assert (again.disposition.code, again.tags) == ("Successful Deal", ("vip", "refund"))


def test_a_late_answer_of_the_call_going_on_takes_nothing_back(nectar: Nectar) -> None:
    late = {**LIVE, "disposition": {"code": "draft"}, "tags": ["draft"], "ivr": {"name": "other"}}
    call = nectar.parse(nectar.merge(REST, late))
    assert (call.outcome, call.duration_s, call.talk_s) == ("answered", 95, 80)
    assert (call.disposition.code, call.tags, call.ivr) == (
        "Successful Deal",
        ("vip", "refund"),
        "Main menu",
    )


@pytest.mark.parametrize("raw", [None, [], 7, [7, {}], {}, [{"id": 1}, "x"]])
def test_odd_raws_are_joined_without_a_failure(nectar: Nectar, raw: Any) -> None:
    for joined in (nectar.merge, nectar.merge_saved):
        assert nectar.parse(joined(raw, REST)).id in ("1234", "1")
        assert nectar.parse(joined(REST, raw)).outcome == "answered"


def test_both_forms_of_a_call_without_recordings_are_joined() -> None:
    rest = {name: value for name, value in REST.items() if name != "recordings"}
    hook = {name: value for name, value in HOOK.items() if name != "call_recordings"}
    vendor = Nectar(login("http://127.0.0.1:8080"))
    call = vendor.parse([rest, hook])
    assert (call.recordings, call.has_recording) == ((), None)
    assert "has_recording" not in call.derived
    said = vendor.parse([{**rest, "recordings": []}, hook])
    assert said.has_recording is False and "has_recording" in said.derived
    assert vendor.parse([{**rest, "recordings": []}, HOOK]).has_recording is True


def test_of_two_states_alike_in_time_the_fuller_one_goes_before() -> None:
    """Each entry of a list counts as much as a field."""
    plain = {name: value for name, value in REST.items() if isinstance(value, int | str)}
    fuller = {**plain, "campaign": "X", "tags": ["a", "b", "c"]}
    other = {**plain, "campaign": "Y", "one": "p", "two": "q"}
    vendor = Nectar(login("http://127.0.0.1:8080"))
    for order in ([fuller, other], [other, fuller]):
        assert vendor.parse(vendor.merge_saved(*order)).campaign == "X"
