"""What a sync or an import brought of one account, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from providers.counts import counted
from tui.console import print_error, print_text
from tui.sync.report import Report

MAX_LINES = 5
"""How many failures of one account are printed; the rest is counted."""


def print_report(report: Report) -> None:
    saved = report.saved
    parts = [f"{saved.new:,} new", f"{saved.changed:,} changed", f"{saved.same:,} as before"]
    if report.unknown_ids:
        parts.append(f"{counted(report.unknown_ids, 'id')} unknown to the vendor")
    if report.recordings:
        parts.append(f"{counted(report.recordings, 'recording')} listed")
    if report.problems:
        parts.append(f"{report.failed:,} failed")
    if report.fetched or not (report.error or report.unkept):
        print_text(f"{report.account}: {', '.join(parts)}")
    _print_lines(report.account, [*report.notes], len(report.notes))
    _print_lines(report.account, report.problems, report.failed)
    if report.error:
        print_error(f"{report.account}: {report.error}")
        if report.error.hint:
            print_error(report.error.hint)


def _print_lines(account: str, lines: Sequence[str], total: int) -> None:
    """The first `MAX_LINES` of them, and how many there are besides."""
    told = lines[:MAX_LINES]
    for line in told:
        print_error(f"{account}: {line}")
    if total > len(told):
        print_error(f"{account}: and {total - len(told):,} more")
