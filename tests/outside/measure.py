"""What many calls cost: `python -m tests.outside.measure [CALLS]` (100,000 if not said).

A sync from a server that answers at once, a sync of what is known already, an import of webhook
bodies, and the lists; for each its wall time, CPU time and largest memory.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
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


MEASURE = """
import json, os, sys, time
began = time.monotonic()
pid = os.posix_spawn(sys.executable, [sys.executable, "-m", "tui.cli", *sys.argv[1:]], os.environ)
_, status, usage = os.wait4(pid, 0)
cpu_s = usage.ru_utime + usage.ru_stime
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, time.monotonic() - began, cpu_s, usage.ru_maxrss / 1024]), file=sys.stderr)
"""
"""Run by a small process of its own: a child counts the memory that it was forked with."""


def measured(env: dict[str, str], *words: str) -> float:
    """Run one command and print what it cost; its largest memory in MB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words],
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    code, wall_s, cpu_s, megabytes = json.loads(done.stderr.splitlines()[-1])
    print(
        f"{' '.join(words):60.60}  exit {code}  {wall_s:6.1f} s  CPU {cpu_s:6.1f} s  {megabytes:5.0f} MB"
    )
    return float(megabytes)


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
