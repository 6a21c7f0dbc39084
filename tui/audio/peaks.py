"""How loud a recording is, window by window: what its waveform and its turns are made of.

A byte is one window of one channel: ``round(255 * sqrt(peak / full scale))``, so that speech
at -40 dB still shows. Two channels at most; a third is not a side of a call.
"""

from __future__ import annotations

import struct
from typing import Any

WINDOW_S = 0.05
"""Length of a window in seconds."""
LANES = 2
"""Most channels that are measured."""
LONGEST = round(48 * 3600 / WINDOW_S)
"""Most windows of a recording: two days."""

_HEAD = struct.Struct("<4sBBBI")  # mark, version, lanes, whether complete, windows
_MARK, _VERSION = b"RBPK", 2
_NONE = b"RBPX"
_REASON = 40
TROUBLE = len(_NONE) + 8 * _REASON
"""Bytes of a file that tell why there are no peaks in it, if there are none."""


class Peaks:
    """Grows while a recording is measured. One thread only."""

    def __init__(
        self,
        lanes: tuple[bytearray, ...] = (),
        complete: bool = False,
        trouble: str = "",
        by: str = "",
    ) -> None:
        self.lanes = lanes
        """One lane for a mono recording, left and right for stereo; none before the first."""
        self.complete = complete
        self.trouble, self.by = trouble, by
        """Why there will be no more of it, and with which decoder: ``crash``, ``time``, ``memory``
        or a reason of `Unplayable`; see `give_up`.
        """
        self.revision = 0
        """Changes when more is known."""

    @property
    def settled(self) -> bool:
        """Whether all is known, or why it is not."""
        return self.complete or bool(self.trouble)

    @property
    def known(self) -> tuple[bool, str, str]:
        """What makes it worth keeping anew."""
        return self.complete, self.trouble, self.by

    def open_fields(self) -> dict[str, Any]:
        """Whether an engine is to measure the rest, and by which decoder not again."""
        return {"peaks": not self.complete, "unmeasured": self.by if self.trouble else None}

    @property
    def length_s(self) -> float:
        """Seconds that are measured so far."""
        return len(self.lanes[0]) * WINDOW_S if self.lanes else 0.0

    def length_beside(self, told_s: float | None) -> float:
        """Seconds of what is measured; a header knows better where it says nearly the same."""
        near = told_s is not None and abs(told_s - self.length_s) <= 2 * WINDOW_S
        return told_s if near and told_s is not None else self.length_s

    def put(self, at: int, channels: int, body: bytes, done: bool) -> None:
        """Windows from `at` on, the channels interleaved. Raises `ValueError` on nonsense."""
        if channels not in (1, LANES) or len(body) % channels:
            raise ValueError("so many channels have no lanes")
        if not 0 <= at <= LONGEST - len(body) // channels:
            raise ValueError("beyond any recording")
        if len(self.lanes) != channels:
            self.lanes = tuple(bytearray() for _ in range(channels))
        for number, lane in enumerate(self.lanes):
            lane.extend(bytes(max(0, at - len(lane))))
            values = body[number::channels]
            lane[at : at + len(values)] = values
        self.complete, self.trouble = done, ""
        self.revision += 1

    def give_up(self, reason: str, by: str) -> None:
        """Measuring has failed; `by`: the version of the decoder, another may do better."""
        self.trouble, self.by = reason[:_REASON], by[:_REASON]
        self.revision += 1

    def to_bytes(self) -> bytes:
        """For a file beside the recording."""
        if self.trouble:
            return _NONE + f"{self.trouble}\n{self.by}".encode()
        windows = len(self.lanes[0]) if self.lanes else 0
        head = _HEAD.pack(_MARK, _VERSION, len(self.lanes), self.complete, windows)
        return head + b"".join(self.lanes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Peaks:
        """What `to_bytes` made. Raises `ValueError` when it is of another kind or version."""
        if data.startswith(_NONE):
            trouble, _, by = data[len(_NONE) :].decode().partition("\n")
            return cls(trouble=trouble[:_REASON], by=by[:_REASON])
        if len(data) < _HEAD.size:
            raise ValueError("too short for peaks")
        mark, version, lanes, complete, windows = _HEAD.unpack_from(data)
        right_size = len(data) == _HEAD.size + lanes * windows
        if (mark, version) != (_MARK, _VERSION) or lanes > LANES or not right_size:
            raise ValueError("no peaks of this version")
        body = data[_HEAD.size :]
        parts = (body[i * windows : (i + 1) * windows] for i in range(lanes))
        return cls(tuple(bytearray(part) for part in parts), bool(complete))
