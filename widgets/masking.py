"""Calls as others may see them: for a screen that is shared, or a listing that is passed on.

Whoever shows calls shows what `masked_row` and `masked_call` make of them; no widget masks by
itself. What stays tells calls apart and no person: times, lengths, outcomes, groups, codes, ids
of calls, the last digits of numbers and the first letters of names. A sign takes the place of
each that is hidden, so that nothing moves. Texts that somebody wrote, and what a vendor alone
has, are hidden whole: no rule finds the names in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rich.cells import cell_len

from providers.call_fields import CALL_FIELDS
from providers.model import Agent, Call, CallRow, Contact, Hangup, Json, Recording
from widgets.row_source import Rows

SIGN = "*"
HIDDEN = "(hidden)"
SHOWN_DIGITS = 3
"""At most so many last digits of a number stay, and never more than half of them."""
SHORTEST = 5
"""A run of fewer digits in a text is no phone number."""
LONG_INT = 7
"""A whole number of so many digits may be one."""
WITHHELD = frozenset({"anonymous", "blocked", "private", "restricted", "unavailable", "unknown"})
"""What stands in a number's place where there is none."""

_DAY = r"(?:19|20)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_PIECE = re.compile(
    rf"(?P<day>(?<!\d){_DAY}(?!\d))|(?P<address>[^\s@<>\"',;]+@[^\s@<>\"',;]+)"
    r"|(?P<number>\+?\d[\d\s()./\u2010-\u2015-]*\d)"
)
_MOMENT = re.compile(_DAY)
_NUMBER = re.compile(r"[+(]?\d[\d\s()./+\u2010-\u2015-]*")
_PARTED = re.compile(r"[^\s,;.:@()\"'<>/&_|+*#-]+")


