"""How large an answer and a call may be: every cap of the vendors' side, in one place.

A call that is larger is cut, never refused: `bounded` puts in the place of what it leaves out how
much that was, so that the archive keeps nothing of it and every later reading tells it again.

    a text        its beginning, then ``… (50,000,000 characters, 1f2e3d4c)``
    a list        its first items, then ``{"…": 9800}``
    an object     its first fields, then ``"…": 300`` among them
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

from providers.model import Call
from providers.sanitize import safe_text

MB = 1 << 20

# -- of an answer
BODY = 64 * MB
"""Bytes of an answer, unpacked: a page of 5,000 large calls has a fifth of it."""
RATIO = 250
"""Bytes that one packed byte may become: lists of like calls reach 100."""
UNPACKED_AT_LEAST = 4 * MB
"""So much may be unpacked whatever the ratio: pages of a test system are all alike."""
SAVED = 16 * BODY
"""Bytes that a packed file of saved bodies may become: some million of them."""
VALUES = 1_000_000
"""Values in one answer, some 100 MB once they are read: 5,000 calls of 100 fields have half."""
ROWS = 5_000
"""Rows of one answer, ten times the largest page that is asked for; the others are asked for
again, by their offset."""
DEEPEST = 200
"""Lists and objects in each other that an answer or a saved body may have: vendors have six, and
Python's own readers and writers end at a thousand."""
DIGITS = 40
"""Digits of a whole number; one of more is text. Python itself refuses 4,300."""

# -- of a call
TEXT = 10_000
"""Characters of one text: a summary has some thousand."""
ITEMS = 200
"""Items of one list: agents, legs, recordings, tags."""
FIELDS = 300
"""Fields of one object: the largest vendor's have fifty."""
NAME = 200
"""Characters of a field's name."""
CALL_VALUES = 3_000
"""Values in all: 40 legs of CINNOX, 200 agents of Nectar Desk."""
CALL_TEXT = 60_000
"""Characters in all, names of fields among them."""
CALL_DEEPEST = 20
ID = 200
"""Characters of a call's id, as much as a link to it may hold."""

MOST_PROBLEMS = 100
"""Lines about what of a call could not be read."""

LEFT_OUT = "…"
_TOLD = 20
_CUT = re.compile(r"… \(([\d,]+) characters, [0-9a-f]{8}\)\Z")
_CUT_LENGTH = 50


def bounded(raw: Any, name: str = "") -> tuple[Any, tuple[str, ...]]:
    """A call's JSON, no larger than a call may be; and in words what was left out of it, now or
    before. What is small comes back as it is, and what was cut is not cut again.

    `name` is how a list of a call's parts is called in these words.
    """
    if _fits(raw, _Room(CALL_VALUES, CALL_TEXT)):
        return raw, ()
    kept = _cut(raw, _Room(CALL_VALUES, CALL_TEXT), 0)
    name = name if isinstance(raw, list) else ""
    lines = (f"{_path(name, path)}{what}" for path, what in _told(kept, ()))
    return kept, tuple(islice(dict.fromkeys(lines), _TOLD))


def cuts(calls: Iterable[Call]) -> list[str]:
    """What was left out of some calls, a line each."""
    return [
        f"call {safe_text(call.id, 40)}: {line}"
        for call in calls
        for line in call.problems
        if line.endswith(("left out", "characters"))
    ]


def is_left_out(value: Any) -> bool:
    """Whether this stands for what was left out."""
    return isinstance(value, dict) and value.keys() == {LEFT_OUT}


def _fits(raw: Any, room: _Room) -> bool:
    """Whether nothing is to be cut, and nothing was; takes of the room what is needed then."""
    values, text, level = room.values, room.text, [raw]
    for _ in range(CALL_DEEPEST):  # level by level: no depth is too deep for that
        below = []
        for part in level:
            if isinstance(part, dict):
                if len(part) > FIELDS or LEFT_OUT in part or max(map(len, part), default=0) > NAME:
                    return False
                items, text = list(part.values()), text - sum(map(len, part))
            else:
                items = part if isinstance(part, list) else [part]
                if len(items) > ITEMS:
                    return False
            values -= len(items)
            for item in items:
                if isinstance(item, str):
                    if len(item) > TEXT:
                        return False
                    text -= len(item)
                elif isinstance(item, dict | list):
                    below.append(item)
            if values < 0 or text < 0:
                return False
        if not below:
            room.values, room.text = values, text
            return True
        level = below
    return False


class _Room:
    """How many values and characters there is room for."""

    def __init__(self, values: int, text: int) -> None:
        self.values, self.text = values, text

    def part(self, values: int, text: int) -> _Room:
        self.values, self.text = self.values - values, self.text - text
        return _Room(values, text)

    def give_back(self, rest: _Room) -> None:
        self.values, self.text = self.values + rest.values, self.text + rest.text


