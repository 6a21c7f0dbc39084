"""The engine: a process that decodes and plays, steered through `tui.audio.wire`.

Five threads: the main one reads commands and never waits for anything else; the decoder's
belongs to a recording, and so does that which measures its peaks; the output's opens, watches
and closes the sink and reports positions; the sink's own pulls sound. Nothing here knows where
the bytes come from.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, ClassVar

from tui.audio import wire
from tui.audio.feed import Feed, Heard
from tui.audio.measure import Measured, measure
from tui.audio.media import RATE, Chunk, Media
from tui.audio.places import Places
from tui.audio.priority import raise_priority, yield_priority
from tui.audio.pull import AHEAD, IdlePull, Interrupted, Pull
from tui.audio.shape import until, without_silence
from tui.audio.sinks import Ahead, NoDevice, Sink, open_sink, prepare, try_file
from tui.audio.sniff import Unplayable
from tui.audio.wire import Message
from tui.console import print_error

_TICK_S = 0.05
_REPORT_S = 0.26  # a little over a quarter, so that there are never five in a second
_DEAD_S = 3.0  # a device that asks for nothing this long has gone away
_PARTING_S = 0.15
_NOTHING = -1  # a `seq` that no decoder works for
_SWITCH_S = 0.001  # between threads: whoever measures must not keep the device waiting
_GIVE_WAY_S = 0.02
_NOTHING_S = 0.2  # at the end of which there may be no sound

Say = Callable[..., None]


Wanted = tuple[int, float | None]
"""The feed's number of what to decode, and from which second; None: where the feed is cut."""


