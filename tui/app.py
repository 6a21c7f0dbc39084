"""The application: services, theme, keys and palette. What it shows is in `tui.screens`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from tui.commands import COMMANDS
from tui.keymap import check_keymap
from tui.network import NetworkThread
from tui.screens.main import MainScreen
from tui.services import Services


class RingbackApp(App[None]):
    """One run of the screen over `services`."""

    TITLE = "Ringback"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, services: Services, query: str = "") -> None:
        super().__init__()
        self.services = services
        self.settings = services.settings()
        self.network = NetworkThread(services.open_archive)
        self._first_query = query

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.services, self.settings, self.network, self._first_query)

    def on_mount(self) -> None:
        self.theme = self._theme()
        keymap, problems = check_keymap(self.settings.keys)
        self.set_keymap(keymap)
        for problem in [*self.settings.problems, *problems]:
            self.notify(problem, severity="warning", markup=False)
        self._leave_when_the_terminal_goes()

    def _theme(self) -> str:
        wanted = self.settings.app.theme
        if wanted in self.available_themes:
            return wanted
        # sixteen colours turn a truecolor theme's errors invisible
        return "ansi-dark" if self.console.color_system == "standard" else "textual-dark"

    def _leave_when_the_terminal_goes(self) -> None:
        """A dropped SSH connection ends the app in order: the player and the archive are closed."""
        if sys.platform != "win32" and not self.is_headless:
            import asyncio

            for number in (signal.SIGHUP, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self.exit)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: our commands, and the theme. (No screenshots: they would show callers.)"""
        main = self.screen_stack[0]
        for command in COMMANDS:
            if command.action and not command.action.startswith("app.command_palette"):
                run = partial(main.run_action, command.action)
                yield SystemCommand(command.title, command.help, run)
        yield SystemCommand("Theme", "Choose the colours.", self.action_change_theme)

    def _fatal_error(self) -> None:
        """As Textual's, but without the local variables: a token or a caller may be among them."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        from tui.log import log_crash

        error = sys.exc_info()[1]
        if error is not None:
            log_crash(error)
        self.bell()
        trace = Traceback(show_locals=False, width=None, suppress=["textual", "rich"])
        self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        self.network.close()
