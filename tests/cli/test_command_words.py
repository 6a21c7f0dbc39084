"""The first word: a command, help, a query, or nearly a command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.guards.readme_text import ROOT
from tui.cli import main
from tui.cli.words import parse_words
from tui.config.paths import Paths


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["synch"], "did you mean sync?"),
        (["acounts"], "did you mean accounts?"),
        (["Calls"], "did you mean calls?"),
        (["hepl"], "did you mean help?"),
        (["versoin"], "did you mean version?"),
        (["show", "desk:1", "--nonsense"], ""),
        (["--account", "desk", "synch"], "did you mean sync?"),
        (["doctr", "x"], "did you mean doctor?"),
        (["help", "synch"], "did you mean sync?"),
        (["help", "nonsense"], "there is no command nonsense"),
    ],
)
def test_what_is_nearly_a_command_opens_no_screen(
    paths: Paths, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    if not said:
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 2
        return
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err and "needs a terminal" not in err
    assert "help" in words or "ringback -- " in err


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (["--", "synch"], "synch"),
        (["anna"], "anna"),
        (["synch refund"], "synch refund"),
        (["sync:x"], "sync:x"),
        (["tag:sync"], "tag:sync"),
        (["held"], "held"),
        (["missed", "synch"], "missed synch"),
        (["open-miss"], "open-miss"),
        (["#4567"], "#4567"),
        (["yesterday", "in"], "yesterday in"),
        (["--account", "desk", "--", "synch"], "synch"),
        (["--view", "x", "--account", "desk"], ""),
    ],
)
def test_a_query_opens_the_screen(words: list[str], query: str) -> None:
    parsed = parse_words(words)
    assert parsed.command == "screen" and " ".join(parsed.query) == query


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["help"], "usage: ringback [--account"),
        (["help", "sync"], "usage: ringback sync"),
        (["help", "accounts", "remove"], "usage: ringback accounts remove"),
        (["sync", "--help"], "usage: ringback sync"),
        (["version"], "ringback "),
    ],
)
def test_help_is_help(capsys: pytest.CaptureFixture[str], words: list[str], usage: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 0 and capsys.readouterr().out.startswith(usage)


def test_notes_of_a_sync_are_told_up_to_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    from tui.cli.sync_report import MAX_LINES, print_report
    from tui.sync.report import Report

    report = Report("desk", notes=dict.fromkeys(f"note {n}" for n in range(1_000)))
    print_report(report)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == MAX_LINES + 1 and told[-1] == f"desk: and {1_000 - MAX_LINES:,} more"
    assert report.message.endswith("; and 980 more")


def test_python_runs_the_package_as_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("ringback ")
