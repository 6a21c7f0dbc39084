"""One line of text <-> an immutable query. The same line serves the screen, views and scripts.

    anna refund          words: contact, agent, note, tag, summary, disposition, number's name;
                         their beginning will do, accents and case do not matter
    "call back"          these whole words, one after the other
    #4567  …4567  0123   a fragment of a number, however either is written: 0123-45 67
    (030) 123-4567       a whole number finds all its forms: +49 30 1234567, 0049 30 …
    1-800-FLOWERS        the digits that the letters stand for, too
    anonymous  bob@host  numbers that are words, and SIP addresses
    in out internal      direction
    missed ongoing …     outcome
    rec  -rec            with, without a recording
    open-miss            missed, abandoned or voicemail, and not called back since
    called-back          closed by a later answered call with the same number, anywhere
    callback sla-missed  the caller asked to be called back; waited too long
    flagged untriaged    to be followed up (state:follow-up); nobody decided yet
    held                 on hold: nothing removes it
    agent:anna,ben       a field (`tui.query.fields`): one of several values
    group:="Support"     just this name
    triaged:today        a time of something else: started, ended, triaged
    dur>120  wait>30  talk<6
    today yesterday tuesday tue 7d 2026-11-02 2026-11-02..2026-11-05 2026-11-02.. ..7d
    9:00..12:00          a time of day, every day; 22:00..6:00 goes over midnight
    -word  -"two words"  not

Terms are joined by *and*; several of one kind that exclude each other (``missed abandoned``,
``in out``), and the values of one field with commas between them, by *or*. What is not understood
stands in `Query.problems` and narrows nothing. A name that no call has is understood, and finds
nothing; that is said beside the result (`unknown`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from providers.model import Direction, Outcome
from tui.query.dates import BEGINNING, WEEKDAYS, clock_span, parse_when, period
from tui.query.fields import (
    COMMON,
    DURATIONS,
    FIELDS,
    TABLE,
    Field,
    field_of,
    vendor_field,
)
from tui.query.phone_numbers import dialled, fragment, is_vanity
from tui.query.suggestions import NEAR_AMONG, nearest

DIRECTIONS = {
    "in": Direction.INBOUND,
    "inbound": Direction.INBOUND,
    "out": Direction.OUTBOUND,
    "outbound": Direction.OUTBOUND,
    "internal": Direction.INTERNAL,
    "int": Direction.INTERNAL,
}
OUTCOMES = {str(outcome): outcome for outcome in Outcome} | {
    "in-progress": Outcome.IN_PROGRESS,
    "ongoing": Outcome.IN_PROGRESS,
    "?": Outcome.UNKNOWN,
}
EXACT = frozenset(field.column for field in TABLE if field.kind == "exact")
STATES = ("new", "open", "follow-up", "done", "snoozed")
CHOICES: dict[str, dict[str, str]] = {
    "direction": {word: str(value) for word, value in DIRECTIONS.items()},
    "outcome": {word: str(value) for word, value in OUTCOMES.items()},
    "state": {state: state for state in STATES} | {"follow": "follow-up", "snooze": "snoozed"},
    "recording": {"yes": "rec", "no": ""},
}
"""What may stand behind the colon of a choice, and what it means."""
MARKS = ("open-miss", "called-back", "callback", "sla-missed", "untriaged", "held")
"""Words of their own; `tui.archive.sqlite.search.conditions` says what each means."""
KEYWORDS = (
    *DIRECTIONS, *(word for word in OUTCOMES if word != "?"), *MARKS, "flagged", "rec", "today",
    *("yesterday", *WEEKDAYS),
)  # fmt: skip
"""Words that mean more than themselves, and what a word that finds nothing may be a slip of."""
NAMED = 5
"""Names that are told in place of one that there is not."""
JOINING = {
    "AND": "terms beside each other all hold, for example missed anna",
    "OR": "several values stand in one field, for example outcome:missed,busy",
    "NOT": "a - in front is not, for example -missed",
}
"""Words that other query lines join terms by, in capitals, and how that is written here."""

_KEY = r"(?P<key>[a-z][a-z0-9_]*):"
_ITEM = r'=?(?:"[^"]*"?|[^\s",][^\s,]*)?'
"""One of the values behind a colon."""
_TOKEN = re.compile(
    rf"(?=\S)(?P<minus>-?)(?:{_KEY}(?P<values>{_ITEM}(?:,{_ITEM})*)"
    r'|"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]\S*))?',
    re.I,
)
_VALUE = re.compile(r'(?P<exact>=?)(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s",=][^\s,]*))')
_ADDRESS = re.compile(r"(?:sips?|tel):\S+", re.I)
"""A number with its scheme, which is no field."""
_COMPARED = rf"({'|'.join(DURATIONS)})"
_COMPARE = re.compile(
    rf"{_COMPARED}(>=|<=|>|<|=)(?:(?:(\d+):)?(\d+):(\d\d)|(\d{{1,6}})(s|m)?)", re.I
)
_NUMBER = re.compile(
    r"(?:[#…]|\.{2,3})[\s()./+-]*\d[\d\s()./+-]*|\+\d[\d\s()./+-]*|\(?\d[\d\s()./+-]{2,}"
)
_DIGITS = re.compile(r"[#….\s()/+-]*\d[\d\s()./+-]*")
"""Any part of a number, where it is plain that one is meant."""
_NUMBER_GOES_ON = re.compile(r"(?:\s+[(+]?\d[\d()./+-]*(?=\s|$))+")
"""Further groups of digits behind the first one of a number."""
_EXTENSION = re.compile(r"\s*(?:x|ext\.?)\s*\d{1,7}(?=\s|$)", re.I)
"""Whom somebody asked for behind a number; its other forms lack that."""
_DAY = re.compile(r"(?:19|20)\d\d-\d\d?-\d\d?(?:t.*)?", re.I)


class Term(NamedTuple):
    """One condition. `kind` says how `value` is meant; see conditions.py of the archive."""

    kind: str
    """word, phrase, number, direction, outcome, recording, mark, state, field (of names), text,
    kept and detail (of words; see `providers.call_fields`), compare, period, triaged and ended
    (periods of those), clock (a time of day), or bound: a period that every other is narrowed by.
    """
    value: str
    field: str = ""
    """A column, for field, text, kept, detail, number and compare."""
    low: float = 0.0
    """For compare: seconds. For period: Unix seconds, first and last; for clock: of a day."""
    high: float = 0.0
    negated: bool = False
    exact: bool = False
    """Just this value, and none that it begins."""
    either: str = ""
    """Terms that have this in common are joined by *or*."""
    zone: tzinfo | None = None
    """For clock: where it has that time."""


class Problem(NamedTuple):
    """A piece of the line that was not understood: where it stands, and what would be."""

    start: int
    stop: int
    message: str


class Name(NamedTuple):
    """A name behind a colon, and where in the line the two stand."""

    start: int
    stop: int
    kind: str
    """The word before the colon."""
    value: str
    """As it is written."""
    term: Term


class Query(NamedTuple):
    """What to show. Two queries with the same terms are the same."""

    terms: tuple[Term, ...] = ()
    problems: tuple[Problem, ...] = ()
    names: tuple[Name, ...] = ()
    """Of the terms, those that only an archive can tell to mean nothing; see `unknown`."""
    words: tuple[Name, ...] = ()
    """Words alone, of which each may be a slip; their kind is empty."""

    def __and__(self, other: Query) -> Query:
        return Query(
            self.terms + other.terms,
            self.problems + other.problems,
            self.names + other.names,
            self.words + other.words,
        )


EVERYTHING = Query()


def fold(text: str) -> str:
    """Lower case without accents, so that *Muller* finds *Müller*; at most four times as long."""
    if text.isascii():  # most text is, and an archive folds a lot of it
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    decomposed = decomposed[: max(4 * len(text), 100)]  # some characters stand for eighteen
    return "".join(char for char in decomposed if not unicodedata.combining(char))


class _Splitter(dict[int, str]):
    """What a character is to a text that is split into words; worked out once for each."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if char.isascii():
            kept = char if char.isalnum() else " "
        elif category in ("So", "Lo") and _stands_alone(code):
            kept = f" {char} "
        else:
            kept = char if category[0] in "LNM" else " "
        self[code] = kept
        return kept


