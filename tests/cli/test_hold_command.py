"""Legal hold: what removes calls, their decisions and their recordings leaves those on hold."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from providers.model import Contact, Recording
from tests.archive.calls import START, call
from tui import audit_log
from tui.account_setup import forget, losses
from tui.archive.sqlite import Archive
from tui.archive.triage_events import RELEASE, hold, note, state, tag
from tui.audio.client.source import FileSource
from tui.cli import main
from tui.config.accounts import make_account
from tui.query.parser import parse
from tui.recordings.cache import RecordingCache
from tui.services import Services

NUMBER = "+493098765432"
NOBODY = "http://127.0.0.1:9"
YEARS = 100 * 365 * 86400.0


@pytest.fixture
def services() -> Services:
    """Six calls of one number at two accounts, each with a recording and its peaks in the cache."""
    services = Services.build(os.environ)
    cache = RecordingCache(services.paths.cached_recordings)
    for name in ("desk", "eu"):
        services.accounts.add(make_account(name, "nectar", NOBODY, {"call_ids": "1-9"}))
        calls = [
            call(n, contact=Contact(number=NUMBER), recordings=(Recording("r"), Recording("s")))
            for n in (1, 2, 3)
        ]
        with services.open_archive() as archive:
            with archive.transaction():
                archive.save(name, calls)
            archive.triage.append([(name, "1"), (name, "2")], [note("by us"), tag("t")], "ann")
        for one in calls:
            for index in range(2):
                handle, partial = cache.partial()
                os.write(handle, one.id.encode())
                os.close(handle)
                path = cache.keep(partial, name, one, index, "mp3").path
                path.with_suffix(".peaks").write_bytes(b"peaks")
                os.utime(path, (0, 0))
    return services


def run(*words: str) -> int:
    return main(words)


def files(services: Services) -> int:
    return sum(path.is_file() for path in services.paths.cached_recordings.rglob("*"))


def left(services: Services, line: str = "") -> list[str]:
    with services.open_archive() as archive:
        query = parse(line, services.now(), services.zone)
        return sorted(f"{name}:{id_}" for name, id_ in archive.names_of(archive.keys(query)))


def acts(services: Services) -> list[tuple[object, ...]]:
    kinds = (audit_log.HOLD, audit_log.RELEASE)
    found = (entry for entry in audit_log.entries(services.paths) if entry["act"] in kinds)
    return [(entry["act"], entry["call"], entry.get("undone", False)) for entry in found]


def test_no_purge_takes_a_call_on_hold_and_that_is_told(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("hold", "desk:1", "eu:2", "--reason", "case 12") == 0
    assert "2 calls on hold" in capsys.readouterr().out
    assert run("purge", "--number", NUMBER, "--yes") == 3
    said = capsys.readouterr()
    assert "2 calls are on hold and stay" in said.err and "Removed 4 calls" in said.out
    assert left(services) == ["desk:1", "eu:2"] and files(services) == 8
    with services.open_archive() as archive:
        assert archive.triage.of("desk", "1").note == "by us"
        assert archive.triage.of("desk", "1").held == "case 12"
        assert archive.triage.events("desk", "2") == []
    assert run("purge", "--before", "2030-01-01", "--yes") == 3
    said = capsys.readouterr()
    assert "2 calls are on hold and stay" in said.err and "Removed" not in said.out
    assert run("hold", "--release", "held") == 0
    assert run("purge", "--before", "2030-01-01", "--yes") == 0
    assert left(services) == [] and files(services) == 0
    assert acts(services) == [
        ("hold", "desk:1", False), ("hold", "eu:2", False),
        *(("release", name, False) for name in ("eu:2", "desk:1")),
    ]  # fmt: skip


def test_the_question_counts_them_apart(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("hold", "desk:1") == 0
    assert run("purge", "--number", NUMBER) == 2  # nobody to ask
    said = capsys.readouterr().err
    assert "5 calls" in said
    assert len(left(services)) == 6


def test_a_removed_account_leaves_its_calls_on_hold(services: Services) -> None:
    assert run("hold", "desk:1", "desk:3") == 0
    assert "2 calls are on hold and stay" in losses(services, "desk")
    assert "1 call and" in losses(services, "desk")
    said, whole = forget(services, "desk")
    assert not whole and "1 call removed" in said and "2 calls are on hold and stay" in said
    assert left(services, "account:desk") == ["desk:1", "desk:3"] == left(services, "held")
    assert files(services) == 8 + 12
    with services.open_archive() as archive:
        assert archive.triage.of("desk", "1").note == "by us"
        assert archive.triage.of("desk", "2").note is None
    assert run("hold", "--release", "desk:1") == 0  # without the account
    assert left(services, "held") == ["desk:3"]


def test_no_sweep_takes_their_recordings(services: Services) -> None:
    assert run("hold", "desk:1") == 0
    cache = RecordingCache(services.paths.cached_recordings)
    with services.open_archive() as archive:
        held = cache.held_files(archive)
    assert cache.sweep(services.now().timestamp() + YEARS, 0, 0, held) == 10
    assert files(services) == 4


def test_nothing_in_the_archive_can_remove_one_by_mistake(services: Services) -> None:
    assert run("hold", "desk:1") == 0
    plain = sqlite3.connect(services.paths.archive_file)
    with closing(plain), plain, pytest.raises(sqlite3.IntegrityError, match="hold"):
        plain.execute("DELETE FROM call")
    assert len(left(services)) == 6


def test_a_hold_is_a_step_like_others(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("hold", "desk:1", "desk:9") == 3
    assert "no call desk:9" in capsys.readouterr().err
    assert run("hold", "desk:9") == 1
    assert run("hold", "account:eu") == 0
    assert left(services, "held") == ["desk:1", "eu:1", "eu:2", "eu:3"]
    assert left(services, "held account:desk") == ["desk:1"]
    assert left(services, "-held") == ["desk:2", "desk:3"]
    assert left(services, "held tag:t -id:2") == ["desk:1", "eu:1"]
    capsys.readouterr()
    assert run("hold", "held") == 0
    assert "0 calls on hold" in capsys.readouterr().out
    assert run("hold", "--list", "--json", "account:desk") == 0
    entry = json.loads(capsys.readouterr().out)
    assert (entry["account"], entry["id"], entry["reason"]) == ("desk", "1", "")
    assert run("triage", "--undo") == 0
    assert left(services, "held") == ["desk:1"] and acts(services)[-1] == ("hold", "eu:1", True)
    assert run("show", "desk:1") == 0
    assert "on hold (" in capsys.readouterr().out
    assert run("hold", "desk:1", "--reason", "\x1b[31mcase\x07 13") == 0
    assert run("hold", "--list") == 0
    said = capsys.readouterr().out
    assert "desk:1  on hold" in said and "case" in said and "\x1b" not in said
    for words in (["hold"], ["hold", "held:"], ["hold", "--release", "desk:1", "--reason", "x"]):
        assert run(*words) == 2, words


def test_a_hold_outlives_what_comes_and_what_is_decided(services: Services) -> None:
    with Archive(services.paths.archive_file) as archive:
        archive.triage.append([("desk", "1")], [hold("a")], "ann")
        archive.triage.append([("desk", "1")], [state("done")], "ben")
        with archive.transaction():
            archive.save("desk", [call(1, duration_s=7.0, started_at=START)])
        archive.triage.rebuild()
        assert len(archive.held()) == 1 and archive.triage.of("desk", "1").held == "a"
        [row] = archive.rows(archive.keys(parse("held", START, services.zone))).window(0, 1)
        assert row.held and row.state == "done"
        archive.triage.append([("desk", "1")], [RELEASE], "ben")
        assert not archive.held()


def test_an_archive_of_before_has_none_on_hold(tmp_path: Path) -> None:
    from tui.archive.sqlite.migrations import MIGRATIONS, statements_of

    place = next(n for n, sql in enumerate(MIGRATIONS) if "ADD COLUMN held" in sql)
    old = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
    for script in MIGRATIONS[:place]:
        for statement in statements_of(script):
            old.execute(statement)
    old.execute(f"PRAGMA user_version = {place}")
    old.execute("INSERT INTO triage VALUES ('desk', '1', 'done', 'n', '[]', 'ann', 1, NULL)")
    old.close()
    with Archive(tmp_path / "archive.db") as archive:
        assert archive.triage.of("desk", "1").held is None
        with archive.transaction():
            archive.save("desk", [replace(call(1), raw={})])
        assert not archive.held()


def test_a_held_call_of_a_removed_account_is_found_and_shown(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("hold", "desk:1") == 0
    assert run("accounts", "remove", "desk", "--yes") == 3
    capsys.readouterr()
    for words in (["show", "Desk:1"], ["show", "desk:1", "--json"], ["calls", "--account", "DESK"]):
        assert run(*words) == 0, words
        out = capsys.readouterr().out
        assert NUMBER in out
    assert run("show", "desk:2") == 2
    assert "no account 'desk'" in capsys.readouterr().err
    assert run("calls", "--account", "nobody") == 2


@pytest.fixture
def removed(services: Services, capsys: pytest.CaptureFixture[str]) -> Services:
    """The account desk is gone; of its calls the first is here still."""
    assert run("hold", "desk:1") == 0
    assert run("accounts", "remove", "desk", "--yes") == 3
    capsys.readouterr()
    return services


def test_a_held_call_of_a_removed_account_can_be_triaged(
    removed: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("triage", "DESK:1", "--state", "done", "--tag", "case") == 0
    assert capsys.readouterr().out.startswith("desk:1  done  by us  tags: t, case")
    assert run("triage", "ringback://desk/1", "--undo") == 0
    assert capsys.readouterr().out.startswith("desk:1  new  by us  tags: t  ")
    assert run("triage", "desk:2", "--state", "done") == 2
    assert "no account 'desk'" in capsys.readouterr().err


def test_a_held_call_of_a_removed_account_is_downloaded_from_the_cache(
    removed: Services, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run("download", "Desk:1", "--output", str(out)) == 0
    saved = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.read_bytes() for path in saved] == [b"1", b"1"]
    assert saved == [out / f"20261102T090100Z_nectar_1_{part}.mp3" for part in (1, 2)]
    desk = RecordingCache(removed.paths.cached_recordings).place("desk")
    next(desk.glob("*.mp3")).unlink()
    assert run("download", "desk:1", "--output", str(out)) == 3
    said = capsys.readouterr()
    assert said.err == "desk:1: its account was removed, and the recording is not in the cache\n"
    assert len(said.out.splitlines()) == 1
    for path in desk.glob("*.mp3"):
        path.unlink()
    assert run("download", "desk:1", "--output", str(out)) == 1
    assert run("download", "desk:2") == 2
    assert "no account 'desk'" in capsys.readouterr().err


def test_a_held_call_of_a_removed_account_plays_from_the_cache(
    removed: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[tuple[bytes, str]] = []

    async def play(source: FileSource, title: str, *_: object) -> int:
        played.append((await source.read(0, 99), title))
        return 0

    monkeypatch.setattr("tui.cli.terminal_player.play_on_terminal", play)
    assert run("play", "ringback://desk/1?r=2") == 0
    assert played == [(b"1", f"{NUMBER} (2 of 2)")]
    for path in RecordingCache(removed.paths.cached_recordings).place("desk").glob("*.mp3"):
        path.unlink()
    assert run("play", "desk:1") == 1
    said = capsys.readouterr().err
    assert said == (
        "ringback: desk:1: its account was removed, and the recording is not in the cache\n"
    )
    assert run("play", "ringback://desk/1?r=3") == 1
