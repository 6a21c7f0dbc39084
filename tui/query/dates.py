"""Points and periods of time as people type them: a date, an ISO time, ``7d``, ``yesterday``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

FORMS = "a date (2026-11-02), a time (2026-11-02T09:30), 7d, 24h, today, yesterday or tuesday"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AGO = re.compile(r"(\d{1,5})\s*([hdw])")
_MS = timedelta(milliseconds=1)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAYS = {name[:n]: number for number, name in enumerate(WEEKDAYS) for n in (3, len(name))}
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any call of any vendor."""


def local_zone(wanted: str = "") -> tzinfo:
    """The user's zone with its daylight saving: the wanted one, else ``TZ``'s or the system's."""
    import os
    from pathlib import Path

    names = [wanted, os.environ.get("TZ", "").lstrip(":")]
    link = Path("/etc/localtime")
    if link.is_symlink():
        names.append(str(link.resolve()).partition("zoneinfo/")[2])
    known = (zone_of(name) for name in names if name)
    return next(filter(None, known), None) or datetime.now().astimezone().tzinfo or UTC


def zone_of(name: str) -> tzinfo | None:
    """The zone of that IANA name; None when nobody knows it."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder, a path, any other text
        return None


def _day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), zone)
    after = datetime.combine(day + timedelta(days=1), time(), zone)
    return start.astimezone(UTC), after.astimezone(UTC) - _MS


def parse_when(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """First and last moment (UTC) that `text` names: a day is the whole day in `zone`, 09:30 the
    whole minute.

    ``7d`` and ``24h`` name the time from that long ago until `now`, ``tuesday`` and ``tue`` the
    last one, today included. Raises ValueError.
    """
    word = text.strip().lower()
    today = now.astimezone(zone).date()
    if word in ("today", "yesterday"):
        return _day(today - timedelta(days=word == "yesterday"), zone)
    if word in _DAYS:
        return _day(today - timedelta(days=(today.weekday() - _DAYS[word]) % 7), zone)
    if match := _AGO.fullmatch(word):
        return max(now - int(match[1]) * _UNITS[match[2]], BEGINNING), now
    try:
        return _day(date.fromisoformat(word), zone)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text.strip().upper())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not {FORMS}") from None
    digits = _NO_CLOCK.sub("", word)
    return moment, max(moment, moment + _EXACT.get(len(digits), _MS) - _MS)


_NO_CLOCK = re.compile(r"^[\d-]+[t ]|[+-]\d\d:?\d\d$|\D")
_EXACT = {2: timedelta(hours=1), 4: timedelta(minutes=1), 6: timedelta(seconds=1)}
"""What a time of so many digits names."""


_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.A)
HOUR_S, DAY_S = 3_600, 86_400


def clock_span(text: str) -> tuple[int, int] | None:
    """First and last second of the day of ``9:00..12:00``, ``22:00..6:00``, ``9:00..``; None for
    other words. A time names its whole minute, as in a moment.

    Raises ValueError for a time that there is not, and where the other side is none.
    """
    first, dots, last = text.partition("..")
    sides = [_TIME_OF_DAY.fullmatch(side) for side in (first, last) if side]
    if not dots or not any(sides):
        return None
    spans = [_second(match) for match in sides if match]
    if len(spans) < len(sides) or None in spans:
        raise ValueError(f"{text} is not a time of day, for example 9:00..12:00")
    known = [span for span in spans if span]
    return known[0][0] if first else 0, known[-1][1] if last else DAY_S - 1


def _second(match: re.Match[str]) -> tuple[int, int] | None:
    """First and last second that a time of day names; None: there is no such time."""
    hour, minute, second = (int(part or 0) for part in match.groups())
    at = hour * 3600 + minute * 60 + second
    if max(minute, second) > 59 or at > DAY_S:
        return None
    return min(at, DAY_S - 1), min(at if match[3] or at == DAY_S else at + 59, DAY_S - 1)


@lru_cache(maxsize=8)
def offsets(zone: tzinfo) -> tuple[tuple[int, int], ...]:
    """From when on (Unix seconds) a zone is how many seconds before UTC, the latest first."""
    found: list[tuple[int, int]] = []
    week, last = 7 * DAY_S, int(datetime(2040, 1, 1, tzinfo=UTC).timestamp())
    for end in range(int(BEGINNING.timestamp()), last, week):
        if not found:
            found.append((end, _offset(zone, end)))
        elif (offset := _offset(zone, end)) != found[-1][1]:
            early, late = end - week, end
            while late - early > 1:
                middle = (early + late) // 2
                if _offset(zone, middle) == offset:
                    late = middle
                else:
                    early = middle
            found.append((late, offset))
    return tuple(reversed(found))


def _offset(zone: tzinfo, at: int) -> int:
    there = datetime.fromtimestamp(at, zone).utcoffset()
    return int(there.total_seconds()) if there else 0


MORNING = time(9)
"""When a day begins for whom put something off to it."""
LATER_FORMS = (
    "1h, 30m, 3d, 14:30, tomorrow, a weekday, a date (2026-11-02), or one of these with a time"
    " (mon 14:30)"
)
_FROM_NOW = re.compile(r"(\d{1,4})\s*([mhdw])")
_CLOCK = re.compile(r"(?:(\S+)\s+)?(\d{1,2}):(\d{2})", re.A)


def parse_later(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment (UTC) that something is put off to: a day alone means nine in the morning
    there, a time alone the next such time.

    Raises ValueError for what is not understood and for what is not in the future.
    """
    word = text.strip().lower()
    try:
        if match := _FROM_NOW.fullmatch(word):
            unit = {"m": timedelta(minutes=1), **_UNITS}[match[2]]
            later = now + int(match[1]) * unit
        elif match := _CLOCK.fullmatch(word):
            later = _at(match[1], time(int(match[2]), int(match[3])), now, zone)
        else:
            later = _day_or_moment(word, now, zone)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not {LATER_FORMS}") from None
    if later <= now:
        raise ValueError(f"{text!r} is not in the future")
    return later.astimezone(UTC)


def _at(word: str | None, clock: time, now: datetime, zone: tzinfo) -> datetime:
    """That time on the day that a word names; without one, today or tomorrow."""
    today = now.astimezone(zone).date()
    if word is not None:
        return datetime.combine(_day_ahead(word, today), clock, zone)
    later = datetime.combine(today, clock, zone)
    return later if later > now else datetime.combine(today + timedelta(days=1), clock, zone)


def _day_or_moment(word: str, now: datetime, zone: tzinfo) -> datetime:
    try:
        return _at(word, MORNING, now, zone)
    except ValueError:
        moment = datetime.fromisoformat(word.upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _day_ahead(word: str, today: date) -> date:
    """The day that a word names, a weekday the next one. Raises ValueError."""
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    if len(word) >= 3 and (days := [day for day in WEEKDAYS if day.startswith(word)]):
        return today + timedelta(days=(WEEKDAYS.index(days[0]) - today.weekday() - 1) % 7 + 1)
    return date.fromisoformat(word)


def period(
    since: str | None, until: str | None, now: datetime, zone: tzinfo
) -> tuple[datetime | None, datetime | None]:
    """``--since`` and ``--until`` as moments in UTC. Raises ValueError, also when they cross."""
    first = parse_when(since, now, zone)[0] if since else None
    # "until 7d" means until seven days ago, not until now
    last = None
    if until:
        begin, end = parse_when(until, now, zone)
        last = begin if _AGO.fullmatch(until.strip().lower()) else end
    if first and last and last < first:
        raise ValueError(f"the period ends ({until}) before it begins ({since})")
    return first, last