def _stands_alone(code: int) -> bool:
    """Scripts written without spaces (Thai to Chinese, Japanese, Korean) and pictures."""
    return 0x0E00 <= code <= 0x0EFF or 0x1780 <= code <= 0x17FF or code >= 0x2600


_SPLITTER = _Splitter()


def words(text: str) -> list[str]:
    """The words of a text, folded. A character of a script without spaces is one, as an emoji."""
    return fold(text).translate(_SPLITTER).split()


HasField = Callable[[str], bool]
"""Whether a word that is none of `FIELDS` is a field of some vendor's calls."""


def parse(text: str, now: datetime, zone: tzinfo, has_field: HasField = lambda _: False) -> Query:
    """The query that a line means. Never raises."""
    terms: list[Term] = []
    problems: list[Problem] = []
    names: list[Name] = []
    alone: list[Name] = []
    stop = 0
    for match in _TOKEN.finditer(text):
        if match.start() < stop:
            continue  # the end of a number that is written in groups
        stop = match.end()
        found: list[Term] = []
        try:
            address = _ADDRESS.match(text, match.start() + len(match["minus"]))
            if address and field_of(match["key"]) is None:
                stop = address.end()
                found.append(_address(address[0].partition(":")[2]))
            elif match["key"]:
                values = [*_values(match, stop)]
                found += _field(match["key"], values, now, zone, has_field)
                names += _names(match["key"].lower(), values, found)
            elif match["quoted"] is not None:
                found.append(_words("phrase", match["quoted"]))
            else:
                bare = match["bare"] or ""
                term = _bare(bare, now, zone)
                if term.kind == "number":
                    term, stop = _whole_number(text, match.start("bare"), stop, now, zone)
                elif is_vanity(bare):  # or else it is what it says
                    found.append(Term("number", fragment(dialled(bare)), either=term.value))
                    term = term._replace(either=term.value)
                elif term.kind == "word" and not match["minus"]:
                    alone.append(Name(match.start(), stop, "", bare, term))
                found.append(term)
        except ValueError as error:
            problems.append(Problem(match.start(), stop, str(error)))
            continue
        # several values are meant by *or*; without them each is not meant
        terms += [t._replace(negated=True, either="") if match["minus"] else t for t in found]
    return Query(tuple(terms), tuple(problems), tuple(names), tuple(alone))


