"""Adding and removing an account whole: settings, token, calls, recordings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext

from providers.base import Provider, Secret
from providers.counts import counted
from providers.sanitize import safe_text
from providers.settings import check_value
from tui.call_links import held_text
from tui.config.accounts import Account, AccountError, make_account
from tui.services import Services


def account_from(
    name: str,
    provider: str,
    base_url: str,
    settings: Mapping[str, str],
    token_command: str | None = None,
    region: str | None = None,
) -> Account:
    """A checked account at a vendor that exists, with the settings that this vendor wants.

    Raises `AccountError`, `ProviderError`.
    """
    from providers import registry

    vendor = registry.load(provider)
    if region:
        from tui.query.phone_numbers import check_region

        try:
            region = check_region(region)
        except ValueError as error:
            raise AccountError(f"account {name}: {error}") from None
    account = make_account(name, provider, base_url, settings, token_command, region=region)
    _check_settings(account, vendor)
    return account


def _check_settings(account: Account, vendor: type[Provider]) -> None:
    """Whether an account has what its vendor declares, and nothing else. Raises `AccountError`."""
    known = {setting.key: setting for setting in vendor.settings}
    for key in account.settings.keys() - known.keys():
        raise AccountError(
            f"{vendor.title} has no setting {safe_text(key, 40)}",
            f"It has: {', '.join(known) or 'none'}.",
        )
    for key, setting in known.items():
        value = account.settings.get(key, setting.default)
        if setting.required and not value:
            raise AccountError(
                f"an account at {vendor.title} needs its {setting.title}",
                f"Give it with {setting.option}. {setting.help}",
            )
        try:
            if value:
                check_value(setting, value)
        except ValueError as error:
            raise AccountError(f"account {account.name}: {key}: {error}", setting.help) from None


class TokenNotKept(AccountError):
    """The account was added, and its token could not be kept."""


def remember(
    services: Services, account: Account, token: Secret | None, replace: bool = False
) -> tuple[Account, str]:
    """Add the account and keep its token, if there is one; what was done, in a sentence.

    Raises `AccountError` (nothing was added), `SettingsError`, `TokenNotKept` (it was).
    """
    from tui.secrets.tokens import SecretError, store_token

    exists = any(one.name == account.name for one in services.accounts.list())
    if replace and exists:
        # a token belongs to one origin: at another it has to be given anew
        account = services.accounts.replace(account.given() if token else account)
    else:
        account = services.accounts.add(account)
    said = f"Account {account.name} {'changed' if replace and exists else 'added'}."
    if token is None:
        return account, said
    try:
        place = store_token(account, token, services.environ)
    except SecretError as error:
        raise TokenNotKept(
            f"the account {account.name} is added, its token is not kept: {error.message}",
            error.hint,
        ) from None
    return account, f"{said}\nIts token is kept in the {place}."


def where_to(account: Account) -> str:
    """Where an account's token may go, and where its base URL is now, in two sentences."""
    known = f"was for {account.bound_to}" if account.bound_to else "has not gone anywhere yet"
    return f"The token of {account.name} {known}. Its base URL is now {account.base_url}."


def losses(services: Services, name: str) -> str:
    """What goes with an account, counted, in a sentence or two. Raises `AccountError`."""
    from tui.recordings.cache import RecordingCache

    name = services.accounts.written(name)
    with services.open_archive() as archive:
        held = archive.held_of(name)
        calls = archive.calls_of(name) - held
        decided = archive.triage.decided(name) - held
    recordings = RecordingCache(services.paths.cached_recordings).count(name)
    files = counted(recordings, "recording")
    said = (
        f"{counted(calls, 'call')} and {files} of {name} are removed from this machine, not at the"
    )
    said = f"{held_text(held)}. {said}" if held else said
    if not decided:
        return f"{said} vendor; nothing was decided about them."
    return (
        f"{said} vendor. What was decided about {counted(decided, 'call')} no vendor can give back."
    )


def forget(services: Services, name: str, keep_calls: bool = False) -> tuple[str, bool]:
    """Remove an account, its token and (unless `keep_calls`) its calls.

    Answers what was removed, in sentences, and whether all of it was: a keyring may not let go
    of a token. Raises `AccountError`, `SettingsError`, `ArchiveError`.
    """
    from tui.recordings.cache import RecordingCache
    from tui.secrets.tokens import SecretError, delete_token

    with nullcontext() if keep_calls else services.open_archive() as archive:
        if archive and archive.read_only:  # before anything is removed
            raise archive.read_only
        account = services.accounts.remove(name)
        name = account.name if account else name
        said, whole = [f"Account {name} removed."], True
        if archive:
            gone, held = archive.remove_account(name), archive.held_of(name)
            cache = RecordingCache(services.paths.cached_recordings)
            cache.forget(name, cache.held_files(archive) if held else ())
            said.append(f"{counted(gone, 'call')} removed from the archive.")
            if held:
                whole = False
                said.append(f"{held_text(held)}.")
    if account:
        try:
            if delete_token(account, services.environ):
                said.append("Its token is removed from the keyring.")
        except SecretError as error:
            whole = False
            said.append(f"Its token is still in the keyring: {error.message}")
    return "\n".join(said), whole
