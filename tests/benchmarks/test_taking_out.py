"""What an export, a look for related calls and a line of the audit log cost; figures printed."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from random import Random

import pytest

from tests.benchmarks.fill import fill
from tests.guards.readme_text import ROOT
from tui import audit_log
from tui.services import Services

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
CALLS = int(os.environ.get("RINGBACK_BENCH_CALLS", "50000"))

_EXPORT = """
import json, os, re, sys, time
from pathlib import Path
from tui.export import csv_json
from tui.services import Services
form, limit = sys.argv[1], int(sys.argv[2])
with Services.build(os.environ).open_archive() as archive:
    keys = archive.keys(limit=limit)
    began = time.process_time()
    path = Path(os.environ["RINGBACK_HOME"]) / f"{form}-{limit}"
    csv_json.save(archive.export(keys), path, form, ())
    took = time.process_time() - began
# not rusage: that has what the parent held before this program began
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([took, peak, path.stat().st_size]))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    environ = {"RINGBACK_HOME": str(tmp_path_factory.mktemp("large"))}
    fill(environ, CALLS)
    yield environ


@pytest.mark.parametrize("form", ["csv-all", "json"])
def test_an_export_takes_no_memory_for_its_calls(home: dict[str, str], form: str) -> None:
    figures = {}
    for count in (CALLS // 50, CALLS):
        done = subprocess.run(
            [sys.executable, "-c", _EXPORT, form, str(count)],
            env={**os.environ, **home, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        figures[count] = json.loads(done.stdout)
    few, many = figures[CALLS // 50], figures[CALLS]
    print(
        f"{form}: {CALLS:,} calls in {many[0]:.1f} s of the processor"
        f" ({CALLS / many[0]:,.0f} calls/s), {many[2] / 1e6:.1f} MB;"
        f" peak {many[1] / 1024:.1f} MiB, with {CALLS // 50:,} calls {few[1] / 1024:.1f} MiB"
    )
    # eight bytes a call for its key, and the archive's cache of pages
    assert many[1] - few[1] < 8_000 + CALLS * 8 * 3 / 1024


def test_related_calls_are_found_in_a_blink(home: dict[str, str]) -> None:
    random, times = Random(3), []
    with Services.build(home).open_archive() as archive:
        for _ in range(300):
            key = random.randint(1, CALLS)
            began = time.perf_counter()
            archive.related(key, 21)
            times.append(time.perf_counter() - began)
    p50, p95 = statistics.median(times) * 1000, statistics.quantiles(times, n=20)[-1] * 1000
    print(f"related calls among {CALLS:,}: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
    assert p95 < 50


def test_a_line_of_the_audit_log_costs_next_to_nothing(home: dict[str, str]) -> None:
    paths, times = Services.build(home).paths, []
    for number in range(2000):
        began = time.perf_counter()
        audit_log.record(paths, audit_log.PLAY, call=f"desk:{number}", recording=1)
        times.append(time.perf_counter() - began)
    p50, p95 = statistics.median(times) * 1e6, statistics.quantiles(times, n=20)[-1] * 1e6
    print(f"a line of the audit log: p50 {p50:.0f} us, p95 {p95:.0f} us")
    assert p50 < 5_000


def test_a_purge_of_one_number(home: dict[str, str]) -> None:
    services = Services.build(home)
    with services.open_archive() as archive:
        keys = archive.keys_of_number("+12025550042")
        size = services.paths.archive_file.stat().st_size
        began = time.perf_counter()
        purged, rewritten = archive.purge(keys, "+12025550042")
        took = time.perf_counter() - began
    print(f"a purge of {purged.calls} of {CALLS:,} calls ({size / 1e6:.0f} MB): {took:.1f} s")
    assert rewritten and purged.calls == len(keys) > 0
