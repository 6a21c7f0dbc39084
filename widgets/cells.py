"""Text measured in terminal cells, where a character is zero, one or two wide."""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len, chop_cells, set_cell_size

from providers.sanitize import ELLIPSIS

Align = Literal["left", "right", "center"]
Run = tuple[str, str]
"""Text, and the component class that styles it (empty: the widget's own style)."""
Line = tuple[Run, ...]


def fit(text: str, width: int, align: Align = "left") -> str:
    """`text` in exactly `width` cells: padded, or cropped with an ellipsis.

    A double-width character is never split; the cell that it leaves is a space.
    """
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ELLIPSIS
    space = width - length
    before = {"left": 0, "right": space, "center": space // 2}[align]
    return " " * before + text + " " * (space - before)


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at spaces where there are any."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_wrap_paragraph(paragraph, max(width, 2)))
    return lines


def _wrap_paragraph(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        pieces = chop_cells(word, width)
        lines[-1:] = [*([lines[-1]] if lines[-1] else []), *pieces]
    return lines
