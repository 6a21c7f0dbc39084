"""Child processes that cannot hang us and learn nothing; and this process hardened."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

_OWN = "RINGBACK_TOKEN_"
_SECRET_NAME = re.compile(r"(?i)(?:^|_)(?:TOKEN|SECRET|KEY|PASSWORD|PASSWD|PASSPHRASE)$")
_GRACE_S = 0.5
_GLANCE_S = 0.1
_ROUNDS = 3
_MARK = "RINGBACK_CHILD"
"""In the environment of a child, and so of all that it starts: they are found by it."""
_T = TypeVar("_T")
_taken: dict[str, str] = {}


def take_tokens() -> None:
    """From here on no child inherits a token of this program's environment, whoever starts it."""
    for name in list(os.environ):
        if name.upper().startswith(_OWN):
            _taken[name] = os.environ.pop(name)


def with_tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment with what `take_tokens` took."""
    return {**_taken, **environ}


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


def share_heap() -> None:
    """One heap for the threads of this process, before there are any: glibc gives each its own,
    and each keeps the most that it ever held. Where there is no glibc, nothing.
    """
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            arena_max = -8
            ctypes.CDLL(None).mallopt(arena_max, 1)


def end_in_order() -> None:
    """Let a terminated command end as an interrupted one does, so that what it started ends too."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        with suppress(ValueError):  # not in the main thread
            if number and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. Its output may be a token, so it is not shown."""

    code: int
    stdout: bytes = field(repr=False)


class Stopped(Exception):
    """The child was killed, with all that it had started in its session."""


class TimedOut(Stopped):
    """It took too long."""


class _Children:
    """What `run_killable` waits for on behalf of one piece of work."""

    def __init__(self) -> None:
        self._marks: dict[subprocess.Popen[bytes], str] = {}
        self._unwanted, self._lock = False, threading.Lock()

    def add(self, process: subprocess.Popen[bytes], mark: str) -> None:
        with self._lock:
            self._marks[process] = mark
            if self._unwanted:
                _kill_all(process, mark)

    def discard(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._marks.pop(process, None)

    def kill(self, *, for_good: bool) -> None:
        """End them and what they started, before this returns: the threads that wait for them may
        end with the program. `for_good`: what is added later as well.
        """
        with self._lock:
            self._unwanted |= for_good
            for process, mark in self._marks.items():
                _kill_all(process, mark)


_all = _Children()
_work: ContextVar[_Children | None] = ContextVar("children of this work", default=None)


def kill_running() -> None:
    """End whatever `run_killable` waits for in any thread: nobody wants the answer any more."""
    _all.kill(for_good=False)


async def in_thread(function: Callable[..., _T], *args: Any) -> _T:
    """`asyncio.to_thread`. When it is cancelled, the children that `function` waits for end."""
    import asyncio  # it costs start-up time

    children = _Children()
    before = _work.set(children)
    try:
        return await asyncio.to_thread(function, *args)
    except asyncio.CancelledError:
        children.kill(for_good=True)
        raise
    finally:
        _work.reset(before)


def run_killable(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout_s: float,
    stdin: bytes = b"",
    limit: int = 1 << 20,
) -> Finished:
    """Run a program in its own session and wait for its end, no longer than `timeout_s`.

    It has no terminal to ask on, and its standard error goes nowhere. Whatever it started ends
    with it; only an agent, in a session of its own, stays where it ended well. Raises `TimedOut`,
    `Stopped` when it prints more than `limit` bytes, and OSError when it cannot be started.
    """
    mark = os.urandom(16).hex()
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env={**env, _MARK: mark},
        start_new_session=True,
    )
    owners = [one for one in (_all, _work.get()) if one]
    code = None
    try:
        out = _Drain(process, limit)
        for owner in owners:
            owner.add(process, mark)
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(stdin)
        code = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise TimedOut(f"no answer within {timeout_s:g} s") from None
    finally:
        for owner in owners:
            owner.discard(process)
        _kill_all(process, "" if code == 0 else mark)
        kept = out.close()
    if out.overflowed:
        raise Stopped(f"it printed more than {limit >> 10:,} kB")
    return Finished(code, kept)


class _Drain:
    """Reads a child's output in a thread, so that a full pipe never blocks it; too much ends it."""

    def __init__(self, process: subprocess.Popen[bytes], limit: int) -> None:
        assert process.stdout is not None
        self._process, self._pipe, self._limit = process, process.stdout, limit
        self._kept, self._left = bytearray(), threading.Event()
        self.overflowed = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe, selectors.DefaultSelector() as ready:
            if sys.platform != "win32":
                ready.register(self._pipe, selectors.EVENT_READ)
            while not self._left.is_set():
                if sys.platform != "win32" and not ready.select(_GLANCE_S):
                    continue
                if not (chunk := self._pipe.read(65536)):
                    return
                self._kept += chunk
                if len(self._kept) > self._limit:
                    self.overflowed = True
                    _signal(self._process)
                    return

    def close(self) -> bytes:
        """What came. An agent that keeps the pipe open is not waited for."""
        self._thread.join(_GRACE_S)
        self._left.set()
        return bytes(self._kept)


def _signal(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        # the group lives on while any of its members does, so its id cannot be someone else's
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _kill_all(process: subprocess.Popen[bytes], mark: str) -> None:
    """End it, what is left of its session, and what has `mark`."""
    _signal(process)
    process.wait()
    _kill_left(process.pid, mark)


def _kill_left(session: int, mark: str) -> None:
    """End what is left of a session, in whatever groups, and what has `mark`; where /proc is."""
    for _ in range(_ROUNDS):
        left = [pid for pid in _processes() if _belongs(pid, session, mark.encode())]
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _belongs(pid: int, session: int, mark: bytes) -> bool:
    with suppress(OSError, ValueError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
        if stat[0] == b"Z":  # it has ended
            return False
        if int(stat[3]) == session:
            return True
        if mark:
            return _MARK.encode() + b"=" + mark in Path(f"/proc/{pid}/environ").read_bytes()
    return False
