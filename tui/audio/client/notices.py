"""What a player says to the user in its one line."""

from typing import Any

from providers.sanitize import safe_text

CRASHED = "the sound engine stopped unexpectedly; play again to start it anew"
DAMAGED = "a part of this recording is damaged and was left out"
ONE_SIDE = "this recording has one side only"
CUT_OFF = "this recording ends at {}, but states that it is {} long: the rest is missing"
LOOP_TOO_SHORT = "a loop has to be at least 0.1 s long"
NOT_MEASURED = "the turns are not known yet"
NO_TURN = "there is no further turn"
OTHER_VERSION = "the sound engine is of another version; restart Ringback"
IN_SILENCE = "{}; playing in silence (`ringback doctor` says more)"
_MOST = 300


_UNMEASURED = {
    "crash": "measuring it has crashed",
    "time": "measuring it takes for ever",
    "memory": "measuring it was ended by the system, perhaps for want of memory",
}


def unmeasured(reason: str) -> str:
    """Why a recording has no waveform and no turns, though it can be heard."""
    return f"no waveform: {_UNMEASURED.get(reason, 'a part of this recording is damaged')}"


def safe_line(text: Any) -> str:
    """What an engine says, safe to show: it has been fed a stranger's file."""
    return safe_text(text, _MOST)
