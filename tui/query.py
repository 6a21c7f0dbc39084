"""One line of text <-> an immutable query. The same line serves the screen, views and scripts.

    anna refund          words: contact, agent, note, tag, summary, disposition, number's name;
                         their beginning will do, accents and case do not matter
    "call back"          these whole words, one after the other
    #4567  …4567  0123   a fragment of a number, however either is written: 0123-45 67
    (030) 123-4567       a whole number finds all its forms: +49 30 1234567, 0049 30 …
    in out internal      direction
    missed abandoned …   outcome
    rec  -rec            with, without a recording
    open-miss            missed, abandoned or voicemail, and not called back since
    called-back          closed by a later answered call with the same number, anywhere
    callback sla-missed  the caller asked to be called back; waited too long
    flagged untriaged    to be followed up (state:follow-up); nobody decided yet
    state:               new, open, follow-up, done, snoozed
    triaged:             when that was decided, e.g. triaged:today
    account: vendor: agent: group: queue: campaign: tag: dispo: status: id:
    dur>120  wait>30  talk<6
    today yesterday tuesday tue 7d 2026-11-02 2026-11-02..2026-11-05 2026-11-02.. ..7d
    -word  -"two words"  not

Terms are joined by *and*; several of one kind that exclude each other (``missed abandoned``,
``in out``) by *or*. What is not understood stands in `Query.problems` and narrows nothing. A name
that no call has is understood, and finds nothing; that is said beside the result (`unknown`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from providers.model import Direction, Outcome
from tui.numbers import fragment
from tui.when import BEGINNING, parse_when, period

DIRECTIONS = {
    "in": Direction.INBOUND,
    "inbound": Direction.INBOUND,
    "out": Direction.OUTBOUND,
    "outbound": Direction.OUTBOUND,
    "internal": Direction.INTERNAL,
}
OUTCOMES = {str(outcome): outcome for outcome in Outcome} | {"in-progress": Outcome.IN_PROGRESS}
FIELDS = {
    "account": "account",
    "vendor": "provider",
    "agent": "agents",
    "group": "ring_group",
    "queue": "queue",
    "campaign": "campaign",
    "tag": "tags",
    "dispo": "disposition",
    "status": "status",
    "id": "id",
    "state": "state",
    "triaged": "triaged_at",
}
"""Words before a colon, and the archive's column that each looks in."""
EXACT = frozenset({"account", "provider", "id"})
STATES = ("new", "open", "follow-up", "done", "snoozed")
MARKS = ("open-miss", "called-back", "callback", "sla-missed", "untriaged")
"""Words of their own; `tui.archive.meaning` says what each means."""
NAMED = 5
"""Names that are told in place of one that there is not."""
NEAR = 0.7
"""How much of a name must be right for it to be a slip, from 0 to 1."""
NEAR_AMONG = 2000
"""So many names are looked through for it."""
DURATIONS = {"dur": "duration_s", "wait": "wait_s", "talk": "talk_s"}

_TOKEN = re.compile(
    r'(?=\S)(?P<minus>-?)(?P<key>[a-z]+:)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]\S*))?', re.I
)
_COMPARE = re.compile(r"(dur|wait|talk)(>=|<=|>|<|=)(\d{1,6})(s|m)?", re.I)
_NUMBER = re.compile(
    r"(?:[#…]|\.{2,3})[\s()./+-]*\d[\d\s()./+-]*|\+\d[\d\s()./+-]*|\(?\d[\d\s()./+-]{2,}"
)
_NUMBER_GOES_ON = re.compile(r"(?:\s+[(+]?\d[\d()./+-]*(?=\s|$))+")
"""Further groups of digits behind the first one of a number."""
_EXTENSION = re.compile(r"\s*(?:x|ext\.?)\s*\d{1,7}(?=\s|$)", re.I)
"""Whom somebody asked for behind a number; its other forms lack that."""
_DAY = re.compile(r"(?:19|20)\d\d-\d\d?-\d\d?(?:t.*)?", re.I)


class Term(NamedTuple):
    """One condition. `kind` says how `value` is meant; see `tui.archive.meaning`."""

    kind: str
    """word, phrase, number, direction, outcome, recording, mark, state, field, compare, period,
    triaged (a period of decisions), or bound: a period that every other one is narrowed by."""
    value: str
    field: str = ""
    """A column, for field and compare."""
    low: float = 0.0
    """For compare: seconds. For period: Unix seconds, first and last."""
    high: float = 0.0
    negated: bool = False


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

    def __and__(self, other: Query) -> Query:
        return Query(
            self.terms + other.terms, self.problems + other.problems, self.names + other.names
        )


EVERYTHING = Query()


def fold(text: str) -> str:
    """Lower case without accents, so that *Muller* finds *Müller*."""
    if text.isascii():  # most text is, and an archive folds a lot of it
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
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


