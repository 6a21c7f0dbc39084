"""Where a screen's sound comes out: the rule, the listener's wish, and what to say of both."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from tui.audio.client.route import Kind, Route, choose_route, over_ssh, session_environ
from tui.audio.speaker_sockets import name_of, speakers

COPY_COMMAND = "no sound over SSH; {} copies what to run at your machine"
"""Beside the clock, in 80 cells."""
_FRESH_S = 5.0
"""How long tmux's answer about who looks at the screen holds."""


class OutputChoice:
    """One screen's way for sound. `wish` is a kind of `Route`; empty: as the rule says."""

    def __init__(self, environ: Mapping[str, str] = os.environ, copy_key: str = "") -> None:
        """`copy_key`: what copies the command that a route without sound names."""
        self._environ, self._copy_key = environ, copy_key
        self._now: dict[str, str] = {}
        self._asked_at = -_FRESH_S
        self._seen: list[Path] | None = None
        self.wish: Kind | None = None

    @property
    def environ(self) -> Mapping[str, str]:
        """As it is for whoever looks at the screen now; see `session_environ`."""
        if time.monotonic() - self._asked_at >= _FRESH_S:
            self._now, self._asked_at = session_environ(self._environ), time.monotonic()
        return self._now

    def route(self) -> Route:
        """The way right now, for a `Player`."""
        route = choose_route(self.environ, preference=self.wish or "")
        if route.command and self._copy_key:
            return route._replace(notice=COPY_COMMAND.format(self._copy_key))
        return route

    @property
    def forced(self) -> bool:
        """Whether RINGBACK_AUDIO decides, and no key."""
        return bool(self._environ.get("RINGBACK_AUDIO"))

    def next_kind(self) -> Kind:
        """What the key would choose: speaker, this machine's device, nothing, and round again."""
        ways: list[Kind] = ["pulse" if self._forwarded else "local", "none"]
        if speakers(self._environ):
            ways.insert(0, "speaker")
        kind = self.route().kind
        return ways[(ways.index(kind) + 1) % len(ways)] if kind in ways else ways[0]

    def is_loud_elsewhere(self, kind: Kind) -> bool:
        """Whether that way sounds where the listener is not."""
        return kind == "local" and over_ssh(self.environ)

    @property
    def _forwarded(self) -> bool:
        return over_ssh(self.environ) and bool(self.environ.get("PULSE_SERVER"))

    def news(self) -> str:
        """What became of the speakers since the last time; cheap enough for every second.

        Empty when nothing did; at the first time only that there is one.
        """
        if self.forced:
            return ""
        before, self._seen = self._seen, speakers(self._environ)
        if self._seen == (before or []):
            return ""
        if self._seen and (not before or self._seen[0] != before[0]):
            self.wish = "none" if self.wish == "none" else None  # whoever starts one wants it
            return describe(self.route())
        return "" if self._seen else "the speaker has gone"


def describe(route: Route) -> str:
    """One line for the user."""
    if route.notice:
        return route.notice
    return {
        "speaker": f"sound comes out at your speaker ({name_of(route.output)})",
        "local": "sound comes out of this machine",
        "pulse": "sound goes to the forwarded sound server",
        "none": "no sound: switched off",
    }[route.kind]
