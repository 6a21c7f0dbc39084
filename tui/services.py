"""Everything that commands and screens may touch, built in one place; tests build their own."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from providers.sanitize import safe_text
from tui.archive.errors import READING, UNREACHED, ArchiveDamaged, ArchiveError
from tui.archive.interface import CallArchive
from tui.archive.sqlite import Archive
from tui.archive.sqlite.file_systems import refuse_network
from tui.audit_log import who
from tui.config.accounts import Account, AccountStore
from tui.config.paths import Paths
from tui.config.settings import Settings, SettingsError, load_settings
from tui.query.dates import local_zone
from tui.secrets.process import in_thread, with_tokens

if TYPE_CHECKING:
    from providers.base import Login, Provider, Secret

_NO_ROOM = (errno.EROFS, errno.ENOSPC, errno.EDQUOT)


def trouble_behind(error: Exception) -> Exception | None:
    """What of the archive ended a command or the screen; None: it was something else."""
    if isinstance(error, ArchiveError):
        return error
    return damage_behind(error) if isinstance(error, READING) else None


def damage_behind(error: Exception) -> ArchiveDamaged | None:
    """Whether what nobody expected came of an archive whose rows are not as they were written."""
    modules = (frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(error.__traceback__))
    if not any(name.startswith("tui.archive.") for name in modules):
        return None
    from tui.archive.sqlite.integrity_check import EVERY_ROW_S

    with suppress(ArchiveError):
        with Archive(Paths.default().archive_file, only_read=True) as archive:
            faults = archive.check(deep=True, within_s=EVERY_ROW_S).faults
        return ArchiveDamaged(faults[0].text) if faults else None
    return None


@dataclass(slots=True)
class Services:
    """The ambient things of one run. `environ` is a copy: nothing reads `os.environ` later."""

    paths: Paths
    environ: Mapping[str, str]
    zone: tzinfo

    @classmethod
    def build(cls, environ: Mapping[str, str] = os.environ) -> Services:
        paths = Paths.default(environ)
        try:
            paths.make()
        except OSError as error:
            if error.errno not in _NO_ROOM:  # what is there can be read all the same
                raise
        return cls(paths, with_tokens(environ), local_zone(load_settings(paths).app.time_zone))

    @property
    def person(self) -> str:
        """Who decides about calls here: ``RINGBACK_USER``, or else the system's user."""
        return safe_text(self.environ.get("RINGBACK_USER", ""), 80).strip() or who()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def settings(self) -> Settings:
        return load_settings(self.paths)

    @property
    def accounts(self) -> AccountStore:
        return AccountStore(self.paths)

    def open_archive(self) -> CallArchive:
        """A new connection, for the thread that asks. Raises `ArchiveError`."""
        path = self.paths.archive_file
        refuse_network(path, self.environ)
        try:
            return Archive(path)
        except ArchiveDamaged as error:  # of what is open the path is known
            raise ArchiveDamaged(f"{path}: {error.what}") from error
        except ArchiveError as error:
            if error.hint:
                raise
            message = f"the archive {path} cannot be opened: {error}"
            raise type(error)(message, UNREACHED) from None

    async def token(self, account: Account) -> Secret:
        """`find_token` beside the loop; what that runs ends when this is cancelled."""
        return await in_thread(self.find_token, account)

    def find_token(self, account: Account) -> Secret:
        """The account's token, to be sent to its origin; may take seconds.

        Raises `MissingToken`, `Unconfirmed` where it may not go there.
        """
        from providers.errors import MissingToken, Unconfirmed
        from tui.secrets.tokens import SecretError, TokenUnconfirmed, check_bound, find_token

        try:
            found = find_token(self.accounts.known(account), self.environ)
            check_bound(self.accounts.bind_first(account))
        except TokenUnconfirmed as error:
            raise Unconfirmed("Token not sent", error.message, error.hint) from None
        except SecretError as error:
            title = "Token locked" if error.state == "locked" else "Token missing"
            raise MissingToken(title, error.message, error.hint) from None
        except SettingsError as error:
            raise Unconfirmed("Token not sent", error.message, error.hint) from None
        return found.secret

    def login(self, account: Account, token: Secret, archive: CallArchive) -> Login:
        """What the account's provider is made from. Raises `ProviderError` as `provider`."""
        from providers import registry
        from providers.base import Login
        from providers.errors import ProviderError
        from providers.settings import with_defaults

        vendor = registry.load(account.provider)
        try:
            settings = with_defaults(vendor.settings, account.settings)
        except ValueError as error:
            raise ProviderError("Setting not readable", f"{error}.") from None
        return Login(account.base_url, token, settings, archive.names(account.name))

    def provider(self, account: Account, login: Login) -> Provider:
        """Raises `ProviderError` when there is no such vendor or its settings are wrong."""
        from providers import registry

        return registry.load(account.provider)(login)

    def offline_provider(self, account: Account, archive: CallArchive) -> Provider:
        """A provider for reading what is here already; it has no token to send."""
        from providers.base import Secret

        return self.provider(account, self.login(account, Secret(""), archive))
