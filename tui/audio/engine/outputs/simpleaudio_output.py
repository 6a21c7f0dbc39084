"""The output `simpleaudio`, for those who wish it: the extra ``ringback[simpleaudio]``.

https://simpleaudio.readthedocs.io/en/latest/simpleaudio.html knows whole sounds only: no
pause, no position, no volume, no stream. So it is handed one long, silent `bytearray`, and that
is filled shortly ahead of where it reads; what it has not read yet can still be taken back. When
the bytearray ends the next one begins, some ten milliseconds later.

Its thread frees memory without holding the interpreter, which Python 3.12 and later answer with
a crash unless they were started with ``PYTHONMALLOC=malloc``.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from tui.audio.engine.outputs.base import NoDevice
from tui.audio.engine.pcm import FRAME, RATE
from tui.audio.engine.pcm_queue import PcmQueue

MISSING = (
    "simpleaudio is not installed: pipx inject ringback simpleaudio "
    "(on Debian first: apt install gcc python3-dev libasound2-dev)"
)
UNLOADABLE = "simpleaudio does not load (on Debian: apt install libasound2)"
UNSAFE = "simpleaudio would crash here: this Python needs PYTHONMALLOC=malloc from its start"

_LENGTH_S = 60.0  # of a bytearray: 11.5 MB
_AHEAD = round(0.35 * RATE)  # how far it is filled
_UNREAD = round(0.11 * RATE)  # what it may have read ahead: its buffer is 0.1 s, fixed
_BURST = round(0.25 * RATE)  # what it may have read at once when it began
_PATIENCE_S = 0.2  # for the first sound, which else would come after the burst
_START_S = 0.02  # from the call to the ear, measured on PulseAudio
_LATE_S = 0.1  # how much later on a busy machine, which only matters to the end
_RETURN_S = 0.02  # at most, between its start and its return; a server may take long to answer
_TICK_S = 0.05
_POLL_S = 0.002
_NO_CLOCK_S = 1.0  # whatever has swallowed a minute of sound by then is no real device
_PARTING_S = 0.5


def _load() -> Any:
    """The library. Raises `NoDevice`, with the cure."""
    if sys.version_info >= (3, 12) and os.environ.get("PYTHONMALLOC") != "malloc":
        raise NoDevice(UNSAFE)
    try:
        import simpleaudio
    except ModuleNotFoundError as error:
        raise NoDevice(MISSING) from error
    except ImportError as error:
        raise NoDevice(UNLOADABLE) from error
    return simpleaudio


class SimpleaudioOutput:
    """The system's default device, through ALSA, Core Audio or WinMM. Raises `NoDevice`.

    A frame's number counts from the opening, `_base` is the number of the bytearray's first.
    """

    name = "simpleaudio"
    broken = ""
    underrun = False
    idle_s = 1.0  # opened anew it starts sooner, and with the clock as it is

    def __init__(self, queue: PcmQueue, length_s: float = _LENGTH_S) -> None:
        """`length_s`: seconds of sound in one bytearray."""
        self._library = _load()
        self._length = round(length_s * RATE)
        self._queue = queue
        self.per_recording = False
        self._base = 0
        queue.attach(_START_S + _LATE_S)
        queue.wait_for_sound(_PATIENCE_S, _BURST)
        self._begin()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        if self.per_recording:
            with suppress(NoDevice):
                self._swallow()
        else:
            rest = min(self._read(), self._length) * FRAME
            self._sound[rest:] = bytes(len(self._sound) - rest)
            self._playing.stop()  # what is read already is still heard
            self._await_end()

    def _begin(self) -> None:
        """A new bytearray, filled as far as there is sound, and played."""
        self._sound = bytearray(self._length * FRAME)  # no memory before it is written
        self._began_at = time.monotonic()
        self._filled = self._revision = -1
        self._fill(0)
        called_at = time.monotonic()
        try:
            self._playing = self._play(self._sound)
            self._began_at = max(called_at, time.monotonic() - _RETURN_S)
        except NoDevice:
            self._queue.pull(0, self._base)  # nothing of it was heard
            raise

    def _play(self, sound: bytearray) -> Any:
        try:
            return self._library.play_buffer(sound, 2, FRAME // 2, RATE)
        except Exception as error:  # its own class is not public
            why = str(error).rpartition("MSG: ")[2]
            raise NoDevice(f"no sound device found ({why})") from error

    def _run(self) -> None:
        with suppress(NoDevice):  # the engine sees that nothing is pulled any more
            while not self._closed.is_set():
                self._fill(self._read())
                self._watch()
                left_s = (self._length - self._passed()) / RATE
                self._queue.wait_for_news(self._revision, max(_POLL_S, min(_TICK_S, left_s)))

    def _passed(self) -> int:
        """Frames of the bytearray that the clock has left behind; the device cannot be faster."""
        return round((time.monotonic() - self._began_at) * RATE)

    def _read(self) -> int:
        """The first frame of the bytearray that the device has certainly not read yet."""
        return max(_BURST, self._passed() + _UNREAD)

    def _fill(self, unread: int) -> None:
        """Write what comes next; all that is unread anew when the listener wants something else.

        Where it came too late, silence has been read: a gap, and no sound is lost.
        """
        revision, passed = self._queue.revision, self._passed()
        start = unread if revision != self._revision else max(self._filled, unread)
        start = min(start, self._length)
        end = max(start, min(passed + _AHEAD, self._length))
        heard = self._base + min(passed, self._length) - round(_START_S * RATE)
        pcm = self._queue.pull(end - start, self._base + start, heard)
        self._sound[start * FRAME : end * FRAME] = pcm.ljust((end - start) * FRAME, b"\0")
        self._filled, self._revision = end, revision

    def _watch(self) -> None:
        """Go on with another bytearray after this one. Raises `NoDevice` when it died early."""
        passed = self._passed()
        if self.per_recording:
            if passed >= self._length:
                self._swallow()
                self._next()
        elif not self._playing.is_playing():
            if passed > self._length - RATE:
                self._next()
            elif self._base == 0 and passed < _NO_CLOCK_S * RATE:
                self.per_recording = True
            else:
                raise NoDevice("the device has gone")

    def _next(self) -> None:
        self._base += self._length
        self._begin()

    def _swallow(self) -> None:
        """A device without a clock (ALSA's null, or a file) gets its sound when it is complete."""
        self._playing = self._play(self._sound[: self._filled * FRAME])
        self._await_end()

    def _await_end(self) -> None:
        until = time.monotonic() + _PARTING_S
        while self._playing.is_playing() and time.monotonic() < until:
            time.sleep(_POLL_S)
