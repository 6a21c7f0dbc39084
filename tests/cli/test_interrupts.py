"""ctrl+c: silent while a command begins, told once it has begun."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tui.cli import INTERRUPTED, main

_INTERRUPTED_AT = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from tui.cli import main
sys.exit(main(["accounts", "list"]))
"""


@pytest.mark.parametrize(
    "module",
    [
        "tui.cli.dispatch",
        "argparse",
        "tui.console",
        "tui.cli.parser",
        "tui.config.paths",
        "tui.secrets.process",
        "tui.cli.accounts",
        "sqlite3",
    ],
)
def test_an_interrupt_while_the_program_is_loaded_is_silent(module: str) -> None:
    """A signal at the moment when a module is looked for."""
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_AT, module], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "", "")


_INTERRUPTED_AT_ITS_END = """
import atexit, os, signal, sys
from tui.cli import main
atexit.register(os.kill, os.getpid(), signal.SIGINT)
sys.argv = ["ringback", "paths"]
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupt_when_all_is_done_is_silent() -> None:
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED_AT_ITS_END], capture_output=True)
    assert done.returncode == -signal.SIGINT and done.stderr == b""
    assert done.stdout.startswith(b"config ")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_while_tokens_are_taken_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tui.secrets.process.take_tokens", interrupted)
    monkeypatch.setattr(sys, "argv", ["ringback", "paths"])
    before = signal.getsignal(signal.SIGINT)
    try:
        assert main() == INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, before)  # as this process is no program that ends now
    assert capsys.readouterr() == ("", "")


def test_an_interrupt_of_a_command_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tui.cli.paths.run", interrupted)
    assert main(["paths"]) == 1
    assert capsys.readouterr() == ("", "Interrupted; what had come is kept.\n")