def masked_number(text: str) -> str:
    """``+44 20 7946 0123`` as ``+** ** **** *123``; what is no number as `masked_name`."""
    if any(char.isalpha() for char in text):
        return text if text.strip().lower() in WITHHELD else masked_name(text)
    digits = [place for place, char in enumerate(text) if char.isdecimal()]
    hidden = {*digits[: len(digits) - min(SHOWN_DIGITS, len(digits) // 2)]}
    return "".join(SIGN if place in hidden else char for place, char in enumerate(text))


@lru_cache(maxsize=8192)  # the same agents come again and again
def masked_name(text: str) -> str:
    """``Anna Müller`` as ``A*** M*****``; digits go altogether. As wide as before."""
    return _PARTED.sub(lambda match: _initial(match[0]), text)


def _initial(word: str) -> str:
    kept = 1 if word[0].isalpha() and len(word) > 1 else 0
    return word[:kept] + SIGN * cell_len(word[kept:])


def masked_text(text: str, names: Iterable[str | None] = ()) -> str:
    """A text without these names, and without the numbers and mail addresses in it."""
    text = _PIECE.sub(_piece, text)
    lower = text.lower()  # a pattern for each name of each row would take too long
    for word in sorted(_words_of(names), key=len, reverse=True):
        if word.lower() in lower:
            text = re.sub(re.escape(word), lambda match: masked_name(match[0]), text, flags=re.I)
    return text


def _words_of(names: Iterable[str | None]) -> set[str]:
    """The words of names, but for single letters, which stand in every text."""
    return {word for name in names for word in _PARTED.findall(name or "") if cell_len(word) > 1}


def _piece(match: re.Match[str]) -> str:
    if match["address"]:
        return masked_name(match[0])
    few = sum(char.isdecimal() for char in match[0]) < SHORTEST
    return match[0] if match["day"] or few else masked_number(match[0])


def masked_data(value: Json, shown: frozenset[str] = frozenset()) -> Json:
    """A vendor's own values in their shape, of the texts only times and those of `shown`."""
    if isinstance(value, dict):
        return {_key(name): masked_data(one, shown) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked_data(one, shown) for one in value]
    if isinstance(value, str):
        if not value or value in shown or _MOMENT.fullmatch(value):
            return value
        return masked_number(value) if _NUMBER.fullmatch(value) else HIDDEN
    if isinstance(value, int | float) and abs(value) >= 10**LONG_INT // 10:
        return masked_number(f"{value}")
    return value


def _key(name: str) -> str:
    return masked_number(name) if _NUMBER.fullmatch(name) else masked_text(name)


_MASKED = {field.column: field.mask for field in CALL_FIELDS if field.column and field.mask}
_MASKED["our_tags"] = "text"
"""Columns of a row that are masked, and how."""


def _all(mask: Callable[..., str], text: str | None, *more: Any) -> Any:
    return text and mask(text, *more)


def masked_row(row: CallRow) -> CallRow:
    """A line of the table as others may see it."""
    names = (row.contact, row.agents)
    masks: dict[str, Callable[[str], str]] = {
        "name": masked_name,
        "number": masked_number,
        "text": lambda text: masked_text(text, names),
        "hidden": lambda text: HIDDEN,
    }
    cells = {column: _all(masks[mask], getattr(row, column)) for column, mask in _MASKED.items()}
    return row._replace(**cells)


def names_in(call: Call) -> tuple[str | None, ...]:
    """The names of a call's parties."""
    return (call.contact.name, call.hangup.by_name, *(agent.name for agent in call.agents))


def masked_call(call: Call) -> Call:
    """A call as others may see it. It can be shown and printed, and not be played."""
    agents = {agent.id: f"#{place}" for place, agent in enumerate(call.agents, 1)}
    names = names_in(call)

    def text(value: str | None) -> Any:
        return _all(masked_text, value, names)

    def agent_id(id_: str | None) -> Any:
        return agents.get(id_) or _all(masked_name, id_)

    told = (call.id, call.provider, call.outcome, call.status, call.direction)
    shown = frozenset(str(one) for one in told if one and one == text(one)) | {call.id}
    plain = ("ring_group", "queue", "ivr", "campaign", "status", "direction")
    return replace(
        call,
        **{name: text(getattr(call, name)) for name in plain},
        from_=_all(masked_number, call.from_),
        to=_all(masked_number, call.to),
        contact=_contact(call.contact),
        company_number=replace(
            call.company_number,
            number=_all(masked_number, call.company_number.number),
            name=text(call.company_number.name),
        ),
        agents=tuple(_agent(one, agent_id(one.id), text) for one in call.agents),
        disposition=replace(
            call.disposition,
            code=text(call.disposition.code),
            note=call.disposition.note and HIDDEN,
        ),
        hangup=_hangup(call.hangup, text),
        tags=tuple(map(text, call.tags)),
        summary=call.summary and HIDDEN,
        recording_events=tuple(
            replace(one, recorder=agent_id(one.recorder)) for one in call.recording_events
        ),
        recordings=tuple(_recording(one, agent_id(one.agent_id)) for one in call.recordings),
        problems=(HIDDEN,) * len(call.problems),
        vendor_fields=masked_data(dict(call.vendor_fields), shown),
        raw=masked_data(call.raw, shown),
    )


def _contact(contact: Contact) -> Contact:
    return Contact(
        id=_all(masked_number, contact.id),
        name=_all(masked_name, contact.name),
        number=_all(masked_number, contact.number),
        email=_all(masked_name, contact.email),
    )


def _agent(agent: Agent, id_: str | None, text: Callable[[str | None], Any]) -> Agent:
    return replace(
        agent,
        id=id_,
        name=_all(masked_name, agent.name),
        role=text(agent.role),
        department=text(agent.department),
        status=text(agent.status),
        hangup_reason=text(agent.hangup_reason),
        hangup_code=text(agent.hangup_code),
    )


def _hangup(hangup: Hangup, text: Callable[[str | None], Any]) -> Hangup:
    return Hangup(
        text(hangup.by),
        text(hangup.reason),
        text(hangup.code),
        _all(masked_name, hangup.by_name),
    )


def _recording(recording: Recording, agent: str | None) -> Recording:
    return replace(
        recording,
        url=None,
        name=recording.name and HIDDEN,
        summary=recording.summary and HIDDEN,
        agent_id=agent,
    )


class Veil:
    """Whether calls are masked on a screen, and the one that is shown all the same."""

    def __init__(self, on: bool = False) -> None:
        self.on = on
        self.revealed: int | None = None
        """The row's key of a call that somebody asked to see."""

    def hides(self, key: int | None) -> bool:
        """Whether the call with this row's key is masked."""
        return self.on and (key is None or key != self.revealed)

    def row(self, row: CallRow) -> CallRow:
        """A row as it may be shown now."""
        return masked_row(row) if self.hides(row.key) else row

    def call(self, key: int | None, call: Call) -> Call:
        """A call, whose row has this key, as it may be shown now."""
        return masked_call(call) if self.hides(key) else call

    def text(self, text: str) -> str:
        """A message as it may be shown now."""
        return masked_text(text) if self.on else text


class VeiledRows:
    """Rows as a veil lets them be seen at the moment that they are asked for."""

    def __init__(self, rows: Rows, veil: Veil) -> None:
        self._rows, self._veil = rows, veil
        self.begins, self.ends = rows.begins, rows.ends

    def __len__(self) -> int:
        return len(self._rows)

    def window(self, start: int, stop: int) -> Sequence[CallRow]:
        """As `Rows.window`."""
        rows = self._rows.window(start, stop)
        return [*map(self._veil.row, rows)] if self._veil.on else rows

    def keys_between(self, start: int, stop: int) -> Sequence[int]:
        """As `Rows.keys_between`."""
        return self._rows.keys_between(start, stop)

    def index_of(self, key: int) -> int | None:
        """As `Rows.index_of`."""
        return self._rows.index_of(key)
