"""Figures as lines of text, for a terminal and for whoever listens to it."""

from __future__ import annotations

from collections.abc import Iterator

from tui.insights.figures import AGES_S, COUNTED, Figures, Lengths, Summary
from tui.insights.printed import rows


def percent(part: int, of: int) -> str:
    """``84 %``; a dash of nothing."""
    return f"{part * 100 / of:.0f} %" if of else "-"


def length_text(seconds: float | None) -> str:
    """``41 s``, ``3:07``, ``1:02:00``; a dash where none is told."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def age_text(upto_s: int | None) -> str:
    """``<1h``, ``<3d``, ``older``."""
    if upto_s is None:
        return "older"
    return f"<{upto_s // 3600}h" if upto_s <= 86_400 else f"<{upto_s // 86_400}d"


def summary_lines(figures: Figures, previous: Figures | None) -> Iterator[str]:
    """The figures of all calls, with those of the period before in brackets."""
    one, before = figures.summary, previous.summary if previous else None

    def told(name: str) -> str:
        earlier = f" ({getattr(before, name):,})" if before else ""
        return f"{getattr(one, name):,}{earlier}"

    yield f"calls        {told('calls')}   in {told('inbound')}   out {told('outbound')}"
    if before:
        yield "             in brackets: the period before"
    ends = one.outcomes._asdict()
    shares = "   ".join(
        f"{name} {ends[name]:,} = {percent(ends[name], one.calls)}" for name in COUNTED[1:]
    )
    yield f"ended        {shares}"
    yield (
        f"lost         {told('lost')}   called back {told('called_back')}"
        f" after {length_text(one.called_back_median_s)} (median)"
        f"   decided {told('decided')}   waiting {told('waiting')}"
    )
    if one.waiting:
        yield f"waiting      {_ageing(one)}"
    yield f"SLA          {percent(*one.sla)} met, of {one.sla.of:,} that tell"
    yield f"wait         {_lengths(one.wait_s)}"
    yield f"talk         {_lengths(one.talk_s)}, {length_text(one.talk_s.sum)} in all"
    people = ", ".join(f"{name} {number:,}" for name, number in figures.by_person.items())
    if people:
        yield (
            f"decided here {one.triaged:,} after {length_text(one.triaged_median_s)} (median):"
            f" {people}"
        )
    for what, accounts in figures.untold.items():
        if accounts:
            yield f"not told     {what}: by {', '.join(accounts)}"


def _ageing(summary: Summary) -> str:
    ages = zip((*AGES_S, None), summary.ageing, strict=True)
    return "   ".join(f"{age_text(upto)} {number:,}" for upto, number in ages)


def _lengths(lengths: Lengths) -> str:
    ranks = f"p50 {length_text(lengths.p50)}, p90 {length_text(lengths.p90)}"
    return f"{length_text(lengths.avg)} on average, {ranks}, of {lengths.of:,} that tell"


def table_lines(figures: Figures, kind: str) -> Iterator[str]:
    """One of the breakdowns as a table with a title line."""
    from widgets.cells import fit

    found = [*rows(figures, kind)]
    width = max([len(kind), *(len(name) for name, _ in found)], default=0)
    width = min(width, 40)
    yield "  ".join([fit(kind, width), *(f"{name:>9}" for name in COUNTED)])
    for name, counts in found:
        yield "  ".join([fit(name, width), *(f"{number:>9,}" for number in counts)])
