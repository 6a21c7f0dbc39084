"""The one place that every line of the screen passes on its way to the terminal.

Widgets give it `safe_text`, so that what they measure is what is shown; this is the last look, for
what did not come that way: a library's widget, a title, a style.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from providers.sanitize import guarded


class Guard(LineFilter):
    """No character and no link of a line may command the terminal. The line keeps its width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if text.isprintable() and not (style and style.link) else _harmless(segment)
            for segment in segments
            for text, style, _ in (segment,)
        ]


def _harmless(segment: Segment) -> Segment:
    text, style, _ = segment
    return Segment(guarded(text), style.update_link() if style and style.link else style)


GUARD = Guard()
