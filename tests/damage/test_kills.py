"""kill -9 in a purge, a migration, a repair and a download: what was said stands, nothing is half.

`tests.archive.sqlite.test_kill` does the same with syncs and triage.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.audio import sounds
from tests.damage.conftest import Desk, zeroed
from tests.recordings.host import Host
from tui.archive.sqlite import Archive, decision_backup
from tui.archive.sqlite.migrations import MIGRATIONS, columns, migrate
from tui.archive.sqlite.replacement import folder_of

SOUND = sounds.wav(sounds.tone(3, 8000), 8000)
_WORK = """
import sys
from pathlib import Path
from tui.archive.sqlite import Archive
from tui.cli import main
import tui.cli.doctor, tui.cli.repair, tui.archive.sqlite.repair, tui.cli.download
print("ready", flush=True)
work, path = sys.argv[1], Path(sys.argv[2])
if work == "purge":
    with Archive(path) as archive:
        for (key, id_) in archive._db.execute("SELECT key, id FROM call ORDER BY key").fetchall():
            archive.purge([key])
            if archive.key_of("desk", id_) is None:  # those on hold stay
                print(id_, flush=True)
elif work == "migrate":
    with Archive(path) as archive:
        print("open", flush=True)
        while archive.index_more(20):
            print("indexed", flush=True)
else:
    main(sys.argv[3:])
"""


def killed(work: str, path: Path, random: Random, longest_s: float, *words: str) -> list[str]:
    """Let it begin, kill it within so many seconds; what it said in full."""
    command = [sys.executable, "-c", _WORK, work, str(path), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=dict(os.environ)) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.uniform(0, longest_s))
        process.kill()
        lines = process.stdout.readlines()
    return [line.strip() for line in lines if line.endswith("\n")]


def whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def purges(desk: Desk, random: Random, host: Host) -> None:
    desk.put_back()
    gone = killed("purge", desk.path, random, 1.0)
    with Archive(desk.path) as archive:
        kept = {(event.account, event.id) for event in decision_backup.read(desk.path).events}
        for id_ in gone:
            assert archive.key_of("desk", id_) is None and ("desk", id_) not in kept
        left = {id_ for (id_,) in archive._db.execute("SELECT id FROM call")}
        now = {row[0] for row in archive._db.execute("SELECT seq FROM event")}
        assert {seq for seq, row in desk.events.items() if row[5] in left} <= now
    whole(desk.path)


def old_archive(desk: Desk, version: int) -> None:
    """The same calls and decisions in the tables of an earlier Ringback."""
    desk.put_back()
    new = desk.folder / "new.db"
    shutil.move(desk.path, new)
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as db:
        migrate(db, version)
        known = columns(db)
        with closing(sqlite3.connect(new)) as newer:
            given = columns(newer)
        db.execute(f"ATTACH '{new}' AS new")
        for table in ("call", "detail", "event", "triage", "heard"):
            names = ", ".join(name for name in known[table] if name in given[table])
            db.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
        db.execute(
            "UPDATE unindexed SET upto = (SELECT max(key) FROM call)"
        ) if version > 4 else None


def migrations(desk: Desk, random: Random, host: Host) -> None:
    old_archive(desk, random.randrange(4, len(MIGRATIONS)))
    killed("migrate", desk.path, random, 0.4)
    with Archive(desk.path) as archive:
        while archive.index_more():
            pass
        assert {row[0]: row for row in archive._db.execute("SELECT * FROM event")} == desk.events
        assert archive._db.execute("SELECT count(*) FROM detail").fetchone() == (150,)
        assert archive.count() == 150
    whole(desk.path)


def repairs(desk: Desk, random: Random, host: Host) -> None:
    desk.put_back(zeroed(desk.whole, random), with_backup=False)
    damaged, readable = desk.path.read_bytes(), desk.readable()
    for _ in range(random.choice((1, 2))):
        killed("repair", desk.path, random, 1.2, "doctor", "--repair")
        if desk.path.read_bytes() != damaged:  # the new one stands there, whole
            whole(desk.path)
    desk("doctor --repair")
    now = {row[1:] for row in desk.decided().values()}
    assert {row[1:] for row in readable.values()} <= now
    assert not folder_of(desk.path).exists()
    whole(desk.path)


def downloads(desk: Desk, random: Random, host: Host) -> None:
    desk.put_back()
    body = {"id": 9, "type": "answered", "started_at": 1_800_000_000}
    body["recordings"] = [{"id": 9, "url": f"{host.url}/9.wav"}]
    (desk.folder / "9.json").write_text(json.dumps({"calls": body}))
    assert desk("import desk 9.json")[0] == 0
    target = desk.folder / f"out{random.random()}"
    killed("download", desk.path, random, 0.8, "download", "desk:9", "--output", str(target))
    for path in target.glob("[!.]*"):
        assert path.read_bytes() == SOUND or path.suffix in (".part", ".tmp"), path
    whole(desk.path)


WORKS: list[Callable[[Desk, Random, Host], None]] = [purges, migrations, repairs, downloads]


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(SOUND, rate=100_000) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize(
    "times", [12, pytest.param(160, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_kills(desk: Desk, host: Host, times: int, figure: Callable[..., None]) -> None:
    for seed in range(times):
        random = Random(seed)
        WORKS[seed % len(WORKS)](desk, random, host)
    figure("kill -9 in purge, migration, repair, download", f"{times}, nothing lost", str(times))
