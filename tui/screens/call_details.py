"""What stands beside a call in its detail."""

from __future__ import annotations

from providers.errors import RECORDING_REASONS
from providers.model import Call
from tui.archive.sqlite import Archive
from tui.archive.sqlite.listening_history import Heard, recording_key
from widgets.columns import Clock, duration_text, time_text


def heard_words(
    archive: Archive, account: str, call: Call, clock: Clock, playing: int | None
) -> tuple[str, ...]:
    """What happened here to each recording of a call, in words; at least one for the call.

    Where the one that plays was left is no news: the player's line says where it is.
    """
    known = archive.heard.of_call(account, call.id)
    lines = (known.get(recording_key(call, n)) for n in range(max(1, len(call.recordings))))
    return tuple(
        _heard_words(line._replace(position_s=0.0) if line and index == playing else line, clock)
        for index, line in enumerate(lines)
    )


def _heard_words(heard: Heard | None, clock: Clock) -> str:
    if heard is None:
        return ""
    words = []
    if heard.heard_at is not None:
        words.append(f"heard {time_text(heard.heard_at, clock)}")
    if heard.left_s:
        words.append(f"left at {duration_text(heard.left_s)}")
    if heard.trouble:
        why = RECORDING_REASONS.get(heard.trouble, heard.trouble)
        words.append(f"{why} (seen {time_text(heard.trouble_at, clock)})")
    return ", ".join(words)
