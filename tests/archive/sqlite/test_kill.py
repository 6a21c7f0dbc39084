"""kill -9 in the middle of a triage and of a sync: nothing that was acknowledged is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.archive.calls import call
from tests.archive.database import read
from tui.archive.sqlite import Archive
from tui.archive.triage_events import project
from tui.query.parser import STATES

CALLS = 40

_DESK = """
import sys
from pathlib import Path
from random import Random
from dataclasses import replace
from tests.archive.calls import call
from tui.archive.sqlite import Archive
from tui.archive.triage_events import note, state, tag
work, path, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
random = Random(seed)
with Archive(path) as archive:
    print("open", flush=True)
    for number in range(10_000):
        if work == "sync":
            with archive.transaction():
                page = [replace(call(n), status=f"{seed}.{number}") for n in range(40)]
                archive.save("desk", page)
            print(f"{seed}.{number}", flush=True)
        elif random.random() < 0.2:
            undone = archive.triage.undo(f"ann{seed}")
            print("undone", len(undone.calls) if undone else 0, flush=True)
        else:
            names = [("desk", str(random.randrange(40))) for _ in range(random.randint(1, 6))]
            names = list(dict.fromkeys(names))
            what = [state(random.choice(("open", "done"))), note(f"{seed}.{number}"), tag("t")]
            batch = archive.triage.append(names, what, f"ann{seed}")
            print("acted", batch, len(names), flush=True)
"""


def killed(work: str, path: Path, seed: int, random: Random) -> list[str]:
    """Let one work, kill it after a random number of acknowledged steps; those steps."""
    command = [sys.executable, "-c", _DESK, work, str(path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(random.randint(1, 12))]
        process.kill()
        lines += process.stdout.readlines()
    # a line without an end was not said in full
    return [line.strip() for line in lines if line.endswith("\n")][1:]


def check(path: Path, triaged: list[str], synced: list[str]) -> None:
    with Archive(path) as archive:
        assert read(path, "PRAGMA integrity_check") == [("ok",)]
        for line in triaged:
            kind, *rest = line.split()
            if kind == "acted":
                batch, count = rest
                sql = "SELECT count(*) FROM event WHERE batch = ?"
                assert read(path, sql, (batch,)) == [(3 * int(count),)], line
        undone = sum(int(line.split()[1]) for line in triaged if line.startswith("undone"))
        [(undos,)] = read(path, "SELECT count(*) FROM event WHERE kind = 'undo'")
        assert undos >= undone
        for number in range(CALLS):
            events = archive.triage.events("desk", str(number))
            assert archive.triage.of("desk", str(number)) == project(events)
            sql = "SELECT state, status FROM call WHERE id = ?"
            [(state, status)] = read(path, sql, (str(number),))
            assert state == project(events).state and state in STATES
            if synced:
                assert tuple(map(int, status.split("."))) >= tuple(map(int, synced[-1].split(".")))


def run(path: Path, times: int) -> int:
    random = Random(11)
    with Archive(path) as archive, archive.transaction():
        archive.save("desk", [call(number) for number in range(CALLS)])
    triaged: list[str] = []
    synced: list[str] = []
    for seed in range(times):
        if seed % 3 == 2:
            synced += killed("sync", path, seed, random)
        else:
            triaged += killed("triage", path, seed, random)
        check(path, triaged, synced)
    with Archive(path) as archive:
        before = read(path, "SELECT * FROM triage ORDER BY account, id")
        archive.triage.rebuild()
        assert read(path, "SELECT * FROM triage ORDER BY account, id") == before
    print(f"{times} kills, {len(triaged)} steps and {len(synced)} pages acknowledged, none lost")
    return len(triaged)


def test_what_was_acknowledged_survives_a_few_kills(tmp_path: Path) -> None:
    assert run(tmp_path / "archive.db", 6) > 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "times", [20, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
def test_what_was_acknowledged_survives_many_kills(
    tmp_path: Path, times: int, figure: Callable[..., None]
) -> None:
    assert run(tmp_path / "archive.db", times) > times
    figure("kill -9 in triage and sync", f"{times}, nothing lost", str(times))


def test_the_check_would_see_a_loss(tmp_path: Path) -> None:
    """The check itself can fail: take one event away."""
    path = tmp_path / "archive.db"
    with Archive(path) as archive, archive.transaction():
        archive.save("desk", [call(number) for number in range(CALLS)])
    said = killed("triage", path, 1, Random(1))
    while not any(line.startswith("acted") for line in said):
        said += killed("triage", path, 2, Random(2))
    with closing(sqlite3.connect(path)) as db, db:
        [batch] = [line.split()[1] for line in said if line.startswith("acted")][:1]
        db.execute(
            "DELETE FROM event WHERE rowid = (SELECT max(rowid) FROM event WHERE batch = ?)",
            (batch,),
        )
    with pytest.raises(AssertionError):
        check(path, said, [])
