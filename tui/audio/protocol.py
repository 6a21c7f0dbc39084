"""The line protocol between a player and an engine, version 2.

A message is one line of JSON; where it has ``bytes``, that many raw bytes follow the line.
The engine *pulls*: it asks for the compressed bytes it needs, so that a command never queues
behind megabytes of sound. `id` numbers the recording, `seq` the seek within a player's life;
an answer that carries an old one is about something the user has left behind.

Player to engine (``do``)::

    open    id, seq, size|null, start, speed, volume, paused, skip, side, loop, peaks, near,
            unmeasured            a recording: bytes, s, factors; the rest as below; peaks:
                                  whether they are wanted; near: whether reading is cheap;
                                  unmeasured: not by this version of the decoder, which failed
    data    id, at, bytes         an answer to get, in one piece or several; no bytes: the end
    pause   on
    seek    id, seq, to           seconds of the recording
    speed   x                     0.5 to 3, the pitch is kept
    volume  x                     0 to 2
    skip    on                    shorten long silences
    side    which                 both, left or right: one channel on both ears
    loop    a, b                  from second b back to second a; both null: no loop
    stop                          forget the recording
    probe                         open the output and say which, and how decoding is held

Engine to player (``is``)::

    hello   version, first          first: whether the system lets it go before others
    get     id, at, n, idle       give me n bytes from offset at; idle: one piece is enough, and
                                  only when it arrives anyway
    ready   id, length|null, channels, exact   it can be decoded; seconds; 1 or 2; again with
                                  exact once all of it was measured
    at      id, seq, s, state     the position heard; state is waiting, flowing or ended
    peaks   id, at, channels, done, bytes   how loud it is: see `tui.audio.peaks`
    unmeasured  id, reason, by    there are no more peaks: crash, time, memory, or as failed;
                                  by: the version of the decoder
    held    parts, why            how whoever decodes is locked down: engine/lockdown.py
    output  name, message         where sound comes out, and why not where it was wanted
    damage  id, early, ends, states   something in it could not be decoded; said once; early: it
                                  ends before the end that it states; seconds
    failed  id, reason, detail    reason is not_sound, damaged or no_sound

The engine ends when its standard input does. Its standard error is noise from sound libraries.
"""

from __future__ import annotations

import json
import math
from typing import IO, Any

VERSION = 2

Message = dict[str, Any]

LINE_LIMIT = 16_384
"""Longest header line in bytes."""
BODY_LIMIT = 1 << 20
"""Most raw bytes that one message may carry."""


class Malformed(ValueError):
    """The other end does not speak this protocol."""


def pack(header: Message, body: bytes = b"") -> bytes:
    """One message, ready to be written."""
    if body:
        header = {**header, "bytes": len(body)}
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + body


def unpack(line: bytes) -> tuple[Message, int]:
    """A header and the number of raw bytes that follow it. Raises `Malformed`."""
    try:
        header = json.loads(line, parse_float=_finite, parse_constant=_finite)
        follows = header.get("bytes", 0)
    except (ValueError, AttributeError, RecursionError) as error:
        raise Malformed("not a header") from error
    if not isinstance(follows, int) or not 0 <= follows <= BODY_LIMIT:
        raise Malformed("a body of impossible size")
    return header, follows


def _finite(text: str) -> float:
    """No second, speed or volume is endless or no number at all."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def read(stream: IO[bytes]) -> tuple[Message, bytes] | None:
    """The next message of a blocking stream, or None at its end. Raises `Malformed`."""
    line = stream.readline(LINE_LIMIT)
    if not line:
        return None
    header, follows = unpack(line)
    body = stream.read(follows) if follows else b""
    return None if len(body) < follows else (header, body)
