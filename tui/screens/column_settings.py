"""What config.toml says of columns and orders."""

from __future__ import annotations

from tui.archive.sqlite.search.sort_orders import ORDERS
from tui.config.settings import Settings
from widgets.columns import COLUMNS


def sort_of(text: str) -> tuple[str, bool]:
    """``-time`` as column id and whether it descends; the newest first for an unknown column."""
    column = text.removeprefix("-")
    return (column, text.startswith("-")) if column in ORDERS else ("time", True)


def unknown_columns(settings: Settings) -> list[str]:
    """What config.toml calls a column and is none."""
    sorts = {"table.sort": settings.table.sort}
    sorts |= {f"views.{view.name}.sort": view.sort for view in settings.views}
    said = [("table.columns", name) for name in settings.table.columns if name not in COLUMNS]
    said += [
        (at, sort) for at, sort in sorts.items() if sort and sort.removeprefix("-") not in ORDERS
    ]
    return [f"config.toml: {at}: there is no column {name}" for at, name in said]