def parse(text: str, now: datetime, zone: tzinfo) -> Query:
    """The query that a line means. Never raises."""
    terms: list[Term] = []
    problems: list[Problem] = []
    names: list[Name] = []
    stop = 0
    for match in _TOKEN.finditer(text):
        if match.start() < stop:
            continue  # the end of a number that is written in groups
        negated = bool(match["minus"])
        quoted = match["quoted"]
        stop = match.end()
        try:
            if match["key"]:
                value = quoted or match["bare"] or ""
                key = match["key"][:-1].lower()
                term = _field(key, value, now, zone)
                if term.kind == "field":
                    names.append(Name(match.start(), stop, key, value, term))
            elif quoted is not None:
                term = _words("phrase", quoted)
            else:
                term = _bare(match["bare"] or "", now, zone)
                if term.kind == "number":
                    term, stop = _whole_number(text, match.start("bare"), stop, now, zone)
        except ValueError as error:
            problems.append(Problem(match.start(), match.end(), str(error)))
            continue
        terms.append(_negate(term) if negated else term)
    return Query(tuple(terms), tuple(problems), tuple(names))


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
    from difflib import get_close_matches  # wanted for slips alone

    forms = {word: name for name in reversed(known) for word in words(name)}
    forms |= {fold(name): name for name in reversed(known)}
    found = get_close_matches(fold(value), forms, n=1, cutoff=NEAR)
    return forms[found[0]] if found else None


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


def _negate(term: Term) -> Term:
    return Term(term.kind, term.value, term.field, term.low, term.high, negated=True)


def _field(key: str, value: str, now: datetime, zone: tzinfo) -> Term:
    if key not in FIELDS:
        raise ValueError(f"{key}: is not a field; known are {', '.join(FIELDS)}")
    if not value:
        raise ValueError(f"{key}: needs a value, for example {key}:name")
    if FIELDS[key] not in EXACT and not words(value):
        raise ValueError(f"{value} has no letter or digit to look for")
    column = FIELDS[key]
    if key == "state":
        if value.lower() not in STATES:
            raise ValueError(f"state:{value} is not a state; there are {', '.join(STATES)}")
        return Term("state", value.lower())
    if key == "triaged":
        if period := _period(value.lower(), now, zone):
            return period._replace(kind="triaged")
        raise ValueError(f"triaged:{value} is not a time, for example triaged:today")
    if column == "provider":
        value = value.lower()
    return Term("field", value if column in EXACT else fold(value), column)


def _bare(word: str, now: datetime, zone: tzinfo) -> Term:
    lower = word.lower()
    if lower in DIRECTIONS:
        return Term("direction", DIRECTIONS[lower])
    if lower in OUTCOMES:
        return Term("outcome", OUTCOMES[lower])
    if lower == "flagged":
        return Term("state", "follow-up")
    if lower in MARKS:
        return Term("mark", lower)
    if lower == "rec":
        return Term("recording", "rec")
    if match := _COMPARE.fullmatch(lower):
        seconds = float(match[3]) * (60 if match[4] == "m" else 1)
        return Term("compare", match[2], DURATIONS[match[1]], seconds)
    if re.match(r"(dur|wait|talk)[<>=]", lower):
        raise ValueError(f"{word} needs seconds, for example dur>120")
    if period := _period(lower, now, zone):
        return period
    if _NUMBER.fullmatch(word) and not _DAY.fullmatch(word):
        return Term("number", fragment(word))
    if _DAY.fullmatch(word):
        raise ValueError(f"there is no day {word}; a number is written #{word}")
    if len(word) > 1 and word[0] in "#…":
        raise ValueError(f"{word} is no fragment of a number, for example #4567")
    if re.search(r"\w.*[<>]|[<>].*\w", word):
        raise ValueError(f"{word}: only dur, wait and talk compare, for example dur>120")
    return _words("word", word)


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


def _is_time(text: str, now: datetime, zone: tzinfo) -> bool:
    try:
        parse_when(text, now, zone)
    except ValueError:
        return False
    return True


_BEGUN = re.compile(r'(?:^|\s)-?(?P<key>[a-z]+):(?P<value>"[^"]*|[^\s"]*)$', re.I)


def begun(text: str) -> tuple[str, str] | None:
    """The word before the colon, and the beginning of a name behind it, that end a line."""
    match = _BEGUN.search(text)
    if match is None or match["key"].lower() not in FIELDS:
        return None
    return match["key"].lower(), match["value"].removeprefix('"')


def completed(text: str, name: str) -> str:
    """A line whose end is `begun`, with the whole name there, ready for the next word."""
    match = _BEGUN.search(text)
    start = match.start("value") if match else len(text)
    plain = name.replace('"', " ")
    shown = f'"{plain}"' if not plain or " " in plain else plain
    return f"{text[:start]}{shown} "


def with_or_without(text: str, piece: str) -> str:
    """A line with one more piece at its end; without it, where it stands there already, in
    whatever case.
    """
    padded = f" {text.strip()} "
    if found := re.search(re.escape(f" {piece} "), padded, re.I):
        return f"{padded[: found.start()]} {padded[found.end() :]}".strip()
    return f"{padded}{piece}".strip()
