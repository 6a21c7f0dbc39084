"""One sandbox for all who only ask, and a fresh one for those who break things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from providers.sandbox import Sandbox

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
Ask = Callable[..., httpx.Response]
"""Asks a vendor with its token: ``ask("liner", "/v2/order/", limit=1)``."""
KEYS = {"liner": "X-Api-Key", "cinnox": "Authorization", "nectar": "Access-Token"}


def auth(sandbox: Sandbox, vendor: str) -> dict[str, str]:
    """The header that the vendor documents."""
    token = sandbox.tokens[vendor]
    return {KEYS[vendor]: f"Bearer {token}" if vendor == "cinnox" else token}


@pytest.fixture(scope="session")
def world() -> Iterator[Sandbox]:
    with Sandbox(now=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def fresh() -> Iterator[Sandbox]:
    with Sandbox(now=NOW, calls=120) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as client:  # a long recording is made when it is asked for
        yield client


@pytest.fixture(scope="session")
def ask(world: Sandbox, client: httpx.Client) -> Ask:
    def ask(vendor: str, path: str, *pairs: tuple[str, Any], **query: Any) -> httpx.Response:
        url, headers = world.base_url(vendor) + path, auth(world, vendor)
        return client.get(url, params=[*pairs, *query.items()], headers=headers)

    return ask
