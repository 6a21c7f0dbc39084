"""Accounts: one login at one vendor each, kept in `config.toml` without their tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from providers.ids import id_ranges
from providers.origin import check_base_url, origin, same_origin
from providers.sanitize import safe_text
from providers.settings import IDS_ENDING, OWN_KEYS, names_secret
from tui.config.paths import Paths
from tui.config.settings import (
    Settings,
    SettingsError,
    edit_settings,
    load_settings,
    read_table,
    subtable,
)
from tui.config.token_origins import Origins

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_PAGE = "page"
_PROXIED = "recordings_proxy"


class AccountError(Exception):
    """An account cannot be what was asked for; one sentence, and the thing to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return self.message


class UnknownAccount(AccountError):
    """There is no account of that name; the hint lists those that there are."""


@dataclass(frozen=True, slots=True)
class Account:
    """One login at one vendor. Made by `make_account`, which checks it."""

    name: str
    provider: str
    """A vendor's id (`providers.registry.names`)."""
    base_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """By `providers.model.Setting.key`, as typed; keys in ``_ids`` hold ids and ranges."""
    token_command: str | None = field(default=None, repr=False)
    """A command whose first line of output is the token."""
    bound_to: str | None = None
    """The only origin that its token may go to; None: not used yet, empty: cannot be known."""
    region: str | None = None
    """Two letters: the country of numbers that do not name theirs, e.g. ``GB``."""
    page: str | None = None
    """The vendor's page of a call, ``https://.../{id}``; only written by hand."""
    recordings_proxy: bool = True
    """Whether recordings go through the environment's proxy; only written by hand."""

    @property
    def origin(self) -> str:
        return origin(self.base_url)

    @property
    def token_variable(self) -> str:
        """The environment variable that may hold this account's token."""
        return _variable(self.name)

    @property
    def bound(self) -> bool:
        """False when the base URL moved to another origin than the token may go to."""
        return self.bound_to is None or same_origin(self.bound_to, self.base_url)

    def given(self) -> Account:
        """The same account whose token may go to the origin that it has now."""
        return replace(self, bound_to=self.origin)


def _variable(name: str) -> str:
    return "RINGBACK_TOKEN_" + name.upper().replace("-", "_")


def make_account(
    name: str,
    provider: str,
    base_url: str,
    settings: Mapping[str, str] | None = None,
    token_command: str | None = None,
    bound_to: str | None = None,
    region: str | None = None,
) -> Account:
    """A checked account. Raises `AccountError` with what is wrong and how it is written."""
    if not _NAME.fullmatch(name):
        raise AccountError(
            f"{safe_text(name, 40)!r} cannot name an account",
            "A name is 1 to 40 letters, digits, - and _, and begins with a letter or a digit.",
        )
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", provider):
        raise AccountError(f"{safe_text(provider, 40)!r} is not a vendor", _vendors())
    try:
        url = check_base_url(base_url)
    except ValueError as error:
        raise AccountError(f"account {name}: {error}") from None
    kept = {key: value.strip() for key, value in (settings or {}).items() if value.strip()}
    for key, value in kept.items():
        _check_setting(name, key, value)
    command = (token_command or "").strip() or None
    return Account(name, provider, url, kept, command, bound_to, _region(name, region))


def _vendors() -> str:
    from providers import registry  # it costs start-up time

    return f"Try {', '.join(registry.names())}."


def _region(name: str, region: str | None) -> str | None:
    """Two capitals; whether numbers there are known is checked where they are read."""
    text = (region or "").strip().upper()
    if text and not re.fullmatch(r"[A-Z]{2}", text):
        raise AccountError(f"account {name}: region: write two letters such as GB, US or HK")
    return text or None


def _check_setting(name: str, key: str, value: str) -> None:
    if names_secret(key):
        raise AccountError(
            f"account {name}: {safe_text(key, 40)} looks like a token;"
            " none may stand in config.toml",
            f"Give it with: ringback accounts add {name} ... --token-stdin",
        )
    if key.endswith(IDS_ENDING):
        try:
            id_ranges(value)
        except ValueError as error:
            raise AccountError(f"account {name}: {key}: {error}") from None


