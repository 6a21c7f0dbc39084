"""A desk of 12,000 calls, of accounts that cannot be reached."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.services import Services

CALLS = 12_000
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
