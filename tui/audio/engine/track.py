"""One recording in the engine: its bytes, and the threads that have it decoded and measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from tui.audio.engine.byte_reader import AHEAD, BackgroundReader, ByteReader, Interrupted
from tui.audio.engine.decoder import Decoder, Worker, WorkerDied, Workers, measure
from tui.audio.engine.demuxer_choice import Unplayable
from tui.audio.engine.filters import until, without_silence
from tui.audio.engine.pcm import RATE, Chunk, ends_early
from tui.audio.engine.pcm_queue import PcmQueue
from tui.audio.peaks import Peaks
from tui.audio.protocol import BODY_LIMIT, Message

_GIVE_WAY_S = 0.02
_NOTHING_S = 0.2  # at the end of which there may be no sound

_DIED = {
    "crash": ("damaged", "decoding it has crashed"),
    "time": ("damaged", "decoding it takes for ever"),
    "memory": ("", "the system has ended its decoder, perhaps for want of memory"),
}

Say = Callable[..., None]
Target = tuple[int, float | None]
"""The queue's generation of what to decode, and from which second; None: where the queue is cut."""


@cache
def av_version() -> str:
    """Of the decoder: another may measure what this one cannot."""
    from importlib.metadata import PackageNotFoundError, version  # it costs start-up time

    try:
        return version("av")
    except PackageNotFoundError:
        return ""


