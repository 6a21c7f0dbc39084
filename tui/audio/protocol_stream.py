"""Messages of `tui.audio.protocol` over asyncio's streams."""

from __future__ import annotations

import asyncio

from tui.audio import protocol
from tui.audio.protocol import Message


async def read_message(stream: asyncio.StreamReader) -> tuple[Message, bytes] | None:
    """The next message, or None where the stream ends. Raises `protocol.Malformed`, `OSError`.

    The stream's own limit bounds the line: make it with `protocol.LINE_LIMIT`.
    """
    try:
        line = await stream.readline()
    except ValueError as error:
        raise protocol.Malformed("a line without an end") from error
    if not line.endswith(b"\n"):
        return None
    header, follows = protocol.unpack(line)
    try:
        return header, await stream.readexactly(follows)
    except asyncio.IncompleteReadError:
        return None
