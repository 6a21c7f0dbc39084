"""What a query's terms mean: each a condition on a call's line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tui.archive.codec import moment_text
from tui.archive.sqlite.call_columns import kept_of
from tui.archive.sqlite.details import body_text
from tui.archive.sqlite.search.search_index import (
    LISTS,
    dials,
    finds,
    has_name,
    is_name,
    lists,
    needle_of,
    prefixed,
    spells,
)
from tui.archive.sqlite.search.time_ranges import span_of
from tui.query.dates import DAY_S, offsets
from tui.query.editing import same_name
from tui.query.fields import VENDOR_NUMBERS
from tui.query.parser import EXACT, Query, Term
from tui.query.phone_numbers import MIN_DIGITS, dialled, number_key

Sql = tuple[str, list[Any]]
"""A condition, and the values of its question marks."""
_EXCLUSIVE = frozenset(
    {"direction", "outcome", "account", "provider", "period", "clock", "id", "state"}
)
"""Kinds of which a call has one value: several such terms mean any of them."""


_WORDS_HAVE = "instr(words, ?)"
"""The column has words apart already; but of calls from before the index it has text."""


def of_text(condition: str) -> str:
    """The same condition where calls from before the index are among those that it is asked of."""
    return condition.replace(_WORDS_HAVE, "finds(words, ?)")


def _path(path: str) -> str:
    return f"body_text(body) ->> '$.{path}'"


def _body(path: str) -> str:
    """What stands in the call's own JSON; SQLite ends a text at a NUL inside of it."""
    text = f"iif(instr(text, '\\u0000'), text_at(text, '{path}'), text ->> '$.{path}')"
    row = "SELECT body_text(body) AS text FROM detail WHERE detail.key = call.key"
    return f"(SELECT {text} FROM ({row}))"


def text_at(body: str, path: str) -> str | None:
    """SQL function: the text at a path of some JSON."""
    found = json.loads(body)
    for name in path.split("."):
        found = (found or {}).get(name)
    return None if found is None else str(found)


_ENDS = (
    *("from", "to", "contact.number", "company_number.number"),
    *(f"vendor_fields.{name}" for name in VENDOR_NUMBERS),
)
_NUMBERS_OF_OLD = (
    f"(SELECT printf('{chr(10).join(['%s'] * len(_ENDS))}',"
    f" {', '.join(_path(path) for path in _ENDS)})"
    " FROM detail WHERE detail.key = call.key)"
)
"""The numbers of a call whose line was written without their letters."""
_OUR_NOTE = (
    "CASE WHEN our_words <> '' THEN (SELECT note FROM triage"
    " WHERE triage.account = call.account AND triage.id = call.id) END"
)
_TEXTS = {
    "contact": ("call.contact",),
    "note": ("call.note", _OUR_NOTE),
    "summary": (_body("summary"),),
    "number": ("call.number",),
    "from": (_body("from"),),
    "to": (_body("to"),),
    "line": (_body("company_number.name"), _body("company_number.number")),
} | {name: (_body(f"vendor_fields.{name}"),) for name in VENDOR_NUMBERS}
"""Where a field stands whose words bare words find, too; a number is the last of its texts."""
_FIELDS = "IFNULL(fields, kept_of((SELECT body FROM detail WHERE detail.key = call.key)))"


def _word(term: Term) -> Sql:
    needle = needle_of(term.value, whole=term.kind == "phrase")
    old = f"(fields IS NULL AND spells({_NUMBERS_OF_OLD}, ?))"
    return f"({_WORDS_HAVE} OR instr(our_words, ?) OR {old})", [needle] * 3


def _text(term: Term) -> Sql:
    function = "is_name" if term.exact else "finds"
    value = same_name(term.value) if term.exact else needle_of(term.value)
    found = [f"{function}({text}, ?)" for text in _TEXTS[term.field]]
    return f"({' OR '.join(found)})", [value] * len(found)


def _detail(term: Term) -> Sql:
    """What no index has is read of each call that the other terms leave."""
    function, value = ("is_name", same_name) if term.exact else ("finds", needle_of)
    return f"{function}({_body(term.field)}, ?)", [value(term.value)]


def _kept(term: Term) -> Sql:
    needle = f" {' '.join(prefixed(term.field, term.value))}"
    return f"instr({_FIELDS}, ?)", [f" ={needle} = " if term.exact else needle]


