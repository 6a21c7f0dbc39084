"""A call's details in one deflated text: what the archive keeps of it besides its line.

`body`, `extra` and the vendor's own JSON say much the same in much the same words, and so do all
calls of a vendor: together, and with a preset dictionary (RFC 1950, FDICT), some 270 bytes hold
what took 1,800. Each packed text names its dictionary by its Adler-32, and ends in one of its own.

A row of the table ``detail`` has it in `body`, as a BLOB, and nothing in `raw`. In rows that an
older Ringback wrote `body` and `extra` are text and `raw` is deflated alone; both forms are read.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

LEVEL = 6
NOT_KNOWN = '{"recordings_known":false}'
"""What stands in the column `extra` for SQL; ``{}`` where a call's list of recordings is known."""


class Details(NamedTuple):
    """A call's details, each as compact JSON without a line feed."""

    body: str
    extra: str
    raw: str


@cache
def dictionary() -> bytes:
    """Calls of each vendor, all made up, the likest to others last. Never changed: what was packed
    with it could not be read any more.
    """
    return Path(__file__).with_name("details_dictionary.txt").read_bytes()


@cache
def _primed() -> Any:
    return zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, zdict=dictionary())


@cache
def _primed_reader() -> Any:
    return zlib.decompressobj(zlib.MAX_WBITS, zdict=dictionary())


def row_of(details: Details) -> tuple[bytes, str, bytes]:
    """The columns body, extra and raw."""
    packer = _primed().copy()
    packed = packer.compress("\n".join(details).encode()) + packer.flush()
    return packed, NOT_KNOWN if NOT_KNOWN[1:-1] in details.extra else "{}", b""


def details_of(body: str | bytes, extra: str, raw: bytes) -> Details:
    """What the columns hold, in whichever form. Raises `zlib.error`, ValueError."""
    if isinstance(body, str):
        return Details(body, extra, zlib.decompress(raw).decode())
    reader = _primed_reader().copy()
    text = reader.decompress(body)
    if not reader.eof:
        raise zlib.error("incomplete")
    return Details(*text.decode().split("\n"))


def rescued(body: str | bytes, extra: str) -> Details:
    """What can be read without the vendor's JSON: of a packed text what stands before its damage.

    Raises ValueError where that is not the whole of `body`.
    """
    if isinstance(body, str):
        return Details(body, extra, "null")
    with suppress(zlib.error):
        return details_of(body, extra, b"")
    reader, text = _primed_reader().copy(), b""
    with suppress(zlib.error):
        for at in range(len(body)):
            text += reader.decompress(body[at : at + 1])
    parts = text.split(b"\n")
    if len(parts) == 1:
        raise ValueError("its beginning is damaged")
    return Details(parts[0].decode(), parts[1].decode() if len(parts) > 2 else extra, "null")


def body_text(body: str | bytes) -> str | None:
    """SQL function: the JSON of a row's `body`; NULL where it cannot be read."""
    try:
        return body if isinstance(body, str) else details_of(body, "", b"").body
    except (TypeError, ValueError, zlib.error):
        return None
