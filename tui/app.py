"""The application: services, theme, keys and palette. What it shows is in `tui.screens`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.driver import Driver
from textual.screen import Screen
from textual.theme import Theme, ThemeProvider
from textual.worker import WorkerFailed

from providers.proxy import proxies_of
from providers.sanitize import safe_text
from tui.archive.errors import ArchiveDamaged
from tui.call_links import Link
from tui.commands import EVERYWHERE, key_text, main_commands
from tui.config.settings import SettingsError, put
from tui.exit_codes import CommandError, archive_error
from tui.screens.column_settings import unknown_columns
from tui.screens.keymap import TABLE_ACTIONS, action_of, bindings_of, check_keymap
from tui.screens.main import MainScreen
from tui.services import Services, trouble_behind
from tui.vendor_thread import VendorThread
from widgets.call_table import CallTable
from widgets.ordered_app import HoldingScreen, OrderedApp
from widgets.painted_app import PaintedApp


class Palette(HoldingScreen, CommandPalette):
    """Keys that choose wait until all commands that fit what was typed are there."""

    def holds(self, event: events.Event) -> bool:
        searches = any(one.group == self._GATHER_COMMANDS_GROUP for one in self.workers)
        return searches and isinstance(event, events.Key) and not event.is_printable

    def _action_command_list(self, action: str) -> None:
        """As Textual's, whose list cannot go a page on before it was laid out."""
        with suppress(KeyError):
            super()._action_command_list(action)


class RingbackApp(PaintedApp[None], OrderedApp[None]):
    """One run of the screen over `services`."""

    TITLE = "Ringback"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(EVERYWHERE)

    def __init__(
        self,
        services: Services,
        query: str = "",
        link: Link | None = None,
        masked: bool = False,
    ) -> None:
        super().__init__()
        self.services = services
        self.settings = services.settings()
        self.network = VendorThread(services.open_archive)
        self.keymap, self._problems = check_keymap(self.settings.keys)
        self._first_query, self._link, self._masked = query, link, masked
        self._main: MainScreen | None = None
        self._told_layout = False
        self.trouble: CommandError | None = None
        """After the end: what of the archive ended it."""

    def note_other_layout(self) -> None:
        if not self._told_layout:
            self._told_layout = True
            self.notify("letters of your keyboard layout stand for the keys below them")

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        if sys.platform == "win32":
            return driver
        from tui.screens.terminal_driver import TerminalDriver

        return TerminalDriver if issubclass(TerminalDriver, driver) else driver

    def get_default_screen(self) -> Screen[None]:
        self._main = MainScreen(
            self.services,
            self.settings,
            self.network,
            self.keymap,
            self._first_query,
            self._link,
            self._masked,
        )
        return self._main

    @property
    def not_kept(self) -> CommandError | None:
        """After the end: what could not be written before it."""
        return self._main.triage.unsaved if self._main else None

    def on_mount(self) -> None:
        self.theme = self._theme()
        self.set_keymap(self.keymap)
        said = [*self.settings.problems, *self._problems, *unknown_columns(self.settings)]
        said += proxies_of(self.services.environ).problems
        if (theme := self.settings.app.theme) and theme not in self.available_themes:
            said.append(f"config.toml: app.theme: there is no theme {theme}")
        for problem in said:
            self.notify(safe_text(problem), severity="warning", markup=False)

    def _theme(self) -> str:
        wanted = self.settings.app.theme
        if wanted in self.available_themes:
            return wanted
        # sixteen colours turn a truecolor theme's errors invisible
        return "ansi-dark" if self.console.color_system == "standard" else "textual-dark"

    def get_key_display(self, binding: Binding) -> str:
        """As in the help: ``enter``, ``/``; control as ``^``, for the footer is short of room."""
        return key_text(binding.key).replace("ctrl+", "^")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: our commands, and the theme. (No screenshots: they would show callers.)"""
        if isinstance(screen, MainScreen):
            table = screen.query_one(CallTable)
            for command in main_commands():
                if command.id != "palette":
                    # a table's command runs there, whatever has the focus
                    run = partial(
                        (screen if command.action else table).run_action,
                        action_of(command) if command.action else TABLE_ACTIONS[command.id],
                    )
                    keys = key_text(self.keymap.get(command.id, command.keys))
                    help_ = f"{command.help} ({keys})" if keys else command.help
                    yield SystemCommand(command.title, help_, run)
        yield SystemCommand(
            "Theme", "Choose the colours; kept for the next start.", self.choose_theme
        )

    def action_suspend_process(self) -> None:
        """Back to the shell, whose is what was typed behind the key."""
        if self._driver is None or not self._driver.can_suspend:
            self.notify("this terminal cannot be left for a while", severity="warning")
            return
        self.drop_all_typed()
        super().action_suspend_process()

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    async def run_action(self, *args: Any, **options: Any) -> bool:
        """A key whose action meets a damaged page is told so, and does not end the screen."""
        try:
            return await super().run_action(*args, **options)
        except ArchiveDamaged as error:
            if self._main is None:
                raise
            self._main.ctx.say_unread(error)
            return False

    def search_themes(self) -> None:
        self.push_screen(Palette([ThemeProvider], placeholder="Search for themes ..."))

    def choose_theme(self) -> None:
        """Let the user choose, and keep it in config.toml."""
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self.action_change_theme()

    def _keep_theme(self, theme: Theme) -> None:
        try:
            put(self.services.paths, "app", "theme", theme.name)
        except (SettingsError, OSError) as error:
            self.notify(f"the theme is not kept: {error}", severity="warning", markup=False)

    def _fatal_error(self) -> None:
        """As Textual's, but without the local variables: a token or a caller may be among them;
        what of the archive ended it is said in words, when the terminal is restored.
        """
        from rich.segment import Segment, Segments
        from rich.traceback import Traceback

        from tui.log import log_crash, scrub

        error = sys.exc_info()[1] or self._exception
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error
        if error is not None:
            log_crash(error)
        self.bell()
        if isinstance(error, Exception) and (trouble := trouble_behind(error)):
            self.trouble = self.trouble or archive_error(trouble)
            self._close_messages_no_wait()
            return
        trace = Traceback(show_locals=False, width=None, suppress=["textual", "rich"])
        for stack in trace.trace.stacks:
            stack.exc_value = scrub(stack.exc_value)
        # its message may be a vendor's
        shown = [
            Segment(safe_text(text, len(text), multiline=True), style)
            for text, style, _ in self.console.render(trace, self.console.options)
        ]
        self._exit_renderables.append(Segments(shown))
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        self.network.close()
