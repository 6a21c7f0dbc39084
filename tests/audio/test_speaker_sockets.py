"""Where relays listen: folders of their user alone, and what dead relays leave there."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tui.audio.speaker_sockets import (
    folders,
    is_private,
    private_folder,
    remove_stale,
    speakers,
)


def test_a_folder_that_others_can_enter_is_not_used(folder: Path, listening: Path) -> None:
    environ = {"RINGBACK_RUNTIME_DIR": str(folder)}
    assert speakers(environ) == [listening]
    folder.chmod(0o755)
    assert speakers(environ) == []
    with pytest.raises(PermissionError, match="private to you"):
        private_folder(environ)
    folder.chmod(0o700)
    link = folder / "link"
    link.symlink_to(folder)
    assert not is_private(link)
    with pytest.raises(PermissionError):
        private_folder({"RINGBACK_RUNTIME_DIR": str(link)})


def test_a_missing_folder_is_made_for_its_user_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = private_folder({"XDG_RUNTIME_DIR": str(folder)})
    assert made == folder / "ringback"
    assert made.stat().st_mode & 0o777 == 0o700
    shared = folder / "tmp"
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    shared.mkdir()
    mine = shared / f"ringback-{os.getuid()}"
    mine.mkdir(0o777)
    mine.chmod(0o777)  # as if somebody had been there first
    places = folders({"HOME": str(folder)})
    assert mine in places
    assert places[-1].is_relative_to(folder / ".cache"), "where nobody else can be first"


def test_what_dead_relays_leave_is_passed_over_and_removed(folder: Path) -> None:
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True).stdout.strip()
    path = folder / f"speaker-{dead}-laptop.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    environ = {"RINGBACK_RUNTIME_DIR": str(folder)}
    (folder / "other.sock").touch()
    assert speakers(environ) == []
    assert [entry.name for entry in folder.iterdir()] == ["other.sock"]


def test_a_living_socket_is_never_removed(folder: Path, listening: Path) -> None:
    assert not remove_stale(listening)
    assert listening.exists()


def test_the_newest_speaker_comes_first(folder: Path, listening: Path) -> None:
    newer = folder / f"speaker-{os.getppid()}-desk.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(newer))
        server.listen()
        later = time.time() + 5
        os.utime(newer, (later, later))
        assert speakers({"RINGBACK_RUNTIME_DIR": str(folder)}) == [newer, listening]