class Track:
    """One recording: its bytes, and the threads that decode and measure them."""

    def __init__(self, opening: Message, queue: PcmQueue, say: Say, workers: Workers) -> None:
        self.id: int = opening["id"]
        self.speed: float = opening["speed"]
        self.skip: bool = opening["skip"]
        self.loop: tuple[float, float] | None = parse_loop(opening["loop"])
        self.over = False
        """Whether it failed or was closed: nothing more will come of it."""
        self.reader = ByteReader(opening["size"], lambda at, n: say("get", id=self.id, at=at, n=n))
        self.reader.ahead = opening.get("ahead", AHEAD)
        self._say, self._queue, self._workers = say, queue, workers
        self._near: bool = opening.get("near", False)
        self._found = threading.Lock()
        self._chained, self._new_points = False, b""  # what measuring has found, to be passed on
        self._told_damage: set[bool] = set()
        self._target: Target | None = None
        self._opened = threading.Event()
        self._background: BackgroundReader | None = None
        self.seek(opening["seq"], opening["start"])
        threading.Thread(target=self._decode, daemon=True).start()
        failed_by = opening.get("unmeasured")
        if opening["peaks"] and not (failed_by and failed_by == av_version()):
            self._background = BackgroundReader(self.reader, self._ask_in_background)
            threading.Thread(target=self._measure, args=(self._background,), daemon=True).start()

    def seek(self, seq: int, to_s: float) -> None:
        generation = self._queue.restart(seq, to_s)
        with self.reader.changed:
            self._target = (generation, to_s)
            self.reader.interrupt()

    def change(self) -> None:
        """Speed, skipping or loop are others: decode anew from just behind what is heard."""
        generation = self._queue.renew()
        with self.reader.changed:
            if self._target is None or self._target[1] is None:
                self._target = (generation, None)
            else:  # on its way to another place
                self._target = (generation, self._target[1])
            self.reader.changed.notify_all()

    def close(self) -> None:
        self.over = True
        self.reader.interrupt()
        self._opened.set()
        if self._background is not None:
            self._background.close()

    # the sound

    def _next(self) -> Target | None:
        """Where the decoder is target, as soon as it is; None when nowhere any more."""
        with self.reader.changed:
            while self._target is None and not self.over:
                self.reader.changed.wait()
            target, self._target = self._target, None
            self.reader.interrupted = self.over
        return None if self.over else target

    def _decode(self) -> None:
        try:
            with self._workers.play.acquire() as worker:
                self._obey(worker)
        except Unplayable as error:
            self._fail(error.reason, error.detail)
        except WorkerDied as error:
            self._fail(*_DIED[error.why])
        except OSError as error:
            self._fail("", f"its decoder cannot be started ({error.strerror})")
        except Exception as error:  # none may leave the listener waiting
            self._fail("damaged", type(error).__name__)

    def _obey(self, worker: Worker) -> None:
        decoder: Decoder | None = None
        told = False
        while target := self._next():
            generation, start_s = target
            if start_s is None and (start_s := self._queue.cut(generation)) is None:
                continue
            try:
                if decoder is None:
                    self.reader.opened = False
                    decoder = Decoder(
                        worker, self.reader, self.id, self._take_new_points, near=self._near
                    )
                    self.reader.opened = True
                if not told:
                    told = True
                    self._tell_length(decoder.length_s, decoder.channels)
                self._play(decoder, generation, start_s)
            except Interrupted:  # FFmpeg does not go on after a failed read: open anew
                decoder = None
            self._opened.set()

    def _take_new_points(self) -> tuple[bool, bytes]:
        """As much as a message can carry."""
        with self._found:
            points, self._new_points = self._new_points[:BODY_LIMIT], self._new_points[BODY_LIMIT:]
            return self._chained, points

    def _play(self, decoder: Decoder, generation: int, start_s: float) -> None:
        already = decoder.damaged
        end_s = start_s
        for chunk in self._sound(decoder, start_s):
            if decoder.damaged and not already:
                already = True
                self._tell_damage()
            if decoder.off_s:  # the clock stands, the sound is moved under it
                heard = self._queue.heard()
                self.seek(heard.seq, heard.at_s)
                return
            if not self._queue.put(generation, chunk):
                return
            self._opened.set()
            end_s = chunk.end_s
        if end_s == start_s and self._target is None:
            end_s = self._find_end(decoder, start_s)
        if self._target is None:
            self._queue.finish(generation, end_s)
            if ends_early(decoder.stated_s, end_s):
                self._tell_damage(end_s, decoder.stated_s)

    def _find_end(self, decoder: Decoder, start_s: float) -> float:
        """Where a recording ends in which there is nothing from `start_s` on."""
        if not decoder.has_sound():
            raise Unplayable("no_sound", "there is no sound in it")
        length_s = decoder.length_s or start_s
        if length_s - start_s <= _NOTHING_S:
            return min(start_s, length_s)
        for _ in self._while_wanted(decoder.chunks(0.0)):  # less is there than was promised
            pass
        return decoder.end_s

    def _tell_length(self, length_s: float | None, channels: int, *, exact: bool = False) -> None:
        if not self.over:
            self._say("ready", id=self.id, length=length_s, channels=channels, exact=exact)

    def _tell_damage(self, end_s: float = 0.0, stated_s: float | None = None) -> None:
        """Once of each kind: what was left out on the way, what is missing at the end."""
        early = stated_s is not None
        if early not in self._told_damage and not self.over:
            self._told_damage.add(early)
            self._say("damage", id=self.id, early=early, ends=end_s, states=stated_s)

    def _sound(self, decoder: Decoder, start_s: float) -> Iterator[Chunk]:
        """What is to be heard from this second on, as it is asked for."""
        loop, skip = self.loop, self.skip
        if loop is not None and abs(start_s - loop[1]) < 1 / RATE:
            start_s = loop[0]
        while True:
            looped = loop is not None and start_s < loop[1]
            chunks = self._while_wanted(decoder.chunks(start_s, self.speed))
            if loop is not None and looped:
                chunks = until(chunks, loop[1])
            anything = False
            for chunk in without_silence(chunks) if skip else chunks:
                anything = True
                yield chunk
            if loop is None or not looped or not anything or self._target is not None:
                return
            start_s = loop[0]

    def _while_wanted(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Long silences that are left out must not keep the next seek waiting."""
        for chunk in chunks:
            if self._target is not None or self.over:
                return
            yield chunk

    # the peaks

    def _ask_in_background(self, at: int, n: int) -> None:
        self._say("get", id=self.id, at=at, n=n, idle=True)

    def _measure(self, reader: BackgroundReader) -> None:
        self._opened.wait()  # the first sound comes first
        if self.over:
            return
        try:
            with self._workers.measure.acquire() as worker:
                measure(worker, reader, self._take, self._give_way)
        except Unplayable as error:
            self._tell_unmeasured(error.reason)
        except WorkerDied as error:
            self._tell_unmeasured(error.why)
        except OSError:  # no process can be started: it may be another time
            self._tell_unmeasured("memory", by="")
        except Exception:
            self._tell_unmeasured("crash")

    def _give_way(self) -> None:
        if self._queue.is_starving():
            time.sleep(_GIVE_WAY_S)

    def _take(self, header: Message, body: bytes) -> None:
        """What measuring has found. Raises as nonsense deserves."""
        match header["is"]:
            case "seek_points":
                with self._found:
                    self._chained = self._chained or header["chained"] is True
                    self._new_points += body
            case "measured":
                length_s, stated_s = float(header["length_s"]), header["stated_s"]
                self._tell_length(length_s, int(header["channels"]), exact=True)
                if header["damaged"] is True:
                    self._tell_damage()
                if stated_s is not None:
                    self._tell_damage(length_s, float(stated_s))
            case "peaks":
                at, channels = int(header["at"]), int(header["channels"])
                Peaks().put(at, channels, body, done=False)
                self._tell_peaks(at, channels, header["done"] is True, body)

    def _tell_peaks(self, at: int, channels: int, done: bool, body: bytes) -> None:
        if not self.over:
            self._say("peaks", body, id=self.id, at=at, channels=channels, done=done)

    def _tell_unmeasured(self, reason: str, by: str | None = None) -> None:
        if not self.over:
            by = av_version() if by is None else by
            self._say("unmeasured", id=self.id, reason=reason, by=by)

    def _fail(self, reason: str, detail: str) -> None:
        if not self.over:
            self.close()
            self._say("failed", id=self.id, reason=reason, detail=detail)


def parse_loop(ends: Any) -> tuple[float, float] | None:
    """From two seconds, the first before the second; else no loop."""
    a, b = ends or (None, None)
    return (float(a), float(b)) if a is not None and b is not None and a < b else None
