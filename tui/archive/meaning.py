"""What a query's terms mean: each a condition on a call's line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tui.archive.index import LISTS, needle_of
from tui.archive.spans import span_of
from tui.numbers import MIN_DIGITS, number_key
from tui.query import EXACT, Query, Term

Sql = tuple[str, list[Any]]
"""A condition, and the values of its question marks."""
_EXCLUSIVE = frozenset({"direction", "outcome", "account", "provider", "period", "id", "state"})
"""Kinds of which a call has one value: several such terms mean any of them."""


_WORDS_HAVE = "instr(words, ?)"
"""The column has words apart already; but of calls from before the index it has text."""


def of_text(condition: str) -> str:
    """The same condition where calls from before the index are among those that it is asked of."""
    return condition.replace(_WORDS_HAVE, "finds(words, ?)")


def _word(term: Term) -> Sql:
    needle = needle_of(term.value, whole=term.kind == "phrase")
    return f"({_WORDS_HAVE} OR instr(our_words, ?))", [needle, needle]


def e164(number: str, region: str) -> str | None:
    """SQL function: a number without + as one of a region; None when it cannot be one."""
    key = number_key(number, "", region)
    return key if key.startswith("+") else None


SAME_NUMBER = "number_key IN (SELECT '+' || ? UNION SELECT e164(?, region) FROM region)"
"""A whole number is found in its other forms too, by the account's region."""


def _number(term: Term) -> Sql:
    contains, value = "digits LIKE ?", [f"%{term.value}%"]
    if len(term.value) < MIN_DIGITS:
        return contains, value
    return f"({contains} OR {SAME_NUMBER})", [*value, term.value, term.value]


def _field(term: Term) -> Sql:
    if term.field in EXACT:
        return f"call.{term.field} = ?", [term.value]
    needle = needle_of(term.value)
    if term.field == "tags":
        return "(lists(tags, ?) OR lists(our_tags, ?))", [needle, needle]
    function = "lists" if term.field in LISTS else "finds"
    return f"{function}(call.{term.field}, ?)", [needle]


def _period(term: Term) -> Sql:
    return "call.place BETWEEN ? AND ?", [*span_of(term)]


def _triaged(term: Term) -> Sql:
    values = [round(term.low * 1000), round(term.high * 1000)]
    return "(triaged_at IS NOT NULL AND triaged_at BETWEEN ? AND ?)", values


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
}
"""Words of the query line that say who waits."""

_MEANING: dict[str, Callable[[Term], Sql]] = {
    "word": _word,
    "phrase": _word,
    "number": _number,
    "direction": lambda term: ("direction = ?", [term.value]),
    "outcome": lambda term: ("outcome = ?", [term.value]),
    "recording": lambda term: ("has_recording = 1", []),
    "mark": _mark,
    "state": _state,
    "triaged": _triaged,
    "field": _field,
    "compare": lambda term: (f"{term.field} {term.value} ?", [term.low]),
    "period": _period,
    "bound": _period,
}


def meaning(*group: Term) -> Sql:
    """What a group of terms, any of which will do, means: a condition on a line of ``call``."""
    parts = [_MEANING[term.kind](term) for term in group]
    sql = " OR ".join(sql for sql, _ in parts)
    sql = f"({sql})" if len(parts) > 1 else sql
    values = [value for _, part in parts for value in part]
    # a call without the value is not one that has it, so "not" keeps it
    return (f"NOT IFNULL({sql}, 0)", values) if group[0].negated else (sql, values)


def grouped(query: Query) -> list[list[Term]]:
    """The terms by *and*; those in one group by *or*."""
    groups: dict[object, list[Term]] = {}
    for place, term in enumerate(dict.fromkeys(query.terms)):
        kind = term.field if term.kind == "field" else term.kind
        alone = term.negated or kind not in _EXCLUSIVE
        groups.setdefault(place if alone else kind, []).append(term)
    return list(groups.values())
