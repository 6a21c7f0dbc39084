"""What an answer's body says in words, for a message. Of what may hold people's data, nothing."""

from __future__ import annotations

import json

from providers.model import Json

_LOOKED_AT = 1000
"""Bytes of a body that may be quoted."""
_BLANK = b"\xef\xbb\xbf\0 \t\r\n"
"""A byte order mark and signs that say nothing, in whatever encoding."""


def said(body: Json, raw: bytes) -> str:
    """A body's own words about an error: those of JSON, or a plain text's beginning."""
    if isinstance(body, dict):
        return message(body)
    text = _beginning(raw)
    return "" if text[:1] in ("{", "[") or not _is_text(text) else text


def message(body: dict[str, Json]) -> str:
    """The words of an error's JSON."""
    for key in ("message", "error", "error_description", "detail", "errors"):
        value = body.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value.strip():
            return value
    return ""


def instead_of_json(raw: bytes) -> str:
    """What a body is that cannot be read as JSON."""
    text = _beginning(raw)
    if not text:
        return "an empty answer"
    if text[0] in "{[":
        return "JSON that is cut short or broken"
    return "text that is not JSON" if _is_text(text) else "data that is not JSON"


def _beginning(raw: bytes) -> str:
    start = raw.lstrip(_BLANK)[:_LOOKED_AT]
    return start.decode(json.detect_encoding(start), "replace").lstrip()


def _is_text(text: str) -> bool:
    """Whether this is for people: some odd characters may be among it."""
    odd = sum(sign == "\ufffd" or not (sign.isprintable() or sign.isspace()) for sign in text)
    return odd <= len(text) // 5
