"""The vendor's own JSON for reading: pretty, safe, cut where it is endless, without addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from providers.model import Json
from providers.sanitize import safe_text

HIDDEN = "[address hidden]"
MAX_CHARS = 200_000
MAX_LINES = 4_000
TOO_LONG = "... cut here; `ringback show --raw` prints all of it"

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,15}:[\\/]{2,}[^\s\"'<>]+", re.IGNORECASE)


def hide_addresses(text: str, secrets: Iterable[str]) -> str:
    """`text` with every address in it, and each of `secrets`, replaced by `HIDDEN`."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _ADDRESS.sub(HIDDEN, text)


def json_lines(raw: Json, secrets: Iterable[str] = ()) -> list[str]:
    """`raw`, indented, a line each; `secrets` are recordings' addresses (or parts of them)."""
    pieces: list[str] = []
    size = 0
    cut = False
    encoder = json.JSONEncoder(indent=2, ensure_ascii=False, default=str)
    for piece in encoder.iterencode(raw):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_CHARS:
            cut = True
            break
    encoded = [json.dumps(secret, ensure_ascii=False)[1:-1] for secret in secrets]
    lines = hide_addresses("".join(pieces), encoded)[:MAX_CHARS].split("\n")
    cut = cut or len(lines) > MAX_LINES
    shown = [safe_text(line, MAX_CHARS) for line in lines[:MAX_LINES]]
    return [*shown, TOO_LONG] if cut else shown
