"""What several states of one Liner call make, in whatever order they come.

A call is listed while it runs, when it has ended, and again when its recording, its status or a
summary is there. The further state wins, of two that are equally far the newer; what was known
is never lost to nothing.
"""

from __future__ import annotations

from providers.fields import Reader, is_empty, rows, to_number, to_text, word
from providers.liner_api import row_id
from providers.model import Json

Row = dict[str, Json]

RUNNING = frozenset(
    ("waiting", "dialing", "processing", "inprogress", "ringing", "calling", "connecting")
    + ("queued", "active", "ongoing", "talking", "started")
)
"""The codes of statuses that a call has before its end, as `word` gives them. The first three
are Liner's own (https://docs.linerapp.io/guides/exploring/leadcallstatuses); customers name the
rest as they like, so the words of the trade count too.
"""
_LENGTHS = (
    "totalDurationSeconds",
    "waitTimeDurationSeconds",
    "talkTimeDurationSeconds",
    "durationSeconds",
)
_STATUS = ("statusId", "statusCode")


def is_running(raw: Row, status_code: str | None) -> bool:
    """Whether nobody has ended the call: its status says so, or nothing of it but its start is
    there.
    """
    if not is_empty(raw.get("finishInitiator")):
        return False
    if status_code or any(not is_empty(raw.get(key)) for key in _STATUS):
        return word(status_code) in RUNNING
    return not is_empty(raw.get("createdAt")) and not any(map(bool, _lengths(raw)))


def merged(older: Row, newer: Row) -> Row:
    """Two states of a call, or of one of its recordings, as one."""
    differ = _progress(older) != _progress(newer)
    if _progress(older) > _progress(newer):
        older, newer = newer, older
    known = {key: value for key, value in newer.items() if not _is_nothing(key, value)}
    both = {**newer, **older, **known}
    if _changed_status(older, known):
        both = {key: value for key, value in both.items() if key not in _STATUS or key in known}
    for key, before, after in zip(_LENGTHS, _lengths(older), _lengths(newer), strict=True):
        if before and (not after or (differ and before > after)):
            both[key] = older[key]
    if Reader(older).boolean("hasRecords"):
        both["hasRecords"] = older["hasRecords"]
    asked = [state for state in (older, newer) if "records" in state]
    if asked:
        both["records"] = merged_records(*(state["records"] for state in asked))
        if not all("recordsMissing" in state for state in asked):
            both.pop("recordsMissing", None)
    return both


def merged_records(*lists: Json) -> list[Json]:
    """Lists of a call's recordings, the oldest first, as one by id: none is lost."""
    found: dict[str, Json] = {}
    for record in (record for each in lists for record in rows(each)):
        if isinstance(record, dict):
            id_ = row_id(record)
            found[id_] = merged(found[id_], record) if id_ in found else record
    return list(found.values())


def _is_nothing(key: str, value: Json) -> bool:
    """As `Reader` takes it: an id of 0 is none."""
    return is_empty(value) or (key.endswith("Id") and Reader({key: value}).ref(key) is None)


def _progress(raw: Row) -> tuple[float, ...]:
    """How far a state is. While a call runs its lengths grow; later they may be put right."""
    ended = not is_empty(raw.get("finishInitiator"))
    lengths = (bool(length) if ended else length for length in _lengths(raw))
    return (ended, *lengths, Reader(raw).boolean("hasRecords") is True)


def _lengths(raw: Row) -> tuple[float, ...]:
    return tuple(to_number(raw.get(key)) or 0.0 for key in _LENGTHS)


def _changed_status(older: Row, known: Row) -> bool:
    """Whether the newer state has another status, or one that cannot be compared: the number and
    the code of a status belong together.
    """
    shared = [key for key in _STATUS if key in known and not is_empty(older.get(key))]
    same = bool(shared) and all(to_text(older[key]) == to_text(known[key]) for key in shared)
    return any(key in known for key in _STATUS) and not same
