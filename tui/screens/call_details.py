"""What the detail shows of a call besides the call itself."""

from __future__ import annotations

from providers.errors import RECORDING_REASONS
from providers.model import Call
from tui.archive.interface import CallArchive
from tui.archive.records import Heard, recording_key
from tui.playback.views import Playing
from tui.screens.context import ScreenContext
from tui.screens.related_trail import RelatedTrail
from tui.triage_section import triage_section
from widgets.call_document import Extra
from widgets.columns import Clock, duration_text, time_text


def read_extra(
    ctx: ScreenContext,
    trail: RelatedTrail,
    key: int,
    call: Call,
    account: str,
    playing: Playing | None,
    asking: bool,
) -> Extra:
    """What is known here of the call with a row's key; `playing` is what is in the player, `asking`
    whether the vendor is asked for its recordings. Raises `ArchiveDamaged`.
    """
    assert ctx.archive is not None
    here = playing and (playing.account, playing.call.id) == (account, call.id)
    index = playing.index if playing and here else None
    related, more = trail.calls_beside(key)
    return Extra(
        triage_section(ctx.archive, account, call, ctx.clock, ctx.veil.hides(key)),
        playing=index,
        asking=asking,
        heard=heard_words(ctx.archive, account, call, ctx.clock, index),
        related=related,
        more_related=more,
        related_key=ctx.key("related"),
    )


def heard_words(
    archive: CallArchive, account: str, call: Call, clock: Clock, playing: int | None
) -> tuple[str, ...]:
    """What happened here to each recording of a call, in words; at least one for the call.

    Where the one that plays was left is no news: the player's line says where it is.
    """
    known = archive.listening.of_call(account, call.id)
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
