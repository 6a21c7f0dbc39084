"""A desk whose archive can be damaged in every way, and put back."""

from __future__ import annotations

import gc
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.archive.calls import call
from tui.archive.sqlite import Archive, decision_backup
from tui.archive.triage_events import Change, comment, hold, note, state, tag, untag
from tui.cli import main
from tui.config.paths import Paths

CALLS = 150
DECISIONS = 260
PAGE = 4096
Row = tuple[Any, ...]


@dataclass
class Desk:
    """One user's archive, as it was before anything was damaged."""

    path: Path
    folder: Path
    capsys: pytest.CaptureFixture[str]
    whole: bytes = b""
    backup: bytes = b""
    events: dict[int, Row] = field(default_factory=dict)
    triage: dict[tuple[str, str], Row] = field(default_factory=dict)

    def put_back(self, data: bytes | None = None, *, with_backup: bool = True) -> None:
        """The archive alone, with this content."""
        for one in self.path.parent.glob(f"{self.path.stem}*"):
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        self.path.write_bytes(self.whole if data is None else data)
        self.path.chmod(0o600)
        if with_backup:
            decision_backup.place_of(self.path).write_bytes(self.backup)

    def __call__(self, line: str) -> tuple[int, str, str]:
        """One command in this process: exit code, standard output and error."""
        self.capsys.readouterr()
        words = [str(self.folder / word) if "." in word else word for word in line.split()]
        code = main(words)
        gc.collect()  # as a process that ends lets go of all its connections
        said = self.capsys.readouterr()
        assert code in range(5), f"{line} ended {code}"
        assert "Traceback" not in said.out + said.err, f"{line}: {said.err}"
        return code, said.out, said.err

    def readable(self) -> dict[int, Row]:
        """The decisions that SQLite can still read, one by one, as they were: without Ringback."""
        found = {}
        work = self.folder / "look"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for beside in ("", "-wal"):
            if (source := self.path.with_name(self.path.name + beside)).is_file():
                shutil.copyfile(source, work / f"copy.db{beside}")
        with closing(sqlite3.connect(f"file:{work / 'copy.db'}?mode=ro", uri=True)) as db:
            for seq, row in self.events.items():
                try:
                    got = db.execute("SELECT * FROM event WHERE seq = ?", (seq,)).fetchone()
                except sqlite3.Error:
                    continue
                if got == row:
                    found[seq] = row
        return found

    def decided(self) -> dict[int, Row]:
        """The decisions in the archive as it is."""
        with closing(sqlite3.connect(self.path)) as db:
            return {row[0]: row for row in db.execute("SELECT * FROM event")}


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with calls, decisions and a listening history, and its backup; made once."""
    path = tmp_path_factory.mktemp("filled") / "archive.db"
    fill(path, Random(7))
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def desk(
    filled: Path,
    paths: Paths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Desk:
    """An account with that archive."""
    monkeypatch.setenv("RINGBACK_TOKEN_DESK", "t0ken-42")
    monkeypatch.setattr("providers.http.TRIES", 1)  # nobody is there
    words = ["--provider", "nectar", "--base-url", "http://127.0.0.1:9", "--ids", "1-150"]
    assert main(["accounts", "add", "desk", *words]) == 0
    body = {"id": 7, "type": "answered", "started_at": 1_800_000_000}
    (tmp_path / "7.json").write_text(json.dumps({"calls": body}))
    made = Desk(paths.archive_file, tmp_path, capsys, filled.read_bytes())
    made.backup = decision_backup.place_of(filled).read_bytes()
    with closing(sqlite3.connect(filled)) as db:
        made.events = {row[0]: row for row in db.execute("SELECT * FROM event")}
        made.triage = {row[:2]: row for row in db.execute("SELECT * FROM triage")}
    made.put_back()
    return made


def fill(path: Path, random: Random) -> None:
    changes: list[Callable[[], Change]] = [
        lambda: state(random.choice(["done", "open", "follow-up"])),
        lambda: note(f"said {random.random()} " + "word " * random.randrange(40)),
        lambda: tag(random.choice("abc")),
        lambda: untag(random.choice("abc")),
        lambda: comment("here", random.randrange(60)),
        lambda: hold("court"),
    ]
    with Archive(path) as archive:
        with archive.transaction():
            archive.save("desk", [call(number) for number in range(CALLS)])
        for number in range(DECISIONS):
            names = [("desk", str(random.randrange(CALLS)))]
            archive.triage.append(names, [random.choice(changes)()], "ann", 1_800_000_000 + number)
        for number in range(0, CALLS, 3):
            archive.listening.note("desk", str(number), "#0", 3.0, 60.0, None)


def flipped(data: bytes, random: Random) -> bytes:
    found = bytearray(data)
    for _ in range(random.choice((1, 3, 30))):
        found[random.randrange(len(found))] ^= 1 << random.randrange(8)
    return bytes(found)


def zeroed(data: bytes, random: Random) -> bytes:
    found = bytearray(data)
    for _ in range(random.choice((1, 4, 12))):
        at = random.randrange(len(found) // PAGE) * PAGE
        found[at : at + PAGE] = bytes(PAGE)
    return bytes(found)


def cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(1, len(data))]


def swapped(data: bytes, random: Random) -> bytes:
    """Pages that are whole, and stand in each other's place."""
    found = bytearray(data)
    one, other = (random.randrange(1, len(data) // PAGE) * PAGE for _ in range(2))
    found[one : one + PAGE] = data[other : other + PAGE]
    found[other : other + PAGE] = data[one : one + PAGE]
    return bytes(found)


KINDS = (flipped, zeroed, cut, swapped)
