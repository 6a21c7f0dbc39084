"""JSON from outside as Python's values: bounded before it is built, and fit to be written again."""

from __future__ import annotations

import json
import math
import re

from providers.limits import DEEPEST, DIGITS, LEFT_OUT, VALUES
from providers.model import Json

DECODER = json.JSONDecoder(
    parse_int=lambda digits: int(digits) if len(digits) < DIGITS else digits,
    parse_float=lambda digits: n if math.isfinite(n := float(digits)) else digits,
    parse_constant=str,
)
"""Reads JSON that can be written again: numbers too large or not finite stay text."""
TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
"""The pattern of a text in JSON, also one without an end; for `re.S`."""
_COUNTED = re.compile(rf"{TEXT}|[,\[{{]", re.S)
_NESTING = re.compile(rf"{TEXT}|[\[\]{{}}]", re.S)


class TooMany(ValueError):
    """JSON with more than `VALUES` values in it."""


def loads(text: str | bytes) -> Json:
    """JSON as `DECODER` reads it; what is nested deeper than `DEEPEST` is left out.

    Raises ValueError, `TooMany` before anything is built. Bytes that are not UTF-8 (or -16, -32)
    become U+FFFD, so that one bad character does not cost a page of calls.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "replace")
    text = text.removeprefix("\ufeff")
    if has_too_many(text):
        raise TooMany(f"more than {VALUES:,} values")
    try:
        return DECODER.decode(text)
    except RecursionError:
        try:
            return DECODER.decode(flattened(text))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def has_too_many(text: str) -> bool:
    """Whether there are more than `VALUES` values: each stands behind one of these signs."""
    if sum(map(text.count, ",[{")) <= VALUES:
        return False  # nearly all
    count = 0
    for number, token in enumerate(_COUNTED.finditer(text)):
        count += token[0][0] != '"'  # such signs within a text are none
        if count > VALUES or number > 2 * VALUES:
            return True
    return False


def flattened(text: str) -> str:
    """JSON without what is nested deeper than `DEEPEST`: one call's fault costs no other call."""
    kept, start, depth = list[str](), 0, 0
    for token in _NESTING.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += [text[start : token.start()], f'{{"{LEFT_OUT}": 1}}']
        elif token[0] in "]}":
            if depth == DEEPEST + 1:
                start = token.end()
            depth -= 1
    return "".join([*kept, text[start:]]) if depth <= DEEPEST else text
