"""Every command of the main screen is done by somebody."""

from __future__ import annotations

import os
from datetime import UTC

from textual.actions import parse

from tests.ui.calls_page import open_page
from tui.commands import main_commands
from tui.config.paths import Paths
from tui.screens.actions import ScreenActions
from tui.services import Services


async def test_each_action_of_a_command_is_known_and_no_other(paths: Paths) -> None:
    actions = (command.action for command in main_commands())
    own = {parse(action)[1] for action in actions if action and not action.startswith("app.")}
    async with open_page(Services(paths, dict(os.environ), UTC)) as page:
        assert set(ScreenActions(page.screen).table()) == own
