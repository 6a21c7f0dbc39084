"""An application that carries out keys and clicks one after the other, however fast they come."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Literal

from textual import events
from textual._time import get_time
from textual.app import App, ReturnType
from textual.await_complete import AwaitComplete
from textual.driver import Driver
from textual.filter import LineFilter
from textual.geometry import Offset
from textual.message_pump import MessagePump
from textual.widgets import Input

from widgets.guard import GUARD
from widgets.keyboard_layouts import us_key
from widgets.styles_cache import free_removed
from widgets.typed import TypedParser

GivenUp = Literal["", "done", "act"]
ORDERED = (
    events.Key,
    events.Paste,
    events.MouseDown,
    events.MouseUp,
    events.MouseScrollDown,
    events.MouseScrollUp,
)
"""What is carried out in its order; the mouse's other moves are only looks."""
LOOK_S = 0.004
"""How often it is looked whether what something waits for is there."""
AT_LEAST = 50
"""So often at once before that."""
STUCK_S = 2.0
"""After so long without rest, the next key is dealt out nevertheless."""
SAY_S = 0.3
"""What waits longer is said."""
MOVE_S = 0.05
"""So long keys that only move are carried out before what they brought about is looked at."""


class OrderedApp(App[ReturnType]):
    """A key is dealt out when all that the one before brought about has been done: messages have
    arrived, a screen has come or gone, the focus is where it belongs. So a burst of keys does what
    the same keys do when they are typed slowly.

    A screen may let keys wait; see `HoldingScreen`. A key that waits for nothing is dealt out at
    once, without a turn of the loop in between.

    A dialog takes the key that closed it with it: the same key again, typed before anybody could
    see that the dialog had gone, does nothing to what lay beneath. So does a double click.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        free_removed()
        super().__init__(*args, **kwargs)
        self._typed: deque[events.InputEvent | events.Paste] = deque()
        """What waits for its turn."""
        self._turn: events.Event | None = None
        """What has its turn now."""
        self._dealer: asyncio.Task[None] | None = None
        self._holding = self._said = False
        """Whether the screen lets the first of them wait, and says so."""
        self._last_key = ""
        self._closed_by = ""
        """The key that closed a dialog last, until another one is typed."""
        self._seen_closed = 0.0
        """When that was on the screen; 0 until then."""
        self._closings = 0
        self._deaf_until = 0.0
        """What was typed by then is not carried out."""
        self._clicked: tuple[Offset, float, object] = (Offset(-1, -1), 0.0, None)
        """Where, when and above what the mouse was pressed last."""
        self._swallows = False
        """Whether that press was the second half of a double click for something that has gone."""

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        # by this name it makes what reads the terminal
        vars(sys.modules[driver.__module__])["XTermParser"] = partial(TypedParser, self._edits)
        return driver

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), GUARD]

    def _edits(self) -> bool:
        return bool(self.screen_stack) and isinstance(self.screen.focused, Input)

    # -- the order

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, ORDERED) or event.is_forwarded:
            await super().on_event(event)
        elif event.time <= self._deaf_until:
            return
        elif event is self._turn or (self._holding and isinstance(event, events.MouseEvent)):
            await self._carry_out(event)
            if event is self._turn:
                await self._go_on_moving(event)
        elif self._holding and isinstance(event, events.Key) and (then := self._give_up(event)):
            if then == "act":
                await self._carry_out(event)
        elif self._dealer or not self._all_rest(self) or self._holds(event):
            self._typed.append(event)
            if self._dealer is None:
                self._dealer = asyncio.create_task(self._deal())
        else:
            await self._carry_out(event)

    async def _deal(self) -> None:
        """Deal out what waits, in its order, and wait until the last of it is done."""
        try:
            await self._rest()
            while self._typed:
                if not await self._held(self._typed[0]):
                    self._turn = self._typed.popleft()
                    self.post_message(self._turn)
                await self._rest()
        finally:
            self._dealer = self._turn = None
            self._say_waiting(False)

    async def _go_on_moving(self, event: events.Event) -> None:
        """Behind a key that only moved, carry out those that do no more."""
        until = get_time() + MOVE_S
        while self._moves(event) and self._typed and get_time() < until:
            event = self._typed[0]
            if self._moves(event):
                await self._carry_out(self._typed.popleft())

    def _moves(self, event: events.Event) -> bool:
        screen = self.screen
        return isinstance(screen, HoldingScreen) and screen.moves(self._on_us_keyboard(event))

    async def _held(self, event: events.Event) -> bool:
        """Wait until the screen lets an event go, or it was dropped; whether it had to wait, so
        that all must be looked at again.
        """
        since, waited = get_time(), False
        while self._typed and self._typed[0] is event and self._holds(event):
            self._holding = waited = True
            await asyncio.sleep(LOOK_S)
            if get_time() - since > SAY_S:
                self._say_waiting(True)
        self._holding = False
        self._say_waiting(False)
        return waited

    async def _rest(self) -> None:
        """Wait until nothing is being done about what was dealt out."""
        until, looks = get_time() + STUCK_S, 0
        while not self._all_rest() and get_time() < until:
            looks += 1
            await asyncio.sleep(0 if looks < AT_LEAST else LOOK_S)

    def _all_rest(self, but: MessagePump | None = None) -> bool:
        """Whether every widget waits for messages, and none is on its way."""
        pumps: list[MessagePump] = [self, *self._registry]
        return all(_rests(pump) if pump is not but else not _has_messages(pump) for pump in pumps)

    async def _shutdown(self) -> None:
        if self._dealer is not None:
            self._dealer.cancel()
        await super()._shutdown()

    # -- what waits

    def _holds(self, event: events.Event) -> bool:
        if not self.screen_stack:
            return True
        screen = self.screen
        return isinstance(screen, HoldingScreen) and screen.holds(self._on_us_keyboard(event))

    def _say_waiting(self, waits: bool) -> None:
        if waits != self._said:
            self._said = waits
            screen = self.screen
            if isinstance(screen, HoldingScreen):
                screen.say_waiting(len(self._typed) if waits else 0)

    def _give_up(self, event: events.Key) -> GivenUp:
        screen = self.screen
        return screen.give_up(event, self.drop_typed) if isinstance(screen, HoldingScreen) else ""

    def drop_typed(self, but: Callable[[events.Event], bool] = lambda _: False) -> int:
        """Nothing that waits is carried out any more, `but` what is excepted; how much that was."""
        kept = [event for event in self._typed if but(event)]
        dropped = [event for event in self._typed if event not in kept]
        self._typed = deque(kept)
        return sum(isinstance(event, events.Key | events.Paste) for event in dropped)

    def drop_all_typed(self) -> None:
        """Nothing that was typed up to now is carried out, wherever it is on its way."""
        self.drop_typed()
        self._deaf_until = get_time()

    def _on_us_keyboard(self, event: events.Event) -> events.Event:
        """A key as the same one of a US keyboard, unless text is typed, or it is bound itself."""
        if not isinstance(event, events.Key) or (found := us_key(event.character)) is None:
            return event
        if self._edits() or event.key in self.screen.active_bindings:
            return event
        self.note_other_layout()
        same = events.Key(*found)
        same.time = event.time
        return same

    def note_other_layout(self) -> None:
        """A letter of another keyboard layout was taken for the key that it stands on."""

    # -- doubled keys and clicks

    async def _carry_out(self, event: events.Event) -> None:
        event = self._on_us_keyboard(event)
        if isinstance(event, events.Key):
            if self._is_doubled(event):
                return
            self._last_key, self._closed_by = event.key, ""
        elif isinstance(event, events.MouseDown):
            self._swallows = self._is_doubled_click(event)
        if not (self._swallows and isinstance(event, events.MouseDown | events.MouseUp)):
            self.hold_frame(self._all_rest)
            await super().on_event(event)

    def hold_frame(self, rests: Callable[[], bool]) -> None:
        """Paint what an event brings about at once, when all `rests`; here each as it comes."""

    def _is_doubled(self, event: events.Key) -> bool:
        """Whether it was meant for the dialog that its like has closed."""
        unseen = not self._seen_closed or event.time <= self._seen_closed
        return event.key == self._closed_by and unseen

    def _is_doubled_click(self, event: events.MouseDown) -> bool:
        """Whether it is the second half of a double click whose first half opened or closed
        something.
        """
        place, at, above = self._clicked
        now_above = (self.screen, self._closings)
        again = event.screen_offset == place
        again = again and event.time - at <= self.CLICK_CHAIN_TIME_THRESHOLD
        doubled = again and above != now_above
        self._clicked = (event.screen_offset, event.time, above if doubled else now_above)
        return doubled

    def note_closed(self) -> None:
        """What had the keys for itself is about to close, because of the last one."""
        self._closings += 1
        self._closed_by, self._seen_closed = self._last_key, 0.0
        self.call_after_refresh(self._see_closed, self._closings)

    def _see_closed(self, closings: int) -> None:
        if closings == self._closings:
            self._seen_closed = get_time()

    def pop_screen(self) -> AwaitComplete:
        popped = super().pop_screen()
        self.note_closed()
        return popped


class HoldingScreen:
    """A screen (mixed in) on which keys may have to wait."""

    def holds(self, event: events.Event) -> bool:
        """Whether an event must wait."""
        raise NotImplementedError

    def moves(self, event: events.Event) -> bool:
        """Whether an event moves something on the screen and does no more, nor needs to wait for
        what another such has brought about.
        """
        return False

    def say_waiting(self, keys: int) -> None:
        """So many wait by now, longer than a moment; 0: none does any more."""

    def give_up(self, event: events.Key, drop: Callable[[], int]) -> GivenUp:
        """What a key does to those that wait: empty: it waits too, as all do before the screen has
        said what they wait for; "done": they were dropped, by `drop`; "act": and the key does what
        it does.
        """
        return ""


_waiters_of = attrgetter("_message_queue.ready_event._waiters")
"""Whoever waits for a widget's next message: that is nobody but itself."""


def _has_messages(pump: MessagePump) -> bool:
    waiting = pump.message_queue_size + len(pump._next_callbacks)
    return waiting > 0 or pump._pending_message is not None


def _rests(pump: MessagePump) -> bool:
    """Whether it waits for a message: then it is not in the middle of handling one."""
    gone = pump._closing or pump._closed
    return gone or (bool(_waiters_of(pump)) and not _has_messages(pump))
