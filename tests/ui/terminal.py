"""A program in a real pseudo-terminal: when a text appeared, what it cost, how it was left."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte

from tests.widgets.terminal import ROOT, UNKNOWN_TO_PYTE


def cpu_of(pid: int) -> float:
    """Seconds that a process has used of the processors. Raises `OSError`."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


class Program:
    """``Program("tui.cli", "missed")`` runs that module, `streams` as in a shell (``2>&-``), with
    `env` and `more` in its environment; a context manager.
    """

    def __init__(
        self,
        module: str,
        *words: str,
        columns: int = 120,
        rows: int = 40,
        streams: str = "",
        env: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._size = struct.pack("HHHH", rows, columns, 0, 0)
        python: list[str] = [sys.executable, "-m", module, *words]
        redirected = ["/bin/sh", "-c", f'exec "$0" "$@" {streams}', *python]
        self._command: list[str] = redirected if streams else python
        self._env = {**(env or {}), **more}
        self.output = b""
        self.status: int | None = None
        self.worked_s = 0.0
        """What it and the processes that it waited for have used of the processors, at its end."""

    def __enter__(self) -> Self:
        # as the tests' own environment: without tokens, keyring and network
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **self._env}
        env.pop("COLUMNS", None)  # the terminal itself says how large it is
        env.pop("LINES", None)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, self._size)
        self.modes = termios.tcgetattr(slave)
        self.began = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            os.login_tty(slave)
            home = env.get("HOME", "")  # where the program may save files
            os.chdir(home if os.path.isdir(home) else ROOT)
            os.execve(self._command[0], self._command, env)
        self.fd, self.slave = master, slave
        return self

    def __exit__(self, *exc: object) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
        os.close(self.slave)

    def read(self, quiet_s: float = 0.2, wait_s: float = 0.5, show: bool = True) -> bytes:
        """What comes until nothing more does for `quiet_s`; waits `wait_s` for the first of it.

        Without `show` the emulator, which is slow, does not see it.
        """
        data = b""
        while select.select([self.fd], [], [], quiet_s if data else wait_s)[0]:
            data += os.read(self.fd, 65536)
        self._take(data, show)
        return data

    def _take(self, data: bytes, show: bool = True) -> None:
        self.output += data
        if show:
            self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data))

    def wait_for(self, *texts: str, wait_s: float = 20.0) -> tuple[float, float]:
        """Seconds, and seconds of the processor, until one of the texts stood on the screen."""
        deadline = time.monotonic() + wait_s
        seen, worked_s = time.monotonic(), self.cpu_s
        while not self._shows(texts):
            chunks: list[tuple[float, float, bytes]] = []
            # the emulator is slow: it is fed when nothing more waits, so as not to delay the clock
            while select.select([self.fd], [], [], 0.03 if chunks else wait_s)[0]:
                chunks.append((time.monotonic(), self.cpu_s, os.read(self.fd, 65536)))
            for seen, worked_s, data in chunks:  # noqa: B007  (those of the chunk that brought it)
                self._take(data)
                if self._shows(texts):
                    break
            self._take(b"".join(data for at, _, data in chunks if at > seen))
            assert time.monotonic() < deadline, self.text
        return seen - self.began, worked_s

    def _shows(self, texts: Sequence[str]) -> bool:
        text = self.text
        return any(wanted in text for wanted in texts)

    def press(
        self, keys: str, quiet_s: float = 0.2, wait_s: float = 5.0, show: bool = True
    ) -> bytes:
        """Type `keys`; the bytes that this brought, as `read`."""
        os.write(self.fd, keys.encode())
        return self.read(quiet_s, wait_s, show)

    def write(self, keys: str) -> None:
        """Type `keys` at once; whatever comes of it is read later."""
        os.write(self.fd, keys.encode())

    def leave(self, keys: str = "\x11", wait_s: float = 5.0) -> tuple[int, float]:
        """Type `keys` (ctrl+q); the exit code (negative: a signal), and how long it took."""
        began = time.monotonic()
        os.write(self.fd, keys.encode())
        return self.ended(began, wait_s)

    def ended(self, began: float, wait_s: float = 5.0) -> tuple[int, float]:
        """The exit code and the seconds since `began`, when the program has ended."""
        while time.monotonic() - began < wait_s:
            if select.select([self.fd], [], [], 0.01)[0]:
                self._take(os.read(self.fd, 65536))
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.worked_s = used.ru_utime + used.ru_stime
                self.status = os.waitstatus_to_exitcode(status)
                took = time.monotonic() - began
                while select.select([self.fd], [], [], 0.05)[0]:
                    self._take(os.read(self.fd, 65536))
                return self.status, took
        raise AssertionError(f"it runs on after {wait_s} s:\n{self.text}")

    @property
    def restored(self) -> bool:
        """Whether the terminal's modes are those of before."""
        return termios.tcgetattr(self.slave) == self.modes

    @property
    def text(self) -> str:
        rows, columns = range(self.screen.lines), range(self.screen.columns)
        # a wide letter's second cell is empty; `display` trips over marks that combine with it
        return "\n".join("".join(self.screen.buffer[y][x].data for x in columns) for y in rows)

    @property
    def cpu_s(self) -> float:
        """What the process has used of the processors, exact to the nanosecond."""
        return cpu_of(self.pid)

    @property
    def rss_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if "VmRSS" in line))

    @property
    def thread_heaps(self) -> int:
        """How many heaps of its own glibc keeps for threads: each is 64 MB of addresses."""
        size = 64 << 20
        maps = [line.split() for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines()]
        spans = [[int(end, 16) for end in line[0].split("-")] for line in maps]
        return sum(
            start % size == 0 and after[1] == start + size and rights == "---p"
            for (start, _), after, (_, rights, *_) in zip(spans, spans[1:], maps[1:], strict=False)
        )
