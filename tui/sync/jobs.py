"""Work that the command line and the screen both start: syncs, imports, checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

from providers.base import ReadsSaved
from providers.errors import NotUnderstood, ProviderError
from providers.limits import cuts
from providers.model import Json
from tui.archive.errors import ArchiveError
from tui.archive.interface import CallArchive
from tui.archive.merging import Fenced, keep_page, read_again
from tui.config.accounts import Account
from tui.error_boundary import error_boundary
from tui.removal.deleted_at_vendor import take_away
from tui.removal.retention import kept_since
from tui.services import Services
from tui.sync.recheck import AGAIN_S, is_due
from tui.sync.report import Report, could_not_begin, left_alone
from tui.sync.sync import Sync, SyncRequest, Watcher

IMPORT_STEP = 500
"""Calls that an import keeps in one transaction."""


async def sync_all(
    services: Services,
    accounts: Sequence[Account],
    archive: CallArchive,
    wish: SyncRequest,
    watcher: Watcher | None = None,
) -> list[Report]:
    """All accounts beside each other; one that fails does not stop the others."""

    async def one(account: Account) -> Report:
        return await sync_account(services, account, archive, wish, watcher)

    return list(await asyncio.gather(*map(one, accounts)))


async def sync_account(
    services: Services,
    account: Account,
    archive: CallArchive,
    wish: SyncRequest,
    watcher: Watcher | None = None,
) -> Report:
    """One account, whatever fails there: a missing token is a `Report.error` like any other, and
    so is a vendor that wants to be left alone for a while, unless nobody asked.
    """

    def clock() -> float:
        return services.now().timestamp()

    report = Report(account.name)
    fenced = partial(error_boundary, services.paths, account.name)
    try:
        if refusal := left_alone(archive, account.name, clock(), wish.automatic):
            return report if wish.automatic else refusal
        since = kept_since(services, services.settings().retention.calls_days)
        try:
            with fenced():
                await know_numbers(archive, account)
                token = await services.token(account)
                login = services.login(account, token, archive)
                provider = services.provider(account, login)
                sync = Sync(account.name, provider, login, archive, watcher, clock, since, fenced)
        except ProviderError as error:
            return could_not_begin(archive, account.name, error, clock())
        report = sync.report
        await sync.run(wish)
        if report.vanished and (
            words := take_away(services, archive, account.name, report.vanished).words
        ):
            report.notes[words] = None
    except (ArchiveError, OSError) as error:
        report.unkept = error
    if account.bound_to is None and not report.unkept:
        report.notes[f"from now on its token goes to {account.origin} alone"] = None
    return report


async def know_numbers(archive: CallArchive, account: Account) -> None:
    """Let the archive know in which country the account's numbers are; the keys of those that
    have none yet are worked out a few hundred at a time, so that nobody waits for the archive.
    """
    with archive.transaction():
        archive.set_region(account.name, account.region or "")
    left = True
    while left:
        left = archive.work_out_numbers() > 0
        await asyncio.sleep(0)


def import_saved(services: Services, account: Account, archive: CallArchive, data: bytes) -> Report:
    """A file of saved bodies of an account's calls into the archive. Raises `ProviderError`."""
    provider = services.offline_provider(account, archive)
    if not isinstance(provider, ReadsSaved):
        raise ProviderError(
            "Nothing to import",
            f"calls of {provider.title} come by sync alone",
            f"Run: ringback sync {account.name}",
        )
    asyncio.run(know_numbers(archive, account))
    archive.read_by(account.name, provider.parser_version)
    report, fenced = Report(account.name), partial(error_boundary, services.paths, account.name)
    saved = provider.read_saved(data)
    del data
    while step := _next_bodies(saved, fenced, report):
        calls = []
        for body, problem in step:
            if problem:
                report.tell(problem)
                continue
            try:
                with fenced(ValueError):
                    calls.append(provider.parse(body))
            except ValueError as error:
                report.tell(f"a body without a call: {error}")
            except NotUnderstood as error:
                report.tell(f"a body: {error}")
        place, merge = (archive, account.name, provider), provider.merge_saved
        kept, odd = keep_page(*place, calls, fenced, merge=merge)
        report.saved += kept
        report.tell(*odd)
        report.fetched += len(calls) - len(odd)
        report.tell(*cuts(calls))
    return report


def _next_bodies(
    saved: Iterator[tuple[Json, str]], fenced: Fenced, report: Report
) -> list[tuple[Json, str]]:
    """Some more bodies of a file; where reading itself fails, that is told and the file is over."""
    try:
        with fenced():
            return list(islice(saved, IMPORT_STEP))
    except NotUnderstood as error:
        report.tell(f"the rest of the file: {error}")
        return []


async def check(services: Services, account: Account, archive: CallArchive) -> str:
    """One cheap question that needs the token; the vendor's answer in words.

    Raises `ProviderError`, `MissingToken` among them.
    """
    with error_boundary(services.paths, account.name):
        token = await services.token(account)
        provider = services.provider(account, services.login(account, token, archive))
        async with provider:
            return await provider.check()


async def learn_recordings(
    services: Services, account: Account, archive: CallArchive, call_id: str
) -> None:
    """Ask for a call's list of recordings, if that is due, and keep it. Raises `ProviderError`."""
    from tui.recordings.lookup import refresh_recordings

    call = archive.call_by_id(account.name, call_id)
    if call is None or not is_due(archive, account.name, call, services.now(), AGAIN_S):
        return
    with error_boundary(services.paths, account.name):
        token = await services.token(account)
        provider = services.provider(account, services.login(account, token, archive))
        async with provider:
            await refresh_recordings(provider, archive, account.name, call)


def read_anew(
    services: Services, archive: CallArchive, accounts: Sequence[Account], ended: Callable[[], bool]
) -> None:
    """Read calls that an older version of their vendor's reading kept anew from their raw, some
    at a time until `ended`; what is left waits for the next time.
    """
    from providers import registry

    for account in accounts:
        try:
            version = registry.load(account.provider).parser_version
            if archive.unread(account.name, version) is None:
                continue
            provider = services.offline_provider(account, archive)
        except ProviderError:  # no such vendor, or not with these settings: nobody reads them
            continue
        read = partial(read_again, provider)
        with suppress(NotUnderstood), error_boundary(services.paths, account.name):
            while not ended() and archive.read_anew(account.name, provider.id, version, read):
                pass
