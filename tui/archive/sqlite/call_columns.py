"""A call as the archive's tables hold it: its line, and its details as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from providers.call_fields import CALL_FIELDS, CallField, plain
from providers.model import Call
from tui.archive import codec
from tui.archive.errors import reading
from tui.archive.sqlite.details import Details, body_text, details_of, rescued
from tui.archive.sqlite.search.search_index import prefixed
from tui.query.fields import VENDOR_NUMBERS
from tui.query.parser import words
from tui.query.phone_numbers import dialled, lettered

Kept = tuple[str | bytes, str, bytes]
"""The columns body, extra and raw of a row of details."""


def is_same(new: Details, older: Kept) -> bool:
    """Whether a row has these details. Raises `ArchiveDamaged`."""
    with reading("a call"):
        return new == details_of(*older)


def call_of(body: str | bytes, extra: str, raw: bytes | None) -> Call:
    """The call of a row of details, without its raw where that is None. Raises
    `ArchiveDamaged`.
    """
    with reading("a call"):
        kept = rescued(body, extra) if raw is None else details_of(body, extra, raw)
        return codec.decode(*map(json.loads, kept))


def to_details(call: Call) -> Details:
    return Details(
        codec.stored(codec.encode(call)),
        codec.stored(codec.encode_extra(call)),
        codec.stored(call.raw),
    )


LOW_COMMA = "\u201a"
"""Stands for a comma inside of a name among several, which would part it; the call's details
keep the vendor's own.
"""


NAME = 500
"""Characters of a name in a line of the table; the call's details keep the rest."""
WORDS, FIELD_WORDS, ONE_FIELD = 2_000, 500, 100
"""So many words a call is found by: those of ten pages; in its fields; in one of them."""


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= NAME else f"{value[: NAME - 1]}…"


def _joined(values: Iterable[str | None]) -> str | None:
    names = (_short(value.replace(",", LOW_COMMA)) for value in values if value)
    return ", ".join(filter(None, names)) or None


def _first_words(texts: Iterable[str], most: int) -> list[str]:
    """The words of some texts, up to so many."""
    found: list[str] = []
    for text in texts:
        found += words(text)[: most - len(found)]
        if len(found) >= most:
            break
    return found


_STORED = [(field, field.value) for field in CALL_FIELDS if field.column and field.value]
"""Columns of a line that one value of a call fills."""
_OF_CALL = [
    (plain(field.asked.word), field.value)
    for field in CALL_FIELDS
    if field.asked and field.asked.kind == "kept" and field.value
]
_OF_LEG = [
    (plain(field.asked.word), field.leg) for field in CALL_FIELDS if field.asked and field.leg
]
TRUTH = {True: ("yes", "true"), False: ("no", "false")}
"""What finds a yes or no: as pages write it, and as vendors do."""


def kept(call: Call) -> str:
    """The column ``fields``: words of what no other column has, each with its field's name."""
    found = (
        prefixed(field, text)[:ONE_FIELD] for field, value in _kept(call) for text in _texts(value)
    )
    told = list(dict.fromkeys(" ".join(one) for one in found if one))
    sizes = accumulate(1 + one.count(" ") for one in told)
    told = [one for one, size in zip(told, sizes, strict=True) if size <= FIELD_WORDS]
    return codec.storable(f" = {' = '.join(told)} = ") if told else ""


def kept_of(body: str | bytes) -> str:
    """SQL function: the same of a call's JSON, for a call whose line was written without it."""
    return kept(codec.decode(json.loads(body_text(body) or ""), {}, None))


def _kept(call: Call) -> Iterator[tuple[str, Any]]:
    """Fields of the kind ``kept`` by their columns, and what each has of a call."""
    for column, value in _OF_CALL:
        yield column, value(call)
    for agent in call.agents:
        for column, part in _OF_LEG:
            yield column, part(agent)
    yield from call.vendor_fields.items()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield from TRUTH[value]
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif value is not None:
        yield str(value)


def _cell(field: CallField, value: Any) -> Any:
    """What stands in a field's column."""
    if isinstance(value, tuple):
        return _joined(value)
    return _short(value) if isinstance(value, str) and not field.whole else value


def to_row(account: str, call: Call) -> dict[str, Any]:
    """What a call's line shows, and what it is found by."""
    agents = [agent.name or agent.id for agent in call.agents]
    departments = [agent.department for agent in call.agents if agent.department]
    theirs = (text for name in VENDOR_NUMBERS for text in _texts(call.vendor_fields.get(name)))
    ends = (call.from_, call.to, call.contact.number, call.company_number.number)
    numbers = list(filter(None, dict.fromkeys((*ends, *theirs))))
    found_by = (
        call.contact.name,
        call.contact.email,
        call.disposition.code,
        call.disposition.note,
        call.summary,
        call.ring_group,
        call.queue,
        call.ivr,
        call.campaign,
        call.company_number.name,
        call.status,
        *agents,
        *departments,
        *call.tags,
        *map(lettered, numbers),
    )
    line = {
        "account": account,
        "started_at": round(call.started_at.timestamp() * 1000) if call.started_at else None,
        **{field.column: _cell(field, value(call)) for field, value in _STORED},
        "recordings": len(call.recordings),
        "problems": len(call.problems),
        "words": f" {' '.join(_first_words(filter(None, found_by), WORDS))} ",
        "digits": " ".join(filter(None, map(dialled, numbers))),
        "fields": kept(call),
    }
    return {
        name: codec.storable(value) if isinstance(value, str) else value
        for name, value in line.items()
    }
