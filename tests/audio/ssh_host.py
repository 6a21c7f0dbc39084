"""A host at the other end of a slow line: a real sshd on loopback behind a proxy that delays."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket

from tests.audio import sounds
from tests.audio.listener import Listen, Listener
from tests.audio.processes import engines_of
from tests.guards.readme_text import ROOT

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
NO_SSHD = None if SSHD and shutil.which("ssh") else "sshd and ssh are not installed"
PYTHON = f"{sys.executable} -P -m tui.cli"
_HASTY = """
import asyncio, os, sys
from tui.audio.speaker.relay_protocol import Timing
from tui.audio.speaker.server_side import relay
sys.exit(asyncio.run(relay(os.environ, Timing(silent_s=4.0))))
"""
HASTY = f"{sys.executable} -P -c {shlex.quote(_HASTY)}"
"""A relay that gives up after half the time."""
HASTY_SSH = ("-o", "ServerAliveInterval=1")
"""And ssh after a fifth of it."""
SILENT = {"RINGBACK_AUDIO": "none"}
"""For the listener's machine: an engine that plays in silence, at its own pace."""
SESSION = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.1 22"}
"""What a login through ssh finds in its environment."""

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
DisableForwarding yes
ForceCommand none
SetEnv {environment}
"""


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sshd:
    """Forwarding is forbidden; `runtime` is the folder where relays listen."""

    def __init__(self, folder: Path) -> None:
        assert SSHD is not None
        self.folder = folder
        self.runtime = Path(tempfile.mkdtemp(prefix="rb"))  # a socket's path must be short
        self.port = free_port()
        for name in ("host", "user"):
            key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(key, check=True)
        environment = {
            "PYTHONPATH": str(ROOT),
            "RINGBACK_RUNTIME_DIR": str(self.runtime),
            "RINGBACK_HOME": str(folder / "far"),
            "TESTS_OF_RINGBACK": os.environ["TESTS_OF_RINGBACK"],
        }
        config = folder / "sshd_config"
        words = " ".join(f'"{name}={value}"' for name, value in environment.items())
        config.write_text(_CONFIG.format(port=self.port, folder=folder, environment=words))
        Path("/run/sshd").mkdir(exist_ok=True) if os.getuid() == 0 else None
        with (folder / "sshd.log").open("wb") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
        deadline = time.monotonic() + 10
        while True:
            with socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, (folder / "sshd.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def speakers(self) -> list[Path]:
        return sorted(self.runtime.glob("speaker-*"))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self.runtime)


class Line:
    """TCP to `port`, every byte late by `delay_s` on each way, at `rate` bytes a second."""

    def __init__(self, port: int, delay_s: float = 0.025, rate: float = 5e6 / 8) -> None:
        self._to, self._delay_s, self._rate = port, delay_s, rate
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.down = False
        self.held = False
        """Nothing passes, and nobody is told: a cable that nobody has noticed."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, far_writer}
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        free_at = 0.0

        def late(data: bytes) -> None:
            if not sink.is_closing() and not self.held:
                sink.write(data) if data else sink.close()

        with contextlib.suppress(OSError):
            while True:
                data = await source.read(4096)
                free_at = max(free_at, loop.time()) + len(data) / self._rate
                loop.call_at(free_at + self._delay_s, late, data)
                if not data:
                    return

    def cut(self) -> None:
        """As if the cable were pulled and both ends had noticed."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def close(self) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class NearSpeaker:
    """`ringback speaker` as a process; its words are kept."""

    def __init__(
        self, sshd: Sshd, port: int, *more: str, remote: str = PYTHON, **environ: str
    ) -> None:
        self._log = sshd.folder / f"speaker-{time.monotonic_ns()}.log"
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        command = [
            *(sys.executable, "-P", "-m", "tui.cli", "speaker", "-p", str(port)),
            *("-i", str(sshd.folder / "user"), "--remote-command", remote),
            *(word for option in options for word in ("-o", option)),
            *(*more, f"{getpass.getuser()}@127.0.0.1"),
            *("--", "-F", "none"),
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def words(self) -> str:
        return self._log.read_text()

    @property
    def engines(self) -> list[int]:
        """The engines that it keeps: one that is warm, and one for the screen that it serves."""
        return engines_of(self.process.pid)

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(5)


@contextlib.contextmanager
def sshd_in(folder: Path) -> Iterator[Sshd]:
    made = Sshd(folder)
    try:
        yield made
    finally:
        made.close()


async def until(true: Callable[[], object], what: str, timeout_s: float = 15.0) -> None:
    """Wait for a condition; fails with `what` it waited for."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"waited for {what}"
        await asyncio.sleep(0.01)


async def connected(sshd: Sshd, speaker: NearSpeaker, count: int = 1) -> None:
    """Wait until it says so, and until `count` speakers can be found there."""

    def there() -> bool:
        assert speaker.process.poll() is None, speaker.words
        return "connected to" in speaker.words

    await until(there, "the speaker")
    assert sshd.speakers(), "who is told of it can play at once"
    await until(lambda: len(sshd.speakers()) == count, "no other speaker")


async def playing(listen: Listen, start_s: float = 0.0) -> Listener:
    """A screen whose recording is heard, wherever the way leads."""
    listener = listen(None)
    await listener.play(sounds.telephone(), start_s=start_s)
    await listener.until("playing")
    return listener
