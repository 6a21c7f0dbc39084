from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """Another origin: the same host, another port."""
    with Server() as running:
        yield running
