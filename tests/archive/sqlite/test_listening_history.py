"""What happened to recordings here: written, read back with the rows, and gone with the call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from providers.model import CallRow, Recording
from tests.archive.calls import call
from tests.archive.database import make_older
from tui.archive.records import Heard, recording_key
from tui.archive.sqlite import Archive

ONE = replace(call(1), recordings=(Recording(id="a"), Recording()), recordings_known=True)
TWO = replace(call(2), recordings=(Recording(id="a"),), recordings_known=True)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "a.db") as opened:
        with opened.transaction():
            opened.save("main", [ONE, TWO])
        yield opened


def row_of(archive: Archive, call_id: str) -> CallRow:
    window = archive.rows(archive.keys()).window(0, 10)
    return next(row for row in window if row.id == call_id)


def test_a_recording_is_named_by_its_id_or_else_its_place() -> None:
    assert [recording_key(ONE, index) for index in (0, 1, 2)] == ["a", "#1", "#2"]


@pytest.mark.parametrize(
    ("heard", "left_s"),
    [
        (Heard(2.9, 60), 0),
        (Heard(3.0, 60), 3),
        (Heard(57, 60), 57),
        (Heard(57.1, 60), 0),
        (Heard(60, 60), 0),
        (Heard(500, None), 500),
    ],
)
def test_where_listening_goes_on(heard: Heard, left_s: float) -> None:
    assert heard.left_s == left_s


def test_how_far_it_was_heard_and_since_when(archive: Archive) -> None:
    archive.listening.note("main", "1", "a", 12.0, 60.0, None)
    archive.listening.note("MAIN", "1", "a", 55.0, None, 100.0)
    archive.listening.note("main", "1", "a", 5.0, 60.0, None)
    archive.listening.note("main", "1", "#1", 1.0, None, None)
    assert archive.listening.of_call("main", "1") == {
        "a": Heard(5.0, 60.0, 100.0),
        "#1": Heard(1.0, None, None),
    }
    assert archive.listening.of_call("main", "2") == {}


@pytest.mark.parametrize(
    ("has", "known", "files", "trouble"),
    [
        (True, True, 0, "pending"),  # recorded, and no file yet
        (True, False, 0, None),  # the list was not asked for
        (True, True, 1, None),
        (False, True, 0, None),
        (None, False, 0, None),
    ],
)
def test_a_recording_that_the_vendor_has_not_saved_yet_is_pending(
    archive: Archive, has: bool | None, known: bool, files: int, trouble: str | None
) -> None:
    listed = tuple(Recording(id=str(n)) for n in range(files))
    archive.save("main", [call(9, has_recording=has, recordings_known=known, recordings=listed)])
    assert row_of(archive, "9").trouble == trouble
    if trouble:
        archive.listening.note_trouble("main", "9", "#1", "offline", 100.0)
        assert row_of(archive, "9").trouble == "offline"


def test_a_trouble_is_forgotten_when_it_plays_and_leaves_the_place(archive: Archive) -> None:
    archive.listening.note("main", "1", "a", 12.0, 60.0, 9.0)
    archive.listening.note_trouble("main", "1", "a", "refused", 100.0)
    archive.listening.note_trouble("main", "1", "a", "gone", 200.0)
    assert archive.listening.of_call("main", "1")["a"] == Heard(12.0, 60.0, 9.0, "gone", 200.0)
    assert row_of(archive, "1").trouble == "gone" and row_of(archive, "2").trouble is None
    archive.listening.note("main", "1", "a", 13.0, 60.0, None)
    assert archive.listening.of_call("main", "1")["a"] == Heard(13.0, 60.0, 9.0)
    assert row_of(archive, "1").trouble is None


def test_a_call_was_heard_when_all_of_its_recordings_were(archive: Archive) -> None:
    assert row_of(archive, "1").heard is None
    archive.listening.note("main", "1", "a", 2.0, 60.0, None)
    assert row_of(archive, "1").heard is None, "a second is not a part"
    archive.listening.note("main", "1", "a", 30.0, 60.0, None)
    assert row_of(archive, "1").heard == "part"
    archive.listening.note("main", "1", "a", 60.0, 60.0, 5.0)
    assert row_of(archive, "1").heard == "part"
    archive.listening.note("main", "1", "#1", 60.0, 60.0, 5.0)
    assert row_of(archive, "1").heard == "heard"
    assert row_of(archive, "2").heard is None


def test_a_sync_leaves_it_and_it_goes_with_the_account(archive: Archive) -> None:
    archive.listening.note("main", "1", "a", 30.0, 60.0, 7.0)
    with archive.transaction():
        archive.save("main", [replace(ONE, status="changed")])
    assert archive.listening.of_call("main", "1")["a"].heard_at == 7.0
    archive.remove_account("main")
    assert archive.listening.of_call("main", "1") == {}
    archive.listening.note("main", "1", "a", 30.0, 60.0, 7.0)
    assert archive.listening.of_call("main", "1") == {}, (
        "nothing is kept of a call that is not here"
    )


def test_an_archive_of_the_first_schema_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    make_older(path, 1).close()
    with Archive(path) as archive:
        with archive.transaction():
            archive.save("main", [ONE])
        archive.listening.note("main", "1", "a", 30.0, 60.0, None)
        assert row_of(archive, "1").heard == "part"
