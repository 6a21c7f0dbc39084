"""What `TriageStore`, `ListeningStore` and `RetentionStore` of `tui.archive.interface` promise."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.archive.calls import START, call
from tests.contract.archive_base import ArchiveBase
from tests.contract.archive_reading import query
from tui.archive.interface import CallArchive
from tui.archive.records import Due, Heard, Saved
from tui.archive.triage_events import (
    RELEASE,
    UNTOUCHED,
    CallName,
    Change,
    Undone,
    comment,
    hold,
    note,
    project,
    standing,
    state,
    tag,
    untag,
)

NAMES: tuple[CallName, ...] = tuple(
    (account, str(n)) for account in ("desk", "eu") for n in (1, 2, 3)
)
CHANGES = (state("done"), state("open"), note("said"), tag("vip"), untag("VIP"), comment("here", 3))


class TriageContract(ArchiveBase):
    def with_calls(self, archive: CallArchive) -> None:
        for account in ("desk", "eu"):
            self.keep(archive, call(1), call(2), call(3), account=account)

    def found(self, archive: CallArchive, line: str) -> set[CallName]:
        return {*archive.names_of(archive.keys(query(line)))}

    def test_a_decision_is_what_its_events_come_to(self, archive: CallArchive) -> None:
        self.with_calls(archive)
        store = archive.triage
        assert store.of("desk", "1") == UNTOUCHED and store.events("desk", "1") == []
        first = store.append(
            NAMES[:2], [state("done"), note("called"), tag("Refund")], "ann", 100.0
        )
        second = store.append(NAMES[:1], [tag("vip"), untag("refund")], "ben", 200.0)
        events = store.events("desk", "1")
        assert [one.kind for one in events] == ["state", "note", "tag", "tag", "untag"]
        assert [one.batch for one in events] == [first] * 3 + [second] * 2 and first != second
        assert [one.seq for one in events] == sorted({one.seq for one in events})
        assert store.of("desk", "1") == project(events)
        assert store.of("desk", "1")[:5] == ("done", "called", ("vip",), "ben", 200.0)
        assert store.of("desk", "2").tags == ("Refund",)
        assert store.decided("desk") == 2 and store.decided("eu") == 0
        assert store.known_tags() == ["vip", "Refund"] and store.known_tags(1) == ["vip"]

    def test_a_step_is_taken_back_by_whoever_took_it(self, archive: CallArchive) -> None:
        self.with_calls(archive)
        store = archive.triage
        store.append(NAMES[:2], [state("open")], "ann")
        store.append(NAMES[:1], [note("another's")], "ben")
        store.append(NAMES[:3], [state("done"), tag("spam")], "ann")
        assert store.undo("ann") == Undone(NAMES[:3], (state("done"), tag("spam")))
        assert [store.of(*name).state for name in NAMES[:3]] == ["open", "open", "new"]
        assert store.of("desk", "1").note == "another's" and store.known_tags() == ["spam"]
        assert store.undo("ann") == Undone(NAMES[:2], (state("open"),))
        assert store.undo("ann") is None and store.undo("carl") is None
        assert store.undo_of(NAMES[:1], "ann") == Undone(NAMES[:1], (note("another's"),))
        assert store.undo_of(NAMES[:1], "ann") is None and store.undo("ben") is None
        assert all(store.of(*name) == UNTOUCHED for name in NAMES[:3])

    @pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
    def test_whatever_is_decided_and_taken_back_is_found_so(
        self, archive: CallArchive, seed: int
    ) -> None:
        """Random steps of two people, beside what the log comes to."""
        self.with_calls(archive)
        random, store = Random(seed), archive.triage
        steps: list[tuple[str, tuple[CallName, ...], tuple[Change, ...]]] = []
        for _ in range(40):
            person = random.choice(("ann", "ben"))
            if random.random() < 0.3:
                mine = [at for at, step in enumerate(steps) if step[0] == person]
                undone = store.undo(person)
                assert undone == (Undone(*steps.pop(mine[-1])[1:]) if mine else None)
            else:
                names = tuple(random.sample(NAMES, random.randint(1, 3)))
                changes = tuple(random.sample(CHANGES, random.randint(1, 2)))
                store.append(names, changes, person)
                steps.append((person, names, changes))
            name = random.choice(NAMES)
            left = standing(store.events(*name))
            assert [(one.by, one.kind, one.body) for one in left] == [
                (by, *change) for by, names, changes in steps if name in names for change in changes
            ]
        now = {name: store.of(*name) for name in NAMES}
        assert now == {name: project(store.events(*name)) for name in NAMES}
        assert len({*now.values()}) > 1
        for word in ("done", "open", "new"):
            assert self.found(archive, f"state:{word}") == {
                name for name, one in now.items() if one.state == word
            }
        assert self.found(archive, "tag:vip") == {
            name for name, one in now.items() if "vip" in one.tags
        }
        rows = archive.rows(archive.keys()).window(0, 9)
        assert {(row.account, row.id): row.state for row in rows} == {
            name: one.state for name, one in now.items()
        }

    def test_a_comment_stands_at_its_second(self, archive: CallArchive) -> None:
        self.with_calls(archive)
        archive.triage.append(NAMES[:1], [comment("refund promised", 83.26, 1)], "ann")
        archive.triage.append(NAMES[:1], [comment("again", 5)], "ann")
        assert archive.triage.comments("desk", "1", 1) == (83.3,)
        assert archive.triage.comments("desk", "1", 0) == (5.0,)
        assert self.found(archive, "promised") == {NAMES[0]}

    def test_a_snooze_that_is_over_is_an_open_call(self, archive: CallArchive) -> None:
        self.with_calls(archive)
        now = time.time()
        archive.triage.append(NAMES[:1], [state("snoozed", now + 3600)], "ann")
        archive.triage.append(NAMES[1:2], [state("snoozed", now - 1)], "ann")
        assert archive.triage.of("desk", "1").state == "snoozed"
        assert archive.triage.of("desk", "2").state == "open"
        assert self.found(archive, "state:snoozed") == {NAMES[0]}
        assert self.found(archive, "state:open") == {NAMES[1]}

    def test_decisions_wait_for_their_call(self, archive: CallArchive) -> None:
        """A call that comes later, or again, has them."""
        archive.triage.append(NAMES[:1], [state("done"), tag("vip")], "ann")
        self.with_calls(archive)
        assert self.found(archive, "state:done tag:vip") == {NAMES[0]}
        self.keep(archive, call(1, status="other"))
        assert self.found(archive, "state:done tag:vip") == {NAMES[0]}

    def test_two_who_decide_at_once_both_count(self, folder: Path, archive: CallArchive) -> None:
        self.with_calls(archive)
        with self.open(folder) as other:
            archive.triage.append(NAMES[:1], [note("first")], "ann")
            other.triage.append(NAMES[:1], [state("done")], "ben")
            archive.triage.append(NAMES[:1], [tag("third")], "ann")
            for one in (archive, other):
                assert one.triage.of("desk", "1")[:3] == ("done", "first", ("third",))


class ListeningContract(ArchiveBase):
    def test_how_far_a_recording_was_heard(self, archive: CallArchive) -> None:
        self.keep(archive, call(1))
        store = archive.listening
        assert store.of_call("desk", "1") == {}
        store.note("desk", "1", "a", 12.0, 60.0, None)
        store.note("desk", "1", "a", 55.0, None, 100.0)
        store.note("desk", "1", "a", 5.0, 60.0, 200.0)
        store.note("desk", "1", "#1", 1.0, None, None)
        assert store.of_call("desk", "1") == {"a": Heard(5.0, 60.0, 100.0), "#1": Heard(1.0)}

    def test_why_it_could_not_be_heard_until_it_was(self, archive: CallArchive) -> None:
        self.keep(archive, call(1))
        store = archive.listening
        store.note("desk", "1", "a", 12.0, 60.0, 9.0)
        store.note_trouble("desk", "1", "a", "gone", 200.0)
        assert store.of_call("desk", "1") == {"a": Heard(12.0, 60.0, 9.0, "gone", 200.0)}
        store.note("desk", "1", "a", 13.0, 60.0, None)
        assert store.of_call("desk", "1") == {"a": Heard(13.0, 60.0, 9.0)}

    def test_rows_show_what_was_heard(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2), call(3))
        archive.listening.note("desk", "1", "#0", 60.0, 60.0, 5.0)
        archive.listening.note("desk", "2", "#0", 30.0, 60.0, None)
        rows = archive.rows(archive.keys()).window(0, 3)
        assert {row.id: row.heard for row in rows} == {"1": "heard", "2": "part", "3": None}

    def test_nothing_is_kept_of_a_call_that_is_not_here(self, archive: CallArchive) -> None:
        archive.listening.note("desk", "9", "a", 1.0, 2.0, None)
        archive.listening.note_trouble("desk", "9", "a", "gone", 3.0)
        self.keep(archive, call(9))
        assert archive.listening.of_call("desk", "9") == {}
        archive.listening.note("desk", "9", "a", 1.0, 2.0, None)
        archive.remove(archive.keys(), barred=False)
        self.keep(archive, call(9))
        assert archive.listening.of_call("desk", "9") == {}


class RetentionContract(ArchiveBase):
    def test_a_call_on_hold_is_removed_by_nothing(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2))
        archive.triage.append([("desk", "1")], [hold("court"), note("kept")], "ann")
        [key] = archive.held()
        every = archive.keys()
        assert archive.names_of([key]) == [("desk", "1")] and archive.held_of("desk") == 1
        assert archive.held(every) == {key} and archive.held([]) == frozenset()
        assert archive.remove(every).calls == 1 and archive.remove_account("desk") == 0
        assert archive.purge(every)[0].calls == 0
        assert archive.triage.of("desk", "1").note == "kept"
        assert [*archive.keys(query("held"))] == [key]
        archive.triage.append([("desk", "1")], [RELEASE], "ann")
        assert archive.held() == frozenset() and archive.remove([key]).calls == 1

    def test_what_is_older_than_calls_are_kept(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2), call(3), call(4), call(5, started_at=None))
        archive.triage.append([("desk", "2")], [hold()], "ann")
        before = (START + timedelta(minutes=4)).timestamp()
        assert archive.due(before) == Due(2, 1) and archive.undated() == 1
        assert archive.names_of(archive.keys_due(before, 9)) == [("desk", "1"), ("desk", "3")]
        assert archive.names_of(archive.keys_due(before, 1)) == [("desk", "1")]
        assert {id_ for _, id_ in archive.names_of(archive.keys_before(before))} == {"1", "2", "3"}
        assert archive.told_days() == 0
        archive.tell_days(30)
        archive.tell_days(400)
        assert archive.told_days() == 400
        archive.remove(archive.keys_due(before, 9))
        archive.forget_words()
        assert archive.due(before) == Due(0, 1)

    @pytest.mark.parametrize("form", ["+12025550001", "1 202-555-0001", "(202) 555 0001"])
    def test_a_number_is_one_in_all_its_forms(self, archive: CallArchive, form: str) -> None:
        with archive.transaction():
            archive.set_region("desk", "US")
        self.keep(archive, call(1), call(2, from_="12025550001"), call(3), call(4))
        archive.triage.append([("desk", "4")], [note("call +1 202 555 0001 back")], "ann")
        names = archive.names_of(archive.keys_of_number(form))
        assert {id_ for _, id_ in names} == {"1", "2"}
        assert archive.mentions(form) == 3
        assert archive.keys_of_number("12") == [] and archive.mentions("12") == 0

    def test_what_its_vendor_has_no_more_is_sure_the_second_time(
        self, archive: CallArchive
    ) -> None:
        self.keep(archive, call(1), call(2), call(3))
        assert archive.newest_ids("desk", 2) == ["3", "2"]
        assert not archive.note_vanished("desk", "1", 100.0, apart_s=50.0)
        assert archive.is_suspect("desk", "1") and archive.suspects("desk", 100.0, 9) == ["1"]
        assert archive.suspects("desk", 99.0, 9) == [] and archive.vanished() == []
        assert not archive.note_vanished("desk", "1", 140.0, apart_s=50.0)
        assert archive.note_vanished("desk", "1", 150.0, apart_s=50.0)
        assert archive.names_of(archive.vanished()) == [("desk", "1")]
        assert archive.vanished_at("desk", "1") == 150.0 and not archive.is_suspect("desk", "1")
        with archive.transaction():
            archive.came_again("desk", ["1"])
        assert archive.vanished() == [] and archive.vanished_at("desk", "1") is None

    def test_a_purged_call_stays_away_whatever_comes(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2))
        archive.purge(archive.keys_before((START + timedelta(minutes=2)).timestamp()))
        assert self.keep(archive, call(1, status="x"), call(2)) == Saved(same=1)
        assert archive.counts_by_account() == {"desk": 1}
