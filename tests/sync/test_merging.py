"""A call's bodies in every order, once or twice, through the archive: nothing known is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest

from providers import registry
from providers.base import Login, Provider, Secret
from providers.model import Agent, Call, Contact, Hangup, Recording
from tests.archive.calls import call
from tui.archive.merging import keep, read_again, reconcile, with_recordings_of
from tui.archive.sqlite import Archive

LINER = {"id": 7, "direction": "incoming", "leadId": 5, "createdAt": "2026-11-02T09:00:00Z"}
LINER_ENDED = {"totalDurationSeconds": 300, "talkTimeDurationSeconds": 290, "statusCode": "sold"}
RECORD = {"id": 70, "fileUrl": "https://x.example/1.mp3", "durationSeconds": 100}
RECORD_2 = {"id": 71, "fileUrl": "https://x.example/2.mp3", "isTransfer": True}
LEG = {"id": "a", "callID": "7", "callSeq": 1, "callDate": "2026-11-02T09:00:00.000Z"}
LEG |= {"callDirection": "Inbound", "caller": "+12025550100", "callee": "+12025550101"}
ENDED = {"status": "Call Ended", "callEndTime": "2026-11-02T09:05:00.000Z"}
FILE = {"id": "70", "downloadUrl": "https://x.example/1.mp4", "duration": 100_000, "type": 3}
FILE_2 = {**FILE, "id": "71", "downloadUrl": "https://x.example/2.mp4"}
REST = {"id": 7, "is_inbound": True, "started_at": 1793610000, "type": "answered"}
REST_ENDED = {"is_ended": True, "duration": 300, "talk_time": 290, "is_answered": True}


def event(*files: dict[str, Any]) -> dict[str, Any]:
    return {"isRecording": True, "hasAudioFile": True, "recordingEventList": [{"files": [*files]}]}


BODIES: dict[str, list[Any]] = {
    "liner": [
        {**LINER, "hasRecords": False},
        {**LINER, **LINER_ENDED, "hasRecords": False},
        {**LINER, **LINER_ENDED, "hasRecords": True, "records": [RECORD]},
        {**LINER, **LINER_ENDED, "records": [{**RECORD, "recordSummary": "said"}, RECORD_2]},
        {"id": 7, "hasRecords": True},
    ],
    "cinnox": [
        [LEG],
        [{**LEG, **ENDED}],
        [{**LEG, **ENDED, **event(FILE)}],
        [{**LEG, **ENDED, **event(FILE, FILE_2)}],
        [{**LEG, "id": "b", "callSeq": 2, "status": "Call Ended"}],
    ],
    "nectar": [
        {**REST, "is_ended": False, "duration": 0, "talk_time": 0},
        {**REST, **REST_ENDED},
        {**REST, **REST_ENDED, "recordings": [{"id": 70, "url": "https://x.example/1.mp3"}]},
        {
            **REST,
            **REST_ENDED,
            "recordings": [
                {"id": 70, "url": "https://x.example/1.mp3"},
                {"id": 71, "url": "https://x.example/2.mp3"},
            ],
        },
        {"id": 7, "tags": ["vip"]},
    ],
}
ORDERS = [*permutations(range(5))]


def vendor(name: str) -> Provider:
    return registry.load(name)(Login("https://v.example", Secret("")))


def orders(seed: str) -> Iterator[tuple[int, ...]]:
    """Some orders of five bodies, in some of which one or two come twice."""
    chance = Random(seed)
    for order in chance.sample(ORDERS, 40):
        yield order
        yield (*order, *chance.choices(order, k=2))


@pytest.mark.parametrize("name", sorted(BODIES))
def test_nothing_known_is_lost_whatever_the_order(tmp_path: Path, name: str) -> None:
    provider, bodies = vendor(name), BODIES[name]
    forms: set[str] = set()
    with Archive(tmp_path / "archive.db") as archive:
        for number, order in enumerate(orders(name)):
            account = f"a{number}"
            for place in order:
                with archive.transaction():
                    keep(archive, account, provider, [provider.parse(bodies[place])])
            found = archive.call_by_id(account, "7")
            assert found, order
            ids = {one.id for one in found.recordings}
            assert (ids, found.has_recording, found.recordings_known) == ({"70", "71"}, True, True)
            assert len(found.recordings) == 2
            assert found.outcome == "answered", order
            assert (found.duration_s, found.ended_at is not None) == (300, True), order
            assert found.talk_s == (None if name == "cinnox" else 290), order
            assert name != "liner" or found.summary == "said", order
            recordings = tuple(sorted(found.recordings, key=lambda one: one.id or ""))
            forms.add(repr(replace(found, raw=None, recordings=recordings)))
    assert len(forms) == 1  # one and the same call, but for the order of its recordings


def test_two_bodies_give_the_same_whichever_comes_first() -> None:
    """What one form of a call says and the other does not, whatever the vendor's merge keeps."""

    class Forgetful:
        def parse(self, raw: Any) -> Call:
            return forms[raw]

        def merge(self, older: Any, newer: Any) -> Any:
            return newer

    chance = Random(3)
    provider: Provider = Forgetful()  # type: ignore[assignment]
    pieces: list[dict[str, Any]] = [
        {"outcome": "answered", "status": "ended"},
        {"outcome": "in_progress"},
        {"talk_s": 290.0},
        {"talk_s": 0.0, "duration_s": 0.0, "derived": ()},
        {"duration_s": 300.0, "derived": ("duration_s",)},
        {"contact": Contact(name="Ann")},
        {"hangup": Hangup(by="agent", by_name="Zoë")},
        {"agents": (Agent("7", "Zoë"),)},
        {"vendor_fields": {"callType": "onnet"}},
        {"summary": "said"},
        {"recordings": (Recording("r", url="u"),), "has_recording": True},
        {"recordings": (Recording("s", url="v"),), "has_recording": True},
    ]
    plain = Call("7", "x")
    for _ in range(300):
        forms = {
            raw: replace(
                plain, raw=raw, **dict(pair for p in chance.sample(pieces, 4) for pair in p.items())
            )
            for raw in ("a", "b")
        }
        there = reconcile(provider, forms["a"], forms["b"])
        back = reconcile(provider, forms["b"], forms["a"])
        for one in (there, back):
            ranks = {form.outcome for form in forms.values()}
            assert one.outcome == "answered" or "answered" not in ranks
            assert {r.id for r in one.recordings} == {
                r.id for form in forms.values() for r in form.recordings
            }
            for name in ("talk_s", "duration_s"):
                assert bool(getattr(one, name)) == any(getattr(f, name) for f in forms.values())
        for name in ("outcome", "talk_s", "duration_s", "contact", "hangup", "agents", "summary"):
            assert getattr(there, name) == getattr(back, name), (name, forms)
        assert set(there.derived) == set(back.derived)


