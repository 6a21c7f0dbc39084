"""A cache of what short texts become; long ones are worked out anew, so that it stays small."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")
LONGEST = 500


def cached(size: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """As `functools.lru_cache`, for a function of one text."""

    def decorate(function: Callable[[str], T]) -> Callable[[str], T]:
        remembered = lru_cache(size)(function)

        @wraps(function)
        def call(text: str) -> T:
            return remembered(text) if len(text) <= LONGEST else function(text)

        return call

    return decorate
