"""`ringback download`: the recordings of a call as files of the user's."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from providers import registry
from providers.errors import NotUnderstood, ProviderError, RecordingError, reason
from providers.model import Call
from tui import audit_log
from tui.archive.interface import CallArchive
from tui.cli.call_names import NOT_CACHED, find_call, kept_call, known_call
from tui.cli.errors import recording_errors
from tui.config.accounts import Account
from tui.console import print_error, print_text
from tui.error_boundary import error_boundary
from tui.exit_codes import CommandError, ExitCode
from tui.recordings.cache import RecordingCache, RecordingFile
from tui.recordings.download import complete, copy_to, file_name
from tui.recordings.fetcher import lazy_provider
from tui.recordings.lookup import refresh_recordings
from tui.recordings.stream import LazyProvider, open_stream
from tui.services import Services
from tui.sync.recheck import AGAIN_S, is_due

Got = RecordingFile | RecordingError | NotUnderstood | CommandError
"""A recording's file in the cache, or why it cannot be had."""


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    account, link = find_call(services, arguments.call)
    with recording_errors(services, arguments.call), services.open_archive() as archive:
        if account is None:
            call = kept_call(archive, link)
            got = _cached(services, link.account, call)
        else:
            call, got = asyncio.run(_fetch_all(services, archive, account, link.id))
    folder, name = Path(arguments.output), f"{link.account}:{call.id}"
    failed = 0
    for index, one in enumerate(got):
        if isinstance(one, Exception):
            failed += 1
            print_error(f"{arguments.call}: {one}")
            continue
        try:
            path = copy_to(one, folder, file_name(call.provider, call, index, one.kind))
        except OSError as error:
            raise CommandError(f"cannot write to {folder}: {reason(error)}") from None
        audit_log.record(services.paths, audit_log.DOWNLOAD, call=name, recording=index + 1)
        print_text(path)
    if not failed:
        return ExitCode.DONE
    return ExitCode.PARTLY if failed < len(got) else ExitCode.FAILED


def _cached(services: Services, account: str, call: Call) -> list[Got]:
    """What the cache has of the recordings of an account that was removed."""
    cache = RecordingCache(services.paths.cached_recordings)
    found = [cache.find(account, call, index) for index in range(max(1, len(call.recordings)))]
    return [file or CommandError(NOT_CACHED) for file in found]


async def _with_further(
    provider: LazyProvider, archive: CallArchive, account: Account, call: Call
) -> Call:
    """The call with the recordings that came since it was asked for; what is known can be had
    without the vendor.
    """
    with suppress(ProviderError):
        apart = registry.load(account.provider).capabilities.separate_recordings
        if apart and is_due(archive, account.name, call, datetime.now(UTC), AGAIN_S):
            return await refresh_recordings(await provider(), archive, account.name, call)
    return call


async def _fetch_all(
    services: Services, archive: CallArchive, account: Account, id_: str
) -> tuple[Call, list[Got]]:
    """A call and its recordings as files in the cache, or why one cannot be had.

    Raises `ProviderError` when not even the list of recordings can be had.
    """
    provider = lazy_provider(services, account, archive)
    cache = RecordingCache(services.paths.cached_recordings)
    got: list[Got] = []
    try:
        call = await known_call(provider, archive, account, id_)
        call = await _with_further(provider, archive, account, call)
        for index in range(max(1, len(call.recordings))):
            place = (account.name, account.base_url, call, index, account.recordings_proxy)
            try:
                with error_boundary(services.paths, account.name, OSError):
                    source, _ = await open_stream(provider, archive, cache, *place)
                    with closing(source):
                        got.append(await complete(source))
            except (RecordingError, NotUnderstood) as error:
                got.append(error)
    finally:
        await provider.close()
    return call, got
