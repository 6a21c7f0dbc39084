"""Ringback's command line in processes of their own, forked from one that has imported it.

They are what `python -m tui.cli` starts, but for the quarter of a second that starting Python and
importing costs each time. One JSON line asks: a command to start, or a process to wait for.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

MODULES = """
    anyio._backends._asyncio asyncio concurrent.futures.thread csv ctypes httpcore httpx
    logging.handlers providers.cinnox providers.liner providers.media providers.nectar sqlite3
    phonenumbers tomlkit tui.archive tui.cli.accounts tui.cli.calls tui.cli.doctor tui.cli.download
    tui.cli.sync tui.log tui.secrets.process tui.secrets.tokens widgets.call_document widgets.columns zoneinfo
""".split()  # noqa: SIM905


def serve(sock: socket.socket) -> None:
    """Fork for every command; in the child this ends with the command's exit."""
    from tui.cli import main

    for module in MODULES:
        __import__(module)
    gc.freeze()  # the children need not look through all this when they end
    while True:
        data, files, _, _ = socket.recv_fds(sock, 1 << 20, 3)
        if not data:
            return
        asked = json.loads(data)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            sock.send(str(os.waitstatus_to_exitcode(status)).encode())
        elif pid := os.fork():
            for file in files:
                os.close(file)
            sock.send(str(pid).encode())
        else:
            sock.close()
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            os.setsid()  # no terminal to ask for anything
            os.environ.clear()
            os.environ.update(asked["env"])
            time.tzset()
            _leave(_ended(main, asked["words"]))


def _ended(main: Callable[[list[str]], int], words: list[str]) -> int:
    """The exit code, also of a command that ends by `sys.exit`; what else it raises goes on."""
    try:
        return main(words)
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        return end.code or 0


def _leave(code: int) -> NoReturn:
    """As Python ends: threads are waited for, and all that was registered runs. But nothing is
    taken apart: that would copy each page that is shared with the others, 30 ms a command.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Process:
    """A command that runs: ended with `send_signal`, awaited with `communicate`."""

    def __init__(self, forge: Forge, words: list[str], env: dict[str, str], feed: str) -> None:
        self._forge = forge
        self._files = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115
        self._files[0].write(feed.encode())
        self._files[0].seek(0)
        handles = [file.fileno() for file in self._files]
        self.pid = forge.ask({"words": words, "env": env}, handles)
        self.returncode: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def communicate(self) -> tuple[str, str]:
        """Wait for the end; standard output and standard error."""
        if self.returncode is None:
            self.returncode = self._forge.ask({"wait": self.pid}, [])
        _, out, err = (_content(file) for file in self._files)
        return out, err


def _content(file: BinaryIO) -> str:
    with file:
        file.seek(0)
        return file.read().decode()


class Forge:
    """The process that others are forked from."""

    def __init__(self, root: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        place = f"socket.socket(fileno={theirs.fileno()})"
        code = f"import socket; from tests.outside.warm import serve; serve({place})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": root},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    def ask(self, what: dict[str, Any], handles: list[int]) -> int:
        socket.send_fds(self._socket, [json.dumps(what).encode()], handles)
        return int(self._socket.recv(64))

    def close(self) -> None:
        self._socket.close()
        self._process.wait(timeout=10)
