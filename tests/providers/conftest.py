from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.cinnox import Cinnox
from providers.liner import Liner
from tests.providers import cinnox_bodies, liner_bodies
from tests.providers.contract import login
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
    cinnox_bodies.script(server)
    made = Cinnox(cinnox_bodies.account(server))
    made.sleep = Waits()
    return made


@pytest.fixture
def liner(server: Server) -> Liner:
    liner_bodies.script(server)
    made = Liner(login(server.url, order_ids="202"))
    made.sleep = Waits()
    return made
