"""The fields that a query line can name: parser, archive, completion and help read them.

They are called as the columns and the labels of a call's page are. A field that one vendor alone
has is asked for by that vendor's own name; those that are documented stand here, any other is
known by the calls that have it (`tui.archive.sqlite.search.search_index.SearchIndex.has_field`).
"""

from __future__ import annotations

from typing import NamedTuple

from providers.call_fields import CALL_FIELDS, Asked, CallField, Kind, plain


class Field(NamedTuple):
    """One field. `column` is where the archive has it."""

    name: str
    kind: Kind
    column: str
    title: str
    """As columns and pages name it."""
    also: tuple[str, ...] = ()
    """Other words for it."""


def _column(field: CallField, asked: Asked) -> str:
    return asked.column or field.column or plain(asked.word)


_ASKED = [(field, field.asked) for field in CALL_FIELDS if field.asked]
TABLE = tuple(
    Field(asked.word, asked.kind, _column(field, asked), field.title, asked.also)
    for field, asked in _ASKED
)
VENDOR_NUMBERS = tuple(
    field.id for field, asked in _ASKED if field.vendors_own and asked.kind == "number"
)
"""Fields of one vendor that are numbers, as that vendor names them."""
DURATIONS = {word: field.column for field in CALL_FIELDS for word in field.compared}
"""Words whose seconds are compared, and where the archive has those."""
IMPERSONAL = frozenset(_column(*one) for one in _ASKED if one[0].impersonal)
"""Columns whose names are no people's."""


FIELDS = {plain(word): field for field in TABLE for word in (field.name, *field.also)}
"""Every word before a colon, and its field."""
COMMON = (
    *("account", "agent", "contact", "number", "group", "queue", "campaign", "tag", "dispo"),
    *("note", "outcome", "dir", "status", "id", "state"),
)
"""Those that are named where one is not known."""


def field_of(word: str) -> Field | None:
    return FIELDS.get(plain(word))


def vendor_field(word: str) -> Field:
    """A field that only calls know."""
    return Field(word, "kept", plain(word), word)
