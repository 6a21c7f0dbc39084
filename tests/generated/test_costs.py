"""Bodies that were made to cost much: what is read, kept and shown of them is bounded."""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.base import Login, Secret
from providers.cinnox import Cinnox
from providers.fields import bounded_rows
from providers.limits import CALL_TEXT
from providers.liner import Liner
from providers.nectar import Nectar
from tests.generated.odd import TEXTS
from tests.providers.cinnox_bodies import EVENT, FILE, RECORD
from tests.providers.liner_bodies import CALL
from tests.providers.liner_bodies import RECORD as RECORDING
from tests.providers.nectar_bodies import AGENT, HOOK, REST
from tests.slow_params import few
from tui.archive.merging import keep
from tui.archive.sqlite import Archive
from widgets.call_document import Extra, document, secrets_of
from widgets.columns import Clock
from widgets.json_text import json_lines

CLOCK = Clock(datetime(2026, 1, 1, tzinfo=UTC), UTC)
MOST_STEPS = 300_000
"""Calls of functions, Python's own too, for one call at each of its stations."""
MANY = 10_000
_CHANCE = random.Random(1)
VENDORS: dict[str, Any] = {"liner": Liner, "cinnox": Cinnox, "nectar": Nectar}


def words(size: int) -> str:
    """Words that are all different, some thousand of them."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join("".join(_CHANCE.choices(letters, k=3)) for _ in range(size // 4))


def agents() -> list[Any]:
    return [{**AGENT, "id": n, "alias": words(40)} for n in range(MANY)]


def addresses(many: int) -> list[str]:
    return [f"https://h.example.com/{n}/{words(80)}" for n in range(many)]


def filled(body: dict[str, Any], text: str) -> dict[str, Any]:
    """The body with this text in every place that has one."""

    def one(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: one(part) for key, part in value.items()}
        return [one(part) for part in value] if isinstance(value, list) else text

    return {key: one(value) for key, value in body.items()} | {"id": 1, "callID": "c1"}


COSTLY: dict[str, tuple[str, Callable[[], Any]]] = {
    "brackets": ("nectar", lambda: {**HOOK, "sub_type": "(" * 64_000}),
    "agents": ("nectar", lambda: {**REST, "all_agents": agents(), "answered_agents": agents()}),
    "agents of a webhook": ("nectar", lambda: {**HOOK, "agents": [{"id": n, "name": words(30), "action": words(20)} for n in range(MANY)]}),
    "true tags": ("nectar", lambda: {**REST, "tags": [True] * 32_000}),
    "tags": ("nectar", lambda: {**REST, "tags": [words(200) for _ in range(MANY)]}),
    "transfers": ("nectar", lambda: {**HOOK, "external_numbers": [{"number": f"1202555{n:05}", "is_any_transfer": True} for n in range(MANY)]}),
    "recordings": ("nectar", lambda: {**REST, "recordings": [{"id": n, "url": url} for n, url in enumerate(addresses(3_000))]}),
    "addresses in every name": ("liner", lambda: {**CALL, "records": [{**RECORDING, "id": n, "userId": n, "fileUrl": url, "recordSummary": "/" * 300} for n, url in enumerate(addresses(3_000))]}),
    "fields": ("liner", lambda: {**CALL, **{f"x{n}": words(10) for n in range(20_000)}}),
    "legs": ("cinnox", lambda: [{**RECORD, "id": f"r{n}", "callSeq": n, "toEID": f"s{n}", "toDisplayName": words(90), "lastHandledParty": f"x{n}"} for n in range(500)]),
    "short legs": ("cinnox", lambda: [{"id": f"r{n}", "callID": "c1", "callSeq": n, "toEID": f"s{n}", "callDirection": "Inbound", "callDate": f"2023-07-04T02:15:{n % 60:02}Z"} for n in range(500)]),
    "recording events": ("cinnox", lambda: [{**RECORD, "recordingEventList": [{**EVENT, "startAt": f"2023-07-04T02:{n % 60:02}:00Z", "files": [{**FILE, "id": f"f{n}-{m}"} for m in range(20)]} for n in range(500)]}]),
    "deep": ("liner", lambda: {**CALL, "x": json.loads("[" * 500 + "]" * 500)}),
    "different words": ("nectar", lambda: {**HOOK, "disposition": {"code": words(64_000), "note": words(64_000)}, "contact": {"firstName": words(64_000), "lastName": words(64_000), "phone": "9" * 100_000}, "ringGroup": words(64_000), "campaign": words(64_000)}),
} | {
    f"{vendor} with {text[:12]!r} everywhere": (vendor, lambda body=body, text=text: filled(body, text))
    for text in TEXTS
    if len(text) > 250
    for vendor, body in (("liner", CALL), ("cinnox", RECORD), ("nectar", REST), ("nectar", HOOK))
}  # fmt: skip


class Station:
    """One thing that is done with a call: how many functions it called, and how long it took."""

    def __init__(self, name: str, did: Callable[[], Any], counted: bool) -> None:
        self.name, self.steps = name, 0
        gc.disable()
        if counted:
            sys.setprofile(self._step)
        began = time.thread_time()
        try:
            self.result = did()
        finally:
            self.ms = (time.thread_time() - began) * 1000
            sys.setprofile(None)
            gc.enable()

    def _step(self, frame: Any, event: str, argument: Any) -> None:
        self.steps += event in ("call", "c_call")


def stations(name: str, archive: Archive, counted: bool) -> Iterator[Station]:
    """All that is done with a call from its answer to the screen, twice with a change in it."""
    vendor, make = COSTLY[name]
    provider = VENDORS[vendor](Login("https://v.example.com", Secret("t"), {"app_id": "1"}))

    def kept(call: Any) -> None:
        with archive.transaction():
            keep(archive, name, provider, [call], 1.0)

    rows = bounded_rows(make())
    raw = rows if vendor == "cinnox" else rows[0]
    yield (first := Station("read", lambda: provider.parse(raw), counted))
    yield Station("store", lambda: kept(first.result), counted)
    other = json.loads(json.dumps(raw))
    (other[0] if vendor == "cinnox" else other)["something"] = "new"
    again = provider.parse(other)
    yield Station("merge", lambda: kept(again), counted)
    call = archive.call_by_id(name, again.id)
    assert call is not None
    assert len(json.dumps(call.raw, ensure_ascii=False)) < 4 * CALL_TEXT, (
        "nothing of what was cut is kept"
    )
    assert len(call.agents) <= 200 and len(call.recordings) <= 200
    yield Station("show", lambda: document(call, "desk", CLOCK, Extra(), 100), counted)
    yield Station("show the JSON", lambda: json_lines(call.raw, secrets_of(call)), counted)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive(tmp_path_factory.mktemp("costs") / "archive.db") as opened:
        yield opened


@pytest.mark.parametrize("name", few(12, COSTLY))
def test_no_call_takes_many_steps(name: str, archive: Archive) -> None:
    for station in stations(name, archive, counted=True):
        assert station.steps < MOST_STEPS, station.name


@pytest.mark.slow
def test_the_costliest_call(archive: Archive, figure: Callable[[str, object, str], None]) -> None:
    next(stations("brackets", archive, counted=False))  # what is imported once is no call's cost
    found = [
        (station.ms, f"{station.name}: {name}")
        for name in COSTLY
        for station in stations(name, archive, counted=False)
    ]
    ms, what = max(found)
    figure(
        f"the costliest of {len(COSTLY)} calls made to cost",
        f"{ms:.0f} ms of CPU ({what})",
        "50 ms",
    )
