from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.cinnox import Cinnox
from tests.providers.cinnox_bodies import account, script
from tests.providers.server import Server, Waits


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """Another origin: the same host, another port."""
    with Server() as running:
        yield running


@pytest.fixture
def cinnox(server: Server) -> Cinnox:
    script(server)
    made = Cinnox(account(server))
    made.sleep = Waits()
    return made
