"""Parametrised repeats of one proof: some in every run, all of them in the run with slow tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def few(kept: int, values: Iterable[Any]) -> list[Any]:
    """For `parametrize`: the values, all but the first `kept` of them marked slow."""
    return [
        value if number < kept else pytest.param(*_parts(value), marks=pytest.mark.slow)
        for number, value in enumerate(values)
    ]


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
