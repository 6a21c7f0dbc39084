"""Who leaves while a recording is being fetched and heard is rid of it at once, and of all of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.model import Call, Direction, Outcome, Recording
from tests.audio import sounds
from tests.recordings.host import Host
from tests.slow_params import few
from tests.ui.calls_page import open_page
from tests.ui.services import select
from tests.ui.terminal import Program, cpu_of
from tui.config.accounts import make_account
from tui.screens import upkeep
from tui.screens.triage_queue import Failed, TriageQueue
from tui.services import Services

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
WORK_S = 0.5
"""Of the processors, from the key to the end: what a busy machine adds to the clock is no part."""
CALLS = 20


@pytest.fixture
def host() -> Iterator[Host]:
    """A slow host of recordings, which knows nothing else."""
    with Host(sounds.wav(sounds.tone(40, 8000), 8000), rate=60_000) as running:
        running.answer = lambda asked: None if asked.path.startswith("/recording") else 404
        yield running


@pytest.fixture
def home(host: Host) -> Path:
    services = Services.build(os.environ)
    services.accounts.add(make_account("desk", "nectar", host.url, {"call_ids": "1-3"}))
    calls = [
        Call(
            str(number),
            "nectar",
            direction=Direction.INBOUND,
            outcome=Outcome.ANSWERED,
            started_at=datetime(2026, 3, 4, 9, number, tzinfo=UTC),
            has_recording=True,
            recordings=(Recording("r", url=f"{host.url}/recording{number}"),),
        )
        for number in range(CALLS)
    ]
    with services.open_archive() as archive, archive.transaction():
        archive.save("desk", calls)
    return Path(os.environ["HOME"])


def processes(home: Path) -> dict[int, float]:
    """What runs in this home, the engine too, and how many seconds it has worked."""
    mark, found = f"HOME={home}".encode(), {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = cpu_of(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("rounds", few(1, [1, 20]))
@pytest.mark.parametrize(
    ("words", "sign", "key"),
    [(["desk:{}"], "▶ 0:0", "q"), ([], "Playing", "\x11"), ([], "", "\x11")],
    ids=["play", "screen", "idle screen"],
)
def test_quitting_while_it_downloads_and_plays(
    rounds: int, words: list[str], sign: str, key: str, home: Path, host: Host, tmp_path: Path
) -> None:
    took: list[float] = []
    worked: list[float] = []
    env = {"RINGBACK_AUDIO": "none", "RINGBACK_TOKEN_DESK": "x", "TMPDIR": str(tmp_path)}
    for number in range(rounds):
        command = ["play", *(word.format(number % CALLS) for word in words)] if words else []
        with Program("tui.cli", *command, env=env) as program:
            if not words:
                program.wait_for("rows 1-")
                program.read()
                if sign:
                    program.press("j" * (number % CALLS) + " ")
            if sign:
                program.wait_for(sign)
            before = processes(home)
            code, seconds = program.leave(key)
        assert code == 0
        assert processes(home) == {}, "nothing runs on"
        assert not list(home.rglob("*.part")) and not list(tmp_path.iterdir())
        assert len(before) > 1 or not sign, "the engine too was seen"
        took.append(seconds)
        worked.append(program.worked_s - sum(before.values()))
    print(
        f"{len(took)} times: {sorted(took)[len(took) // 2]:.2f} s from the key to the end,"
        f" at most {max(took):.2f} s, of it work {max(worked):.2f} s"
    )
    assert max(worked) < WORK_S
    assert max(took) < 10 * WORK_S  # 0.25 s on a quiet machine
    deadline = time.monotonic() + 5
    while host.open:
        assert time.monotonic() < deadline, "the connections are closed"
        time.sleep(0.01)


LOOKS_UP = """
import asyncio, time
from tui.vendor_thread import VendorThread

async def main():
    async def work(archive):
        await asyncio.to_thread(time.sleep, 60)

    network = VendorThread(lambda: None)
    asked = asyncio.create_task(network.run(work))
    await asyncio.sleep(0.3)
    asked.cancel()
    network.close()

asyncio.run(main())
"""


def test_a_name_that_is_being_looked_up_keeps_nobody() -> None:
    subprocess.run([sys.executable, "-c", LOOKS_UP], check=True, timeout=30)


async def test_what_runs_beside_the_screen_is_told_of_its_end(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Callable[[], bool]] = []
    for module, name in ((upkeep, "bring_up_to_date"), (upkeep, "swept")):
        monkeypatch.setattr(module, name, lambda _, ended: told.append(ended))
    async with open_page(Services.build(os.environ)) as page:
        await page.until(lambda: len(told) == 2)
        assert [ended() for ended in told] == [False, False]
    assert [ended() for ended in told] == [True, True]


async def test_the_last_steps_are_written_when_no_sync_is_in_their_way(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy: list[frozenset[str]] = []
    finish = TriageQueue.finish

    def finished(self: TriageQueue, seen_s: float) -> list[Failed]:
        busy.append(page.syncing)
        return finish(self, seen_s)

    async def asks(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("tui.sync.jobs.sync_account", asks)
    monkeypatch.setattr(TriageQueue, "finish", finished)
    async with open_page(Services.build(os.environ)) as page:
        await page.until(lambda: page.syncing)
        await page.press("d")
    assert busy == [frozenset()]
    assert select(Services.build(os.environ), "SELECT count(*) FROM event") == [(1,)]
