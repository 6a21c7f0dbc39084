"""A recording as sound: bytes in, 48 kHz stereo s16 out, from any second on, at any speed.

FFmpeg resamples to the one rate that every device takes, since the sound libraries' own
resamplers leave audible images of 8 kHz telephone speech. Nothing is ever decoded whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any, NamedTuple, NoReturn, Protocol

import av
import av.error
import av.filter
from av.audio.frame import AudioFrame

from tui.audio.mp3 import Steady, steady
from tui.audio.sniff import HEAD, Unplayable, demuxer_for, wav_data_lies

RATE = 48_000
"""Sample rate of everything that leaves here, in Hz."""
FRAME = 4
"""Bytes of one frame: two channels of 16 bits."""

_RATES = range(4_000, 384_001)
_CHANNELS = range(1, 9)
_PREROLL_S = 0.5  # MP3 borrows bits from earlier frames, Opus wants 80 ms, resamplers a little
_LEAD_S = _PREROLL_S / 4  # what a resampler has to have heard before
_KEPT_S = 4.0  # of decoded sound, for going on at another speed from a moment ago
_QUICK = {"probesize": "4096"}  # sound after a few kilobytes of a slow download
_EARLY_S, _EARLY_PART = 0.5, 0.02  # what is missing at the end before it is called cut off
_FAST_SEEK = 0x80000  # FFmpeg's AVFMT_FLAG_FAST_SEEK: do not read all that lies before
_NEAR = {True: 1 << 14, False: 1 << 20}  # bytes to read through, by whether a place is computed
_ROUNDED_S = 0.002  # Matroska's clock has milliseconds
_GIVE_UP = 16  # failed reads in a row after which a file counts as over
_BUFFER = 2048  # bytes per read: FFmpeg waits for a full buffer before it looks at any of it
_LARGE_BUFFER = 32_768
_SPDIF = (1 << 16) - 2 * _BUFFER  # its search reads more, past what is in the buffer


class File(Protocol):
    """What FFmpeg reads from. `seek` answers -1 to a question about an unknown end."""

    def read(self, n: int) -> bytes: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...
    def tell(self) -> int: ...


class Chunk(NamedTuple):
    """A stretch of sound: s16 stereo at `RATE`, which of the recording's seconds, how fast."""

    pcm: bytes
    at_s: float
    speed: float

    @property
    def end_s(self) -> float:
        """The recording's second after it."""
        return self.at_s + len(self.pcm) / FRAME / RATE * self.speed


