"""Every part of the code has a room with tests of its own, and every name of a room leads there."""

from __future__ import annotations

from tests.guards.readme_text import ROOT
from tests.rooms import ROOMS, pytest_arguments, room_of


def test_every_module_is_in_a_room() -> None:
    for package in ("tui", "widgets", "providers"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name not in ("__init__.py", "__main__.py"):
                assert room_of(str(path.relative_to(ROOT))).tests


def test_every_room_has_code_and_tests() -> None:
    for name, room in ROOMS.items():
        assert room.tests, name
        assert all((ROOT / source).exists() for source in room.sources), name


def test_the_innermost_room_counts() -> None:
    assert room_of("providers/sandbox/world.py") is ROOMS["sandbox"]
    assert room_of("providers") is ROOMS["providers"]


def test_names_of_rooms_become_their_tests_and_all_else_stays() -> None:
    words = pytest_arguments(["sync", "tests/ui/test_triage.py", "-k", "a b"])
    assert words == ["tests/sync", "tests/ui/test_triage.py", "-k", "a b"]
