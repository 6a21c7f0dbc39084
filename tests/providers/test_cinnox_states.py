"""Bodies of one call, early and late, in any order, once or twice, say the same call."""

from __future__ import annotations

import json
import random
from itertools import permutations
from typing import Any

import pytest

from providers.cinnox import Cinnox
from providers.fields import is_empty
from providers.model import Call
from tests.providers.cinnox_bodies import EVENT, FILE, RECORD
from tests.providers.contract import login
from tests.slow_params import few

NOTHING: tuple[Any, ...] = (..., None, "", [], {})
NO_TIME = (*NOTHING, "0001-01-01T00:00:00Z", 0)
RUNNING = ("", None, "Ringing", "Talking", "In Progress", "CallStart", "On hold")
ENDING = ("lastResponseCode", "byeReason", "releaseParty")
SECOND_FILE = {**FILE, "id": "file-9002", "downloadUrl": "https://files.example.com/v1/file-9002"}
FINAL: dict[str, Any] = {
    **RECORD,
    "recordingEventList": [
        {**EVENT, "files": [FILE, SECOND_FILE]},
        {**EVENT, "startAt": "2023-07-04T02:17:00.000Z", "files": [{**FILE, "id": "file-9003"}]},
    ],
}
cinnox = Cinnox(login("https://x.example"))


def emptied(record: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    changed = {key: item for key, item in record.items() if key != name}
    return changed if value is ... else {**changed, name: value}


def early(chance: random.Random) -> dict[str, Any]:
    """While the call runs: no end or none yet, perhaps another handler, names that come later."""
    record = {**FINAL, "status": chance.choice(RUNNING), "lastHandledParty": "staff-0043"}
    record = emptied(record, "callEndTime", chance.choice([*NO_TIME, RECORD["callDate"]]))
    for name in ENDING:
        record = emptied(record, name, chance.choice(NOTHING))
    record |= {"isRecording": chance.choice([True, False, None, ""]), "hasAudioFile": False}
    return _sparse(emptied(record, "recordingEventList", chance.choice(NOTHING)), chance)


def ended(chance: random.Random) -> dict[str, Any]:
    """After the end: files, their lengths and the ends of events come one after the other."""
    events = []
    for event in chance.sample(FINAL["recordingEventList"], chance.randint(0, 2)):
        files = chance.sample(event["files"], chance.randint(0, len(event["files"])))
        for name in ("duration", "size"):
            files = [emptied(file, name, chance.choice([0, "0", *NOTHING])) for file in files]
        events.append(emptied({**event, "files": files}, "endAt", chance.choice(NO_TIME)))
    saved = any(event["files"] for event in events)
    record = {**FINAL, "hasAudioFile": saved or chance.choice([False, None])}
    record["isRecording"] = chance.choice([True, False])
    return _sparse({**record, "recordingEventList": events}, chance)


def _sparse(record: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    names = [n for n in FINAL if n not in ("id", "callID", "callSeq", "status", "callDate")]
    for name in chance.sample(names, 5):
        record = emptied(record, name, chance.choice(NOTHING))
    return record


def merged(bodies: list[dict[str, Any]], chance: random.Random) -> list[Any]:
    """All bodies as one, joined in any grouping."""
    raws: list[Any] = [[body] for body in bodies]
    while len(raws) > 1:
        place = chance.randrange(len(raws) - 1)
        raws[place : place + 2] = [cinnox.merge(raws[place], raws[place + 1])]
    return list(raws[0])


@pytest.mark.parametrize("seed", few(10, range(60)))
def test_bodies_in_any_order_once_or_twice(seed: int) -> None:
    chance = random.Random(seed)
    bodies = [early(chance), early(chance), ended(chance), ended(chance), FINAL]
    bodies += chance.sample(bodies, 2)
    bodies = json.loads(json.dumps(bodies))
    want = cinnox.parse([FINAL])
    for _ in range(25):
        chance.shuffle(bodies)
        found = merged(bodies, chance)
        assert known(found) == known([FINAL])
        assert cinnox.parse(found) == want
        assert cinnox.merge(found, found) == found


@pytest.mark.parametrize("seed", few(5, range(20)))
def test_legs_in_any_order(seed: int) -> None:
    chance = random.Random(seed)
    legs = [{**FINAL, "id": f"r{n}", "callSeq": n} for n in (1, 2, 3)]
    bodies = [{**early(chance), **_names(leg)} for leg in legs]
    bodies += [{**ended(chance), **_names(leg)} for leg in legs] + legs
    for _ in range(25):
        chance.shuffle(bodies)
        assert known(merged(bodies, chance)) == known(legs)


def known(legs: list[Any]) -> list[Any]:
    """What of records says something: "none" has many forms."""
    return [{name: value for name, value in leg.items() if not is_empty(value)} for leg in legs]


def _names(leg: dict[str, Any]) -> dict[str, Any]:
    return {name: leg[name] for name in ("id", "callID", "callSeq")}


def call_of(*bodies: dict[str, Any]) -> Call:
    raw: Any = [bodies[0]]
    for body in bodies[1:]:
        raw = cinnox.merge(raw, [body])
    return cinnox.parse(raw)


def test_a_call_that_has_ended_runs_no_more() -> None:
    early = {**RECORD, "status": "Ringing", "callEndTime": "", "byeReason": "", "releaseParty": ""}
    running = call_of(early)
    assert (running.outcome, running.ended_at, running.duration_s) == ("in_progress", None, None)
    for bodies in permutations([early, RECORD, early]):
        call = call_of(*bodies)
        assert (call.outcome, call.status, call.duration_s) == ("answered", "Call Ended", 274.76)


def test_a_recording_that_comes_later_stays() -> None:
    young = {**RECORD, "hasAudioFile": False, "recordingEventList": []}
    pending = call_of(young)
    assert pending.has_recording is True and pending.recordings == ()
    for bodies in permutations([young, RECORD, young]):
        assert [file.id for file in call_of(*bodies).recordings] == ["file-9001"]


def test_the_newer_wins_where_both_speak() -> None:
    """An address that was renewed, a name that was mended."""
    file = {**FILE, "downloadUrl": "https://files.example.com/new"}
    newer = {
        **RECORD,
        "toDisplayName": "Mei C.",
        "recordingEventList": [{**EVENT, "files": [file]}],
    }
    call = call_of(RECORD, newer)
    assert (call.agents[0].name, call.recordings[0].url) == ("Mei C.", file["downloadUrl"])


def test_the_same_again_is_the_same_text() -> None:
    """So that a refresh with nothing new changes nothing in the archive."""
    older = cinnox.merge([RECORD], [{**RECORD, "recordingEventList": [], "toDisplayName": ""}])
    again = cinnox.merge(older, [{**RECORD, "recordingEventList": [], "toDisplayName": ""}])
    assert json.dumps(again) == json.dumps(older) == json.dumps([RECORD])


@pytest.mark.parametrize("id_", ["", None])
def test_records_without_an_id_are_known_by_their_place(id_: Any) -> None:
    early = {**RECORD, "id": id_, "status": "", "callEndTime": None}
    assert len(cinnox.merge([early], [{**RECORD, "id": id_}])) == 1
    assert len(cinnox.merge([early], [{**RECORD, "id": id_, "callSeq": 2}])) == 2
