"""What somebody may have meant: the nearest of some words, where nothing else was found."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

NEAR = 0.7
"""How much of a name must be right for it to be a slip, from 0 to 1."""
SURE = 0.75
"""How much, where a word may as well be another than a slip."""
NEAR_AMONG = 2000
"""So many names are looked through for it."""


def nearest(value: str, forms: Iterable[str], near: float = NEAR) -> str | None:
    """The form that this is a slip of; of the first `NEAR_AMONG` alone."""
    from difflib import get_close_matches  # wanted for slips alone

    found = get_close_matches(value, list(islice(forms, NEAR_AMONG)), n=1, cutoff=near)
    return found[0] if found else None