class _Value(NamedTuple):
    """One value behind a colon, and where it stands."""

    text: str
    exact: bool
    start: int
    stop: int


def _values(match: re.Match[str], stop: int) -> Iterator[_Value]:
    """A first ``=`` holds for all values; the first value stands for its field, too."""
    values, exact = match["values"], match["values"].startswith("=")
    for found in _VALUE.finditer(values):
        value = found["quoted"] if found["quoted"] is not None else found["bare"]
        first = found.start() == 0
        begin = match.start() if first else match.start("values") + found.start()
        end = match.start("values") + found.end()
        yield _Value(value, exact or bool(found["exact"]), begin, end)


def _names(key: str, values: Sequence[_Value], terms: Sequence[Term]) -> Iterator[Name]:
    """What only an archive can tell to mean nothing."""
    for value, term in zip(values, terms, strict=True):
        if term.kind in ("field", "text", "kept"):
            yield Name(value.start, value.stop, key, value.text, term)


def unknown(name: Name, known: Sequence[str]) -> Problem:
    """What to say of a name that no call has; `known` has those that there are, the most
    frequent ones first. It may come with the next sync, so the query goes on meaning it.
    """
    said = f'no {name.kind} "{name.value}"'
    if name.kind == "id":
        said += " here"
    elif nearest := _nearest(name.value, known[:NEAR_AMONG]):
        said += f"; the nearest is {nearest}"
    elif known:
        more = ", ..." if len(known) > NAMED else ""
        said += f"; there are: {', '.join(known[:NAMED])}{more}"
    else:
        said += "; no call has one"
    return Problem(name.start, name.stop, said)


