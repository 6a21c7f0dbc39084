"""A track, the queue it fills, and all that it said: a real decoder, and the test pulls."""

from __future__ import annotations

import threading
import time
from typing import Any

from tui.audio.engine.decoder import Workers
from tui.audio.engine.pcm import FRAME, RATE
from tui.audio.engine.pcm_queue import PcmQueue
from tui.audio.engine.track import Track

OPENING: dict[str, Any] = {
    "id": 1, "seq": 1, "start": 0.0, "speed": 1.0, "volume": 1.0, "paused": False,
    "skip": False, "side": "both", "loop": None, "peaks": False,
}  # fmt: skip


class _WatchedQueue(PcmQueue):
    """Tells when the decoder begins anew."""

    def __init__(self) -> None:
        super().__init__()
        self.was_cut = threading.Event()

    def cut(self, generation: int) -> float | None:
        second = super().cut(generation)
        self.was_cut.set()
        return second


class TrackHarness:
    """`messages` are what the track said, `requests` the bytes it asked for."""

    def __init__(self, data: bytes, workers: Workers, **opening: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self.requests: list[tuple[int, int, bool]] = []
        self._news = threading.Condition()
        self._data = data
        self.queue = _WatchedQueue()
        opening = {**OPENING, "size": len(data), **opening}
        self._made = threading.Event()
        self.track = Track(opening, self.queue, self._say, workers)
        self._made.set()

    def _say(self, what: str, body: bytes = b"", **fields: Any) -> None:
        if what == "get":
            at, n = fields["at"], fields["n"]
            self.requests.append((at, n, "idle" in fields))
            threading.Thread(target=self._answer, args=(at, n)).start()
        else:
            with self._news:
                self.messages.append({"is": what, "body": body, **fields})
                self._news.notify_all()

    def _answer(self, at: int, n: int) -> None:
        self._made.wait()
        self.track.reader.feed(at, self._data[at : at + n])

    def said(self, what: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["is"] == what]

    def wait_for(self, what: str) -> dict[str, Any]:
        """The first message of this kind, as soon as it was said."""
        with self._news:
            assert self._news.wait_for(lambda: self.said(what), 10.0), self.messages
        return self.said(what)[0]

    def pull(self, seconds: float) -> bytes:
        """So much sound, as soon as it is there; less at the end."""
        out, frames, deadline = b"", round(seconds * RATE), time.monotonic() + 10
        while len(out) // FRAME < frames:
            assert time.monotonic() < deadline
            self.queue.wait_for_sound(0.1)
            out += self.queue.pull(min(2400, frames - len(out) // FRAME))
            if self.queue.heard().state == "ended":
                break
        return out

    def settle(self) -> None:
        """Wait for a good part of what the queue holds, or all that is left."""
        self.queue.wait_for_sound(5.0, round(0.3 * RATE))

    def change(self, **options: Any) -> None:
        """Other options of the track; until the decoder has begun anew with them."""
        for name, value in options.items():
            setattr(self.track, name, value)
        self.queue.was_cut.clear()
        self.track.change()
        assert self.queue.was_cut.wait(5.0)
