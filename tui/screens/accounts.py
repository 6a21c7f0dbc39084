"""The accounts screen: a list, and a form that adds an account and tests it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from providers import registry
from providers.base import Secret
from providers.errors import ProviderError
from providers.model import Setting
from providers.sanitize import safe_text
from tui.account_setup import TokenNotKept, account_from, forget, losses, remember, where_to
from tui.archive.errors import ArchiveError
from tui.config.accounts import Account, AccountError
from tui.config.settings import SettingsError
from tui.screens.keymap import bindings_of
from tui.screens.reporting import ReportingScreen
from tui.secrets.process import in_thread
from tui.services import Services
from tui.sync.jobs import check
from tui.vendor_thread import VendorThread
from widgets.cells import fit
from widgets.confirm import Confirm
from widgets.form import Field, Form, Value, missing
from widgets.key_hints import key_of
from widgets.ordered_app import HoldingScreen

if TYPE_CHECKING:
    from tui.secrets.tokens import Description


def fields_of(provider: str, account: Account | None = None) -> list[Field]:
    """The fields of an account at a vendor, its own settings among them; filled from `account`."""
    titles = registry.titles()
    chosen = {provider: titles[provider]} if account else titles
    given = account.settings if account else {}
    return [
        Field(
            "provider",
            "Vendor",
            "select",
            provider,
            options=tuple((title, name) for name, title in chosen.items()),
            required=True,
        ),
        *(
            [Field("name", "Name", help="Short, for example desk-eu", required=True)]
            if account is None
            else []
        ),
        Field(
            "base_url",
            "Base URL",
            value=account.base_url if account else "",
            help="https://..., from the vendor",
            required=True,
        ),
        *(
            _setting_field(setting, given.get(setting.key, setting.default))
            for setting in registry.load(provider).settings
        ),
        Field(
            "region",
            "Region",
            value=(account.region or "") if account else "",
            help="Country of numbers without a country code, two letters such as GB, US or HK",
        ),
        Field(
            "token",
            "Token",
            "password",
            help="Kept in the keyring, never in a file" + ("; empty: as it is" * bool(account)),
        ),
    ]


def _setting_field(setting: Setting, value: str) -> Field:
    field = Field(
        f"set-{setting.key}",
        setting.title,
        value=value,
        help=setting.help,
        required=setting.required,
    )
    if setting.kind == "flag":
        return replace(field, kind="checkbox", value=value == "yes", required=False)
    if setting.kind == "choice":
        blank = () if setting.required or setting.default else (("(none)", ""),)
        options = (*blank, *((choice, choice) for choice in setting.choices))
        return replace(field, kind="select", options=options)
    return field


def _setting_text(value: Value) -> str:
    """A field's value as a setting's: a checkbox is ``yes`` or ``no``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.strip()


