"""A `Query` as SQL that is quick: where to read its calls from.

Each term has a condition on a call's line, which is what the term means
(conditions.py). Where the index can name the calls, a term also has an expression of the
full-text table, or asks something of bits, so that only those are read, from the newest on. The
index narrows, the condition decides.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import eq, gt, lt
from typing import Any, NamedTuple

from tui.archive.sqlite.search.bitmap import Span, Test
from tui.archive.sqlite.search.bitmap_scan import BitmapScan
from tui.archive.sqlite.search.bitmap_tests import bitmap_test_for
from tui.archive.sqlite.search.conditions import SAME_NUMBER, Sql, condition_of, grouped, of_text
from tui.archive.sqlite.search.search_index import (
    LENGTHS,
    SINGLE,
    FacetValues,
    SearchIndex,
    bucket,
    prefixed,
    token,
)
from tui.archive.sqlite.search.time_ranges import ALWAYS, PERIODS, spans_of
from tui.query.parser import Query, Term, words
from tui.query.phone_numbers import MIN_DIGITS

FEW_WORDS = 50
"""So many words with one beginning are looked up without asking how common they are."""
MANY_WORDS = 2000
LOOKUP = 40
"""To look up a word takes as long as to read so many calls that follow each other."""
COMMON = 0.1
"""Lengths that more than this part of all calls have are found sooner by reading those."""
RARE = 500
"""What so few calls have is read, and no more asked of the index."""
FEW_SLOTS = 200
"""So many calls that bits name are always read for what bits cannot tell."""
MOST_SLOTS = 2000
"""So many are, where the rest is in very many calls."""
FEW_CALLS = 20_000
"""Calls with a fragment of a number are looked up by it unless there are more."""
MANY_CALLS = 5 * FEW_CALLS
"""So many are not counted only to know how many they are."""


class QueryPlan(NamedTuple):
    """Where to read the keys of a query's calls, and which of those to keep."""

    source: str
    place: str
    """The column of the source that has the place."""
    condition: str
    values: list[Any]
    """Of the source, then of the condition."""
    places: str = ""
    """The source without the calls' lines, where the condition needs none of those."""

    def select(self, what: str, more: str = "", *, places_only: bool = False) -> str:
        """Of the calls' lines; `places_only`: of the places, if that is enough."""
        source = (places_only and self.places) or self.source
        return f"SELECT {what} FROM {source} WHERE {self.condition} {more}"


class QueryParts(NamedTuple):
    """A query as the planner takes it."""

    spans: Sequence[Span]
    """When, in the order of time."""
    groups: Sequence[Sequence[Term]]
    """What else."""
    names: Mapping[Term, FacetValues | None]
    """What each of these terms means, if that are values of a facet."""
    tests: Sequence[Test | None]
    """What each group asks of bits; None where they cannot tell."""
    indexed: bool
    filled: bool
    """Whether the index has all words and numbers of all calls."""


class FtsExpression(NamedTuple):
    """An expression of the full-text table. Unless it is exact, more calls than meant match."""

    expression: str
    exact: bool = True
    inverted: bool = False
    """Of terms with "not": it names the calls to show, not those to leave out."""


class RareCalls(NamedTuple):
    """The calls that a group of terms names."""

    calls: int
    """How many, about."""
    places: str
    """SQL for their places."""
    values: list[Any]
    group: Sequence[Term]


