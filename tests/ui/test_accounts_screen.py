"""Accounts are added, tested, changed and removed on their own screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from providers.sandbox import Sandbox
from tests.ui.driving import main, page, run_app, settled, status, table, until
from tui.screens.accounts import AccountScreen, AccountsScreen
from tui.services import Services

Home = Callable[..., Services]


async def fill(pilot: Pilot[None], **values: str) -> None:
    """Paste into the form's fields."""
    for name, value in values.items():
        field = pilot.app.screen.query_one(f"#field-{name}", Input)
        field.focus()
        await pilot.pause()
        field.post_message(events.Paste(value))
        await until(pilot, lambda field=field, value=value: field.value == value)


async def open_form(pilot: Pilot[None]) -> None:
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, AccountsScreen))
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, AccountScreen))
    await pilot.pause()


async def test_without_accounts_the_screen_says_how_to_add_one(home: Home) -> None:
    async with run_app(home()).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "No accounts yet" in page(pilot) and "a  add an account" in page(pilot)
        await pilot.press("r")
        await pilot.pause()
        assert "no account to ask; a adds one" in status(pilot)


async def test_an_account_is_added_and_its_calls_come(home: Home, world: Sandbox) -> None:
    services = home()
    # a server without a keyring: the token comes from the environment
    services = replace(
        services, environ={**services.environ, "RINGBACK_TOKEN_EU": world.tokens["liner"]}
    )
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await open_form(pilot)
        await fill(pilot, name="eu", base_url=world.base_url("liner"))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, AccountsScreen))
        await until(
            pilot, lambda: "eu  Liner" in page(pilot) and "RINGBACK_TOKEN_EU" in page(pilot)
        )
        await pilot.press("t")
        await until(pilot, lambda: "Liner accepts the token" in page(pilot))
        await pilot.press("escape")
        await settled(pilot)
        assert len(table(pilot)._rows) > 0


async def test_without_a_keyring_the_form_names_a_way_with_its_command(
    home: Home, world: Sandbox
) -> None:
    services = home()
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await open_form(pilot)
        await fill(pilot, name="eu", base_url=world.base_url("liner"), token="s3cr3tW0rd")
        assert "s3cr3tW0rd" not in page(pilot), "a password field shows no password"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "its token is not kept" in page(pilot))
        await until(pilot, lambda: "ringback accounts add eu --provider liner" in page(pilot))
        assert "read -rs RINGBACK_TOKEN_EU && export RINGBACK_TOKEN_EU" in page(pilot)
        assert "s3cr3tW0rd" not in page(pilot)
        assert "s3cr3tW0rd" not in services.paths.config_file.read_text()


async def test_a_refused_token_is_said_and_given_anew_in_the_same_form(
    home: Home, world: Sandbox
) -> None:
    services = home()
    environ = {**services.environ, "RINGBACK_TOKEN_EU": "wrong"}
    services = replace(services, environ=environ)
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await open_form(pilot)
        await fill(pilot, name="eu", base_url=world.base_url("liner"))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "The account is kept" in page(pilot))
        environ["RINGBACK_TOKEN_EU"] = world.tokens["liner"]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, AccountsScreen))


async def test_an_account_is_changed_and_removed(home: Home, world: Sandbox) -> None:
    services = home("nectar")
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await until(pilot, lambda: "nectar  Nectar Desk" in page(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, AccountScreen))
        await pilot.pause()
        assert "Change nectar" in page(pilot)
        field = pilot.app.screen.query_one("#field-set-call_ids")
        field.focus()
        await pilot.press("end", *",1")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, AccountsScreen))
        assert services.accounts.get("nectar").settings["call_ids"].endswith(",1")
        await until(pilot, lambda: "nectar is changed" in page(pilot))
        await pilot.press("x")
        await until(pilot, lambda: "Remove nectar and its token?" in page(pilot))
        assert "60 calls and 0 recordings of nectar" in page(pilot)
        await pilot.press("y")
        await until(pilot, lambda: "calls removed from the archive" in page(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is main(pilot))
        await until(pilot, lambda: "No accounts yet" in page(pilot))


async def test_a_wrong_address_is_refused_before_anything_is_written(home: Home) -> None:
    services = home()
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await open_form(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert page(pilot).count("This is needed.") == 2
        await fill(pilot, name="eu", base_url="http://vendor.example")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "a base URL is https" in page(pilot))
        assert services.accounts.list() == ()


async def test_a_region_is_checked_in_words_kept_and_taken_away(home: Home, world: Sandbox) -> None:
    services = home("nectar")
    async with run_app(services).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await until(pilot, lambda: "nectar  Nectar Desk" in page(pilot))
        for typed, kept in (("uk", None), ("gb", "GB"), ("", "GB"), ("backspace", None)):
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, AccountScreen))
            await pilot.pause()
            keys = ["backspace"] * 2 if typed == "backspace" else [*typed]
            pilot.app.screen.query_one("#field-region").focus()
            await pilot.press("end", *keys, "ctrl+s")
            if typed == "uk":
                await until(pilot, lambda: "'uk' is not a region; write two letters" in page(pilot))
                await pilot.press("escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, AccountsScreen))
            assert services.accounts.get("nectar").region == kept
            await pilot.pause()
