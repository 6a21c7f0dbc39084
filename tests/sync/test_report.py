"""The report of a sync holds what is worth reading of a bad walk, and counts the rest."""

from __future__ import annotations

import pytest

from tui.cli.sync_report import MAX_LINES, print_report
from tui.sync.report import MOST_LINES, Report


def test_of_many_problems_the_first_are_kept_and_all_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report("desk", fetched=1)
    for number in range(10_000):
        report.tell(f"{number}: no JSON", f"{number}: no time")
    assert len(report.problems) == MOST_LINES and report.failed == 20_000
    print_report(report)
    written = capsys.readouterr()
    assert "20,000 failed" in written.out
    assert f"desk: and {20_000 - MAX_LINES:,} more" in written.err


@pytest.mark.parametrize("times", [1, 2, 5])
def test_what_comes_again_is_said_once(times: int, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("desk", fetched=1)
    for _ in range(times):
        report.tell("call 1: tags: 300 or more left out")
    print_report(report)
    written = capsys.readouterr().err
    assert written.count("left out") == 1
    assert (f"and {times - 1} more" in written) == (times > 1)