class AccountScreen(ReportingScreen[Account | None]):
    """A form that adds an account, or changes one; it is kept only when it is sound, and tested
    at once. Answers with the account if one was written.
    """

    def __init__(
        self, services: Services, network: VendorThread, account: Account | None = None
    ) -> None:
        super().__init__()
        self._services, self._network = services, network
        self._changes = account
        self._provider = account.provider if account else next(iter(registry.titles()))
        self._written = account
        """What stands in config.toml by now: a second try changes it."""
        self._wrote: Account | None = None
        self._tried: dict[str, Value] = {}
        """What is being written, or was last."""

    def compose(self) -> ComposeResult:
        title = f"Change {self._changes.name}" if self._changes else "Add an account"
        yield Static(Content(title), classes="title")
        submit = "Save and test" if self._changes else "Add and test"
        yield Form(fields_of(self._provider, self._changes), submit=submit)
        yield Static(Content(""), id="account-answer")
        yield Footer(compact=True, show_command_palette=False)

    @on(Form.Changed)
    async def _vendor_changed(self, event: Form.Changed) -> None:
        if event.field_id == "provider" and event.value != self._provider:
            self._provider = str(event.value)
            await self.query_one(Form).set_fields(fields_of(self._provider))
            self.query_one("#field-provider").focus()

    @on(Form.Cancelled)
    def _cancelled(self) -> None:
        self.dismiss(self._wrote)

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        values = event.values
        errors = missing(self.query_one(Form).fields, values) or _wrong(values)
        self.query_one(Form).set_errors(errors)
        again = values == self._tried and any(one.group == "add" for one in self.workers)
        if not errors and not again:
            self._tried = values
            self._write(values)

    @work(group="add", exclusive=True, exit_on_error=False)
    async def _write(self, values: dict[str, Value]) -> None:
        try:
            said = await self._remember(values)
        except (AccountError, SettingsError, ProviderError) as error:
            self._say(f"{error}\n{error.hint}")
            return
        assert self._wrote is not None
        account = self._wrote
        try:
            await confirm_origin(self, self._services, account)
            self._say(f"{said}\nAsking the vendor ...")
            answer = await self._network.run(
                lambda archive: check(self._services, account, archive)
            )
        except (ProviderError, SettingsError) as error:
            leave = key_of(self, "form.cancel")
            kept = f"The account is kept; change it, or {leave}."
            self._say(f"{said}\n{error}\n{error.hint}\n{kept}")
            return
        self.app.notify(answer, title=account.name, markup=False)
        self.dismiss(account)

    async def _remember(self, values: dict[str, Value]) -> str:
        """Write the account and its token; what was done, in words. Raises as `remember`."""
        texts = {key: _setting_text(value) for key, value in values.items()}
        settings = {
            key.removeprefix("set-"): value
            for key, value in texts.items()
            if key.startswith("set-") and value
        }
        token = Secret(texts["token"]) if texts.get("token") else None
        name = self._changes.name if self._changes else texts["name"]
        command = self._changes.token_command if self._changes else None
        account = account_from(
            name, texts["provider"], texts["base_url"], settings, command, texts["region"]
        )
        again = self._written is not None and self._written.name == name
        self._say("Writing the account ...")
        try:
            account, said = await asyncio.to_thread(
                remember, self._services, account, token, replace=again
            )
        except TokenNotKept:
            self._written = self._wrote = account
            raise
        self._written = self._wrote = account
        return said

    def _say(self, text: str) -> None:
        self.query_one("#account-answer", Static).update(
            Content(safe_text(text.strip(), multiline=True))
        )


