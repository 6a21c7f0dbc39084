"""Services over a sandbox, and what their archive holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC
from typing import Any

from providers.sandbox import Sandbox
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.services import Services


def services_for(
    sandbox: Sandbox, vendors: Iterable[str], environ: Mapping[str, str], tokens: bool = True
) -> Services:
    """Services of this environment's home, with an account at each vendor."""
    paths = Paths.default(environ)
    paths.make()
    given = {f"RINGBACK_TOKEN_{vendor.upper()}": sandbox.tokens[vendor] for vendor in vendors}
    services = Services(paths, {**environ, **(given if tokens else {})}, UTC)
    for vendor in vendors:
        url, settings = sandbox.base_url(vendor), sandbox.settings[vendor]
        services.accounts.add(make_account(vendor, vendor, url, settings))
    return services


def change(services: Services, sql: str) -> None:
    """Write to the archive's file, past what keeps it whole."""
    with closing(sqlite3.connect(services.paths.archive_file)) as connection, connection:
        connection.execute(sql)


def select(services: Services, sql: str) -> list[tuple[Any, ...]]:
    """The rows of the archive's file that a statement gives."""
    with closing(sqlite3.connect(services.paths.archive_file)) as connection:
        return connection.execute(sql).fetchall()
