"""Which decisions may take a call out of the rows of a query."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tui.archive.triage_events import note, state, tag
from tui.query.parser import parse
from tui.screens.triage_queue import may_leave

NOW = datetime(2026, 11, 2, tzinfo=UTC)
STATE, NOTE, TAG = state("done"), note("x"), tag("x")


@pytest.mark.parametrize(
    ("line", "leaves"),
    [
        ("", []),
        ("in missed agent:anna 7d contact:anna number:0123", []),
        ("untriaged", [STATE]),
        ("-untriaged", [STATE]),
        ("state:new", [STATE]),
        ("state:new,open", [STATE]),
        ("triaged:today", [STATE, NOTE, TAG]),
        ("anna", [NOTE, TAG]),
        ('"call back"', [NOTE, TAG]),
        ("tag:vip", [NOTE, TAG]),
        ("note:refund", [NOTE, TAG]),
        ('note:="refund"', [NOTE, TAG]),
    ],
)
def test_what_a_query_looks_at_may_take_a_call_away(line: str, leaves: list[object]) -> None:
    query = parse(line, NOW, UTC)
    assert [one for one in (STATE, NOTE, TAG) if may_leave(query, [one])] == leaves
