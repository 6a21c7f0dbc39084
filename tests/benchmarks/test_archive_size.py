"""How many bytes of the archive's file a call takes, of three vendors alike."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.ui.services import services_for
from tui.sync.jobs import sync_all
from tui.sync.sync import SyncRequest

CALLS = 3000
MOST = 1670
"""Ten per cent above what was reached, the vendor's JSON included."""


@pytest.mark.slow
def test_bytes_of_a_call(tmp_path: Path, figure: Callable[..., None]) -> None:
    environ = {"RINGBACK_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    now = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
    with Sandbox(now=now, calls=CALLS, days=15) as sandbox:
        services = services_for(sandbox, ("liner", "cinnox", "nectar"), environ)
        request = SyncRequest(since=datetime(2026, 1, 1, tzinfo=UTC))
        with services.open_archive() as archive:
            asyncio.run(sync_all(services, services.accounts.list(), archive, request))
            calls = archive.count()
    assert calls > CALLS * 0.9
    with closing(sqlite3.connect(services.paths.archive_file)) as db:
        db.execute("VACUUM")
        tables = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY 1").fetchall())
    parts = sorted(tables.items(), key=lambda one: -one[1])[:4]
    size = sum(tables.values()) / calls
    named = ", ".join(f"{name} {of / calls:,.0f}" for name, of in parts)
    figure("bytes of a call in the archive", f"{size:,.0f} ({named})", "1,100")
    assert size < MOST
