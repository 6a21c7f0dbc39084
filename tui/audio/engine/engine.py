"""The engine: a process that plays, steered through `tui.audio.protocol`.

Four threads, and one for each of a recording's two: the main one reads commands and never waits
for anything else; a recording's have it decoded and measured, in processes of their own
(decoder.py); the output's opens, watches and closes the output and reports positions; the
output's own pulls sound. Nothing here knows where the bytes come from, nor what is in them.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

from tui.audio import protocol
from tui.audio.engine.decoder import WorkerDied, Workers
from tui.audio.engine.outputs.base import NoDevice, Output, try_file
from tui.audio.engine.outputs.devices import DevicePeriod, open_output, preload
from tui.audio.engine.pcm_queue import Heard, PcmQueue
from tui.audio.engine.stdio import take_stdio
from tui.audio.engine.track import Say, Track, parse_loop
from tui.audio.protocol import Message

_TICK_S = 0.05
_REPORT_S = 0.26  # a little over a quarter, so that there are never five in a second
_DEAD_S = 3.0  # a device that asks for nothing this long has gone away
_PARTING_S = 0.15
_NOTHING = -1  # a `seq` that no decoder works for
_SWITCH_S = 0.001  # between threads: none may keep the device waiting


class Engine:
    """All there is behind the protocol. `write` takes one packed message."""

    def __init__(
        self, output: str, write: Callable[[bytes], None], workers: Workers, *, first: bool
    ) -> None:
        """`first`: whether the system lets it go before others."""
        self._output_name, self._write, self._workers, self._first = output, write, workers, first
        self._queue = PcmQueue()
        self._period = DevicePeriod()
        self._track: Track | None = None
        self._paused = False
        self._output: Output | None = None
        self._playing: Track | None = None  # what the output was opened for
        self._wake = threading.Event()
        self._closing = False
        self._probing = False
        self._thread = threading.Thread(target=self._run_output, daemon=True)

    def run(self, commands: BinaryIO) -> None:
        """Obey until the commands end."""
        self._say("hello", version=protocol.VERSION, first=self._first)
        self._thread.start()
        while message := protocol.read(commands):
            header, body = message
            if handler := self._HANDLERS.get(str(header.get("do"))):
                handler(self, header, body)
                self._wake.set()
        self._closing = True
        self._wake.set()
        self._thread.join(_PARTING_S)
        self._workers.close()

    def _say(self, what: str, body: bytes = b"", **fields: Any) -> None:
        self._write(protocol.pack({"is": what, **fields}, body))

    # commands

    def _open(self, header: Message, _: bytes) -> None:
        self._stop(header, b"")
        if self._output_name.startswith("wav:"):
            self._queue.hold()  # the last recording's file is still open
        self._paused = header["paused"]
        self._queue.pause(self._paused)
        self._queue.volume(header["volume"])
        self._queue.side(header["side"])
        self._track = Track(header, self._queue, self._say, self._workers)

    def _stop(self, _: Message, __: bytes) -> None:
        if self._track is not None:
            self._track.close()
            self._queue.restart(_NOTHING, 0.0)
            self._track = None

    def _data(self, header: Message, body: bytes) -> None:
        if self._track is not None and self._track.id == header["id"]:
            self._track.reader.feed(header["at"], body)

    def _pause(self, header: Message, _: bytes) -> None:
        self._paused = header["on"]
        self._queue.pause(self._paused)

    def _seek(self, header: Message, _: bytes) -> None:
        if self._track is not None and self._track.id == header["id"]:
            self._track.seek(header["seq"], header["to"])

    def _speed(self, header: Message, _: bytes) -> None:
        if self._track is not None:
            self._track.speed = header["x"]
            self._track.change()

    def _skip(self, header: Message, _: bytes) -> None:
        if self._track is not None:
            self._track.skip = header["on"]
            self._track.change()

    def _loop(self, header: Message, _: bytes) -> None:
        if self._track is not None:
            self._track.loop = parse_loop((header["a"], header["b"]))
            self._track.change()

    def _side(self, header: Message, _: bytes) -> None:
        self._queue.side(header["which"])

    def _volume(self, header: Message, _: bytes) -> None:
        self._queue.volume(header["x"])

    def _probe(self, _: Message, __: bytes) -> None:
        """A file is begun by a recording alone: another engine may be writing it."""
        threading.Thread(target=self._tell_lockdown, daemon=True).start()
        if self._output_name.startswith("wav:"):
            self._say("output", name=self._output_name, message=try_file(self._output_name))
        else:
            self._probing = True

    def _tell_lockdown(self) -> None:
        try:
            self._say("held", parts=self._workers.play.start().lockdown())
        except (WorkerDied, OSError) as error:
            self._say("held", parts=None, why=str(error))

    _HANDLERS: ClassVar[dict[str, Callable[[Engine, Message, bytes], None]]] = {
        "open": _open,
        "stop": _stop,
        "data": _data,
        "pause": _pause,
        "seek": _seek,
        "speed": _speed,
        "volume": _volume,
        "skip": _skip,
        "side": _side,
        "loop": _loop,
        "probe": _probe,
    }

    # the output's thread

    def _run_output(self) -> None:
        preload(self._output_name)
        reporter = _Reporter(self._say)
        busy_at = time.monotonic()
        while not self._closing:
            self._wake.clear()
            track = self._track if self._track is None or not self._track.over else None
            heard = self._queue.heard() if track is not None else None
            state = heard.state if heard is not None else None
            wanted = self._probing or (track is not None and not self._paused and state != "ended")
            if wanted:
                busy_at = time.monotonic()
            self._close_output(track, state, time.monotonic() - busy_at)
            if wanted and self._output is None:
                self._output = self._open_output()
                self._playing = track
                self._probing = False
            if track is not None and heard is not None:  # after the file of the sound is whole
                reporter.report(track.id, heard, self._paused)
            idle = self._output is None and track is None
            self._wake.wait(None if idle else _TICK_S)
        if self._output is not None:
            self._output.close()

    def _close_output(self, track: Track | None, state: str | None, idle_s: float) -> None:
        """Close the output when it has nothing to play, is done, or has died."""
        output = self._output
        if output is None:
            return
        if output.broken:  # to begin its file anew would throw away what is written
            output.close()
            self._output_name = "none"
            self._output = open_output("none", self._queue, self._period)
            self._say("output", name="none", message=output.broken)
        elif output.underrun:
            output.close()
            self._output = None
        elif self._queue.silent_for() > _DEAD_S:  # closing it may take for ever
            threading.Thread(target=output.close, daemon=True).start()
            self._output = None
        elif idle_s > output.idle_s or (
            output.per_recording and (state == "ended" or track is not self._playing)
        ):
            output.close()
            self._output = None

    def _open_output(self) -> Output:
        try:
            output, message = open_output(self._output_name, self._queue, self._period), ""
        except NoDevice as error:
            output, message = open_output("none", self._queue, self._period), str(error)
        self._say("output", name=output.name, message=message)
        return output


class _Reporter:
    """Tells the player where the listener is: at every change, and now and then."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told: tuple[int, int, str, bool, float | None] | None = None
        self._told_at = 0.0

    def report(self, id_: int, heard: Heard, paused: bool) -> None:
        now = time.monotonic()
        moving = heard.state == "flowing" and not paused
        # a file takes all that has come between two looks, which see it wait before and after
        stays_at_s = None if moving else heard.at_s
        news = (id_, heard.seq, heard.state, paused, stays_at_s)
        if news != self._told or (moving and now - self._told_at >= _REPORT_S):
            self._told, self._told_at = news, now
            self._say("at", id=id_, seq=heard.seq, s=round(heard.at_s, 3), state=heard.state)


def main(output: str, workers: Workers, *, first: bool) -> None:
    """Run as a process: commands on standard input, answers on what was standard output."""
    commands, write = take_stdio()
    sys.setswitchinterval(_SWITCH_S)
    try:
        Engine(output, write, workers, first=first).run(commands)
    except (OSError, protocol.Malformed):
        pass  # the player is gone, or is none
    finally:
        sys.stderr.flush()
        os._exit(0)  # a device that hangs must not keep the process
