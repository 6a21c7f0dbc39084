"""The README's pictures are what the screen looks like now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.readme_text import ROOT


@pytest.mark.slow
def test_pictures_made_anew_are_the_kept_ones(tmp_path: Path) -> None:
    made = [sys.executable, str(ROOT / "screenshots/make.py"), "--output", str(tmp_path)]
    subprocess.run(made, cwd=ROOT, check=True, timeout=100)
    kept = {path.name: path.read_bytes() for path in (ROOT / "screenshots").glob("*.svg")}
    new = {path.name: path.read_bytes() for path in tmp_path.glob("*.svg")}
    assert kept.keys() == new.keys() and len(new) >= 7
    assert [name for name in kept if kept[name] != new[name]] == [], "look, then: ./run shots"
