"""What `tui.archive.interface.CallWriter`, `SyncState` and `Upkeep` promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from providers.base import Names
from providers.model import Call
from tests.archive.calls import START, call
from tests.contract.archive_base import ArchiveBase
from tui.archive.errors import ArchiveBusy, ArchiveError, ArchiveReadOnly
from tui.archive.interface import CallArchive
from tui.archive.records import AccountState, Coverage, Saved, SyncPeriod
from tui.archive.triage_events import note, state
from tui.query.parser import parse

DAY_S = 86_400.0


class Stopped(Exception):
    """Ends a transaction of a test."""


class WriterContract(ArchiveBase):
    # -- calls in

    def test_new_changed_and_same_calls_are_told_apart(self, archive: CallArchive) -> None:
        assert self.keep(archive, call(1), call(2)) == Saved(new=2)
        key = archive.key_of("desk", "1")
        changed = replace(call(1), status="other")
        assert self.keep(archive, changed, call(2), call(3)) == Saved(1, 1, 1)
        assert archive.call_by_id("desk", "1") == changed and archive.key_of("desk", "1") == key
        assert self.keep(archive, call(1), account="eu") == Saved(new=1)
        assert archive.counts_by_account() == {"desk": 3, "eu": 1}

    def test_who_saves_decides_what_stays_of_a_call_that_comes_again(
        self, archive: CallArchive
    ) -> None:
        seen = []

        def reconcile(older: Call, newer: Call) -> Call:
            seen.append((older.status, newer.status))
            return replace(newer, summary=older.summary)

        self.keep(archive, call(1, status="a", summary="said"))
        with archive.transaction():
            archive.save("desk", [call(1, status="b"), call(2, status="c")], reconcile)
        assert seen == [("a", "b")]
        assert archive.call_by_id("desk", "1") == call(1, status="b", summary="said")

    def test_a_transaction_is_all_or_nothing(self, archive: CallArchive) -> None:
        self.keep(archive, call(1))
        with pytest.raises(Stopped), archive.transaction():
            archive.save("desk", [call(1, status="other"), call(2)])
            archive.remember_unknown("desk", ["9"], 5.0)
            raise Stopped
        assert archive.call_by_id("desk", "1") == call(1)
        assert archive.counts_by_account() == {"desk": 1} and archive.count() == 1
        assert "9" not in archive.settled_ids("desk", 0.0, 0.0)
        assert not archive.keys(parse("status:other", START, START.tzinfo))  # type: ignore[arg-type]

    def test_what_was_kept_is_there_for_the_next(self, folder: Path) -> None:
        with self.open(folder) as archive:
            self.keep(archive, call(1))
        with self.open(folder) as archive:
            assert archive.call_by_id("desk", "1") == call(1)

    # -- errors

    def test_another_writer_is_waited_for_and_then_told(
        self, folder: Path, archive: CallArchive
    ) -> None:
        with self.open(folder) as other, other.transaction():
            archive.listening.wait_at_most(0.0)
            with pytest.raises(ArchiveBusy), archive.transaction():
                pass
            with pytest.raises(ArchiveBusy):
                archive.write_if_possible(lambda: 1)
        assert archive.write_if_possible(lambda: 1) == 1

    def test_an_archive_that_can_only_be_read_says_why(
        self, folder: Path, archive: CallArchive
    ) -> None:
        self.keep(archive, call(1))
        assert archive.read_only is None
        archive.close()
        with self.open_read_only(folder) as only:
            assert isinstance(only.read_only, ArchiveReadOnly) and only.read_only.hint
            assert only.call_by_id("desk", "1") == call(1)
            for write in (
                lambda: self.keep(only, call(2)),
                lambda: only.triage.append([("desk", "1")], [note("x")], "ann"),
                lambda: only.listening.note("desk", "1", "#0", 1.0, 2.0, None),
                lambda: only.remove_account("desk"),
                lambda: only.begin_period(SyncPeriod("desk", "|x", 0.0, 9.0)),
            ):
                with pytest.raises(ArchiveReadOnly):
                    write()
            assert only.write_if_possible(lambda: 1) is None
            assert only.counts_by_account() == {"desk": 1}

    # -- calls out for good

    def test_an_account_goes_with_all_that_was_of_it(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2))
        self.keep(archive, call(1), account="eu")
        for account in ("desk", "eu"):
            archive.triage.append([(account, "1")], [state("done")], "ann")
            archive.begin_period(SyncPeriod(account, "|x", 0.0, 9.0))
        with archive.transaction():
            archive.save_account_state("desk", AccountState("fresh", "", 5.0))
            archive.remember_unknown("desk", ["9"], 5.0)
        assert archive.remove_account("desk") == 2
        assert archive.counts_by_account() == {"eu": 1} and archive.account_states() == {}
        assert (
            archive.triage.of("desk", "1").by is None and archive.triage.events("desk", "1") == []
        )
        assert archive.unfinished_periods("desk") == [] and archive.coverage("desk", "x") is None
        assert "9" not in archive.settled_ids("desk", 0.0, 0.0)
        assert archive.triage.of("eu", "1").state == "done" and archive.coverage("eu", "x")
        assert self.keep(archive, call(1)) == Saved(new=1)

    @pytest.mark.parametrize("barred", [True, False])
    def test_a_sync_brings_back_only_what_was_not_purged(
        self, archive: CallArchive, barred: bool
    ) -> None:
        self.keep(archive, call(1), call(2))
        archive.triage.append([("desk", "1")], [note("secret")], "ann")
        key = archive.key_of("desk", "1")
        assert key is not None and archive.remove([key], barred=barred).calls == 1
        assert archive.call(key) is None and archive.triage.events("desk", "1") == []
        assert self.keep(archive, call(1)) == Saved(new=0 if barred else 1)
        assert archive.triage.of("desk", "1").note is None
        assert ("1" in archive.settled_ids("desk", 0.0, 1e12)) is barred

    def test_a_purge_takes_a_number_out_of_the_names_too(self, archive: CallArchive) -> None:
        names = Names()
        names.put("lead", "5", {"number": "+1 202-555-0001"})
        names.put("lead", "6", {"number": "+1 202-555-0002"})
        self.keep(archive, call(1))
        with archive.transaction():
            archive.save_names("desk", names)
        keys = archive.keys_of_number("+12025550001")
        removed, clean = archive.purge(keys, "+12025550001")
        assert (removed.calls, removed.names, clean) == (1, 1, True)
        assert removed.rows >= removed.calls
        assert archive.names("desk").known == {("lead", "6"): {"number": "+1 202-555-0002"}}

    # -- its upkeep

    def test_nothing_is_wrong_with_what_was_just_written(self, archive: CallArchive) -> None:
        self.keep(archive, *map(call, range(20)))
        archive.triage.append([("desk", "1")], [state("done")], "ann")
        for deep in (False, True):
            checked = archive.check(deep=deep)
            assert checked.faults == [] and checked.complete
            assert (checked.missing, checked.not_backed_up, checked.damaged_lines) == (0, 0, 0)
        archive.back_up()
        assert archive.take_up_backup() == 0 and archive.mend_backup() == 0
        assert archive.index_more() == 0

    def test_calls_of_an_older_reading_are_read_anew(self, archive: CallArchive) -> None:
        archive.read_by("desk", 1)
        self.keep(archive, *map(call, range(5)))
        assert archive.unread("desk", 1) is None and archive.count_unread("desk", 1) == 0
        assert archive.unread("desk", 2) is not None and archive.count_unread("desk", 2) == 5
        while archive.read_anew("desk", "nectar", 2, lambda one: replace(one, status="anew")):
            pass
        assert archive.unread("desk", 2) is None and archive.count_unread("desk", 2) == 0
        assert {body["status"] for _, body in archive.export(archive.keys())} == {"anew"}

    def test_numbers_meet_once_their_country_is_known(self, archive: CallArchive) -> None:
        """The caller of a missed call is called back by the number that others know."""
        missed, back = (
            replace(call(n), contact=replace(call(n).contact, number=number), outcome=outcome)
            for n, number, outcome in (
                (1, "030 1234567", "missed"),
                (2, "+49301234567", "answered"),
            )
        )
        self.keep(archive, missed, back)
        assert archive.closer_of("desk", "1") is None
        with archive.transaction():
            archive.set_region("desk", "DE")
        while archive.work_out_numbers():
            pass
        assert archive.closer_of("desk", "1") == (
            "desk:2",
            (START + timedelta(minutes=2)).timestamp(),
        )
        assert archive.work_out_numbers() == 0


class SyncStateContract(ArchiveBase):
    @staticmethod
    def go_through(archive: CallArchive, since: float, until: float) -> None:
        period = archive.begin_period(SyncPeriod("desk", "|x", since, until))
        with archive.transaction():
            archive.advance_period(period._replace(finished=True))

    def test_names_states_and_unknown_ids_are_remembered(self, archive: CallArchive) -> None:
        names, state_ = Names(), AccountState("offline", "no route", 60.0, 90.0, 2)
        names.put("user", "7", {"name": "Ann"})
        with archive.transaction():
            archive.save_names("desk", names)
            archive.remember_unknown("desk", ["5"], at=50.0)
            archive.save_account_state("desk", state_)
        assert names.fresh == set()
        assert archive.names("desk").known == {("user", "7"): {"name": "Ann"}}
        assert archive.names("eu").known == {}
        assert "5" in archive.settled_ids("desk", 0.0, unknown_since=40.0)
        assert "5" not in archive.settled_ids("desk", 0.0, unknown_since=60.0)
        assert "5" not in archive.settled_ids("eu", 0.0, unknown_since=40.0)
        assert archive.account_states() == {"desk": state_}

    def test_a_period_is_resumed_where_it_was(self, archive: CallArchive) -> None:
        period = archive.begin_period(SyncPeriod("desk", "all|x", 0.0, 100.0))
        moved = period._replace(cursor="c", total=9, fetched=3)
        with archive.transaction():
            archive.advance_period(moved)
        assert (
            archive.unfinished_periods("desk") == [moved] and archive.unfinished_periods("eu") == []
        )
        later = archive.begin_period(SyncPeriod("desk", "all|x", 100.0, 200.0))
        assert archive.unfinished_periods("desk") == [later, moved]
        instead = archive.begin_period(SyncPeriod("desk", "all|x", 0.0, 300.0), instead=[moved])
        assert archive.unfinished_periods("desk") == [instead, later]
        with archive.transaction():
            archive.drop_period(later)
            archive.advance_period(instead._replace(finished=True))
        assert archive.unfinished_periods("desk") == []

    def test_periods_that_meet_cover_one_and_others_leave_their_gap(
        self, archive: CallArchive
    ) -> None:
        assert archive.coverage("desk", "x") is None
        for since, until in ((100.0, 200.0), (150.0, 300.0), (50.0, 100.0), (400.0, 500.0)):
            self.go_through(archive, since, until)
        assert archive.coverage("desk", "x") == Coverage(50.0, 300.0)
        assert archive.coverage("desk", "y") is None and archive.coverage("eu", "x") is None

    def test_the_last_looks_through_a_day_and_a_week_are_known(self, archive: CallArchive) -> None:
        days = ((0.0, 100.0), (98.0, 101.0), (100.9, 101.1))
        for since, until in days:
            self.go_through(archive, since * DAY_S, until * DAY_S)
        expected = Coverage(0.0, 101.1 * DAY_S, 101 * DAY_S, 100 * DAY_S)
        assert archive.coverage("desk", "x") == expected

    def test_other_settings_begin_anew(self, archive: CallArchive) -> None:
        period = archive.begin_period(SyncPeriod("desk", "|x", 0.0, 100.0))
        with archive.transaction():
            archive.forget_settings(period)
        assert archive.unfinished_periods("desk") == [] and archive.coverage("desk", "x") is None

    def test_periods_that_lack_calls_do_not_pile_up(self, archive: CallArchive) -> None:
        for number in range(9):
            at = number * 10.0
            period = archive.begin_period(SyncPeriod("desk", "again|x", at, at + 15))
            with archive.transaction():
                lacking = period._replace(shortfall=f"{number} of 9 calls")
                merged = archive.merge_unfinished(lacking)
                archive.advance_period(merged._replace(tries=max(1, merged.tries)))
        [left] = archive.unfinished_periods("desk")
        assert (left.since, left.until, left.tries) == (0.0, 95.0, 1) and left.shortfall
        self.go_through(archive, 0.0, 95.0)
        assert archive.unfinished_periods("desk") == []

    def test_which_ids_need_not_be_asked_for(self, archive: CallArchive) -> None:
        self.keep(
            archive, call(1), call(2, outcome="in_progress"), call(3), call(5, started_at=None)
        )
        self.keep(archive, call(4), account="eu")
        cut = (START + timedelta(minutes=3)).timestamp()
        settled = archive.settled_ids("desk", cut, unknown_since=0.0, others=[77])
        assert [id_ for id_ in ("1", "2", "3", "4", "5", "77", "78") if id_ in settled] == [
            "1",
            "77",
        ]
        with archive.transaction():
            archive.exclude("desk", ["78"])
        assert "78" in archive.settled_ids("desk", cut, unknown_since=0.0)
        assert self.keep(archive, call(78)) == Saved()

    def test_ids_of_a_period_and_the_highest(self, archive: CallArchive) -> None:
        self.keep(archive, call(1), call(2), call(30), call(4, id="x9"), call(5, started_at=None))
        first, last = (START + timedelta(minutes=n) for n in (2, 30))
        assert archive.ids_between("desk", first.timestamp()) == ["30", "x9", "2"]
        assert archive.ids_between("desk", first.timestamp(), last.timestamp() - 1) == ["x9", "2"]
        assert archive.ids_between("eu", 0.0) == []
        assert archive.highest_id("desk") == 30 and archive.highest_id("eu") is None

    def test_a_call_that_runs_is_looked_for_from_its_beginning(self, archive: CallArchive) -> None:
        self.keep(archive, call(1, outcome="in_progress"), call(5, outcome="in_progress"), call(9))
        at = START.timestamp()
        assert archive.running_since("desk", at) == at + 60
        assert archive.running_since("desk", at + 61) == at + 300
        assert archive.running_since("desk", at + 301) is None

    def test_recordings_are_asked_for_where_their_list_may_grow(self, archive: CallArchive) -> None:
        self.keep(
            archive,
            call(1, recordings_known=False),
            call(2, has_recording=False),
            call(3),
            call(4, started_at=None, recordings_known=False),
            call(5, recordings_known=False, has_recording=True),
        )
        minute = (START + timedelta(minutes=n) for n in (0, 3, 9, 2))
        all_, three, late, two = (moment.timestamp() for moment in minute)
        assert archive.ids_without_recordings("desk", late, None, None) == ["5", "1", "4"]
        assert archive.ids_without_recordings("desk", three, None, None) == ["5", "3", "1", "4"]
        assert archive.ids_without_recordings("desk", late, all_, two) == ["1", "4"]
        assert archive.ids_without_recordings("eu", all_, None, None) == []

    def test_when_recordings_were_asked_for_is_known(self, archive: CallArchive) -> None:
        self.keep(archive, call(1, recordings_known=False), call(2, recordings_known=False))
        assert archive.recordings_asked_at("desk", "1") is None
        with archive.transaction():
            archive.note_recordings_asked("desk", ["1", "9"], 50.0)
        asked = [archive.recordings_asked_at("desk", id_) for id_ in ("1", "2", "9")]
        assert asked == [50.0, None, None]

    def test_errors_of_a_sync_are_of_one_tree(self, folder: Path) -> None:
        archive = self.open(folder)
        archive.close()
        for ask in (
            lambda: archive.account_states(),
            lambda: archive.unfinished_periods("desk"),
            lambda: archive.names("desk"),
            lambda: archive.begin_period(SyncPeriod("desk", "|x", 0.0, 9.0)),
        ):
            with pytest.raises(ArchiveError):
                ask()
