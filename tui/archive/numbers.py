"""When two phone numbers are the same, however each is written: one rule, in Python and in SQL."""

from __future__ import annotations

import re

TAIL = 9
"""Digits that are compared: more would tell +49 30 1234567 from 030 1234567."""
SHORTEST = 3
"""A number of fewer digits is nobody's."""
_MARKS = " -()+./"

_stripped = "number"
for _mark in _MARKS:
    _stripped = f"replace({_stripped}, '{_mark}', '')"
NUMBER_KEY = (
    f"CASE WHEN length({_stripped}) >= {SHORTEST} AND {_stripped} NOT GLOB '*[^0-9]*'"
    f" THEN substr({_stripped}, -{TAIL}) END"
)
"""SQL for `number_key` of the column ``number``; an index of the archive holds its values."""


def number_key(text: str | None) -> str | None:
    """What equal numbers have in common; None for what is no number ("anonymous")."""
    stripped = re.sub(f"[{re.escape(_MARKS)}]", "", text or "")
    if not re.fullmatch(rf"[0-9]{{{SHORTEST},}}", stripped):
        return None
    return stripped[-TAIL:]
