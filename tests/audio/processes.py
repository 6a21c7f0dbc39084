"""The processes that a player starts, seen from outside."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import suppress
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """The processes that it has started, as Linux tells."""
    found: list[str] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found += task.read_text().split()
    return sorted(map(int, found))


def engines_of(pid: int) -> list[int]:
    """The engines that a program has started and that run, on any system."""
    ps = ["ps", "-A", "-o", "pid=,ppid=,args="]
    rows = subprocess.run(ps, capture_output=True, text=True).stdout.splitlines()
    processes = (row.split(None, 2) for row in rows)
    return [
        int(row[0]) for row in processes if int(row[1]) == pid and "-m tui.audio " in row[2:][-1]
    ]


def worker_of(engine: int, role: str) -> int | None:
    """The process that decodes for an engine in this role, if there is one now."""
    workers = (pid for pid in children_of(engine) if command_of(pid).endswith(f"{role}\0"))
    return next(workers, None)


def command_of(pid: int) -> str:
    """Its arguments, each ended by a zero; empty where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def exited(pid: int) -> None:
    """Wait until there is no such process."""
    async with asyncio.timeout(5):
        while is_alive(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
