"""A chart on the screen: its title, its picture, and what is chosen in it."""

from __future__ import annotations

from typing import ClassVar

from textual.reactive import var

from providers.sanitize import safe_text
from widgets.cells import Line
from widgets.charts import AXIS, CHOSEN, Chart, draw
from widgets.line_view import LineView

_HEAD = 2
"""Lines of the title and of what is chosen."""


class ChartView(LineView):
    """Shows `chart`; `chosen` is the place of a bar, `active` whether the keys are its own."""

    DEFAULT_CSS = """
    ChartView {
        height: 1fr;
        background: $background;
        color: $foreground;
        .chart--title { text-style: bold; }
        .chart--part { color: $primary; }
        .chart--rest { color: $secondary; }
        .chart--axis { color: $text-muted; }
        .chart--picked { color: $accent; }
        .chart--chosen { color: $background; background: $accent; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *("chart--title", "chart--part", "chart--rest", "chart--axis", "chart--chosen"),
        "chart--picked",
    }
    SWAPPED = frozenset(("chart--chosen",))

    chart: var[Chart | None] = var(None)
    chosen: var[int] = var(0)
    active: var[bool] = var(False)
    number: var[int] = var(0)

    def watch_chart(self) -> None:
        self.chosen = min(self.chosen, max(0, len(self.chart.bars) - 1)) if self.chart else 0
        self.repaint()

    def watch_chosen(self) -> None:
        self.repaint()

    def watch_active(self) -> None:
        self.repaint()

    def step(self, count: int) -> None:
        """Choose another bar, as far as there are some."""
        if self.chart and self.chart.bars:
            self.chosen = max(0, min(self.chosen + count, len(self.chart.bars) - 1))

    def line(self, y: int) -> Line:
        chart, (width, height) = self.chart, self.size
        if chart is None:
            return ()
        if y == 0:
            return self._title(chart)
        if y == height - 1:
            return ((f" {self.words()}", AXIS),) if self.active else ()
        chosen = self.chosen if self.active else -1
        lines = draw(chart, width, height - _HEAD, chosen, self.plain)
        return lines[y - 1] if y <= len(lines) else ()

    def _title(self, chart: Chart) -> Line:
        part, rest = chart.legend
        solid, shaded = ("#", ":") if self.plain else ("█", "▒")
        legend = f"   {solid} {part}  {shaded} {rest}" if part else ""
        style = CHOSEN if self.active else "chart--title"
        return ((f" {self.number} {chart.title} ", style), (legend, AXIS))

    def words(self) -> str:
        """What is chosen, in words."""
        if self.chart is None or not self.chart.bars:
            return ""
        bar = self.chart.bars[self.chosen]
        part, rest = self.chart.legend
        parts = f": {bar.part:,} {part}, {bar.value - bar.part:,} {rest}" if part else ""
        note = f"  {bar.note}" if bar.note else ""
        return safe_text(f"{bar.label}  {bar.value:,}{parts}{note}", 200)