class AccountsScreen(HoldingScreen, ReportingScreen[bool]):
    """The accounts; dismissed with whether anything changed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("accounts")

    def __init__(self, services: Services, network: VendorThread) -> None:
        super().__init__()
        self._services, self._network = services, network
        self._changed = False

    def compose(self) -> ComposeResult:
        yield Static(Content("Accounts"), classes="title")
        yield OptionList(id="account-list", markup=False)
        yield Static(Content(""), id="account-answer")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self._list()

    def holds(self, event: events.Event) -> bool:
        """Keys behind "Remove" are for its question, or for what is left then."""
        asks = any(one.group == "dialog" for one in self.workers)
        return asks and isinstance(event, events.Key) and event.key != "ctrl+q"

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _list(self, said: str = "") -> None:
        """List the accounts anew; `said` is what has just been done."""
        from tui.secrets.tokens import describe_all

        accounts, problems = self._services.accounts.read()
        options = self.query_one("#account-list", OptionList)
        tokens = {account.name: "token: ..." for account in accounts}
        self._fill(options, accounts, tokens)
        found = await in_thread(describe_all, accounts, self._services.environ)
        self._fill(options, accounts, {name: _token_text(one) for name, one in found.items()})
        if broken := self._services.settings().broken:
            problems += (str(broken),)
        elif not accounts:
            problems += (f"No accounts yet. Press {self._add_key} to add one.",)
        if said or problems:
            self._say("\n".join((said, *problems)))

    def _fill(
        self, options: OptionList, accounts: Sequence[Account], tokens: dict[str, str]
    ) -> None:
        titles = registry.titles()
        highlighted = options.highlighted or 0
        rows = [
            (one.name, titles.get(one.provider, one.provider), one.base_url, tokens[one.name])
            for one in accounts
        ]
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        options.set_options(
            Option(
                Content(safe_text("  ".join(map(fit, row, widths)).rstrip())),
                id=row[0],
            )
            for row in rows
        )
        if accounts:
            options.highlighted = min(highlighted, len(accounts) - 1)

    @property
    def _add_key(self) -> str:
        return key_of(self, "accounts.add")

    def _chosen(self) -> Account | None:
        option = self.query_one("#account-list", OptionList).highlighted_option
        if option is None or option.id is None:
            self._say(f"No account is chosen. Press {self._add_key} to add one.")
            return None
        return self._services.accounts.get(option.id)

    def action_cursor(self, step: int) -> None:
        options = self.query_one("#account-list", OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def action_add(self) -> None:
        self._open_form(None)

    @on(OptionList.OptionSelected)
    def action_change(self) -> None:
        if account := self._chosen():
            self._open_form(account)

    def _open_form(self, account: Account | None) -> None:
        def left(wrote: Account | None) -> None:
            if wrote:
                self._changed = True
                self._list(f"{wrote.name} is {'changed' if account else 'added'}.")

        self.app.push_screen(AccountScreen(self._services, self._network, account), left)

    @work(group="test", exclusive=True, exit_on_error=False)
    async def action_test(self) -> None:
        account = self._chosen()
        if account is None:
            return
        try:
            await confirm_origin(self, self._services, account)
            self._say(f"{account.name}: asking the vendor ...")
            answer = await self._network.run(
                lambda archive: check(self._services, account, archive)
            )
        except (ProviderError, SettingsError) as error:
            answer = f"{error}\n{error.hint}"
        self._say(f"{account.name}: {answer}")
        self._list()

    @work(group="dialog", exit_on_error=False)
    async def action_remove(self) -> None:
        account = self._chosen()
        if account is None:
            return
        try:
            what = await asyncio.to_thread(losses, self._services, account.name)
        except (AccountError, ArchiveError, OSError) as error:
            self._say(str(error))
            return
        sure = await self.app.push_screen_wait(
            Confirm(f"Remove {account.name} and its token?", what, yes="Remove")
        )
        if sure:
            try:
                said, _ = await asyncio.to_thread(forget, self._services, account.name)
            except (AccountError, SettingsError) as error:
                said = f"{error}\n{error.hint}"
            self._changed = True
            self._list(said)

    def action_leave(self) -> None:
        self.dismiss(self._changed)

    def _say(self, text: str) -> None:
        self.query_one("#account-answer", Static).update(
            Content(safe_text(text.strip(), multiline=True))
        )


async def confirm_origin(screen: Screen[Any], services: Services, account: Account) -> None:
    """Ask before the token goes where its base URL has moved to; without a yes it stays bound.

    Raises `SettingsError`.
    """
    if account.bound:
        return
    question = f"Send the token of {account.name} to {account.origin}?"
    if await screen.app.push_screen_wait(Confirm(question, where_to(account), yes="Send")):
        await asyncio.to_thread(services.accounts.bind, account)


def _wrong(values: Mapping[str, Value]) -> dict[str, str]:
    """What is wrong with single fields, in words, by id."""
    from tui.query.phone_numbers import check_region

    region = str(values["region"]).strip()
    try:
        if region:
            check_region(region)
    except ValueError as error:
        return {"region": str(error)}
    return {}


def _token_text(description: Description) -> str:
    """``token: found (keyring)``; without a place where there is none."""
    tells = description.state in ("found", "unconfirmed")
    where = f" ({description.source})" if tells else ""
    return f"token: {description.state}{where}"
