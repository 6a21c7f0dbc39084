"""The engine's end of the processes that decode and measure: decoder_process.py is the other.

Nothing that such a process says is believed further than that it is sound, numbers and peaks.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tui.audio import protocol
from tui.audio.engine.byte_reader import AT_ONCE, BackgroundReader, ByteReader, Interrupted
from tui.audio.engine.demuxer_choice import Unplayable
from tui.audio.engine.pcm import FRAME, Chunk
from tui.audio.engine.resource_limits import allow_time
from tui.audio.engine_environment import decoder_environment
from tui.audio.protocol import Message

if TYPE_CHECKING:
    from tui.audio.engine.lockdown import Held

COMMAND = (sys.executable, "-P", "-m", "tui.audio.engine.decoder_process")
"""Starts a process that decodes; its role is one more argument."""
_PATIENCE_S = 0.5
_PARTING_S = 1.0
_TIRED_MB = 90.0  # it has eaten something large: the next recording gets another process
_SIGNALS = {"SIGXCPU": "time", "SIGKILL": "memory"}  # the system's own ways to end a process


NewSeekPoints = Callable[[], tuple[bool, bytes]]
"""Whether another file begins on the way, and seek points."""


class WorkerDied(Exception):
    """The process has ended by itself: `why` is crash, time or memory."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Worker:
    """One process. All but `kill` and `lockdown` in one thread at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=decoder_environment(os.environ),
        )
        self._greeting = threading.Lock()
        self._lockdown: Held | None = None

    @property
    def has_exited(self) -> bool:
        return self._process.poll() is not None

    def lockdown(self) -> Held:
        """How it is locked down, as soon as it is. Raises `WorkerDied`."""
        with self._greeting:
            if self._lockdown is None:
                self._lockdown = self._read()[0]["held"]
            return self._lockdown

    def send(self, what: str, body: bytes = b"", **fields: Any) -> None:
        """Raises `WorkerDied`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(protocol.pack({"do": what, **fields}, body))
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise WorkerDied(self._why()) from None

    def receive(self) -> tuple[Message, bytes]:
        """The next message. Raises `WorkerDied`."""
        self.lockdown()
        return self._read()

    def _read(self) -> tuple[Message, bytes]:
        assert self._process.stdout is not None
        with suppress(protocol.Malformed, OSError, ValueError):
            if message := protocol.read(self._process.stdout):
                return message
        raise WorkerDied(self._why())

    def allow_time(self, size: int | None) -> None:
        """For one more step."""
        allow_time(self._process.pid, size)

    def _why(self) -> str:
        """What ended it; it is ended where it talks nonsense."""
        try:
            code = self._process.wait(_PARTING_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return "crash"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else ""
        return _SIGNALS.get(name, "crash")

    def reset(self) -> bool:
        """Forget the recording, between two steps; whether the process is fit for another."""
        try:
            self.send("close")
            header, _ = self.receive()
            return float(header["peak"]) < _TIRED_MB
        except (WorkerDied, KeyError, TypeError, ValueError):
            return False

    def kill(self) -> None:
        """At once, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was still to be written
                pipe.close()  # type: ignore[union-attr]


class WorkerSlot:
    """The one process of a role, lent to one recording after another, and made anew as needed."""

    def __init__(self, command: Sequence[str], patience_s: float = _PATIENCE_S) -> None:
        """`patience_s`: with a process that is busy for a recording which nobody hears any more."""
        self._command, self._patience_s = command, patience_s
        self._released = threading.Condition()
        self._worker: Worker | None = None
        self._in_use = self._closed = False

    def start(self) -> Worker:
        """Start the process before there is work. Raises `OSError`."""
        with self._released:
            return self._start()

    def _start(self) -> Worker:
        if self._closed:  # nobody would end it
            raise OSError(errno.ECANCELED, "the engine has ended")
        if self._worker is None or (self._worker.has_exited and not self._in_use):
            self._worker = Worker(self._command)
        return self._worker

    @contextmanager
    def acquire(self) -> Iterator[Worker]:
        """For one recording. Raises `OSError` where no process can be started."""
        with self._released:
            if (
                not self._released.wait_for(lambda: not self._in_use, self._patience_s)
                and self._worker
            ):
                self._worker.kill()
                self._worker = None
            self._in_use = False
            worker = self._start()
            self._in_use = True
        clean = False
        try:
            yield worker
            clean = True
        except Unplayable:
            clean = True
            raise
        finally:
            self._take_back(worker, fit=clean and worker.reset())

    def _take_back(self, worker: Worker, *, fit: bool) -> None:
        if not fit:
            worker.kill()
        with self._released:
            if worker is self._worker:
                self._in_use = False
                if not (fit or self._closed):
                    with suppress(OSError):  # said when it is wanted
                        self._start()
                self._released.notify_all()

    def close(self) -> None:
        """Leave no process."""
        with self._released:
            self._closed = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()


class Workers:
    """The two processes in which recordings are decoded: for playing, and beside it."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self.play = WorkerSlot((*command, "play"))
        self.measure = WorkerSlot((*command, "measure"))

    def close(self) -> None:
        """Leave no process."""
        self.play.close()
        self.measure.close()


class ByteAnswerer:
    """Answers a process that asks for the bytes of its recording."""

    def __init__(
        self,
        worker: Worker,
        source: ByteReader | BackgroundReader,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """`before` is called before each answer."""
        self._worker, self._source, self._before = worker, source, before

    def receive(self) -> tuple[Message, bytes]:
        """What the process says that is no question. Raises `WorkerDied`."""
        while True:
            header, body = self._worker.receive()
            if header.get("is") != "read":
                return header, body
            self._before()
            try:
                data = self._read(int(header["at"]), int(header["n"]))
            except Interrupted:
                self._worker.send("cancel")
            else:
                self._worker.send("data", data, size=self._source.size)

    def _read(self, at: int, n: int) -> bytes:
        """What was asked for, and what is here behind it."""
        source = self._source
        if source.seek(at) != at:
            raise ValueError("nowhere")
        data = source.read(min(max(n, 1), AT_ONCE))
        return data + source.contiguous(at + len(data), AT_ONCE - len(data)) if data else data


class Decoder:
    """One recording, decoded in a process of its own. One thread only.

    Everything raises `WorkerDied`, `Unplayable`, and `Interrupted` when the recording's bytes are;
    after that it has to be made anew.
    """

    length_s: float | None
    """Seconds, as far as the file knows."""
    stated_s: float | None
    """Seconds that its header promises; None where it promises nothing."""
    channels: int
    """1 or 2: more than two are heard as two."""
    end_s = 0.0
    """The furthest second that was decoded up to; known at the end of `chunks`."""
    damaged = False
    """Whether something could not be decoded so far."""
    off_s = 0.0
    """How far the clock was off, where a place was computed that turns out to be another."""

    def __init__(
        self,
        worker: Worker,
        source: ByteReader,
        id_: int,
        new_seek_points: NewSeekPoints,
        *,
        near: bool,
    ) -> None:
        """`new_seek_points`: what measuring has found since."""
        self._worker, self._source, self._new_seek_points = worker, source, new_seek_points
        self._reader = ByteAnswerer(worker, source)
        about, _ = self._ask("open", id=id_, size=source.size, near=near)
        with _malformed_is_crash(worker):
            self.length_s, self.stated_s = _seconds(about["length"]), _seconds(about["stated"])
            self.channels = 1 if about["channels"] == 1 else 2

    def _ask(self, what: str, body: bytes = b"", **fields: Any) -> tuple[Message, bytes]:
        """One step."""
        self._worker.allow_time(self._source.size)
        self._worker.send(what, body, **fields)
        with _malformed_is_crash(self._worker):
            header, body = self._reader.receive()
            match header["is"]:
                case "cancelled":
                    raise Interrupted
                case "unplayable":
                    raise Unplayable(str(header["reason"]), str(header["detail"]))
            return header, body

    def chunks(self, start_s: float, speed: float = 1.0) -> Iterator[Chunk]:
        """Sound from `start_s` to the end, exact to the sample; as `Media.chunks`."""
        chained, points = self._new_seek_points()
        header, body = self._ask("play", points, start=start_s, speed=speed, chained=chained)
        while header["is"] == "sound":
            with _malformed_is_crash(self._worker):
                pieces = list(_pieces(header, body))
                self.damaged, self.off_s = header["damaged"] is True, float(header["off"])
            yield from pieces
            chained, points = self._new_seek_points()
            header, body = self._ask("next", points, chained=chained)
        with _malformed_is_crash(self._worker):
            self.end_s, self.damaged = float(header["ends"]), header["damaged"] is True

    def has_sound(self) -> bool:
        """Whether anything in it can be decoded."""
        return self._ask("look")[0].get("sound") is True


def measure(
    worker: Worker,
    source: BackgroundReader,
    take: Callable[[Message, bytes], None],
    give_way: Callable[[], None],
) -> None:
    """Have a recording measured: what is found out of it goes to `take`, message by message.

    `give_way` sleeps for as long as playing needs the machine more. Raises `WorkerDied` and
    `Unplayable`.
    """

    def wait() -> None:
        worker.send("wait")
        while (message := worker.receive())[0]["is"] != "told":
            take(*message)

    reader, source.before_waiting = ByteAnswerer(worker, source, give_way), wait
    worker.allow_time(source.size)
    worker.send("measure", size=source.size)
    with _malformed_is_crash(worker):
        while (message := reader.receive())[0]["is"] not in ("done", "cancelled"):
            if message[0]["is"] == "unplayable":
                raise Unplayable(str(message[0]["reason"]), str(message[0]["detail"]))
            take(*message)


def _pieces(header: Message, body: bytes) -> Iterator[Chunk]:
    at = 0
    for second, frames in zip(header["at"], header["frames"], strict=True):
        pcm = body[at : at + int(frames) * FRAME]
        at += len(pcm)
        yield Chunk(pcm, float(second), float(header["speed"]))


def _seconds(told: object) -> float | None:
    return None if told is None else float(told)  # type: ignore[arg-type]


@contextmanager
def _malformed_is_crash(worker: Worker) -> Iterator[None]:
    """Whoever talks nonsense is ended, as if it had crashed."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        worker.kill()
        raise WorkerDied("crash") from None
