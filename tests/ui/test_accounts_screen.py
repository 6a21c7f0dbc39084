"""Accounts are added, tested, changed and removed on their own screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual import events
from textual.widgets import Input

from providers.sandbox import Sandbox
from tests.ui.calls_page import CallsPage, open_page
from tui.screens.accounts import AccountScreen, AccountsScreen
from tui.screens.actions import FOR_DEMO
from tui.services import Services

Home = Callable[..., Services]


async def fill(page: CallsPage, **values: str) -> None:
    """Paste into the form's fields."""
    for name, value in values.items():
        field = page.top.query_one(f"#field-{name}", Input)
        field.focus()
        await page.pause()
        field.post_message(events.Paste(value))
        await page.until(lambda field=field, value=value: field.value == value)  # type: ignore[misc]


async def open_form(page: CallsPage) -> None:
    await page.press("a")
    await page.until(lambda: isinstance(page.top, AccountsScreen))
    await page.press("a")
    await page.until(lambda: isinstance(page.top, AccountScreen))
    await page.pause()


async def test_without_accounts_the_screen_says_how_to_add_one(home: Home) -> None:
    async with open_page(home()) as page:
        await page.pause()
        assert "No accounts yet" in page.text and "a  add an account" in page.text
        await page.press("r")
        await page.pause()
        assert "no account to ask; a adds one" in page.status


async def test_without_accounts_one_key_tries_the_demo(home: Home) -> None:
    async with open_page(home()) as page:
        await page.pause()
        assert "e  try the demo" in page.text
        await page.press("e")
        await page.pause()
    assert page.app.return_code == FOR_DEMO


async def test_with_accounts_the_demo_is_a_command(home: Home) -> None:
    async with open_page(home("nectar")) as page:
        await page.idle()
        await page.press("e")
        await page.pause()
        assert "the demo is a command: ringback demo" in page.status
        assert page.app.is_running


async def test_a_broken_config_is_said_and_no_lack_of_accounts(home: Home) -> None:
    services = home("nectar")
    async with open_page(services) as page:
        await page.idle()
        config = services.paths.config_file
        config.write_text(config.read_text() + "[[[ broken\n")
        await page.press("a")
        await page.until(lambda: "config.toml,line5" in "".join(page.text.split()))
        assert "No accounts yet" not in page.text


async def test_an_account_is_added_and_its_calls_come(home: Home, world: Sandbox) -> None:
    services = home()
    # a server without a keyring: the token comes from the environment
    services = replace(
        services, environ={**services.environ, "RINGBACK_TOKEN_EU": world.tokens["liner"]}
    )
    async with open_page(services) as page:
        await open_form(page)
        await fill(page, name="eu", base_url=world.base_url("liner"))
        await page.press("ctrl+s")
        await page.until(lambda: isinstance(page.top, AccountsScreen))
        await page.until(lambda: "eu  Liner" in page.text and "RINGBACK_TOKEN_EU" in page.text)
        await page.press("t")
        await page.until(lambda: "Liner accepts the token" in page.text)
        await page.press("escape")
        await page.idle()
        assert page.count > 0


async def test_without_a_keyring_the_form_names_a_way_with_its_command(
    home: Home, world: Sandbox
) -> None:
    services = home()
    async with open_page(services) as page:
        await open_form(page)
        await fill(page, name="eu", base_url=world.base_url("liner"), token="s3cr3tW0rd")
        assert "s3cr3tW0rd" not in page.text, "a password field shows no password"
        await page.press("ctrl+s")
        await page.until(lambda: "its token is not kept" in page.text)
        await page.until(lambda: "ringback accounts add eu --provider liner" in page.text)
        assert "read -rs RINGBACK_TOKEN_EU && export RINGBACK_TOKEN_EU" in page.text
        assert "s3cr3tW0rd" not in page.text
        assert "s3cr3tW0rd" not in services.paths.config_file.read_text()


