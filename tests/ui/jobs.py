"""A shell with job control in a pseudo-terminal, in which the program is started, stopped and
brought back; and what a terminal still has switched on after some bytes.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.ui.terminal import Program

BASH = shutil.which("bash")
PROMPT = "ready>"
_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])|\x1b\[>(\d+)u|\x1b\[<(\d*)u")
_ON_AT_FIRST = {7, 25}
"""Lines wrap, and the cursor is seen."""


def switched(output: bytes) -> dict[str, bool]:
    """The modes that are other than a terminal has them at first, and how often kitty's keys are
    on; asking for a mode (``$p``) switches nothing.
    """
    modes: dict[int, bool] = {}
    kitty = 0
    for numbers, how, pushed, popped in _MODE.findall(output):
        if pushed:
            kitty += 1
        elif numbers:
            modes |= dict.fromkeys(map(int, numbers.split(b";")), how == b"h")
        else:
            kitty = max(0, kitty - int(popped or 1))
    odd = {str(n): on for n, on in modes.items() if on != (n in _ON_AT_FIRST)}
    return odd | ({f"kitty {kitty}": True} if kitty else {})


def state_of(pid: int) -> str:
    """``T`` is stopped, ``Z`` ended; empty: there is no such process any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def until(true: Callable[[], object], what: str, wait_s: float = 20.0) -> None:
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Shell(Program):
    """An interactive bash; `start` runs the program in it."""

    def __init__(
        self,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        super().__init__("", columns=columns, rows=rows, env=env, PS1=PROMPT, **more)
        assert BASH is not None
        self._command = [BASH, "--norc", "--noprofile", "--noediting", "-i"]
        self.job = 0
        """The program's process."""

    def start(self, *words: str, module: str = "tui.cli", sign: str = "rows 1-") -> None:
        self.wait_for(PROMPT)
        self.read(quiet_s=0.1, wait_s=0.1)
        self.at_prompt = termios.tcgetattr(self.slave)
        self.write(f"{sys.executable} -m {module} {' '.join(words)}\n")
        self.wait_for(sign)
        self.job = self.foreground

    @property
    def foreground(self) -> int:
        """The first process of the job that has the terminal."""
        return os.tcgetpgrp(self.fd)

    def stopped(self) -> None:
        """Wait until the job is stopped and the shell asks again."""
        until(lambda: state_of(self.job) == "T" and self.foreground == self.pid, "it is stopped")
        self.read(wait_s=0.5)

    def run(self, command: str, sign: str) -> None:
        """Type a command at the shell, and wait for what it brings."""
        self.output = b""
        self.screen.reset()
        self.write(f"{command}\n")
        self.wait_for(sign)
        self.read(wait_s=0.5)

    def ends(self, wait_s: float = 10.0) -> int:
        """The exit code of the job, which ends by itself now."""
        until(lambda: not state_of(self.job), "the program has ended", wait_s)
        self.read(wait_s=0.5)
        self.run("echo code $?.", ".")
        found = re.search(r"code (\d+)\.", self.text.partition("$?.")[2] or self.text)
        assert found, self.text
        return int(found[1])

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    @property
    def attrs(self) -> list[object]:
        return termios.tcgetattr(self.slave)

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.job, number)