class Planner:
    """Plans queries with what one archive's index knows."""

    def __init__(self, db: sqlite3.Connection, index: SearchIndex) -> None:
        self._db, self._index = db, index

    def parts_of(self, query: Query) -> QueryParts:
        groups = grouped(query)
        periods = [group for group in groups if group[0].kind in PERIODS]
        others = [group for group in groups if group[0].kind not in PERIODS]
        indexed = not self._index.unindexed()
        names = {term: self._index.resolve_facet(term) for group in others for term in group}
        tests = [bitmap_test_for(names, group) if indexed else None for group in others]
        filled = indexed and not self._index.unfilled()
        return QueryParts(spans_of(periods), others, names, tests, indexed, filled)

    def scan(self, parts: QueryParts) -> BitmapScan | None:
        """The query's scan of the bitmaps, where those answer all of it."""
        if not parts.indexed or None in parts.tests:
            return None
        return self._scan(parts) if parts.groups or len(parts.spans) > 1 else None

    def _scan(self, parts: QueryParts) -> BitmapScan:
        """Of all that bits tell about."""
        tested = [group for group, test in zip(parts.groups, parts.tests, strict=True) if test]
        plan = _plan("call", "place", [], tested, [ALWAYS])
        tests = [test for test in parts.tests if test]
        return BitmapScan(self._db, tests, parts.spans, plan.condition, plan.values)

    def at_least(self, parts: QueryParts) -> int:
        """So many calls match at least, as far as that is known without looking."""
        texts = _texts(parts)
        if len(parts.groups) != 1 or not texts or parts.spans != [ALWAYS] or not parts.indexed:
            return 0
        [term, *_] = texts[0]
        *before, last = _spelled(term)
        if before or term.kind == "phrase" or not _says_all(term):
            return 0
        return max(
            (calls for _, calls in self._index.words_with_prefix(last, MANY_WORDS)), default=0
        )

    def plan(self, parts: QueryParts, limit: int | None = None) -> QueryPlan:
        """Where to read the query's first `limit` calls, or all of them."""
        if not parts.indexed:
            plan = _plan("call", "place", [], parts.groups, parts.spans)
            return plan._replace(condition=of_text(plan.condition))
        if named := self._by_id(parts):
            return _named(parts, named)
        number = self._rarest_number(parts)
        if number and number.calls <= RARE:
            return _named(parts, number)
        counts = [(sum(map(self._calls_with, group)), group) for group in _texts(parts)]
        rarest, rare = min(counts, key=lambda count: count[0], default=(None, None))
        if rare is not None and rarest is not None and rarest <= RARE:
            rest = [group for group in parts.groups if group is not rare]
            return self._by_text(parts._replace(groups=[rare]), None, rest)
        text = self._by_text(parts, limit)
        if text.places:
            return text
        if tested := self._by_bits(parts, rarest or 0):
            return tested
        if number and number.calls <= FEW_CALLS:
            return _named(parts, number)
        return self._by_decision(parts) or self._by_mark(parts, rarest) or text

    def _by_id(self, parts: QueryParts) -> RareCalls | None:
        """The calls that are named."""
        for group in parts.groups:
            if group[0].field == "id" and not group[0].negated:
                sql = (
                    "SELECT place AS p FROM call AS c WHERE c.account IN (SELECT value FROM known"
                    f" WHERE kind = 'account') AND c.id IN ({','.join('?' * len(group))})"
                )
                return RareCalls(len(group), sql, [term.value for term in group], group)
        return None

    def _rarest_number(self, parts: QueryParts) -> RareCalls | None:
        """The calls with the rarest of the numbers."""
        numbers = [
            group
            for group in parts.groups
            if parts.filled and not group[0].negated and all(one.kind == "number" for one in group)
        ]
        found = [self._with_number(group) for group in numbers]
        return min(found, key=lambda rare: rare.calls, default=None)

    def _with_number(self, group: Sequence[Term]) -> RareCalls:
        found = dict(one for term in group for one in self._index.numbers(term.value))
        marks = ",".join(map(str, found))
        sql = f"SELECT DISTINCT place AS p FROM call_number WHERE n IN ({marks})"
        whole = [term.value for term in group if len(term.value) >= MIN_DIGITS]
        sql += f" UNION SELECT place FROM call WHERE {SAME_NUMBER}" * len(whole)
        return RareCalls(sum(found.values()), sql, [v for v in whole for _ in range(2)], group)

    def _calls_with(self, term: Term) -> int:
        """In about how many calls the last word of a text stands."""
        *_, last = _spelled(term)
        return sum(calls for _, calls in self._index.words_with_prefix(last, MANY_WORDS))

    def _by_bits(self, parts: QueryParts, rarest: int) -> QueryPlan | None:
        """The plan that reads the calls that bits name, where those are few: so few that they are
        sooner read than found among the `rarest` that have one of the other words.
        """
        rest = [
            group for group, test in zip(parts.groups, parts.tests, strict=True) if test is None
        ]
        if len(rest) == len(parts.groups):
            return None
        slots = self._scan(parts).slots_if_few(max(FEW_SLOTS, min(MOST_SLOTS, rarest // 50)))
        if slots is None:
            return None
        if not slots:
            return NOTHING
        plan = _plan("call INDEXED BY call_by_slot", "place", [], rest, parts.spans)
        named = ",".join(map(str, slots))
        return plan._replace(condition=f"slot IN ({named}) AND {plan.condition}")

    def _by_decision(self, parts: QueryParts) -> QueryPlan | None:
        """The plan that reads what was decided about in some time, where that is not much."""
        for group in parts.groups:
            if group[0].kind == "triaged" and not group[0].negated:
                source = "call INDEXED BY call_by_decision"
                # those of long ago were decided lately, too: to look for them in time may never end
                if self._few(f"SELECT 1 FROM {source} WHERE", group, MANY_CALLS):
                    return _plan(source, "place", [], parts.groups, parts.spans)
        return None

    def _by_mark(self, parts: QueryParts, rarest: int | None) -> QueryPlan | None:
        """The plan that reads only those who wait; unless they are many, and something else
        that is wanted may be rarer: of its words one is in `rarest` calls.
        """
        if any(one[0].kind == "field" and not one[0].negated for one in parts.groups):
            rarest = FEW_CALLS
        for group in parts.groups:
            name = _INDEX_OF.get(group[0].value) if group[0].kind == "mark" else None
            if name and not group[0].negated:
                source = f"call INDEXED BY {name}"
                some = f"SELECT 1 FROM {source} WHERE"
                if rarest is None or self._few(some, group, max(FEW_CALLS, rarest)):
                    return _plan(source, "place", [], parts.groups, parts.spans)
        return None

    def _few(self, sql: str, group: Sequence[Term], few: int = FEW_CALLS) -> bool:
        condition, values = condition_of(*group)
        few = min(few, MANY_CALLS)
        counted = f"SELECT count(*) FROM ({sql} {condition} LIMIT {few + 1})"
        return int(self._db.execute(counted, values).fetchone()[0]) <= few

    def _by_text(
        self, parts: QueryParts, limit: int | None, rest: Sequence[Sequence[Term]] = ()
    ) -> QueryPlan:
        """The plan that asks the full-text table for all that it can tell, but not for `rest`."""
        wanted, unwanted, rest = [], [], [*rest]
        for group in parts.groups:
            found = self._find(parts, group, limit)
            negated = group[0].negated and not (found and found.inverted)
            if found is None or (negated and not found.exact):
                rest.append(group)
            elif negated:
                unwanted.append((group, found.expression))
            else:
                wanted.append(found.expression)
                if not found.exact:
                    rest.append(group)
        if not wanted:
            return _plan("call", "place", [], parts.groups, parts.spans)
        if "" in wanted:
            return NOTHING
        match = " AND ".join(f"({one})" for one in wanted)
        for _, one in unwanted:
            match = f"({match}) NOT ({one})" if one else match
        plan = _plan(f"{_FOUND} AND search MATCH ?", "search.rowid", [match], rest, parts.spans)
        if rest:
            return plan
        # the match is the first of the values there too
        condition = f"search MATCH ? AND {plan.condition}"
        return plan._replace(source=_FOUND, condition=condition, places="search")

    # -- what a group of terms is to the full-text table

    def _find(
        self, parts: QueryParts, group: Sequence[Term], limit: int | None
    ) -> FtsExpression | None:
        """One expression for a group of terms, or None where the index cannot tell."""
        facets = [named for term in group if (named := parts.names[term])]
        if len(facets) == len(group):
            return self._facet(facets[0][0], [v for _, vs in facets for v in vs], group[0].negated)
        if group[0].kind == "state":
            return self._states(group)
        found = [self._one(term, limit) if parts.filled else None for term in group]
        known = [one for one in found if one]
        if len(known) < len(found):
            return None
        expression = " OR ".join(one.expression for one in known if one.expression)
        return FtsExpression(expression, all(one.exact for one in known))

    def _one(self, term: Term, limit: int | None) -> FtsExpression | None:
        if term.kind in TEXTS:
            return self._text(term, limit)
        if term.kind == "compare":
            return self._length(term)
        if term.kind == "mark":
            return self._mark(term)
        return None

    def _facet(self, column: str, values: Sequence[str], negated: bool) -> FtsExpression | None:
        """Of a facet of which each call has one, "not" is any of its other values."""
        inverted = negated and column in SINGLE
        if inverted:
            values = [value for value in self._index.facet_values(column) if value not in values]
        if len(values) > MANY_WORDS:
            return None
        return FtsExpression(any_of(token(column, value) for value in values), inverted=inverted)

    def _states(self, group: Sequence[Term]) -> FtsExpression:
        """A snooze may be over; only the condition tells."""
        meant, negated = {term.value for term in group}, group[0].negated
        may_be = {value: {value} for value in self._index.facet_values("state")}
        if "snoozed" in may_be:
            may_be["snoozed"] = {"snoozed", "open"}
        chosen = [
            value
            for value, states in may_be.items()
            if any((s in meant) != negated for s in states)
        ]
        exact = "snoozed" not in chosen
        return FtsExpression(
            any_of(token("state", value) for value in chosen), exact, inverted=True
        )

    def _mark(self, term: Term) -> FtsExpression | None:
        """Nobody decided about a call of these states; who waits has an index of its own."""
        if term.value == "held":
            return FtsExpression(any_of([token("held", "1")]))
        if term.value != "untriaged" or term.negated:
            return None
        return FtsExpression(any_of(token("state", one) for one in _UNDECIDED), exact=False)

    def _text(self, term: Term, limit: int | None) -> FtsExpression | None:
        """Words one after the other; the last one may go on, unless quoted."""
        *before, last = _spelled(term)
        exact = _says_all(term)
        if term.kind == "phrase" or (term.exact and last):
            return FtsExpression(any_of([" ".join([*before, last])]), exact) if last else None
        starts = self._index.words_with_prefix(last, MANY_WORDS + 1) if last else []
        if len(starts) > FEW_WORDS:
            calls = sum(calls for _, calls in starts)
            read = (limit or calls) * self._total() / calls
            if len(starts) > MANY_WORDS or read < LOOKUP * len(starts):
                return None
        return FtsExpression(any_of(" ".join([*before, word]) for word, _ in starts), exact)

    def _length(self, term: Term) -> FtsExpression | None:
        """Lengths by the buckets that can hold them."""
        if term.field not in LENGTHS:
            return None
        here, known = bucket(term.low), self._index.facet_values(term.field)
        fits = _SIDES[term.value[0]]
        chosen = [number for number in known if int(number) == here or fits(int(number), here)]
        if sum(known[number] for number in chosen) > COMMON * self._total():
            return None
        return FtsExpression(any_of(token(term.field, number) for number in chosen), exact=False)

    def _total(self) -> int:
        return sum(self._index.facet_values("provider").values())


TEXTS = frozenset({"word", "phrase", "text", "kept"})
_FOUND = "search CROSS JOIN call ON call.place = search.rowid"
_UNDECIDED = ("new", "open", "snoozed")
_SIDES: dict[str, Callable[[int, int], bool]] = {">": gt, "<": lt, "=": eq}
_INDEX_OF = {
    "open-miss": "call_missed",
    "called-back": "call_answered_later",
    "callback": "call_callback",
    "sla-missed": "call_sla",
    "held": "call_held",
}
"""The index of just these calls, in the order of time."""


def _texts(parts: QueryParts) -> list[Sequence[Term]]:
    """The groups of which the index has the words."""
    return [
        group
        for group in parts.groups
        if parts.filled and not group[0].negated and all(one.kind in TEXTS for one in group)
    ]


def _spelled(term: Term) -> list[str]:
    """The words of a term as the index has them; one at least, which may be empty."""
    found = prefixed(term.field, term.value) if term.kind == "kept" else words(term.value)
    return found or [""]


def _says_all(term: Term) -> bool:
    """Whether calls with the words of a term are all that it means."""
    return term.kind != "text" and not term.exact


def any_of(tokens: Iterable[str]) -> str:
    """An expression; empty where there is nothing that could match."""
    return " OR ".join(f'"{one}"' for one in tokens)


def _named(parts: QueryParts, rare: RareCalls) -> QueryPlan:
    """The plan that reads just these."""
    source = f"({rare.places}) AS found CROSS JOIN call ON call.place = found.p"
    fielded = any(term.field for term in rare.group if term.kind == "number")
    rest = [group for group in parts.groups if group is not rare.group or fielded]
    plan = _plan(source, "found.p", rare.values, rest, parts.spans)
    return plan if rest else plan._replace(places=f"({rare.places}) AS found")


def _plan(
    source: str,
    place: str,
    values: list[Any],
    groups: Iterable[Sequence[Term]],
    spans: Sequence[Span],
) -> QueryPlan:
    conditions = [*_within(place, spans), *(condition_of(*group) for group in groups)]
    condition = " AND ".join(sql for sql, _ in conditions) or "1"
    return QueryPlan(source, place, condition, [*values, *(v for _, vs in conditions for v in vs)])


def _within(place: str, spans: Sequence[Span]) -> list[Sql]:
    """Conditions on a place: that it lies in one of the spans."""
    if list(spans) == [ALWAYS]:
        return []
    if not spans:
        return [("0", [])]
    around: Sql = (f"{place} BETWEEN ? AND ?", [spans[0][0], spans[-1][1]])
    if len(spans) == 1:
        return [around]
    # the sign in front keeps SQLite from reading them one by one, which loses the order
    any_ = " OR ".join(f"+{place} BETWEEN ? AND ?" for _ in spans)
    return [around, (f"({any_})", [end for span in spans for end in span])]


NOTHING = QueryPlan("call", "place", "0", [], "call")
"""The plan of a query that no call matches."""
