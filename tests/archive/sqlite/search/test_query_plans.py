"""No step of a person's day reads all calls: what SQLite says it will do, on the real statements."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.contract.search_model import random_call
from tui.archive.sqlite import Archive
from tui.archive.triage_events import note, state

READS_ALL = re.compile(r"SCAN (call|event|triage|detail|heard|thread)\b|call USING .*rowid>")


def save(archive: Archive) -> None:
    with archive.transaction():
        archive.save("eu", [random_call(number, Random(5)) for number in range(150, 250)])


def act(archive: Archive) -> None:
    names = archive.names_of(archive.keys(limit=5))
    archive.triage.append(names, [state("done"), note("said")], "ann")


def undo(archive: Archive) -> None:
    archive.triage.undo("ann")


def look(archive: Archive) -> None:
    for key in archive.keys(limit=20):
        found = archive.call(key)
        assert found
        archive.related(key, 20)
        archive.triage.events(found[0], found[1].id)
        archive.closer_of(found[0], found[1].id)
    archive.rows(archive.keys(limit=20)).window(0, 20)


def refresh(archive: Archive) -> None:
    """What a sync asks before it asks the vendor, and what it leaves behind."""
    archive.unread("eu", 2)
    archive.account_states()
    archive.coverage("eu", "x")
    archive.unfinished_periods("eu")
    archive.running_since("eu", 1.7e9)
    archive.ids_between("eu", 1.7e9)
    archive.ids_without_recordings("eu", 1.7e9, 1.7e9, None)
    archive.recordings_asked_at("eu", "1")
    with archive.transaction():
        archive.note_recordings_asked("eu", ["1", "2"], 5.0)


@pytest.mark.parametrize("step", [save, act, undo, look, refresh])
def test_a_step_does_not_read_all_calls(
    tmp_path: Path, connections: list[sqlite3.Connection], step: Callable[[Archive], None]
) -> None:
    statements: list[str] = []
    with Archive(tmp_path / "archive.db") as archive:
        with archive.transaction():
            archive.save("eu", [random_call(number, Random(number)) for number in range(200)])
        act(archive)
        [db] = connections
        db.set_trace_callback(statements.append)
        step(archive)
        db.set_trace_callback(None)
        asked = {sql for sql in statements if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)", sql)}
        plans = {
            sql: [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
            for sql in asked
            if "IN ()" not in sql and "LIMIT" not in sql
        }
    assert len(plans) > 3
    assert not {sql: plan for sql, plan in plans.items() if READS_ALL.search(" ".join(plan))}
