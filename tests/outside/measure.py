"""What many calls cost: `python -m tests.outside.measure [CALLS]` (100,000 if not said).

A sync from a server that answers at once, a sync of what is known already, an import of webhook
bodies, and the lists; for each its wall time, CPU time and largest memory.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.outside import raw
from tests.outside.server import TOKENS, Vendors
from tests.outside.test_import import WEBHOOK


def rows(many: int) -> list[raw.Stored]:
    """`many` plain Liner calls, a minute apart."""
    plain = [s.row for s in raw.liner_rows(many=900) if isinstance(s.row.get("orderId"), int)][:99]
    found = []
    for number in range(many):
        at = raw.FIRST_DAY - timedelta(minutes=number)
        row = {**plain[number % 99], "id": number + 1, "createdAt": raw.iso(at)}
        found.append(raw.Stored(at, row, 202))
    return found


def serve(many: int, port: Any) -> None:
    vendors = Vendors()
    vendors.liner = rows(many)
    kept = [stored.row for stored in vendors.liner]
    # the whole period is asked for: no need to look at every row for every page
    vendors._calls = lambda request: vendors._page(request, kept)  # type: ignore[method-assign]
    port.send(vendors.url)
    time.sleep(3600)


def measured(env: dict[str, str], *words: str) -> float:
    """Run one command and print what it cost; its largest memory in MB."""
    began = time.monotonic()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "tui.cli", *words],
        {**os.environ, **env},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, env["RINGBACK_HOME"] + ".out", os.O_WRONLY | os.O_CREAT, 0o600)
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    print(
        f"{' '.join(words):60.60}  exit {os.waitstatus_to_exitcode(status)}"
        f"  {time.monotonic() - began:6.1f} s  CPU {usage.ru_utime + usage.ru_stime:6.1f} s"
        f"  {usage.ru_maxrss / 1024:5.0f} MB"
    )
    return usage.ru_maxrss / 1024


def webhooks(folder: Path, many: int) -> Path:
    """A file of `many` webhook bodies, one a line."""
    path = folder / "bodies.jsonl"
    with path.open("w") as out:
        for number in range(many):
            out.write(json.dumps({**WEBHOOK, "id": number + 1}) + "\n")
    return path


def main(many: int) -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(many, theirs), daemon=True)
    server.start()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        env = {"RINGBACK_HOME": f"{folder}/ringback", "TZ": "UTC"}
        env["RINGBACK_TOKEN_SALES"] = TOKENS["liner"]
        env["RINGBACK_TOKEN_DESK"] = TOKENS["nectar"]
        bodies = webhooks(Path(folder), many)
        add = ["accounts", "add"]
        measured(env, *add, "sales", "--provider", "liner", "--base-url", url, "--order", "202")
        measured(env, *add, "desk", "--provider", "nectar", "--base-url", url)
        measured(env, "sync", "sales", "--until", raw.UNTIL)
        measured(env, "sync", "sales", "--until", raw.UNTIL)
        measured(env, "import", "desk", str(bodies))
        measured(env, "calls", "--json", "--account", "sales")
        measured(env, "calls", "--csv", "--account", "sales")
        measured(env, "calls", "--account", "sales")
        measured(env, "calls", "--limit", "20", "missed")
    server.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
