"""Archives that an older Ringback made answer every query at once, and are brought up to date."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from random import Random

from tests.archive.database import make_older, migrations_before, read, unpack_details
from tests.contract.search_model import (
    NOW,
    Ours,
    World,
    check,
    decide,
    expected,
    found_by,
    random_call,
)
from tui.archive.sqlite import Archive
from tui.query.parser import EVERYTHING, parse
from tui.query.phone_numbers import digits


def test_an_archive_from_before_the_index_answers_at_once_and_is_brought_in(tmp_path: Path) -> None:
    path, random = tmp_path / "archive.db", Random(9)
    old = make_older(path, migrations_before("VIRTUAL TABLE search"))
    new_path = tmp_path / "new.db"
    with Archive(new_path) as new, new.transaction():
        calls = [random_call(number, random) for number in range(1, 121)]
        new.save("eu", calls)
        world: World = {("eu", call.id): (call, Ours()) for call in calls}
    with closing(sqlite3.connect(new_path)) as new_db, new_db:
        unpack_details(new_db)
    old.execute("ATTACH ? AS new", (str(new_path),))
    columns = [row[1] for row in old.execute("PRAGMA main.table_info(call)")]
    names = ", ".join(columns)
    old.execute(f"INSERT INTO main.call ({names}) SELECT {names} FROM new.call")
    old.execute("INSERT INTO main.detail SELECT * FROM new.detail")
    old.close()
    with Archive(path) as archive, Archive(new_path) as new:
        # the queue stands in the old calls' JSON alone
        for line in ("muller", "in", "-missed dur>3", "#0123", "tag:and", "agent:mull"):
            query = parse(line, NOW, UTC)
            assert set(found_by(archive, query)) == expected(query, world), line
        left = [archive.index_more(50) for _ in range(6)]
        assert left == [70, 20, 120, 70, 20, 0] and archive.index_more() == 0
        assert {type(body) for (body,) in read(path, "SELECT body FROM detail")} == {bytes}
        check(archive, world, count=60, seed=2)
        assert json.dumps(archive.facets(EVERYTHING)) == json.dumps(new.facets(EVERYTHING))


def older(archive: Archive, db: sqlite3.Connection) -> None:
    """Write the calls' lines as they were before numbers had words and fields were kept."""
    with archive.transaction():
        changes = archive.index.changes()
        for key in Archive.keys(archive):
            with archive.index.updating(key, changes):
                found = archive.call(key)
                assert found
                call = replace(found[1], vendor_fields={})
                ends = (call.from_, call.to, call.contact.number, call.company_number.number)
                said = filter(None, map(digits, dict.fromkeys(filter(None, ends))))
                before = db.execute("SELECT words FROM call WHERE key = ?", (key,)).fetchone()[0]
                for lettered in ("anonymous", "sip bob pbx7 example", "1 800 flowers"):
                    before = before.replace(f" {lettered} ", " ")
                db.execute(
                    "UPDATE call SET fields = NULL, words = ?, digits = ? WHERE key = ?",
                    (before, " ".join(said), key),
                )
        changes.flush()


LETTERED = ("anonymous", "bob@pbx7", "1-800-flowers", "3569377", "flow", "number:anonymous")
FIELDS = (
    "lead:7",
    "-lead:7",
    "calltype:offnet",
    "leg:declined",
    "email:=anna@example.com",
    "sla:no",
)


def test_lines_without_fields_answer_at_once_and_are_filled(
    tmp_path: Path, connections: list[sqlite3.Connection]
) -> None:
    random = Random(4)
    with Archive(tmp_path / "archive.db") as archive:
        calls = [random_call(number, random) for number in range(1, 91)]
        with archive.transaction():
            archive.save("eu", calls)
        decide(archive, ("eu", "3"), Ours("done", ("mine",), "refund"))
        world: World = {("eu", call.id): (call, Ours()) for call in calls}
        world["eu", "3"] = (calls[2], Ours("done", ("mine",), "refund"))
        older(archive, connections[0])
        assert archive.index.unfilled() and not archive.index.unindexed()
        for line in (*LETTERED, *FIELDS, "muller", "in", "#0123"):
            query = parse(line, NOW, UTC)
            want = expected(query, world)
            assert set(found_by(archive, query)) == want and want, line
            assert archive.count(query) == len(want)
        check(archive, world, count=15, seed=5)
        assert archive.index_more(40) and archive.index_more(40)
        check(archive, world, count=10, seed=6)
        assert archive.index_more(40) == 0 == archive.index_more()
        assert not archive.index.unfilled()
        check(archive, world, count=20, seed=7)
        with Archive(tmp_path / "new.db") as new:
            with new.transaction():
                new.save("eu", calls)
            decide(new, ("eu", "3"), Ours("done", ("mine",), "refund"))
            for table in ("word", "known", "number"):
                names = {"word": "term, calls", "known": "*", "number": "digits, calls"}[table]
                of = [set(read(one.path, f"SELECT {names} FROM {table}")) for one in (archive, new)]
                assert of[0] == of[1], table
