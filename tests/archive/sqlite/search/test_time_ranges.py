"""What periods leave of all time."""

from __future__ import annotations

from random import Random

from tui.archive.sqlite.search.search_index import TIES
from tui.archive.sqlite.search.time_ranges import ALWAYS, EARLIEST, LATEST, spans_of, within
from tui.query.parser import Term


def _period(first: int, last: int, negated: bool = False) -> Term:
    return Term("period", "", low=first / 1000, high=last / 1000, negated=negated)


def test_without_periods_it_is_always() -> None:
    assert spans_of([]) == [ALWAYS]


def test_days_that_meet_are_one_span() -> None:
    spans = spans_of([[_period(5, 9), _period(1, 4)], [_period(2, 20)]])
    assert spans == [(2 * TIES, 10 * TIES - 1)]


def test_what_is_left_beside_a_period_is_two_spans() -> None:
    assert spans_of([[_period(5, 9, negated=True)]]) == [
        (EARLIEST, 5 * TIES - 1),
        (10 * TIES, LATEST),
    ]
    assert spans_of([[_period(5, 9, negated=True)], [_period(6, 7)]]) == []


def test_spans_hold_what_the_periods_do() -> None:
    random = Random(3)
    for _ in range(300):
        groups = []
        for _ in range(random.randint(1, 3)):
            negated = random.random() < 0.3
            ends = [sorted(random.choices(range(30), k=2)) for _ in range(random.randint(1, 3))]
            groups.append(
                [_period(low, high, negated) for low, high in (ends[:1] if negated else ends)]
            )
        spans = spans_of(groups)
        low, high = sorted(random.choices(range(30), k=2))
        cut = within(spans, low * TIES, high * TIES)
        assert spans == sorted(spans)
        assert all(a[1] + 1 < b[0] for a, b in zip(spans, spans[1:], strict=False))
        for moment in range(-1, 32):
            held = all(
                any(round(t.low * 1000) <= moment <= round(t.high * 1000) for t in group)
                != group[0].negated
                for group in groups
            )
            place = moment * TIES
            assert any(a <= place <= b for a, b in spans) == held
            inside = held and low <= moment <= high
            assert any(a <= place <= b for a, b in cut) == inside
