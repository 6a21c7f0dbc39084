"""A `Query` as SQL over the table ``call``, and the orders that the table can be sorted in."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import groupby
from typing import Any

from tui.query import EXACT, Query, Term

ORDERS = {
    "time": "started_at",
    "direction": "direction",
    "outcome": "outcome",
    "contact": "contact COLLATE NOCASE",
    "number": "number",
    "agents": "agents COLLATE NOCASE",
    "group": "ring_group COLLATE NOCASE",
    "duration": "duration_s",
    "wait": "wait_s",
    "talk": "talk_s",
    "recording": "recordings",
    "state": "NULLIF(state, 'new')",
    "disposition": "disposition COLLATE NOCASE",
    "note": "note COLLATE NOCASE",
    "tags": "tags COLLATE NOCASE",
    "line": "company COLLATE NOCASE",
    "campaign": "campaign COLLATE NOCASE",
    "status": "status COLLATE NOCASE",
    "account": "account",
    "vendor": "provider",
    "id": "id",
}
"""Ids of the table's columns and what each sorts by."""

_EXCLUSIVE = frozenset({"direction", "outcome", "account", "provider", "period", "id", "state"})
"""Kinds of which a call has one value: several such terms mean any of them."""

Sql = tuple[str, list[Any]]


def order_by(column: str, descending: bool) -> str:
    """ORDER BY of a sort; calls that tie, or lack the value, stand newest first at the end."""
    turn = "DESC" if descending else "ASC"
    if column == "time":
        return f"ORDER BY started_at {turn}, key {turn}"
    nulls = "NULLS LAST"
    return f"ORDER BY {ORDERS[column]} {turn} {nulls}, started_at DESC, key DESC"


def where(query: Query) -> Sql:
    """The condition (``1`` when there is none) and its values."""
    groups: dict[tuple[str, bool], list[Term]] = {}
    alone: list[Term] = []
    for term in query.terms:
        kind = term.field if term.kind == "field" else term.kind
        if kind in _EXCLUSIVE and not term.negated:
            groups.setdefault((kind, term.negated), []).append(term)
        else:
            alone.append(term)
    parts = [_any(terms) for terms in groups.values()] + [_one(term) for term in alone]
    if not parts:
        return "1", []
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


def _any(terms: list[Term]) -> Sql:
    parts = [_one(term) for term, _ in groupby(terms)]
    sql = " OR ".join(sql for sql, _ in parts)
    return f"({sql})", [value for _, values in parts for value in values]


def _one(term: Term) -> Sql:
    sql, values = _POSITIVE[term.kind](term)
    # a call without the value is not one that has it, so "not" keeps it
    return (f"NOT IFNULL({sql}, 0)", values) if term.negated else (sql, values)


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _field(term: Term) -> Sql:
    if term.field in EXACT:
        return f"{term.field} = ?", [term.value]
    return f"fold({term.field}) LIKE ? ESCAPE '\\'", [_like(term.value)]


def _tags(term: Term) -> Sql:
    """The vendor's tags and ours."""
    like = "fold({}) LIKE ? ESCAPE '\\'"
    return f"({like.format('tags')} OR {like.format('our_tags')})", [_like(term.value)] * 2


def _word(term: Term) -> Sql:
    like = "{} LIKE ? ESCAPE '\\'"
    return f"({like.format('words')} OR {like.format('our_words')})", [_like(term.value)] * 2


def _period(term: Term, column: str = "started_at") -> Sql:
    return f"{column} BETWEEN ? AND ?", [round(term.low * 1000), round(term.high * 1000)]


def _state(term: Term) -> Sql:
    """A snooze that is over is an open call."""
    now = round(time.time() * 1000)
    if term.value == "snoozed":
        return "(state = 'snoozed' AND snoozed_until > ?)", [now]
    if term.value == "open":
        return "(state = 'open' OR (state = 'snoozed' AND snoozed_until <= ?))", [now]
    return "state = ?", [term.value]


def _mark(term: Term) -> Sql:
    if term.value == "untriaged":
        asleep, values = _state(Term("state", "snoozed"))
        undecided = "state NOT IN ('follow-up', 'done') AND closed_by IS NULL"
        return f"({undecided} AND NOT IFNULL({asleep}, 0))", values
    return MARKS[term.value], []


MARKS = {
    "open-miss": "(missed = 1 AND closed_by IS NULL)",
    "called-back": "closed_by IS NOT NULL",
    "callback": "callback_requested = 1",
    "sla-missed": "sla_met = 0",
    "flagged": "state = 'follow-up'",
}
"""Words of the query line that say who waits and what is decided."""


_POSITIVE: dict[str, Callable[[Term], Sql]] = {
    "word": _word,
    "number": lambda term: ("digits LIKE ?", [f"%{term.value}%"]),
    "direction": lambda term: ("direction = ?", [term.value]),
    "outcome": lambda term: ("outcome = ?", [term.value]),
    "recording": lambda term: ("has_recording = 1", []),
    "mark": _mark,
    "state": _state,
    "triaged": lambda term: _period(term, "triaged_at"),
    "field": lambda term: _tags(term) if term.field == "tags" else _field(term),
    "compare": lambda term: (f"{term.field} {term.value} ?", [term.low]),
    "period": _period,
    "bound": _period,
}
