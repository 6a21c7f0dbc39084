"""What a large import may cost; `measure.py` prints the figures for 100,000 calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.outside.measure import measured, webhooks
from tests.outside.user import Ringback


@pytest.mark.slow
def test_an_import_is_never_held_parsed(ringback: Ringback, tmp_path: Path) -> None:
    """20,000 bodies are 26 MB of text; all of them parsed would be 150 MB."""
    ringback.add("desk", "nectar", "https://n.example.com")
    megabytes = measured(ringback.env, "import", "desk", str(webhooks(tmp_path, 20_000)))
    assert len(ringback.calls()) == 20_000
    assert megabytes < 150
