"""``python -m tui.audio.engine.decoder_process ROLE``: decodes a recording, or measures it.

FFmpeg runs here and nowhere else, on bytes of strangers. So when all is loaded the process locks
itself down (lockdown.py) and has nothing left but its two pipes to the engine, which is at the
other end as decoder.py. What crashes, hangs or eats memory here costs the engine one recording,
or its waveform.

Messages as in `tui.audio.protocol`, but each is an answer to the one before. Engine to process::

    open    id, size, near        a recording; the same id again: what was found out is kept
    play    start, speed, chained, bytes   from which second on; places that were measured
    next    chained, bytes         more of it; anything else instead: no more
    look                          whether there is any sound in it
    measure size                  all of a recording
    data    size, bytes           an answer to read; no bytes: the end
    wait                          there are none yet: say what there is to say
    cancel                        there will be none
    close

Process to engine::

    hello   held                  see `tui.audio.engine.lockdown`
    read    at, n                 give me up to n bytes from offset at
    told                          after wait
    opened  length, channels, stated
    sound   at, frames, speed, off, damaged, bytes   pieces of s16 stereo, the second of each
    end     ends, damaged         no more sound
    looked  sound
    peaks   at, channels, done, bytes
    seek_points  chained, bytes    seconds and where they are
    measured  length_s, channels, damaged, stated_s
    done                          all is measured
    cancelled                     what was asked is given up
    unplayable   reason, detail
    closed  peak                  the most memory it has had, in MB
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pkgutil import walk_packages
from typing import BinaryIO, ClassVar

import av

from tui.audio import protocol
from tui.audio.engine.byte_reader import Interrupted, seek_result
from tui.audio.engine.demuxer import Demuxer
from tui.audio.engine.demuxer_choice import Unplayable
from tui.audio.engine.lockdown import lock_down
from tui.audio.engine.pcm import FRAME, RATE, Chunk
from tui.audio.engine.peak_meter import Measured, measure
from tui.audio.engine.priority import yield_priority
from tui.audio.engine.resource_limits import allow_time, peak_mb
from tui.audio.engine.seek_index import SeekIndex
from tui.audio.engine.stdio import take_stdio
from tui.audio.protocol import Message

_LEAST_S, _MOST_S = 0.05, 0.4  # of sound in one message: soon at first, few of them later
_OWN_CLOCK = sys.platform != "linux"  # there the engine allows the time
_TOO_LARGE = "it needs more memory than any recording should"


class EngineChannel:
    """To the engine and from it. The process ends where the engine does."""

    def __init__(self, commands: BinaryIO, write: Callable[[bytes], None]) -> None:
        self._commands, self._write = commands, write

    def send(self, what: str, body: bytes = b"", **fields: object) -> None:
        self._write(protocol.pack({"is": what, **fields}, body))

    def receive(self) -> tuple[Message, bytes]:
        message = protocol.read(self._commands)
        if message is None:
            os._exit(0)
        return message


class RemoteFile:
    """The bytes of a recording, asked of the engine: a `tui.audio.engine.demuxer.File`."""

    def __init__(self, channel: EngineChannel, size: int | None) -> None:
        self._channel, self.size = channel, size
        self.before_waiting: Callable[[], None] = lambda: None
        self._at = 0
        self._last = (0, b"")  # the last answer and where it belongs: often more than was wanted

    def read(self, n: int) -> bytes:
        """Up to `n` bytes; b"" at the end. Raises `Interrupted`."""
        at, last = self._last
        data = last[self._at - at : self._at - at + n] if self._at >= at else b""
        if not data:
            self._last = self._at, self._ask(n)
            data = self._last[1][:n]
        self._at += len(data)
        return data

    def _ask(self, n: int) -> bytes:
        self._channel.send("read", at=self._at, n=n)
        while True:
            header, data = self._channel.receive()
            if header["do"] == "cancel":
                raise Interrupted
            if header["do"] == "data":
                self.size = header["size"]
                return data
            self.before_waiting()
            self._channel.send("told")

    def drop_cache(self) -> None:
        """While a file is opened its end may be told otherwise than it is; see `ByteReader`."""
        self._last = (0, b"")

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at, told = seek_result(self._at, self.size, offset, whence)
        return told

    def tell(self) -> int:
        return self._at


class DecoderServer:
    """One recording at a time, as the engine asks."""

    def __init__(self, channel: EngineChannel) -> None:
        self._channel = channel
        self._opening: Message = {"id": None}
        self._seek_index = SeekIndex()
        self._demuxer: Demuxer | None = None

    def run(self) -> None:
        """Obey until the engine ends."""
        message = self._channel.receive()
        while True:
            message = self._obey(*message) or self._channel.receive()

    def _obey(self, header: Message, body: bytes) -> tuple[Message, bytes] | None:
        """What came instead of an answer, if anything did."""
        if _OWN_CLOCK:
            allow_time(size=header.get("size", self._opening.get("size")))
        try:
            return self._HANDLERS[header["do"]](self, header, body)
        except Interrupted:
            self._close_demuxer()
            self._channel.send("cancelled")
        except Unplayable as error:
            self._channel.send("unplayable", reason=error.reason, detail=error.detail)
        except MemoryError:
            self._close_demuxer()
            self._channel.send("unplayable", reason="damaged", detail=_TOO_LARGE)
        except Exception as error:  # FFmpeg has many; none may end the process
            self._channel.send("unplayable", reason="damaged", detail=type(error).__name__)
        return None

    def _open(self, header: Message, _: bytes) -> None:
        self._close_demuxer()
        if header["id"] != self._opening["id"]:
            self._seek_index = SeekIndex()
        self._opening = header
        file = RemoteFile(self._channel, header["size"])
        self._demuxer = demuxer = Demuxer(
            file, file.size, near=header["near"], seek_index=self._seek_index
        )
        file.drop_cache()
        length_s, stated_s = demuxer.length_s, demuxer.stated_s
        self._channel.send("opened", length=length_s, stated=stated_s, channels=demuxer.channels)

    def _play(self, header: Message, body: bytes) -> tuple[Message, bytes] | None:
        demuxer = self._opened()
        self._merge_seek_points(header, body)
        for chunks in _batched(demuxer.chunks(header["start"], header["speed"])):
            self._channel.send(
                "sound",
                b"".join(chunk.pcm for chunk in chunks),
                at=[chunk.at_s for chunk in chunks],
                frames=[len(chunk.pcm) // FRAME for chunk in chunks],
                speed=header["speed"],
                off=demuxer.off_s(),
                damaged=demuxer.damaged,
            )
            answer = self._channel.receive()
            if answer[0]["do"] != "next":
                return answer
            self._merge_seek_points(*answer)
        self._channel.send("end", ends=demuxer.end_s, damaged=demuxer.damaged)
        return None

    def _merge_seek_points(self, header: Message, body: bytes) -> None:
        self._seek_index.merge(body)
        if header["chained"]:
            self._seek_index.chained = True

    def _look(self, _: Message, __: bytes) -> None:
        self._channel.send("looked", sound=self._opened().has_sound())

    def _measure(self, header: Message, _: bytes) -> None:
        say, seek_index = self._channel.send, SeekIndex()

        def tell(at: int, channels: int, done: bool, body: bytes) -> None:
            say("seek_points", seek_index.take_new(), chained=seek_index.chained is True)
            say("peaks", body, at=at, channels=channels, done=done)

        def tell_end(found: Measured) -> None:
            say("measured", **found._asdict())

        measure(RemoteFile(self._channel, header["size"]), seek_index, tell, tell_end)
        say("done")

    def _close(self, _: Message, __: bytes) -> None:
        self._close_demuxer()
        self._opening = {"id": None}
        self._channel.send("closed", peak=peak_mb())

    def _opened(self) -> Demuxer:
        assert self._demuxer is not None
        return self._demuxer

    def _close_demuxer(self) -> None:
        demuxer, self._demuxer = self._demuxer, None
        if demuxer is not None:
            demuxer.close()

    _HANDLERS: ClassVar[
        dict[str, Callable[[DecoderServer, Message, bytes], tuple[Message, bytes] | None]]
    ] = {
        "open": _open,
        "play": _play,
        "look": _look,
        "measure": _measure,
        "close": _close,
    }


def _batched(chunks: Iterator[Chunk]) -> Iterator[list[Chunk]]:
    """Frames are short and messages cost more than they."""
    batch: list[Chunk] = []
    frames, enough = 0, round(_LEAST_S * RATE)
    for chunk in chain.from_iterable(map(_pieces, chunks)):
        batch.append(chunk)
        frames += len(chunk.pcm) // FRAME
        if frames >= enough:
            yield batch
            batch, frames, enough = [], 0, min(2 * enough, round(_MOST_S * RATE))
    if batch:
        yield batch


def _pieces(chunk: Chunk) -> Iterator[Chunk]:
    """None longer than a message may be."""
    step = round(_MOST_S * RATE) * FRAME
    for start in range(0, len(chunk.pcm), step):
        at_s = chunk.at_s + start / FRAME / RATE * chunk.speed
        yield Chunk(chunk.pcm[start : start + step], at_s, chunk.speed)


def _load_all() -> None:
    """What PyAV would import when it is wanted first, which is too late then."""
    for module in walk_packages(av.__path__, "av."):
        if module.name.rpartition(".")[2] not in ("__main__", "datasets"):
            import_module(module.name)


def main(role: str) -> None:
    """Run as a process; `role` is ``play`` or ``measure``."""
    commands, write = take_stdio()
    _load_all()
    if role == "measure":
        yield_priority()
    channel = EngineChannel(commands, write)
    channel.send("hello", held=lock_down())
    DecoderServer(channel).run()


if __name__ == "__main__":
    main(sys.argv[1])
