"""Work that goes on at the same time: how much of it, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def gather_bounded(
    function: Callable[[T], Awaitable[object]], items: Iterable[T], limit: int = 4
) -> None:
    """Await ``function(item)`` for all items, at most `limit` at a time.

    The first exception cancels the rest and is raised as it is; so does cancelling this.
    """
    slots = asyncio.Semaphore(limit)

    async def one(item: T) -> None:
        async with slots:
            await function(item)

    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(one(item))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work` to its end, also where this is cancelled: of many connections each takes time
    to close, and one that is left out stays open.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
