"""CONTRIBUTING.md is true as far as a test can say: the files, rooms and commands it names exist."""

from __future__ import annotations

import re
import subprocess

from tests.guards.readme_text import README, ROOT
from tests.rooms import ROOMS

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_files_that_it_names_exist() -> None:
    named = set(re.findall(r"`((?:providers|tests|tui|widgets|screenshots)/[^`]*)`", TEXT))
    assert len(named) > 20
    assert not {name for name in named if "NAME" not in name and not (ROOT / name).exists()}


def test_it_names_every_room() -> None:
    [line] = [line for line in TEXT.splitlines() if line.startswith("| `./run test ROOM` |")]
    assert set(re.findall(r"`([a-z]+)`", line)) == ROOMS.keys()


def test_its_commands_are_those_of_the_script() -> None:
    named = set(re.findall(r"`\./run ([a-z]+)", TEXT))
    told = subprocess.run(["./run", "unknown"], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 2
    assert {"test", "check", "mutants"} <= named <= set(re.findall(r"\./run (\w+)", told.stdout))


def test_the_readme_leads_there() -> None:
    assert "](CONTRIBUTING.md)" in README.read_text("utf-8")
