"""The form shows what a vendor declares, whoever made it, and keeps what is given there."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import ClassVar

import pytest
from textual.widgets import Checkbox, Input, Select

from providers import registry
from providers.model import Setting
from tests.providers.example_vendor import Acme
from tests.ui.calls_page import open_page
from tests.ui.test_accounts_screen import fill, open_form
from tui.screens.accounts import AccountScreen, AccountsScreen
from tui.services import Services

Home = Callable[..., Services]


class Kinds(Acme):
    """A setting of each kind."""

    id: ClassVar[str] = "kinds"
    title: ClassVar[str] = "Kinds"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("team_ids", "--team", "Teams", "Whose calls.", required=True, kind="ids"),
        Setting("most", "--most", "Most", "So many.", kind="number", default="50"),
        Setting("zone", "--zone", "Zone", "Where.", kind="choice", choices=("eu", "us")),
        Setting("archived", "--archived", "Archived calls", "Old ones too.", kind="flag"),
    )

    async def check(self) -> str:
        return f"Kinds was asked with {sorted(self.login.settings.items())}."


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "kinds", f"{__name__}:Kinds")


async def test_each_kind_has_its_field_is_checked_and_kept(
    home: Home, kinds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = home()
    monkeypatch.setitem(services.environ, "RINGBACK_TOKEN_EU", "tok")
    async with open_page(services, size=(80, 40)) as page:
        await page.until(lambda: "Liner, CINNOX, Nectar Desk or Kinds account" in page.text)
        await open_form(page)
        screen = page.top
        screen.query_one("#field-provider", Select).value = "kinds"
        await page.until(lambda: bool(screen.query("#field-set-archived")))
        assert screen.query_one("#field-set-most", Input).value == "50"
        await page.until(lambda: screen.query_one("#field-set-zone", Select).value == "")
        await fill(page, name="eu", base_url="https://kinds.example.com")
        await page.press("ctrl+s")
        await page.until(lambda: "This is needed." in page.text)
        await fill(page, **{"set-team_ids": "1-x"})
        await page.press("ctrl+s")
        await page.until(lambda: "team_ids: '1-x' is neither" in page.text)
        assert services.accounts.list() == ()
        screen.query_one("#field-set-team_ids", Input).value = "1-3"
        screen.query_one("#field-set-zone", Select).value = "us"
        screen.query_one("#field-set-archived", Checkbox).value = True
        await page.press("ctrl+s")
        await page.until(lambda: isinstance(page.top, AccountsScreen))
        given = {"team_ids": "1-3", "most": "50", "zone": "us", "archived": "yes"}
        assert dict(services.accounts.get("eu").settings) == given
        await page.until(lambda: "eu  Kinds" in page.text)
        await page.press("enter")
        await page.until(lambda: isinstance(page.top, AccountScreen))
        form = page.top
        await page.until(lambda: bool(form.query("#field-set-archived")))
        await page.until(lambda: form.query_one("#field-set-zone", Select).value == "us")
        assert form.query_one("#field-set-archived", Checkbox).value


async def test_what_stands_in_config_toml_as_toml_has_it_is_read(home: Home, kinds: None) -> None:
    services = home()
    text = (
        '[accounts.eu]\nprovider = "kinds"\nbase_url = "https://kinds.example.com"\n'
        'team_ids = [1, "5-6"]\nmost = 7\narchived = false\n'
    )
    services.paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    services.paths.config_file.write_text(text)
    assert tomllib.loads(text)["accounts"]["eu"]["archived"] is False
    [account] = services.accounts.list()
    assert dict(account.settings) == {"team_ids": "1,5-6", "most": "7", "archived": "no"}


async def test_another_vendor_with_a_field_of_the_same_name_has_its_own_value(
    home: Home, kinds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = Setting("zone", "--zone", "Zone", "Anywhere.")
    monkeypatch.setattr(Acme, "settings", (zone,))
    monkeypatch.setitem(registry.BUILT_IN, "acme", "tests.providers.example_vendor:Acme")
    async with open_page(home(), size=(80, 40)) as page:
        await open_form(page)
        screen = page.top
        screen.query_one("#field-provider", Select).value = "acme"
        await page.until(lambda: bool(screen.query("#field-set-zone")))
        await fill(page, name="eu", **{"set-zone": "nowhere"})
        screen.query_one("#field-provider", Select).value = "kinds"
        await page.until(lambda: bool(screen.query("#field-set-archived")))
        await page.until(lambda: screen.query_one("#field-set-zone", Select).value == "")
        assert screen.query_one("#field-name", Input).value == "eu", "what stays keeps its text"
