"""The engine's view of a recording's bytes: pieces that come in any size, twice or side by side."""

from __future__ import annotations

import random

from tui.audio.pull import BLOCK, Pull

DATA = random.Random(2).randbytes(BLOCK)


def test_pieces_that_overlap_are_joined() -> None:
    pull = Pull(None, lambda at, n: None)
    pull.feed(0, DATA[:100])  # asked for without hurry
    pull.feed(0, DATA[:60])  # and by whoever plays
    pull.feed(60, DATA[60:300])
    pull.feed(400, DATA[400:500])
    assert pull.here(0, BLOCK) == DATA[:300]
    pull.feed(300, DATA[300:])
    assert pull.here(0, BLOCK) == DATA
