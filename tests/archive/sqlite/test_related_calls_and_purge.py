"""Calls that belong together, and calls that go for good: out of the file itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest

from providers.base import Names
from providers.model import Call, CompanyNumber, Contact, Disposition
from tests.archive.calls import START, call
from tests.archive.database import make_older, read, unpack_details
from tui.archive.sqlite import Archive
from tui.archive.triage_events import comment, note, tag
from tui.query.parser import parse

NUMBER = "+49 30 9876-54321"
FORMS = ("+49 30 9876-54321", "030987654321", "(030) 987654321", "0049.30.98 76 54 321")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "data" / "archive.db")
    with archive.transaction():
        for account in ("desk", "eu"):
            archive.set_region(account, "DE")
    return archive


def save(archive: Archive, *calls: Call, account: str = "desk") -> None:
    with archive.transaction():
        archive.save(account, calls)


def key(archive: Archive, id_: str, account: str = "desk") -> int:
    found = archive.key_of(account, id_)
    assert found is not None
    return found


def related(archive: Archive, id_: str, limit: int = 20) -> list[tuple[str, str]]:
    found = archive.related(key(archive, id_), limit)
    return [(f"{row.account}:{row.id}", relation) for row, relation in found]


def of(number: int, phone: str | None) -> Call:
    return call(number, contact=Contact(name=f"C{number}", number=phone))


def raw(archive: Archive) -> bytes:
    """Every byte of the archive's files."""
    return b"".join(path.read_bytes() for path in archive.path.parent.iterdir())


def test_a_number_is_met_in_every_form_over_all_accounts_newest_first(archive: Archive) -> None:
    save(archive, of(1, FORMS[0]), of(2, FORMS[1]), of(9, "+12025550123"))
    save(archive, of(3, FORMS[2]), of(4, FORMS[3]), account="eu")
    same = "same number"
    assert related(archive, "1") == [("eu:4", same), ("eu:3", same), ("desk:2", same)]
    assert related(archive, "1", limit=2) == [("eu:4", same), ("eu:3", same)]
    assert related(archive, "9") == []


def test_hidden_numbers_are_not_the_same_number(archive: Archive) -> None:
    save(archive, of(1, "anonymous"), of(2, "anonymous"), of(3, None), of(4, None), of(5, "12"))
    assert [related(archive, id_) for id_ in "12345"] == [[]] * 5


@pytest.mark.parametrize("withheld", ["000", "0000000", "+266696687"])
def test_a_withheld_number_takes_nobody_along(archive: Archive, withheld: str) -> None:
    save(archive, of(1, "+442079460000"), of(2, withheld), of(3, "+12660000000"))
    assert archive.keys_of_number(withheld) == []


def test_original_and_transferred_calls_know_each_other(archive: Archive) -> None:
    first, second = call(1), call(2, original_call_id="1")
    third = call(3, original_call_id="1")
    save(archive, first, second, third)
    save(archive, of(1, "+1"), account="eu")  # of the same id, at another account
    assert related(archive, "2") == [("desk:3", "same call"), ("desk:1", "original")]
    assert related(archive, "1") == [("desk:3", "transferred"), ("desk:2", "transferred")]


def test_calls_of_one_history_belong_together_and_a_change_is_followed(archive: Archive) -> None:
    save(archive, call(1, history_id="h"), call(2, history_id="h"), call(3, history_id="i"))
    assert related(archive, "1") == [("desk:2", "same call")]
    assert archive.call_by_id("desk", "1") == call(1, history_id="h")
    save(archive, call(2, history_id="i"))
    assert related(archive, "1") == []
    assert related(archive, "2") == [("desk:3", "same call")]


def test_a_number_is_found_by_an_index(archive: Archive) -> None:
    plan = read(
        archive.path,
        "EXPLAIN QUERY PLAN SELECT key FROM call WHERE number_key = ?"
        " ORDER BY started_at DESC, key DESC LIMIT 9",
        ("1",),
    )
    assert "call_by_number" in plan[0][3], plan


