"""`ringback download` and `ringback play`."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from pathlib import Path

from providers.errors import AuthError, ProviderError, RecordingError
from providers.model import Call
from tui import audit
from tui.accounts import Account
from tui.archive import Archive
from tui.cli_calls import read_name, split_name
from tui.exits import CommandError, Exit
from tui.recordings import (
    Fetched,
    RecordingCache,
    copy_to,
    fetch,
    file_name,
    renewed,
    with_known_recordings,
)
from tui.services import Services


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    if arguments.command == "download":
        return _download(services, arguments)
    return _play(services, arguments)


async def fetch_all(
    services: Services, archive: Archive, account: Account, id_: str, only_first: bool = False
) -> tuple[Call, list[Fetched | RecordingError]]:
    """A call and its recordings as files in the cache, or why one cannot be had.

    Raises `ProviderError` when not even the list of recordings can be had.
    """
    cache = RecordingCache(services.paths.cached_recordings)
    call = archive.get(account.name, id_)
    if call and call.recordings and call.recordings_known:
        wanted = range(1 if only_first else len(call.recordings))
        cached = [cache.find(account.name, call, index) for index in wanted]
        if all(cached):
            return call, [one for one in cached if one]
    token = await asyncio.to_thread(services.find_token, account)
    provider = services.provider(account, services.login(account, token, archive))
    got: list[Fetched | RecordingError] = []
    async with provider:
        if call is None:
            call = await renewed(provider, archive, account.name, Call(id_, account.provider))
        call = await with_known_recordings(provider, archive, account.name, call)
        count = max(1, min(1, len(call.recordings)) if only_first else len(call.recordings))
        for index in range(count):
            try:
                got.append(
                    await fetch(
                        provider, archive, cache, account.name, account.base_url, call, index
                    )
                )
            except RecordingError as error:
                got.append(error)
    return call, got


def _fetched(
    services: Services, name: str, only_first: bool = False
) -> tuple[Account, Call, list[Fetched | RecordingError]]:
    account, id_ = split_name(services, name)
    try:
        with services.open_archive() as archive:
            call, got = asyncio.run(fetch_all(services, archive, account, id_, only_first))
    except ProviderError as error:
        code = Exit.TOKEN if isinstance(error, AuthError) else Exit.FAILED
        raise CommandError(f"{name}: {error}", error.hint, code) from None
    return account, call, got


def _download(services: Services, arguments: argparse.Namespace) -> int:
    account, call, got = _fetched(services, arguments.call)
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
    from tui.audio.cli import play_on_terminal
    from tui.audio.player import FileSource

    start_s = seconds(arguments.start) if arguments.start else 0.0
    if not 0.5 <= arguments.speed <= 3:
        raise CommandError("--speed is from 0.5 to 3", code=Exit.USAGE)
    path = Path(arguments.what)
    title = path.name
    if not path.is_file():
        if ":" not in arguments.what:
            raise CommandError(f"there is no file {arguments.what}", "Name a file, or ACCOUNT:ID.")
        _, link = read_name(services, arguments.what)
        account, call, got = _fetched(services, arguments.what, only_first=not link.recording)
        one = got[link.recording] if link.recording < len(got) else RecordingError("none")
        if isinstance(one, RecordingError):
            raise CommandError(f"{arguments.what}: {one}")
        path, title = one.path, call.contact.name or call.contact.number or call.id
        start_s = start_s if arguments.start else link.at_s or 0.0
        name = f"{account.name}:{call.id}"
        audit.record(services.paths, audit.PLAY, call=name, recording=link.recording + 1)
    return asyncio.run(
        play_on_terminal(FileSource(path), title, speed=arguments.speed, start_s=start_s)
    )
