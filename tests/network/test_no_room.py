"""A full disk and one that may only be read: what is there is read, what cannot be kept is said."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.errors import RecordingError
from tests.audio import sounds
from tests.recordings.host import Host
from tests.slow_params import few
from tests.ui.calls_page import open_page
from tui.archive.errors import (
    UNREACHED,
    ArchiveBusy,
    ArchiveError,
    ArchiveReadOnly,
    ArchiveUnavailable,
)
from tui.archive.sqlite import Archive, connection
from tui.archive.sqlite.damage import translated
from tui.cli import main
from tui.config.paths import Paths
from tui.services import Services

SOUND = sounds.wav(sounds.tone(1, 8000), 8000)


class Disk:
    """A small file system of its own, with the user's home on it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fill(self) -> None:
        with (self.place / "fill").open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(b"1" * size):
                        pass
                except OSError:
                    continue

    def freeze(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", self.place], check=True)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if not mount or os.name != "posix":
        pytest.skip("no file system can be mounted here")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True
    )
    if made.returncode:
        pytest.skip("no file system can be mounted here: mount needs its rights")
    monkeypatch.setenv("RINGBACK_HOME", str(place / "home"))
    yield Disk(place)
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(SOUND) as running:
        yield running


@pytest.fixture
def desk(disk: Disk, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account with two calls, each with a recording, one of which is in the cache."""
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t0ken-42")
    words = ["--provider", "nectar", "--base-url", host.url, "--ids", "9"]
    assert main(["accounts", "add", "desk", *words]) == 0
    for number in (8, 9):
        body: dict[str, Any] = {
            "id": number,
            "type": "answered",
            "started_at": 1_800_000_000 + number,
        }
        body["recordings"] = [{"id": number, "url": f"{host.url}/{number}.wav"}]
        (tmp_path / f"{number}.json").write_text(json.dumps({"calls": body}))
        assert main(["import", "desk", str(tmp_path / f"{number}.json")]) == 0
    assert main(["download", "desk:9", "--output", str(tmp_path / "before")]) == 0
    return tmp_path


READS = ["calls", "calls --json", "calls anna", "show desk:9", "show desk:9 --json", "triage desk:9",
         "accounts list", "paths", "audit", "play desk:9 --words"]  # fmt: skip
WRITES = ["triage desk:9 --state done", "sync", "import desk 9.json", "purge --before 2099-01-01 --yes",
          "accounts remove desk --yes", "accounts add other --provider liner --base-url https://api.vendor.test"]  # fmt: skip


def tried(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(folder / word) if word.endswith(".json") else word for word in line.split()])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("how", few(1, ["fill", "freeze"]))
def test_reading_commands_work_and_writing_ones_say_why_not(
    desk: Path, disk: Disk, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {line: tried(line, desk, capsys) for line in READS}
    assert [code for code, *_ in before.values()] == [0] * len(READS)
    getattr(disk, how)()
    for line in READS:
        code, out, err = tried(line, desk, capsys)
        assert (code, err) == (0, before[line][2]), f"{line}: {err}"
        assert line == "audit" or out == before[line][1], line
    for line in WRITES:
        if how == "fill":
            disk.fill()  # a file that was left may have gone
            if line.startswith("accounts add"):
                continue  # a file system counts its last few bytes roughly
        code, _, err = tried(line, desk, capsys)
        lines = err.splitlines()
        assert code == 1 and 1 <= len(lines) <= 2, f"{line}: {code} {err}"
        where = "can only be read: ", "Read-only file system", "No space left"
        assert lines[0].startswith("ringback: ") and any(one in err for one in where), err
        assert "Traceback" not in err and "t0ken" not in err
    for line in READS[:-1]:  # a purge begins with the recordings, which makes room
        code, _, err = tried(line, desk, capsys)
        assert (code, err) == (0, before[line][2]), f"{line}: {err}"


@pytest.mark.parametrize("how", ["fill", "freeze"])
def test_a_sync_of_many_accounts_says_it_once(
    desk: Path, disk: Disk, host: Host, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("north", "south"):
        words = ["--provider", "nectar", "--base-url", host.url, "--ids", "9"]
        assert main(["accounts", "add", name, *words]) == 0
    getattr(disk, how)()
    code, out, err = tried("sync", desk, capsys)
    first, hint = err.splitlines()
    assert (code, out) == (1, "")
    assert first.startswith("ringback: the archive can only be read: ")
    assert first.endswith("(nothing more was kept of desk, north, south)")
    assert hint == UNREACHED


@pytest.mark.parametrize("how", ["fill", "freeze"])
def test_a_recording_that_is_here_is_saved_elsewhere_and_another_says_why_not(
    desk: Path, disk: Disk, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(disk, how)()
    assert main(["download", "desk:9", "--output", str(desk / "out")]) == 0
    assert next((desk / "out").iterdir()).read_bytes() == SOUND
    code, _, err = tried(f"download desk:8 --output {desk / 'out'}", desk, capsys)
    assert code == 1 and len(err.splitlines()) == 1
    assert "Read-only file system" in err or str(RecordingError("no_room")) in err


@pytest.mark.parametrize("how", few(1, ["fill", "freeze"]))
def test_doctor_says_it(
    desk: Path, disk: Disk, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(disk, how)()
    code, out, _ = tried("doctor --json", desk, capsys)
    found = [json.loads(line) for line in out.splitlines()]
    [text] = [
        one["text"] for one in found if one["about"] == "archive" and one["state"] == "PROBLEM"
    ]
    assert code == 1 and text.startswith("the archive can only be read: ")


def test_folders_that_cannot_be_made_do_not_keep_from_reading(
    desk: Path, disk: Disk, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(disk.place / "home" / "cache")
    disk.freeze()
    assert tried("calls", desk, capsys)[0] == 0


@pytest.mark.parametrize("how", few(1, ["fill", "freeze"]))
async def test_the_screen_shows_what_is_there(desk: Path, disk: Disk, how: str) -> None:
    getattr(disk, how)()
    async with open_page(Services.build(), size=(100, 30)) as page:
        await page.idle()
        assert len([row for row in page.rows if "answered" in row]) == 2
        assert "the archive can only be read: " in page.notices
        await page.press("r")
        await page.until(lambda: "the archive can only be read" in page.status)
        await page.press("d")
        await page.until(lambda: "not kept: the archive can only be read" in page.status)


def test_the_screen_of_an_archive_that_cannot_be_opened_is_one_line(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.archive_file.write_bytes(b"this is not a database, whatever its name says" * 100)
    monkeypatch.setattr("tui.cli.screen._need_terminal", lambda: None)
    assert main([]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("ringback: the archive ") and "Traceback" not in said.err + said.out


@pytest.mark.parametrize("how", ["fill", "freeze"])
def test_what_stands_in_the_log_alone_is_read_too(
    desk: Path, disk: Disk, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a Ringback leaves it that was killed: what it wrote last is not in the file yet."""
    file = disk.place / "home" / "data" / "archive.db"
    kept = desk / "kept"
    kept.mkdir()
    with Archive(file) as archive:
        archive._db.execute("UPDATE call SET status = 'from the log' WHERE id = '9'")
        endings = ["", "-wal"] + ["-shm"] * (how == "freeze")
        for ending in endings:
            shutil.copy(f"{file}{ending}", kept / f"archive.db{ending}")
    for path in kept.iterdir():
        shutil.copy(path, file.parent / path.name)
    getattr(disk, how)()
    with Archive(file) as archive:
        assert archive.read_only
        found = archive._db.execute("SELECT status FROM call WHERE id = '9'").fetchone()
        assert found == ("from the log",)
        with pytest.raises(ArchiveReadOnly), archive.transaction():
            pass
        with pytest.raises(ArchiveUnavailable):
            archive._db.execute("DELETE FROM call")


def test_an_older_archive_that_cannot_be_renewed_is_said(desk: Path, disk: Disk) -> None:
    file = disk.place / "home" / "data" / "archive.db"
    with Archive(file) as archive:
        archive._db.execute("PRAGMA user_version = 1")
    disk.freeze()
    with pytest.raises(ArchiveError, match="of another Ringback"):
        Archive(file)


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR | 19 << 8, sqlite3.SQLITE_FULL]
)
def test_a_disk_that_refuses_is_read_wherever_the_tests_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    file = tmp_path / "archive.db"
    Archive(file).close()

    def refuse(path: Path) -> Any:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        raise translated(error)

    monkeypatch.setattr(connection, "_to_write", refuse)
    with Archive(file) as archive:
        assert archive.read_only and archive.counts_by_account() == {}
    file.unlink()
    with pytest.raises(ArchiveUnavailable):
        Archive(file)


def test_an_archive_that_somebody_holds_is_not_taken_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "archive.db"
    Archive(file).close()
    monkeypatch.setattr(connection, "BUSY_S", 0.1)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ArchiveBusy, match="locked"):
        Archive(file)
    other.close()
