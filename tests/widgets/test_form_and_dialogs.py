"""The form and the dialogs."""

from __future__ import annotations

from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input, Static

from tests.widgets.hosts import FIELDS, Host, Seen, form_host
from tests.widgets.samples import HOSTILE
from widgets.column_chooser import ColumnChooser
from widgets.columns import COLUMNS, DEFAULT_COLUMNS
from widgets.confirm import Confirm
from widgets.form import MISSING, Field, Form, missing
from widgets.text_modal import TextModal

VALUES = {
    "name": "support",
    "vendor": "cinnox",
    "url": "http://example.test",
    "token": "s3cret",
    "sync": True,
}


async def test_the_form_gives_all_values() -> None:
    hook = Seen(Form.Submitted, Form.Cancelled)
    async with form_host().run_test(size=(80, 40), message_hook=hook) as pilot:
        await pilot.press("ctrl+s")
        (message,) = hook.take()
        assert isinstance(message, Form.Submitted) and message.values == VALUES
        assert "s3cret" not in repr(message)
        await pilot.press("escape")
        assert isinstance(hook.take()[0], Form.Cancelled)


async def test_enter_goes_on_and_submits_at_the_end() -> None:
    hook = Seen(Form.Submitted)
    host = form_host()
    async with host.run_test(size=(80, 40), message_hook=hook) as pilot:
        host.query_one("#field-name", Input).focus()
        await pilot.press("enter")
        assert host.focused is host.query_one("#field-vendor")
        host.query_one("#field-token", Input).focus()
        await pilot.press("x", "enter")
        (message,) = hook.take()
        assert isinstance(message, Form.Submitted)


async def test_a_missing_value_is_named_and_focused() -> None:
    hook = Seen(Form.Submitted)
    host = form_host()
    async with host.run_test(size=(80, 40), message_hook=hook) as pilot:
        host.query_one("#field-url", Input).value = "  "
        await pilot.press("ctrl+s")
        assert hook.take() == []
        error = host.query_one("#error-url", Static)
        assert str(error.render()) == MISSING
        shown = [error.display]
        assert host.focused is host.query_one("#field-url")
        await pilot.press("x", "ctrl+s")
        shown.append(error.display)
        assert shown == [True, False]
        assert len(hook.take()) == 1


async def test_errors_are_shown_as_they_are() -> None:
    host = form_host()
    async with host.run_test(size=(80, 40)) as pilot:
        host.query_one(Form).set_errors({"name": "[red]no[/nope]\x1b[31m"})
        await pilot.pause()
        text = str(host.query_one("#error-name", Static).render())
        assert text == "[red]no[/nope]\ufffd[31m"


async def test_other_fields_keep_what_was_typed() -> None:
    host = form_host()
    hook = Seen(Form.Changed)
    async with host.run_test(size=(80, 40), message_hook=hook) as pilot:
        form = host.query_one(Form)
        host.query_one("#field-name", Input).value = "typed"
        await form.set_fields((*FIELDS[:2], Field("app_id", "App id", value="7")))
        await pilot.pause()
        assert form.values == {"name": "typed", "vendor": "cinnox", "app_id": "7"}


async def test_tab_goes_through_what_takes_an_answer_and_nothing_else() -> None:
    host = form_host()
    async with host.run_test(size=(80, 40)) as pilot:
        host.query_one("#field-name").focus()
        seen = []
        for _ in range(len(FIELDS) + 3):
            await pilot.pause()
            seen.append(host.focused.id if host.focused else None)
            await pilot.press("tab")
        ids = [*(f"field-{field.id}" for field in FIELDS), "form-submit", "form-cancel"]
        assert seen == [*ids, ids[0]]


async def test_the_buttons() -> None:
    hook = Seen(Form.Submitted, Form.Cancelled)
    async with form_host().run_test(size=(80, 40), message_hook=hook) as pilot:
        await pilot.click("#form-submit")
        await pilot.click("#form-cancel")
        assert [type(message) for message in hook.take()] == [Form.Submitted, Form.Cancelled]


def test_missing() -> None:
    assert missing(FIELDS, {"name": " ", "vendor": "x", "url": "u"}) == {"name": MISSING}


async def answer(screen: Screen[Any], *keys: str, size: tuple[int, int] = (80, 24)) -> Any:
    """What a dialog answers to these keys; ``"open"`` while it has not answered."""
    answers: list[Any] = ["open"]
    host = Host(setup=lambda host: host.push_screen(screen, answers.append))
    async with host.run_test(size=size) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
    return answers[-1]


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        ("enter", False),
        ("y", True),
        ("n", False),
        ("escape", False),
        ("right enter", True),
        ("tab tab enter", False),
        ("x", "open"),
    ],
)
async def test_confirm_is_safe_by_default(keys: str, result: object) -> None:
    assert await answer(Confirm("Remove?", HOSTILE[4]), *keys.split()) == result


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        ("enter", ("time", "contact")),
        ("escape", None),
        ("space enter", ("contact",)),
        ("space j space enter", ("contact",)),
        ("J enter", ("contact", "time")),
        ("j K enter", ("contact", "time")),
        ("K enter", ("time", "contact")),
        ("j j space K K enter", ("direction", "time", "contact")),
        ("0 enter", DEFAULT_COLUMNS),
        ("k space enter", ("contact",)),
        ("G g space enter", ("contact",)),
        ("G K g J enter", ("contact", "time")),
    ],
)
async def test_choosing_columns(keys: str, result: object) -> None:
    assert await answer(ColumnChooser(("time", "nonsense", "contact")), *keys.split()) == result


async def test_the_chooser_reaches_the_last_column_on_a_small_screen() -> None:
    result = await answer(ColumnChooser(("time",)), "G", "space", "enter", size=(60, 12))
    assert result == ("time", next(reversed(COLUMNS)))


async def test_the_text_scrolls_copies_and_closes() -> None:
    modal = TextModal("Error [/]", "\n".join(f"line {n} {HOSTILE[n % 9]}" for n in range(99)))
    host = Host(setup=lambda host: host.push_screen(modal))
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("G", "y")
        await pilot.pause()
        assert host.clipboard.startswith("line 0 A\ufffd]0;PWNED") and "line 98" in host.clipboard
        assert "copied" in str(modal.query_one(".text-modal--keys", Static).render())
        assert modal.query_one(".text-modal--keys", Static).region.bottom <= 23
        await pilot.press("escape")
        assert host.screen is not modal
