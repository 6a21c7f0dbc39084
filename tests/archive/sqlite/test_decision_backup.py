"""The decisions beside the archive: always as many as in it, and never those that must go."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.archive.calls import call
from tests.archive.database import read
from tui.archive.sqlite import Archive, decision_backup
from tui.archive.triage_events import comment, hold, note, state, tag, untag

CALLS = 30


def desk(path: Path, account: str = "desk") -> Archive:
    archive = Archive(path)
    with archive.transaction():
        archive.save(account, [call(number) for number in range(CALLS)])
    return archive


def decide(archive: Archive, random: Random, account: str = "desk") -> None:
    names = [(account, str(random.randrange(CALLS))) for _ in range(random.randint(1, 4))]
    what = random.choice(
        [
            state("done"),
            state("open"),
            note("said \u2028 \x1b[2J ünï"),
            tag("a"),
            untag("a"),
            comment("hm", 3),
        ]
    )
    if random.random() < 0.2:
        archive.triage.undo("ann")
    else:
        archive.triage.append(list(dict.fromkeys(names)), [what], "ann")


def in_archive(archive: Archive) -> list[tuple[Any, ...]]:
    return read(
        archive.path, "SELECT seq, at, by, batch, account, id, kind, body FROM event ORDER BY seq"
    )


def triage_of(archive: Archive) -> list[tuple[Any, ...]]:
    return read(archive.path, "SELECT * FROM triage ORDER BY account, id")


def in_backup(path: Path) -> list[tuple[Any, ...]]:
    from tui.archive.triage_events import row_of

    return [(event.seq, *row_of(event)) for event in decision_backup.read(path).events]


def test_every_decision_is_beside_the_archive_for_its_user_alone(tmp_path: Path) -> None:
    random, path = Random(1), tmp_path / "archive.db"
    with desk(path) as archive:
        for _ in range(40):
            decide(archive, random)
            assert in_backup(path) == in_archive(archive)
    place = decision_backup.place_of(path)
    assert place.name == "archive.decisions.jsonl"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert all(json.loads(line)["by"] == "ann" for line in place.read_text().splitlines())


def test_what_a_kill_or_a_full_disk_left_out_comes_with_the_next(tmp_path: Path) -> None:
    random, path = Random(2), tmp_path / "archive.db"
    place = decision_backup.place_of(path)
    with desk(path) as archive:
        for number in range(60):
            decide(archive, random)
            if place.exists() and number % 7 == 3:
                os.truncate(place, random.randrange(place.stat().st_size))
            if number % 19 == 5:
                place.unlink()
        decide(archive, random)
        assert in_backup(path) == in_archive(archive)


def test_a_line_that_is_not_as_written_is_left_out(tmp_path: Path) -> None:
    random, path = Random(3), tmp_path / "archive.db"
    with desk(path) as archive:
        for _ in range(20):
            decide(archive, random)
        good = in_archive(archive)
    place = decision_backup.place_of(path)
    whole = place.read_bytes()
    for _ in range(200):
        data = bytearray(whole)
        at = random.randrange(len(data))
        data[at] ^= 1 << random.randrange(8)
        place.write_bytes(data)
        found = in_backup(path)
        assert set(found) <= set(good) and len(found) >= len(good) - 2


def test_a_new_archive_goes_on_with_the_decisions_of_the_old(tmp_path: Path) -> None:
    random, path = Random(4), tmp_path / "archive.db"
    with desk(path) as archive:
        for _ in range(40):
            decide(archive, random)
        before, triage = in_archive(archive), triage_of(archive)
    path.unlink()
    with desk(path) as archive:
        assert in_archive(archive) == before and triage_of(archive) == triage
        assert archive.count() == CALLS
        state_of = dict(read(path, "SELECT id, state FROM call"))
        assert {id_: said for _, id_, said, *_ in triage}.items() <= state_of.items()
        decide(archive, random)
        assert in_backup(path) == in_archive(archive)


def test_an_older_archive_put_back_keeps_the_backup_of_the_other(tmp_path: Path) -> None:
    random, path = Random(5), tmp_path / "archive.db"
    with desk(path) as archive:
        for _ in range(10):
            decide(archive, random)
    old = path.read_bytes()
    with Archive(path) as archive:
        for _ in range(10):
            decide(archive, random)
        later = in_archive(archive)
    path.write_bytes(old)
    with Archive(path) as archive:
        decide(archive, random)
        for row in in_archive(archive):
            assert row in in_backup(path)
        kept = {row[1:] for row in in_backup(path)}
        assert {row[1:] for row in later} <= kept
        archive.take_up_backup()
        assert {row[1:] for row in in_archive(archive)} == kept
        at = [row[1] for row in in_archive(archive)]
        assert at == sorted(at)
        triage = triage_of(archive)
        archive.triage.rebuild()
        assert triage_of(archive) == triage


def test_a_purge_takes_the_decisions_out_of_the_backup(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with desk(path) as archive:
        archive.triage.append([("desk", "3")], [note("secret-of-three")], "ann")
        archive.triage.append([("desk", "4")], [note("of-four")], "ann")
        decision_backup.earlier_of(path).write_bytes(decision_backup.place_of(path).read_bytes())
        key = archive.key_of("desk", "3")
        assert key is not None
        archive.purge([key])
        for place in (decision_backup.place_of(path), decision_backup.earlier_of(path)):
            assert "secret" not in place.read_text() and "of-four" in place.read_text()
        archive.triage.append([("desk", "5")], [note("of-five")], "ann")
        assert "secret" not in decision_backup.place_of(path).read_text()
        assert in_backup(path) == in_archive(archive)
    path.unlink()
    with desk(path) as archive:  # nor does the call come back
        assert archive.call_by_id("desk", "3") is None and archive.count() == CALLS - 1
        assert archive.triage.of("desk", "4").note == "of-four"


def test_an_account_that_goes_leaves_nothing_in_the_backup(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with desk(path) as archive:
        with archive.transaction():
            archive.save("Other", [call(1)])
        archive.triage.append([("desk", "3")], [note("of-desk")], "ann")
        archive.triage.append([("other", "1")], [note("of-other")], "ann")
        archive.remove_account("OTHER")
        text = decision_backup.place_of(path).read_text()
        assert "of-desk" in text and "of-other" not in text


def test_the_backup_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random, path = Random(6), tmp_path / "archive.db"
    monkeypatch.setattr(decision_backup, "MOST", 8000)
    with desk(path) as archive:
        archive.triage.append([("desk", "1")], [state("done")], "ann")
        for _ in range(120):
            decide(archive, random)
            assert decision_backup.place_of(path).stat().st_size <= 9000
        kept = in_backup(path)
        assert 10 < len(kept) < len(in_archive(archive))
        assert kept[-1] == in_archive(archive)[-1]


def test_no_decision_fails_for_want_of_its_backup(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with desk(path) as archive:
        decision_backup.place_of(path).mkdir()
        archive.triage.append([("desk", "3")], [state("done")], "ann")
        assert archive.triage.of("desk", "3").state == "done"
        decision_backup.place_of(path).rmdir()
        archive.back_up()
        assert in_backup(path) == in_archive(archive)


def test_a_call_on_hold_stays_in_the_backup_and_on_hold(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with desk(path) as archive:
        archive.triage.append([("desk", "3")], [hold("court"), note("of-three")], "ann")
        archive.triage.append([("desk", "4")], [note("of-four")], "ann")
        keys = [archive.key_of("desk", "3"), archive.key_of("desk", "4")]
        archive.purge([key for key in keys if key is not None])
        archive.remove_account("desk")
        text = decision_backup.place_of(path).read_text()
        assert "of-three" in text and "court" in text and "of-four" not in text
        assert archive.triage.of("desk", "3").held == "court"
    path.unlink()
    with desk(path) as archive:
        assert archive.triage.of("desk", "3").held == "court" and archive.held()
