"""Each kind of query is read from where its calls are fewest; any way would give the right ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.archive.calls import START, call
from tests.benchmarks.bulk import fill
from tui.archive.sqlite import Archive, connection
from tui.archive.sqlite.search import planner
from tui.archive.sqlite.search.planner import Planner
from tui.archive.sqlite.search.time_ranges import ALWAYS
from tui.query.parser import Query, parse

CALLS = 800
SOURCES = {
    "c.id IN": "id",
    "call_number": "number",
    "MATCH": "words",
    "search CROSS JOIN": "words",
    "call_by_slot": "bitmaps",
    "call_by_decision": "decision",
    "call_missed": "mark",
    "call_callback": "mark",
}


class Known(NamedTuple):
    """An archive, and the planner of its queries."""

    archive: Archive
    planner: Planner
    db: sqlite3.Connection


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    path = tmp_path_factory.mktemp("planner") / "archive.db"
    fill(path, CALLS)
    db, _ = connection.connect(path)
    with Archive(path) as archive:
        yield Known(archive, Planner(db, archive.index), db)
    db.close()


def query_of(text: str) -> Query:
    query = parse(text, START, UTC, lambda word: True)
    assert not query.problems, query.problems
    return query


def source_of(known: Known, text: str, limit: int | None = None) -> str:
    """Where the calls of a query are read, in a word."""
    parts = known.planner.parts_of(query_of(text))
    if known.planner.scan(parts):
        return "scan"
    plan = known.planner.plan(parts, limit)
    if plan.condition == "0":
        return "nothing"
    return next((name for sign, name in SOURCES.items() if sign in plan.source), "time")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("", "time"),
        ("9:00..17:00", "time"),
        ("2025-01-02..2025-03-04", "time"),
        ("2025-01-02 2025-03-04", "scan"),
        ("missed", "scan"),
        ("missed dur>60 tag:tag1 -in", "scan"),
        ("open-miss 2025-01-02..2025-12-04", "scan"),
        ("id:c5", "id"),
        ("id:c5 missed", "id"),
        ("-id:c5", "time"),
        ("#0800", "number"),
        ("-#0800", "time"),
        ("#08001234567 id:c5", "id"),
        ("ref17x", "words"),
        ("ref17x missed dur>3", "words"),
        ("ref17x #0800", "words"),
        ("-ref17x", "time"),
        ("group", "words"),
        ("group missed", "words"),
        ("group open-miss answered", "bitmaps"),
        ("lead:17", "words"),
        ("missed answered 9:00..17:00", "words"),
        ("open-miss 9:00..17:00", "bitmaps"),
        ("dur>3000 9:00..17:00", "bitmaps"),
        ("triaged:7d 9:00..17:00", "decision"),
        ("-triaged:7d 9:00..17:00", "time"),
        ("nosuchword", "nothing"),
        ("nosuchword missed", "nothing"),
        ("rec -rec 9:00..17:00", "nothing"),
        ("held 9:00..17:00", "nothing"),
    ],
)
def test_a_query_is_read_from_where_its_calls_are_fewest(
    known: Known, text: str, source: str
) -> None:
    assert source_of(known, text) == source


MANY: dict[str, int] = {"FEW_SLOTS": 0, "MOST_SLOTS": 0, "RARE": 0}
"""Bounds by which nothing here is rare."""


@pytest.mark.parametrize(
    ("text", "bounds", "source"),
    [
        ("open-miss 9:00..17:00", {}, "mark"),
        ("callback 9:00..17:00", {}, "mark"),
        ("-open-miss 9:00..17:00", {}, "time"),
        ("missed 9:00..17:00", {}, "words"),
        ("untriaged 9:00..17:00", {}, "words"),
        # 800 calls have the number, 26 wait, 64 have the name
        ("#0800", {"FEW_CALLS": 800}, "number"),
        ("#0800", {"FEW_CALLS": 799}, "time"),
        ("#0800 id:c5", {"FEW_CALLS": 0}, "id"),
        ("open-miss group 9:00..17:00", {"FEW_CALLS": 0}, "mark"),
        ("open-miss ref 9:00..17:00", {"FEW_CALLS": 0}, "mark"),
        ("open-miss ref17x 9:00..17:00", {"FEW_CALLS": 0}, "words"),
        ("open-miss contact:alice", {"FEW_CALLS": 0}, "mark"),
        ("open-miss 9:00..17:00 agent:rachel", {"FEW_CALLS": 0}, "words"),
        ("open-miss 9:00..17:00 agent:rachel", {"FEW_CALLS": 26}, "mark"),
        ("open-miss 9:00..17:00 agent:rachel", {"FEW_CALLS": 25}, "words"),
        ("open-miss -agent:rachel contact:alice", {"FEW_CALLS": 0}, "mark"),
        ("triaged:2025-01-01..2026-11-30 9:00..17:00", {"MANY_CALLS": 800}, "decision"),
        ("triaged:2025-01-01..2026-11-30 9:00..17:00", {"MANY_CALLS": 100}, "time"),
    ],
)
def test_what_many_calls_have_is_read_another_way(
    known: Known, monkeypatch: pytest.MonkeyPatch, text: str, bounds: dict[str, int], source: str
) -> None:
    for name, bound in (MANY | bounds).items():
        monkeypatch.setattr(planner, name, bound)
    assert source_of(known, text) == source


def test_a_beginning_of_many_words_is_looked_up_only_where_they_are_soon_met(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "RARE", 0)
    monkeypatch.setattr(planner, "FEW_WORDS", 5)
    # "ref" begins some 330 words of as many calls; a page of 50 is met by reading 120 calls
    assert source_of(known, "ref", limit=50) == "time"
    monkeypatch.setattr(planner, "LOOKUP", 0.1)
    assert source_of(known, "ref", limit=50) == "words"
    monkeypatch.setattr(planner, "MANY_WORDS", 20)
    assert source_of(known, "ref", limit=50) == "time"


def test_lengths_are_looked_up_by_their_bucket_unless_they_are_common(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "FEW_SLOTS", 0)
    monkeypatch.setattr(planner, "MOST_SLOTS", 0)
    assert source_of(known, "dur>3500 9:00..17:00") == "words"
    assert source_of(known, "dur>30 9:00..17:00") == "time"
    monkeypatch.setattr(planner, "COMMON", 1.0)
    assert source_of(known, "dur>30 9:00..17:00") == "words"


@pytest.mark.parametrize(
    ("text", "enough"),
    [("ref17x", True), ("group", True), ("#0800", True), ("group missed", False), ("", False)],
)
def test_places_alone_answer_what_the_index_knows(known: Known, text: str, enough: bool) -> None:
    plan = known.planner.plan(known.planner.parts_of(query_of(text)))
    assert bool(plan.places) is (enough or text == "group missed")
    sql = plan.select("count(*)", places_only=True)
    assert known.db.execute(sql, plan.values).fetchone() == (known.archive.count(query_of(text)),)


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("group", CALLS),
        ("grou", CALLS),
        ('"group"', 0),
        ("-group", 0),
        ("group missed", 0),
        ("group 2025-01-02", 0),
        ("contact:alice", 0),
        ("two words", 0),
        ("missed", 0),
        ("nosuchword", 0),
    ],
)
def test_how_many_match_at_least_is_known_of_one_word(known: Known, text: str, least: int) -> None:
    assert known.planner.at_least(known.planner.parts_of(query_of(text))) == least


def test_all_periods_are_one_condition_on_time(known: Known) -> None:
    assert known.planner.parts_of(query_of("missed")).spans == [ALWAYS]
    assert len(known.planner.parts_of(query_of("-2025-01-02 missed")).spans) == 2


def test_words_beside_lengths_find_what_has_both(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        with archive.transaction():
            archive.save("desk", [call(number) for number in range(130)])
        for text, count in {
            "contact dur>64": 65,
            "contact dur<=64": 65,
            "-contact dur>64": 0,
            "contact -dur>64": 65,
            "sale dur=7": 1,
            "contact dur>64 dur<70": 5,
        }.items():
            query = query_of(text)
            assert (archive.count(query), len(archive.keys(query))) == (count, count), text
            assert len(archive.keys(query, limit=200)) == count, text
