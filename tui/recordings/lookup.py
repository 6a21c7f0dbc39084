"""A call and its list of recordings, asked for at its vendor and kept in the archive."""

from __future__ import annotations

import time
from datetime import timedelta

from providers.base import Provider
from providers.errors import NotFound
from providers.model import Call, CallQuery
from tui.archive.interface import CallArchive
from tui.archive.merging import keep, reconcile

LONG = timedelta(hours=2)
"""How long a call may be that had not ended when it was last seen."""


async def refresh_recordings(
    provider: Provider, archive: CallArchive, account: str, call: Call
) -> Call:
    """The call with its list of recordings, asked for and kept (not kept where there is no room
    for it).

    Raises `ProviderError`; the archive then stays as it was.
    """
    kept = _saved(provider, archive, account, await provider.recordings(call))
    if not kept.recordings_known:  # it was asked all the same
        archive.write_if_possible(
            lambda: archive.note_recordings_asked(account, [call.id], time.time())
        )
    return kept


async def refresh_call(provider: Provider, archive: CallArchive, account: str, call: Call) -> Call:
    """`fetch_call`, kept where there is room for it. Raises `ProviderError`."""
    return _saved(provider, archive, account, await fetch_call(provider, call))


async def fetch_call(provider: Provider, call: Call) -> Call:
    """The call with its recordings as the vendor has it now. Raises `ProviderError`."""
    if provider.capabilities.gets_one_call:
        newer = await provider.call(call.id)
    else:
        newer = await _find_by_time(provider, call)
    if provider.capabilities.separate_recordings:
        newer = await provider.recordings(newer)
    return newer


async def _find_by_time(provider: Provider, call: Call) -> Call:
    """A vendor without "get one call": look where it stood, for its records on all pages."""
    if call.started_at is None:
        raise NotFound(
            "Not known",
            f"{provider.title} is asked by time, and when call {call.id} was is not known",
            "Bring the calls of its day: ringback sync --since DATE",
        )
    minute = timedelta(minutes=1)
    end = (call.ended_at or call.started_at + LONG) + minute
    raw = None
    async for page in provider.pages(CallQuery(call.started_at - minute, end)):
        for found in page.calls:
            if found.id == call.id:
                raw = found.raw if raw is None else provider.merge(raw, found.raw)
    if raw is None:
        raise NotFound("Not found", f"the vendor no longer lists call {call.id}")
    return provider.parse(raw)


def _saved(provider: Provider, archive: CallArchive, account: str, call: Call) -> Call:
    """The call over what the archive has of it now: what came while it was asked for stays."""
    before = archive.call_by_id(account, call.id)
    archive.write_if_possible(lambda: keep(archive, account, provider, [call], time.time()))
    return reconcile(provider, before, call) if before else call
