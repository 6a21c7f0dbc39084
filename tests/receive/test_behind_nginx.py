"""The documented nginx configuration, run."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.guards.readme_text import ROOT
from tests.receive.test_endpoint import Receiver, hook, listens, receiver, services

__all__ = ["receiver", "services"]

PAGE = (ROOT / "docs/receive.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    assert found is not None
    return found[1]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx here")
def test_a_webhook_comes_through_the_documented_proxy(receiver: Receiver, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    location = block("nginx").replace("127.0.0.1:8765", f"127.0.0.1:{receiver.port}")
    temporary = "".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"daemon off; user root; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ access_log {tmp_path}/access.log; {temporary}\n"
        f"server {{ listen 127.0.0.1:{port}; {location} }} }}\n"
    )
    with subprocess.Popen(["nginx", "-c", str(config), "-p", str(tmp_path)]) as nginx:
        try:
            url = f"http://127.0.0.1:{port}/ringback/desk/{receiver.secret}"
            receiver.until(lambda: listens(port))
            assert httpx.post(url, json=hook(940)).json() == {"kept": True}
            receiver.until(lambda: receiver.calls() == ["940"])
            assert httpx.post(url, content=b" " * 1_100_000).status_code == 413
            assert receiver.secret not in (tmp_path / "access.log").read_text()
        finally:
            nginx.terminate()


def test_the_unit_starts_the_command_there_is() -> None:
    [line] = [line for line in block("ini").splitlines() if line.startswith("ExecStart=")]
    words = line.partition("=")[2].split()
    assert words == ["%h/.local/bin/ringback", "receive"]
    if shutil.which("systemd-analyze") and os.environ.get("CI") != "true":
        unit = Path(os.environ["RINGBACK_HOME"]).parent / "ringback-receive.service"
        unit.write_text(block("ini").replace("%h/.local/bin/ringback", "/bin/true"))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", str(unit)], capture_output=True
        )
        assert b"ringback" not in done.stderr