def test_what_was_known_of_another_contact_is_not_said_of_the_present_one() -> None:
    provider = vendor("liner")
    first = replace(call(1), raw=None, contact=Contact(id="1", name="Ann", email="a@x.example"))
    second = replace(call(1), raw=None, contact=Contact(id="2", number="+12025550100"))
    assert reconcile(provider, first, second).contact == second.contact
    same = replace(call(1), raw=None, contact=Contact(id="1", number="+12025550100"))
    whole = Contact("1", "Ann", "+12025550100", "a@x.example")
    assert reconcile(provider, first, same).contact == whole


def test_addresses_are_the_newer_ones_and_what_they_lack_the_older() -> None:
    older = call(1, recordings=(Recording("r", url="old", duration_s=9.0), Recording("s", url="s")))
    newer = call(1, recordings=(Recording("r", url="new"),))
    kept = with_recordings_of(newer, older)
    assert kept.recordings == (Recording("r", url="new", duration_s=9.0), Recording("s", url="s"))


def test_recordings_without_ids_are_told_apart_by_their_number() -> None:
    two = call(1, recordings=(Recording(url="a"), Recording(url="b")))
    one = call(1, recordings=(Recording(url="renewed"),))
    assert [r.url for r in with_recordings_of(one, two).recordings] == ["renewed", "b"]
    named = call(1, recordings=(Recording("7", url="c"),))
    assert with_recordings_of(named, two).recordings == named.recordings


def test_a_list_that_has_turned_true_is_not_known_any_more() -> None:
    none = call(1, has_recording=False)
    some = call(1, has_recording=True, recordings_known=False)
    assert not with_recordings_of(some, none).recordings_known
    assert with_recordings_of(replace(some, has_recording=None), none).recordings_known


def test_a_newer_reading_wins_but_for_recordings_that_the_raw_does_not_hold() -> None:
    provider = vendor("liner")
    raw = {**LINER, **LINER_ENDED, "hasRecords": True}
    kept = replace(
        provider.parse(raw), campaign="as it was read then", recordings=(Recording("70"),)
    )
    kept = replace(kept, recordings_known=True, summary="said")
    again = read_again(provider, kept)
    assert again.campaign is None
    assert (again.recordings, again.recordings_known, again.summary) == (
        (Recording("70"),),
        True,
        "said",
    )
    assert read_again(provider, replace(kept, raw=None)).campaign == "as it was read then"


def test_recordings_with_new_ids_each_time_do_not_grow_for_ever() -> None:
    kept = call(7)
    for day in range(10):
        recordings = tuple(Recording(f"{day}-{n}", f"https://x.example/{n}") for n in range(60))
        kept = with_recordings_of(replace(call(7), recordings=recordings), kept)
    assert len(kept.recordings) == 200
    assert kept.recordings[0].id == "9-0" and kept.problems == ("recordings: 60 left out",)
