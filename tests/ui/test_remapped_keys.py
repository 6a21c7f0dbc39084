"""A key that config.toml gives a command works where the command does, and is named there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC

import pytest

from tests.archive.calls import call
from tests.ui.calls_page import CallsPage, open_page
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.services import Services
from widgets.text_modal import TextModal

Home = Callable[..., Services]

Check = Callable[[CallsPage], object]


@pytest.fixture
def desk(paths: Paths) -> Services:
    """Nine calls of an account that cannot be reached."""
    services = Services(paths, {**os.environ, "RINGBACK_USER": "ann"}, UTC)
    services.accounts.add(make_account("desk", "nectar", "http://127.0.0.1:9", {"call_ids": "1"}))
    with services.open_archive() as archive:
        archive.read_by("desk", 99)  # their raw is none of a vendor's: there is nothing to read
        with archive.transaction():
            archive.save("desk", [call(number) for number in range(1, 10)])
    return services


def on(name: str) -> Check:
    return lambda page: type(page.top).__name__ == name


def shows(text: str) -> Check:
    return lambda page: text in page.text


CASES: dict[str, tuple[Sequence[str], Check, Check]] = {
    "sidebar.down": (["shift+tab"], lambda page: page.focused is page.sidebar, lambda page: page.sidebar.cursor != ("all", "")),
    "table.down": ([], lambda page: page.cursor == 0, lambda page: page.cursor == 1),
    "text.down": (["question_mark"], shows("Move\n"), lambda page: "Move\n" not in page.text),
    "help.back": (["question_mark"], on("HelpScreen"), on("MainScreen")),
    "columns.toggle": (["C"], shows("f6 on/off"), shows("[ ] Time")),
    "columns.cancel": (["C"], shows("f6 cancel"), on("MainScreen")),
    "accounts.add": (["a"], on("AccountsScreen"), on("AccountScreen")),
    "accounts.back": (["a"], on("AccountsScreen"), on("MainScreen")),
    "form.cancel": (["a", "a"], on("AccountScreen"), on("AccountsScreen")),
    "confirm.yes": (["x", "j", "x", "f"], shows("Yes (f6)"), shows("2 calls: follow-up")),
    "confirm.no": (["x", "j", "x", "f"], shows("No (f6)"), on("MainScreen")),
    "query.keep": (["slash", "z"], lambda page: "f6 Keep" in page.hints, lambda page: page.focused is page.table and page.query == "z"),
    "query.undo": (["slash", "z"], lambda page: "f6 Undo" in page.hints, lambda page: page.focused is page.table and not page.query),
    "query.complete": (["slash", *"state", "colon", "f"], shows(" f6  follow-up"), lambda page: page.query == "state:follow-up "),
    "quit": (["a"], on("AccountsScreen"), lambda page: not page.app.is_running),
}  # fmt: skip
"""Keys that go where a command works, what is seen there, and what is when its key was pressed."""
OLD = {"quit": "ctrl+q", "accounts.back": "escape", "help.back": "q", "table.down": "j"}
"""Keys of before, which do nothing any more."""


@pytest.mark.parametrize("command", CASES)
async def test_a_key_of_ones_own(desk: Services, command: str) -> None:
    config = desk.paths.config_file
    config.write_text(f'{config.read_text()}\n[keys]\n"{command}" = "f6"\n')
    keys, before, after = CASES[command]
    async with open_page(desk, size=(120, 30)) as page:
        await page.idle()
        await page.press(*keys)
        await page.until(lambda: before(page))
        if command in OLD:
            await page.press(OLD[command])
            assert before(page) and not after(page)
        await page.press("f6")
        await page.until(lambda: after(page))
        assert not page.notices


async def test_a_text_names_its_keys(desk: Services) -> None:
    config = desk.paths.config_file
    config.write_text(f'{config.read_text()}\n[keys]\n"text.close" = "f6,f7"\n"text.copy" = "Y"\n')
    async with open_page(desk) as page:
        await page.idle()
        await page.app.push_screen(TextModal("A title", "A text"))
        assert "Y copy   f6 close" in page.text
        await page.press("Y")
        await page.until(lambda: "copied   f6 close" in page.text)
        assert page.app.clipboard == "A text"
        await page.press("f7")
        await page.until(lambda: not page.has_dialog)


async def test_keys_of_another_layout_do_what_they_stand_on(synced: Home) -> None:
    services = synced("cinnox")
    async with open_page(services, size=(120, 30)) as page:
        await page.idle()
        rows = [row.key for row in page.calls()]
        page.burst("оо")  # Russian j j
        await page.until(lambda: page.key == rows[2])
        await page.until(lambda: "letters of your keyboard layout" in page.notices)
        await page.press("л", "ч")  # k, x
        await page.until(lambda: page.key == rows[1] and bool(page.marked))
        await page.press("slash", *"мир")
        await page.until(lambda: page.query == "мир")


async def test_a_letter_that_a_user_has_bound_is_that_key(synced: Home) -> None:
    services = synced("cinnox")
    services.paths.config_file.write_text(
        services.paths.config_file.read_text() + '[keys]\nhelp = "о"\n'
    )
    async with open_page(services, size=(120, 30)) as page:
        await page.idle()
        await page.press("о")
        await page.until(lambda: page.has_dialog)
