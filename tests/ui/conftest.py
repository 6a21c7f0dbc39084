"""The application over the real sandbox: HTTP on loopback, an archive on disk, its own home."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.sandbox import Sandbox
from tests.benchmarks.bulk import fill
from tests.ui.desk import CALLS
from tests.ui.services import services_for
from tui.services import Services
from tui.sync.jobs import sync_all
from tui.sync.sync import SyncRequest

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


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives as syncs left them, named by their vendors."""
    return tmp_path_factory.mktemp("archives")


@pytest.fixture
def synced(home: Callable[..., Services], archives: Path) -> Callable[..., Services]:
    """As `home`, with the calls here already: the vendors are asked once for all tests."""

    def make(*vendors: str) -> Services:
        services, same = home(*vendors), archives / " ".join(vendors)
        if not same.exists():
            with ThreadPoolExecutor() as beside:  # a loop of its own: the test's one runs
                beside.submit(_sync, services).result()
            shutil.copy(services.paths.archive_file, same)
        shutil.copy(same, services.paths.archive_file)
        return services

    return make


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of `desk.CALLS` calls, to be copied."""
    path = tmp_path_factory.mktemp("filled") / "archive.db"
    fill(path, CALLS)
    return path


def _sync(services: Services) -> None:
    with services.open_archive() as archive:
        reports = asyncio.run(sync_all(services, services.accounts.list(), archive, SyncRequest()))
        assert not any(report.error or report.problems for report in reports)
