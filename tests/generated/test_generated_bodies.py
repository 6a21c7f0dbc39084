"""Whatever a vendor answers: nothing is raised, no call is lost, and none costs much."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings

from providers.base import Provider
from providers.model import Call, Json
from tests.generated.odd import hypothetical
from tests.generated.vendors import VENDORS, Bodies, in_process
from tests.providers.server import Answer, Request, Server, Waits
from tui.archive.merging import keep
from tui.archive.records import Saved
from tui.archive.sqlite import Archive
from tui.sync import sync
from tui.sync.report import Report
from tui.sync.sync import Sync, SyncRequest
from widgets.call_document import Extra, document, secrets_of
from widgets.columns import Clock
from widgets.json_text import json_lines

STEP = 2_000
"""Bodies of one walk."""
CLOCK = Clock(datetime(2026, 1, 1, tzinfo=UTC), UTC)
PERIOD = SyncRequest(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 1, tzinfo=UTC))
Figure = Callable[[str, object, str], None]


class Costs:
    """CPU time of reading, keeping and showing each call, in ms."""

    def __init__(self, provider: Provider, patch: pytest.MonkeyPatch) -> None:
        self.worst, self.of, self._spent = 0.0, "", 0.0
        parse = provider.parse

        def timed(raw: Json) -> Call:
            began = time.thread_time()
            call = parse(raw)
            self._spent = (time.thread_time() - began) * 1000
            self._took(self._spent, call)
            return call

        def one_by_one(
            archive: Archive, account: str, _: Any, calls: Iterable[Call], at: float | None = None
        ) -> Saved:
            saved = Saved()
            for call in calls:
                began = time.thread_time()
                saved += keep(archive, account, provider, [call], at)
                self._took((time.thread_time() - began) * 1000, call)
            return saved

        patch.setattr(provider, "parse", timed)
        patch.setattr(sync, "keep", one_by_one)

    def show(self, call: Call) -> None:
        began = time.thread_time()
        document(call, "desk", CLOCK, Extra(), 100)
        json_lines(call.raw, secrets_of(call))
        self._took((time.thread_time() - began) * 1000, call)

    def _took(self, ms: float, call: Call) -> None:
        if ms > self.worst:
            self.worst, self.of = ms, f"{call.id[:40]} {call.problems[:3]}"


async def walked(
    bodies: Bodies, archive: Archive, patch: pytest.MonkeyPatch
) -> tuple[Report, Costs]:
    """One sync of all bodies, in process."""
    login = bodies.login("https://vendor.example.com")
    provider = bodies.vendor(login)
    provider.sleep = Waits()
    await provider.client._client.aclose()
    provider.client._client = httpx.AsyncClient(transport=in_process(bodies))
    costs = Costs(provider, patch)
    return await Sync("desk", provider, login, archive).run(PERIOD), costs


def check(bodies: Bodies, report: Report, archive: Archive, costs: Costs | None = None) -> None:
    """Every body with an id is in the archive, every other one there or told; all can be shown."""
    assert report.error is None, report.error
    assert not report.shortfall or not bodies.are_distinct()
    expected = {id_ for row in bodies.rows if (id_ := bodies.ids(row))}
    lost = {id_ for id_ in expected if archive.key_of("desk", id_) is None}
    assert not lost, sorted(lost)[:5]
    assert len(expected) > len(bodies.rows) / 4, "most have an id, and three records one call"
    assert report.fetched >= len(expected) - len(lost), "and are calls"
    keys = archive.keys()
    told = report.failed + report.unknown_ids
    assert len(keys) + told >= len(expected)
    assert report.fetched + told >= len({*bodies.texts}) * (
        1 if bodies.vendor.id != "cinnox" else 1 / 3
    )
    for start in range(0, len(keys), 500):
        archive.rows(keys).window(start, start + 500)
    for key in keys:
        found = archive.call(key)
        assert found is not None
        if costs:
            costs.show(found[1])


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.vendor.id)
@pytest.mark.parametrize(
    "many",
    [
        200,
        pytest.param(2_000, marks=pytest.mark.slow),
        pytest.param(100_000, marks=[pytest.mark.long, pytest.mark.timeout(7200)]),
    ],
)
def test_generated_bodies_cost_no_call_and_little_time(
    vendor: type[Bodies], many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    chance = random.Random(f"{vendor.__name__} {many}")
    worst, of = 0.0, ""
    gc.disable()
    try:
        for first in range(1, many + 1, STEP):
            rows = vendor.generated(chance, min(STEP, many - first + 1), first)
            path = tmp_path / f"{first}.db"
            with Archive(path) as archive, monkeypatch.context() as patch:
                bodies = vendor(rows)
                report, costs = asyncio.run(walked(bodies, archive, patch))
                check(bodies, report, archive, costs)
            if costs.worst > worst:
                worst, of = costs.worst, costs.of
            for file in tmp_path.glob(f"{first}.db*"):
                file.unlink()
            gc.collect()
    finally:
        gc.enable()
    if many > 200:
        what = f"{many:,} generated bodies of {vendor.vendor.title}, the costliest call"
        figure(what, f"{worst:.0f} ms of CPU", "50 ms")
        print(of)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.vendor.id)
async def test_generated_bodies_over_http(vendor: type[Bodies], tmp_path: Path) -> None:
    bodies = vendor(vendor.generated(random.Random(vendor.__name__), 60, 1))

    def answer(request: Request) -> Answer:
        text = bodies.answer(request.path, dict(request.query))
        return Answer((text or "{}").encode("utf-8", "surrogatepass"), 404 if text is None else 200)

    with Server() as server, Archive(tmp_path / "a.db") as archive:
        server.answer = answer  # type: ignore[method-assign]
        login = bodies.login(server.url)
        provider = vendor.vendor(login)
        provider.sleep = Waits()
        check(bodies, await Sync("desk", provider, login, archive).run(PERIOD), archive)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.vendor.id)
def test_hypothetical_bodies(vendor: type[Bodies], tmp_path: Path) -> None:
    provider = vendor.vendor(vendor([]).login("https://vendor.example.com"))

    @settings(max_examples=25)
    @given(hypothetical(vendor.samples[:8]))
    def one(body: Any) -> None:
        call = provider.parse(body)
        assert provider.parse(call.raw) == call
        with archive.transaction():
            keep(archive, "desk", provider, [call], 1.0)
        kept = archive.call_by_id("desk", call.id)
        assert kept is not None
        document(kept, "desk", CLOCK, Extra(), 80)

    with Archive(tmp_path / "a.db") as archive:
        one()
