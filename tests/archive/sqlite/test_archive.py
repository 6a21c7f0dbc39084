from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
import time
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import Names
from providers.model import Call, Contact, Recording
from tests.archive.calls import START, call
from tui.archive.errors import ArchiveTooNew, ArchiveUnavailable
from tui.archive.records import AccountState, Coverage, Saved, SortOrder, SyncPeriod
from tui.archive.sqlite import Archive
from tui.archive.sqlite.migrations import MIGRATIONS


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "data" / "archive.db")


def save(archive: Archive, *calls: Call, account: str = "desk") -> Saved:
    with archive.transaction():
        return archive.save(account, calls)


def ids(archive: Archive, keys: array[int]) -> list[str]:
    return [row.id for row in archive.rows(keys).window(0, len(keys))]


def test_new_changed_and_same_are_counted(archive: Archive) -> None:
    assert save(archive, call(1), call(2)) == Saved(new=2)
    assert save(archive, call(1), replace(call(2), outcome="missed")) == Saved(changed=1, same=1)
    found = archive.call_by_id("desk", "2")
    assert found is not None and found.outcome == "missed"
    assert archive.call_by_id("desk", "3") is None and archive.call_by_id("other", "1") is None


def test_a_call_keeps_its_key_and_everything_else(archive: Archive) -> None:
    full = call(1, recordings=(Recording("r", "https://x.example/s"),), problems=("a: b",))
    save(archive, full)
    [key] = archive.keys()
    save(archive, replace(full, status="other"))
    assert list(archive.keys()) == [key]
    assert archive.call(key) == ("desk", replace(full, status="other"))


def test_rows_come_newest_first_and_those_without_a_time_last(archive: Archive) -> None:
    save(archive, call(1), call(3), call(2, started_at=None))
    assert ids(archive, archive.keys()) == ["3", "1", "2"]
    assert ids(archive, archive.keys(limit=2)) == ["3", "1"]
    rows = archive.rows(archive.keys())
    assert rows.index_of(rows.keys[1]) == 1 and rows.index_of(99) is None
    first = rows.window(0, 1)[0]
    assert first.started_at == START.timestamp() + 180
    assert (first.agents, first.has_recording, first.recordings) == ("Zoë Müller", None, 0)


def test_sorting_puts_calls_without_the_value_last_both_ways(archive: Archive) -> None:
    save(archive, call(1, contact=Contact(name="b")), call(2, contact=Contact(name="A")), call(3))
    save(archive, call(3, contact=Contact()))
    assert ids(archive, archive.keys(sort=SortOrder("contact", False))) == ["2", "1", "3"]
    assert ids(archive, archive.keys(sort=SortOrder("contact", True))) == ["1", "2", "3"]


def test_a_removed_call_leaves_its_line_blank_and_the_others_in_place(archive: Archive) -> None:
    save(archive, call(1), call(2), call(3, contact=Contact()), account="a")
    save(archive, call(9), account="b")
    rows = archive.rows(archive.keys())
    assert archive.remove_account("a") == 3
    assert [row.id for row in rows.window(0, 4)] == ["9", "", "", ""]
    assert archive.counts_by_account() == {"b": 1}


def test_reconcile_decides_what_is_kept(archive: Archive) -> None:
    save(archive, call(1))
    with archive.transaction():
        archive.save("desk", [call(1, status="new")], lambda old, new: replace(old, status="both"))
    found = archive.call_by_id("desk", "1")
    assert found is not None and found.status == "both"


def test_text_that_utf8_cannot_hold_is_kept(archive: Archive) -> None:
    odd = call(1, contact=Contact(name="a\ud800b\x00c"), raw={"name": "a\ud800b"})
    save(archive, odd)
    assert archive.call_by_id("desk", "1") == odd
    assert archive.rows(archive.keys()).window(0, 1)[0].contact == "a\ufffdb\x00c"


def test_a_failed_transaction_leaves_nothing(archive: Archive) -> None:
    with pytest.raises(RuntimeError), archive.transaction():
        archive.save("desk", [call(1)])
        raise RuntimeError
    assert archive.counts_by_account() == {}


