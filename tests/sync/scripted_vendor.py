"""A vendor that plays back pages, and a sync over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container
from dataclasses import dataclass, field, replace
from typing import Any

from providers.base import Login, Provider, Secret
from providers.errors import ProviderError, Unreachable
from providers.model import Call, CallQuery, Capabilities, Page, Recording
from tests.archive.calls import START, call
from tui.archive.sqlite import Archive
from tui.sync.report import Report
from tui.sync.sync import Sync, SyncRequest

NOW = START.timestamp() + 10 * 86400
DEFAULT = SyncRequest()


def with_recordings(call: Call, recordings: tuple[Recording, ...]) -> Call:
    """The call as a vendor gives it that was asked for its recordings."""
    summary = next((r.summary for r in recordings if r.summary), None)
    return replace(
        call,
        recordings=recordings,
        recordings_known=True,
        summary=call.summary or summary,
        has_recording=True if recordings else call.has_recording,
    )


@dataclass
class Vendor:
    """A provider that plays back pages and remembers what it was asked."""

    script: list[list[Call]]
    capabilities: Capabilities = field(default_factory=Capabilities)
    error: ProviderError | None = None
    error_at: int = 99
    total: int | None = None
    found: dict[str, tuple[Recording, ...]] = field(default_factory=dict)
    parser_version = 1
    skip_ids: Container[str] = ()
    asked: list[tuple[float, float, str | None]] = field(default_factory=list)
    served: list[int] = field(default_factory=list)

    async def __aenter__(self) -> Vendor:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def pages(self, query: CallQuery, cursor: str | None = None) -> AsyncIterator[Page]:
        self.asked.append((query.since.timestamp(), query.until.timestamp(), cursor))
        for number in range(int(cursor or 0), len(self.script)):
            if self.error and number == self.error_at:
                raise self.error
            self.served.append(number)
            last = number + 1 == len(self.script)
            yield Page(
                tuple(self.script[number]),
                None if last else str(number + 1),
                total=self.total,
                unknown_ids=("404",),
                failed=("x failed",) if number == 0 else (),
            )

    async def recordings(self, call: Call) -> Call:
        if call.id not in self.found:
            raise Unreachable("No answer")
        return with_recordings(call, self.found[call.id])

    async def discover(self, highest: int, stop_after: int, step: int) -> AsyncIterator[Page]:
        yield Page((call(highest + 1),), None)

    def parse(self, raw: Any) -> Call:
        return call(raw["id"], status=raw.get("status"), raw=raw)

    def merge(self, older: Any, newer: Any) -> Any:
        return {**older, **newer}


class Steps:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int | None]] = []

    def page(self, account: str, fetched: int, total: int | None) -> None:
        self.told.append((account, fetched, total))


def sync(
    archive: Archive,
    vendor: Vendor,
    wish: SyncRequest = DEFAULT,
    at: float = NOW,
    ids: str = "",
    watcher: Steps | None = None,
) -> Report:
    login = Login("https://x.example", Secret("t"), {"ids": ids}, archive.names("desk"))
    provider: Provider = vendor  # type: ignore[assignment]
    job = Sync("desk", provider, login, archive, watcher, clock=lambda: at)
    return asyncio.run(job.run(wish))
