"""Calls for tests of the archive."""

from datetime import UTC, datetime, timedelta
from typing import Any

from providers.model import Agent, Call, Contact, Disposition

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def call(number: int, **fields: Any) -> Call:
    """Call `number`, begun `number` minutes after START, inbound and answered."""
    given: dict[str, Any] = {
        "id": str(number),
        "provider": "nectar",
        "direction": "inbound",
        "outcome": "answered",
        "started_at": START + timedelta(minutes=number),
        "duration_s": float(number),
        "contact": Contact(name=f"Contact {number}", number=f"+1202555{number:04}"),
        "agents": (Agent(id="7", name="Zoë Müller"),),
        "disposition": Disposition("Sale", f"note of {number}"),
        "raw": {"id": number},
    }
    return Call(**{**given, **fields})
