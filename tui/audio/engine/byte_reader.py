"""The compressed bytes of one recording, as the engine's decoder reads them.

A file-like object: what is not here yet is asked of the player, a few blocks ahead, and
waited for. A seek interrupts the wait. Whoever only measures the recording reads the same
bytes as far as they are here, and asks for the others without hurry.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

BLOCK = 4096
"""Bytes that are kept or missing together; a jump costs no more than these."""
AT_ONCE = 16_384
"""Bytes asked for at a time where more than one block is missing."""
_BATCH = AT_ONCE // BLOCK
AHEAD = 32
"""Blocks asked for beyond the one that is read, once the file is open."""
BEGINNING = 2
"""Blocks asked for at first: most recordings can be opened with them."""
KEEP = 2048
"""Blocks kept, so that an hour of telephone speech is asked for once: 8 MB."""


TAG = 128
"""Bytes of the old kind of tag, at an MP3's very end."""


class Interrupted(Exception):
    """The decoder is wanted elsewhere; what it was reading has not come."""


class ByteReader:
    """`ask(at, n)` is called for bytes that are missing; answers come by `feed`."""

    def __init__(self, size: int | None, ask: Callable[[int, int], None]) -> None:
        self.size = size
        self.opened = False
        """Before, the beginning alone is asked for: an MP4 jumps to its end from there."""
        self.ahead = AHEAD
        self.changed = threading.Condition()
        self.interrupted = False
        self._ask = ask
        self._blocks: OrderedDict[int, bytearray] = OrderedDict()
        self._requested: set[int] = set()
        self._at = 0
        self.background: BackgroundReader | None = None

    # the engine's side

    def feed(self, at: int, data: bytes) -> None:
        """Bytes have come; none at all says that the file ends at `at`."""
        with self.changed:
            if not data:
                self.size = at if self.size is None else min(self.size, at)
                self._requested.discard(at // BLOCK)
            if self.background is not None:
                self.background.receive(at, data)
            while data:
                room = BLOCK - at % BLOCK
                self._put(at, data[:room])
                at, data = at + room, data[room:]
            while len(self._blocks) > KEEP:
                self._blocks.popitem(last=False)
            self.changed.notify_all()

    def _put(self, at: int, data: bytes) -> None:
        """Bytes of one block."""
        index, offset = divmod(at, BLOCK)
        hurried = index in self._requested
        end = at + len(data)
        if end % BLOCK == 0 or end == self.size:  # else the rest is on its way
            self._requested.discard(index)
        if hurried or index in self._blocks or len(self._blocks) < KEEP:
            block = self._blocks.setdefault(index, bytearray())
            if offset <= len(block) < offset + len(data):  # two may have asked for the same
                block += data[len(block) - offset :]

    def cached(self, at: int, n: int) -> bytes:
        """What is kept of these bytes; to be asked with `changed` held."""
        index, offset = divmod(at, BLOCK)
        return bytes(memoryview(self._blocks.get(index, b""))[offset : offset + n])

    def is_requested(self, at: int) -> bool:
        """Whether these bytes are on their way to whoever plays."""
        return at // BLOCK in self._requested

    def contiguous(self, at: int, most: int) -> bytes:
        """What is here from there on without a gap, up to so many bytes."""
        out = b""
        with self.changed:
            while len(out) < most and (data := self.cached(at + len(out), most - len(out))):
                out += data
        return out

    def missing_run(self, at: int, most: int) -> int:
        """So many bytes from there on, at most, are neither here nor on their way."""
        n = BLOCK - at % BLOCK
        while n < most and not (self.cached(at + n, 1) or self.is_requested(at + n)):
            n += BLOCK
        return min(n, most)

    def interrupt(self) -> None:
        with self.changed:
            self.interrupted = True
            self.changed.notify_all()

    # the decoder's side

    def read(self, n: int) -> bytes:
        """Up to `n` bytes, at once if any are here; b"" at the end. Raises `Interrupted`."""
        index = self._at // BLOCK
        if self._only_a_tag():
            self._at += TAG
            return bytes(TAG)
        while True:
            with self.changed:
                data = self.cached(self._at, n)
                wanted = [] if self._at_end() else self._missing(index)
                if index in self._blocks:
                    self._blocks.move_to_end(index)
                if data or self._at_end():
                    self._at += len(data)
            for at, length in wanted:
                self._ask(at, length)
            if data or self._at_end():
                return data
            with self.changed:
                self.changed.wait_for(lambda: self._may_go_on(index))
                if self.interrupted:
                    raise Interrupted

    def _may_go_on(self, index: int) -> bool:
        under_way = index in self._requested and not self._at_end()
        return self.interrupted or not under_way or bool(self.cached(self._at, 1))

    def _only_a_tag(self) -> bool:
        """FFmpeg looks for a title at an MP3's end before anything is heard: not worth a wait."""
        return not self.opened and self.size is not None and self._at == self.size - TAG > BLOCK

    def _at_end(self) -> bool:
        return self.size is not None and self._at >= self.size

    def _missing(self, index: int) -> list[tuple[int, int]]:
        """What to ask for now, first byte and length; it counts as asked for."""
        out: list[tuple[int, int]] = []
        end = BEGINNING
        if self.opened or index >= BEGINNING:
            end = max(index + 1, (index + self.ahead) // _BATCH * _BATCH)
        for i in range(index, end):
            have = len(self._blocks.get(i, b""))
            at = i * BLOCK + have
            if i in self._requested or have == BLOCK or (self.size is not None and at >= self.size):
                continue
            self._requested.add(i)
            length = BLOCK - have
            if out and sum(out[-1]) == at and out[-1][1] + length <= AT_ONCE:
                at, length = out[-1][0], out.pop()[1] + length
            out.append((at, length))
        return out

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at, told = seek_result(self._at, self.size, offset, whence)
        return told

    def tell(self) -> int:
        return self._at


class BackgroundReader:
    """The bytes of a `ByteReader` for whoever measures: one answer under way at a time."""

    def __init__(self, reader: ByteReader, ask: Callable[[int, int], None]) -> None:
        self.before_waiting: Callable[[], None] = lambda: None
        """Called before the reader has to wait."""
        self._reader, self._ask = reader, ask
        self._at = 0
        self._requested_at: int | None = None
        # the last answer and where it belongs: it may be kept nowhere else
        self._received = (0, b"")
        self._closed = False
        reader.background = self

    @property
    def size(self) -> int | None:
        return self._reader.size

    def receive(self, at: int, data: bytes) -> None:
        """Bytes have come, for whomever; `changed` is held."""
        if at == self._requested_at:
            self._requested_at, self._received = None, (at, data)

    def contiguous(self, at: int, most: int) -> bytes:
        """What is here from there on without a gap, up to so many bytes."""
        return self._reader.contiguous(at, most)

    def close(self) -> None:
        """The reader gets `Interrupted`."""
        with self._reader.changed:
            self._closed = True
            self._reader.changed.notify_all()

    def read(self, n: int) -> bytes:
        """Up to `n` bytes; b"" at the end. Raises `Interrupted` when it is closed."""
        while True:
            with self._reader.changed:
                if self._closed:
                    raise Interrupted
                data = self._reader.cached(self._at, n) or self._of_received(n)
                if data or (self.size is not None and self._at >= self.size):
                    self._at += len(data)
                    return data
                ask = self._requested_at is None and not self._reader.is_requested(self._at)
                if ask:
                    most = self._reader.ahead * BLOCK // 2  # fewer messages where they cost little
                    self._requested_at, length = self._at, self._reader.missing_run(self._at, most)
            self.before_waiting()
            if ask:
                self._ask(self._at, length)
            with self._reader.changed:
                self._reader.changed.wait_for(self._may_go_on)

    def _may_go_on(self) -> bool:
        under_way = self._requested_at is not None or self._reader.is_requested(self._at)
        ended = self.size is not None and self._at >= self.size
        return self._closed or ended or not under_way or bool(self._reader.cached(self._at, 1))

    def _of_received(self, n: int) -> bytes:
        at, data = self._received
        return data[self._at - at : self._at - at + n] if self._at >= at else b""

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at, told = seek_result(self._at, self.size, offset, whence)
        return told

    def tell(self) -> int:
        return self._at


def seek_result(at: int, size: int | None, offset: int, whence: int) -> tuple[int, int]:
    """Where a file stands after a seek, and what it answers: -1 where it cannot."""
    if whence == 2 and size is None:
        return at, -1
    to = (0, at, size or 0)[whence] + offset
    return (at, -1) if to < 0 else (to, to)
