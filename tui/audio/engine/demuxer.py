"""A recording as sound: bytes in, 48 kHz stereo s16 out, from any second on, at any speed.

FFmpeg resamples to the one rate that every device takes, since the sound libraries' own
resamplers leave audible images of 8 kHz telephone speech. Nothing is ever decoded whole.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from types import MappingProxyType
from typing import Any, NoReturn, Protocol

import av
import av.error
from av.audio.frame import AudioFrame

from tui.audio.engine.adts import frame_seconds
from tui.audio.engine.chained_files import is_chained
from tui.audio.engine.clocks import BlockClock, Clock, PacketClock
from tui.audio.engine.demuxer_choice import (
    HEAD,
    Unplayable,
    behind_tags,
    demuxer_for,
    first_frame,
    sniff,
)
from tui.audio.engine.ffmpeg_filters import Chain, end_of
from tui.audio.engine.mp3 import constant_bit_rate
from tui.audio.engine.pcm import FRAME, RATE, Chunk, ends_early
from tui.audio.engine.seek_index import SeekIndex
from tui.audio.engine.stated_lengths import DATA_BYTES, asf_seconds, mp3_seconds
from tui.audio.engine.unfinished_files import PATCHES
from tui.audio.engine.wav import FileSlice, PatchedFile, RawSamples, Wav, read_wav

__all__ = ["FRAME", "RATE", "Chunk", "Demuxer"]

_PREROLL_S = 0.5  # MP3 borrows bits from earlier frames, Opus wants 80 ms, resamplers a little
_PREROLLS_S = {"gsm": 3.0, "gsm_ms": 3.0}  # each block is told by the sound of those before it
_LEAD_S = _PREROLL_S / 4  # what a resampler has to have heard before
_KEPT_S = 4.0  # of decoded sound, for going on at another speed from a moment ago
_QUICK = {"probesize": "4096"}  # sound after a few kilobytes of a slow download
_ROUNDED_S = 0.002  # Matroska's clock has milliseconds
_IN_BLOCKS = ("wav", "w64", "au", "aiff", "caf")
_BLOCKS = ("pcm_", "adpcm_", "g722", "g726", "gsm", "truespeech")
_LAYOUTS = {1: "mono", 2: "stereo"}
_BARE = ("mp3", "aac", "amr")
_COUNTED = (*_BARE, "wav", "w64")  # CAF has a table of its packets
_PADDING_S = 0.3  # two frames of the slowest MP3
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")  # between joined files: no sound is lost
_ANEW_S = 1.0  # what a clock must go back by to be another
_ENOUGH = 1024  # bytes of a file that tell what it is
_GIVE_UP = 16  # failed reads in a row after which a file counts as over
_BUFFER = 2048  # bytes per read: FFmpeg waits for a full buffer before it looks at any of it
_LARGE_BUFFER = 32_768
_SPDIF = (1 << 16) - 2 * _BUFFER  # its search reads more, past what is in the buffer


class File(Protocol):
    """What FFmpeg reads from. `seek` answers -1 to a question about an unknown end."""

    def read(self, n: int) -> bytes: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...
    def tell(self) -> int: ...


class Demuxer:
    """One opened recording. One thread only. Raises `Unplayable` when it is not sound."""

    length_s: float | None
    """Seconds, as far as the file knows."""
    stated_s: float | None
    """Seconds that its header promises; None where it promises nothing."""
    end_s = 0.0
    """The furthest second that was decoded up to."""
    damaged = False
    """Whether something could not be decoded so far."""
    _bare: Mapping[str, str] = MappingProxyType({})
    """What FFmpeg has to be told where it reads samples without a header."""
    _looked_at: tuple[Any, list[AudioFrame]] = (None, [])
    """A packet that was decoded before anybody wanted its sound, and that sound."""
    _begun = _bit_rate_judged = False
    _live: Iterator[tuple[float, AudioFrame]] | None = None

    def __init__(
        self,
        file: File,
        size: int | None,
        *,
        hurry: bool = True,
        near: bool = True,
        seek_index: SeekIndex | None = None,
    ) -> None:
        """`hurry`: the first sound counts, not the work for the whole. `near`: reading is cheap.

        `seek_index`: what others who read it have found, and are to be told.
        """
        self._file, self._size = file, size
        self._buffer = _BUFFER if hurry else _LARGE_BUFFER
        self._near, self._seek_index = near, seek_index or SeekIndex()
        self._kept: deque[tuple[float, AudioFrame]] = deque()
        self._head, tagged = _head(file)
        if tagged and not self._head:
            raise Unplayable("no_sound", "there is no sound behind its tag")
        self._kind = "mp3" if tagged and not sniff(self._head) else demuxer_for(self._head)
        for patch in PATCHES[self._kind](self._head) if self._kind in PATCHES else ():
            self._file = PatchedFile(self._file, *patch)
        self._wav = read_wav(file, size) if self._kind == "wav" else None
        if self._kind in ("mp3", "aac") and not tagged and (cut := first_frame(self._head)[1]):
            self._file = FileSlice(file, cut, None if size is None else size - cut)
            self._size = None if size is None else size - cut
        if self._wav is not None and self._wav.header:
            first = self._wav.data_at - len(self._wav.header)
            self._size = None if size is None else size - first
            self._file = PatchedFile(FileSlice(self._file, first, self._size), 0, self._wav.header)
        elif self._wav is not None and self._wav.foreign:
            self._read_bare(self._wav, self._wav.foreign)
        self._clock: Clock | None = None
        self._open()

    def _read_bare(self, wav: Wav, raw: RawSamples) -> None:
        """The samples alone, as they are."""
        there = None if self._size is None else self._size - wav.data_at
        self._size = min((n for n in (there, wav.data_bytes) if n is not None), default=None)
        if self._size == 0:
            raise Unplayable("no_sound", "there is no sound in it")
        self._file = FileSlice(self._file, wav.data_at, self._size)
        self._kind = raw.kind
        self._bare = {
            "sample_rate": str(raw.rate),
            "ch_layout": _LAYOUTS.get(raw.channels, f"{raw.channels}c"),
        }

    def _open(self) -> None:
        self._file.seek(0)
        self._sought_s = self._unwanted_s = -math.inf
        self._jumped = False
        wav = self._wav or Wav(0, 0, False)
        self._container = _open(
            _NoSpdif(self._file) if wav.plain else self._file,
            self._kind,
            self._bare or ({"ignore_length": "1"} if wav.data_bytes is None else {}),
            self._buffer,
        )
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
        self._stream.codec_context.thread_count = 1
        self._base: Fraction = self._stream.time_base or Fraction(1, RATE)
        self._ticks_a_s = float(1 / self._base)  # for every packet a fraction is dear
        self._first = self._stream.start_time or 0
        self._packets = self._container.demux(self._stream)
        if self._clock is None:
            self._read_header()

    def _read_header(self) -> None:
        """How long it is, and how its seconds are told."""
        self.length_s = self.stated_s = self._told_length()
        codec = self._stream.codec_context.name
        in_blocks = self._kind in _IN_BLOCKS or bool(self._bare)
        if in_blocks and codec.startswith(_BLOCKS):
            self._read_block()
        elif self._kind in _COUNTED:
            self._clock = PacketClock(self._seek_index, self._base, self._first, near=self._near)
            about = self._stream.codec_context
            self._clock.bit_rate = about.bit_rate or 0
            self._clock.seconds = frame_seconds if self._kind == "aac" else None
            frame_s = (about.frame_size or 0) / (about.sample_rate or RATE)
            self.stated_s = mp3_seconds(self._head, frame_s) if self._kind == "mp3" else None
        elif self._kind == "asf":
            self.stated_s = asf_seconds(self._head)

    def _told_length(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self._base)
        if self._container.duration and len(self._container.streams) == 1:
            return float(self._container.duration / av.time_base)
        return None

    def _read_block(self) -> None:
        """A first block is decoded: so many bytes last so long. The header may say otherwise."""
        packet, samples = self._first_packet(), 0
        if packet is None:
            self.length_s = self.stated_s = 0.0
            return
        with suppress(av.error.FFmpegError):
            self._looked_at = packet, packet.decode()  # not twice: a decoder may remember it
            samples = sum(frame.samples for frame in self._looked_at[1])
        rate = self._stream.codec_context.sample_rate
        if not samples or not rate:
            return
        clock = self._clock = BlockClock(packet.pos, packet.size, Fraction(samples, rate))
        if self._wav is not None or self._kind in DATA_BYTES:
            counted = self._wav.data_bytes if self._wav else DATA_BYTES[self._kind](self._head)
            self.stated_s = None if counted is None else clock.seconds(counted)
        there_s = None if self._size is None else clock.seconds(self._size - packet.pos)
        told = [s for s in (self.stated_s, there_s) if s is not None]
        self.length_s = min(told, default=None)

    def _first_packet(self) -> Any:
        """It is read again by whoever decodes."""
        with suppress(StopIteration, av.error.FFmpegError):
            packet = next(self._packets)
            if packet.size and packet.pos is not None:
                self._packets = chain([packet], self._packets)
                return packet
        return None

    def close(self) -> None:
        self._container.close()

    @property
    def channels(self) -> int:
        """1 or 2: more than two are heard as two."""
        return min(2, self._stream.codec_context.channels or 2)

    def ends_early(self, end_s: float) -> bool:
        """Whether sound that ended at this second is less than the header promises."""
        return ends_early(self.stated_s, end_s)

    def off_s(self) -> float:
        """How far the clock was off, where a place was computed that turns out to be another.

        What is decoded from now on is right.
        """
        off_s = self._clock.off_s() if isinstance(self._clock, PacketClock) else 0.0
        if off_s:
            self._kept.clear()
        return off_s

    def has_sound(self) -> bool:
        """Whether anything in it can be decoded."""
        return self.end_s > 0.0 or any(True for _ in self.chunks(0.0))

    def chunks(self, start_s: float, speed: float = 1.0) -> Iterator[Chunk]:
        """Sound from `start_s` to the end, exact to the sample.

        `speed` is 0.5 to 3; the pitch is kept. Raises `Unplayable` when nothing at all could
        be decoded, and whatever the file raises.
        """
        chunks = self._chunks(start_s, speed)
        if self._kind != "mp3" or self.stated_s is None or self.length_s is None:
            return chunks
        end_s = self.length_s  # padding is left out of it, unless FFmpeg did not believe the count
        if not 0 <= self.stated_s - end_s < _PADDING_S:
            return chunks
        return self._without_padding(chunks, end_s)

    def _without_padding(self, chunks: Iterator[Chunk], from_s: float) -> Iterator[Chunk]:
        """An encoder fills the last frame up. FFmpeg knows, but not after a jump."""
        held: list[Chunk] = []
        for chunk in chunks:
            held.append(chunk)
            if chunk.end_s > from_s + _PADDING_S:
                from_s = math.inf  # it goes on: the count was wrong
            if not self._jumped or chunk.end_s <= from_s:
                yield from held
                held.clear()
        for chunk in held:
            frames = round((from_s - chunk.at_s) / chunk.speed * RATE)
            if frames > 0:
                yield chunk._replace(pcm=chunk.pcm[: frames * FRAME])

    def _chunks(self, start_s: float, speed: float) -> Iterator[Chunk]:
        chain: Chain | None = None
        anything = False
        for at_s, frame in self._from(start_s):
            anything = True
            if end_of(at_s, frame) <= start_s - _LEAD_S:
                continue
            if chain is None or not chain.fits(frame):
                if chain is not None:
                    yield from chain.drain()
                chain = Chain(frame, at_s, start_s, speed)
            yield from chain.feed(at_s, frame)
        if chain is not None:
            yield from chain.drain()
        elif not anything and self.damaged and start_s <= _PREROLL_S:
            raise Unplayable("damaged", "nothing in it can be decoded")

    def frames(self) -> Iterator[tuple[float, AudioFrame]]:
        """A recording from its beginning, as it was decoded; not after `chunks`."""
        return self._frames()

    def _from(self, start_s: float) -> Iterator[tuple[float, AudioFrame]]:
        """Frames from shortly before `start_s` on: those that are kept, then new ones."""
        if not self._keeps(start_s):
            self._kept.clear()
            preroll_s = _PREROLLS_S.get(self._stream.codec_context.name, _PREROLL_S)
            if start_s > preroll_s:
                self._seek(start_s - preroll_s)
            elif self._begun:  # decoders prime themselves at the first byte only
                self._reopen()
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
        return self._kept[0][0] <= max(0.0, start_s - _LEAD_S) and start_s <= end_of(
            *self._kept[-1]
        )

    def _reopen(self) -> None:
        self.close()
        self._open()
        if self._clock is not None:
            self._clock.read_up()

    def _seek(self, to_s: float) -> None:
        """To this second or somewhat before it: where its place is known, else by reading."""
        if (
            isinstance(self._clock, PacketClock)
            and self._kind == "mp3"
            and not self._bit_rate_judged
        ):
            self._find_constant_bit_rate(self._clock)
        byte = self._clock.jump(to_s) if self._clock is not None else None
        if byte is not None and self._size is not None:
            self._sought_s, self._unwanted_s, self._jumped = to_s, -math.inf, True
            self._container.seek(byte, stream=self._stream, unsupported_byte_offset=True)
        elif self._clock is not None and self._kind in (*_IN_BLOCKS, "aac"):
            self._reopen()  # FFmpeg would believe its header, or all frames to last equally long
            self._unwanted_s = to_s
        elif self._clock is None and self._is_chained():
            self._reopen()  # and all before it is decoded: no clock tells where it is
        else:
            if self._jumped:  # FFmpeg has counted from there as if it were the beginning
                self._reopen()
            if self._clock is not None:
                self._clock.read_up()
            with suppress(av.error.FFmpegError):  # what cannot seek is read through from here
                target = int(to_s / self._base) + self._first
                self._container.seek(target, stream=self._stream, backward=True)
        if self._unwanted_s < 0:
            self._packets = self._container.demux(self._stream)

    def _is_chained(self) -> bool:
        if self._near and self._seek_index.chained is None:
            self._seek_index.chained = is_chained(self._file, self._kind)
        return self._seek_index.chained is True

    def _find_constant_bit_rate(self, clock: PacketClock) -> None:
        """By its first frame, which was played already or is the next to be."""
        about, first = self._stream.codec_context, self._seek_index.before(0.0)
        if first is None and not self._begun and (packet := self._first_packet()) is not None:
            first = 0.0, packet.pos
        if first is not None:
            self._bit_rate_judged = True
            rates = about.bit_rate or 0, about.sample_rate
            clock.constant_bit_rate = constant_bit_rate(
                self._head, first[1], *rates, about.frame_size or 0
            )

    def _frames(self) -> Iterator[tuple[float, AudioFrame]]:
        """Decoded frames with the second each begins at; a broken packet is left out."""
        since_s, samples, rate, before_s = -1.0, 0, 1, 0.0
        tick_s = 0.0  # PyAV makes a new fraction whenever it is asked
        for frame in self._decoded():
            now_s = since_s + samples / rate
            told_s = now_s
            pts = frame.pts
            if pts is not None:
                tick_s = tick_s or float(frame.time_base or self._base)
                told_s = (pts - self._first) * tick_s + before_s
            if (
                self._clock is None and told_s < now_s - _ANEW_S
            ):  # another file begins, and its clock
                before_s += now_s - told_s
                told_s, self._seek_index.chained = now_s, True
            if abs(told_s - now_s) > _ROUNDED_S or frame.sample_rate != rate:
                since_s, samples, rate = told_s, 0, frame.sample_rate
                now_s = told_s
            yield now_s, frame
            samples += frame.samples
            self.end_s = max(self.end_s, since_s + samples / rate)

    def _decoded(self) -> Iterator[AudioFrame]:
        broken = 0
        while broken < _GIVE_UP:
            try:
                packet = next(self._packets)
            except (StopIteration, av.error.EOFError):
                return
            except av.error.FFmpegError:
                self.damaged = True
                broken += 1
                self._packets = self._container.demux(self._stream)
                continue
            if not self._is_wanted(packet):
                continue
            try:
                first, frames = self._looked_at
                if packet is not first:
                    frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged = self.damaged or not bytes(packet).startswith(_TAGS)
                continue
            broken = 0
            yield from frames

    def _is_wanted(self, packet: Any) -> bool:
        """Give a packet its true time; False where there is nothing to be decoded of it."""
        if self._clock is None or not packet.size or packet.pos is None:
            return True
        second = self._clock.second(packet)
        if second is None:  # another place than was computed
            self._seek(self._sought_s)
            return False
        packet.pts = packet.dts = round(second * self._ticks_a_s) + self._first
        return second >= self._unwanted_s


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


def _head(file: File) -> tuple[bytes, bool]:
    """The first bytes behind any tags, and whether there were tags."""
    at = 0
    while True:
        file.seek(at)
        head = b""
        while len(head) < HEAD and (more := file.read(HEAD - len(head))):
            head += more
        behind = behind_tags(head)
        if behind <= len(head) - _ENOUGH or not behind:
            return head[behind:], at + behind > 0
        at += behind


# names in Latin-1 are no reason to stay silent; PyAV 19 needs no telling, nor knows the word
_BEFORE_19 = int(av.__version__.partition(".")[0]) < 19
_TEXT: dict[str, Any] = {"metadata_errors": "replace"} if _BEFORE_19 else {}


def _open(file: File | _NoSpdif, kind: str, options: Mapping[str, str], buffer: int) -> Any:
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
