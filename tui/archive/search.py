"""A `Query` as SQL, and the orders that the table can be sorted in.

Each term has a condition on a call's line, which is what the term means. Where the index can
name the calls, a term also has an expression of the full-text table, so that only those are
read, from the newest on. The index narrows, the condition decides.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from operator import eq, gt, lt
from typing import Any, NamedTuple

from tui.archive.asking import asked
from tui.archive.bits import Test
from tui.archive.index import (
    LENGTHS,
    LISTS,
    SINGLE,
    TIES,
    SearchIndex,
    bucket,
    needle_of,
    same,
    token,
)
from tui.archive.walking import Walk
from tui.numbers import MIN_DIGITS, number_key
from tui.query import EXACT, Query, Term, words

ORDERS = {
    "time": "place",
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
FEW_WORDS = 500
"""So many words with one beginning are looked up without asking how common they are."""
MANY_WORDS = 2000
RARE = 0.02
"""Beginnings that are more common than this part of all calls are found sooner by reading the
newest calls than by looking up every word."""
COMMON = 0.1
"""The same for lengths."""
FEW_SPOTS = 200
"""So many calls that bits name are always read for what bits cannot tell."""
MOST_SPOTS = 2000
"""So many are, where the rest is in very many calls."""
FEW_CALLS = 20_000
"""Calls with a fragment of a number are looked up by it unless there are more."""

Sql = tuple[str, list[Any]]


class Plan(NamedTuple):
    """Where to read the keys of a query's calls, and which of those to keep."""

    source: str
    place: str
    """The column of the source that has the place."""
    condition: str
    values: list[Any]
    """Of the source, then of the condition."""
    places: str = ""
    """The source without the calls' lines, where the condition needs none of those."""

    def select(self, what: str, more: str = "", *, alone: bool = False) -> str:
        """Of the calls' lines; `alone`: of the places, if that is enough."""
        source = (alone and self.places) or self.source
        return f"SELECT {what} FROM {source} WHERE {self.condition} {more}"


def order_by(column: str, descending: bool, place: str = "place") -> str:
    """ORDER BY of a sort; calls that tie, or lack the value, stand newest first at the end."""
    turn = "DESC" if descending else "ASC"
    if column == "time":
        return f"ORDER BY {place} {turn}"
    return f"ORDER BY {ORDERS[column]} {turn} NULLS LAST, {place} DESC"


# -- what a term means


WORDS_HAVE = "instr(words, ?)"
"""The column has words apart already; but of calls from before the index it has text."""


def _word(term: Term) -> Sql:
    needle = needle_of(term.value, whole=term.kind == "phrase")
    return f"({WORDS_HAVE} OR instr(our_words, ?))", [needle, needle]


def e164(number: str, region: str) -> str | None:
    """SQL function: a number without + as one of a region; None when it cannot be one."""
    key = number_key(number, "", region)
    return key if key.startswith("+") else None


_SAME_NUMBER = "number_key IN (SELECT '+' || ? UNION SELECT e164(?, region) FROM region)"
"""A whole number is found in its other forms too, by the account's region."""


def _number(term: Term) -> Sql:
    contains, value = "digits LIKE ?", [f"%{term.value}%"]
    if len(term.value) < MIN_DIGITS:
        return contains, value
    return f"({contains} OR {_SAME_NUMBER})", [*value, term.value, term.value]


def _field(term: Term) -> Sql:
    if term.field in EXACT:
        return f"call.{term.field} = ?", [term.value]
    needle = needle_of(term.value)
    if term.field == "tags":
        return "(lists(tags, ?) OR lists(our_tags, ?))", [needle, needle]
    function = "lists" if term.field in LISTS else "finds"
    return f"{function}(call.{term.field}, ?)", [needle]


def _period(term: Term) -> Sql:
    low, high = round(term.low * 1000), round(term.high * 1000)
    return "call.place BETWEEN ? AND ?", [low * TIES, high * TIES + TIES - 1]


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
_INDEX_OF = {
    "open-miss": "call_missed",
    "called-back": "call_answered_later",
    "callback": "call_callback",
    "sla-missed": "call_sla",
}
"""The index of just these calls, in the order of time."""

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


