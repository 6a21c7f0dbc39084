"""What the screen sends to the terminal while a recording plays."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime

import pytest

from providers.sandbox import Sandbox
from tests.ui.services import services_for
from tests.ui.terminal import Program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
PLAYED_S = 24.0
BOUND = 120
"""Bytes a second on average."""


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 30), (170, 45)])
def test_few_bytes_are_sent_while_it_plays(columns: int, rows: int) -> None:
    with Sandbox(now=NOW, calls=300) as sandbox:
        services = services_for(sandbox, ["cinnox"], os.environ)
        token = sandbox.tokens["cinnox"]
        env = {"RINGBACK_TOKEN_CINNOX": token, "RINGBACK_AUDIO": "none"}
        query = ("rec", "dur>60", "dur<300")
        with Program("tui.cli", *query, columns=columns, rows=rows, env=env) as program:
            program.wait_for("answered")
            program.wait_for("fresh", "rows 1-")
            program.read(quiet_s=3.0)
            services.accounts.remove("cinnox")
            program.press(" ")
            program.wait_for("Playing")
            _read_for(program, 5.0)  # the waveform comes
            sent = _read_for(program, PLAYED_S)
            print(program.text)
            rate = len(sent) / PLAYED_S
            print(f"{columns}x{rows}: {rate:.0f} B/s while it plays")
            assert "Playing" in program.text
            assert b" / " not in sent, "only the cells that changed"
            assert 0 < rate <= BOUND


def _read_for(program: Program, seconds: float) -> bytes:
    """What comes within this time."""
    sent, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sent += program.read(quiet_s=0.05, wait_s=min(0.5, left))
    return sent
