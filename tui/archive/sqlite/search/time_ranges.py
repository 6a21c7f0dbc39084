"""What periods leave of all time, as ranges of places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.archive.sqlite.search.bitmap import Span
from tui.archive.sqlite.search.search_index import TIES
from tui.query.parser import Term

EARLIEST, LATEST = -(1 << 63), (1 << 63) - 1
ALWAYS: Span = (EARLIEST, LATEST)
PERIODS = frozenset({"period", "bound"})


def span_of(term: Term) -> Span:
    """The places of a period."""
    low, high = round(term.low * 1000), round(term.high * 1000)
    return low * TIES, high * TIES + TIES - 1


def spans_of(groups: Iterable[Sequence[Term]]) -> list[Span]:
    """Where all groups of periods hold, any of each group: in order, and none next to another."""
    spans = [ALWAYS]
    for group in groups:
        held = _joined(span_of(term) for term in group)
        spans = _both(spans, _around(held) if group[0].negated else held)
    return spans


def within(spans: Iterable[Span], low: int, high: int) -> list[Span]:
    """The parts of spans from one place to another."""
    return _both(spans, [(low, high)])


def _joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        elif low <= high:
            found.append((low, high))
    return found


def _around(spans: Sequence[Span]) -> list[Span]:
    """All other places."""
    ends = [EARLIEST, *(end for low, high in spans for end in (low - 1, high + 1)), LATEST]
    return [span for span in zip(ends[::2], ends[1::2], strict=True) if span[0] <= span[1]]


def _both(some: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    pairs = (((a, b), (c, d)) for a, b in some for c, d in others)
    met = ((max(a, c), min(b, d)) for (a, b), (c, d) in pairs)
    return [(low, high) for low, high in met if low <= high]
