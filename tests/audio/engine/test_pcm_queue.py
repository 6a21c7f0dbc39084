"""The queue between the decoder and the device: what is pulled, and what is heard of it."""

from __future__ import annotations

from tui.audio.engine.pcm_queue import KEEP_S


def test_what_stays_queued_is_shorter_than_a_key_may_take() -> None:
    assert KEEP_S <= 0.1
