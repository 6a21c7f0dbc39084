"""Tolerant readers that every vendor shares: text, numbers, times, lists, words.

A vendor's field may be absent, null, empty, of another type, or nonsense. A `Reader` gives the
value or None, and notes what it could not read; it never raises. What it notes names the
vendor's field and never repeats the value.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from providers import limits
from providers.model import Direction, Json

NO_ID = "no-id-"
"""How an id begins that was made for a row without one."""
MOST = 10**12
"""No vendor has so many of anything: a larger count says nothing."""
_BOOLEANS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_ZERO_TIMES = ("0000-", "0001-01-01")  # how MySQL and Go write "no time"
_MS_FROM = 1e11  # Unix seconds reach this in the year 5138
_LATEST = 32_503_680_000.0  # the year 3000
_NO_WORD = re.compile(r"[\W_]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


def word(text: str | None) -> str:
    """A word for comparing: lower case, letters and digits only."""
    return _NO_WORD.sub("", text.casefold()) if text else ""


def is_empty(value: Json) -> bool:
    """Whether a vendor says "none" with this: absent, null, ``""``, blank, ``{}`` or ``[]``; what
    `providers.limits` left out says no more.
    """
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == {} or value == [] or limits.is_left_out(value)


def rows(value: Json) -> list[Json]:
    """A list, where a vendor may send one object, an object of numbered rows, or nothing."""
    if isinstance(value, list):
        return value
    if is_empty(value):
        return []
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        return list(value.values())
    return [value]


NO_ID = "no-id-"
"""How a made id begins."""


def made_id(raw: Json) -> str:
    """An id for a row that has none: the same row always gets the same one."""
    text = json.dumps(raw, sort_keys=True, default=str)
    return NO_ID + hashlib.sha256(text.encode()).hexdigest()[:12]


def bounded_rows(value: Json, *, every: bool = False) -> list[Json]:
    """The first `limits.ROWS` rows of an answer, or `every` one; none larger than a call may be."""
    return [limits.bounded(row)[0] for row in rows(value)[: None if every else limits.ROWS]]


def short_id(text: str) -> str:
    """An id as it is, or one made of it that is no longer than a link may hold."""
    return text if len(text) <= limits.ID else made_id(text)


def to_text(value: Json) -> str | None:
    """Text as it is, numbers without exponent or ``.0``; None for anything else. No markup."""
    if isinstance(value, str):
        if value.isascii():
            return value if value.strip() else None
        return _SURROGATES.sub("\ufffd", value) if value.strip() else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return None


def to_number(value: Json) -> float | None:
    """A finite number, also when it was sent as text; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < 2**63 else None


def to_count(value: Json) -> int | None:
    """How many there are, or a place among them, also when it was sent as text or ``3.0``; None
    for what is no whole number from 0 to `MOST`.
    """
    number = to_number(value)
    fits = number is not None and 0 <= number <= MOST and number.is_integer()
    return int(number) if number is not None and fits else None


def to_yes(value: Json) -> bool | None:
    """``true``/``false``/``0``/``1``, also as text; None for anything else."""
    scalar = isinstance(value, bool | int | float | str)
    return _BOOLEANS.get(str(value).strip().lower()) if scalar else None


def to_time(value: Json) -> tuple[datetime | None, bool]:
    """A time in UTC, and whether the vendor's text had a zone. Raises ValueError.

    Takes ISO 8601 and RFC 3339 text, and Unix seconds or milliseconds as number or text. The
    zero times of MySQL, Go and Unix mean none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    text = str(value).strip().upper()
    if text.startswith(_ZERO_TIMES):
        return None, True
    written = "-" in text or (len(text) == 8 and text.isdecimal())  # a date, not a number
    number = None if written else to_number(value)
    if number is not None:
        number = number / 1000 if number >= _MS_FROM else number
        if not 0 <= number < _LATEST:
            raise ValueError
        return (datetime.fromtimestamp(number, UTC) if number else None), True
    time = datetime.fromisoformat(text)
    zoned = time.tzinfo is not None
    try:
        moment = time.astimezone(UTC) if zoned else time.replace(tzinfo=UTC)
        seconds = moment.timestamp()
    except OverflowError as error:
        raise ValueError from error
    if not 0 <= seconds < _LATEST:
        raise ValueError
    return (moment if seconds else None), zoned


def later(time: datetime | None, seconds: float | None) -> datetime | None:
    """``time + seconds``; None when either is unknown or the sum is no time."""
    if time is None or seconds is None:
        return None
    try:
        return time + timedelta(seconds=seconds)
    except OverflowError:
        return None


def ends(
    direction: str | None, contact: str | None, company: str | None
) -> tuple[str | None, str | None]:
    """The calling number and the called one, of the two sides' numbers."""
    if direction == Direction.INBOUND:
        return contact, company
    return (company, contact) if direction == Direction.OUTBOUND else (None, None)


