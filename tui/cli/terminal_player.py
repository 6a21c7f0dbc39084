"""``ringback play``: one recording in a plain terminal, or for a script.

On a terminal one line is redrawn in place and keys steer; without one nothing is printed but
errors, and what cannot be heard is not played at all. `print_words` tells a recording in words.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TextIO, cast

from providers.sanitize import safe_text
from tui.audio.client.byte_server import unreadable
from tui.audio.client.notices import DAMAGED, unmeasured
from tui.audio.client.player import REWIND_S, FileSource, Player, PlayerState, Source
from tui.audio.client.route import find_route
from tui.audio.client.suspension import Suspension
from tui.audio.client.turns import clock, describe_turns, turns
from tui.audio.speaker_sockets import speakers
from tui.cli.player_keys import Steering, help_line
from tui.console import print_error, print_text, redraw

__all__ = ["FileSource", "PlayOptions", "clock", "play_on_terminal", "print_words"]

PlayerFactory = Callable[[Callable[[PlayerState], None]], Player]

_LEAVE = frozenset("qQ\x03\x04")
_LINE_FEED_S = 0.25
_LOOK_S = 1.0
NOTHING_THERE = "there is no sound from {} on: the recording ends at {}"
NO_FURTHER = "there is no further recording"
_MARKS = {"loading": "…", "playing": "▶", "paused": "⏸", "ended": "■", "failed": "✗", "idle": "■"}


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How to begin, and the user's own keys: as the settings say unless the command does."""

    speed: float = 1.0
    volume: float = 1.0
    rewind_s: float = REWIND_S
    skip_silence: bool = False
    keymap: Mapping[str, str] = field(default_factory=dict)


async def play_on_terminal(
    source: Source,
    title: str,
    options: PlayOptions | None = None,
    start_s: float = 0.0,
    watch: Callable[[PlayerState], None] | None = None,
    go: Callable[[int], bool] | None = None,
    *,
    player_factory: PlayerFactory = Player,
) -> int:
    """Play to the end. 0 at the end or when the user quits, 1 when there is nothing to hear, 3
    when less is there than the recording's header promises.

    `watch` is told what the player does; `go` whether there is a recording so many further, which
    ends this one.

    The terminal is put back as it was, also on ctrl+c, SIGTERM and SIGHUP (then 128 + the
    signal's number).
    """
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    route = find_route()
    if route.kind == "none" and route.notice and not on_terminal:
        return _fail(route.notice)
    options = options or PlayOptions()
    session = _Session(title, on_terminal, help_line(options.keymap))
    session.watch = watch or session.watch
    session.go = go or session.go
    player = player_factory(session.changed)
    session.player = player
    try:
        player.rewind_s = options.rewind_s
        player.set_speed(options.speed)
        player.set_volume(options.volume)
        player.set_skip_silence(options.skip_silence)
        session.steering = Steering(player, options.keymap, lambda: session.end(0), session.further)
        async with session.steered():
            following = asyncio.create_task(follow_speakers(player.reroute))
            try:
                await player.play(source, start_s=start_s)
                code = await session.over
            finally:
                following.cancel()
    finally:
        await player.close()
    if player.state.status == "failed":
        return _fail(player.state.message)
    if session.unheard:
        return _fail(session.unheard)
    return _tell_missing(player.state, start_s) if player.state.status == "ended" else code


def _tell_missing(state: PlayerState, start_s: float = 0.0) -> int:
    """What of a recording that has ended was not there, and what that means as an exit code."""
    if 0 < start_s >= state.position_s:
        return _fail(NOTHING_THERE.format(clock(start_s), clock(state.position_s)))
    if state.incomplete or state.message == DAMAGED:
        _fail(state.message)
    return 3 if state.incomplete else 0


async def follow_speakers(reroute: Callable[[], None], every_s: float = _LOOK_S) -> None:
    """A speaker that comes or goes while it plays is another way for the sound."""
    before = speakers(os.environ)
    while True:
        await asyncio.sleep(every_s)
        now = speakers(os.environ)
        if now != before:
            before = now
            reroute()