def test_names_walks_states_and_unknown_ids_are_remembered(archive: Archive) -> None:
    names = Names()
    names.put("user", "7", {"name": "Ann"})
    walk = archive.begin_period(SyncPeriod("desk", "x", 0.0, 100.0))
    with archive.transaction():
        archive.save_names("desk", names)
        archive.advance_period(walk._replace(cursor="c", total=9, fetched=3))
        archive.remember_unknown("desk", ["5"], at=50.0)
        archive.save_account_state("desk", AccountState("offline", "no route", 60.0))
    assert names.fresh == set()
    assert archive.names("desk").known == {("user", "7"): {"name": "Ann"}}
    assert archive.names("other").known == {}
    assert archive.unfinished_periods("desk") == [walk._replace(cursor="c", total=9, fetched=3)]
    assert list(archive.settled_ids("desk", 0.0, unknown_since=40.0)) == [5]
    assert list(archive.settled_ids("desk", 0.0, unknown_since=60.0)) == []
    assert archive.account_states() == {"desk": AccountState("offline", "no route", 60.0)}


def test_walks_that_meet_cover_one_period_and_others_leave_their_gap(archive: Archive) -> None:
    """An hour that is asked for alone must not hide that the days before it never came."""
    assert archive.coverage("desk", "x") is None
    for since, until in ((100.0, 200.0), (150.0, 300.0), (50.0, 100.0), (400.0, 500.0)):
        walk = archive.begin_period(SyncPeriod("desk", "|x", since, until))
        with archive.transaction():
            archive.advance_period(walk._replace(finished=True))
    assert archive.coverage("desk", "x") == Coverage(50.0, 300.0)
    assert archive.coverage("desk", "y") is None  # other settings, other calls
    assert archive.unfinished_periods("desk") == []


def test_the_last_looks_through_a_day_and_a_week_are_known(archive: Archive) -> None:
    day = 86400.0
    for since, until in ((0.0, 100 * day), (98 * day, 101 * day), (101 * day - 60, 101 * day + 9)):
        walk = archive.begin_period(SyncPeriod("desk", "|x", since, until))
        with archive.transaction():
            archive.advance_period(walk._replace(finished=True))
    assert archive.coverage("desk", "x") == Coverage(0.0, 101 * day + 9, 101 * day, 100 * day)


def test_walks_that_lack_calls_are_one_and_end_with_a_longer_one(archive: Archive) -> None:
    """A vendor whose total is always wrong must not pile up walks."""
    for number in range(5):
        walk = archive.begin_period(
            SyncPeriod("desk", "again|x", number * 10.0, number * 10.0 + 15)
        )
        with archive.transaction():
            short = archive.merge_unfinished(walk._replace(shortfall=f"{number} of 9 calls"))
            archive.advance_period(short._replace(tries=max(1, short.tries)))
    [open_] = archive.unfinished_periods("desk")
    assert (open_.since, open_.until, open_.tries) == (0.0, 55.0, 1)
    assert open_.shortfall == "1 of 9 calls"  # of the longest
    whole = archive.begin_period(SyncPeriod("desk", "|x", 0.0, 60.0))
    with archive.transaction():
        archive.advance_period(whole._replace(finished=True))
    assert archive.unfinished_periods("desk") == []


def test_settled_and_highest_ids(archive: Archive) -> None:
    save(archive, call(1), call(12), call(5, outcome="in_progress"), call(30, id="no-id-x"))
    cut = (START.timestamp()) + 10 * 60
    spared = archive.settled_ids("desk", cut, unknown_since=0.0)
    assert [id_ in spared for id_ in ("1", "12", "5", "30")] == [True, False, False, False]
    assert archive.highest_id("desk") == 12
    assert archive.highest_id("other") is None