# -- how the index finds it


class Found(NamedTuple):
    """An expression of the full-text table. Unless it is exact, more calls than meant match."""

    expression: str
    exact: bool = True
    turned: bool = False
    """Of terms with "not": it names the calls to show, not those to leave out."""


def any_of(tokens: Iterable[str]) -> str:
    """An expression; empty where there is nothing that could match."""
    return " OR ".join(f'"{one}"' for one in tokens)


Few = tuple[str, list[Any], list[Term]]
"""SQL for the places of a few calls, its values, and the terms that it answers."""


class Planner:
    """Plans queries with what one archive's index knows."""

    def __init__(self, db: sqlite3.Connection, index: SearchIndex) -> None:
        self._db, self._index = db, index

    def plan(self, query: Query) -> Plan:
        groups = grouped(query)
        low, high = _bounds(groups)
        groups = [group for group in groups if not _is_span(group)]
        if self._index.unindexed():
            plan = self._read_all(groups, low, high)
            condition = plan.condition.replace(WORDS_HAVE, "finds(words, ?)")
            return plan._replace(condition=condition)
        few = self._by_id(groups)
        if few is None:
            if told := self._by_bits(groups, low, high):
                return told
            few = self._by_number(groups)
        if few is None:
            known = (groups, low, high)
            return self._by_decision(*known) or self._by_mark(*known) or self._by_text(*known)
        places, values, exact = few
        source = f"({places}) AS found CROSS JOIN call ON call.place = found.p"
        rest = [group for group in groups if group is not exact]
        plan = _plan(source, "found.p", values, rest, low, high)
        return plan if rest else plan._replace(places=f"({places}) AS found")

    def walk(self, query: Query) -> Walk | None:
        """The query's walk through time, where bits tell about all of it."""
        groups = grouped(query)
        span = _bounds(groups)
        groups = [group for group in groups if not _is_span(group)]
        if not groups or self._index.unindexed():
            return None
        tests = [asked(self._index, group) for group in groups]
        known = [test for test in tests if test is not None]
        return self._walk(groups, known, span) if len(known) == len(tests) else None

    def _walk(
        self, groups: list[list[Term]], tests: list[Test], span: tuple[int | None, int | None]
    ) -> Walk:
        plan = _plan("call", "place", [], groups, None, None)
        return Walk(self._db, tests, span, plan.condition, plan.values)

    def _by_bits(self, groups: list[list[Term]], low: int | None, high: int | None) -> Plan | None:
        """The plan that reads the calls that bits name, where those are few."""
        tests = [(group, asked(self._index, group)) for group in groups]
        told = [(group, test) for group, test in tests if test is not None]
        if not told:
            return None
        walk = self._walk([group for group, _ in told], [test for _, test in told], (low, high))
        rest = [group for group, test in tests if test is None]
        spots = walk.few(self._worth_reading(rest))
        if spots is None:
            return None
        if not spots:
            return _plan("call", "place", [], [], 1, 0)
        plan = _plan("call INDEXED BY call_by_spot", "place", [], rest, low, high)
        named = ",".join(map(str, spots))
        return plan._replace(condition=f"spot IN ({named}) AND {plan.condition}")

    def _worth_reading(self, rest: list[list[Term]]) -> int:
        """So many calls are sooner read than found among those that have the other words."""
        texts = [group[0] for group in rest if group[0].kind in ("word", "phrase")]
        found = [self._calls_with(term) for term in texts if not term.negated]
        return max(FEW_SPOTS, min(MOST_SPOTS, min(found, default=0) // 50))

    def _calls_with(self, term: Term) -> int:
        """In about how many calls the last word of a text stands."""
        *_, last = words(term.value) or [""]
        return sum(calls for _, calls in self._index.beginning(last, FEW_WORDS))

    def _read_all(self, groups: list[list[Term]], low: int | None, high: int | None) -> Plan:
        return _plan("call", "place", [], groups, low, high)

    def _by_id(self, groups: list[list[Term]]) -> Few | None:
        """The places of the calls that are named."""
        for group in groups:
            if group[0].field == "id" and not group[0].negated:
                marks = ",".join("?" * len(group))
                return (
                    "SELECT place AS p FROM call AS c WHERE c.account IN"
                    f" (SELECT value FROM known WHERE kind = 'account') AND c.id IN ({marks})",
                    [term.value for term in group],
                    group,
                )
        return None

    def _by_number(self, groups: list[list[Term]]) -> Few | None:
        """The places of the calls with a number, where those are few."""
        for group in groups:
            if group[0].kind == "number" and not group[0].negated:
                found = self._index.numbers(group[0].value)
                if sum(calls for _, calls in found) <= FEW_CALLS:
                    marks = ",".join(str(n) for n, _ in found)
                    sql = f"SELECT DISTINCT place AS p FROM call_number WHERE n IN ({marks})"
                    if len(value := group[0].value) < MIN_DIGITS:
                        return sql, [], group
                    sql += f" UNION SELECT place FROM call WHERE {_SAME_NUMBER}"
                    return sql, [value, value], group
        return None

    def _by_decision(
        self, groups: list[list[Term]], low: int | None, high: int | None
    ) -> Plan | None:
        """The plan that reads what was decided about in some time, where that is not much."""
        for group in groups:
            if group[0].kind == "triaged" and not group[0].negated:
                source = "call INDEXED BY call_by_decision"
                if self._few(f"SELECT 1 FROM {source} WHERE", group):
                    return _plan(source, "place", [], groups, low, high)
        return None

    def _by_mark(self, groups: list[list[Term]], low: int | None, high: int | None) -> Plan | None:
        """The plan that reads only those who wait; unless they are many, and something else
        that is wanted may be rare.
        """
        narrowed = any(group[0].kind in _RARE_KINDS and not group[0].negated for group in groups)
        for group in groups:
            name = _INDEX_OF.get(group[0].value) if group[0].kind == "mark" else None
            if name and not group[0].negated:
                source = f"call INDEXED BY {name}"
                if not narrowed or self._few(f"SELECT 1 FROM {source} WHERE", group):
                    return _plan(source, "place", [], groups, low, high)
        return None

    def _few(self, sql: str, group: list[Term]) -> bool:
        condition, values = meaning(*group)
        counted = f"SELECT count(*) FROM ({sql} {condition} LIMIT {FEW_CALLS + 1})"
        return int(self._db.execute(counted, values).fetchone()[0]) <= FEW_CALLS

    def _by_text(self, groups: list[list[Term]], low: int | None, high: int | None) -> Plan:
        """The plan that asks the full-text table for all that it can tell."""
        wanted, unwanted, rest = [], [], []
        for group in groups:
            found = self._find(group)
            negated = group[0].negated and not (found and found.turned)
            if found is None or (negated and not found.exact):
                rest.append(group)
            elif negated:
                unwanted.append((group, found.expression))
            else:
                wanted.append(found.expression)
                if not found.exact:
                    rest.append(group)
        if not wanted:
            rest += [group for group, _ in unwanted]
            return self._read_all(rest, low, high)
        if "" in wanted:
            return _plan("call", "place", [], [], 1, 0)
        match = " AND ".join(f"({one})" for one in wanted)
        for _, one in unwanted:
            match = f"({match}) NOT ({one})" if one else match
        plan = _plan(f"{_FOUND} AND search MATCH ?", "search.rowid", [match], rest, low, high)
        if rest:
            return plan
        # the match is the first of the values there too
        condition = f"search MATCH ? AND {plan.condition}"
        return plan._replace(source=_FOUND, condition=condition, places="search")

    def _find(self, group: list[Term]) -> Found | None:
        """One expression for a group of terms, or None where the index cannot tell."""
        kind = group[0].field if group[0].kind == "field" else group[0].kind
        column = _FACET_OF.get(kind, kind)
        if column in SINGLE:
            return self._single(group, column)
        if kind == "state":
            return self._states(group)
        found = [_FINDERS[term.kind](self, term) for term in group if term.kind in _FINDERS]
        if len(found) < len(group) or None in found:
            return None
        known = [one for one in found if one]
        expression = " OR ".join(one.expression for one in known if one.expression)
        return Found(expression, all(one.exact for one in known))

    def _single(self, group: list[Term], column: str) -> Found:
        """A facet of which each call has one value; "not" is any of its other values."""
        meant = {"1" if term.kind == "recording" else same(column, term.value) for term in group}
        negated = group[0].negated
        known = self._index.known(column)
        chosen = (value for value in known if (same(column, value) in meant) != negated)
        return Found(any_of(token(column, value) for value in chosen), turned=True)

    def _states(self, group: list[Term]) -> Found:
        """A snooze may be over; only the condition tells."""
        meant, negated = {term.value for term in group}, group[0].negated
        may_be = {value: {value} for value in self._index.known("state")}
        if "snoozed" in may_be:
            may_be["snoozed"] = {"snoozed", "open"}
        chosen = [
            value
            for value, states in may_be.items()
            if any((s in meant) != negated for s in states)
        ]
        exact = "snoozed" not in chosen
        return Found(any_of(token("state", value) for value in chosen), exact, turned=True)

    def _mark(self, term: Term) -> Found | None:
        """Nobody decided about a call of these states; who waits has an index of its own."""
        if term.value != "untriaged" or term.negated:
            return None
        return Found(any_of(token("state", one) for one in _UNDECIDED), exact=False)

    def _text(self, term: Term) -> Found | None:
        """Words one after the other; the last one may go on, unless quoted."""
        *before, last = words(term.value) or [""]
        if term.kind == "phrase":
            return Found(any_of([" ".join([*before, last])])) if last else None
        starts = self._index.beginning(last, MANY_WORDS + 1) if last else []
        if len(starts) > FEW_WORDS:
            common = sum(calls for _, calls in starts) > RARE * self._total()
            if common or len(starts) > MANY_WORDS:
                return None
        return Found(any_of(" ".join([*before, word]) for word, _ in starts))

    def _value(self, term: Term) -> Found | None:
        if term.field in EXACT:
            return None
        values = self._index.meant(term.field, term.value)
        if len(values) > MANY_WORDS:
            return None
        return Found(any_of(token(term.field, value) for value in values))

    def _length(self, term: Term) -> Found | None:
        """Lengths by the buckets that can hold them."""
        if term.field not in LENGTHS:
            return None
        here, known = bucket(term.low), self._index.known(term.field)
        fits = _SIDES[term.value[0]]
        chosen = [number for number in known if int(number) == here or fits(int(number), here)]
        if sum(known[number] for number in chosen) > COMMON * self._total():
            return None
        return Found(any_of(token(term.field, number) for number in chosen), exact=False)

    def _total(self) -> int:
        return sum(self._index.known("provider").values())


_FOUND = "search CROSS JOIN call ON call.place = search.rowid"
_UNDECIDED = ("new", "open", "snoozed")
_RARE_KINDS = frozenset({"word", "phrase", "field"})
_SIDES: dict[str, Callable[[int, int], bool]] = {">": gt, "<": lt, "=": eq}
_FINDERS: dict[str, Callable[[Planner, Term], Found | None]] = {
    "word": Planner._text,
    "phrase": Planner._text,
    "field": Planner._value,
    "compare": Planner._length,
    "mark": Planner._mark,
}
_FACET_OF = {"recording": "has_recording"}


def _is_span(group: list[Term]) -> bool:
    """One stretch of time, which is one stretch of places."""
    return len(group) == 1 and group[0].kind in ("period", "bound") and not group[0].negated


def _bounds(groups: list[list[Term]]) -> tuple[int | None, int | None]:
    """First and last place of the stretches of time that all hold."""
    spans = [group[0] for group in groups if _is_span(group)]
    if not spans:
        return None, None
    low = max(round(span.low * 1000) for span in spans)
    high = min(round(span.high * 1000) for span in spans)
    return low * TIES, high * TIES + TIES - 1


def _plan(
    source: str,
    place: str,
    values: list[Any],
    groups: list[list[Term]],
    low: int | None,
    high: int | None,
) -> Plan:
    conditions = [meaning(*group) for group in groups]
    if low is not None:
        conditions.insert(0, (f"{place} BETWEEN ? AND ?", [low, high]))
    condition = " AND ".join(sql for sql, _ in conditions) or "1"
    return Plan(source, place, condition, [*values, *(v for _, vs in conditions for v in vs)])
