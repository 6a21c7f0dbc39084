"""A call as the archive's tables hold it: its line, and its details as JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Any

from providers.model import Call
from tui.archive import codec
from tui.numbers import digits
from tui.query import words


def pack(raw: Any) -> bytes:
    return zlib.compress(codec.dumps(raw).encode(), 6)


def unpack(blob: bytes) -> Any:
    return json.loads(zlib.decompress(blob))


def details_of(call: Call) -> tuple[str, str, bytes]:
    return (
        codec.dumps(codec.encode(call)),
        codec.dumps(codec.encode_extra(call)),
        pack(call.raw),
    )


LOW_COMMA = "\u201a"
"""Stands for a comma inside of a name among several, which would part it; the call's details
keep the vendor's own.
"""


def _joined(values: Iterable[str | None]) -> str | None:
    return ", ".join(value.replace(",", LOW_COMMA) for value in values if value) or None


def line_of(account: str, call: Call) -> dict[str, Any]:
    """What a call's line shows, and what it is found by."""
    agents = [agent.name or agent.id for agent in call.agents]
    departments = [agent.department for agent in call.agents if agent.department]
    numbers = (call.from_, call.to, call.contact.number, call.company_number.number)
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
    )
    line = {
        "account": account,
        "id": call.id,
        "provider": call.provider,
        "started_at": round(call.started_at.timestamp() * 1000) if call.started_at else None,
        "direction": call.direction,
        "outcome": call.outcome,
        "status": call.status,
        "contact": call.contact.name,
        "number": call.contact.number,
        "company": call.company_number.name or call.company_number.number,
        "agents": _joined(dict.fromkeys(agents)),
        "ring_group": call.ring_group or call.queue or next(iter(departments), None),
        "queue": call.queue,
        "campaign": call.campaign,
        "disposition": call.disposition.code,
        "note": call.disposition.note,
        "tags": _joined(call.tags),
        "duration_s": call.duration_s,
        "wait_s": call.wait_s,
        "talk_s": call.talk_s,
        "has_recording": call.has_recording,
        "recordings": len(call.recordings),
        "problems": len(call.problems),
        "words": f" {' '.join(words(' '.join(text for text in found_by if text)))} ",
        "digits": " ".join(
            filter(None, (digits(number or "") for number in dict.fromkeys(numbers)))
        ),
    }
    return {
        name: codec.storable(value) if isinstance(value, str) else value
        for name, value in line.items()
    }
