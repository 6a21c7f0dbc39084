"""What of calls is counted, read many at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from tui.archive.errors import reading
from tui.archive.records import CallFacts
from tui.archive.sqlite.call_columns import LOW_COMMA

STEP = 500
_SQL = """
    SELECT call.account, call.started_at / 1000.0, call.direction, call.outcome, call.agents,
        call.ring_group, call.wait_s, call.talk_s, call.sla_met, call.missed,
        closer.started_at / 1000.0, call.state, triage.by, call.triaged_at / 1000.0
    FROM call LEFT JOIN call AS closer ON closer.key = call.closed_by
    LEFT JOIN triage ON call.triaged_at IS NOT NULL
        AND triage.account = call.account AND triage.id = call.id
    WHERE call.key IN ({})
"""


def facts(db: sqlite3.Connection, keys: Sequence[int]) -> Iterator[CallFacts]:
    """As the interface has it."""
    for start in range(0, len(keys), STEP):
        some = keys[start : start + STEP]
        for row in db.execute(_SQL.format(",".join("?" * len(some))), tuple(some)):
            with reading("a call"):
                yield _facts(*row)


def _facts(
    account: str,
    started_at: float | None,
    direction: str | None,
    outcome: str,
    agents: str | None,
    group: str | None,
    wait_s: float | None,
    talk_s: float | None,
    sla_met: int | None,
    missed: int,
    closed_at: float | None,
    state: str,
    by: str | None,
    decided_at: float | None,
) -> CallFacts:
    names = (name.strip().replace(LOW_COMMA, ",") for name in (agents or "").split(","))
    return CallFacts(
        account,
        started_at,
        direction,
        outcome,
        tuple(dict.fromkeys(filter(None, names))),
        group,
        wait_s,
        talk_s,
        None if sla_met is None else bool(sla_met),
        bool(missed),
        closed_at,
        state,
        by,
        decided_at,
    )
