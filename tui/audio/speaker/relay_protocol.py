"""`ringback speaker`: sound at the listener's side of SSH.

::

    the listener's machine                          │ the host, where the screen runs
    ringback speaker HOST (listener_side.py)        │
      engine ── listener ══ ssh's standard in and ══╪══ relay (server_side.py)
      (tui.audio.protocol)  out                     │     │ a unix socket, 0600 in a 0700 folder
                                                    │   SpeakerConnection (client/connection.py)

The listener's side starts ``ssh -T HOST ringback speaker --relay``. Between an engine and a player
go the messages of `tui.audio.protocol`, unchanged and in its form, and of the same version; the few
that the relay adds are these. Whatever comes before the relay's first line is noise of a login.

Relay to listener::

    {"is": "relay", "version", "host"}   first; then it waits for:
    {"do": "screen", "n"}           what follows comes from the n-th screen: a new engine for it;
                                    n is 0 when no screen plays, and once screens can come

Listener to relay::

    {"do": "speaker", "version", "name", "output", "message"}
                                    first: whose machine, what it plays through, why in silence
    {"do": "alive"}                 every 2 s; without it the relay ends after 8 s
    {"is": "screen", "n"}           what follows comes from the engine of the n-th screen
    {"is": "over", "why": "crashed"}   that engine has ended by itself

Relay to screen::

    {"is": "hello", "version", "speaker", "output", "message"}   first
    {"is": "over", "why"}           the connection ends: taken (another screen plays) or crashed

The speaker plays for the screen that sent ``open`` last. Nothing else passes: neither end knows
a message by which the other could make it read, write or run anything; the output is the
listener's own choice and is in no message to the engine. All is bounded: a line and a body as in
`tui.audio.protocol`, `AHEAD` blocks asked for at a time, and who does not read what it is sent is
not sent more. A person's newest speaker is the one that serves.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.audio.protocol import Message

AHEAD = 12
"""Blocks that a listener's engine asks for beyond the one it reads: no more delay a command."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How the two ends notice that the other has gone."""

    alive_s: float = 2.0
    """Between two messages ``alive``."""
    silent_s: float = 8.0
    """Without any message, after which the relay ends."""


TIMING = Timing()

COMMANDS: dict[str, frozenset[str]] = {
    "open": frozenset(
        {"id", "seq", "size", "start", "speed", "volume", "paused", "skip", "side", "loop"}
        | {"peaks", "unmeasured"}
    ),
    "data": frozenset({"id", "at"}),
    "pause": frozenset({"on"}),
    "seek": frozenset({"id", "seq", "to"}),
    "speed": frozenset({"x"}),
    "volume": frozenset({"x"}),
    "skip": frozenset({"on"}),
    "side": frozenset({"which"}),
    "loop": frozenset({"a", "b"}),
    "stop": frozenset(),
}
"""What a player may say to an engine at the listener's side, and with which fields."""

ANSWERS = frozenset(
    {"get", "ready", "at", "peaks", "unmeasured", "output", "damage", "failed"},
)
"""What such an engine may say to the player."""


def command(header: Message) -> Message | None:
    """A player's message with its known fields alone; None when there is no such command."""
    name = header.get("do")
    fields = COMMANDS.get(name) if isinstance(name, str) else None
    if fields is None:
        return None
    return {"do": name, **{key: value for key, value in header.items() if key in fields}}


def answer(header: Message) -> Message | None:
    """An engine's message; None when it is none for a player."""
    name = header.get("is")
    return header if isinstance(name, str) and name in ANSWERS else None


def other_version(here: int, there: object, host: str) -> str:
    """What to say when the two ends do not speak the same."""
    where = "here" if isinstance(there, int) and there > here else f"on {host}"
    return f"Ringback here speaks {here}, there {there}: update the one {where}"
