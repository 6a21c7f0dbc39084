"""Each way in which an archive's file may be wrong: what is said, what is left alone, what helps."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from random import Random

import pytest
from textual.worker import WorkerFailed

from tests.damage.conftest import PAGE, Desk, fill, zeroed
from tests.slow_params import few
from tests.ui.calls_page import CallsPage, open_page
from tui.app import RingbackApp
from tui.archive.errors import ArchiveDamaged, ArchiveError
from tui.archive.sqlite import Archive, decision_backup
from tui.archive.sqlite.damage import mark_of
from tui.archive.sqlite.details import body_text
from tui.archive.sqlite.migrations import APPLICATION, MIGRATIONS
from tui.archive.sqlite.replacement import folder_of, kept_of
from tui.services import Services

LINES = ["calls", "calls --json", "show desk:7", "triage desk:9 --state done", "sync", "import desk 7.json",
         "purge --before 2020-01-01 --yes", "accounts list", "paths", "doctor"]  # fmt: skip


def sql(*statements: str) -> Callable[[Desk], None]:
    """The archive after these statements of somebody."""

    def change(desk: Desk) -> None:
        with closing(sqlite3.connect(desk.path, isolation_level=None)) as db:
            db.create_function("body_text", 1, body_text)
            for statement in statements:
                db.execute(statement)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return change


def content(change: Callable[[bytes], bytes]) -> Callable[[Desk], None]:
    return lambda desk: desk.put_back(change(desk.whole))


def folder(desk: Desk) -> None:
    desk.path.unlink()
    desk.path.mkdir()
    (desk.path / "mine").write_text("mine")


def foreign_log(desk: Desk) -> None:
    """The write-ahead log of another archive, as one gets who copies a backup over the archive."""
    other = desk.folder / "other.db"
    fill(other, Random(99))
    with closing(sqlite3.connect(other, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE call SET note = 'of another archive', words = words || ' other '")
        db.execute("UPDATE event SET by = 'somebody'")
        for beside in ("-wal", "-shm"):
            shutil.copyfile(f"{other}{beside}", f"{desk.path}{beside}")


def beside(ending: str, data: bytes | None) -> Callable[[Desk], None]:
    def put(desk: Desk) -> None:
        path = desk.path.with_name(desk.path.name + ending)
        path.mkdir() if data is None else path.write_bytes(data)

    return put


DAMAGE: dict[str, Callable[[Desk], None]] = {
    "not a database": content(lambda data: b"hello, world\n" * 9000),
    "no header": content(lambda data: bytes(100) + data[100:]),
    "half a page": content(lambda data: data[: len(data) // PAGE // 2 * PAGE + 77]),
    "a page": content(lambda data: data[:PAGE]),
    "some bytes": content(lambda data: data[:60]),
    "first page": content(lambda data: data[:100] + bytes(PAGE - 100) + data[PAGE:]),
    "folder": folder,
    "absurd version": sql("PRAGMA user_version = 1073741824"),
    "below zero": sql("PRAGMA user_version = -3"),
    "another program's": sql("PRAGMA application_id = 77"),
    "no table event": sql("DROP TABLE event"),
    "no table detail": sql("DROP TABLE detail"),
    "no table search": sql("DROP TABLE search"),
    "no column": sql("ALTER TABLE event RENAME COLUMN body TO bodies"),
    "no text": sql("UPDATE call SET contact = CAST(x'c3c3c3' AS TEXT)"),
    "no text in a page": sql("UPDATE detail SET body = CAST(x'7b2261223a22c3227d' AS TEXT)"),
    "no JSON": sql("UPDATE detail SET body = replace(body_text(body), '{', '[')"),
    "cut details": sql("UPDATE detail SET body = substr(body, 1, length(body) - 9)"),
    "other details": sql("UPDATE detail SET body = zeroblob(length(body))"),
    "other types": sql("UPDATE call SET duration_s = 'long', recordings = x'00', state = 7, started_at = 'x'"),
    "unindexed empty": sql("DELETE FROM unindexed"),
    "odd triage": sql("UPDATE triage SET tags = '[', at = 'x'"),
    "odd events": sql("UPDATE event SET body = '[]' WHERE seq % 3 = 0", "UPDATE event SET at = 'x' WHERE seq % 3 = 1"),
    "odd bits": sql("UPDATE bits SET bits = 'text'", "DELETE FROM token WHERE n = 0"),
    "foreign log": foreign_log,
    "odd heard": sql("UPDATE heard SET heard_at = 'long'"),
}  # fmt: skip
SUSPECT = {
    "odd heard",
    "no JSON",
    "cut details",
    "other details",
    "other types",
    "unindexed empty",
    "odd triage",
    "odd events",
    "odd bits",
    "foreign log",
}
"""What SQLite itself finds nothing wrong with; a look at every row may."""


@pytest.mark.parametrize("kind", few(1, DAMAGE))
def test_words_instead_of_tracebacks_and_decisions_come_back(desk: Desk, kind: str) -> None:
    desk.put_back()
    DAMAGE[kind](desk)
    for line in LINES:
        before = desk.path.read_bytes() if mark_of(desk.path).exists() else b""
        _, out, err = desk(line)
        assert len(err.splitlines()) <= 4, err
        assert not before or desk.path.read_bytes() == before, line
    if kind not in SUSPECT:
        code, out, err = desk("triage desk:9 --state done")
        assert code == 1 and "damaged" in err and "doctor --repair" in err, err
        code, out, _ = desk("doctor")
        assert code == 1 and "PROBLEM  archive" in out
    code, out, err = desk("doctor --repair")
    assert code in (0, 3), err
    now = {row[1:] for row in desk.decided().values()}
    assert {row[1:] for row in desk.events.values()} <= now
    assert not mark_of(desk.path).exists() and not folder_of(desk.path).exists()
    assert "PROBLEM  archive" not in desk("doctor --deep")[1]
    assert desk("triage desk:9 --state open")[0] in (0, 1)
    assert desk("calls")[0] == 0


@pytest.mark.parametrize("kind", ["first page", "no header"])
def test_a_lost_first_page_costs_nothing_even_without_the_backup(desk: Desk, kind: str) -> None:
    DAMAGE[kind](desk)
    decision_backup.place_of(desk.path).unlink()
    assert desk("doctor --repair")[0] == 0
    assert desk.decided() == desk.events
    assert len(desk("calls --limit 500")[1].splitlines()) >= 150


def test_a_repair_that_finds_nothing_says_so(desk: Desk) -> None:
    DAMAGE["not a database"](desk)
    code, out, _ = desk("doctor --repair")
    assert code == 3 and "Nothing of the damaged archive could be read" in out


def test_a_sound_archive_is_said_to_be_so(desk: Desk) -> None:
    desk.put_back()
    for line in ("doctor", "doctor --deep"):
        assert "as written" in desk(line)[1]
    assert desk("doctor --repair")[:2] == (0, "The archive is whole; there is nothing to repair.\n")
    assert kept_of(desk.path) == []
    with closing(sqlite3.connect(desk.path)) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION,)


def test_a_later_archive_is_left_alone(desk: Desk) -> None:
    desk.put_back()
    sql(f"PRAGMA user_version = {len(MIGRATIONS) + 1}", "DROP TABLE bits")(desk)
    before = desk.path.read_bytes()
    for line in [*LINES[:7], "doctor", "doctor --repair"]:
        code, out, err = desk(line)
        assert code == 1 and "a later Ringback made this archive" in out + err, line
    assert desk.path.read_bytes() == before and not mark_of(desk.path).exists()


def test_an_empty_file_becomes_an_archive_with_the_decisions(desk: Desk) -> None:
    desk.put_back(b"")
    assert desk("triage desk:9")[0] in (0, 1)
    assert {row[1:] for row in desk.events.values()} == {row[1:] for row in desk.decided().values()}


@pytest.mark.parametrize(
    ("ending", "data"),
    few(1, [("-wal", b"x" * 5000), ("-wal", None), ("-shm", b"x" * 32768), ("-shm", None)]),
)
def test_something_in_the_place_of_the_log(desk: Desk, ending: str, data: bytes | None) -> None:
    desk.put_back()
    beside(ending, data)(desk)
    for line in LINES[:3]:
        desk(line)
    code, out, err = desk("doctor --repair")
    if data is None:  # a folder is told, and is the user's to take away
        assert code == 1 and f"archive.db{ending}" in out + err
        desk.path.with_name(desk.path.name + ending).rmdir()
    assert {row[1:] for row in desk.events.values()} <= {row[1:] for row in desk.decided().values()}


@pytest.mark.parametrize(
    "change",
    few(
        1,
        [
            "UPDATE known SET calls = calls + 1",
            "DELETE FROM word WHERE term = 'muller'",
            "DELETE FROM number WHERE n = 3",
            "UPDATE bits SET bits = x'ff' WHERE place = (SELECT max(place) FROM bits)",
        ],
    ),
)
def test_an_index_unlike_the_calls_is_found_by_a_deep_look_and_mended(
    desk: Desk, change: str
) -> None:
    sql(change)(desk)
    assert "the search index does not know" in desk("doctor --deep")[1]
    assert desk("triage desk:9 --state done")[0] == 1
    assert desk("doctor --repair")[0] == 0
    assert "PROBLEM  archive" not in desk("doctor --deep")[1]


def test_a_state_unlike_what_was_decided_is_found(desk: Desk) -> None:
    desk.put_back()
    sql("UPDATE triage SET state = 'snoozed'")(desk)
    assert "is not what was decided" in desk("doctor")[1]
    assert desk("doctor --repair")[0] == 0
    with closing(sqlite3.connect(desk.path)) as db:
        assert {row[:2]: row for row in db.execute("SELECT * FROM triage")} == desk.triage


def test_a_name_that_cannot_be_read_is_found_and_left_out(desk: Desk) -> None:
    """A flipped bit in it is none that SQLite sees; the sync asks the vendor for it again."""
    sql("INSERT INTO name VALUES ('desk', 'agent', '1', '{\"name\":\"A')",
        "INSERT INTO name VALUES ('desk', 'agent', '2', '{\"name\":\"B\"}')")(desk)  # fmt: skip
    code, out, _ = desk("doctor --deep")
    assert code == 1 and "names of vendors that cannot be read: 1" in out
    assert desk("doctor --repair")[0] == 0
    with Archive(desk.path) as archive:
        assert [*archive.names("desk").known] == [("agent", "2")]


def test_decisions_that_nobody_can_count_are_said_to_be_lost_perhaps(desk: Desk) -> None:
    """Where neither the table nor its index nor the backup has them, nothing tells how many."""
    desk.put_back(desk.whole[: 75 * PAGE], with_backup=False)
    code, out, _ = desk("doctor --repair")
    assert code == 3
    assert "Perhaps decisions are lost" in out and "perhaps calls" in out


def test_an_archive_put_back_by_hand_is_written_again(desk: Desk) -> None:
    desk.put_back(zeroed(desk.whole, Random(1)))
    with pytest.raises(ArchiveDamaged), Archive(desk.path) as archive:
        raise archive._db.found("a test")
    assert desk("triage desk:9 --state done")[0] == 1
    good = desk.folder / "good.db"
    good.write_bytes(desk.whole)
    good.replace(desk.path)  # another file: the mark is not about it
    assert desk("triage desk:9 --state done")[0] == 0
    with Archive(desk.path) as archive:
        archive._db.found("a test")
    desk.path.write_bytes(desk.whole)  # the same file with other content
    assert desk("triage desk:9 --state done")[0] == 1
    desk("doctor --deep")
    assert desk("triage desk:9 --state done")[0] == 0


def test_what_one_finds_stops_the_others(desk: Desk) -> None:
    desk.put_back()
    with Archive(desk.path) as one, Archive(desk.path) as other:
        one._db.found("a test")
        with pytest.raises(ArchiveDamaged), other.transaction():
            pass
        assert other.call_by_id("desk", "7")
        with pytest.raises(ArchiveDamaged):
            other.listening.note("desk", "7", "#0", 1.0, 2.0, None)
    with Archive(desk.path) as later:
        assert isinstance(later.read_only, ArchiveDamaged)


def test_decisions_of_the_backup_come_into_a_whole_archive(desk: Desk) -> None:
    desk.put_back()
    sql("DELETE FROM event WHERE seq > 200")(desk)
    assert "in its backup alone: " in desk("doctor")[1]
    assert desk("doctor --repair")[0] == 0
    assert {row[1:] for row in desk.events.values()} == {row[1:] for row in desk.decided().values()}


def test_a_kept_archive_is_told_of_and_private(desk: Desk) -> None:
    desk.put_back(desk.whole[: 75 * PAGE])
    _code, out, _ = desk("doctor --repair")
    [kept] = kept_of(desk.path)
    assert str(kept) in out and kept.read_bytes() == desk.whole[: 75 * PAGE]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert str(kept) in desk("doctor")[1]
    assert (
        "decisions" in desk("paths")[1]
        and str(decision_backup.place_of(desk.path)) in desk("paths")[1]
    )


def test_a_purge_names_the_kept_archive_and_sweeps_what_a_repair_left(desk: Desk) -> None:
    desk.put_back(desk.whole[: 75 * PAGE])
    desk("doctor --repair")
    folder_of(desk.path).mkdir()
    code, out, _ = desk("purge --number +12025550011 --yes")
    assert code == 3 and str(kept_of(desk.path)[0]) in out
    assert not folder_of(desk.path).exists()


@pytest.mark.parametrize("seed", few(1, range(12)))
async def test_the_screen_shows_what_is_whole_and_keeps_nothing(desk: Desk, seed: int) -> None:
    desk.put_back(zeroed(desk.whole, Random(seed)))
    try:
        with Archive(desk.path) as archive:
            archive._db.found("a page of it")
    except ArchiveDamaged:  # nothing of it can be read: it is said before there is a screen
        return
    before = desk.path.read_bytes()
    async with open_page(Services.build(), size=(120, 30)) as page:
        await page.until(lambda: "damaged" in page.status)
        for key in (
            "d",
            "j",
            "enter",
            "escape",
            "t",
            "x",
            "enter",
            "G",
            "r",
            "slash",
            "m",
            "enter",
            "u",
        ):
            await page.press(key)
        await page.pause(0.3)
        assert page.screen
    assert page.app.return_code in (0, None) and page.app._exception is None
    assert desk.path.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE detail SET body = '{' WHERE key = 3",
        "UPDATE detail SET body = '[]' WHERE key = 3",
        "UPDATE detail SET body = CAST(x'ff' AS TEXT) WHERE key = 3",
        "UPDATE detail SET body = json_set(body_text(body), '$.agents', json('[{\"name\": 5}]')) WHERE key = 3",
        "UPDATE detail SET body = json_set(body_text(body), '$.tags', json('[5]')) WHERE key = 3",
        "DELETE FROM detail WHERE key = 3",
    ],
)
def test_a_damaged_call_costs_no_other_in_an_export(desk: Desk, statement: str) -> None:
    whole = desk("calls --json")[1].splitlines()
    sql(statement)(desk)
    for line in ("calls --json", "calls --json --masked", "calls --csv"):
        code, out, err = desk(line)
        assert code == 3 and "left out: 1 damaged call: desk:" in err, line
        assert "ringback doctor --repair" in err
        assert len(out.splitlines()) == len(whole) - ("json" in line), line


def test_a_damaged_line_costs_no_other_in_the_table(desk: Desk) -> None:
    whole = desk("calls")[1].splitlines()
    sql("UPDATE call SET agents = x'ff' WHERE key = 3")(desk)
    code, out, err = desk("calls")
    assert code == 3 and len(out.splitlines()) == len(whole) - 1
    assert "left out: 1 damaged call" in err and "ringback doctor --repair" in err


def test_damaged_lines_of_the_backup_are_told_and_written_again(desk: Desk) -> None:
    place = decision_backup.place_of(desk.path)
    whole = decision_backup.read(desk.path)
    lines = place.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"', b"'", 1)
    lines[5] = lines[5][:20] + b"\n"
    place.write_bytes(b"".join(lines))
    assert "damaged in its backup: 2 lines; ringback doctor --repair" in desk("doctor")[1]
    code, out, _ = desk("doctor --repair")
    assert code == 0 and "had 2 damaged lines; it is written again" in out
    assert decision_backup.read(desk.path) == whole
    assert "damaged in its backup" not in desk("doctor")[1]


@pytest.mark.parametrize("index_too", [False, True])
def test_a_damaged_name_of_an_account_makes_no_account(desk: Desk, index_too: bool) -> None:
    with closing(sqlite3.connect(desk.path)) as db:
        account, id_ = db.execute(
            "SELECT account, id FROM call ORDER BY length(id) DESC, id DESC LIMIT 1"
        ).fetchone()
    with Archive(desk.path) as archive:
        before = archive.counts_by_account()
    desk.put_back()
    data, name = desk.path.read_bytes(), f"{account}{id_}".encode()
    at, changed = -1, 0
    while (at := data.find(name, at + 1)) >= 0:
        in_index = data[at - at % PAGE] == 0x0A
        if index_too or not in_index:
            end = at + len(account)
            data = data[: end - 1] + (b"!" if in_index else b"~") + data[end:]
            changed += 1
    assert changed >= 1 + index_too
    desk.path.write_bytes(data)
    sql("UPDATE detail SET body = '{' WHERE key = 2")(desk)  # there is something to repair
    code, out, _ = desk("doctor --repair")
    assert code == 3 and ("Left out: 1 call of an account that nobody knows" in out) == index_too
    with Archive(desk.path) as archive:
        assert archive.counts_by_account().keys() == before.keys()
        assert (archive.call_by_id(account, id_) is None) == index_too


CONTENT = sorted(SUSPECT - {"foreign log"})
"""What only reading meets, wherever a key, a paint or a worker reads it."""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
@pytest.mark.parametrize("kind", few(1, ["odd heard", *CONTENT]))
def test_the_screen_ends_in_words_over_what_only_reading_meets(desk: Desk, kind: str) -> None:
    from tests.ui.terminal import Program

    desk.put_back()
    DAMAGE[kind](desk)
    with Program("tui.cli", columns=180, rows=30, RINGBACK_TOKEN_DESK="x") as program:
        program.read(wait_s=5.0, quiet_s=1.0)
        with suppress(OSError):  # it has ended
            program.press("j\rjGgtx\rdu/m\r", wait_s=2.0)
            program.write("\x11")
        code, _ = program.ended(time.monotonic(), 60)
        said = program.output.rpartition(b"\x1b[?1049l")[2].decode()
        assert program.restored
    assert "Traceback" not in said, said
    assert code in (0, 1, 3)
    if code == 1:
        assert "the archive is damaged" in said and "ringback doctor --repair" in said


@pytest.mark.parametrize("error", [ArchiveDamaged("a row"), ArchiveError("a page")])
@pytest.mark.parametrize("worker", [True, False])
async def test_what_of_the_archive_ends_the_screen_is_kept_for_the_terminal(
    desk: Desk, error: Exception, worker: bool
) -> None:
    def fail() -> None:
        raise error

    async def work() -> None:
        fail()

    app = RingbackApp(Services.build())
    with pytest.raises((WorkerFailed, type(error))):
        async with app.run_test() as pilot:
            page = CallsPage(pilot)
            await page.pause()
            if worker:
                app.run_worker(work())
            else:
                app.call_later(fail)
            await page.until(lambda: app.trouble is not None)
    assert app.trouble is not None and str(error) in app.trouble.message and app.trouble.hint
    assert not app._exit_renderables and app.return_code == 1


@pytest.mark.parametrize("failure", ["damaged page", "odd value"])
async def test_a_worker_that_meets_damage_tells_how_it_is_mended(desk: Desk, failure: str) -> None:
    desk.put_back()
    if failure == "odd value":
        DAMAGE["odd triage"](desk)
        with closing(sqlite3.connect(desk.path)) as db:
            name = db.execute("SELECT account, id FROM triage LIMIT 1").fetchone()

    async def read() -> None:
        if failure == "damaged page":
            raise ArchiveDamaged("a page")
        with Archive(desk.path) as archive:
            archive.triage.of(*name)

    async with open_page(Services.build(), size=(120, 30)) as page:
        await page.idle()
        page.screen.run_worker(read(), exit_on_error=False)
        await page.until(lambda: "the archive is damaged" in page.notices)
        assert "ringback doctor --repair" in page.notices
