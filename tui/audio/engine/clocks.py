"""Which second of a recording a packet is, where no table of the file says so.

FFmpeg counts well from the beginning, but after a jump it believes one field of a header: bytes
a second in a WAV, the first frame's bit rate in an MP3. A place is counted here instead: in
blocks, whose size and length are those of one that was decoded, or from a place that somebody
has reached by reading (`seek_index`).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

from tui.audio.engine.mp3 import ConstantBitRate
from tui.audio.engine.seek_index import SeekIndex

_NEAR = 1 << 14  # bytes to read through rather than to compute a place
_LANDING = 6  # all of them before anything is heard
_OFF_S = 0.05  # between two places it is not known better


class Clock(Protocol):
    """Seconds are the recording's; a packet has a `pos`, and a size above 0."""

    def jump(self, to_s: float) -> int | None:
        """The byte to go on from so as to have this second; None: it has to be read up to."""
        ...

    def read_up(self) -> None:
        """It is read from the beginning, or from where FFmpeg has counted to."""

    def second(self, packet: Any) -> float | None:
        """At which this packet begins; None when it is not what `jump` has promised."""
        ...


class BlockClock:
    """Every so many bytes are so many samples: PCM, G.711, ADPCM, GSM."""

    def __init__(self, first: int, size: int, block_s: Fraction) -> None:
        """`size` bytes from the byte `first` on last `block_s` seconds, and so do all others."""
        self._first, self._size, self._block_s = first, size, block_s

    def seconds(self, n: int) -> float:
        """How long `n` bytes last."""
        return float(max(0, n) * self._block_s / self._size)

    def jump(self, to_s: float) -> int:
        return self._first + int(to_s / self._block_s) * self._size

    def read_up(self) -> None:
        """Places are known whatever was read."""

    def second(self, packet: Any) -> float:
        return self.seconds(packet.pos - self._first)


class PacketClock:
    """Packets of any size: counted from a place that is known."""

    def __init__(self, seek_index: SeekIndex, base: Fraction, start: int, *, near: bool) -> None:
        """`base` and `start` are FFmpeg's: seconds a tick, and the tick that is second 0.

        `near`: all bytes are at hand, and nothing has to be computed.
        """
        self._seek_index, self._base, self._start, self._near = seek_index, base, start, near
        self._tick_s = float(base)
        self.constant_bit_rate: ConstantBitRate | None = None
        self.bit_rate = 0
        """Bits a second, more or less: only to tell what reading would cost."""
        self.seconds: Callable[[bytes], Fraction] | None = None
        """How long a packet lasts, where FFmpeg does not look at each."""
        self._next = start
        """The next packet's tick."""
        self._jumped = False
        self._landing = 0
        """How many of the next packets have to be like all others."""
        self._sure = True
        """Whether nothing was computed since the beginning, or since a place that was read."""
        self._landed: tuple[int, float] | None = None

    def jump(self, to_s: float) -> int | None:
        self.read_up()
        if place := self._seek_index.before(to_s):
            second, byte = place
            self._next, self._jumped = round(second / self._base) + self._start, True
            return byte
        unread = (to_s - self._seek_index.reach_s) * self.bit_rate / 8
        if self._near or self.constant_bit_rate is None or unread <= _NEAR:
            return None
        self._jumped, self._landing, self._sure = True, _LANDING, False
        return self.constant_bit_rate.place(to_s + float(self._start * self._base))

    def read_up(self) -> None:
        self._next, self._jumped, self._landing = self._start, False, 0
        self._landed, self._sure = None, True

    def second(self, packet: Any) -> float | None:
        counts = self._jumped or self.seconds is not None or packet.pts is None
        tick: int | None = self._next if counts else packet.pts
        if self._landing:
            tick = self._land(packet)
        if tick is None:
            return None
        self._next = tick + self._ticks(packet)
        second = (tick - self._start) * self._tick_s
        if self._sure:
            self._seek_index.add(second, packet.pos)
        return second

    def _ticks(self, packet: Any) -> int:
        if self.seconds is None:
            return packet.duration or 0
        return round(self.seconds(bytes(packet)) / self._base)

    def _land(self, packet: Any) -> int | None:
        """The first packets at a computed place tell by where they are whether that was right."""
        self._landing -= 1
        second = self.constant_bit_rate and self.constant_bit_rate.second(packet.pos, packet.size)
        if second is None:
            self.constant_bit_rate = None
            return None
        tick = round(second / self._base)
        self._landed = self._landed or (packet.pos, float((tick - self._start) * self._base))
        return tick

    def off_s(self) -> float:
        """How far off the seconds since the last jump are, once others have read so far; else 0.

        No place is computed again in a recording where one was off.
        """
        true_s = self._seek_index.second_of(self._landed[0]) if self._landed else None
        if self._landed is None or true_s is None:
            return 0.0
        off_s, self._landed = self._landed[1] - true_s, None
        if abs(off_s) <= _OFF_S:
            return 0.0
        self.constant_bit_rate = None
        return off_s
