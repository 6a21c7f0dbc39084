"""What a call is made of cannot be changed, and each part has a value where nothing is known."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any

import pytest

from providers import model
from providers.base import Login
from providers.model import Call, Outcome

PARTS: list[Any] = [
    Login,
    *(one for one in vars(model).values() if isinstance(one, type) and is_dataclass(one)),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_nothing_can_be_changed_or_added(part: Any) -> None:
    made = object.__new__(part)
    assert not hasattr(made, "__dict__")
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(part)[0].name, 1)


def test_a_call_of_which_nothing_is_known() -> None:
    call = Call("1", "liner")
    assert call.outcome is Outcome.UNKNOWN and call.recordings_known
    empty = {"derived", "agents", "tags", "recording_events", "recordings", "problems"}
    for field in fields(Call):
        value = getattr(call, field.name)
        if field.name in empty:
            assert value == ()
        elif is_dataclass(value):
            assert not any(getattr(value, one.name) for one in fields(value))
        elif field.name not in ("id", "provider", "outcome", "recordings_known"):
            assert not value, field.name
