"""A call as the archive's tables hold it: its line, and its details as JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from providers.model import Call
from tui.archive import codec
from tui.archive.errors import reading
from tui.archive.sqlite.search.search_index import prefixed
from tui.query.fields import VENDOR_NUMBERS
from tui.query.parser import words
from tui.query.phone_numbers import dialled, lettered


def pack(raw: Any) -> bytes:
    return zlib.compress(codec.stored(raw).encode(), 6)


def unpack(blob: bytes) -> Any:
    return json.loads(zlib.decompress(blob))


def call_of(body: str, extra: str, raw: bytes | None) -> Call:
    """The call of a row of details, without its raw where that is None. Raises
    `ArchiveDamaged`.
    """
    with reading("a call"):
        unpacked = None if raw is None else unpack(raw)
        return codec.decode(json.loads(body), json.loads(extra), unpacked)


def details_of(call: Call) -> tuple[str, str, bytes]:
    return (
        codec.stored(codec.encode(call)),
        codec.stored(codec.encode_extra(call)),
        pack(call.raw),
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


def kept_of(body: str) -> str:
    """SQL function: the same of a call's JSON, for a call whose line was written without it."""
    return kept(codec.decode(json.loads(body), {}, None))


def _kept(call: Call) -> Iterator[tuple[str, Any]]:
    """Fields by the columns of `tui.query.fields`, and what each has of a call."""
    hangup = call.hangup
    yield "email", call.contact.email
    yield "lead", call.contact.id
    yield "ivr", call.ivr
    yield "hangup", (hangup.by, hangup.by_name, hangup.reason, hangup.code)
    yield "sla", call.sla_met
    yield "callback", call.callback_requested
    yield "original", call.original_call_id
    for agent in call.agents:
        yield "department", agent.department
        yield "role", agent.role
        yield "leg", (agent.status, agent.hangup_reason, agent.hangup_code)
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
        "id": call.id,
        "provider": call.provider,
        "started_at": round(call.started_at.timestamp() * 1000) if call.started_at else None,
        "direction": _short(call.direction),
        "outcome": call.outcome,
        "status": _short(call.status),
        "contact": _short(call.contact.name),
        "number": _short(call.contact.number),
        "company": _short(call.company_number.name or call.company_number.number),
        "agents": _joined(dict.fromkeys(agents)),
        "ring_group": _short(call.ring_group or call.queue or next(iter(departments), None)),
        "queue": _short(call.queue),
        "campaign": _short(call.campaign),
        "disposition": _short(call.disposition.code),
        "note": call.disposition.note,
        "tags": _joined(call.tags),
        "duration_s": call.duration_s,
        "wait_s": call.wait_s,
        "talk_s": call.talk_s,
        "has_recording": call.has_recording,
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
