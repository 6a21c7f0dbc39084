from __future__ import annotations

import pytest

_NAMES = ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test names holds."""
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
