"""The terms of a query as what they ask of bits (see `tui.archive.bits`), as far as bits tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from tui.archive.bits import Batch, Bounds, Test, all_length_tokens, compared
from tui.archive.index import LENGTHS, SINGLE, TIES, SearchIndex, same
from tui.query import EXACT, Term

MANY_NAMES = 300
"""A beginning of more names than this is left to the full-text table."""


def asked(index: SearchIndex, group: Sequence[Term]) -> Test | None:
    """What a group of terms, any of which will do, asks of bits; None where they cannot tell."""
    tests = [_test(index, term) for term in group]
    known = [test for test in tests if test is not None]
    if len(known) < len(tests):
        return None
    tokens = frozenset[str]().union(*(test.tokens for test in known))
    negated = group[0].negated

    def bounds(batch: Batch) -> Bounds:
        least, most = 0, 0
        for test in known:
            sure, may = test.bounds(batch)
            least, most = least | sure, most | may
        return (batch.every & ~most, batch.every & ~least) if negated else (least, most)

    return Test(tokens, bounds)


def _test(index: SearchIndex, term: Term) -> Test | None:
    kind = "has_recording" if term.kind == "recording" else term.field or term.kind
    if kind in SINGLE:
        value = same(kind, "1" if term.kind == "recording" else term.value)
        return _any(kind, [one for one in index.known(kind) if same(kind, one) == value])
    find = _TESTS.get(term.kind)
    return find(index, term) if find else None


def _any(kind: str, values: Sequence[str]) -> Test:
    return _tokens([f"{kind}={value}" for value in values])


def _tokens(tokens: Sequence[str]) -> Test:
    def bounds(batch: Batch) -> Bounds:
        bits = reduce(int.__or__, (batch.have.get(token, 0) for token in tokens), 0)
        return bits, bits

    return Test(frozenset(tokens), bounds)


def _value(index: SearchIndex, term: Term) -> Test | None:
    if term.field in EXACT:
        return None
    values = index.meant(term.field, term.value)
    return _any(term.field, values) if len(values) <= MANY_NAMES else None


def _length(index: SearchIndex, term: Term) -> Test | None:
    if term.field not in LENGTHS:
        return None
    tokens = frozenset(all_length_tokens(term.field))
    return Test(tokens, lambda batch: compared(batch.have, term.field, term.value, term.low))


def _state(index: SearchIndex, term: Term) -> Test:
    """A snooze may be over, then it is an open call; only the call tells."""
    own, asleep = f"state={term.value}", "state=snoozed"

    def bounds(batch: Batch) -> Bounds:
        bits, unsure = batch.have.get(own, 0), batch.have.get(asleep, 0)
        if term.value == "snoozed":
            return 0, unsure
        return bits, bits | unsure if term.value == "open" else bits

    return Test(frozenset((own, asleep)), bounds)


def _mark(index: SearchIndex, term: Term) -> Test:
    if term.value == "untriaged":
        return _UNTRIAGED
    tokens, meaning = _MARKS[term.value]

    def bounds(batch: Batch) -> Bounds:
        bits = meaning(*(batch.have.get(token, 0) for token in tokens))
        return bits, bits

    return Test(frozenset(tokens), bounds)


def _untriaged(batch: Batch) -> Bounds:
    decided = (batch.have.get(token, 0) for token in ("state=follow-up", "state=done", "closed"))
    most = reduce(lambda left, bits: left & ~bits, decided, batch.every)
    return most & ~batch.have.get("state=snoozed", 0), most


_UNTRIAGED = Test(
    frozenset(("state=follow-up", "state=done", "state=snoozed", "closed")), _untriaged
)
_MARKS: dict[str, tuple[tuple[str, ...], Callable[..., int]]] = {
    "open-miss": (("missed", "closed"), lambda missed, closed: missed & ~closed),
    "called-back": (("closed",), lambda closed: closed),
    "callback": (("callback",), lambda callback: callback),
    "sla-missed": (("sla-missed",), lambda late: late),
}
"""The tokens of `tui.archive.bits.MARKED` that a mark needs, and what it is of them."""


def _period(index: SearchIndex, term: Term) -> Test:
    low, high = round(term.low * 1000) * TIES, round(term.high * 1000) * TIES + TIES - 1

    def bounds(batch: Batch) -> Bounds:
        most = batch.within(lambda first, last: first <= high and last >= low)
        return batch.within(lambda first, last: low <= first and last <= high), most

    return Test(frozenset(), bounds)


_TESTS: dict[str, Callable[[SearchIndex, Term], Test | None]] = {
    "field": _value,
    "compare": _length,
    "state": _state,
    "mark": _mark,
    "period": _period,
    "bound": _period,
}