def _cut(value: Any, room: _Room, depth: int) -> Any:
    """What is kept of a value; takes of the room what that needs."""
    room.values -= 1
    if isinstance(value, str):
        return _cut_text(value, room)
    if not isinstance(value, dict | list):
        return value
    if _fits(value, room):
        return value
    if depth >= CALL_DEEPEST:
        return {LEFT_OUT: 1}
    return (
        _cut_list(value, room, depth)
        if isinstance(value, list)
        else _cut_object(value, room, depth)
    )


def _cut_text(text: str, room: _Room) -> Any:
    if len(text) > TEXT and not _characters(text):
        end = sha256(text[-TEXT:].encode("utf-8", "surrogatepass"))  # two long ids stay two
        text = f"{text[:TEXT]}… ({len(text):,} characters, {end.hexdigest()[:8]})"
    if len(text) > room.text:
        return {LEFT_OUT: 1}
    room.text -= len(text)
    return text


def _cut_list(items: list[Any], room: _Room, depth: int) -> list[Any]:
    """An item has a tenth of the room, and there is no further one where less is left: whole ones
    are kept before many.
    """
    kept, found = list[Any](), [item for item in items if not is_left_out(item)]
    parts = max(1, min(len(found), 10))
    values, text = room.values // parts, room.text // parts
    for item in found[:ITEMS]:
        if room.values < max(values, 1) or room.text < text:
            break
        part = room.part(values, text)
        if not is_left_out(one := _cut(item, part, depth + 1)):
            kept.append(one)
        room.give_back(part)
    # of one that comes again and again what is left out looks new each time: it is not added up
    before = max((_count(item) for item in items if is_left_out(item)), default=0)
    missing = max(before, len(found) - len(kept))
    return [*kept, {LEFT_OUT: missing}] if missing else kept


def _cut_object(fields: dict[str, Any], room: _Room, depth: int) -> dict[str, Any]:
    """Of the first fields small values are kept before large ones: an id goes before whatever
    fills the rest.
    """
    kept, first = dict[str, Any](), islice(filter(_is_name, fields), FIELDS)
    names = sorted(first, key=lambda name: _size(fields[name]))
    for place, name in enumerate(names):
        value = fields[name]
        if room.values < 1 or len(name) > room.text:
            break
        room.text -= len(name)
        if not isinstance(value, dict | list):
            kept[name] = _cut(value, room, depth + 1)
            continue
        parts = min(len(names) - place, 10)
        part = room.part(room.values // parts, room.text // parts)
        kept[name] = _cut(value, part, depth + 1)
        room.give_back(part)
    missing = max(_count(fields), len(fields) - len(kept) - (LEFT_OUT in fields))
    order = {name: kept[name] for name in fields if name in kept}
    return {**order, LEFT_OUT: missing} if missing else order


def _is_name(name: str) -> bool:
    return name != LEFT_OUT and len(name) <= NAME


def _size(value: Any) -> int:
    """By which small values stand before large ones, texts before lists and objects."""
    if isinstance(value, str):
        return min(len(value), TEXT)
    return TEXT + 1 if isinstance(value, dict | list) and not is_left_out(value) else 0


def _count(fields: dict[str, Any]) -> int:
    """How many fields or items are missing; a vendor's own "…" may be anything."""
    count = fields.get(LEFT_OUT, 0)
    return count if isinstance(count, int) and 0 < count < 10**9 else int(LEFT_OUT in fields)


def _characters(text: str) -> str:
    """How many characters a text had that was cut."""
    found = _CUT.search(text) if TEXT < len(text) <= TEXT + _CUT_LENGTH else None
    return found[1] if found else ""


def _told(kept: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """What was left out of a call that was cut, and where."""
    if isinstance(kept, str):
        if count := _characters(kept):
            yield path, f"cut, it had {count} characters"
    elif isinstance(kept, list):
        for item in kept:
            if is_left_out(item):
                yield path, f"{_count(item):,} or more left out"
            elif isinstance(item, str | list | dict):
                yield from _told(item, path)
    elif is_left_out(kept):
        yield path, "left out"
    elif isinstance(kept, dict):
        if LEFT_OUT in kept:
            yield path, f"{_count(kept):,} or more fields left out"
        for name, value in kept.items():
            if isinstance(value, str | list | dict) and name != LEFT_OUT:
                yield from _told(value, (*path, name))


def _path(name: str, path: tuple[str, ...]) -> str:
    names = [part for part in (name, *(safe_text(part, 40) for part in path)) if part]
    return f"{'.'.join(names)}: " if names else ""
