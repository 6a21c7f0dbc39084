"""A file as the source of a recording's bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.audio import sounds
from tui.audio.client.player import FileSource


async def test_a_file_source_reads_what_was_there_when_it_was_opened(tmp_path: Path) -> None:
    path = sounds.write(tmp_path, "a.bin", bytes(range(200)))
    source = FileSource(path)
    path.unlink()
    assert source.size == 200
    assert await source.read(190, 100) == bytes(range(190, 200))
    assert await source.read(200, 100) == b""
    with pytest.raises(OSError, match="plain"):
        FileSource(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="plain"):
        FileSource(tmp_path / "pipe")
