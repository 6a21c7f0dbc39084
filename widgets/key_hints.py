"""The keys that a widget names in its own words, as they are mapped now."""

from __future__ import annotations

from typing import Any

from textual.keys import key_to_character
from textual.screen import Screen

WRITTEN = {"escape": "esc"}
"""Textual's names of keys, and how people write them."""


def key_of(screen: Screen[Any], id_: str) -> str:
    """The first key of the binding `id_`, as people write it; empty where none works."""
    keys = (key for key, active in screen.active_bindings.items() if active.binding.id == id_)
    return next(map(written, keys), "")


def written(key: str) -> str:
    """``/`` for ``slash``, ``esc`` for ``escape``; ``space``, ``ctrl+x`` are themselves."""
    char = key_to_character(key) or ""
    return char if char.isprintable() and char.strip() else WRITTEN.get(key, key)
