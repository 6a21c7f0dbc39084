"""Ringback as a stranger runs it: its command line in processes of their own, on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.outside.server import APP_ID, TOKENS, Vendors

ROOT = Path(__file__).parents[2]


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

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        env = {**self.env, **options.pop("env", {})}
        return subprocess.Popen(
            [sys.executable, "-m", "tui.cli", *words],
            env=env,
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
        words = ["--app-id", APP_ID] if provider == "cinnox" else []
        self("accounts", "add", name, "--provider", provider, "--base-url", base, *words, *more)
        self.token(name, provider)

    def calls(self, *words: str) -> list[dict[str, Any]]:
        """`calls --json`, read."""
        return [json.loads(line) for line in self("calls", "--json", *words).stdout.splitlines()]

    def files(self) -> Iterator[Path]:
        return (path for path in self.home.rglob("*") if path.is_file())


@pytest.fixture
def ringback(tmp_path: Path) -> Ringback:
    return Ringback(tmp_path)


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    served = Vendors()
    yield served
    served.close()
