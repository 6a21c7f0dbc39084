"""Pictures of the whole application, compared with the kept ones, each of which was looked at."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.snapshots.scenes import SCENES, app_over

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x50": (200, 50)}
EVERYWHERE = ("many", "detail", "playing")
WIDER = ("no-accounts", "loading", "refused", "offline", "filter-problem", "help")


@pytest.mark.parametrize(
    ("scene", "size"),
    [
        *((scene, size) for scene in EVERYWHERE for size in SIZES),
        *((scene, size) for scene in WIDER for size in ("80x24", "120x40")),
        *((scene, "80x24") for scene in SCENES if scene not in EVERYWHERE + WIDER),
    ],
)
def test_picture(scene: str, size: str, snap_compare: Any) -> None:
    made, run_before = SCENES[scene]
    app = app_over(os.environ, **made)
    app.title = f"{scene} {size}"
    assert snap_compare(app, terminal_size=SIZES[size], run_before=run_before)