async def print_words(source: Source) -> int:
    """Who speaks when, a line for each turn, without playing. 0, or 1 when it is no sound."""
    watched = _Watched(source)

    def changed(state: PlayerState) -> None:
        measured = player.peaks is not None and player.peaks.settled
        if measured or state.status in ("failed", "ended"):  # an end in a pause: there is nothing
            watched.over.set()

    player = Player(changed, "none")
    try:
        # mypy: a protocol's attribute may be set, this one follows the source's
        await player.play(cast("Source", watched))
        player.pause()
        await watched.over.wait()
    finally:
        await player.close()
    if player.state.status == "failed" or player.peaks is None:
        return _fail(player.state.message)
    if watched.trouble and not player.peaks.complete:
        return _fail(watched.trouble)
    if player.peaks.trouble:
        return _fail(unmeasured(player.peaks.trouble))
    for line in describe_turns(turns(player.peaks)):
        print_text(line)
    return _tell_missing(player.state)


class _Watched:
    """A source that tells when it cannot be read: a player then measures no further, silently."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.trouble = ""
        self.over = asyncio.Event()

    @property
    def size(self) -> int | None:
        return self._source.size

    async def read(self, offset: int, n: int, *, idle: bool = False) -> bytes:
        try:
            return await self._source.read(offset, n, idle=idle)
        except Exception as error:
            self.trouble = unreadable(error)
            self.over.set()
            raise

    def close(self) -> None:
        """Whoever opened the source closes it."""


class _Session:
    """The line, the keys and the ways to an end."""

    player: Player
    steering: Steering

    def __init__(self, title: str, on_terminal: bool, help_: str) -> None:
        self.unheard = ""
        """Why nobody would hear it, for a script that asked for sound."""
        self.over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._help = help_
        self._title, self._on_terminal = safe_text(title), on_terminal
        self._timer: asyncio.TimerHandle | None = None
        self._drawn_at = 0.0
        self._said = ""
        self._hold = Suspension()
        self.watch: Callable[[PlayerState], None] = lambda state: None
        self.go: Callable[[int], bool] = lambda step: False

    def further(self, step: int) -> None:
        """To another recording, if there is one."""
        if self.go(step):
            self.end(0)
        else:
            self._said = NO_FURTHER
            self._draw_soon()

    def changed(self, state: PlayerState) -> None:
        self.watch(state)
        silent = state.output == "none" and bool(state.message)
        if silent and not self._on_terminal and state.status != "failed":
            self.unheard = state.message
            self.end(1)
        if state.status == "paused" and not self._on_terminal:  # nobody is there who could go on
            self.unheard = state.message
            self.end(1)
        if self._on_terminal:
            self._draw_soon()
        if state.status in ("ended", "failed"):
            self.end(0)

    def end(self, code: int) -> None:
        if not self.over.done():
            self.over.set_result(code)

    @asynccontextmanager
    async def steered(self) -> AsyncIterator[None]:
        """Signals end it everywhere; on a terminal keys steer and the line is drawn."""
        with ExitStack() as stack:
            stack.enter_context(_signals(self.end))
            if self._on_terminal:
                stack.enter_context(_stoppable(sys.stdin, self._stops, self._goes_on))
                stack.enter_context(_raw_keys(sys.stdin, self._key))
            try:
                yield
            finally:
                if self._timer is not None:
                    self._timer.cancel()
                if self._on_terminal:
                    self._draw()
                    with suppress(OSError):  # the terminal may be gone
                        print_text(flush=True)

    def _stops(self) -> None:
        self._hold.begin(self.player)

    def _goes_on(self) -> None:
        self._hold.end()
        self._draw_soon()

    def _key(self, key: str) -> None:
        self._said = ""
        if key in _LEAVE:
            self.end(0)
        else:
            self.steering.press(key)

    def _draw_soon(self) -> None:
        """At most four times a second, and always what is newest."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait_s = max(0.0, self._drawn_at + _LINE_FEED_S - loop.time())
            self._timer = loop.call_later(wait_s, self._draw)

    def _draw(self) -> None:
        self._timer = None
        self._drawn_at = asyncio.get_running_loop().time()
        width = shutil.get_terminal_size().columns - 1
        line = fit(status_line(self.player.state, self._title, self._said or self._help), width)
        with suppress(OSError, UnicodeEncodeError):
            redraw(line)


