"""The engine's view of a recording's bytes: pieces that come in any size, twice or side by side."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from tui.audio.engine.byte_reader import (
    AHEAD,
    AT_ONCE,
    BLOCK,
    KEEP,
    TAG,
    BackgroundReader,
    ByteReader,
    Interrupted,
)

T = TypeVar("T")


class Requests:
    """What a reader asked for: as a player sees it."""

    def __init__(self) -> None:
        self.made: list[tuple[int, int]] = []
        self._more = threading.Condition()

    def __call__(self, at: int, n: int) -> None:
        with self._more:
            self.made.append((at, n))
            self._more.notify_all()

    def wait(self, count: int = 1) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.made) >= count, 10)


class Call:
    """A call that may have to wait, in a thread of its own."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._result: list[object] = []
        self._thread = threading.Thread(target=self._run, args=(function,), daemon=True)
        self._thread.start()

    def _run(self, function: Callable[[], object]) -> None:
        try:
            self._result.append(function())
        except Interrupted as error:
            self._result.append(error)

    @property
    def waits(self) -> bool:
        return not self._result

    def result(self) -> object:
        self._thread.join(10)
        return self._result[0]


def noise(n: int, seed: int = 2) -> bytes:
    return random.Random(seed).randbytes(n)


def answer(reader: ByteReader, data: bytes, at: int, n: int, rng: random.Random) -> None:
    """In pieces of any length, as a slow line brings them."""
    end = min(at + n, len(data))
    while at < end:
        piece = data[at : min(end, at + rng.randint(1, 9000))]
        reader.feed(at, piece)
        at += len(piece)


def test_pieces_that_overlap_are_joined() -> None:
    reader, data = ByteReader(None, lambda at, n: None), noise(BLOCK)
    reader.feed(0, data[:100])  # asked for without hurry
    reader.feed(0, data[:60])  # and by whoever plays
    reader.feed(60, data[60:300])
    reader.feed(400, data[400:500])
    assert reader.read(BLOCK) == data[:300]
    reader.feed(300, data[300:])
    assert reader.read(BLOCK) == data[300:]
    assert reader.tell() == BLOCK


def test_the_beginning_alone_is_asked_for_until_the_file_is_open() -> None:
    data, requests = noise(300_000), Requests()
    reader = ByteReader(len(data), requests)
    first = Call(lambda: reader.read(2048))
    requests.wait()
    reader.feed(0, data[:8192])
    assert first.result() == data[:2048]
    assert requests.made == [(0, 8192)]
    reader.opened = True
    assert reader.read(100) == data[2048:2148]
    assert requests.made[1][0] == 8192, "then what follows comes ahead of its reading"
    assert max(n for _, n in requests.made) == AT_ONCE
    assert sum(n for _, n in requests.made) == AHEAD * BLOCK
    ends = [at + n for at, n in requests.made]
    assert [at for at, _ in requests.made[1:]] == ends[:-1], "each byte once, in order"


def test_a_jump_asks_for_little_that_lies_before_it() -> None:
    data, requests = noise(300_000), Requests()
    reader = ByteReader(len(data), requests)
    assert reader.seek(290_000) == 290_000
    jumped = Call(lambda: reader.read(10))
    requests.wait()
    at, n = requests.made[0]
    assert 290_000 - BLOCK < at <= 290_000 < at + n
    answer(reader, data, at, n, random.Random(1))
    assert jumped.result() == data[290_000:290_010]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_read_is_asked_for_once_and_right(seed: int) -> None:
    rng = random.Random(seed)
    data = rng.randbytes(rng.randint(60_000, 200_000))
    counted = bytearray(len(data))

    def ask(at: int, n: int) -> None:
        for i in range(at, min(at + n, len(data))):
            counted[i] += 1
        answer(reader, data, at, n, rng)

    reader = ByteReader(len(data), ask)
    background = BackgroundReader(reader, ask)
    reader.opened = True
    for _ in range(60):
        if jumps := rng.random() < 0.5:
            reader.seek(rng.randrange(len(data)))
        who = reader if jumps else background  # the latter from the beginning to the end
        at = who.tell()
        got = who.read(rng.randint(1, 9000))
        assert got == data[at : at + len(got)]
        assert got or at == len(data)
    assert max(counted) == 1


def test_who_waits_behind_the_end_is_told_when_it_is_found() -> None:
    """A header promises more than there is, and nobody has said how many bytes there are."""
    data, requests = noise(BLOCK), Requests()
    reader = ByteReader(None, requests)
    reader.opened = True
    reader.seek(BLOCK)
    first = Call(lambda: reader.read(10))
    requests.wait()  # several blocks at once, also the one that is read next
    reader.feed(BLOCK, data)
    assert first.result() == data[:10]
    reader.seek(3 * BLOCK)
    behind = Call(lambda: reader.read(10))
    requests.wait(2)
    reader.feed(2 * BLOCK, b"")
    assert behind.result() == b""
    assert reader.size == 2 * BLOCK


@pytest.mark.parametrize("in_background", [False, True])
def test_an_unknown_size_has_no_end_until_it_is_found(in_background: bool) -> None:
    """FFmpeg asks for the end of every file that it opens."""
    data, requests = noise(100), Requests()
    reader = ByteReader(None, requests)
    file = BackgroundReader(reader, requests) if in_background else reader
    assert (file.seek(7), file.seek(0, 2), file.tell()) == (7, -1, 7)
    assert file.seek(-3, 1) == 4
    assert file.seek(-5, 1) == -1
    waiting = Call(lambda: file.read(50))
    requests.wait()
    assert waiting.waits
    reader.feed(0, data)
    assert waiting.result() == data[4:54]
    ended = Call(lambda: file.seek(100) and file.read(1))
    reader.feed(100, b"")
    assert ended.result() == b""
    assert (file.size, file.seek(-1, 2)) == (100, 99)
    assert file.read(9) == data[99:]


