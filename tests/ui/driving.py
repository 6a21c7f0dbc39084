"""How the tests drive the application: services over a sandbox, waiting, and reading the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC

from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from providers.sandbox import Sandbox
from tui.app import RingbackApp
from tui.config.accounts import make_account
from tui.config.paths import Paths
from tui.screens.activity import Activity
from tui.screens.main import MainScreen
from tui.services import Services
from widgets.call_detail import CallDetail
from widgets.call_table import CallTable
from widgets.player_line import PlayerLine
from widgets.status_line import StatusLine

NAMES = {
    "/": "slash",
    "\r": "enter",
    "\x1b": "escape",
    "\x02": "pagedown",
    "\x04": "ctrl+d",
    "\x13": "ctrl+s",
    "\x18": "ctrl+x",
    " ": "space",
    ">": "greater_than_sign",
    "<": "less_than_sign",
    ":": "colon",
    "?": "question_mark",
    "#": "number_sign",
    "-": "minus",
}
"""What Textual calls keys, but for those that are called as they are typed."""


def services_for(
    sandbox: Sandbox, vendors: Iterable[str], environ: Mapping[str, str], tokens: bool = True
) -> Services:
    """Services of this environment's home, with an account at each vendor."""
    paths = Paths.default(environ)
    paths.make()
    given = {f"RINGBACK_TOKEN_{vendor.upper()}": sandbox.tokens[vendor] for vendor in vendors}
    services = Services(paths, {**environ, **(given if tokens else {})}, UTC)
    for vendor in vendors:
        url, settings = sandbox.base_url(vendor), sandbox.settings[vendor]
        services.accounts.add(make_account(vendor, vendor, url, settings))
    return services


async def until(pilot: Pilot[None], true: Callable[[], object], wait_s: float = 15.0) -> None:
    """Wait for a condition; fails with what stands on the screen."""
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline, page(pilot)
        await asyncio.sleep(0.01)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until no account is being asked, what came is on the screen, and esc goes back again."""
    screen = main(pilot)
    await until(pilot, lambda: not screen.activity & (Activity.STARTING | Activity.SYNCING))
    screen.calls.look()
    await until(pilot, lambda: not screen.activity & (Activity.READING | Activity.OUTDATED))
    await until(
        pilot, lambda: not screen.ctx.is_working("doubt") and not screen.calls.notice.is_recent
    )
    await pilot.pause()


def main(pilot: Pilot[None]) -> MainScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


def table(pilot: Pilot[None]) -> CallTable:
    return main(pilot).query_one(CallTable)


def text_of(widget: Widget) -> str:
    """What a widget of lines shows."""
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))


def rows(pilot: Pilot[None]) -> list[str]:
    """The table's lines on the screen, without its header."""
    return text_of(table(pilot)).splitlines()[1:]


def cursor_row(pilot: Pilot[None]) -> str:
    return next(row for row in rows(pilot) if row.startswith(">"))


def detail(pilot: Pilot[None]) -> str:
    return text_of(main(pilot).query_one(CallDetail))


def status(pilot: Pilot[None]) -> str:
    return text_of(main(pilot).query_one(StatusLine))


def player(pilot: Pilot[None]) -> str:
    return text_of(main(pilot).query_one(PlayerLine))


def page(pilot: Pilot[None]) -> str:
    """The whole screen as text."""
    screen = pilot.app.screen
    width, height = pilot.app.size
    return "\n".join(
        "".join(segment.text for segment in line).rstrip()
        for line in screen._compositor.render_strips()[:height]
    )[: width * height * 4]


def burst(pilot: Pilot[None], keys: str) -> None:
    """Type all of them before any is looked at."""
    for char in keys:
        pilot.app.post_message(events.Key(NAMES.get(char, char), char))


async def press_each(pilot: Pilot[None], text: str) -> None:
    """Type a text, as fast as a line may bring it."""
    burst(pilot, text)
    await pilot.pause()


def run_app(services: Services, query: str = "") -> RingbackApp:
    return RingbackApp(services, query)
