"""`ringback accounts add|list|test|bind|remove`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from providers import registry
from providers.errors import ProviderError
from providers.origin import same_origin
from providers.sanitize import safe_text
from tui.account_setup import TokenNotKept, account_from, forget, losses, remember, where_to
from tui.cli.account_names import no_accounts
from tui.cli.confirmation import ask_before, says_yes
from tui.cli.errors import exit_code
from tui.cli.vendor_options import settings_given
from tui.config.accounts import Account, AccountError
from tui.console import print_data, print_error, print_text
from tui.exit_codes import CommandError, ExitCode
from tui.services import Services
from tui.sync.account_states import state_words
from tui.sync.jobs import check

if TYPE_CHECKING:
    from providers.base import Secret
    from tui.archive.records import AccountState

SETTING_SHOWN = 40
"""Characters of a setting in the list of accounts."""


def run(arguments: argparse.Namespace) -> int:
    services = Services.build()
    actions = {"add": _add, "list": _list, "test": _test, "bind": _bind, "remove": _remove}
    try:
        return actions[arguments.action](services, arguments)
    except AccountError as error:
        raise CommandError(error.message, error.hint) from None


# -- add


def _add(services: Services, arguments: argparse.Namespace) -> int:
    old = _to_replace(services, arguments)
    command = arguments.token_command
    if old and not arguments.token_stdin:
        command = command or old.token_command
    name = old.name if old else arguments.name
    region = arguments.region or (old.region if old else None)
    url = arguments.base_url
    try:
        settings = {**(old.settings if old else {}), **_given_settings(arguments)}
        account = account_from(name, arguments.provider, url, settings, command, region)
    except AccountError as error:
        raise CommandError(error.message, error.hint, ExitCode.USAGE) from None
    except ProviderError as error:
        raise CommandError(str(error), error.hint, ExitCode.USAGE) from None
    secret = _token_from_stdin() if arguments.token_stdin else _typed_token(services, account)
    if arguments.token_command:  # it was given for this base URL
        account = account.given()
    try:
        account, said = remember(services, account, secret, arguments.replace)
    except TokenNotKept as error:
        raise CommandError(error.message, error.hint, ExitCode.TOKEN) from None
    print_text(said)
    if secret is None:
        _say_where(services, account)
    return ExitCode.DONE


def _to_replace(services: Services, arguments: argparse.Namespace) -> Account | None:
    """The account that ``--replace`` changes: what is not given anew stays as it is."""
    for account in services.accounts.list() if arguments.replace else ():
        same_vendor = account.provider == arguments.provider
        if account.name.lower() == arguments.name.lower() and same_vendor:
            return account
    return None


def _given_settings(arguments: argparse.Namespace) -> dict[str, str]:
    """By the vendor's own options, and by ``--set``. Raises `CommandError`, `ProviderError`."""
    settings = settings_given(registry.load(arguments.provider), arguments)
    for text in arguments.set:
        key, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"--set {text}: write it as KEY=VALUE", code=ExitCode.USAGE)
        settings[key] = value
    return settings


def _token_from_stdin() -> Secret:
    from providers.base import Secret

    if sys.stdin.isatty():
        print_error("The token, then enter and ctrl+d:")
    text = sys.stdin.read(65_536).strip()
    if not text:
        raise CommandError("standard input held no token", code=ExitCode.USAGE)
    return Secret(text)


def _typed_token(services: Services, account: Account) -> Secret | None:
    """A token from the person at the terminal, if there is one and it could be kept."""
    from tui.secrets.tokens import describe, probe_keyring

    if not sys.stdin.isatty() or describe(account, services.environ).state in ("found", "not run"):
        return None
    if probe_keyring(services.environ).state != "ok":
        return None
    return _ask_token(account)


def _say_where(services: Services, account: Account) -> None:
    from tui.secrets.tokens import bind_command, describe, ways_to_give

    where = describe(account, services.environ)
    if where.state in ("found", "not run"):
        print_text(f"Its token comes from {where.source}.")
    elif where.state == "unconfirmed":
        print_text(f"{where_to(account)}\nTo let it go there: {bind_command(account)}")
    else:
        print_text(f"Its token is still missing.\n{ways_to_give(account)}")


def _ask_token(account: Account) -> Secret | None:
    from getpass import getpass

    from providers.base import Secret

    try:
        text = getpass(f"Token of {account.name} (not shown; enter alone: later): ").strip()
    except EOFError:
        return None
    return Secret(text) if text else None


# -- list, test, bind, remove


def _chosen(services: Services, name: str | None) -> list[Account]:
    return [services.accounts.get(name)] if name else [*services.accounts.list()]


