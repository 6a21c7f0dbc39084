"""A desk of 12,000 calls, of accounts that cannot be reached."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.screens import row_window
from tui.services import Services

CALLS = 12_000
WINDOW_ROWS = 400
"""Rows that are read at once after `hold_few_rows`."""
NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)


class Then(Services):
    """Services at a fixed moment."""

    def now(self) -> datetime:
        return NOW


def desk_of(paths: Paths, filled: Path) -> Services:
    """Ann's, with a copy of the calls that are `filled` (the fixture)."""
    paths.make()
    shutil.copy(filled, paths.archive_file)
    services = Then(paths, {**os.environ, "RINGBACK_USER": "ann"}, UTC)
    for name in ("desk", "care", "eu"):
        account = make_account(name, "nectar", "http://127.0.0.1:9", {"call_ids": "1-9"})
        services.accounts.add(account)
    return services


def hold_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen holds so few rows that most of the desk's are beyond them."""
    monkeypatch.setattr(row_window, "WINDOW_ROWS", WINDOW_ROWS)
    monkeypatch.setattr(row_window, "MOST_ROWS", 3 * WINDOW_ROWS)
