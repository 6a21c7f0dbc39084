"""Widgets on screens of every size."""

from __future__ import annotations

import pytest

from tests.widgets.hosts import SCENES
from widgets.line_view import LineView


@pytest.mark.parametrize(
    "scene", ["everything-hostile", "detail-full", "chooser", "confirm", "text"]
)
async def test_no_size_breaks_a_widget(scene: str) -> None:
    host = SCENES[scene]()
    async with host.run_test(size=(80, 24)) as pilot:
        for size in ((1, 1), (20, 3), (11, 7), (250, 70)):
            await pilot.resize_terminal(*size)
            await pilot.press("G", "tab")
            for view in host.screen.query(LineView):
                lines = [view.render_line(y) for y in range(view.size.height)]
                assert all(line.cell_length == view.size.width for line in lines), (scene, size)
