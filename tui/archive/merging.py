"""What to keep of a call that comes again: in another form from its vendor, or by a newer reading.

Nothing that is known is lost: whatever the order in which a call's bodies come, once or twice,
an end, a length and recordings stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from providers.base import Provider
from providers.errors import NotUnderstood
from providers.limits import ITEMS, MOST_PROBLEMS
from providers.model import Call, Json, Outcome, Recording
from providers.sanitize import safe_text
from tui.archive.interface import CallArchive
from tui.archive.records import Saved

Fenced = Callable[[], AbstractContextManager[None]]
"""`tui.error_boundary.error_boundary` of an account."""
Merge = Callable[[Json, Json], Json]
"""The older and the newer raw of a call as one."""
LENGTHS = frozenset({"duration_s", "wait_s", "talk_s"})
"""Of these, 0 says no more than nothing once a longer one was told."""
_APART = frozenset(
    {
        *("id", "provider", "outcome", "status", "derived", "tags", "problems", "vendor_fields"),
        *("has_recording", "recordings", "recordings_known", "raw"),
    }
)
"""What is decided otherwise than by which form has it."""
_FILLED = tuple(item.name for item in fields(Call) if item.name not in _APART)
_RANKS: Mapping[str, int] = {Outcome.UNKNOWN: 0, Outcome.IN_PROGRESS: 1, Outcome.MISSED: 2}
"""How much an outcome says; any other is 3."""


def keep(
    archive: CallArchive,
    account: str,
    provider: Provider,
    calls: Iterable[Call],
    at: float | None = None,
    merge: Merge | None = None,
) -> Saved:
    """Keep calls over what the archive has of them now. `at`: when the vendor gave them (Unix
    seconds), None for what did not come from it; `merge`: as of `reconcile`. Runs inside the
    caller's `transaction`.
    """
    calls = [*calls]
    saved = archive.save(account, calls, partial(reconcile, provider, merge=merge))
    if at is not None:
        archive.note_recordings_asked(
            account, [one.id for one in calls if one.recordings_known], at
        )
        archive.came_again(account, [one.id for one in calls])
    return saved


def keep_page(
    archive: CallArchive,
    account: str,
    provider: Provider,
    calls: Iterable[Call],
    fenced: Fenced,
    at: float | None = None,
    merge: Merge | None = None,
    beside: Callable[[], None] = lambda: None,
) -> tuple[Saved, list[str]]:
    """Keep calls, and what `beside` writes, in one transaction; where one of them is odd, each by
    itself. The second value tells of those that could not be kept. Otherwise as `keep`.
    """
    kept = partial(keep, archive, account, provider, at=at, merge=merge)
    calls = [*calls]
    with suppress(NotUnderstood), fenced(), archive.transaction():
        saved = kept(calls)
        beside()
        return saved, []
    saved, odd = Saved(), list[str]()
    for call in calls:
        try:
            with fenced(), archive.transaction():
                saved += kept([call])
        except NotUnderstood as error:
            odd.append(f"call {safe_text(call.id, 60)}: {error}")
    with archive.transaction():
        beside()
    return saved, odd


def reconcile(provider: Provider, older: Call, newer: Call, merge: Merge | None = None) -> Call:
    """What to keep of a call that the archive has and that now comes again. `merge` makes one raw
    of two, where another than `Provider.merge` is to.
    """
    if older.raw is None:
        return with_recordings_of(_never_less(newer, older), older)
    if older.raw == newer.raw:
        return with_recordings_of(newer, older)
    merge = merge or provider.merge
    before = _read(provider, older)
    both = provider.parse(merge(older.raw, newer.raw))
    if _says_less(both, before):  # the newer to come is the earlier state of the two
        both = provider.parse(merge(newer.raw, older.raw))
    whole = with_recordings_of(_never_less(both, before, newer), newer)
    return with_recordings_of(whole, older)


def read_again(provider: Provider, older: Call) -> Call:
    """A call as the provider reads its raw now, with the recordings that its raw does not hold.

    Raises what `Provider.parse` does, and ValueError where the raw does not hold the call.
    """
    if older.raw is None:
        return older
    call = replace(provider.parse(older.raw), id=older.id)
    if older.started_at and not call.started_at:
        raise ValueError("its time is gone")
    return with_recordings_of(call, older)


def with_recordings_of(call: Call, older: Call) -> Call:
    """The call with the recordings that an older form of it has and it has not."""
    before = {one.id: one for one in older.recordings if one.id}
    listed = tuple(_filled(one, before.get(one.id or "")) for one in call.recordings)
    recordings = (*listed, *_left_out(listed, older.recordings))
    problems = call.problems
    if (more := len(recordings) - ITEMS) > 0:  # new ones each time: a call does not grow for ever
        recordings, problems = recordings[:ITEMS], (*problems, f"recordings: {more:,} left out")
    told_of_none = call.has_recording is True and not recordings
    known = call.recordings_known or (older.recordings_known and not told_of_none)
    has = call.has_recording if call.has_recording is not None else older.has_recording
    return replace(
        call,
        recordings=recordings,
        problems=problems[:MOST_PROBLEMS],
        recordings_known=known,
        has_recording=True if recordings else has,
        summary=call.summary or older.summary,
    )


def _left_out(listed: tuple[Recording, ...], older: tuple[Recording, ...]) -> Iterable[Recording]:
    """Those of an older list that a newer one lacks: by their ids, or where nothing has one by
    their number, for addresses change.
    """
    if not listed:
        return older
    if any(one.id for one in (*listed, *older)):
        ids = {one.id for one in listed}
        return [one for one in older if one.id and one.id not in ids]
    return older[len(listed) :]


def _read(provider: Provider, call: Call) -> Call:
    try:
        return provider.parse(call.raw)
    except ValueError:
        return call


def _says_less(call: Call, before: Call) -> bool:
    """Whether a form of a call has gone back to before an end or a length that was known."""
    lost = before.ended_at and not call.ended_at
    lost = lost or any(getattr(before, name) and not getattr(call, name) for name in LENGTHS)
    return bool(lost) or _rank(call) < _rank(before)


def _never_less(call: Call, *forms: Call) -> Call:
    """The call, and where it says nothing what one of its other forms says."""
    changes: dict[str, Any] = {}
    derived = dict.fromkeys(call.derived)
    for form in forms:
        told = {name: _more(name, getattr(call, name), getattr(form, name)) for name in _FILLED}
        news = {name: value for name, value in told.items() if value != getattr(call, name)}
        derived |= dict.fromkeys(name for name in form.derived if name in news)
        if _rank(form) > _rank(call):
            news |= {"outcome": form.outcome, "status": form.status or call.status}
        if more := form.vendor_fields.keys() - call.vendor_fields.keys():
            own = {name: form.vendor_fields[name] for name in sorted(more)}
            news["vendor_fields"] = {**call.vendor_fields, **own}
        call, changes = replace(call, **news), {**changes, **news}
    return replace(call, derived=tuple(derived)) if changes else call


def _rank(call: Call) -> int:
    return _RANKS.get(call.outcome, 3)


def _more(name: str, value: Any, other: Any) -> Any:
    """Of two forms' values of a field the first, unless it says nothing."""
    if name in LENGTHS:
        return other if value is None or (other and not value) else value
    if is_dataclass(value) and not isinstance(value, type):
        return value if _differs(value, other) else _filled(value, other)
    return other if value is None or value == () else value


def _differs(part: Any, other: Any) -> bool:
    """Whether two parts are of different things: another contact, another wrap-up."""
    pairs = [(getattr(part, item.name), getattr(other, item.name)) for item in fields(part)]
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _filled(part: Any, other: Any) -> Any:
    """A part of a call with the fields of another form of it where it has none itself."""
    if other is None:
        return part
    missing = [item.name for item in fields(part) if getattr(part, item.name) is None]
    return replace(part, **{name: getattr(other, name) for name in missing}) if missing else part
