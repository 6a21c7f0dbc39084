"""`ringback play`: one recording after the other of a call, or a file."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import RecordingError
from providers.model import Call
from tui import audit_log
from tui.archive.errors import ArchiveBusy, ArchiveReadOnly, ArchiveUnavailable
from tui.archive.interface import CallArchive
from tui.archive.records import recording_key
from tui.audio.client.source import FileSource
from tui.call_links import Link
from tui.cli.call_names import NOT_CACHED, find_call, kept_call, known_call
from tui.cli.errors import recording_errors
from tui.config.accounts import Account
from tui.exit_codes import CommandError, ExitCode
from tui.playback.history import ListeningSession, recording_title
from tui.recordings.cache import RecordingCache
from tui.recordings.fetcher import lazy_provider
from tui.recordings.stream import open_stream
from tui.services import Services

if TYPE_CHECKING:
    from tui.audio.client.source import Source
    from tui.audio.client.state import PlayerState
    from tui.recordings.progressive_download import ProgressiveDownload

    Listen = Callable[[Source, str, float, "PlaybackSession | None"], Awaitable[int]]
    Opened = tuple[ProgressiveDownload | FileSource, Call]
    Open = Callable[[Call, int], Awaitable[Opened]]


UNWRITTEN = (ArchiveReadOnly, ArchiveBusy, ArchiveUnavailable)
"""Nothing can be kept now; listening goes on without."""


class PlaybackSession:
    """Who listens to one recording of a call: what is remembered of it, and where they go next."""

    def __init__(self, services: Services, archive: CallArchive, name: str, call: Call, index: int):
        key = recording_key(call, index)
        known = archive.listening.of_call(name, call.id).get(key)
        self.left_s = known.left_s if known else 0.0
        self._archive, self._index, self._count = archive, index, len(call.recordings)
        self._listening = ListeningSession(name, call.id, key, lambda: services.now().timestamp())
        self._listening.heard = bool(known and known.heard_at)
        self.step = 0

    def begin(self, at_s: float) -> None:
        self._listening.position_s = self._listening.began_s = at_s

    def watch(self, state: PlayerState) -> None:
        if not state.silent and self._listening.listen(
            state.status, state.position_s, state.length_s
        ):
            self._note()

    def go(self, step: int) -> bool:
        """Whether there is a recording so many further, to be played next."""
        there = 0 <= self._index + step < self._count
        self.step = step if there else 0
        return there

    def leave(self) -> None:
        if self._listening.played:
            self._note()

    def _note(self) -> None:
        with suppress(*UNWRITTEN):  # the next note will do
            self._listening.note(self._archive)


def seconds(text: str) -> float:
    """``m:ss``, ``h:mm:ss`` or seconds, as seconds. Raises `CommandError`."""
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d{1,3}):)?(\d+(?:\.\d+)?)", text.strip())
    if match is None:
        raise CommandError(
            f"--from {text}: write it as m:ss, for example 3:12", code=ExitCode.USAGE
        )
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest


def run(arguments: argparse.Namespace) -> int:
    from tui.cli.terminal_player import PlayOptions, play_on_terminal, print_words

    services = Services.build()
    start_s = seconds(arguments.start) if arguments.start else None
    if arguments.speed is not None and not 0.5 <= arguments.speed <= 3:
        raise CommandError("--speed is from 0.5 to 3", code=ExitCode.USAGE)
    settings = services.settings()
    options = PlayOptions(
        speed=arguments.speed or settings.audio.speed,
        volume=settings.audio.volume / 100,
        rewind_s=settings.audio.rewind_s,
        skip_silence=settings.audio.skip_silence,
        keymap=settings.keys,
    )

    async def listen(
        source: Source, title: str, begin_s: float, session: PlaybackSession | None
    ) -> int:
        if arguments.words:
            return await print_words(source)
        steer = (session.watch, session.go) if session else (None, None)
        return await play_on_terminal(source, title, options, begin_s, *steer)

    path = Path(arguments.what)
    if path.is_file():
        with recording_errors(services, arguments.what):
            return asyncio.run(listen(FileSource(path), path.name, start_s or 0.0, None))
    if ":" not in arguments.what:
        raise CommandError(f"there is no file {arguments.what}", "Name a file, or ACCOUNT:ID.")
    account, link = find_call(services, arguments.what)
    with recording_errors(services, arguments.what), services.open_archive() as archive:
        return asyncio.run(_play_call(services, archive, account, link, start_s, listen))


async def _play_call(
    services: Services,
    archive: CallArchive,
    account: Account | None,
    link: Link,
    start_s: float | None,
    listen: Listen,
) -> int:
    """The first recording or the one that a link names, and those that are gone to from there;
    of an account that was removed (None) what is in the cache.
    """
    cache = RecordingCache(services.paths.cached_recordings)
    if account is None:
        call, cached = kept_call(archive, link), _from_cache(cache, link.account)
        return await _play_recordings(services, archive, link, call, cached, start_s, listen)
    provider = lazy_provider(services, account, archive)

    async def fetch(call: Call, index: int) -> Opened:
        place = (account.name, account.base_url, call, index, account.recordings_proxy)
        return await open_stream(provider, archive, cache, *place)

    try:
        call = await known_call(provider, archive, account, link.id)
        return await _play_recordings(services, archive, link, call, fetch, start_s, listen)
    finally:
        await provider.close()


def _from_cache(cache: RecordingCache, account: str) -> Open:
    async def find(call: Call, index: int) -> Opened:
        if file := cache.find(account, call, index):
            return FileSource(file.path), call
        raise CommandError(f"{account}:{call.id}: {NOT_CACHED}")

    return find


async def _play_recordings(
    services: Services,
    archive: CallArchive,
    link: Link,
    call: Call,
    open_: Open,
    start_s: float | None,
    listen: Listen,
) -> int:
    """Who sits at a terminal goes on where a recording was left; a script hears all of it."""
    index, begin_s = link.recording, link.at_s if start_s is None else start_s
    while True:
        try:
            source, call = await open_(call, index)
        except RecordingError as error:
            now, key = services.now().timestamp(), recording_key(call, index)
            with suppress(*UNWRITTEN):  # why there is no sound is said first
                archive.listening.note_trouble(link.account, call.id, key, error.reason, now)
            raise
        session = PlaybackSession(services, archive, link.account, call, index)
        if begin_s is None:
            begin_s = session.left_s if sys.stdin.isatty() else 0.0
        session.begin(begin_s)
        with closing(source):
            audit_log.record(services.paths, audit_log.PLAY, call=link.name, recording=index + 1)
            code = await listen(source, recording_title(call, index), begin_s, session)
        session.leave()
        if code or not session.step:
            return code
        index, begin_s = index + session.step, None
