"""What people decide about calls: a log, what it comes to, and that nothing overwrites it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from providers.model import Call
from tests.archive.calls import START, call
from tests.archive.database import make_older, read, write
from tui.archive.sqlite import Archive
from tui.archive.triage_events import (
    Change,
    Triage,
    comment,
    described,
    note,
    state,
    tag,
    untag,
)
from tui.query.parser import parse

AT = 1_800_000_000.0


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "archive.db")
    save(archive, *(call(number) for number in range(1, 7)))
    return archive


def save(archive: Archive, *calls: Call, account: str = "desk") -> None:
    with archive.transaction():
        archive.save(account, calls)


def names(*numbers: int) -> list[tuple[str, str]]:
    return [("desk", str(number)) for number in numbers]


def found(archive: Archive, text: str) -> str:
    keys = archive.keys(parse(text, START, UTC))
    return "".join(sorted(row.id for row in archive.rows(keys).window(0, len(keys))))


def lines(archive: Archive) -> list[tuple[object, ...]]:
    sql = "SELECT id, state, snoozed_until, triaged_at, our_tags, our_words FROM call ORDER BY id"
    return read(archive.path, sql)


def test_a_call_that_nobody_touched_is_new(archive: Archive) -> None:
    assert archive.triage.of("desk", "1") == Triage()
    assert Triage().printed() == {"state": "new", "note": None, "tags": [], "by": None, "at": None}


def test_changes_come_to_a_state_and_say_who_and_when(archive: Archive) -> None:
    archive.triage.append(names(1), [state("done"), note("called back"), tag("refund")], "ann", AT)
    archive.triage.append(names(1), [tag("VIP"), untag("Refund")], "ben", AT + 60)
    assert archive.triage.of("DESK", "1").printed() == {
        "state": "done",
        "note": "called back",
        "tags": ["VIP"],
        "by": "ben",
        "at": "2027-01-15T08:01:00Z",
    }
    [row] = [row for row in archive.rows(archive.keys()).window(0, 6) if row.id == "1"]
    assert (row.state, row.our_tags) == ("done", "VIP")
    assert found(archive, "tag:vip") == found(archive, "vip") == "1"
    assert found(archive, "called back") == "1", "a word finds what we wrote"
    assert found(archive, "state:done") == "1" and found(archive, "-state:done") == "23456"
    assert found(archive, "triaged:2027-01-15") == "1" and found(archive, "triaged:7d") == ""
    assert found(archive, "untriaged") == "23456"


def test_undo_takes_back_a_step_at_a_time_whatever_its_size(archive: Archive) -> None:
    log = archive.triage
    log.append(names(1), [state("open")], "ann", AT)
    log.append(names(2), [note("another's")], "ben", AT)
    log.append(names(1, 2, 3), [state("done"), tag("spam")], "ann", AT)
    undone = log.undo("ann")
    assert undone and undone.calls == tuple(names(1, 2, 3))
    assert described(undone.changes) == "done, tag spam"
    assert log.of("desk", "1").state == "open" and log.of("desk", "3") == Triage()
    assert log.of("desk", "2").note == "another's"
    undone = log.undo("ann")
    assert undone and undone.calls == tuple(names(1)) and log.of("desk", "1") == Triage()
    assert log.undo("ann") is None, "what another did is his to undo"
    assert log.of("desk", "2").note == "another's"
    assert [event.kind for event in log.events("desk", "1")].count("undo") == 2, "nothing is lost"


def test_an_undo_in_between_counts_for_what_stood_then(archive: Archive) -> None:
    log = archive.triage
    for name in ("a", "b"):
        log.append(names(1), [tag(name)], "ann", AT)
    log.undo("ann")
    log.append(names(1), [tag("c")], "ann", AT)
    assert log.of("desk", "1").tags == ("a", "c")
    log.undo("ann")
    log.undo("ann")
    assert log.of("desk", "1") == Triage()


def test_undo_of_a_call_takes_back_whoevers_last_step_on_it(archive: Archive) -> None:
    archive.triage.append(names(1, 2), [state("done")], "ann", AT)
    archive.triage.append(names(3), [state("done")], "ben", AT)
    undone = archive.triage.undo_of(names(2), "ben")
    assert undone and undone.calls == tuple(names(1, 2))
    assert archive.triage.undo_of(names(2), "ben") is None
    assert archive.triage.of("desk", "3").state == "done"


def test_what_another_took_back_is_not_taken_back_again(archive: Archive) -> None:
    log = archive.triage
    log.append(names(1), [state("open")], "ann", AT)
    log.append(names(2), [state("done")], "ann", AT)
    log.undo_of(names(2), "ben")
    undone = log.undo("ann")
    assert undone and undone.calls == tuple(names(1)), "her last step that still stands"
    assert log.undo("ann") is None


def test_an_undo_that_was_cut_off_in_the_middle_is_brought_to_its_end(archive: Archive) -> None:
    log = archive.triage
    batch = log.append(names(1, 2, 3), [state("done")], "ann", AT)
    log.append(names(1), [Change("undo", {"batch": batch})], "ann", AT)
    assert [log.of(*name).state for name in names(1, 2, 3)] == ["new", "done", "done"]
    undone = log.undo("ann")
    assert undone and undone.calls == tuple(names(1, 2, 3)) and log.undo("ann") is None
    assert found(archive, "state:done") == ""


def test_earlier_notes_are_found_until_they_are_undone(archive: Archive) -> None:
    archive.triage.append(names(3), [note("promised a refund")], "ann", AT)
    archive.triage.append(names(3), [note("called back")], "ben", AT)
    assert found(archive, "refund") == found(archive, '"called back"') == "3"
    archive.triage.undo("ann")
    assert found(archive, "refund") == "" and found(archive, '"called back"') == "3"


def test_comments_keep_their_place_in_the_recording_and_are_found(archive: Archive) -> None:
    archive.triage.append(names(4), [comment("refund promised", 83.26, 1)], "ann", AT)
    [event] = archive.triage.events("desk", "4")
    assert event.body == {"text": "refund promised", "at_s": 83.3, "recording": 1}
    assert archive.triage.of("desk", "4") == Triage(by="ann", at=AT)
    assert found(archive, '"refund promised"') == "4"


def test_a_snooze_that_is_over_is_an_open_call(archive: Archive) -> None:
    now = time.time()
    archive.triage.append(names(1), [state("snoozed", now + 3600)], "ann")
    archive.triage.append(names(2), [state("snoozed", now - 1)], "ann")
    assert archive.triage.of("desk", "1").state == "snoozed"
    assert archive.triage.of("desk", "2").state == "open"
    assert found(archive, "state:snoozed") == "1" and found(archive, "state:open") == "2"
    assert found(archive, "untriaged") == "23456"


def test_the_state_can_be_made_again_from_the_log(archive: Archive) -> None:
    log = archive.triage
    log.append(names(1, 2), [state("done"), tag("spam"), note("robot")], "ann", AT)
    log.append(names(2, 3), [state("follow-up"), comment("here", 5)], "ben", AT)
    log.append(names(4), [state("done")], "ann", AT)
    log.undo("ann")
    kept = lines(archive), [log.of(*name) for name in names(1, 2, 3, 4)]
    write(archive.path, "DELETE FROM triage")
    write(archive.path, "UPDATE call SET state = 'done', our_words = 'x', triaged_at = 1")
    log.rebuild()
    assert (lines(archive), [log.of(*name) for name in names(1, 2, 3, 4)]) == kept


def test_neither_sync_nor_import_overwrites_triage(archive: Archive) -> None:
    archive.triage.append(names(1), [state("done"), tag("vip")], "ann", AT)
    save(archive, replace(call(1), status="changed", tags=("theirs",)))
    assert found(archive, "state:done tag:vip tag:theirs") == "1"
    key = archive.key_of("desk", "1")
    assert key is not None
    with archive.transaction():
        archive.index.remove([key])
    write(archive.path, "DELETE FROM call WHERE key = ?", (key,))
    save(archive, call(1))
    assert found(archive, "state:done tag:vip") == "1", "a call that comes again has its triage"


def test_removing_an_account_removes_its_triage_alone(archive: Archive) -> None:
    save(archive, call(1), account="other")
    archive.triage.append([("desk", "1"), ("other", "1")], [state("done")], "ann", AT)
    archive.remove_account("Desk")
    assert archive.triage.of("desk", "1") == Triage() and not archive.triage.events("desk", "1")
    assert archive.triage.of("other", "1").state == "done"


def test_one_call_can_be_forgotten(archive: Archive) -> None:
    archive.triage.append(names(1, 2), [note("secret")], "ann", AT)
    with archive.transaction():
        archive.triage.forget("desk", "1")
    assert archive.triage.of("desk", "1") == Triage() and archive.triage.of("desk", "2").note


def test_an_event_of_a_later_ringback_is_left_in_peace(archive: Archive) -> None:
    archive.triage.append(names(1), [Change("score", {"points": 5}), state("done")], "ann", AT)
    assert archive.triage.of("desk", "1").state == "done"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: state("finished"),
        lambda: state("snoozed"),
        lambda: state("done", AT),
        lambda: note("  "),
        lambda: note("x" * 4001),
        lambda: tag("a, b"),
        lambda: tag("x" * 61),
        lambda: untag(""),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        wrong()  # type: ignore[operator]


def test_text_that_utf8_cannot_hold_is_kept(archive: Archive) -> None:
    archive.triage.append(names(1), [note("bad \ud800 half")], "ann", AT)
    assert archive.triage.of("desk", "1").note == "bad \ufffd half"


def test_tags_that_were_given_are_known_the_latest_first(archive: Archive) -> None:
    for name in ("spam", "vip", "spam"):
        archive.triage.append(names(1), [tag(name)], "ann", AT)
    assert archive.triage.known_tags() == ["spam", "vip"]


def test_an_older_archive_with_calls_migrates_and_learns_who_waits(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    db = make_older(path, 1)
    for number, outcome in ((1, "missed"), (2, "answered"), (3, "missed")):
        db.execute(
            "INSERT INTO call (key, account, id, provider, started_at, direction, outcome, number,"
            " recordings, problems, words, digits)"
            " VALUES (:n, 'desk', :n, 'nectar', :n, 'inbound', :outcome, '+12025550123', 0, 0, '', '')",
            {"n": number, "outcome": outcome},
        )
        body = '{"sla_met":false,"callback_requested":true}'
        db.execute("INSERT INTO detail VALUES (?, ?, '{}', '', 0)", (number, body))
    db.commit()
    db.close()
    with Archive(path) as archive:
        assert found(archive, "state:new") == "123"
        with archive.transaction():
            assert archive.callbacks.fill(2) == 2
        with archive.transaction():
            assert archive.callbacks.fill(2) == 1
        assert found(archive, "open-miss") == "3" and found(archive, "called-back") == "1"
        assert found(archive, "sla-missed") == found(archive, "callback") == "123"
        archive.triage.append(names(1), [state("done")], "ann")
        assert found(archive, "state:done") == "1"


_WRITER = """
import sys
from pathlib import Path
from tui.archive.sqlite import Archive
from tui.archive.triage_events import tag
path, by, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Archive(path) as archive:
    for number in range(count):
        archive.triage.append([("desk", str(1 + number % 6))], [tag(f"{by}{number}")], by)
"""


def test_two_processes_that_write_at_once_wait_for_each_other(archive: Archive) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(archive.path), by, "150"])
        for by in ("ann", "ben")
    ]
    try:
        while any(writer.poll() is None for writer in writers):
            save(archive, *(replace(call(n), status=str(time.time())) for n in range(1, 7)))
    finally:
        codes = [writer.wait(60) for writer in writers]
    assert codes == [0, 0]
    tags = [one for name in names(1, 2, 3, 4, 5, 6) for one in archive.triage.of(*name).tags]
    assert sorted(tags) == sorted(f"{by}{n}" for by in ("ann", "ben") for n in range(150))