class Media:
    """One opened recording. One thread only. Raises `Unplayable` when it is not sound."""

    length_s: float | None
    """Seconds, as far as the file knows."""
    damaged = False
    """Whether something could not be decoded so far."""
    _begun = False
    _live: Iterator[tuple[float, AudioFrame]] | None = None

    def __init__(self, file: File, size: int | None, *, hurry: bool = True) -> None:
        """`hurry`: the first sound counts, not the work for the whole."""
        self._file, self._size = file, size
        self._buffer = _BUFFER if hurry else _LARGE_BUFFER
        self._kept: deque[tuple[float, AudioFrame]] = deque()
        self._steady: Steady | None = None
        self._shift: int | None = 0  # of FFmpeg's clock; None where it is yet to be found
        self._since_s = self._furthest_s = 0.0  # FFmpeg knows every frame between these seconds
        self._head = head = _head(file)
        self._kind = demuxer_for(head)
        self._options = (
            {"ignore_length": "1"} if self._kind == "wav" and wav_data_lies(head, size) else {}
        )
        self._open()

    def _open(self) -> None:
        self._file.seek(0)
        self._shift = 0
        pcm = self._kind == "wav" and self._head[12:16] == b"fmt " and self._head[20:22] == b"\1\0"
        file = _NoSpdif(self._file) if pcm else self._file
        self._container = _open(file, self._kind, self._options, self._buffer)
        try:
            self._choose_stream()
        except BaseException:
            self.close()
            raise

    def _choose_stream(self) -> None:
        if not self._container.streams.audio:
            raise Unplayable("not_sound", "there is no sound in this file")
        self._stream = self._container.streams.audio[0]
        if self._stream.codec_context is None:
            raise Unplayable("damaged", "the sound in it is of an unknown kind")
        for other in self._container.streams:
            if other is not self._stream:
                other.discard = av.stream.Discard.all
        self._base: Fraction = self._stream.time_base or Fraction(1, RATE)
        self._first = self._stream.start_time or 0
        self.length_s = self._length(self._size)

    def _length(self, size: int | None) -> float | None:
        if self._stream.duration:
            length = float(self._stream.duration * self._base)
        elif self._container.duration:
            length = self._container.duration / av.time_base
        else:
            return None
        name, rate = self._stream.codec_context.name, self._stream.codec_context.bit_rate
        if size and rate and name.startswith("pcm_"):
            length = min(length, size * 8 / rate)  # a header may promise more than there is
        return length

    def close(self) -> None:
        self._container.close()

    @property
    def channels(self) -> int:
        """1 or 2: more than two are heard as two."""
        return min(2, self._stream.codec_context.channels or 2)

    def ends_early(self, end_s: float) -> bool:
        """Whether sound that ended at this second is less than the file says it has."""
        length_s = self.length_s or 0.0
        return length_s - end_s > max(_EARLY_S, _EARLY_PART * length_s)

    def chunks(self, start_s: float, speed: float = 1.0) -> Iterator[Chunk]:
        """Sound from `start_s` to the end, exact to the sample.

        `speed` is 0.5 to 3; the pitch is kept. Raises `Unplayable` when nothing at all could
        be decoded, and whatever the file raises.
        """
        chain: _Chain | None = None
        anything = False
        for at_s, frame in self._from(start_s):
            anything = True
            if _end_s(at_s, frame) <= start_s - _LEAD_S:
                continue
            if chain is None or not chain.fits(frame):
                if chain is not None:
                    yield from chain.drain()
                chain = _Chain(frame, at_s, start_s, speed)
            yield from chain.feed(frame)
        if chain is not None:
            yield from chain.drain()
        elif not anything and self.damaged:
            raise Unplayable("damaged", "nothing in it can be decoded")

    def frames(self) -> Iterator[tuple[float, AudioFrame]]:
        """A recording from its beginning, as it was decoded; not after `chunks`."""
        return self._frames()

    def _from(self, start_s: float) -> Iterator[tuple[float, AudioFrame]]:
        """Frames from shortly before `start_s` on: those that are kept, then new ones."""
        if not self._keeps(start_s):
            self._kept.clear()
            if start_s > _PREROLL_S:
                self._seek(start_s - _PREROLL_S)
            elif self._begun:  # decoders prime themselves at the first byte only
                self.close()
                self._open()
            self._begun = True
            self._live = self._frames()
        yield from list(self._kept)
        assert self._live is not None
        for item in self._live:
            self._kept.append(item)
            while self._kept[-1][0] - self._kept[0][0] > _KEPT_S:
                self._kept.popleft()
            yield item

    def _keeps(self, start_s: float) -> bool:
        if not self._kept:
            return False
        return self._kept[0][0] <= max(0.0, start_s - _LEAD_S) and start_s <= _end_s(
            *self._kept[-1]
        )

    def _seek(self, to_s: float) -> None:
        target = int(to_s / self._base) + self._first
        if self._kind == "mp3":
            self._seek_as_mp3(to_s)
        with suppress(av.error.FFmpegError):  # what cannot seek is read through from here
            self._container.seek(target, stream=self._stream, backward=True)

    def _seek_as_mp3(self, to_s: float) -> None:
        """It has no table of its frames: far away the place is computed, or guessed."""
        if not self._begun:
            with suppress(StopIteration, av.error.FFmpegError):
                self._look_at(next(self._container.demux(self._stream)))
        self._shift = None
        known_s = self._furthest_s if to_s >= self._since_s else 0.0
        unread = (to_s - known_s) * (self._stream.codec_context.bit_rate or 0) / 8
        if unread > _NEAR[self._steady is not None]:
            self._container.flags |= _FAST_SEEK
            self._since_s = self._furthest_s = to_s
        else:
            self._container.flags &= ~_FAST_SEEK

    def _look_at(self, packet: Any) -> None:
        """Learn from a packet where sound begins; then give each its true time."""
        if self._kind != "mp3" or packet.pos is None or not packet.size:
            return
        if packet.pts == 0 and self._steady is None:
            about = self._stream.codec_context
            size = about.frame_size or 0
            self._steady = steady(self._head, packet.pos, about.bit_rate, about.rate, size)
        elif self._steady is not None and not self._steady.has(packet.size):
            self._steady = None
            self._head = b"Xing"  # its bit rate varies although it does not say so
        elif self._steady is not None and packet.pts is not None:
            if self._shift is None:  # the first after a seek
                self._shift = self._steady.pts(packet.pos, self._base) - packet.pts
            if self._shift:
                packet.pts += self._shift
                packet.dts = packet.pts

    def _frames(self) -> Iterator[tuple[float, AudioFrame]]:
        """Decoded frames with the second each begins at; a broken packet is left out."""
        since_s, samples, rate = -1.0, 0, 1
        base: Fraction | None = None  # PyAV makes a new one whenever it is asked
        for frame in self._decoded():
            now_s = since_s + samples / rate
            told_s = now_s
            pts = frame.pts
            if pts is not None:
                base = base or frame.time_base or self._base
                told_s = (pts - self._first) * base.numerator / base.denominator
            if abs(told_s - now_s) > _ROUNDED_S or frame.sample_rate != rate:
                since_s, samples, rate = told_s, 0, frame.sample_rate
                now_s = told_s
            self._furthest_s = max(self._furthest_s, now_s)
            yield now_s, frame
            samples += frame.samples

    def _decoded(self) -> Iterator[AudioFrame]:
        packets = self._container.demux(self._stream)
        broken = 0
        while broken < _GIVE_UP:
            try:
                packet = next(packets)
            except (StopIteration, av.error.EOFError):
                return
            except av.error.FFmpegError:
                self.damaged = True
                broken += 1
                packets = self._container.demux(self._stream)
                continue
            self._look_at(packet)
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged = True
                continue
            broken = 0
            yield from frames


