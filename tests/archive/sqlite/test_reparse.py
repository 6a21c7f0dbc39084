"""What an older version of a vendor's reading kept is read anew, in small steps."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from providers.model import Call, Recording
from tests.archive.calls import call
from tests.archive.database import write
from tui.archive.sqlite import Archive
from tui.archive.sqlite.reparse import STEP

MANY = 2 * STEP + 30


def fill(archive: Archive, many: int, account: str = "desk") -> None:
    with archive.transaction():
        archive.save(account, [call(number, status="old") for number in range(many)])


def newly(older: Call) -> Call:
    return replace(older, status="new", campaign="Winter")


def read_all(archive: Archive, version: int, read: Callable[[Call], Call] = newly) -> int:
    steps = 1
    while archive.read_anew("desk", "nectar", version, read):
        steps += 1
    return steps


def statuses(archive: Archive) -> set[str]:
    return {body["status"] for _, body in archive.export(archive.keys())}


def test_calls_of_an_older_reading_are_read_anew_newest_first_in_steps(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        fill(archive, MANY)
        assert archive.count_unread("desk", 2) == MANY
        assert archive.read_anew("desk", "nectar", 2, newly)
        assert archive.count_unread("desk", 2) == MANY - STEP
        newest, oldest = archive.call_by_id("desk", str(MANY - 1)), archive.call_by_id("desk", "0")
        assert newest and newest.status == "new"
        assert oldest and oldest.status == "old"
        assert read_all(archive, 2) == 2
        assert (statuses(archive), archive.unread("desk", 2)) == ({"new"}, None)
        # and they are found by what was read
        from tui.query.parser import Query, Term

        assert archive.count(Query((Term("field", "Winter", "campaign"),))) == MANY


def test_what_was_read_by_this_version_is_left_alone(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        archive.read_by("desk", 2)  # before its first call came
        fill(archive, 10)
        assert archive.unread("desk", 2) is None
        assert archive.unread("desk", 1) is None  # nor does an older Ringback read it back
        assert archive.unread("desk", 3) is not None
        archive.read_by("desk", 3)  # there are calls that wait: this does not hide them
        assert archive.count_unread("desk", 3) == 10
        assert archive.count_unread("other", 3) == 0


def test_a_newer_version_begins_anew_where_an_older_one_was_half_way(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        fill(archive, MANY)
        archive.read_anew("desk", "nectar", 2, newly)
        assert archive.count_unread("desk", 3) == MANY
        read_all(archive, 3, lambda older: replace(older, status="third"))
        assert statuses(archive) == {"third"}


def test_a_call_that_cannot_be_read_stays_as_it_is_and_is_not_tried_forever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []

    def read(older: Call) -> Call:
        tried.append(older.id)
        if older.id == "3":
            raise KeyError("secret text of the vendor")
        return newly(older)

    with Archive(tmp_path / "archive.db") as archive, caplog.at_level(logging.WARNING):
        fill(archive, 6)
        read_all(archive, 2, read)
        read_all(archive, 2, read)
        assert sorted(tried) == [*"012345"]
        odd = archive.call_by_id("desk", "3")
        assert odd == call(3, status="old")
        assert statuses(archive) == {"old", "new"}
    assert "desk:3" in caplog.text and "secret" not in caplog.text


def test_calls_that_another_vendor_kept_under_the_name_are_left_alone(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        with archive.transaction():
            archive.save("desk", [call(1, status="old", provider="liner"), call(2, status="old")])
        read_all(archive, 2)
        assert statuses(archive) == {"old", "new"}


def test_reading_anew_does_not_say_that_the_vendor_was_asked(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        fill(archive, 1)
        write(archive.path, "UPDATE detail SET saved_at = 50")
        read_all(archive, 2)
        assert archive.recordings_asked_at("desk", "0") == 50


def test_two_that_read_anew_at_once_share_the_work(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with Archive(path) as archive:
        fill(archive, 5 * STEP)
    read: list[str] = []

    def one(older: Call) -> Call:
        read.append(older.id)
        return newly(older)

    def work() -> None:
        with Archive(path) as mine:
            read_all(mine, 2, one)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == len(set(read)) == 5 * STEP
    with Archive(path) as archive:
        assert statuses(archive) == {"new"}


def test_what_is_decided_and_heard_stays(tmp_path: Path) -> None:
    from tui.archive.triage_events import state, tag

    with Archive(tmp_path / "archive.db") as archive:
        fill(archive, 3)
        archive.triage.append([("desk", "1")], [state("done"), tag("vip")], "ann")
        before = archive.triage.of("desk", "1")
        read_all(archive, 2)
        assert archive.triage.of("desk", "1") == before
        [row] = [r for r in archive.rows(archive.keys()).window(0, 9) if r.id == "1"]
        assert (row.state, row.our_tags, row.status) == ("done", "vip", "new")


def test_the_look_for_older_readings_is_one_indexed_query(
    tmp_path: Path, connections: list[sqlite3.Connection]
) -> None:
    statements: list[str] = []
    with Archive(tmp_path / "archive.db") as archive:
        fill(archive, 300)
        read_all(archive, 2)
        connections[0].set_trace_callback(statements.append)
        assert archive.unread("desk", 2) is None
        assert not archive.read_anew("desk", "nectar", 2, newly)
        connections[0].set_trace_callback(None)
        assert len(statements) == 2  # one each, and no transaction
        for sql in statements:
            [plan] = [row[3] for row in connections[0].execute(f"EXPLAIN QUERY PLAN {sql}")]
            assert plan.startswith("SEARCH reading USING PRIMARY KEY")


def test_a_step_reads_no_more_than_its_calls(
    tmp_path: Path, connections: list[sqlite3.Connection]
) -> None:
    statements: list[str] = []
    with Archive(tmp_path / "archive.db") as archive:
        fill(archive, 300)
        connections[0].set_trace_callback(statements.append)
        archive.read_anew("desk", "nectar", 2, newly)
        connections[0].set_trace_callback(None)
        [sql] = [sql for sql in statements if "ORDER BY place DESC" in sql]
        plan = [row[3] for row in connections[0].execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert "call_by_account (account=? AND place<?)" in plan[0]
    assert not any("TEMP B-TREE" in step for step in plan)


def test_an_archive_of_the_schema_before_is_read_anew_and_keeps_its_walks(tmp_path: Path) -> None:
    """As the first release left it: no version of a reading, finished and open walks."""
    from tui.archive.sqlite.migrations import MIGRATIONS, migrate

    path = tmp_path / "archive.db"
    before = next(n for n, sql in enumerate(MIGRATIONS) if "CREATE TABLE reading" in sql)
    db = sqlite3.connect(path, isolation_level=None)
    for sql in MIGRATIONS[:before]:
        db.executescript(sql)
    db.execute(f"PRAGMA user_version = {before}")
    walk = "INSERT INTO walk (account, asked, since, until, finished) VALUES (?, ?, ?, ?, ?)"
    db.execute(walk, ("desk", "..|abc", 0.0, 100.0, 1))
    db.execute(walk, ("desk", "|abc", 50.0, 200.0, 0))
    db.execute("INSERT INTO account_state VALUES ('desk', 'fresh', '', 5.0)")
    body = json.dumps({"id": "1", "provider": "nectar", "outcome": "answered"})
    db.execute(
        "INSERT INTO call (key, account, id, provider, outcome, recordings, problems, words,"
        " digits, place) VALUES (1, 'desk', '1', 'nectar', 'answered', 0, 0, '', '', 5)"
    )
    db.execute("INSERT INTO detail VALUES (1, ?, '{}', ?, 7)", (body, zlib.compress(b'{"id":1}')))
    db.execute("UPDATE unindexed SET upto = 1")
    migrate(db)
    db.close()
    with Archive(path) as archive:
        while archive.index_more():
            pass
        assert archive.count_unread("desk", 1) == 1
        assert archive.coverage("desk", "abc") == (0.0, 200.0, 100.0, 0.0)
        [left] = archive.unfinished_periods("desk")
        assert (left.since, left.shortfall, left.tries) == (50.0, "", 0)
        assert archive.account_states()["desk"] == ("fresh", "", 5.0, None, 0)
        read_all(archive, 1, lambda older: replace(older, recordings=(Recording("r"),)))
        found = archive.call_by_id("desk", "1")
        assert found and found.recordings == (Recording("r"),)


def test_what_goes_with_an_account_goes(tmp_path: Path) -> None:
    from tui.archive.records import SyncPeriod

    with Archive(tmp_path / "archive.db") as archive:
        archive.read_by("desk", 2)
        fill(archive, 3)
        archive.begin_period(SyncPeriod("desk", "|x", 0.0, 5.0))
        archive.remove_account("desk")
        assert archive.coverage("desk", "x") is None
        fill(archive, 1)
        assert archive.count_unread("desk", 2) == 1