def _nearest(value: str, known: Sequence[str]) -> str | None:
    """The name that this is a slip of, or of a word of which it is one."""
    forms = {word: name for name in reversed(known) for word in words(name)}
    forms |= {fold(name): name for name in reversed(known)}
    found = nearest(fold(value), forms)
    return forms[found] if found else None


def _whole_number(
    text: str, start: int, stop: int, now: datetime, zone: tzinfo
) -> tuple[Term, int]:
    """The number whose first group stands from `start` to `stop`, and where it ends."""
    stop += len(_groups(text, stop, now, zone))
    number = text[start:stop]
    if extension := _EXTENSION.match(text, stop):
        stop = extension.end()
    return Term("number", fragment(number)), stop


def _groups(text: str, start: int, now: datetime, zone: tzinfo) -> str:
    """What follows of a number that is written in groups; a day behind a number is a day."""
    match = _NUMBER_GOES_ON.match(text, start)
    more = match[0] if match else ""
    for piece in re.finditer(r"\s+\S+", more):
        if _period(piece[0].strip().lower(), now, zone):
            return more[: piece.start()]
    return more


def _field(
    key: str, values: Sequence[_Value], now: datetime, zone: tzinfo, has_field: HasField
) -> list[Term]:
    """The terms of a field, one for each of its values. Raises ValueError."""
    word = key.lower()
    field = field_of(word) or (vendor_field(word) if has_field(word) else None)
    if field is None and word in DURATIONS:
        raise ValueError(f"{word}: is compared, for example {word}>120")
    if field is None:
        near = nearest(word, [one.name for one in FIELDS.values()])
        known = f"did you mean {near}:?" if near else f"known are {', '.join(COMMON)} ..."
        raise ValueError(f"{word}: is not a field; {known}")
    if not any(value.text for value in values):
        raise ValueError(f"{word}: needs a value, for example {word}:{_example(field)}")
    terms = [_term(field, word, value, now, zone) for value in values]
    if len(terms) == 1:
        return terms
    either = f"{field.column}:{','.join('=' * term.exact + term.value for term in terms)}"
    return [term._replace(either=either) for term in terms]


def _example(field: Field) -> str:
    if field.kind == "choice":
        return next(iter(CHOICES[field.column]))
    return {"time": "today", "number": "0123"}.get(field.kind, "name")


def _term(field: Field, word: str, value: _Value, now: datetime, zone: tzinfo) -> Term:
    """What one value of a field means. Raises ValueError."""
    text, column = value.text, field.column
    if field.kind == "choice":
        return _choice(field, word, text.lower())
    if field.kind == "time":
        found = _period(text.lower(), now, zone)
        if found is None and column == "period":
            found = _clock(text, zone)
        if found is None:
            raise ValueError(f"{word}:{text} is not a time, for example {word}:today")
        return found if column == "period" else found._replace(kind=column)
    if field.kind == "exact":
        return Term("field", text.lower() if column == "provider" else text, column)
    # a name of signs alone is one, but words are looked for otherwise
    if not words(text) and not (value.exact and field.kind == "name"):
        raise ValueError(f"{text} has no letter or digit to look for")
    if field.kind == "number" and (digits := _digits(text)):
        return Term("number", digits, column)
    kind = {"name": "field", "number": "text"}.get(field.kind, field.kind)
    return Term(kind, text if value.exact else fold(text), column, exact=value.exact)


def _choice(field: Field, word: str, value: str) -> Term:
    known = CHOICES[field.column]
    if value not in known:
        there = ", ".join(dict.fromkeys(name or "no" for name in known))
        near = nearest(value, known)
        hint = f"did you mean {near}?" if near else f"there are {there}"
        raise ValueError(f"{word}:{value} is not one of its values; {hint}")
    return Term(field.column, known[value])


