"""The terms of a query as what they ask of bits (see bitmap.py), as far as bits tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from tui.archive.sqlite.search.bitmap import (
    BitmapBatch,
    Bounds,
    Test,
    all_length_tokens,
    compared,
    less,
)
from tui.archive.sqlite.search.search_index import LENGTHS, FacetValues
from tui.query.parser import Term

MANY_NAMES = 300
"""A beginning of more names than this is left to the full-text table."""


def bitmap_test_for(names: Mapping[Term, FacetValues | None], group: Sequence[Term]) -> Test | None:
    """What a group of terms, any of which will do, asks of bits; None where they cannot tell.

    `names` has what `SearchIndex.named` says of each term.
    """
    tests = [_test(names[term], term) for term in group]
    known = [test for test in tests if test is not None]
    if len(known) < len(tests):
        return None
    tokens = frozenset[str]().union(*(test.tokens for test in known))
    negated = group[0].negated

    def bounds(batch: BitmapBatch) -> Bounds:
        least, most = 0, 0
        for test in known:
            sure, may = test.bounds(batch)
            least, most = least | sure, most | may
        every = batch.every
        return (less(every, most), less(every, least)) if negated else (least, most)

    return Test(tokens, bounds)


def _test(named: FacetValues | None, term: Term) -> Test | None:
    if named is not None:
        return has_any(*named) if len(named[1]) <= MANY_NAMES else None
    find = _TESTS.get(term.kind)
    return find(term) if find else None


def has_any(kind: str, values: Sequence[str]) -> Test:
    """Whether a call has one of these values of a facet."""
    tokens = [f"{kind}={value}" for value in values]

    def bounds(batch: BitmapBatch) -> Bounds:
        bits = reduce(int.__or__, (batch.have.get(token, 0) for token in tokens), 0)
        return bits, bits

    return Test(frozenset(tokens), bounds)


def _length(term: Term) -> Test | None:
    if term.field not in LENGTHS:
        return None
    tokens = frozenset(all_length_tokens(term.field))
    return Test(tokens, lambda batch: compared(batch.have, term.field, term.value, term.low))


def _state(term: Term) -> Test:
    """A snooze may be over, then it is an open call; only the call tells."""
    own, asleep = f"state={term.value}", "state=snoozed"

    def bounds(batch: BitmapBatch) -> Bounds:
        bits, unsure = batch.have.get(own, 0), batch.have.get(asleep, 0)
        if term.value == "snoozed":
            return 0, unsure
        return bits, bits | unsure if term.value == "open" else bits

    return Test(frozenset((own, asleep)), bounds)


def _mark(term: Term) -> Test:
    if term.value == "untriaged":
        return _UNTRIAGED
    tokens, meaning = _MARKS[term.value]

    def bounds(batch: BitmapBatch) -> Bounds:
        bits = meaning(*(batch.have.get(token, 0) for token in tokens))
        return bits, bits

    return Test(frozenset(tokens), bounds)


def _untriaged(batch: BitmapBatch) -> Bounds:
    decided = (batch.have.get(token, 0) for token in ("state=follow-up", "state=done", "closed"))
    most = reduce(less, decided, batch.every)
    return less(most, batch.have.get("state=snoozed", 0)), most


_UNTRIAGED = Test(
    frozenset(("state=follow-up", "state=done", "state=snoozed", "closed")), _untriaged
)
_MARKS: dict[str, tuple[tuple[str, ...], Callable[..., int]]] = {
    "open-miss": (("missed", "closed"), less),
    "called-back": (("closed",), lambda closed: closed),
    "callback": (("callback",), lambda callback: callback),
    "sla-missed": (("sla-missed",), lambda late: late),
    "held": (("held=1",), lambda held: held),
}
"""The tokens that a mark needs, most of `bitmap.MARK_TOKENS`, and what it is of them."""
_TESTS: dict[str, Callable[[Term], Test | None]] = {
    "compare": _length,
    "state": _state,
    "mark": _mark,
}
