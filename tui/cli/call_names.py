"""Which call a command means: ``account:id`` or a link, and the call behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from providers.errors import ProviderError
from providers.model import Call
from tui import call_links
from tui.archive.interface import CallArchive
from tui.cli.errors import vendor_error
from tui.config.accounts import Account, AccountError, UnknownAccount
from tui.console import print_error
from tui.exit_codes import CommandError, ExitCode
from tui.services import Services

if TYPE_CHECKING:
    from tui.recordings.stream import LazyProvider


NOT_CACHED = "its account was removed, and the recording is not in the cache"
"""Why a recording of a removed account cannot be had: no vendor can be asked for it."""


def split_name(services: Services, name: str) -> tuple[Account, str]:
    """``account:id`` or a link as the account and the call's id. Raises `CommandError`."""
    account, link = read_name(services, name)
    return account, link.id


def read_name(services: Services, name: str) -> tuple[Account, call_links.Link]:
    """``account:id`` or a link, and the account. Raises `CommandError`."""
    try:
        link = call_links.parse(name)
    except ValueError as error:
        raise CommandError(str(error), call_links.FORM, ExitCode.USAGE) from None
    try:
        account = services.accounts.get(link.account)
    except AccountError as error:
        raise CommandError(error.message, error.hint, ExitCode.USAGE) from error
    return account, link._replace(account=account.name)


def find_call(services: Services, name: str) -> tuple[Account | None, call_links.Link]:
    """As `read_name`; also a call of an account that was removed and left it here (None).

    Raises `CommandError`.
    """
    try:
        return read_name(services, name)
    except CommandError as error:
        if not isinstance(error.__cause__, UnknownAccount):
            raise
        link = call_links.parse(name)
        left = removed_account(services, link.account, error.__cause__)
        if left is None:
            raise
        with services.open_archive() as archive:
            if archive.key_of(left, link.id) is None:
                raise
        return None, link._replace(account=left)


def kept_call(archive: CallArchive, link: call_links.Link) -> Call:
    """The call as the archive has it. Raises `CommandError`."""
    call = archive.call_by_id(link.account, link.id)
    if call is None:  # another Ringback removed it just now
        raise CommandError(f"the call {link.name} is not in the archive")
    return call


def wanted_call(services: Services, archive: CallArchive, account: Account, id_: str) -> Call:
    """The call of `look_up`, or a `CommandError` with what to do."""
    call, error = asyncio.run(look_up(services, archive, account, id_))
    if call is None:
        if error:
            raise vendor_error(account.name, error)
        raise CommandError(
            f"account {account.name} has no call {id_} in the archive",
            f"Bring its calls with: ringback sync {account.name}",
        )
    if error:
        print_error(f"{account.name}: not refreshed: {error}")
    return call


async def look_up(
    services: Services, archive: CallArchive, account: Account, id_: str
) -> tuple[Call | None, ProviderError | None]:
    """A call of the archive, with its recordings asked for if there may be more; or the
    vendor's, if the archive lacks it. What the vendor refused is the second value.
    """
    from providers import registry
    from tui.error_boundary import error_boundary
    from tui.recordings.lookup import refresh_call, refresh_recordings
    from tui.sync.recheck import is_due

    call = archive.call_by_id(account.name, id_)
    if call and not is_due(archive, account.name, call, services.now()):
        return call, None
    try:
        with error_boundary(services.paths, account.name):
            if call and not registry.load(account.provider).capabilities.separate_recordings:
                return call, None
            token = await services.token(account)
            login = services.login(account, token, archive)
            provider = services.provider(account, login)
            if call is None and not provider.capabilities.gets_one_call:
                return None, None
            async with provider:
                if call is None:
                    new = Call(id_, account.provider)
                    call = await refresh_call(provider, archive, account.name, new)
                else:
                    call = await refresh_recordings(provider, archive, account.name, call)
                archive.write_if_possible(lambda: archive.save_names(account.name, login.names))
    except ProviderError as error:
        return call, error
    return call, None


def removed_account(services: Services, name: str, error: AccountError) -> str | None:
    """The name of an account that is no more and left calls here: those on hold."""
    if not isinstance(error, UnknownAccount) or not services.paths.archive_file.exists():
        return None
    with services.open_archive() as archive:
        return next(
            (one for one in archive.counts_by_account() if one.lower() == name.lower()), None
        )


async def known_call(
    provider: LazyProvider, archive: CallArchive, account: Account, id_: str
) -> Call:
    """A call with its list of recordings, from the archive or else from the vendor.

    Raises `ProviderError`.
    """
    from tui.recordings.lookup import refresh_call, refresh_recordings

    call = archive.call_by_id(account.name, id_)
    if call is None:
        call = await refresh_call(
            await provider(), archive, account.name, Call(id_, account.provider)
        )
    if not call.recordings_known:
        call = await refresh_recordings(await provider(), archive, account.name, call)
    return call