def test_recordings_that_are_worth_asking_for(archive: Archive) -> None:
    save(
        archive,
        call(1, recordings_known=False),
        call(2, recordings_known=False, has_recording=False),
        call(3, has_recording=True),
        call(4, has_recording=True, recordings=(Recording("r"),)),
    )
    before, after = START.timestamp(), START.timestamp() + 3600
    assert archive.ids_without_recordings("desk", before, None, None) == ["4", "3", "1"]
    assert archive.ids_without_recordings("desk", after, None, None) == ["1"]
    assert archive.ids_without_recordings("desk", before, before + 100, before + 200) == ["3"]


def test_when_recordings_were_last_told_of(archive: Archive) -> None:
    save(archive, call(1), call(2, recordings_known=False))
    asked = archive.recordings_asked_at("desk", "1")
    assert asked == pytest.approx(time.time(), abs=60)  # when it was kept, for want of better
    assert archive.recordings_asked_at("desk", "2") is None
    with archive.transaction():
        archive.note_recordings_asked("desk", ["1", "2"], 50.0)
    assert [archive.recordings_asked_at("desk", id_) for id_ in ("1", "2", "3")] == [
        50.0,
        50.0,
        None,
    ]


def test_the_files_are_private(archive: Archive) -> None:
    save(archive, call(1))
    assert stat.S_IMODE(archive.path.parent.stat().st_mode) == 0o700
    for file in archive.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_second_connection_sees_what_was_committed_and_that_it_was(archive: Archive) -> None:
    with Archive(archive.path) as other:
        version = other.change_token()
        assert other.change_token() == version
        save(archive, call(1))
        assert other.change_token() != version
        assert other.counts_by_account() == {"desk": 1}


def test_two_writers_wait_for_each_other(archive: Archive) -> None:
    errors: list[Exception] = []

    def write(start: int) -> None:
        try:
            with Archive(archive.path) as mine:
                for number in range(start, start + 40):
                    save(mine, call(number))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert archive.counts_by_account() == {"desk": 120}


MAKE_MANY = """
import sys, time
from pathlib import Path
from tui.archive.sqlite import Archive
for number in range(60):
    while time.time() < float(sys.argv[2]) + number * 0.03:
        pass
    Archive(Path(sys.argv[1], f"{number}.db")).close()
"""


def test_three_that_make_an_archive_at_the_same_moment_wait_for_each_other(tmp_path: Path) -> None:
    words = [sys.executable, "-c", MAKE_MANY, str(tmp_path), str(time.time() + 1.0)]
    makers = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [maker.communicate()[1] for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0, 0], said


def test_an_archive_of_a_later_version_is_left_alone(archive: Archive) -> None:
    with sqlite3.connect(archive.path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(ArchiveTooNew, match="schema"):
        Archive(archive.path)


def test_a_full_disk_ends_a_transaction_and_nothing_else(
    connections: list[sqlite3.Connection], archive: Archive
) -> None:
    save(archive, call(1))
    [pages] = connections[0].execute("PRAGMA page_count").fetchone()
    connections[0].execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ArchiveUnavailable, match="full"):
        save(archive, *(call(number, summary="word " * 2000) for number in range(2, 30)))
    connections[0].execute("PRAGMA max_page_count = 1000000")
    assert save(archive, call(2)) == Saved(new=1) and archive.count() == 2


READ = "import sys; from pathlib import Path; from tui.archive.sqlite import Archive; "
READ += "archive = Archive(Path(sys.argv[1])); print(archive.count()); archive.close()"


def test_connections_that_come_and_go_leave_the_others_their_locks(archive: Archive) -> None:
    """To close any handle of the file takes all locks of this process away; without them another
    process that leaves as the last one, as it seems to it, removes the log that is in use.
    """
    for number in range(1, 4):
        Archive(archive.path).close()  # as for each question of the screen
        save(archive, call(number))
        words = [sys.executable, "-c", READ, str(archive.path)]
        assert subprocess.run(words, capture_output=True, text=True).stdout == f"{number}\n"
    assert archive.count() == 3
    archive.close()
    with Archive(archive.path) as again:
        assert again.count() == 3
