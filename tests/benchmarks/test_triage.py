"""What triage costs on a large archive; figures are printed, bounds are generous."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from tests.benchmarks.fill import call
from tui.archive.sqlite import Archive
from tui.archive.triage_events import note, state, tag
from tui.query.parser import parse

CALLS = 200_000
STEP = 1000
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def p95_ms(work: Callable[[], object], times: int = 40) -> float:
    """The time that 95 of 100 stay under, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return sorted(taken)[int(times * 0.95) - 1] * 1000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_decisions_and_views_stay_quick_on_a_large_archive(tmp_path: Path) -> None:
    random = Random(7)
    with Archive(tmp_path / "archive.db") as archive:
        start = time.process_time()
        for first in range(0, CALLS, STEP):
            with archive.transaction():
                archive.save("desk", (call(n, random) for n in range(first, first + STEP)))
        rate = CALLS / (time.process_time() - start)
        print(f"{CALLS:,} calls: {rate:,.0f} calls saved per second of the processor")

        for first in range(0, CALLS // 2, 20_000):
            names = [("desk", str(n)) for n in range(first, first + 2000)]
            archive.triage.append(names, [state("done"), tag("spam")], "ann")
        one = p95_ms(
            lambda: archive.triage.append(
                [("desk", str(random.randrange(CALLS)))], [state("done"), note("x")], "ann"
            )
        )
        print(f"one decision, on the disk: p95 {one:.1f} ms")
        figures = {}
        for text in (
            "state:done",
            "state:new",
            "untriaged",
            "open-miss -state:done -state:snoozed",
            "called-back",
            "state:done triaged:7d",
            "flagged",
            "callback -called-back",
            "sla-missed",
        ):
            query = parse(text, NOW, UTC)
            figures[text] = p95_ms(lambda query=query: archive.keys(query, limit=256))  # type: ignore[misc]
            print(f"first page of {text}: p95 {figures[text]:.2f} ms")
        undo = p95_ms(lambda: archive.triage.undo("ann"), 20)
        print(f"one undo: p95 {undo:.1f} ms")
    assert one < 500 and undo < 500
    assert max(figures.values()) < 200
