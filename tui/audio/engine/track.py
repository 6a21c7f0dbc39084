"""One recording in the engine: its bytes, and the threads that have it decoded and measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from tui.audio.engine.byte_reader import AHEAD, BackgroundReader, ByteReader, Interrupted
from tui.audio.engine.decoder import Decoder, Died, Hands, Worker, measure
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
Wanted = tuple[int, float | None]
"""The feed's number of what to decode, and from which second; None: where the feed is cut."""


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

    def __init__(self, opening: Message, feed: PcmQueue, say: Say, hands: Hands) -> None:
        self.id: int = opening["id"]
        self.speed: float = opening["speed"]
        self.skip: bool = opening["skip"]
        self.loop: tuple[float, float] | None = loop_of(opening["loop"])
        self.over = False
        """Whether it failed or was closed: nothing more will come of it."""
        self.pull = ByteReader(opening["size"], lambda at, n: say("get", id=self.id, at=at, n=n))
        self.pull.ahead = opening.get("ahead", AHEAD)
        self._say, self._feed, self._hands = say, feed, hands
        self._near: bool = opening.get("near", False)
        self._found = threading.Lock()
        self._joined, self._places = False, b""  # what measuring has found, to be passed on
        self._told_damage: set[bool] = set()
        self._wanted: Wanted | None = None
        self._opened = threading.Event()
        self._idle: BackgroundReader | None = None
        self.seek(opening["seq"], opening["start"])
        threading.Thread(target=self._decode, daemon=True).start()
        failed_by = opening.get("unmeasured")
        if opening["peaks"] and not (failed_by and failed_by == av_version()):
            self._idle = BackgroundReader(self.pull, self._ask_idly)
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

    # the sound

    def _next(self) -> Wanted | None:
        """Where the decoder is wanted, as soon as it is; None when nowhere any more."""
        with self.pull.changed:
            while self._wanted is None and not self.over:
                self.pull.changed.wait()
            wanted, self._wanted = self._wanted, None
            self.pull.interrupted = self.over
        return None if self.over else wanted

    def _decode(self) -> None:
        try:
            with self._hands.play.lend() as worker:
                self._obey(worker)
        except Unplayable as error:
            self._fail(error.reason, error.detail)
        except Died as error:
            self._fail(*_DIED[error.why])
        except OSError as error:
            self._fail("", f"its decoder cannot be started ({error.strerror})")
        except Exception as error:  # none may leave the listener waiting
            self._fail("damaged", type(error).__name__)

    def _obey(self, worker: Worker) -> None:
        media: Decoder | None = None
        told = False
        while wanted := self._next():
            number, start_s = wanted
            if start_s is None and (start_s := self._feed.cut(number)) is None:
                continue
            try:
                if media is None:
                    self.pull.opened = False
                    media = Decoder(worker, self.pull, self.id, self._news, near=self._near)
                    self.pull.opened = True
                if not told:
                    told = True
                    self._tell_length(media.length_s, media.channels)
                self._play(media, number, start_s)
            except Interrupted:  # FFmpeg does not go on after a failed read: open anew
                media = None
            self._opened.set()

    def _news(self) -> tuple[bool, bytes]:
        """As much as a message can carry."""
        with self._found:
            news, self._places = self._places[:BODY_LIMIT], self._places[BODY_LIMIT:]
            return self._joined, news

    def _play(self, media: Decoder, number: int, start_s: float) -> None:
        already = media.damaged
        end_s = start_s
        for chunk in self._sound(media, start_s):
            if media.damaged and not already:
                already = True
                self._tell_damage()
            if media.off_s:  # the clock stands, the sound is moved under it
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
            if ends_early(media.stated_s, end_s):
                self._tell_damage(end_s, media.stated_s)

    def _find_end(self, media: Decoder, start_s: float) -> float:
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

    def _sound(self, media: Decoder, start_s: float) -> Iterator[Chunk]:
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

    def _measure(self, pull: BackgroundReader) -> None:
        self._opened.wait()  # the first sound comes first
        if self.over:
            return
        try:
            with self._hands.measure.lend() as worker:
                measure(worker, pull, self._take, self._give_way)
        except Unplayable as error:
            self._tell_unmeasured(error.reason)
        except Died as error:
            self._tell_unmeasured(error.why)
        except OSError:  # no process can be started: it may be another time
            self._tell_unmeasured("memory", by="")
        except Exception:
            self._tell_unmeasured("crash")

    def _give_way(self) -> None:
        if self._feed.is_starving():
            time.sleep(_GIVE_WAY_S)

    def _take(self, header: Message, body: bytes) -> None:
        """What measuring has found. Raises as nonsense deserves."""
        match header["is"]:
            case "places":
                with self._found:
                    self._joined = self._joined or header["joined"] is True
                    self._places += body
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


def loop_of(ends: Any) -> tuple[float, float] | None:
    """From two seconds, the first before the second; else no loop."""
    a, b = ends or (None, None)
    return (float(a), float(b)) if a is not None and b is not None and a < b else None
