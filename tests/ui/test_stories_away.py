"""What support staff do with calls that go elsewhere, key by key, at 80x24: copy a number, find a
call by four digits, and hand the spot of a recording to a colleague.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from providers.model import Call, Contact, Outcome
from tests.archive.calls import call
from tests.ui.driving import cursor_row, main, player, run_app, settled, status, table, until
from tests.ui.test_taking_out import copied, offline, with_calls
from tui.app import RingbackApp
from tui.links import parse
from tui.services import Services

__all__ = ["copied"]

Home = Callable[..., Services]
SIZE = (80, 24)


class Keys:
    """Presses keys and counts them; typed text counts apart."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot
        self.pressed = 0

    async def press(self, *keys: str) -> None:
        self.pressed += len(keys)
        await self._pilot.press(*keys)

    async def type(self, text: str) -> None:
        names = {" ": "space", "#": "number_sign", ":": "colon"}
        await self._pilot.press(*(names.get(char, char) for char in text))


def missed(number: int, name: str, phone: str) -> Call:
    return call(
        number,
        outcome=Outcome.MISSED,
        contact=Contact(name=name, number=phone),
        callback_requested=True,
        tags=("callback",),
    )


async def test_story_2_a_number_is_copied_to_be_called_back(home: Home, copied: list[str]) -> None:
    """The callbacks by their view's key, then two keys for the number: of the story's four, three;
    the fourth marks the call as done.
    """
    services = offline(home("nectar", "liner"))
    with services.paths.config_file.open("a") as config:
        config.write('\n[views.callbacks]\nquery = "missed tag:callback"\nkey = "4"\n')
    with_calls(
        services, missed(1, "Anna", "+49 30 123"), call(2), missed(3, "Ben", "+1 202 555 01")
    )
    async with run_app(services).run_test(size=SIZE) as pilot:
        await settled(pilot)
        keys = Keys(pilot)
        await keys.press("4")
        await settled(pilot)
        assert len(table(pilot)._rows) == 2 and "Ben" in cursor_row(pilot)
        await keys.press("y", "n")
        await until(pilot, lambda: copied == ["+1 202 555 01"])
        assert "number copied by" in status(pilot)
        assert keys.pressed == 3


async def test_story_3_a_call_is_found_over_all_vendors_by_four_digits_and_played(
    home: Home,
) -> None:
    """ "I called last week, my number ends 0147": `/`, the text, enter, space."""
    async with run_app(home("nectar", "liner", "cinnox")).run_test(size=SIZE) as pilot:
        await settled(pilot)
        keys = Keys(pilot)
        await keys.press("slash")
        await keys.type("#0147 rec dur>30")
        await keys.press("enter")
        await settled(pilot)
        shown = table(pilot)._rows.window(0, 500)
        assert shown and all("0147" in (row.number or "") for row in shown)
        await keys.press("space")
        await until(pilot, lambda: "Playing" in player(pilot))
        assert keys.pressed == 3


async def test_story_5_a_spot_goes_to_a_colleague_who_hears_it(
    home: Home, copied: list[str]
) -> None:
    """The story's last two keys: the link of what plays, at the playhead; and `ringback open`."""
    services = home("nectar")
    async with run_app(services, "rec dur>60 dur<300").run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("space")
        await until(pilot, lambda: "Playing" in player(pilot))
        await pilot.press("shift+right", "space")
        await until(pilot, lambda: "Paused" in player(pilot))
        left_s = int(main(pilot).playback.view.position_s)
        keys = Keys(pilot)
        await keys.press("y", "l")
        await until(pilot, lambda: copied)
        assert keys.pressed == 2
    link = parse(copied[0])
    assert link.at_s == left_s and left_s >= 30
    async with RingbackApp(services, link=link).run_test(size=SIZE) as pilot:
        await pilot.pause()
        keys = Keys(pilot)
        await keys.press("space")
        await until(pilot, lambda: main(pilot).playback.view.status == "playing")
        assert main(pilot).playback.view.position_s >= left_s
        assert keys.pressed == 1


async def test_story_6_from_a_transferred_call_to_its_original_and_back(home: Home) -> None:
    """`J` is there and back: one key each."""
    services = offline(home("nectar"))
    first = call(1, contact=Contact(name="Anna"))
    with_calls(services, first, call(2, original_call_id="1", contact=Contact(name="Ben")))
    async with run_app(services).run_test(size=SIZE) as pilot:
        await settled(pilot)
        keys = Keys(pilot)
        await keys.press("J")
        assert table(pilot).cursor == 1 and "original" in status(pilot)
        await keys.press("J")
        assert table(pilot).cursor == 0 and "back at the call" in status(pilot)
        assert keys.pressed == 2


async def test_story_8_the_morning_check_by_its_view(home: Home) -> None:
    """The list that the check begins with, worst first, is one key away; marking and handing over
    are triage's.
    """
    services = offline(home("nectar"))
    with services.paths.config_file.open("a") as config:
        config.write('\n[views.waited]\nquery = "in missed wait>60"\nkey = "2"\n')
    with_calls(services, *(call(n, outcome="missed", wait_s=30.0 * n) for n in range(5)))
    async with run_app(services).run_test(size=SIZE) as pilot:
        await settled(pilot)
        keys = Keys(pilot)
        await keys.press("2")
        await settled(pilot)
        assert len(table(pilot)._rows) == 2
        assert keys.pressed == 1


async def test_a_whole_query_leaves_by_two_keys(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`E` and enter: what the table shows, as a file for a spreadsheet."""
    monkeypatch.chdir(tmp_path)
    services = offline(home("nectar"))
    with_calls(services, *(call(n) for n in range(30)))
    async with run_app(services).run_test(size=SIZE) as pilot:
        await settled(pilot)
        keys = Keys(pilot)
        await keys.press("E")
        await until(pilot, lambda: pilot.app.focused is not None and pilot.app.screen.is_modal)
        await keys.press("enter")
        await until(pilot, lambda: "30 calls saved" in status(pilot))
        assert keys.pressed == 2
