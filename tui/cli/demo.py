"""`ringback demo`: the three synthetic vendors, and a home that is gone afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tui.config.accounts import make_account
from tui.exit_codes import CommandError
from tui.services import Services


@contextmanager
def demo_services(port: int) -> Iterator[Services]:
    """A home of its own with an account at each synthetic vendor; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="ringback-demo-"))
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "providers.sandbox", "--recorded-newest", "--port", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert sandbox.stdout is not None
        line = sandbox.stdout.readline()
        if not line:
            raise CommandError(
                "the synthetic vendors did not start",
                f"Is one of the ports {port} to {port + 3} taken?",
            )
        services = _demo_home(home, json.loads(line))
        yield services
    finally:
        sandbox.terminate()
        sandbox.wait()
        shutil.rmtree(home, ignore_errors=True)


def _demo_home(home: Path, vendors: dict[str, Any]) -> Services:
    # the demo's environment names no keyring, and its tokens are worth nothing
    environ = {**os.environ, "RINGBACK_HOME": str(home)}
    environ |= {
        f"RINGBACK_TOKEN_{vendor.upper()}": token for vendor, token in vendors["tokens"].items()
    }
    services = Services.build(environ)
    for vendor, url in vendors["base_urls"].items():
        settings = vendors["settings"][vendor]
        services.accounts.add(make_account(vendor, vendor, url, settings))
    return services
