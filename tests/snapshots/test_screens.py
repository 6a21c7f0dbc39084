"""Pictures of the whole application, compared with the kept ones, each of which was looked at."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.slow_params import few
from tests.snapshots.scenes import SCENES, app_over
from tests.ui.calls_page import CallsPage

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x50": (200, 50)}
EVERYWHERE = ("many", "detail", "playing")
WIDER = ("no-accounts", "loading", "refused", "offline", "filter-problem", "help", "insights")


@pytest.mark.parametrize(
    ("scene", "size"),
    few(
        len(SCENES) + 1,
        [
            *((scene, "80x24") for scene in SCENES),
            *((scene, "120x40") for scene in EVERYWHERE + WIDER),
            *((scene, "200x50") for scene in EVERYWHERE),
        ],
    ),
)
def test_picture(scene: str, size: str, snap_compare: Any) -> None:
    made, play = SCENES[scene]
    app = app_over(os.environ, **made)
    app.title = f"{scene} {size}"
    assert snap_compare(
        app, terminal_size=SIZES[size], run_before=lambda pilot: play(CallsPage(pilot))
    )
