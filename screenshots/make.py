"""Makes the README's pictures: the real application over the sandbox, while time stands still.

    ./run shots                 all of them, beside this file
    ./run shots --output DIR    somewhere else
    ./run shots help main       some of them

The same code gives the same bytes: the sandbox's world is seeded, and clock and zone are fixed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

NOW = datetime(2026, 11, 4, 15, 20, tzinfo=UTC)
HERE = Path(__file__).parent
PLAYED = 0.4
"""The part of the recording that the player shows as heard."""

# before anything of ours is imported: defaults and Textual take these as they find them
time.time = NOW.timestamp
for name in [name for name in os.environ if name.startswith(("RINGBACK_", "TEXTUAL"))]:
    del os.environ[name]
os.environ |= {"TEXTUAL_ANIMATIONS": "none", "COLORTERM": "truecolor", "TERM": "xterm-256color"}

from textual.pilot import Pilot  # noqa: E402
from textual.widgets import Input  # noqa: E402

import tui.audio.client.player  # noqa: E402
from providers.sandbox import Sandbox  # noqa: E402
from tui.app import RingbackApp  # noqa: E402
from tui.audio.client.player import Player, PlayerState  # noqa: E402
from tui.audio.client.route import Route  # noqa: E402
from tui.config.accounts import make_account  # noqa: E402
from tui.config.paths import Paths  # noqa: E402
from tui.screens.main import MainScreen  # noqa: E402
from tui.services import Services  # noqa: E402
from tui.sync.jobs import sync_all  # noqa: E402
from tui.sync.sync import SyncRequest  # noqa: E402
from widgets.chart_view import ChartView  # noqa: E402

Act = Callable[[Pilot[None]], Coroutine[object, object, None]]


class StillServices(Services):
    """Services whose clock stands."""

    def now(self) -> datetime:
        return NOW


class StillPlayer(Player):
    """Plays in silence, and stays where it is as soon as the waveform is whole."""

    still = False

    def __init__(
        self, on_change: Callable[[PlayerState], None], route: Callable[[], Route] | None = None
    ) -> None:
        super().__init__(on_change, "none")

    def _change(self, **changes: Any) -> None:
        if self.still:
            return
        super()._change(**changes)
        length_s = self.state.length_s
        if length_s and self.peaks is not None and self.peaks.complete:
            self.still = True
            self._seq += 1  # what the engine says of its position is out of date
            at_s = round(length_s * PLAYED)
            self.state = replace(self.state, status="playing", position_s=at_s, output="")
            self._on_change(self.state)


class Shot(NamedTuple):
    """One picture: its size in cells, and what is done before it is taken."""

    name: str
    width: int
    height: int
    act: Act


def pressing(*keys: str) -> Act:
    async def act(pilot: Pilot[None]) -> None:
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return act


async def play(pilot: Pilot[None]) -> None:
    """One of the recorded calls, played from the table."""
    await pressing(*RECORDED, "j", "j", "space")(pilot)
    playback = main_screen(pilot).player.playback
    await until(lambda: getattr(playback._player, "still", False))
    await settled(pilot)


async def insights(pilot: Pilot[None]) -> None:
    """The figures of the last days, with a busy hour chosen."""
    await pressing("I")(pilot)
    charts = pilot.app.screen.query(ChartView)
    await until(lambda: all(view.chart is not None for view in charts))
    await pressing(*["right"] * 10)(pilot)


RECORDED = ("slash", *"rec dur>60", "enter")

SHOTS = (
    Shot("main", 120, 40, pressing(*"jjjjjjjj")),
    Shot("detail", 120, 40, pressing(*RECORDED, *"jjjjjjj", "enter")),
    Shot("narrow", 80, 24, pressing("j")),
    Shot("wide", 200, 50, pressing(*RECORDED, *"jjjjjjj")),
    Shot("query", 120, 30, pressing("slash", *"in missed today")),
    Shot("playing", 120, 40, play),
    Shot("insights", 120, 40, insights),
    Shot("accounts", 120, 30, pressing("a", "a")),
    Shot("help", 120, 40, pressing("question_mark")),
)


def main_screen(pilot: Pilot[None]) -> MainScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


async def until(done: Callable[[], bool]) -> None:
    for _ in range(2000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the screen does not come to rest")


async def settled(pilot: Pilot[None]) -> None:
    """No sync, no worker but an open dialog's own, nothing left to draw."""
    main = main_screen(pilot)
    await pilot.pause()
    await until(lambda: not main.sync.busy)
    await until(
        lambda: all(w.is_finished for w in pilot.app.workers if w.group not in ("dialog", "play"))
    )
    for line in pilot.app.screen.query(Input):
        line.cursor_blink = False
    await pilot.pause()


async def take(services: Services, shot: Shot) -> str:
    app = RingbackApp(services)
    async with app.run_test(size=(shot.width, shot.height)) as pilot:
        await settled(pilot)
        await shot.act(pilot)
        await settled(pilot)
        return app.export_screenshot(title="ringback")


@contextmanager
def synthetic_home() -> Iterator[Services]:
    """A home with an account at each synthetic vendor, and all of their calls in its archive."""
    with Sandbox(seed=7, now=NOW) as sandbox, tempfile.TemporaryDirectory() as home:
        environ = {f"RINGBACK_TOKEN_{name.upper()}": text for name, text in sandbox.tokens.items()}
        environ |= {"RINGBACK_HOME": home, "HOME": home}
        paths = Paths.default(environ)
        paths.make()
        services = StillServices(paths, environ, UTC)
        for vendor, settings in sandbox.settings.items():
            account = make_account(vendor, vendor, sandbox.base_url(vendor), settings)
            services.accounts.add(account)
        with services.open_archive() as archive:
            reports = asyncio.run(
                sync_all(services, services.accounts.list(), archive, SyncRequest())
            )
        if failed := [report.error or report.problems for report in reports if report.error]:
            raise SystemExit(f"the synthetic vendors failed: {failed}")
        yield services


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=HERE, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(s.name for s in SHOTS))
    arguments = parser.parse_args(argv)
    tui.audio.client.player.Player = StillPlayer  # type: ignore[assignment, misc]
    with synthetic_home() as services:
        for shot in SHOTS:
            if not arguments.names or shot.name in arguments.names:
                picture = asyncio.run(take(services, shot))
                (arguments.output / f"{shot.name}.svg").write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