def status_line(state: PlayerState, title: str, help_: str = "") -> str:
    """``▶ 0:12 / 3:40 ×1.5 left  Title  message or keys``."""
    length = f" / {clock(state.length_s)}" if state.length_s is not None else ""
    now = " ".join([f"{_MARKS[state.status]} {clock(state.position_s)}{length}", *_unusual(state)])
    return f"{now}  {title}  {safe_text(state.message or help_)}"


def _unusual(state: PlayerState) -> Iterator[str]:
    """What is not as it usually is."""
    if state.speed != 1.0:
        yield f"×{state.speed:g}"
    if state.volume != 1.0:
        yield f"{state.volume:.0%}" if state.volume else "mute"
    if state.side != "both":
        yield state.side
    if state.skip_silence:
        yield "skip"
    if state.loop is not None:
        a, b = state.loop
        yield f"loop {clock(a)}-{clock(b) if b is not None else '?'}"


def fit(text: str, width: int) -> str:
    """As much of a line as fits into so many columns."""
    for at, char in enumerate(text):
        width -= _columns(char)
        if width < 0:
            return text[:at]
    return text


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def split_keys(typed: str) -> Iterator[str]:
    """What was typed, key by key: an escape sequence is one."""
    at = 0
    while at < len(typed):
        end = at + 1
        if typed[at] == "\x1b" and end < len(typed) and typed[end] in "[O":
            end += 1
            while end < len(typed) and not "@" <= typed[end] <= "~":
                end += 1
            end += 1
        yield typed[at:end]
        at = end


@contextmanager
def _raw_keys(terminal: TextIO, on_key: Callable[[str], None]) -> Iterator[None]:
    """Keys come one by one and unseen; afterwards the terminal is as before."""
    try:
        import termios
        import tty
    except ImportError:  # Windows: it plays, but cannot be steered
        yield
        return
    loop = asyncio.get_running_loop()
    fd = terminal.fileno()
    before = termios.tcgetattr(fd)

    def typed() -> None:
        try:
            text = os.read(fd, 256).decode(errors="ignore")
        except OSError:
            text = ""
        if not text:  # the terminal has gone
            loop.remove_reader(fd)
            on_key("q")
        for key in split_keys(text):
            on_key(key)

    try:
        tty.setcbreak(fd)
        loop.add_reader(fd, typed)
        yield
    finally:
        loop.remove_reader(fd)
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextmanager
def _stoppable(
    terminal: TextIO, stops: Callable[[], None], goes_on: Callable[[], None]
) -> Iterator[None]:
    """ctrl+z stops the sound too, and the terminal is as before until the job goes on."""
    try:
        import termios
        import tty

        from tui.job_control import GRACE_S, is_ours, stop_job
    except ImportError:  # Windows has no jobs
        yield
        return
    loop, fd = asyncio.get_running_loop(), terminal.fileno()
    before = termios.tcgetattr(fd)
    again: asyncio.TimerHandle | None = None

    def stop() -> None:
        stops()
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSANOW, before)
        stop_job()
        continued()

    def continued() -> None:
        nonlocal again
        if is_ours(fd):
            with suppress(termios.error):
                tty.setcbreak(fd)
            goes_on()
        else:  # in the background; who ends it gets the time for that
            again = loop.call_later(GRACE_S, stop)

    loop.add_signal_handler(signal.SIGTSTP, stop)
    loop.add_signal_handler(signal.SIGCONT, continued)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTSTP)
        loop.remove_signal_handler(signal.SIGCONT)
        if again is not None:
            again.cancel()


@contextmanager
def _signals(end: Callable[[int], None]) -> Iterator[None]:
    """Ending signals end the playing, not the process half-way."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []
    try:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            with suppress(AttributeError, NotImplementedError, RuntimeError):
                number = getattr(signal, name)
                loop.add_signal_handler(number, end, 128 + number)
                caught.append(number)
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _fail(message: str) -> int:
    print_error(f"ringback: {message}")
    return 1
