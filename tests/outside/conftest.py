"""A user and three vendors for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside import user
from tests.outside.server import Vendors
from tests.outside.user import ROOT, Ringback
from tests.outside.warm import Forge


@pytest.fixture(scope="session", autouse=True)
def forge() -> Iterator[None]:
    """One process that all commands of a run are forked from."""
    user.forge = Forge(str(ROOT))
    yield
    user.forge.close()
    user.forge = None


@pytest.fixture
def ringback(tmp_path: Path) -> Ringback:
    return Ringback(tmp_path)


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    served = Vendors()
    yield served
    served.close()