def test_a_purge_takes_the_number_out_of_the_file(archive: Archive) -> None:
    secret = "Ottilie Geheim"
    gone = [
        call(
            n, contact=Contact(name=secret, number=form), disposition=Disposition("x", f"re {form}")
        )
        for n, form in enumerate(FORMS, 1)
    ]
    gone.append(call(8, contact=Contact(name=secret), from_=FORMS[1]))
    # many more, so that pages are shared with calls that stay
    stay = [of(n, f"+1202555{n:04}") for n in range(20, 400)]
    save(archive, *gone, *stay)
    said = [note(f"rang {FORMS[0]}"), comment(f"{secret} laughs", 3.0), tag(FORMS[1])]
    archive.triage.append([("desk", "1"), ("desk", "2")], said, "ann")
    archive.triage.append([("desk", "20")], [note("stays")], "ann")
    names = Names()
    names.put("lead", "7", {"title": secret, "phone": FORMS[0]})
    names.put("lead", "8", {"title": "other", "phone": "+1"})
    with archive.transaction():
        archive.save_names("desk", names)
    before = raw(archive)
    assert b"987654321" in before and secret.encode() in before
    keys = archive.keys_of_number("0049 30 987654321")
    assert {archive.call(one)[1].id for one in keys} == {"1", "2", "3", "4", "8"}  # type: ignore[index]
    purged, rewritten = archive.purge(keys, NUMBER)
    assert (purged.calls, purged.names, rewritten) == (5, 1, True)
    after = raw(archive)
    for form in (*FORMS, "987654321", secret):
        assert form.encode() not in after, form
    assert archive.triage.of("desk", "20").note == "stays"
    assert [archive.count(parse(word, START, UTC)) for word in ("laughs", "stays")] == [0, 1]
    assert archive.count() == len(stay) and archive.mentions(NUMBER) == 0
    assert ("lead", "8") in archive.names("desk").known


def test_a_purged_call_does_not_come_back(archive: Archive) -> None:
    save(archive, of(1, NUMBER), of(2, NUMBER), of(3, "+1"))
    archive.purge([key(archive, "1")])
    with archive.transaction():
        saved = archive.save("DESK", [of(1, NUMBER), of(2, NUMBER)])
    assert (saved.new, saved.same) == (0, 1)
    assert archive.call_by_id("desk", "1") is None and archive.key_of("desk", "1") is None
    assert "1" in archive.settled_ids("desk", START.timestamp(), 1e12)
    archive.remove_account("desk")
    save(archive, of(1, NUMBER))
    assert archive.call_by_id("desk", "1") is not None, "an account that was removed begins anew"


def test_the_companys_own_line_is_nobodys_number(archive: Archive) -> None:
    line = CompanyNumber(NUMBER)
    save(archive, call(1, to=FORMS[1], company_number=line), call(2, from_=NUMBER))
    assert archive.keys_of_number(NUMBER) == [key(archive, "2")]
    archive.purge(archive.keys_of_number(NUMBER), NUMBER)
    assert archive.mentions(NUMBER) == 1


def test_calls_before_a_moment(archive: Archive) -> None:
    save(archive, call(1), call(2), call(3), call(4, started_at=None))
    keys = archive.keys_before(START.timestamp() + 150)
    assert keys == [key(archive, "1"), key(archive, "2")]


def test_another_reader_delays_the_rewriting_and_is_not_disturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.archive.sqlite.connection.BUSY_S", 0.1)
    archive = Archive(tmp_path / "archive.db")
    save(archive, of(1, NUMBER), of(2, "+1"))
    other = sqlite3.connect(archive.path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM call").fetchone()
    purged, rewritten = archive.purge(archive.keys_of_number(NUMBER), NUMBER)
    assert (purged.calls, rewritten) == (1, False)
    assert other.execute("SELECT count(*) FROM call").fetchone() == (2,)
    other.execute("COMMIT")
    other.close()
    archive.close()
    assert b"9876" not in raw(archive), "the log went with the last connection"


def test_an_archive_of_before_migrates_with_its_calls(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    source = Archive(tmp_path / "new.db")
    save(source, of(1, NUMBER), call(2, original_call_id="1", contact=Contact(number=FORMS[1])))
    source.close()
    with closing(sqlite3.connect(tmp_path / "new.db")) as new, new:
        unpack_details(new)
    db = make_older(path, 1)
    for table in ("call", "detail"):
        rows = read(source.path, f"SELECT * FROM {table}")
        # the columns that the first schema had come first
        width = len(db.execute(f"SELECT * FROM {table}").description)
        marks = ",".join("?" * width)
        db.executemany(f"INSERT INTO {table} VALUES ({marks})", [row[:width] for row in rows])
    db.commit()
    db.close()
    with Archive(path) as archive:
        assert archive.count() == 2
        assert related(archive, "2") == [("desk:1", "original")]
        assert related(archive, "1") == [("desk:2", "transferred")]