class _Chain:
    """FFmpeg's filters from one format of frames to ours; trims what lies before the start."""

    def __init__(self, frame: AudioFrame, at_s: float, start_s: float, speed: float) -> None:
        if frame.sample_rate not in _RATES or frame.layout.nb_channels not in _CHANNELS:
            raise Unplayable("damaged", "an impossible sample rate or number of channels")
        self._key = _format(frame)
        self._speed = speed
        self._fed = 0
        self._trim = max(0, round((start_s - at_s) / speed * RATE))
        self._at_s = max(at_s, start_s)
        self._made = 0
        self._rate = frame.sample_rate
        self._graph = _graph(frame, speed)

    def fits(self, frame: AudioFrame) -> bool:
        return _format(frame) == self._key

    def feed(self, frame: AudioFrame) -> Iterator[Chunk]:
        frame.pts, frame.time_base = self._fed, Fraction(1, self._rate)
        self._fed += frame.samples
        self._graph.push(frame)
        yield from self._pull()

    def drain(self) -> Iterator[Chunk]:
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[Chunk]:
        while True:
            try:
                out = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(out, AudioFrame)
            cut = min(self._trim, out.samples)
            self._trim -= cut
            if pcm := bytes(memoryview(out.planes[0])[cut * FRAME : out.samples * FRAME]):
                yield Chunk(pcm, self._at_s + self._made / RATE * self._speed, self._speed)
                self._made += len(pcm) // FRAME


def _end_s(at_s: float, frame: AudioFrame) -> float:
    return at_s + frame.samples / frame.sample_rate


def _format(frame: AudioFrame) -> tuple[str, int, str]:
    return frame.format.name, frame.sample_rate, frame.layout.name


def _graph(frame: AudioFrame, speed: float) -> av.filter.Graph:
    graph = av.filter.Graph()
    name, rate, layout = _format(frame)
    nodes = [
        graph.add_abuffer(sample_rate=rate, format=name, layout=layout, time_base=Fraction(1, rate))
    ]
    if speed != 1.0:
        nodes.append(graph.add("atempo", f"{speed:.4f}"))
    if frame.layout.nb_channels == 1:  # swr would make mono 3 dB quieter
        nodes.append(graph.add("pan", "stereo|c0=c0|c1=c0"))
    nodes.append(graph.add("aresample", str(RATE)))
    nodes.append(graph.add("aformat", "sample_fmts=s16:channel_layouts=stereo"))
    nodes.append(graph.add("abuffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


class _NoSpdif:
    """A WAV's file that FFmpeg does not look through for signs of S/PDIF.

    It would read 64 kB before any packet: four seconds of telephone speech.
    """

    def __init__(self, file: File) -> None:
        self._file, self._asked = file, False
        self.seek, self.tell = file.seek, file.tell

    def read(self, n: int) -> bytes:
        if n > _SPDIF and not self._asked:
            self._asked = True
            return b""
        return self._file.read(n)


def _head(file: File) -> bytes:
    file.seek(0)
    head = b""
    while len(head) < HEAD and (more := file.read(HEAD - len(head))):
        head += more
    return head


# names in Latin-1 are no reason to stay silent; PyAV 19 needs no telling, nor knows the word
_BEFORE_19 = int(av.__version__.partition(".")[0]) < 19
_TEXT: dict[str, Any] = {"metadata_errors": "replace"} if _BEFORE_19 else {}


def _open(file: File | _NoSpdif, kind: str, options: dict[str, str], buffer: int) -> Any:
    for probing in (_QUICK, {}):
        try:
            return av.open(
                file,
                format=kind,
                buffer_size=buffer,
                options={**options, **probing},
                io_open=_refuse,
                **_TEXT,
            )
        except av.error.FFmpegError as error:
            broken = error
            file.seek(0)
    raise Unplayable("damaged", broken.strerror or "it cannot be opened")


def _refuse(*_: object) -> NoReturn:
    """A recording that names other files gets none of them."""
    raise Unplayable("not_sound", "this file only points at other files")
