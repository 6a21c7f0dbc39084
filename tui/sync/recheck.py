"""What of a call may still come, and when it is worth asking the vendor for it again.

Recordings, further recordings after a transfer, and summaries come minutes or hours after a
call. So an answer about a young call is not final: it is asked for again after growing pauses.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from providers.model import Call, Outcome
from tui.query.dates import DAY_S, HOUR_S

if TYPE_CHECKING:
    from tui.archive.interface import CallArchive

YOUNG_S = 2 * HOUR_S
"""So long after a call's end its recordings are asked for whenever somebody looks."""
STEPS_S = (YOUNG_S, 6 * HOUR_S, DAY_S, 2 * DAY_S, 7 * DAY_S)
"""Later, once after each of these ages."""
FINAL_S = STEPS_S[-1]
"""What a vendor says of a call that is older than this stays so."""
AGAIN_S = 60
"""What is shown again and again is not asked for more often."""
FIRST_PAUSE_S = 300
"""How long to wait after a failure."""


def recordings_due(
    call: Call, asked_at: float | None, now: float, *, eager: bool = False, pause_s: float = 0.0
) -> bool:
    """Whether a call's list of recordings is worth asking for at `now` (Unix seconds).

    `asked_at` is when the vendor last said what it has (None: never). `eager`: somebody asks for
    this very call or period, so that only what is final is left alone. Nothing is asked again
    within `pause_s`.
    """
    if asked_at is None:
        return True
    if now - asked_at < pause_s:
        return False
    ended = _ended(call)
    if ended is None or not call.recordings_known:  # it has some, and had none when it was asked
        return not call.recordings_known
    if asked_at >= ended + FINAL_S:
        return False
    age = now - ended
    if eager or is_incomplete(call) or age < YOUNG_S:
        return True
    return asked_at < ended + max(step for step in STEPS_S if step <= age)


def is_due(
    archive: CallArchive, account: str, call: Call, now: datetime, pause_s: float = 0.0
) -> bool:
    """`recordings_due` of a call of the archive."""
    asked_at = archive.recordings_asked_at(account, call.id)
    return recordings_due(call, asked_at, now.timestamp(), pause_s=pause_s)


def is_incomplete(call: Call) -> bool:
    """Whether the vendor itself says that there is more: a recording that is not listed, or has no
    address, or a call that had not ended.
    """
    if call.outcome == Outcome.IN_PROGRESS:
        return True
    if not call.recordings:
        return call.has_recording is True
    return any(not recording.url for recording in call.recordings)


def _ended(call: Call) -> float | None:
    """When a call ended, as far as that is known: Unix seconds."""
    if call.ended_at:
        return call.ended_at.timestamp()
    return call.started_at.timestamp() + (call.duration_s or 0.0) if call.started_at else None


def pause_s(tries: int) -> float:
    """How long to wait after so many failures in a row: twice as long each time, at most a day."""
    return min(DAY_S, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 20)) if tries > 0 else 0.0
