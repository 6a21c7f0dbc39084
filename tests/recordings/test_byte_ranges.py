"""The set of stretches against a plain set of numbers."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from tui.recordings.byte_ranges import ByteRanges

SIZE = 60


@pytest.mark.parametrize("seed", range(40))
def test_stretches_are_those_of_a_set_of_bytes(seed: int) -> None:
    dice, spans, here = random.Random(seed), ByteRanges(), set[int]()
    for _ in range(12):
        start = dice.randrange(SIZE)
        end = min(SIZE, start + dice.randrange(12))
        spans.add(start, end)
        here.update(range(start, end))
        stretches = list(spans)
        assert {at for a, b in stretches for at in range(a, b)} == here
        assert all(b < c for (_, b), (c, _) in pairwise(stretches))
        for at in range(SIZE):
            end = spans.end(at)
            assert end == next((x for x in range(at, SIZE + 1) if x not in here), at)
            missing = [x for x in range(at, SIZE) if x not in here]
            gap = spans.gap(at, SIZE)
            if not missing:
                assert gap is None
                continue
            after = next((x for x in range(missing[0], SIZE) if x in here), SIZE)
            assert gap == (missing[0], after)


def test_without_a_size_the_last_gap_has_no_end() -> None:
    spans = ByteRanges()
    assert spans.gap(0, None) == (0, None)
    spans.add(10, 20)
    assert spans.gap(0, None) == (0, 10)
    assert spans.gap(10, None) == (20, None)
