"""Child processes that cannot hang us and learn nothing; and this process hardened."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

_OWN = "RINGBACK_TOKEN_"
_SECRET_NAME = re.compile(r"(?i)(?:^|_)(?:TOKEN|SECRET|KEY|PASSWORD|PASSWD|PASSPHRASE)$")
_GRACE_S = 0.5


def clean_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a child that needs no secret (a player, the engine, an opener)."""
    return {name: value for name, value in environ.items() if not _is_secret(name)}


def without_own_tokens(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a helper of the user's own, which may need the user's own secrets."""
    return {name: value for name, value in environ.items() if not name.upper().startswith(_OWN)}


def _is_secret(name: str) -> bool:
    return name.upper().startswith(_OWN) or _SECRET_NAME.search(name) is not None


def harden_process() -> None:
    """No core dump and no debugger for this process: its memory holds tokens. Best effort."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            set_dumpable = 4
            ctypes.CDLL(None, use_errno=True).prctl(set_dumpable, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. Its output may be a token, so it is not shown."""

    code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


class TimedOut(Exception):
    """The child was killed, with all that it had started in its session."""


_running: set[subprocess.Popen[bytes]] = set()


def kill_running() -> None:
    """End whatever `run_killable` waits for in any thread: nobody wants the answer any more."""
    for process in tuple(_running):
        _kill(process)


def run_killable(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout_s: float,
    stdin: bytes = b"",
    limit: int = 64 * 1024,
) -> Finished:
    """Run a program in its own session and wait for its end, no longer than `timeout_s`.

    It has no terminal to ask on. At most `limit` bytes of each output are kept. What it leaves
    running in the background is not waited for. Raises `TimedOut`, and OSError when it cannot
    be started.
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=dict(env),
        start_new_session=True,
    )
    out, err = _Drain(process.stdout, limit), _Drain(process.stderr, limit)
    _running.add(process)
    try:
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(stdin)
        code = process.wait(timeout_s)
    except BaseException as error:
        _kill(process)
        if isinstance(error, subprocess.TimeoutExpired):
            raise TimedOut(f"no answer within {timeout_s:g} s") from None
        raise
    finally:
        _running.discard(process)
        kept = out.close(), err.close()
    return Finished(code, *kept)


class _Drain:
    """Reads a pipe to its end in a thread, so that a full pipe never blocks the child."""

    def __init__(self, pipe: IO[bytes] | None, limit: int) -> None:
        assert pipe is not None
        self._pipe, self._limit, self._kept = pipe, limit, bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while chunk := self._pipe.read(65536):
                self._kept += chunk[: self._limit - len(self._kept)]

    def close(self) -> bytes:
        """What came; a grandchild that keeps the pipe open is left to itself."""
        self._thread.join(_GRACE_S)
        return bytes(self._kept)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        # the group lives on while any of its members does, so its id cannot be someone else's
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
