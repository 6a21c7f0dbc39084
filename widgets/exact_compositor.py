"""Sends the terminal the cells that changed; Textual sends all from the widget's left edge on."""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


class ExactUpdate(ChopsUpdate):
    """An update cropped on its left, too."""

    def render_segments(self, console: Console) -> str:
        out: list[str] = []
        for y, start, end in self.spans:
            for right, (left, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or left >= end or right <= start:
                    continue
                first, last = max(left, start), min(right, end)
                if (first, last) != (left, right):
                    strip = strip.crop(first - left, last - left)
                out += (Control.move_to(first, y).segment.text, strip.render(console))
        return "".join(out)


class ExactCompositor(Compositor):
    """For a screen on which little changes all the time, such as a playing recording's."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return update and ExactUpdate(update.chops, update.spans, update.chop_ends)
