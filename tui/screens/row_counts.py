"""How many calls match, how many stand before those that are held, and which names they have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from tui.archive.errors import ArchiveError, CallNotFound
from tui.archive.interface import CallArchive
from tui.screens.context import ScreenContext
from tui.screens.sidebar_items import facet_items
from widgets.sidebar import FacetItem

FACETS_MOST = 100_000
"""Calls that are read for exact counts; of more, the sidebar's are lower bounds."""
REST = 3
"""So many times as long as a count took, the next one waits, unless the query is another."""


class RowCounts:
    """Belongs to the screen's loop, counts beside it. `on_count` is called when there is more to
    know, `on_facets` gets the names; there are none to count unless `wants_facets`.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        on_count: Callable[[], None],
        on_facets: Callable[[tuple[FacetItem, ...]], None],
        wants_facets: Callable[[], bool],
    ) -> None:
        self._ctx, self._on_count = ctx, on_count
        self._on_facets, self._wants_facets = on_facets, wants_facets
        self._is_outdated = False
        self._counted: tuple[str, int] | None = None
        """How many calls matched a query when they were counted last."""
        self._exact: str | None = None
        """The query whose names were counted exactly last: no lower bounds come back then."""

    @property
    def total(self) -> int | None:
        """How many calls match, where that is known."""
        part, counted = self._ctx.snapshot.part, self._counted
        if part.total is not None or counted is None or counted[0] != self._ctx.query_text:
            return part.total
        return max(counted[1], part.seen)

    def recount(self, anew: bool) -> None:
        """Count beside the screen; of another query than before at once."""
        if self._ctx.is_working("count") and not anew:
            self._is_outdated = True
        else:
            self._ctx.work(self._count, "count", exclusive=True)

    async def _count(self) -> None:
        self._is_outdated = True
        while self._is_outdated:
            self._is_outdated = False
            began = time.monotonic()
            with suppress(ArchiveError):  # the rows are read too, and say it
                await self._count_once()
            if self._is_outdated:
                await asyncio.sleep(REST * (time.monotonic() - began))

    async def _count_once(self) -> None:
        """First what is there soon, then all, then what each name has of it."""
        query, text = self._ctx.query, self._ctx.query_text
        complete = await self._count_facets(exact=text == self._exact)
        part = self._ctx.snapshot.part
        if not (part.begins and part.ends):
            counted = await self._ctx.reads.ask(lambda archive: archive.count(query))
            if counted is not None:
                self._counted = (text, counted)
                self._on_count()
        await self._count_above()
        total = self.total
        if not complete and total is not None and total <= FACETS_MOST:
            await self._count_facets(exact=True)

    async def _count_above(self) -> None:
        """How many rows stand before those that are held."""
        part, order, counted = self._ctx.snapshot.part, self._ctx.order, self._counted
        text = self._ctx.query_text
        if part.begins or not part.keys:
            return

        def ask(archive: CallArchive) -> int | None:
            with suppress(CallNotFound):  # the rows are read anew because of it
                return archive.count_before(part.keys[0], *order)
            return None

        if part.ends and counted and counted[0] == text:
            above: int | None = counted[1] - len(part.keys)
        else:
            above = await self._ctx.reads.ask(ask)
        if above is not None and self._ctx.snapshot.part.keys[:1] == part.keys[:1]:
            self._ctx.replace_part(self._ctx.snapshot.part._replace(above=above))
            self._on_count()

    async def _count_facets(self, exact: bool = False) -> bool:
        """Whom and what the calls shown have most of; whether that is exact, or not wanted."""
        query, text = self._ctx.query, self._ctx.query_text
        if not self._wants_facets():
            return True
        found = await self._ctx.reads.ask(
            lambda archive: archive.facets(query, None) if exact else archive.facets(query)
        )
        if found is None or text != self._ctx.query_text:
            return True
        self._on_facets(facet_items(found, self._ctx.veil))
        self._exact = text if found.complete else None
        return found.complete
