"""Fixtures: a folder for sockets, and one in which a speaker's relay listens."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.audio.speaker_sockets import socket_path


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="rb"))  # a socket's path must be short
    yield made
    shutil.rmtree(made)


@pytest.fixture
def listening(folder: Path) -> Iterator[Path]:
    """A socket as a relay of this process has it."""
    path = socket_path(folder, "laptop.example")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield path