def e164(number: str, region: str) -> str | None:
    """SQL function: a number without + as one of a region; None when it cannot be one."""
    key = number_key(number, "", region)
    return key if key.startswith("+") else None


FUNCTIONS: tuple[tuple[int, Callable[..., Any]], ...] = (
    *((2, function) for function in (finds, lists, is_name, has_name, dials, spells, e164)),
    (2, text_at),
    *((1, function) for function in (dialled, kept_of, body_text)),
)
"""What conditions call, each with its number of arguments."""
SAME_NUMBER = "number_key IN (SELECT '+' || ? UNION SELECT e164(?, region) FROM region)"
"""A whole number is found in its other forms too, by the account's region."""


def _number(term: Term) -> Sql:
    number, whole = term.value, len(term.value) >= MIN_DIGITS
    if not term.field:
        old = f"(fields IS NULL AND dials({_NUMBERS_OF_OLD}, ?))"
        sql, values = f"digits LIKE ? OR {old}", [f"%{number}%", number]
        same = SAME_NUMBER
    else:
        text = f"IFNULL({_TEXTS[term.field][-1]}, '')"
        sql, values = f"dials({text}, ?)", [number]
        # in its other forms it is known by the contact's number
        same = f"({SAME_NUMBER} AND dialled({text}) = dialled(IFNULL(call.number, '')))"
    return (f"({sql} OR {same})", [*values, number, number]) if whole else (f"({sql})", values)


def _field(term: Term) -> Sql:
    if term.field in EXACT:
        return f"call.{term.field} = ?", [term.value]
    several = term.field in LISTS
    if term.exact:
        function, value = "has_name" if several else "is_name", same_name(term.value)
    else:
        function, value = "lists" if several else "finds", needle_of(term.value)
    if term.field == "tags":
        return f"({function}(tags, ?) OR {function}(our_tags, ?))", [value, value]
    return f"{function}(call.{term.field}, ?)", [value]


def _period(term: Term) -> Sql:
    return "call.place BETWEEN ? AND ?", [*span_of(term)]


LONGEST_MS = 7 * DAY_S * 1000
"""A call that ended began within so long before."""


def _ended(term: Term) -> Sql:
    low, high = span_of(term._replace(low=term.low - LONGEST_MS / 1000))
    ends = [(moment_text(moment) or "")[:19] for moment in (term.low, term.high)]
    sql = f"(call.place BETWEEN ? AND ? AND substr({_body('ended_at')}, 1, 19) BETWEEN ? AND ?)"
    return sql, [low, high, *ends]


def _clock(term: Term) -> Sql:
    """The second of the day where the zone is so many seconds before UTC at that time."""
    assert term.zone is not None
    *later, (_, first) = offsets(term.zone)
    whens = " ".join(f"WHEN started_at >= {at * 1000} THEN {offset}" for at, offset in later)
    offset = f"CASE {whens} ELSE {first} END" if later else str(first)
    second = f"(started_at / 1000 + {offset}) % {DAY_S}"
    joined = "AND" if term.low <= term.high else "OR"  # over midnight
    return f"({second} >= ? {joined} {second} <= ?)", [term.low, term.high]


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
    "held": "held = 1",
}
"""Words of the query line that say who waits."""

_MEANING: dict[str, Callable[[Term], Sql]] = {
    "word": _word,
    "phrase": _word,
    "number": _number,
    "direction": lambda term: ("direction = ?", [term.value]),
    "outcome": lambda term: ("outcome = ?", [term.value]),
    "recording": lambda term: (f"IFNULL(has_recording, 0) = {int(bool(term.value))}", []),
    "mark": _mark,
    "state": _state,
    "triaged": _triaged,
    "field": _field,
    "text": _text,
    "kept": _kept,
    "detail": _detail,
    "clock": _clock,
    "ended": _ended,
    "compare": lambda term: (f"{term.field} {term.value} ?", [term.low]),
    "period": _period,
    "bound": _period,
}


def condition_of(*group: Term) -> Sql:
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
        separate = term.negated or kind not in _EXCLUSIVE
        groups.setdefault(term.either or place if separate else kind, []).append(term)
    return list(groups.values())
