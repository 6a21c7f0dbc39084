"""A page of calls is written as a set, and comes out as if each had come by itself."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from providers.model import Call, Contact, Outcome
from tests.archive.calls import START, call
from tui.archive.records import Saved
from tui.archive.sqlite import Archive

AGAIN = replace(call(3), contact=Contact(name="Renamed", number="+12025559999"))
PAGES = {
    "the same call twice in a page": [call(1), call(3), AGAIN, call(4)],
    "many calls of one moment": [call(number, started_at=START) for number in range(8)],
    "calls without a time": [call(number, started_at=None) for number in range(4)],
    "who waits, and who is called back": [
        call(9, contact=Contact(number="+12025550100"), outcome=Outcome.ANSWERED),
        call(2, contact=Contact(number="+12025550100"), outcome=Outcome.MISSED),
        call(5, contact=Contact(number="+12025550100"), outcome=Outcome.ANSWERED),
        call(6, contact=Contact(number="+12025550100"), outcome=Outcome.MISSED),
    ],
    "parts of a transfer": [call(2, original_call_id="1"), call(1, history_id="h")],
}
TABLES = (
    *("number", "call_number", "known", "word", "bits", "token", "thread", "search"),
    "SELECT key, id, place, slot, words, digits, number_key, missed, closed_by FROM call",
)


def told(path: Path, pages: list[list[Call]]) -> dict[str, list[tuple[object, ...]]]:
    """What the archive's tables hold after these pages."""
    with Archive(path) as archive:
        for page in pages:
            with archive.transaction():
                archive.save("desk", page)
    db = sqlite3.connect(path)
    try:
        db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search, instance)")
        rows = {
            name: db.execute(name if " " in name else f"SELECT * FROM {name}").fetchall()
            for name in TABLES
            if name != "search"
        }
        rows["search"] = db.execute("SELECT term, doc, offset FROM terms").fetchall()
    finally:
        db.close()
    tokens = dict(rows.pop("token"))
    numbers = {n: digits for n, digits, _ in rows["number"]}
    rows["bits"] = [(tokens[place >> 32], place & 0xFFFFFFFF, bits) for place, bits in rows["bits"]]
    rows["call_number"] = [(numbers[n], place) for n, place in rows["call_number"]]
    rows["number"] = [(digits, calls) for _, digits, calls in rows["number"]]
    return {name: sorted(found, key=repr) for name, found in rows.items()}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_is_as_its_calls_one_by_one(tmp_path: Path, page: list[Call]) -> None:
    alone = told(tmp_path / "alone.db", [[one] for one in page])
    assert alone["call_number"]
    assert told(tmp_path / "page.db", [page]) == alone


def test_a_page_longer_than_a_batch_is_kept_whole(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        with archive.transaction():
            saved = archive.save("desk", (call(number) for number in range(1_203)))
        assert saved == Saved(new=1_203)
        assert archive.count() == 1_203


def test_new_calls_are_looked_for_together(
    tmp_path: Path, connections: list[sqlite3.Connection]
) -> None:
    asked = dict[int, int]()
    for size in (20, 200):
        statements: list[str] = []
        with Archive(tmp_path / f"{size}.db") as archive:
            [*_, db] = connections
            db.set_trace_callback(statements.append)
            with archive.transaction():
                archive.save("desk", [call(number) for number in range(size)])
            db.set_trace_callback(None)
        asked[size] = sum(one.lstrip().startswith("SELECT") for one in statements)
    # the rest are the bits, of which each kind and day has a row
    assert asked[200] - asked[20] < 60
