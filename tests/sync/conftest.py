"""What the tests of syncs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.archive.sqlite import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive.db")
