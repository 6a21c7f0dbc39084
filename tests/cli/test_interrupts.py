"""ctrl+c: silent while a command begins, told once it has begun."""

from __future__ import annotations

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


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_while_tokens_are_taken_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tui.secrets.process.take_tokens", interrupted)
    monkeypatch.setattr(sys, "argv", ["ringback", "paths"])
    assert main() == INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_an_interrupt_of_a_command_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tui.cli.paths.run", interrupted)
    assert main(["paths"]) == 1
    assert capsys.readouterr() == ("", "Interrupted; what had come is kept.\n")
