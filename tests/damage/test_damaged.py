"""Archives with damaged pages: words instead of tracebacks, nothing written, decisions rescued."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.damage.conftest import KINDS, Desk
from tui.archive.sqlite.damage import mark_of

READS = ["calls", "calls --json", "calls --csv", "calls müller -missed", "show desk:7", "show desk:8 --json",
         "show desk:9 --raw", "triage desk:10", "accounts list", "paths", "audit"]  # fmt: skip
WRITES = ["triage desk:9 --state done --tag x", "sync", "import desk 7.json", "refresh desk:3",
          "purge --number +12025550011 --yes", "triage --undo", "download desk:3"]  # fmt: skip
DOCTOR = ["doctor", "doctor --deep"]
Figure = Callable[..., None]


@pytest.mark.slow
@pytest.mark.parametrize(
    "times", [12, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_damaged_pages(desk: Desk, times: int, figure: Figure) -> None:
    seen = marked = rescued = had = 0
    for seed in range(times):
        random = Random(seed)
        kind = KINDS[seed % len(KINDS)]
        desk.put_back(kind(desk.whole, random), with_backup=seed % 2 == 0)
        readable = desk.readable()
        lines = random.sample(READS, 5) + random.sample(WRITES, 3) + random.sample(DOCTOR, 1)
        for line in random.sample(lines, len(lines)):
            before = desk.path.read_bytes() if mark_of(desk.path).exists() else b""
            desk(line)
            assert not before or desk.path.read_bytes() == before, f"seed {seed}: {line} wrote"
        marked += mark_of(desk.path).exists()
        purged = {row[0] for row in desk.events.values() if row[5] == "11"}
        desk("doctor --repair")
        now = {row[1:] for row in desk.decided().values()}
        want = readable if seed % 2 else desk.events
        lost = [seq for seq in want if seq not in purged and want[seq][1:] not in now]
        assert not lost, (
            f"seed {seed}: {kind.__name__}: {len(lost)} decisions not rescued: {lost[:9]}"
        )
        _, out, _ = desk("doctor --deep")
        assert "PROBLEM  archive" not in out, (
            f"seed {seed}: {[x for x in out.splitlines() if 'PROB' in x]}"
        )
        assert desk("triage desk:20 --note after")[0] in (0, 1)
        seen, rescued, had = seen + 1, rescued + len(want), had + len(desk.events)
    figure("damaged archives, no traceback", seen, f"{times}")
    figure("decisions rescued of those that can be read", f"{rescued:,}, of {had:,} in all", "all")
    assert marked > times // 2
