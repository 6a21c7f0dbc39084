"""Ringback as a stranger runs it: its command line in processes of their own, on loopback."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.outside.server import APP_ID, TOKENS

ROOT = Path(__file__).parents[2]
_ADD = (
    "import json, sys; from tui.cli import main; sys.exit(max(map(main, json.loads(sys.argv[1]))))"
)


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
        self._to_add: list[list[str]] = []

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """A command that runs, ready to be waited for or ended."""
        if self._to_add:  # in one process, since starting one costs more than adding an account
            lines, self._to_add = self._to_add, []
            command = [sys.executable, "-c", _ADD, json.dumps(lines)]
            subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, check=True)
        return subprocess.Popen(
            [sys.executable, "-m", "tui.cli", *words],
            env=self.env,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # no terminal to ask for anything
            **options,
        )

    def __call__(self, *words: str, code: int | None = 0, feed: str = "", **options: Any) -> Any:
        """Run one command; `code`: the exit code it must have, or None for any."""
        started = self.start(*words, stdin=subprocess.PIPE, **options)
        out, err = started.communicate(feed, timeout=60)
        self.printed += [out, err]
        ended = subprocess.CompletedProcess(words, started.returncode, out, err)
        assert "Traceback" not in err, err
        assert code is None or ended.returncode == code, f"{words} ended {ended.returncode}: {err}"
        return ended

    def token(self, account: str, provider: str) -> None:
        """As a user without a keyring gives it: in the environment."""
        name = account.upper().replace("-", "_")
        self.env[f"RINGBACK_TOKEN_{name}"] = TOKENS[provider]

    def add(self, name: str, provider: str, base: str, *more: str) -> None:
        """An account with its token; it is added before the next command runs."""
        words = ["--provider", provider, "--base-url", base, *more]
        words += ["--app-id", APP_ID] if provider == "cinnox" else []
        self._to_add.append(["accounts", "add", name, *words])
        self.token(name, provider)

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
                    for (blob,) in archive.execute("SELECT raw FROM detail"):
                        found.append(zlib.decompress(blob).decode())
        return "\n".join([*found, *self.printed])
