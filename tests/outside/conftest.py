"""A user and three vendors for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside.server import Vendors
from tests.outside.user import Ringback


@pytest.fixture
def ringback(tmp_path: Path) -> Ringback:
    return Ringback(tmp_path)


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    served = Vendors()
    yield served
    served.close()