def joined(*parts: str | None) -> str | None:
    """Parts of a name with one space between; None when there are none."""
    return " ".join(part.strip() for part in parts if part and part.strip()) or None


class Reader:
    """One JSON object of a vendor, read field by field.

    Every method takes the vendor's field name and gives None (or nothing) for a field that is
    absent, null or empty. `problems` collects what had a value that could not be read.
    """

    def __init__(self, raw: Json, path: str = "", problems: list[str] | None = None) -> None:
        self.raw: dict[str, Json] = raw if isinstance(raw, dict) else {}
        self.path = path
        self.problems: list[str] = [] if problems is None else problems

    def has(self, key: str) -> bool:
        return key in self.raw and self.raw[key] is not None

    def note(self, key: str, what: str) -> None:
        """Remember once what is wrong with a field; no more than `limits.MOST_PROBLEMS` lines."""
        if len(self.problems) < limits.MOST_PROBLEMS:
            line = f"{self.path}{key}: {what}"
            if line not in self.problems:
                self.problems.append(line)

    def text(self, key: str) -> str | None:
        """Text exactly as sent; a number becomes text (phone numbers, ids)."""
        value = self.raw.get(key)
        text = to_text(value)
        if text is None and not is_empty(value):
            self.note(key, "not text")
        return text

    def ref(self, key: str) -> str | None:
        """The id of something else, where 0 means none as well."""
        text = self.text(key)
        return None if text is None or text.strip() == "0" else text

    def id(self, key: str) -> str | None:
        """The id of the thing itself; in the place of one that is too long, one made of it."""
        text = self.text(key)
        if text and len(text) > limits.ID:
            self.note(key, f"longer than {limits.ID} characters")
        return text and short_id(text)

    def number(self, key: str) -> float | None:
        value = self.raw.get(key)
        number = to_number(value)
        if number is None and not is_empty(value):
            self.note(key, "not a number")
        return number

    def seconds(self, key: str, per_second: float = 1.0) -> float | None:
        """A duration in seconds; `per_second` of the vendor's units make one."""
        number = self.number(key)
        if number is not None and number < 0:
            self.note(key, "a negative duration")
            return None
        return None if number is None else number / per_second

    def integer(self, key: str) -> int | None:
        """A whole number, zero or more (a size in bytes, a sequence)."""
        number = self.number(key)
        if number is not None and (number < 0 or not number.is_integer()):
            self.note(key, "not a whole number")
            return None
        return None if number is None else int(number)

    def boolean(self, key: str) -> bool | None:
        """``true``/``false``/``0``/``1``, also as text."""
        value = self.raw.get(key)
        if is_empty(value):
            return None
        answer = to_yes(value)
        if answer is None:
            self.note(key, "neither true nor false")
        return answer

    def time(self, key: str) -> datetime | None:
        """A time in UTC. One without a zone is noted and taken as UTC."""
        value = self.raw.get(key)
        if is_empty(value):
            return None
        try:
            moment, zoned = to_time(value)
        except ValueError:
            self.note(key, "not a time")
            return None
        if not zoned:
            self.note(key, "a time without a zone, taken as UTC")
        return moment

    def object(self, key: str) -> Reader:
        """One object below this one; also the first of a list. Empty when there is none."""
        return next(iter(self.objects(key)), Reader({}, f"{self.path}{key}.", self.problems))

    def objects(self, key: str) -> list[Reader]:
        """A list of objects, where the vendor may send one object or nothing."""
        found = []
        for index, item in enumerate(rows(self.raw.get(key))):
            if is_empty(item):
                continue
            if isinstance(item, dict):
                found.append(Reader(item, f"{self.path}{key}.", self.problems))
            else:
                self.note(f"{key}[{index}]", "not an object")
        return found

    def texts(self, key: str, *inner: str) -> tuple[str, ...]:
        """A list of texts; an object in it counts by the first of its `inner` fields."""
        found: dict[str, None] = {}
        for index, item in enumerate(rows(self.raw.get(key))):
            text = first_text(item, inner) if isinstance(item, dict) else to_text(item)
            if text is not None:
                found[text] = None
            elif not is_empty(item):
                self.note(f"{key}[{index}]", "not text")
        return tuple(found)

    def name(self, key: str, *inner: str) -> str | None:
        """A name sent as text, or as an object that holds it in one of its `inner` fields."""
        value = self.raw.get(key)
        if isinstance(value, dict | list):
            return next((t for r in self.objects(key) if (t := first_text(r.raw, inner))), None)
        return self.text(key)


def first_text(raw: dict[str, Json], keys: Iterable[str]) -> str | None:
    """The first of these fields that holds text."""
    return next((text for key in keys if (text := to_text(raw.get(key)))), None)
