"""The compressed bytes of one recording, as the engine's decoder reads them.

A file-like object: what is not here yet is asked of the player, a few blocks ahead, and
waited for. A seek interrupts the wait.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

BLOCK = 16_384
"""Bytes asked for at a time."""
AHEAD = 8
"""Blocks asked for beyond the one that is read, once the file is open."""
KEEP = 256
"""Blocks kept, so that seeking back in a usual call asks for nothing again: 4 MB."""


class Interrupted(Exception):
    """The decoder is wanted elsewhere; what it was reading has not come."""


class Pull:
    """`ask(at, n)` is called for bytes that are missing; answers come by `feed`."""

    def __init__(self, size: int | None, ask: Callable[[int, int], None]) -> None:
        self.size = size
        self.opened = False
        """Read ahead only once the file is open: an MP4 jumps to its end first."""
        self.ahead = AHEAD
        self.changed = threading.Condition()
        self.interrupted = False
        self._ask = ask
        self._blocks: OrderedDict[int, bytearray] = OrderedDict()
        self._asked: set[int] = set()
        self._at = 0

    # the engine's side

    def feed(self, at: int, data: bytes) -> None:
        """Bytes have come; none at all says that the file ends at `at`."""
        with self.changed:
            index, offset = divmod(at, BLOCK)
            self._asked.discard(index)
            if not data:
                self.size = at if self.size is None else min(self.size, at)
            block = self._blocks.setdefault(index, bytearray())
            if len(block) == offset:
                block += data[: BLOCK - offset]
            while len(self._blocks) > KEEP:
                self._blocks.popitem(last=False)
            self.changed.notify_all()

    def interrupt(self) -> None:
        with self.changed:
            self.interrupted = True
            self.changed.notify_all()

    # the decoder's side

    def read(self, n: int) -> bytes:
        """Up to `n` bytes, at once if any are here; b"" at the end. Raises `Interrupted`."""
        index, offset = divmod(self._at, BLOCK)
        while True:
            with self.changed:
                data = bytes(self._blocks.get(index, b"")[offset : offset + n])
                wanted = [] if self._at_end() else self._missing(index)
                self._asked.update(index for index, _, _ in wanted)
                if index in self._blocks:
                    self._blocks.move_to_end(index)
                if data or self._at_end():
                    self._at += len(data)
            for _, at, length in wanted:
                self._ask(at, length)
            if data or self._at_end():
                return data
            with self.changed:
                while index in self._asked and not self.interrupted:
                    self.changed.wait()
                if self.interrupted:
                    raise Interrupted

    def _at_end(self) -> bool:
        return self.size is not None and self._at >= self.size

    def _missing(self, index: int) -> list[tuple[int, int, int]]:
        """Block, offset and length of what to ask for now."""
        out = []
        for i in range(index, index + (self.ahead if self.opened else 0) + 1):
            have = len(self._blocks.get(i, b""))
            at = i * BLOCK + have
            if i not in self._asked and have < BLOCK and (self.size is None or at < self.size):
                out.append((i, at, BLOCK - have))
        return out

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 2 and self.size is None:
            return -1
        start = (0, self._at, self.size or 0)[whence]
        if start + offset < 0:
            return -1
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at