def test_an_end_that_comes_sooner_than_was_said_counts() -> None:
    reader = ByteReader(5000, lambda at, n: None)
    reader.feed(3000, b"")
    assert reader.size == 3000
    reader.feed(4000, b"")
    assert reader.size == 3000


def test_a_wait_is_interrupted() -> None:
    requests = Requests()
    reader = ByteReader(None, requests)
    waiting = Call(lambda: reader.read(1))
    requests.wait()
    reader.interrupt()
    assert isinstance(waiting.result(), Interrupted)


def test_a_closed_background_reader_waits_no_more() -> None:
    requests = Requests()
    reader = BackgroundReader(ByteReader(None, lambda at, n: None), requests)
    waiting = Call(lambda: reader.read(1))
    requests.wait()
    reader.close()
    assert isinstance(waiting.result(), Interrupted)


def test_an_old_tag_is_not_worth_a_wait_while_a_file_is_opened() -> None:
    size = 2 * BLOCK
    reader = ByteReader(size, Requests())
    reader.seek(size - TAG)
    assert reader.read(TAG) == bytes(TAG)
    assert reader.tell() == size
    reader.feed(BLOCK, noise(BLOCK))
    reader.opened = True
    reader.seek(size - TAG)
    assert reader.read(TAG) == noise(BLOCK)[-TAG:]


def test_a_short_file_is_read_to_its_last_byte_while_it_is_opened() -> None:
    data = noise(BLOCK)
    reader = ByteReader(BLOCK, lambda at, n: reader.feed(at, data[at : at + n]))
    reader.seek(BLOCK - TAG)
    assert reader.read(TAG) == data[-TAG:]


def test_who_reads_in_the_background_asks_for_what_nobody_else_has_asked_for() -> None:
    hurried, calm = Requests(), Requests()
    data = noise(40 * BLOCK)
    reader = ByteReader(len(data), hurried)
    background = BackgroundReader(reader, calm)
    waited: list[bool] = []
    background.before_waiting = lambda: waited.append(True)
    playing = Call(lambda: reader.read(1))  # asks for the first two blocks
    hurried.wait()
    measuring = Call(lambda: background.read(BLOCK))
    reader.feed(0, data[:BLOCK])
    assert measuring.result() == data[:BLOCK]
    assert playing.result() == data[:1]
    assert calm.made == [], "it comes anyway"
    reader.feed(BLOCK, data[BLOCK : 2 * BLOCK])
    background.seek(2 * BLOCK)
    measuring = Call(lambda: background.read(10))
    calm.wait()
    at, n = calm.made[0]
    assert (at, n) == (2 * BLOCK, AHEAD * BLOCK // 2)
    assert waited
    reader.feed(at, data[at : at + n])
    assert measuring.result() == data[at : at + 10]
    assert background.contiguous(at, n) == data[at : at + n]


def test_what_is_still_coming_is_not_asked_for_again() -> None:
    data, requests = noise(2 * BLOCK), Requests()
    reader = ByteReader(None, requests)
    first = Call(lambda: reader.read(10))
    requests.wait()
    reader.feed(0, data[:100])
    assert first.result() == data[:10]
    assert reader.read(BLOCK) == data[10:100]
    rest = Call(lambda: reader.read(BLOCK))
    reader.feed(100, data[100:])
    assert rest.result() == data[100:BLOCK]
    assert requests.made == [(0, 2 * BLOCK)]


def test_what_was_given_up_is_asked_for_again() -> None:
    requests = Requests()
    reader = ByteReader(None, requests)
    first = Call(lambda: reader.read(1))
    requests.wait()
    for block in range(KEEP):
        reader.feed(block * BLOCK, bytes(BLOCK))
    assert first.result() == b"\0"
    reader.seek(KEEP * BLOCK)
    hurried = Call(lambda: reader.read(1))
    requests.wait(2)
    reader.feed(KEEP * BLOCK, bytes(BLOCK))
    assert hurried.result() == b"\0"
    reader.seek(BLOCK)
    again = Call(lambda: reader.read(1))
    requests.wait(3)
    assert requests.made[-1][0] <= BLOCK
    reader.feed(BLOCK, b"\1" * BLOCK)
    assert again.result() == b"\1"


def test_no_more_is_kept_than_an_hour_of_telephone_speech() -> None:
    requests = Requests()
    reader = ByteReader(None, requests)
    for block in range(KEEP):
        reader.feed(block * BLOCK, bytes(BLOCK))
    reader.seek(0)
    assert reader.read(1) == b"\0"  # used again: the oldest is now the second
    for block in range(KEEP, KEEP + 2):
        reader.seek(block * BLOCK)
        hurried = Call(lambda: reader.read(1))
        requests.wait()
        reader.feed(block * BLOCK, b"\1" * BLOCK)
        assert hurried.result() == b"\1"
    assert reader.contiguous(0, 1) == b"\0"
    assert reader.contiguous(BLOCK, 1) == reader.contiguous(2 * BLOCK, 1) == b""
    reader.feed((KEEP + 99) * BLOCK, bytes(BLOCK))  # in the background, where there is no room
    assert reader.contiguous((KEEP + 99) * BLOCK, 1) == b""
