"""`ringback download`, and what it shares with `ringback play`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from providers import registry
from providers.errors import AuthError, NotUnderstood, ProviderError, RecordingError, reason
from providers.model import Call
from tui import audit_log
from tui.archive.interface import CallArchive
from tui.cli.calls import split_name
from tui.config.accounts import Account
from tui.console import print_error, print_text
from tui.error_boundary import error_boundary
from tui.exit_codes import CommandError, ExitCode
from tui.recordings.download import (
    Fetched,
    RecordingCache,
    Vendor,
    complete,
    copy_to,
    file_name,
    renewed,
    stream,
    with_known_recordings,
)
from tui.recordings.fetcher import vendor_of
from tui.services import Services
from tui.sync.recheck import AGAIN_S, is_due


def run(arguments: argparse.Namespace) -> int:
    return _download(Services.build(), arguments)


async def known_call(vendor: Vendor, archive: CallArchive, account: Account, id_: str) -> Call:
    """A call with its list of recordings, from the archive or else from the vendor.

    Raises `ProviderError`.
    """
    call = archive.call_by_id(account.name, id_)
    if call is None:
        call = await renewed(await vendor(), archive, account.name, Call(id_, account.provider))
    if not call.recordings_known:
        call = await with_known_recordings(await vendor(), archive, account.name, call)
    return call


async def _with_further(vendor: Vendor, archive: CallArchive, account: Account, call: Call) -> Call:
    """The call with the recordings that came since it was asked for; what is known can be had
    without the vendor.
    """
    with suppress(ProviderError):
        apart = registry.load(account.provider).capabilities.separate_recordings
        if apart and is_due(archive, account.name, call, datetime.now(UTC), AGAIN_S):
            return await with_known_recordings(await vendor(), archive, account.name, call)
    return call


async def fetch_all(
    services: Services, archive: CallArchive, account: Account, id_: str
) -> tuple[Call, list[Fetched | RecordingError | NotUnderstood]]:
    """A call and its recordings as files in the cache, or why one cannot be had.

    Raises `ProviderError` when not even the list of recordings can be had.
    """
    vendor = vendor_of(services, account, archive)
    cache = RecordingCache(services.paths.cached_recordings)
    got: list[Fetched | RecordingError | NotUnderstood] = []
    try:
        call = await known_call(vendor, archive, account, id_)
        call = await _with_further(vendor, archive, account, call)
        for index in range(max(1, len(call.recordings))):
            place = (account.name, account.base_url, call, index, account.recordings_proxy)
            try:
                with error_boundary(services.paths, account.name, OSError):
                    source, _ = await stream(vendor, archive, cache, *place)
                    with closing(source):
                        got.append(await complete(source))
            except (RecordingError, NotUnderstood) as error:
                got.append(error)
    finally:
        await vendor.close()
    return call, got


@contextmanager
def said(services: Services, name: str) -> Iterator[None]:
    """What a vendor or a host did wrong, as the command line says it."""
    try:
        with error_boundary(services.paths, name, CommandError, OSError):
            yield
    except ProviderError as error:
        code = ExitCode.TOKEN if isinstance(error, AuthError) else ExitCode.FAILED
        raise CommandError(f"{name}: {error}", error.hint, code) from None
    except RecordingError as error:
        raise CommandError(f"{name}: {error}") from None
    except BrokenPipeError:  # whoever read what is printed has left
        raise
    except OSError as error:
        what = f"{name}: it cannot be read or written here: {reason(error)}"
        raise CommandError(what) from None


def _download(services: Services, arguments: argparse.Namespace) -> int:
    account, id_ = split_name(services, arguments.call)
    with said(services, arguments.call), services.open_archive() as archive:
        call, got = asyncio.run(fetch_all(services, archive, account, id_))
    folder, name = Path(arguments.output), f"{account.name}:{call.id}"
    failed = 0
    for index, one in enumerate(got):
        if isinstance(one, Exception):
            failed += 1
            print_error(f"{arguments.call}: {one}")
            continue
        try:
            path = copy_to(one, folder, file_name(account.provider, call, index, one.kind))
        except OSError as error:
            raise CommandError(f"cannot write to {folder}: {reason(error)}") from None
        audit_log.record(services.paths, audit_log.DOWNLOAD, call=name, recording=index + 1)
        print_text(path)
    if not failed:
        return ExitCode.DONE
    return ExitCode.PARTLY if failed < len(got) else ExitCode.FAILED
