"""Which second of a recording begins at which byte, as far as somebody has read it in order."""

from __future__ import annotations

import struct
import threading
from bisect import bisect_right

STEP_S = 0.25
"""How close together places are kept."""

_POINT = struct.Struct("<dQ")  # second, byte


class SeekIndex:
    """Shared by whoever reads one recording; safe in any thread. Seconds and bytes only grow."""

    def __init__(self) -> None:
        self.chained: bool | None = None
        """Whether its own clock begins anew on the way; None: nobody has looked."""
        self._lock = threading.Lock()
        self._seconds: list[float] = []
        self._bytes: list[int] = []
        self._told = 0

    def add(self, second: float, byte: int) -> None:
        """A frame begins here. Only for those who know its second for certain."""
        if self._seconds and second < self._seconds[-1] + STEP_S:
            return  # as nearly always, and so without the lock
        with self._lock:
            if self._seconds and (second < self._seconds[-1] + STEP_S or byte <= self._bytes[-1]):
                return
            self._seconds.append(second)
            self._bytes.append(byte)

    @property
    def reach_s(self) -> float:
        """The second that was read up to."""
        with self._lock:
            return self._seconds[-1] if self._seconds else 0.0

    def before(self, second: float) -> tuple[float, int] | None:
        """The last place that is not after this second; None where it was not read yet."""
        with self._lock:
            if not self._seconds or second > self._seconds[-1] + STEP_S:
                return None
            at = max(0, bisect_right(self._seconds, second) - 1)
            return self._seconds[at], self._bytes[at]

    def second_of(self, byte: int) -> float | None:
        """The second at this byte, between two places by their distance; None beyond the last."""
        with self._lock:
            after = bisect_right(self._bytes, byte)
            if not 0 < after < len(self._bytes):
                return None
            (b0, b1), (s0, s1) = (x[after - 1 : after + 1] for x in (self._bytes, self._seconds))
        return s0 + (s1 - s0) * (byte - b0) / (b1 - b0)

    def take_new(self) -> bytes:
        """What was noted since the last time, for `merge` in another process."""
        with self._lock:
            new = zip(self._seconds[self._told :], self._bytes[self._told :], strict=True)
            self._told = len(self._seconds)
            return b"".join(_POINT.pack(*place) for place in new)

    def merge(self, new: bytes) -> None:
        """Note what another has found. Raises `ValueError` on nonsense."""
        if len(new) % _POINT.size:
            raise ValueError("no places")
        for second, byte in _POINT.iter_unpack(new):
            self.add(second, byte)