def configured(accounts: Iterable[Account]) -> dict[str, list[str]]:
    """The names that accounts bring to queries before any call has them, by field."""
    known = list(accounts)
    return {"account": [one.name for one in known], "vendor": [one.provider for one in known]}


class AccountStore:
    """The accounts of `config.toml`. Reading never raises; what cannot be used is a problem."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._origins = Origins(paths.origins_file)

    def list(self) -> tuple[Account, ...]:
        """The usable accounts, in the order of the file."""
        return self.read()[0]

    def read(self) -> tuple[tuple[Account, ...], tuple[str, ...]]:
        """The usable accounts and, a line each, why the others are not."""
        accounts, problems = self._read(load_settings(self._paths))
        return accounts, tuple(problems.values())

    def _read(self, settings: Settings) -> tuple[tuple[Account, ...], dict[str, str]]:
        accounts: list[Account] = []
        problems: dict[str, str] = {}
        known: dict[str, str] | None = None
        try:
            known = self._origins.read()
        except SettingsError as error:
            problems[""] = f"{error.message}. {error.hint}".rstrip(". ")
        for name, table in settings.accounts.items():
            try:
                account = _from_table(name, table)
                account = replace(account, bound_to=_bound_to(account, known))
                _check_variable(account, accounts)
            except AccountError as error:
                problems[name] = f"{self._paths.config_file}: {error.message}"
            else:
                accounts.append(account)
        return tuple(accounts), problems

    def get(self, name: str) -> Account:
        """One account, whatever the case of the name. Raises `AccountError`, `SettingsError`."""
        settings = load_settings(self._paths)
        if settings.broken:
            raise settings.broken
        accounts, problems = self._read(settings)
        for account in accounts:
            if account.name.lower() == name.lower():
                return account
        for written, wrong in problems.items():
            if written.lower() == name.lower():
                raise AccountError(wrong, "Correct it, or: ringback accounts add --replace")
        known = ", ".join(account.name for account in accounts)
        raise UnknownAccount(
            f"there is no account {safe_text(name, 40)!r}",
            f"There is: {known}." if known else "Add one with: ringback accounts add",
        )

    def add(self, account: Account) -> Account:
        """Add a new account, bound to its origin. Raises `AccountError`, `SettingsError`."""
        account = account.given()

        def change(document: TOMLDocument) -> None:
            table = document.get("accounts", {})
            if account.name in table:
                raise AccountError(
                    f"there is already an account {account.name}",
                    f"Choose another name, or: ringback accounts remove {account.name}",
                )
            _check_variable(account, self.list())
            _write(document, account)
            self._origins.put(account.token_variable, account.origin)

        edit_settings(self._paths, change)
        return account

    def put(self, account: Account) -> Account:
        """`replace` when there is an account of that name, else `add`."""
        known = account.name in (kept.name for kept in self.list())
        return self.replace(account) if known else self.add(account)

    def replace(self, account: Account) -> Account:
        """Change an existing account; returns it as written.

        When its origin changes, its token is unbound, unless `account` is `Account.given` anew.
        Raises `AccountError`, `SettingsError`.
        """

        def change(document: TOMLDocument) -> None:
            nonlocal account
            old = self.get(account.name)
            if account.bound_to is None:
                account = replace(account, bound_to=old.bound_to or old.origin)
            _write(document, account)
            self._origins.put(account.token_variable, account.bound_to or "")

        edit_settings(self._paths, change)
        return account

    def bind(self, account: Account) -> Account:
        """Somebody confirmed that the token may go to the account's present origin.

        Raises `SettingsError`.
        """
        self._origins.put(account.token_variable, account.origin)
        return account.given()

    def known(self, account: Account) -> Account:
        """The account with the origin that its token may go to as it is recorded now.

        Raises `SettingsError`.
        """
        return replace(account, bound_to=_bound_to(account, self._origins.read()))

    def bind_first(self, account: Account) -> Account:
        """As `known`, before a token is sent: one that has no origin yet keeps its present one.

        Where nothing can be written, the next use is the first again. Raises `SettingsError`.
        """
        wanted = account.bound_to or account.origin
        try:
            first = self._origins.first(account.token_variable, wanted)
        except SettingsError:
            first = self._origins.read().get(account.token_variable, wanted)
        return replace(account, bound_to=first)

    def written(self, name: str) -> str:
        """The name of an account, a broken one as well, as config.toml has it. Raises
        `UnknownAccount`.
        """
        table = read_table(self._paths).get("accounts")
        names = [*table] if isinstance(table, dict) else []
        for one in names:
            if one.lower() == name.lower():
                return str(one)
        raise UnknownAccount(
            f"there is no account {safe_text(name, 40)!r}",
            f"There is: {', '.join(names) or 'none'}.",
        )

    def remove(self, name: str) -> Account | None:
        """Take an account out, a broken one as well; its token is `delete_token`'s.

        Returns the account, None when it was unusable. Raises `UnknownAccount`, `SettingsError`.
        """
        written = self.written(name)
        account = next((kept for kept in self.list() if kept.name == written), None)

        def change(document: TOMLDocument) -> None:
            accounts: Any = document["accounts"]
            accounts.pop(written, None)
            if not accounts:  # an empty table is written as nothing at all
                del document["accounts"]

        edit_settings(self._paths, change)
        with suppress(SettingsError):  # what stays there makes a later account ask once more
            self._origins.forget(_variable(written))
        return account


def _bound_to(account: Account, known: Mapping[str, str] | None) -> str | None:
    """By the record; by what earlier versions wrote into config.toml where it has nothing."""
    if known is None:
        return ""
    return known.get(account.token_variable, account.bound_to)


def _from_table(name: str, table: Mapping[str, Any]) -> Account:
    missing = [key for key in ("provider", "base_url") if not isinstance(table.get(key), str)]
    if missing:
        raise AccountError(f"accounts.{safe_text(name, 40)}.{missing[0]}: is missing, or not text")
    proxied = table.get(_PROXIED, True)
    if not isinstance(proxied, bool):
        raise AccountError(f"accounts.{safe_text(name, 40)}.{_PROXIED}: is true or false")
    command, bound_to, region, page = (
        value if isinstance(value, str) else None
        for value in (table.get(key) for key in ("token_command", "bound_to", "region", _PAGE))
    )
    settings = {
        key: text
        for key, value in table.items()
        if key not in OWN_KEYS and (text := _as_text(value)) is not None
    }
    account = make_account(
        name,
        table["provider"],
        table["base_url"],
        settings,
        command,
        bound_to,
        region,
    )
    return replace(account, page=page, recordings_proxy=proxied)


def _as_text(value: Any) -> str | None:
    """``17`` and ``[1, "2-9"]`` are what people write for ids, ``true`` for yes; other shapes are
    not ours.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if type(value) is int:
        return str(value)
    if isinstance(value, list) and all(type(one) in (int, str) for one in value):
        return ",".join(map(str, value))
    return None


def _check_variable(account: Account, others: Iterable[Account]) -> None:
    for other in others:
        if other.name != account.name and other.token_variable == account.token_variable:
            raise AccountError(
                f"accounts {other.name} and {account.name} would share {account.token_variable}",
                "Choose a name that differs in more than - and _.",
            )


def _write(document: TOMLDocument, account: Account) -> None:
    """Set what the account has, drop what it no longer has, leave keys that are not ours."""
    table = subtable(document, "accounts", account.name)
    wanted = {
        "provider": account.provider,
        "base_url": account.base_url,
        **account.settings,
        "token_command": account.token_command,
        "bound_to": None,  # earlier versions kept it here
        "region": account.region,
    }
    written = table.unwrap()
    for key, value in written.items():
        if key not in wanted and key not in (_PAGE, _PROXIED) and _as_text(value) is not None:
            del table[key]
    for key, wish in wanted.items():
        if wish is None:
            table.pop(key, None)
        elif _as_text(written.get(key)) != wish:  # an equal value keeps its comment and its form
            table[key] = wish


__all__ = [
    "Account",
    "AccountError",
    "AccountStore",
    "SettingsError",
    "UnknownAccount",
    "make_account",
]
