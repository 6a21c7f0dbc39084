"""The jumps between calls that belong together, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tui.screens.context import ScreenContext
from widgets.call_document import RelatedCall

RELATED = 20
"""Calls that the detail shows beside one, at most."""


class Trail(NamedTuple):
    """The calls that one key goes round in, the one where it began first; and how it was there."""

    keys: tuple[int, ...]
    relations: tuple[str, ...]
    query: str
    opened: bool


class RelatedTrail:
    """Belongs to the screen's loop. `place` says the query's text and whether the detail is open;
    `go` puts the cursor on a call and opens its detail or not, and shows a query first if one is
    given.
    """

    def __init__(
        self,
        ctx: ScreenContext,
        place: Callable[[], tuple[str, bool]],
        go: Callable[[int, str | None, bool], None],
    ) -> None:
        self._ctx, self._place, self._go = ctx, place, go
        self._trail: Trail | None = None

    def calls_beside(self, key: int) -> tuple[tuple[RelatedCall, ...], bool]:
        """Those that belong to a row's key, newest first, and whether there are more. Raises
        `ArchiveDamaged`.
        """
        assert self._ctx.archive is not None
        found = self._ctx.archive.related(key, RELATED + 1)
        shown = ((self._ctx.veil.row(row), relation) for row, relation in found[:RELATED])
        return tuple(RelatedCall(*one) for one in shown), len(found) > RELATED

    def go_on(self) -> None:
        """To the next call of the trail, and from the last one back to the first."""
        key = self._ctx.cursor.current_key
        if key is None:
            self._ctx.say("no call is chosen", "warning")
            return
        trail = self._trail
        if trail is None or key not in trail.keys:
            trail = self._trail = self._new_trail(key)
        if len(trail.keys) == 1:
            self._trail = None
            self._ctx.say("no related call is known", "warning")
            return
        self._go_along(trail, (trail.keys.index(key) + 1) % len(trail.keys))

    def go_to(self, wanted: int) -> None:
        """To one of the calls beside the one under the cursor."""
        key, trail = self._ctx.cursor.current_key, self._trail
        if key is None:
            return
        if trail is None or key not in trail.keys or wanted not in trail.keys:
            trail = self._trail = self._new_trail(key)
        self._go_along(trail, trail.keys.index(wanted))

    def go_back(self) -> bool:
        """Whether there was a jump to go back from; then it was done."""
        trail = self._trail
        if trail is None or self._ctx.cursor.current_key not in trail.keys[1:]:
            return False
        self._go_along(trail, 0)
        return True

    def _new_trail(self, key: int) -> Trail:
        found = sorted(self.calls_beside(key)[0], key=lambda one: one.relation != "original")
        keys = (key, *(one.row.key for one in found))
        return Trail(keys, ("", *(one.relation for one in found)), *self._place())

    def _go_along(self, trail: Trail, place: int) -> None:
        if place == 0:
            self._trail = None
            self._go(trail.keys[0], trail.query, trail.opened)
            self._ctx.say("back at the call of before")
            return
        self._go(trail.keys[place], None, True)
        others = len(trail.keys) - 1
        back = f"{self._ctx.key('back')} goes back"
        self._ctx.say(f"{trail.relations[place]}, {place} of {others}; {back}")
