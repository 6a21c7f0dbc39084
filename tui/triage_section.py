"""What was decided about a call, as the detail and ``ringback show`` print it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from providers.model import Call
from tui.archive.interface import CallArchive
from tui.archive.triage_events import UNTOUCHED, Event, Triage, standing
from widgets.call_document import Moment, Section
from widgets.columns import Clock, duration_text, time_text
from widgets.masking import HIDDEN, masked_name, masked_text, names_in

Said = tuple[str, Moment | None]


def triage_section(
    archive: CallArchive, account: str, call: Call, clock: Clock, masked: bool = False
) -> tuple[Section, ...]:
    """The section "Triage": what closed the call, state, tags, notes (the latest first) and
    comments in the order of the recording; nothing where there is nothing. `masked`: as others
    may see it.
    """
    id_ = call.id
    triage = archive.triage.of(account, id_)
    events = standing(archive.triage.events(account, id_)) if triage is not UNTOUCHED else []
    if masked:
        triage, events = masked_triage(triage, call), [*map(_masked_event, events)]
    said = [
        *_closed(archive, account, id_, clock),
        *_decided(triage, clock),
        *_held(triage, events, clock),
        *_vanished(archive, account, id_, clock),
        *_texts(events, clock),
    ]
    if not said:
        return ()
    moments = tuple((line, moment) for line, (_, moment) in enumerate(said) if moment)
    return (Section("Triage", tuple(text for text, _ in said), moments),)


def masked_triage(triage: Triage, call: Call) -> Triage:
    """What was decided, as others may see it."""
    masked = masked_decision(triage._asdict(), call)
    return Triage(**{**masked, "tags": tuple(masked["tags"])})


def masked_decision(printed: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """The same of a decision by its names; in tags the call's parties are masked as well."""
    note, tags, by = printed["note"], printed["tags"], printed["by"]
    masked = {"note": note and HIDDEN, "tags": [masked_text(tag, names_in(call)) for tag in tags]}
    if printed.get("held"):
        masked["held"] = HIDDEN
    return {**printed, **masked, "by": by and masked_name(by)}


def _masked_event(event: Event) -> Event:
    hidden = {name: HIDDEN for name in ("text", "reason") if event.body.get(name)}
    return event._replace(by=masked_name(event.by), body={**event.body, **hidden})


def _closed(archive: CallArchive, account: str, id_: str, clock: Clock) -> Iterator[Said]:
    if closer := archive.closer_of(account, id_):
        name, at = closer
        yield f"answered later: {time_text(at, clock)}, {name}", None


def _decided(triage: Triage, clock: Clock) -> Iterator[Said]:
    if triage.by is None:
        return
    until = ""
    if triage.state == "snoozed":
        until = f" until {time_text(triage.snoozed_until, clock)}"
    yield f"{triage.state}{until} ({triage.by}, {time_text(triage.at, clock)})", None
    if triage.tags:
        yield f"tags: {', '.join(triage.tags)}", None


def _held(triage: Triage, events: list[Event], clock: Clock) -> Iterator[Said]:
    if triage.held is not None:
        last = [event for event in events if event.kind == "hold"][-1]
        why = f": {triage.held}" if triage.held else ""
        yield f"on hold{why} ({last.by}, {time_text(last.at, clock)})", None


def _vanished(archive: CallArchive, account: str, id_: str, clock: Clock) -> Iterator[Said]:
    if (at := archive.vanished_at(account, id_)) is not None:
        yield f"deleted at the vendor (seen {time_text(at, clock)})", None


def _texts(events: list[Event], clock: Clock) -> Iterator[Said]:
    notes = [event for event in reversed(events) if event.kind == "note"]
    for number, event in enumerate(notes):
        yield f"{'earlier note' if number else 'note'}: {_signed(event, clock)}", None
    comments = [event for event in events if event.kind == "comment"]
    for event in sorted(comments, key=lambda event: _moment(event)):
        recording, at_s = _moment(event)
        file = f"recording {recording + 1}, " if recording else ""
        yield f"{file}{duration_text(at_s)} {_signed(event, clock)}", (recording, at_s)


def _moment(event: Event) -> Moment:
    return event.body.get("recording", 0), event.body["at_s"]


def _signed(event: Event, clock: Clock) -> str:
    return f"{event.body['text']} ({event.by}, {time_text(event.at, clock)})"
