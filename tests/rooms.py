"""Which tests belong to which part of the code: ``./run test ROOM``, and what `./run mutants` asks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Room:
    """A part of the code, its own tests, and those that reach it through other parts."""

    sources: tuple[str, ...]
    """Folders and files, relative to the checkout."""
    named: tuple[str, ...]
    """Folders of what to run after each change, those that there are."""
    also: tuple[str, ...] = ()
    """Folders of what finds the faults that `tests` do not."""

    @property
    def tests(self) -> tuple[str, ...]:
        return tuple(name for name in self.named if (_ROOT / name).exists())

    @property
    def further(self) -> tuple[str, ...]:
        return tuple(name for name in self.also if (_ROOT / name).exists())


ROOMS = {
    "archive": Room(("tui/archive",), ("tests/archive", "tests/contract"), ("tests/damage",)),
    "audio": Room(("tui/audio",), ("tests/audio",)),
    "cli": Room(
        (
            "tui/cli",
            "tui/account_setup.py",
            "tui/audit_log.py",
            "tui/console.py",
            "tui/error_boundary.py",
            "tui/exit_codes.py",
            "tui/job_control.py",
            "tui/services.py",
        ),
        ("tests/cli",),
        ("tests/outside", "tests/secrets"),
    ),
    "export": Room(("tui/export",), ("tests/export",), ("tests/cli", "tests/ui")),
    "insights": Room(("tui/insights",), ("tests/insights",), ("tests/cli",)),
    "playback": Room(("tui/playback",), ("tests/playback",), ("tests/ui",)),
    "providers": Room(
        ("providers",),
        ("tests/providers",),
        ("tests/generated", "tests/network", "tests/outside"),
    ),
    "query": Room(
        ("tui/query", "tui/call_links.py"),
        ("tests/query", "tests/test_call_fields.py"),
        ("tests/archive",),
    ),
    "receive": Room(("tui/receive",), ("tests/receive",)),
    "recordings": Room(("tui/recordings",), ("tests/recordings",), ("tests/cli", "tests/outside")),
    "removal": Room(("tui/removal",), ("tests/removal",), ("tests/cli", "tests/sync")),
    "sandbox": Room(("providers/sandbox",), ("tests/sandbox",)),
    "screens": Room(
        ("tui/screens", "tui/app.py", "tui/commands.py", "tui/triage_section.py"),
        ("tests/screens", "tests/ui"),
        ("tests/snapshots",),
    ),
    "secrets": Room(("tui/secrets", "tui/config", "tui/log.py"), ("tests/secrets",)),
    "sync": Room(("tui/sync", "tui/vendor_thread.py"), ("tests/sync",), ("tests/outside",)),
    "widgets": Room(("widgets",), ("tests/widgets",), ("tests/snapshots", "tests/ui")),
}


def room_of(path: str) -> Room:
    """The room that holds a source file or folder. Raises KeyError."""
    holding = [
        (len(source), room)
        for room in ROOMS.values()
        for source in room.sources
        if path == source or path.startswith(f"{source}/")
    ]
    if not holding:
        raise KeyError(path)
    return max(holding, key=lambda each: each[0])[1]


def pytest_arguments(words: Sequence[str]) -> list[str]:
    """Names of rooms become their tests; all else is pytest's own."""
    return [each for word in words for each in (ROOMS[word].tests if word in ROOMS else (word,))]


if __name__ == "__main__":
    # a file is one worker's: what its tests share is started once
    spread = ["-n", os.environ.get("JOBS", "2"), "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", *spread, *pytest_arguments(sys.argv[1:])]
    os.execv(sys.executable, command)
