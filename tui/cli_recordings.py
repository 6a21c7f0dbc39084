"""`ringback download` and `ringback play`."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import AuthError, ProviderError, RecordingError
from providers.model import Call
from tui import audit
from tui.accounts import Account
from tui.archive import Archive
from tui.cli_calls import read_name, split_name
from tui.exits import CommandError, Exit
from tui.fetching import vendor_of
from tui.recordings import (
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
from tui.services import Services

if TYPE_CHECKING:
    from tui.audio.source import Source

    Listening = Callable[[Source, str, float], Awaitable[int]]


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    if arguments.command == "download":
        return _download(services, arguments)
    return _play(services, arguments)


async def known_call(vendor: Vendor, archive: Archive, account: Account, id_: str) -> Call:
    """A call with its list of recordings, from the archive or else from the vendor.

    Raises `ProviderError`.
    """
    call = archive.get(account.name, id_)
    if call is None:
        call = await renewed(await vendor(), archive, account.name, Call(id_, account.provider))
    if not call.recordings_known:
        call = await with_known_recordings(await vendor(), archive, account.name, call)
    return call


async def fetch_all(
    services: Services, archive: Archive, account: Account, id_: str
) -> tuple[Call, list[Fetched | RecordingError]]:
    """A call and its recordings as files in the cache, or why one cannot be had.

    Raises `ProviderError` when not even the list of recordings can be had.
    """
    vendor = vendor_of(services, account, archive)
    cache = RecordingCache(services.paths.cached_recordings)
    got: list[Fetched | RecordingError] = []
    try:
        call = await known_call(vendor, archive, account, id_)
        for index in range(max(1, len(call.recordings))):
            place = (account.name, account.base_url, call, index)
            try:
                source, _ = await stream(vendor, archive, cache, *place)
                with closing(source):
                    got.append(await complete(source))
            except RecordingError as error:
                got.append(error)
    finally:
        await vendor.close()
    return call, got


@contextmanager
def _said(name: str) -> Iterator[None]:
    """What a vendor or a host did wrong, as the command line says it."""
    try:
        yield
    except ProviderError as error:
        code = Exit.TOKEN if isinstance(error, AuthError) else Exit.FAILED
        raise CommandError(f"{name}: {error}", error.hint, code) from None
    except RecordingError as error:
        raise CommandError(f"{name}: {error}") from None
    except BrokenPipeError:  # whoever read what is printed has left
        raise
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise CommandError(f"{name}: it cannot be read or written here: {what}") from None


def _download(services: Services, arguments: argparse.Namespace) -> int:
    account, id_ = split_name(services, arguments.call)
    with _said(arguments.call), services.open_archive() as archive:
        call, got = asyncio.run(fetch_all(services, archive, account, id_))
    folder, name = Path(arguments.output), f"{account.name}:{call.id}"
    failed = 0
    for index, one in enumerate(got):
        if isinstance(one, RecordingError):
            failed += 1
            print(f"{arguments.call}: {one}", file=sys.stderr)
            continue
        try:
            path = copy_to(one, folder, file_name(account.provider, call, index, one.kind))
        except OSError as error:
            raise CommandError(f"cannot write to {folder}: {error.strerror}") from None
        audit.record(services.paths, audit.DOWNLOAD, call=name, recording=index + 1)
        print(path)
    if not failed:
        return Exit.DONE
    return Exit.PARTLY if failed < len(got) else Exit.FAILED


def seconds(text: str) -> float:
    """``m:ss``, ``h:mm:ss`` or seconds, as seconds. Raises `CommandError`."""
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d{1,3}):)?(\d+(?:\.\d+)?)", text.strip())
    if match is None:
        raise CommandError(f"--from {text}: write it as m:ss, for example 3:12", code=Exit.USAGE)
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest


def _play(services: Services, arguments: argparse.Namespace) -> int:
    from tui.audio.cli import Wishes, play_on_terminal, print_words
    from tui.audio.player import FileSource

    start_s = seconds(arguments.start) if arguments.start else None
    if arguments.speed is not None and not 0.5 <= arguments.speed <= 3:
        raise CommandError("--speed is from 0.5 to 3", code=Exit.USAGE)
    settings = services.settings()
    wishes = Wishes(
        speed=arguments.speed or settings.audio.speed,
        volume=settings.audio.volume / 100,
        rewind_s=settings.audio.rewind_s,
        skip_silence=settings.audio.skip_silence,
        keymap=settings.keys,
    )

    async def listen(source: Source, title: str, begin_s: float) -> int:
        if arguments.words:
            return await print_words(source)
        return await play_on_terminal(source, title, wishes=wishes, start_s=begin_s)

    path = Path(arguments.what)
    if path.is_file():
        with _said(arguments.what):
            return asyncio.run(listen(FileSource(path), path.name, start_s or 0.0))
    if ":" not in arguments.what:
        raise CommandError(f"there is no file {arguments.what}", "Name a file, or ACCOUNT:ID.")
    return _play_call(services, arguments.what, start_s, listen)


def _play_call(services: Services, name: str, start_s: float | None, listen: Listening) -> int:
    """A recording of a call while it comes: the first one from its start, or where a link says."""
    account, link = read_name(services, name)
    begin_s = (link.at_s or 0.0) if start_s is None else start_s
    cache = RecordingCache(services.paths.cached_recordings)

    async def play(archive: Archive) -> int:
        vendor = vendor_of(services, account, archive)
        try:
            call = await known_call(vendor, archive, account, link.id)
            place = (account.name, account.base_url, call)
            source, call = await stream(vendor, archive, cache, *place, link.recording)
            with closing(source):
                part = link.recording + 1
                audit.record(services.paths, audit.PLAY, call=link.name, recording=part)
                title = call.contact.name or call.contact.number or call.id
                return await listen(source, title, begin_s)
        finally:
            await vendor.close()

    with _said(name), services.open_archive() as archive:
        return asyncio.run(play(archive))
