"""What goes on in the main screen by itself."""

from __future__ import annotations

from enum import Flag, auto


class Activity(Flag):
    """One value for all of it; false when everything rests."""

    NOTHING = 0
    STARTING = auto()
    """Up to right after the first paint."""
    FILLING = auto()
    """Until what the syncs of the start brought is on the screen."""
    SYNCING = auto()
    READING = auto()
    """Rows are being read."""
    OUTDATED = auto()
    """They must be read again."""
    EXTENDING = auto()
    """More rows are being read."""
    COUNTING = auto()
    """Calls are counted, looked for, or names in the query checked."""
    WRITING = auto()
    """Steps of triage are on their way to the archive."""
