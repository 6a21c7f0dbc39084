"""Ringback as a stranger runs it: its command line in processes of their own, on loopback."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.outside.server import APP_ID, TOKENS
from tests.outside.warm import Forge, Process
from tui.archive.sqlite.details import details_of

ROOT = Path(__file__).parents[2]
Ended = subprocess.CompletedProcess[str]
forge: Forge | None = None
"""Where commands are started; one for a whole run of the tests."""


class Ringback:
    """One user: a home folder, and the command line in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "RINGBACK_"))},
            "HOME": str(home),
            "RINGBACK_HOME": str(home / "ringback"),
            "PYTHONPATH": str(ROOT),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "TZ": "UTC",
        }
        self.printed: list[str] = []

    def start(self, *words: str, feed: str = "") -> Process:
        """A command that runs, ready to be waited for or ended."""
        assert forge, "the fixture of tests/outside/conftest.py has not run"
        return Process(forge, list(words), self.env, feed)

    def __call__(self, *words: str, code: int | None = 0, feed: str = "") -> Ended:
        """Run one command; `code`: the exit code it must have, or None for any."""
        running = self.start(*words, feed=feed)
        out, err = running.communicate()
        self.printed += [out, err]
        assert "Traceback" not in err, err
        ended = running.returncode
        assert code is None or ended == code, f"{words} ended {ended}: {err}"
        return subprocess.CompletedProcess(words, ended or 0, out, err)

    def token(self, account: str, provider: str) -> None:
        """As a user without a keyring gives it: in the environment."""
        name = account.upper().replace("-", "_")
        self.env[f"RINGBACK_TOKEN_{name}"] = TOKENS[provider]

    def add(self, name: str, provider: str, base: str, *more: str) -> None:
        """An account with its token."""
        words = ["--provider", provider, "--base-url", base, *more]
        words += ["--app-id", APP_ID] if provider == "cinnox" else []
        self.token(name, provider)
        self("accounts", "add", name, *words)

    def calls(self, *words: str) -> list[dict[str, Any]]:
        """`calls --json`, read."""
        return [json.loads(line) for line in self("calls", "--json", *words).stdout.splitlines()]

    def files(self) -> Iterator[Path]:
        return (path for path in self.home.rglob("*") if path.is_file())

    def text_of_all_files(self) -> str:
        """Every byte that Ringback keeps, with the archive's compressed rows unpacked."""
        found = []
        for path in self.files():
            found.append(path.read_bytes().decode("utf-8", "replace"))
            if path.suffix == ".db":
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as archive:
                    for kept in archive.execute("SELECT body, extra, raw FROM detail"):
                        found += details_of(*kept)
        return "\n".join([*found, *self.printed])
