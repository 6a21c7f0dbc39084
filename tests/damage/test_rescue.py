"""Reading round damage that SQLite does not complain of."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.damage.conftest import PAGE, Desk
from tui.archive.errors import ArchiveBusy
from tui.archive.sqlite.repair import repair
from tui.archive.sqlite.replacement import folder_of
from tui.archive.sqlite.row_recovery import Damaged, open_damaged


def test_a_page_in_anothers_place_hides_no_row_but_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA page_size = {PAGE}")
        db.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, text)")
        db.execute("CREATE TABLE other (number INTEGER PRIMARY KEY, text)")
        db.executemany("INSERT INTO event VALUES (?, ?)", [(n, "x" * 200) for n in range(1, 201)])
        db.executemany(
            "INSERT INTO other VALUES (?, ?)", [(n << 30, "y" * 200) for n in range(1, 201)]
        )
        db.commit()
        leaves = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
        try:
            mine, others = (db.execute(leaves, (name,)).fetchall() for name in ("event", "other"))
        except sqlite3.OperationalError:
            pytest.skip("this SQLite does not tell which page is whose")
    one, other = ((pages[3][0] - 1) * PAGE for pages in (mine, others))
    data = bytearray(path.read_bytes())
    first, second = bytes(data[one : one + PAGE]), bytes(data[other : other + PAGE])
    data[one : one + PAGE], data[other : other + PAGE] = second, first
    path.write_bytes(data)
    with closing(open_damaged(path)) as db:
        one_by_one = {
            row
            for number in range(1, 201)
            for row in db.execute("SELECT seq, text FROM event WHERE seq = ?", (number,))
        }
        damaged = Damaged(db)
        rows = {row for row in damaged.numbered("event", ["text"]) if row[1].startswith("x")}
    assert 150 < len(one_by_one) < 200
    assert rows == one_by_one
    assert damaged.torn == {"event"}


def test_a_new_archive_that_is_not_whole_in_its_file_replaces_nothing(desk: Desk) -> None:
    """As on a disk that is full at the very end: SQLite says nothing when it closes a file."""
    desk.put_back(desk.whole[: 75 * PAGE])
    before = desk.path.read_bytes()
    new = folder_of(desk.path) / "new.db"
    with ExitStack() as readers:

        def hold_the_log(_: int) -> None:
            reader = readers.enter_context(closing(sqlite3.connect(new, isolation_level=None)))
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM call").fetchone()

        with pytest.raises(ArchiveBusy, match="its log"):
            repair(desk.path, hold_the_log)
    assert desk.path.read_bytes() == before and not folder_of(desk.path).exists()
    assert desk("doctor --repair")[0] == 3


def test_an_index_that_does_not_hold_together_is_no_whole_archive(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.path)) as db:
        [(size,)] = db.execute(
            "SELECT length(block) FROM search_data WHERE id > 10 LIMIT 1"
        ).fetchall()
        db.execute(
            "UPDATE search_data SET block = zeroblob(?) WHERE id IN"
            " (SELECT id FROM search_data WHERE id > 10 LIMIT 1)",
            (size,),
        )
        db.commit()
    before = desk.path.read_bytes()
    assert "does not hold together" in desk("doctor --deep")[1]
    assert desk.path.read_bytes() == before
    code, out, _ = desk("doctor --repair")
    assert "nothing to repair" not in out and code == 0
    assert "PROBLEM  archive" not in desk("doctor --deep")[1]
