"""What config.toml says of columns and orders."""

from __future__ import annotations

from tui.archive.records import NEWEST_FIRST, SORT_COLUMNS, SortOrder
from tui.config.settings import Settings
from widgets.columns import COLUMNS


def sort_of(text: str) -> SortOrder:
    """``-time`` as an order; the newest first for an unknown column."""
    column = text.removeprefix("-")
    known = column in SORT_COLUMNS
    return SortOrder(column, text.startswith("-")) if known else NEWEST_FIRST


def unknown_columns(settings: Settings) -> list[str]:
    """What config.toml calls a column and is none."""
    sorts = {"table.sort": settings.table.sort}
    sorts |= {f"views.{view.name}.sort": view.sort for view in settings.views}
    said = [("table.columns", name) for name in settings.table.columns if name not in COLUMNS]
    said += [
        (at, sort)
        for at, sort in sorts.items()
        if sort and sort.removeprefix("-") not in SORT_COLUMNS
    ]
    return [f"config.toml: {at}: there is no column {name}" for at, name in said]
