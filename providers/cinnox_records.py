"""CINNOX's records: which make one call, and what earlier and later states of one say together.

A record is a leg. It is told by its `id`, its call by `callID`, its place in it by `callSeq`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from providers.fields import (
    Reader,
    first_text,
    is_empty,
    made_id,
    rows,
    short_id,
    to_number,
    to_text,
    word,
)
from providers.model import Json, Outcome

Record = dict[str, Json]

OUTCOMES = {
    "callended": Outcome.ANSWERED,
    "notanswered": Outcome.MISSED,
    "busy": Outcome.BUSY,
    "declined": Outcome.DECLINED,
    "cancelled": Outcome.CANCELLED,
    "abandoned": Outcome.ABANDONED,
    "unreachable": Outcome.FAILED,
    "callfailed": Outcome.FAILED,
}
"""All statuses there are, https://docs.cinnox.com/docs/call-status-bye-reason; each is an end."""
_ENDING = frozenset({"status", "lastResponseCode", "byeReason", "releaseParty", "lastHandledParty"})
"""How a leg ended; a state from before its end says nothing about that."""
_FLAGS = ("isRecording", "hasAudioFile")


def objects(raw: Json) -> list[Record]:
    return [row for row in rows(raw) if isinstance(row, dict)]


def key(record: Record) -> str:
    """What tells a record from others: its id, else its place in its call, else all of it."""
    if id_ := to_text(record.get("id")):
        return id_
    call, place = first_text(record, ("callID", "hid")), to_text(record.get("callSeq"))
    return f"{call}#{place}" if call and place else made_id(record)


def call_id(record: Record) -> str:
    return short_id(first_text(record, ("callID", "hid", "id")) or made_id(record))


def grouped(records: Iterable[Record]) -> list[list[Record]]:
    """The records of each call, in the order in which the calls came."""
    calls: dict[str, list[Record]] = {}
    for record in records:
        calls.setdefault(call_id(record), []).append(record)
    return list(calls.values())


def ordered(records: Iterable[Record]) -> list[Record]:
    """By ``callSeq``; records without one last, by their date."""

    def place(record: Record) -> tuple[float, str, str]:
        number = to_number(record.get("callSeq"))
        return float("inf") if number is None else number, str(record.get("callDate")), key(record)

    return sorted(records, key=place)


def merged(older: Json, newer: Json) -> list[Record]:
    """The records of two states of a call, in order; what both have becomes one."""
    found: dict[str, Record] = {}
    for record in (*objects(older), *objects(newer)):
        name = key(record)
        known = found.get(name, record)
        found[name] = known if known == record else _one(known, record)
    return ordered(found.values())


def is_running(leg: Reader) -> bool:
    """Begun, without an end, and without a status that is one."""
    if word(leg.text("status")) in OUTCOMES:
        return False
    return leg.time("callEndTime") is None and leg.time("callDate") is not None


def _one(older: Record, newer: Record) -> Record:
    """Two states of one record, whichever came first: the one that has ended further counts, of
    equals the newer; what it does not say the other one does. No end, file or flag is lost.
    """
    base, other = (older, newer) if _progress(older) > _progress(newer) else (newer, older)
    silent = _ENDING if _progress(base)[0] > _progress(other)[0] else frozenset[str]()
    one = _filled(base, other, silent) | _span(base, other, "callDate", "callEndTime")
    for name in _FLAGS:
        said = [state[name] for state in (base, other) if Reader(state).boolean(name)]
        if said:
            one[name] = said[0]
    events = [state.get("recordingEventList") for state in (base, other)]
    if not any(map(is_empty, events)):
        one["recordingEventList"] = _events(*events)
    return older if one == older else one


def _progress(record: Record) -> tuple[bool, bool]:
    read = Reader(record)
    return word(read.text("status")) in OUTCOMES, read.time("callEndTime") is not None


def _filled(base: Record, other: Record, silent: frozenset[str] = frozenset()) -> Record:
    """`base` with what only `other` says, but for the fields on which that is `silent`."""
    more = {
        name: value
        for name, value in other.items()
        if name not in silent and is_empty(base.get(name)) and not is_empty(value)
    }
    return {**base, **more}


def _span(base: Record, other: Record, begin: str, end: str) -> Record:
    """The first beginning and the last end that two states know."""
    span = {}
    for name, choose in ((begin, min), (end, max)):
        known = [s for s in (base, other) if Reader(s).time(name)]
        if known:
            span[name] = choose(known, key=lambda s: (Reader(s).time(name), str(s[name])))[name]
    return span


def _events(base: Json, other: Json) -> list[Record]:
    """Recording events of both, by who began when, with the files of both."""
    if base == other:
        return rows(base)
    found: dict[str, Record] = {}
    for event in (*objects(base), *objects(other)):
        name = json.dumps([event.get("startAt"), event.get("recorderEID")], default=str)
        found[name] = _event(found[name], event) if name in found else event
    return [found[name] for name in sorted(found)]


def _event(base: Record, other: Record) -> Record:
    files: dict[str, Record] = {}
    for file in (*objects(base.get("files")), *objects(other.get("files"))):
        name = to_text(file.get("id")) or first_text(file, ("name", "downloadUrl")) or made_id(file)
        files[name] = _file(files[name], file) if name in files else file
    one = _filled(base, other) | _span(base, other, "startAt", "endAt")
    return {**one, "files": [files[name] for name in sorted(files)]} if files else one


def _file(base: Record, other: Record) -> Record:
    """Two states of a file: a length or a size of 0 says nothing."""
    one = _filled(base, other)
    for name in ("duration", "size"):
        if not to_number(one.get(name)) and to_number(other.get(name)):
            one[name] = other[name]
    return one