class Track:
    """One recording: its bytes, and the threads that decode and measure them."""

    def __init__(self, opening: Message, feed: Feed, say: Say) -> None:
        self.id: int = opening["id"]
        self.speed: float = opening["speed"]
        self.skip: bool = opening["skip"]
        self.loop: tuple[float, float] | None = _loop_of(opening["loop"])
        self.over = False
        """Whether it failed or was closed: nothing more will come of it."""
        self.pull = Pull(opening["size"], lambda at, n: say("get", id=self.id, at=at, n=n))
        self.pull.ahead = opening.get("ahead", AHEAD)
        self._say, self._feed = say, feed
        self._near: bool = opening.get("near", False)
        self._places = Places()
        self._told_damage: set[bool] = set()
        self._wanted: Wanted | None = None
        self._opened = threading.Event()
        self._idle: IdlePull | None = None
        self.seek(opening["seq"], opening["start"])
        threading.Thread(target=self._decode, daemon=True).start()
        if opening["peaks"]:
            self._idle = IdlePull(self.pull, self._ask_idly)
            threading.Thread(target=self._measure, args=(self._idle,), daemon=True).start()

    def seek(self, seq: int, to_s: float) -> None:
        number = self._feed.restart(seq, to_s)
        with self.pull.changed:
            self._wanted = (number, to_s)
            self.pull.interrupt()

    def change(self) -> None:
        """Speed, skipping or loop are others: decode anew from just behind what is heard."""
        number = self._feed.renew()
        with self.pull.changed:
            if self._wanted is None or self._wanted[1] is None:
                self._wanted = (number, None)
            else:  # on its way to another place
                self._wanted = (number, self._wanted[1])
            self.pull.changed.notify_all()

    def close(self) -> None:
        self.over = True
        self.pull.interrupt()
        self._opened.set()
        if self._idle is not None:
            self._idle.close()

    def _next(self) -> Wanted | None:
        """Where the decoder is wanted, as soon as it is; None when nowhere any more."""
        with self.pull.changed:
            while self._wanted is None and not self.over:
                self.pull.changed.wait()
            wanted, self._wanted = self._wanted, None
            self.pull.interrupted = self.over
        return None if self.over else wanted

    def _decode(self) -> None:
        media: Media | None = None
        told = False
        try:
            while wanted := self._next():
                number, start_s = wanted
                if start_s is None and (start_s := self._feed.cut(number)) is None:
                    continue
                try:
                    if media is None:
                        self.pull.opened = False
                        media = Media(
                            self.pull, self.pull.size, near=self._near, places=self._places
                        )
                        self.pull.opened = True
                    if not told:
                        told = True
                        self._tell_length(media.length_s, media.channels)
                    self._play(media, number, start_s)
                except Interrupted:  # FFmpeg does not go on after a failed read: open anew
                    if media is not None:
                        media.close()
                    media = None
                self._opened.set()
        except Unplayable as error:
            self._fail(error.reason, error.detail)
        except Exception as error:  # FFmpeg has many; none may end a session
            self._fail("damaged", type(error).__name__)

    def _play(self, media: Media, number: int, start_s: float) -> None:
        already = media.damaged
        end_s = start_s
        for chunk in self._sound(media, start_s):
            if media.damaged and not already:
                already = True
                self._tell_damage()
            if media.off_s():  # the clock stands, the sound is moved under it
                heard = self._feed.heard()
                self.seek(heard.seq, heard.at_s)
                return
            if not self._feed.put(number, chunk):
                return
            self._opened.set()
            end_s = chunk.end_s
        if end_s == start_s and self._wanted is None:
            end_s = self._find_end(media, start_s)
        if self._wanted is None:
            self._feed.finish(number, end_s)
            if media.ends_early(end_s):
                self._tell_damage(end_s, media.stated_s)

    def _find_end(self, media: Media, start_s: float) -> float:
        """Where a recording ends in which there is nothing from `start_s` on."""
        if not media.has_sound():
            raise Unplayable("no_sound", "there is no sound in it")
        length_s = media.length_s or start_s
        if length_s - start_s <= _NOTHING_S:
            return min(start_s, length_s)
        for _ in self._while_wanted(media.chunks(0.0)):  # less is there than was promised
            pass
        return media.end_s

    def _tell_length(self, length_s: float | None, channels: int, *, exact: bool = False) -> None:
        if not self.over:
            self._say("ready", id=self.id, length=length_s, channels=channels, exact=exact)

    def _tell_damage(self, end_s: float = 0.0, stated_s: float | None = None) -> None:
        """Once of each kind: what was left out on the way, what is missing at the end."""
        early = stated_s is not None
        if early not in self._told_damage and not self.over:
            self._told_damage.add(early)
            self._say("damage", id=self.id, early=early, ends=end_s, states=stated_s)

    def _sound(self, media: Media, start_s: float) -> Iterator[Chunk]:
        """What is to be heard from this second on, as it is wished."""
        loop, skip = self.loop, self.skip
        if loop is not None and abs(start_s - loop[1]) < 1 / RATE:
            start_s = loop[0]
        while True:
            looped = loop is not None and start_s < loop[1]
            chunks = self._while_wanted(media.chunks(start_s, self.speed))
            if loop is not None and looped:
                chunks = until(chunks, loop[1])
            anything = False
            for chunk in without_silence(chunks) if skip else chunks:
                anything = True
                yield chunk
            if loop is None or not looped or not anything or self._wanted is not None:
                return
            start_s = loop[0]

    def _while_wanted(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Long silences that are left out must not keep the next seek waiting."""
        for chunk in chunks:
            if self._wanted is not None or self.over:
                return
            yield chunk

    # the peaks

    def _ask_idly(self, at: int, n: int) -> None:
        self._say("get", id=self.id, at=at, n=n, idle=True)

    def _measure(self, pull: IdlePull) -> None:
        self._opened.wait()  # the first sound comes first
        yield_priority()
        try:
            measure(pull, self._places, self._tell_peaks, self._tell_end, self._give_way)
        except Exception as error:  # a recording that cannot be measured can be heard
            print_error(f"not measured: {type(error).__name__}")

    def _give_way(self) -> None:
        if self._feed.is_starving():
            time.sleep(_GIVE_WAY_S)

    def _tell_end(self, found: Measured) -> None:
        self._tell_length(found.length_s, found.channels, exact=True)
        if found.damaged:
            self._tell_damage()
        if found.stated_s is not None:
            self._tell_damage(found.length_s, found.stated_s)

    def _tell_peaks(self, at: int, channels: int, done: bool, body: bytes) -> None:
        if not self.over:
            self._say("peaks", body, id=self.id, at=at, channels=channels, done=done)

    def _fail(self, reason: str, detail: str) -> None:
        if not self.over:
            self.over = True
            self._say("failed", id=self.id, reason=reason, detail=detail)


def _loop_of(ends: Any) -> tuple[float, float] | None:
    """From two seconds, the first before the second; else no loop."""
    a, b = ends or (None, None)
    return (float(a), float(b)) if a is not None and b is not None and a < b else None


class Engine:
    """All there is behind the protocol. `write` takes one packed message."""

    def __init__(self, output: str, write: Callable[[bytes], None], *, first: bool = False) -> None:
        """`first`: whether the system lets it go before others."""
        self._output, self._write, self._first = output, write, first
        self._feed = Feed()
        self._ahead = Ahead()
        self._track: Track | None = None
        self._paused = False
        self._sink: Sink | None = None
        self._playing: Track | None = None  # what the sink was opened for
        self._wake = threading.Event()
        self._closing = False
        self._probing = False
        self._thread = threading.Thread(target=self._mind_output, daemon=True)

    def run(self, commands: BinaryIO) -> None:
        """Obey until the commands end."""
        self._say("hello", version=wire.VERSION, first=self._first)
        self._thread.start()
        while message := wire.read(commands):
            header, body = message
            if handler := self._HANDLERS.get(str(header.get("do"))):
                handler(self, header, body)
                self._wake.set()
        self._closing = True
        self._wake.set()
        self._thread.join(_PARTING_S)

    def _say(self, what: str, body: bytes = b"", **fields: Any) -> None:
        self._write(wire.pack({"is": what, **fields}, body))

    # commands

    def _open(self, header: Message, _: bytes) -> None:
        self._stop(header, b"")
        if self._output.startswith("wav:"):
            self._feed.hold()  # the last recording's file is still open
        self._paused = header["paused"]
        self._feed.pause(self._paused)
        self._feed.volume(header["volume"])
        self._feed.side(header["side"])
        self._track = Track(header, self._feed, self._say)

    def _stop(self, _: Message, __: bytes) -> None:
        if self._track is not None:
            self._track.close()
            self._feed.restart(_NOTHING, 0.0)
            self._track = None

    def _data(self, header: Message, body: bytes) -> None:
        if self._track is not None and self._track.id == header["id"]:
            self._track.pull.feed(header["at"], body)

    def _pause(self, header: Message, _: bytes) -> None:
        self._paused = header["on"]
        self._feed.pause(self._paused)

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
            self._track.loop = _loop_of((header["a"], header["b"]))
            self._track.change()

    def _side(self, header: Message, _: bytes) -> None:
        self._feed.side(header["which"])

    def _volume(self, header: Message, _: bytes) -> None:
        self._feed.volume(header["x"])

    def _probe(self, _: Message, __: bytes) -> None:
        """A file is begun by a recording alone: another engine may be writing it."""
        if self._output.startswith("wav:"):
            self._say("output", name=self._output, message=try_file(self._output))
        else:
            self._probing = True

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

    def _mind_output(self) -> None:
        prepare(self._output)
        reporter = _Reporter(self._say)
        busy_at = time.monotonic()
        while not self._closing:
            self._wake.clear()
            track = self._track if self._track is None or not self._track.over else None
            heard = self._feed.heard() if track is not None else None
            state = heard.state if heard is not None else None
            wanted = self._probing or (track is not None and not self._paused and state != "ended")
            if wanted:
                busy_at = time.monotonic()
            self._shut_sink(track, state, time.monotonic() - busy_at)
            if wanted and self._sink is None:
                self._sink = self._open_sink()
                self._playing = track
                self._probing = False
            if track is not None and heard is not None:  # after the file of the sound is whole
                reporter.report(track.id, heard, self._paused)
            idle = self._sink is None and track is None
            self._wake.wait(None if idle else _TICK_S)
        if self._sink is not None:
            self._sink.close()

    def _shut_sink(self, track: Track | None, state: str | None, idle_s: float) -> None:
        """Close the sink when it has nothing to play, is done, or has died."""
        sink = self._sink
        if sink is None:
            return
        if sink.broken:  # to begin its file anew would throw away what is written
            sink.close()
            self._output = "none"
            self._sink = open_sink("none", self._feed, self._ahead)
            self._say("output", name="none", message=sink.broken)
        elif sink.ran_dry:
            sink.close()
            self._sink = None
        elif self._feed.silent_for() > _DEAD_S:  # closing it may take for ever
            threading.Thread(target=sink.close, daemon=True).start()
            self._sink = None
        elif idle_s > sink.idle_s or (
            sink.per_recording and (state == "ended" or track is not self._playing)
        ):
            sink.close()
            self._sink = None

    def _open_sink(self) -> Sink:
        try:
            sink, message = open_sink(self._output, self._feed, self._ahead), ""
        except NoDevice as error:
            sink, message = open_sink("none", self._feed, self._ahead), str(error)
        self._say("output", name=sink.name, message=message)
        return sink


class _Reporter:
    """Tells the player where the listener is: at every change, and now and then."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told: tuple[int, int, str, bool] | None = None
        self._told_at = 0.0

    def report(self, id_: int, heard: Heard, paused: bool) -> None:
        now = time.monotonic()
        news = (id_, heard.seq, heard.state, paused)
        moving = heard.state == "flowing" and not paused
        if news != self._told or (moving and now - self._told_at >= _REPORT_S):
            self._told, self._told_at = news, now
            self._say("at", id=id_, seq=heard.seq, s=round(heard.at_s, 3), state=heard.state)


def main(output: str) -> None:
    """Run as a process: commands on standard input, answers on what was standard output."""
    commands = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a sound library prints must not end up between messages
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    sys.setswitchinterval(_SWITCH_S)
    lock = threading.Lock()

    def write(message: bytes) -> None:
        with lock:
            view = memoryview(message)
            while view:
                view = view[answers.write(view) :]

    try:
        Engine(output, write, first=raise_priority()).run(commands)
    except (OSError, wire.Malformed):
        pass  # the player is gone, or is none
    finally:
        sys.stderr.flush()
        os._exit(0)  # a device that hangs must not keep the process
