"""Which accounts a command means."""

from __future__ import annotations

from collections.abc import Sequence

from tui.config.accounts import Account, AccountError
from tui.exit_codes import CommandError, ExitCode
from tui.services import Services


def chosen_accounts(services: Services, names: Sequence[str]) -> list[Account]:
    """The named accounts, or all. Raises `CommandError` when there is none."""
    try:
        if names:
            return [services.accounts.get(name) for name in dict.fromkeys(names)]
    except AccountError as error:
        raise CommandError(error.message, error.hint, ExitCode.USAGE) from None
    accounts = [*services.accounts.list()]
    if not accounts:
        raise no_accounts(services)
    return accounts


def no_accounts(services: Services) -> CommandError:
    """That there is none yet, or what in config.toml hides them. Raises `SettingsError`."""
    settings = services.settings()
    if settings.broken:
        raise settings.broken
    if problems := [*settings.problems, *services.accounts.read()[1]]:
        return CommandError(problems[0], "No account can be read.")
    return CommandError(
        "there is no account yet",
        "Add one with: ringback accounts add NAME --provider VENDOR --base-url URL",
    )
