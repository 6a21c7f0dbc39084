"""Stopped and continued, in every way and at every moment: the terminal is given back whole, comes
back whole, and the program ends when it is told to.
"""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.benchmarks.fill import fill
from tests.ui.jobs import BASH, PROMPT, Shell, state_of, switched, until
from tests.ui.terminal import Program

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.skipif(BASH is None, reason="no shell with jobs"),
]
STOP, CONT = signal.SIGSTOP, signal.SIGCONT


@pytest.fixture(autouse=True)
def calls() -> None:
    """An archive, and no vendor whose answers would be said."""
    fill(os.environ, 60).accounts.remove("desk")


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() -> None:
    with Shell() as shell:
        shell.start()
        shell.read()
        before, during, raw = shell.text, switched(shell.output), shell.attrs
        assert {"1049", "1003", "2004"} <= {*during}, "the modes are seen here"
        shell.write("\x1a")
        shell.stopped()
        assert switched(shell.output) == {}
        assert PROMPT.encode() in shell.output.rpartition(b"\x1b[?1049l")[2]
        shell.run("fg", "rows 1-")
        assert shell.text == before
        assert switched(shell.output) == during
        assert shell.attrs == raw
        shell.write("\x11")
        assert shell.ends() == 0
        assert switched(shell.output) == {} and shell.attrs == shell.at_prompt


def test_sigstop_sigcont_and_it_leaves() -> None:
    with Program("tui.cli") as program:
        program.wait_for("rows 1-")
        program.read()
        before, during = program.text, switched(program.output)
        for _ in range(2):
            os.kill(program.pid, STOP)
            until(lambda: state_of(program.pid) == "T", "stopped")
            os.kill(program.pid, CONT)
            program.read()
        assert program.text == before and switched(program.output) == during
        code, _ = program.leave(wait_s=10)
        assert code == 0 and program.restored
        assert switched(program.output) == {}
