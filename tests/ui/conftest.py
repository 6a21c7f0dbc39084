"""The application over the real sandbox: HTTP on loopback, an archive on disk, its own home."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from providers.sandbox import Sandbox
from tests.ui.driving import services_for
from tui.services import Services

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)


@pytest.fixture(scope="session")
def world() -> Iterator[Sandbox]:
    """For those who break nothing: about 120 calls at Liner and CINNOX, 60 at Nectar Desk."""
    with Sandbox(now=NOW, calls=300) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def many(world: Sandbox) -> Iterator[Sandbox]:
    """For those who also need several pages or rare calls: five times as many."""
    with Sandbox(now=NOW, calls=1500) as sandbox:
        yield sandbox


@pytest.fixture
def fresh() -> Iterator[Sandbox]:
    """For those who break things."""
    with Sandbox(now=NOW, calls=60) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_AUDIO", "none")


@pytest.fixture
def home(world: Sandbox) -> Callable[..., Services]:
    """``home("liner", "nectar")``: services with these accounts, named as their vendors."""

    def make(*vendors: str, sandbox: Sandbox = world) -> Services:
        return services_for(sandbox, vendors, os.environ)

    return make
