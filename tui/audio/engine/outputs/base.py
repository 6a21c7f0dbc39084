"""What every output of an engine is, and those that need no device: a WAV file, and silence."""

from __future__ import annotations

import contextlib
import threading
import time
import wave
from typing import Protocol

from providers.errors import reason
from tui.audio.engine.pcm import FRAME, RATE
from tui.audio.engine.pcm_queue import PcmQueue

_UNWRITABLE = "{} cannot be written ({})"
_TICK_S = 0.05


class NoDevice(Exception):
    """No sound can come out; the text says why, for a person."""


class Output(Protocol):
    """An open output. It is playing from the moment it exists."""

    name: str
    idle_s: float
    """How long it may stay open with nothing to play."""
    per_recording: bool
    """Whether it is closed at the end of each recording."""
    broken: str
    """Why no more sound comes out, for a person; empty while it does."""
    underrun: bool
    """Whether it has to be opened anew, with a longer period. It plays nothing until then."""

    def close(self) -> None: ...


def try_file(output: str) -> str:
    """Why the file of ``wav:PATH`` cannot be written, else empty; what is in it stays."""
    path = output.removeprefix("wav:")
    try:
        with open(path, "ab"):
            return ""
    except OSError as error:
        return _UNWRITABLE.format(path, reason(error))


class _Threaded:
    """An output whose thread is our own."""

    broken = ""
    underrun = False

    def __init__(self, queue: PcmQueue, *, real_time: bool = True) -> None:
        self._queue = queue
        self._closed = threading.Event()
        queue.attach(0.0, real_time=real_time)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._closed.set()
        self._thread.join()


class SilentOutput(_Threaded):
    """Nothing to be heard, at the pace of a real device."""

    name = "none"
    idle_s = 5.0
    per_recording = False

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closed.wait(max(0.0, due - time.monotonic())):
            self._queue.pull(int(_TICK_S * RATE))
            due = max(due + _TICK_S, time.monotonic() - _TICK_S)  # a suspended machine lost it


class WavOutput(_Threaded):
    """A WAV file, as fast as it can be written; a new recording begins it anew."""

    idle_s = float("inf")
    per_recording = True

    def __init__(self, path: str, queue: PcmQueue) -> None:
        self.name, self._path = f"wav:{path}", path
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(open(path, "wb"))
            except OSError as error:
                raise NoDevice(_UNWRITABLE.format(path, reason(error))) from error
            self._file = stack.enter_context(wave.open(file, "wb"))
            self._file.setnchannels(2)
            self._file.setsampwidth(FRAME // 2)
            self._file.setframerate(RATE)
            self._stack = stack.pop_all()
        super().__init__(queue, real_time=False)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                if pcm := self._queue.pull(int(_TICK_S * RATE)):
                    self._file.writeframesraw(pcm)
                else:
                    self._queue.wait_for_sound(_TICK_S)
        except OSError as error:
            self.broken = f"{self._path} cannot be written further ({reason(error)})"

    def close(self) -> None:
        super().close()
        with contextlib.suppress(OSError):  # its header, on a disk that is full
            self._stack.close()
