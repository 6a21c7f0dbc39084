"""``--json FIELDS``: which fields of a call are printed."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

Fields = tuple[str, ...]
ALL_FIELDS: Fields = ("*",)
"""Of ``--json`` alone."""


def known_fields() -> list[str]:
    """The names there are: those of a CSV, and of the parts as a whole (``contact``)."""
    from tui.archive import codec

    names = [*codec.names()]
    return [*dict.fromkeys([*(name.partition(".")[0] for name in names), *names])]


def json_fields(text: str) -> Fields:
    """``id,contact.name`` as names; all where there is none. Raises `ArgumentTypeError`."""
    wanted = tuple(name.strip() for name in text.split(",") if name.strip())
    known = known_fields() if wanted else []
    for name in wanted:
        if name not in known:
            from tui.query.suggestions import nearest

            near = nearest(name.lower(), known)
            meant = f"did you mean {near}?" if near else f"there is: {', '.join(known)}"
            raise ArgumentTypeError(f"a call has no field {name}; {meant}")
    return wanted or ALL_FIELDS


def are_fields(word: str) -> bool:
    """Whether a word behind ``--json`` names fields, and is no query."""
    names = {name.strip() for name in word.split(",")}
    return not names.isdisjoint(known_fields())


def picked(call: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """Of a call as it is printed what was asked for, in that order."""
    if fields is ALL_FIELDS:
        return call
    return {name: _value(call, name) for name in fields}


def _value(call: dict[str, Any], name: str) -> Any:
    outer, _, inner = name.partition(".")
    return call[outer][inner] if inner else call[outer]
