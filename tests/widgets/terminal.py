"""A scene of `hosts` in a real pseudo-terminal: its bytes, and what an emulator makes of them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[2]
SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|[\]PX^_].*?(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC
    rb"|[ -/]*[0-~])",
    re.DOTALL,
)
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*(?:\$p|u)")


class Terminal:
    """Runs ``python -m tests.widgets.hosts SCENE``; a context manager."""

    def __init__(self, scene: str, columns: int = 120, rows: int = 40, **env: str) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._size = struct.pack("HHHH", rows, columns, 0, 0)
        self._scene, self._env = scene, env
        self.output = b""

    def __enter__(self) -> Terminal:
        keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        env = keep | {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
        }
        self._pid, self._fd = pty.fork()
        if not self._pid:
            os.chdir(ROOT)
            command = [sys.executable, "-m", "tests.widgets.hosts", self._scene]
            os.execve(sys.executable, command, env | self._env)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, self._size)
        self.read(wait_s=20.0)
        return self

    def __exit__(self, *exc: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.close(self._fd)
        os.waitpid(self._pid, 0)

    def read(self, wait_s: float = 5.0, quiet_s: float = 0.2) -> bytes:
        """What comes until nothing more does; waits `wait_s` for the first of it."""
        data = b""
        deadline = time.monotonic() + wait_s
        shown = bool(self.output)
        while select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            try:
                data += os.read(self._fd, 65536)
            except OSError:
                break
            # the start-up sequences come long before the first paint
            shown = shown or len(data) > 2000
            deadline = time.monotonic() + (quiet_s if shown else wait_s)
        self.output += data
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data))
        return data

    def press(self, keys: str, wait_s: float = 5.0, quiet_s: float = 0.2) -> bytes:
        """Type `keys`; the bytes that this brought."""
        os.write(self._fd, keys.encode())
        return self.read(wait_s, quiet_s)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)


MOVES = {
    *(b"\x1b[" + n + final for n in (b"", b"N") for final in (b"B", b"C", b"G", b"H", b"L", b"M")),
    *(b"\x1b[r", b"\x1b[Nr", b"\x1b[m"),
}
"""How the painter gets from one run of cells to the next; the numbers left out."""


def shapes(output: bytes) -> set[bytes]:
    """The kinds of escape sequences in `output`, their numbers left out."""
    return {re.sub(rb"[0-9;]+", b"N", found) for found in SEQUENCE.findall(output)}