def _digits(text: str) -> str:
    """The fragment of a number that a text is; empty for one of other words."""
    if is_vanity(text):
        return fragment(dialled(text))
    return fragment(text) if _DIGITS.fullmatch(text) else ""


def _bare(word: str, now: datetime, zone: tzinfo) -> Term:
    lower = word.lower()
    if lower in DIRECTIONS:
        return Term("direction", DIRECTIONS[lower])
    if lower in OUTCOMES and lower != "?":
        return Term("outcome", OUTCOMES[lower])
    if lower == "flagged":
        return Term("state", "follow-up")
    if lower in MARKS:
        return Term("mark", lower)
    if lower == "rec":
        return Term("recording", "rec")
    if match := _COMPARE.fullmatch(lower):
        clock = int(match[3] or 0) * 3600 + int(match[4] or 0) * 60 + int(match[5] or 0)
        seconds = int(match[6]) * (60 if match[7] == "m" else 1) if match[6] else clock
        return Term("compare", match[2], DURATIONS[match[1]], float(seconds))
    if re.match(rf"{_COMPARED}[<>=]", lower):
        raise ValueError(f"{word} needs seconds, for example dur>120")
    if found := _clock(lower, zone) or _period(lower, now, zone):
        return found
    if _NUMBER.fullmatch(word) and not _DAY.fullmatch(word):
        return Term("number", fragment(word))
    if _DAY.fullmatch(word):
        raise ValueError(f"there is no day {word}; a number is written #{word}")
    if len(word) > 1 and word[0] in "#…":
        raise ValueError(f"{word} is no fragment of a number, for example #4567")
    if word in JOINING:
        raise ValueError(f"{word}: {JOINING[word]}")
    if re.fullmatch(r"\d{1,2}:\d\d[-\u2013]\d{1,2}:\d\d", word):
        raise ValueError(f"{word}: a time of day is written 9:00..12:00")
    if re.search("[<>]", word) and re.search(r"\w", word):
        raise ValueError(f"{word}: only dur, wait and talk compare, for example dur>120")
    return _words("word", word)


def _address(text: str) -> Term:
    """A number that stood behind its scheme."""
    if _DIGITS.fullmatch(text):
        return Term("number", fragment(text))
    return _words("word", text)


def _words(kind: str, text: str) -> Term:
    if not words(text):
        raise ValueError(
            f"{text} has no letter or digit to look for" if text else "there is no word here"
        )
    return Term(kind, fold(text))


def _period(word: str, now: datetime, zone: tzinfo) -> Term | None:
    """A day, or from one time to another; None for other words. Raises ValueError for one that
    is a time on one side only, or that ends before it begins.
    """
    first, dots, last = word.partition("..")
    sides = [side for side in (first, last) if side]
    known = [side for side in sides if _is_time(side, now, zone)]
    if not known or (not dots and word.isdecimal()):  # 20301012 is a number
        if dots and any(map(_DAY.fullmatch, sides)):
            raise ValueError(f"{word} is not a period, for example 2026-11-02..2026-11-05")
        return None
    if len(known) < len(sides):
        raise ValueError(f"{word} is not a period, for example 2026-11-02..2026-11-05")
    if dots:
        begin, end = period(first, last, now, zone)
    else:
        begin, end = parse_when(word, now, zone)
    return Term("period", word, low=(begin or BEGINNING).timestamp(), high=(end or now).timestamp())


def _clock(word: str, zone: tzinfo) -> Term | None:
    """From one time of day to another; None for other words. Raises ValueError for one that is a
    time of day on one side only.
    """
    span = clock_span(word)
    return Term("clock", word, low=span[0], high=span[1], zone=zone) if span else None


def _is_time(text: str, now: datetime, zone: tzinfo) -> bool:
    try:
        parse_when(text, now, zone)
    except ValueError:
        return False
    return True
