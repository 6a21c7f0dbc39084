"""The engine's view of a recording's bytes: pieces that come in any size, twice or side by side."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from tui.audio.engine.byte_reader import AT_ONCE, BLOCK, BackgroundReader, ByteReader


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)


DATA = random.Random(2).randbytes(BLOCK)


def test_pieces_that_overlap_are_joined() -> None:
    pull = ByteReader(None, lambda at, n: None)
    pull.feed(0, DATA[:100])  # asked for without hurry
    pull.feed(0, DATA[:60])  # and by whoever plays
    pull.feed(60, DATA[60:300])
    pull.feed(400, DATA[400:500])
    assert pull.here(0, BLOCK) == DATA[:300]
    pull.feed(300, DATA[300:])
    assert pull.here(0, BLOCK) == DATA


def answering(data: bytes, delayed: list[tuple[int, int]]) -> ByteReader:
    """Asks are remembered; whoever answers them calls `feed`."""
    return ByteReader(len(data), lambda at, n: delayed.append((at, n)))


def answer(pull: ByteReader, data: bytes, at: int, n: int, rng: random.Random) -> None:
    """In pieces of any length, as a slow line brings them."""
    end = min(at + n, len(data))
    while at < end:
        piece = data[at : min(end, at + rng.randint(1, 9000))]
        pull.feed(at, piece)
        at += len(piece)


def test_the_beginning_alone_is_asked_for_until_the_file_is_open() -> None:
    data = random.Random(3).randbytes(300_000)
    asks: list[tuple[int, int]] = []
    pull = answering(data, asks)
    reader = threading.Thread(target=pull.read, args=(2048,), daemon=True)
    reader.start()
    eventually(lambda: bool(asks))
    pull.feed(0, data[:8192])
    reader.join(5)
    assert asks == [(0, 8192)]
    pull.opened = True
    assert pull.read(100) == data[2048:2148]
    assert asks[1:] and asks[1][0] == 8192, "then what follows comes ahead of its reading"
    assert all(n <= AT_ONCE for _, n in asks)


def test_a_jump_asks_for_little_that_lies_before_it() -> None:
    data = random.Random(4).randbytes(300_000)
    asks: list[tuple[int, int]] = []
    pull = answering(data, asks)
    pull.seek(290_000)
    reader = threading.Thread(target=pull.read, args=(10,), daemon=True)
    reader.start()
    eventually(lambda: bool(asks))
    assert 290_000 - BLOCK < asks[0][0] <= 290_000
    answer(pull, data, *asks[0], random.Random(1))
    reader.join(5)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_read_is_asked_for_once_and_right(seed: int) -> None:
    rng = random.Random(seed)
    data = rng.randbytes(rng.randint(60_000, 200_000))
    counted = bytearray(len(data))

    def ask(at: int, n: int) -> None:
        for i in range(at, min(at + n, len(data))):
            counted[i] += 1
        answer(pull, data, at, n, rng)

    pull = ByteReader(len(data), ask)
    idle = BackgroundReader(pull, ask)
    pull.opened = True
    for _ in range(60):
        if jumps := rng.random() < 0.5:
            pull.seek(rng.randrange(len(data)))
        who = pull if jumps else idle  # whoever measures reads from the beginning to the end
        at = who.tell()
        got = who.read(rng.randint(1, 9000))
        assert got == data[at : at + len(got)] and (got or at == len(data))
    assert max(counted) == 1


def test_who_waits_behind_the_end_is_told_when_it_is_found() -> None:
    """A header promises more than there is, and nobody has said how many bytes there are."""
    asks: list[tuple[int, int]] = []
    pull, read = ByteReader(None, lambda at, n: asks.append((at, n))), list[bytes]()
    pull.opened = True
    pull.seek(BLOCK)
    first = threading.Thread(target=lambda: pull.read(10), daemon=True)
    first.start()
    eventually(lambda: bool(asks))  # several blocks at once, also the one that is read next
    pull.feed(BLOCK, DATA)
    first.join(5)
    pull.seek(3 * BLOCK)
    behind = threading.Thread(target=lambda: read.append(pull.read(10)), daemon=True)
    behind.start()
    eventually(lambda: len(asks) > 1)
    pull.feed(2 * BLOCK, b"")
    behind.join(5)
    assert read == [b""]
