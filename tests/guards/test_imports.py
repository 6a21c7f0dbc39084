"""Who may import whom, and what a start costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.readme_text import ROOT

SCREEN = (
    "tui.app",
    "tui.playback.controller",
    "tui.playback.views",
    "tui.screens",
    "tui.cli.__main__",
    "tui.__main__",
    "tui.audio.__main__",
)
"""What of `tui` belongs to the screen, or runs when it is imported; all else is the engine."""
HEAVY = ("textual", "rich", "httpx", "keyring", "av", "miniaudio", "tomlkit", "sqlite3", "asyncio")

_LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
_COMMAND = """
import json, sys
from tui.cli import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as left:
    assert left.code == 0, left.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def python(code: str, argument: object) -> set[str]:
    """The top-level modules that are loaded in the end; they are the last line printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(argument)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules(package: str) -> list[str]:
    """Every module of a package, by its file."""
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def engine() -> list[str]:
    return [name for name in modules("tui") if not name.startswith(SCREEN)]


def test_the_engine_knows_no_textual() -> None:
    names = engine()
    for part in ("archive", "sync", "query", "audio.client.player", "config", "secrets", "cli"):
        assert f"tui.{part}" in names
    assert "textual" not in python(_LOADED, names)


def test_vendors_know_no_screen_no_disk_and_no_keyring() -> None:
    names = [name for name in modules("providers") if not name.endswith("__main__")]
    assert not python(_LOADED, names) & {"textual", "rich", "keyring", "sqlite3", "tui", "widgets"}


def test_a_module_costs_nothing_that_it_may_not_need() -> None:
    """Vendors, their registry and the model are imported at every start; HTTP is not."""
    names = ["providers.registry", "providers.model", "providers.liner", "tui.services", "tui.log"]
    loaded = python(_LOADED, names)
    assert not loaded & {"httpx", "textual", "keyring", "av", "tomlkit"}


@pytest.mark.parametrize("command", ["calls", "show", "sync", "accounts", "play"])
def test_help_loads_nothing_heavy(command: str) -> None:
    assert not python(_COMMAND, [command, "--help"]) & set(HEAVY)


def test_listing_calls_loads_neither_screen_nor_network() -> None:
    loaded = python(_COMMAND, ["calls", "missed", "--json"])
    assert "sqlite3" in loaded
    assert not loaded & {"textual", "httpx", "keyring", "av", "miniaudio", "tomlkit"}


def test_the_screen_starts_without_the_metadata_of_packages() -> None:
    code = """
import json, sys
import tui.app
from widgets.painted_app import knows_textual
assert knows_textual()
print(json.dumps(sorted(sys.modules)))
"""
    assert "importlib.metadata" not in python(code, None)


def test_the_import_rules_hold() -> None:
    """The contracts of pyproject.toml, by import-linter."""
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed here")
    done = subprocess.run(
        [str(lint), "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert " kept, 0 broken." in done.stdout
