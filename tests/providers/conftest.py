from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from providers.base import Secret
from providers.cinnox import Cinnox
from providers.errors import AuthError, RateLimited, Unreachable
from providers.http import VendorClient
from providers.liner import Liner
from tests.providers import cinnox_bodies, liner_bodies
from tests.providers.contract import TOKEN, login
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


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def client(server: Server, waits: Waits) -> AsyncIterator[VendorClient]:
    made = VendorClient(
        server.url + "/api/",
        {"X-Api-Key": Secret(TOKEN)},
        error_codes={7: RateLimited, 8: Unreachable, 9: AuthError},
        sleep=waits,
        body_limit=100_000,
    )
    yield made
    await made.aclose()
