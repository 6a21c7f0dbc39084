"""Lets go of what removed widgets were painted with.

Textual remembers two styles for each pair of backgrounds, and under the same key the cache of lines
of the widget that asked: the lines of the last 1,024 widgets that are gone stayed in memory.
"""

from __future__ import annotations

from functools import lru_cache

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.style import Style


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def free_removed() -> None:
    """From now on, for all widgets of this process."""
    StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[method-assign,assignment]
