"""The messages between a player and an engine."""

from __future__ import annotations

import pytest

from tui.audio import protocol


@pytest.mark.parametrize(
    "line",
    [b'{"is":"at","s":1e999}', b'{"is":"at","s":NaN}', b"[" * 16_000],
    ids=["endless", "no-number", "deep"],
)
def test_a_line_that_no_end_would_say_is_refused(line: bytes) -> None:
    with pytest.raises(protocol.Malformed):
        protocol.unpack(line)