def _list(services: Services, arguments: argparse.Namespace) -> int:
    accounts = _chosen(services, arguments.name)
    described = _described(services, accounts)
    if arguments.json:
        for entry in described:
            print_data(json.dumps({name: value for name, value in entry.items() if name != "said"}))
        return ExitCode.DONE
    if not accounts:
        if services.accounts.read()[1] or services.settings().problems:
            raise no_accounts(services)
        print_text("No accounts yet. Add one with: ringback accounts add NAME --provider ... ")
    for entry in described:
        token = entry["token"]
        last = entry["last_sync"] or "never"
        line = (
            f"{entry['account']}  {entry['provider']}  {entry['base_url']}  "
            f"{_settings_text(entry)}token: {token['state']} ({token['source']})  "
            f"calls: {entry['calls']:,}  last sync: {last}{_how(services, entry)}"
        )
        print_text(line)
    return ExitCode.DONE


def _settings_text(entry: dict[str, Any]) -> str:
    """An account's settings as its vendor calls them, ``Order ids: 1-20,35  ``; or nothing."""
    given = entry["settings"]
    try:
        declared = registry.load(entry["provider"]).settings if given else ()
    except ProviderError:
        return ""
    return "".join(
        f"{safe_text(one.title)}: {safe_text(given[one.key], SETTING_SHOWN)}  "
        for one in declared
        if one.key in given
    )


def _how(services: Services, entry: dict[str, Any]) -> str:
    """How an account's last sync ended, where that is not well."""
    state: AccountState | None = entry["said"]
    if state is None or state.state == "fresh":
        return ""
    return f" {state_words(state, services.now(), services.zone)}"


def _described(services: Services, accounts: list[Account]) -> list[dict[str, Any]]:
    from datetime import UTC, datetime

    from tui.archive.codec import moment_text, time_text
    from tui.secrets.tokens import describe_all

    tokens = describe_all(accounts, services.environ)
    with services.open_archive() as archive:
        counts, states = archive.counts_by_account(), archive.account_states()
    entries = []
    for account in accounts:
        state = states.get(account.name)
        entries.append(
            {
                "account": account.name,
                "provider": account.provider,
                "base_url": account.base_url,
                "settings": dict(account.settings),
                "token": tokens[account.name]._asdict(),
                "bound_to": account.bound_to or None,
                "calls": counts.get(account.name, 0),
                "state": state.state if state else "new",
                "message": state.message if state else "",
                "last_sync": time_text(datetime.fromtimestamp(state.at, UTC)) if state else None,
                "again_at": moment_text(state.again_at) if state else None,
                "said": state,
            }
        )
    return entries


def _test(services: Services, arguments: argparse.Namespace) -> int:
    accounts = _chosen(services, arguments.name)
    if not accounts:
        raise no_accounts(services)
    errors: list[ProviderError] = []
    with services.open_archive() as archive:
        for account in accounts:
            if not account.bound and sys.stdin.isatty() and _confirmed(account):
                account = services.accounts.bind(account)
            try:
                answer = asyncio.run(check(services, account, archive))
                print_text(f"{account.name}: {answer}")
            except ProviderError as error:
                errors.append(error)
                print_error(f"{account.name}: {error}")
                print_error(error.hint)
    return exit_code(errors, len(accounts))


def _bind(services: Services, arguments: argparse.Namespace) -> int:
    from tui.secrets.tokens import bind_command

    account = services.accounts.get(arguments.name)
    if arguments.origin is not None:
        if not same_origin(arguments.origin, account.base_url):
            raise CommandError(
                f"the base URL of {account.name} is at {account.origin}", code=ExitCode.USAGE
            )
    elif not account.bound or account.bound_to is None:
        if not sys.stdin.isatty():
            raise CommandError(
                f"the token of {account.name} was not let go to {account.origin}",
                f"{where_to(account)}\nWithout a terminal to ask on: {bind_command(account)}",
                ExitCode.TOKEN,
            )
        if not _confirmed(account):
            raise CommandError("nothing was changed", code=ExitCode.FAILED)
    account = services.accounts.bind(account)
    print_text(f"The token of {account.name} goes to {account.origin} alone.")
    return ExitCode.DONE


def _confirmed(account: Account) -> bool:
    return says_yes(where_to(account), f"Send the token to {account.origin}?")


def _remove(services: Services, arguments: argparse.Namespace) -> int:
    name = services.accounts.written(arguments.name)
    if not arguments.yes:
        kept = f"The account {name} and its token go; its calls stay in the archive."
        what = kept if arguments.keep_calls else losses(services, name)
        ask_before(f"the account {name} was not removed", what, "Remove the account?")
    said, whole = forget(services, arguments.name, arguments.keep_calls)
    print_text(said)
    return ExitCode.DONE if whole else ExitCode.PARTLY