async def test_a_refused_token_is_said_and_given_anew_in_the_same_form(
    home: Home, world: Sandbox
) -> None:
    services = home()
    environ = {**services.environ, "RINGBACK_TOKEN_EU": "wrong"}
    services = replace(services, environ=environ)
    async with open_page(services) as page:
        await open_form(page)
        await fill(page, name="eu", base_url=world.base_url("liner"))
        await page.press("ctrl+s")
        await page.until(lambda: "The account is kept" in page.text)
        environ["RINGBACK_TOKEN_EU"] = world.tokens["liner"]
        await page.press("ctrl+s")
        await page.until(lambda: isinstance(page.top, AccountsScreen))


async def test_an_account_is_changed_and_removed(home: Home, world: Sandbox) -> None:
    services = home("nectar")
    async with open_page(services) as page:
        await page.idle()
        await page.press("a")
        await page.until(lambda: "nectar  Nectar Desk" in page.text)
        await page.press("enter")
        await page.until(lambda: isinstance(page.top, AccountScreen))
        await page.pause()
        assert "Change nectar" in page.text
        field = page.top.query_one("#field-set-call_ids")
        field.focus()
        await page.press("end", *",1")
        await page.press("ctrl+s")
        await page.until(lambda: isinstance(page.top, AccountsScreen))
        assert services.accounts.get("nectar").settings["call_ids"].endswith(",1")
        await page.until(lambda: "nectar is changed" in page.text)
        await page.press("x")
        await page.until(lambda: "Remove nectar and its token?" in page.text)
        assert "60 calls and 0 recordings of nectar" in page.text
        await page.press("y")
        await page.until(lambda: "calls removed from the archive" in page.text)
        await page.press("escape")
        await page.until(lambda: not page.has_dialog)
        await page.until(lambda: "No accounts yet" in page.text)


async def test_a_wrong_address_is_refused_before_anything_is_written(home: Home) -> None:
    services = home()
    async with open_page(services) as page:
        await open_form(page)
        await page.press("ctrl+s")
        await page.pause()
        assert page.text.count("This is needed.") == 2
        await fill(page, name="eu", base_url="http://vendor.example")
        await page.press("ctrl+s")
        await page.until(lambda: "a base URL is https" in page.text)
        assert services.accounts.list() == ()


async def test_a_region_is_checked_in_words_kept_and_taken_away(home: Home, world: Sandbox) -> None:
    services = home("nectar")
    async with open_page(services) as page:
        await page.idle()
        await page.press("a")
        await page.until(lambda: "nectar  Nectar Desk" in page.text)
        for typed, kept in (("uk", None), ("gb", "GB"), ("", "GB"), ("backspace", None)):
            await page.press("enter")
            await page.until(lambda: isinstance(page.top, AccountScreen))
            await page.pause()
            keys = ["backspace"] * 2 if typed == "backspace" else [*typed]
            page.top.query_one("#field-region").focus()
            await page.press("end", *keys, "ctrl+s")
            if typed == "uk":
                await page.until(lambda: "'uk' is not a region; write two letters" in page.text)
                await page.press("escape")
            await page.until(lambda: isinstance(page.top, AccountsScreen))
            assert services.accounts.get("nectar").region == kept
            await page.pause()


async def test_accounts_changed_by_a_command_are_followed(home: Home, fresh: Sandbox) -> None:
    services = home("cinnox", "liner", sandbox=fresh)
    async with open_page(services) as page:
        await page.idle()
        account = services.accounts.remove("liner")
        await page.until(lambda: [one.name for one in page.sidebar.accounts] == ["cinnox"])
        await page.idle()
        before = len(fresh.requests)
        await page.press("r")
        await page.until(lambda: len(fresh.requests) > before)
        await page.idle()
        assert {request.origin for request in fresh.requests[before:]} == {"cinnox"}
        assert account is not None
        services.accounts.add(account)
        await page.until(lambda: "liner" in {one.name for one in page.sidebar.accounts})


async def test_a_config_broken_meanwhile_keeps_the_accounts(home: Home) -> None:
    services = home("nectar")
    async with open_page(services, size=(160, 24)) as page:
        await page.idle()
        config = services.paths.config_file
        config.write_text(config.read_text() + "[[[ broken\n")
        await page.until(lambda: "the accounts stay as they were" in page.status)
        assert [one.name for one in page.sidebar.accounts] == ["nectar"]
