"""`ringback paths`: where Ringback keeps its files."""

from __future__ import annotations

import argparse

from tui.archive.sqlite.decision_backup import place_of
from tui.console import print_text
from tui.exit_codes import ExitCode
from tui.services import Services


def run(arguments: argparse.Namespace) -> int:
    paths = Services.build().paths
    found = {
        "config": paths.config_file,
        "archive": paths.archive_file,
        "decisions": place_of(paths.archive_file),
        "recordings": paths.cached_recordings,
        "log": paths.log_file,
    }
    for name, path in found.items():
        print_text(f"{name:<11}{path}")
    return ExitCode.DONE
