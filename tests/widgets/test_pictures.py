"""Pictures of single widgets, compared with the kept ones, each of which somebody looked at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.slow_params import few
from tests.widgets.hosts import SCENES

BOTH = [
    "table",
    "table-hostile",
    "detail-full",
    "detail-sparse",
    "detail-problems",
    "sidebar",
    "player",
    "waveform",
    "empty-accounts",
    "empty-refused",
    "form",
]
SMALL = ["table-marked", "status", "chooser", "confirm", "text"]
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}


@pytest.mark.parametrize(
    ("scene", "size"),
    few(
        len(BOTH + SMALL),
        [
            *((scene, "80x24") for scene in BOTH + SMALL),
            *((scene, "120x40") for scene in BOTH),
        ],
    ),
)
def test_picture(scene: str, size: str, snap_compare: Any) -> None:
    app = SCENES[scene]()
    app.title = scene
    assert snap_compare(app, terminal_size=SIZES[size])
