"""One line of text <-> an immutable query. The same line serves the screen, views and scripts.

    anna refund          words: contact, agent, note, tag, summary, disposition, number's name
    #4567  …4567  0123   a fragment of a number, however the number is written
    in out internal      direction
    missed abandoned …   outcome
    rec  -rec            with, without a recording
    open-miss            missed, abandoned or voicemail, and not called back since
    called-back          closed by a later answered call with the same number, anywhere
    callback sla-missed  the caller asked to be called back; waited too long
    flagged untriaged    to be followed up; nobody decided yet
    state:               new, open, follow-up, done, snoozed
    triaged:             when that was decided, e.g. triaged:today
    account: vendor: agent: group: campaign: tag: dispo: status: id:
    dur>120  wait>30  talk<6
    today yesterday 7d 2026-11-02 2026-11-02..2026-11-05
    -word  "two words"   not, and together

Terms are joined by *and*; several of one kind that exclude each other (``missed abandoned``,
``in out``) by *or*. What is not understood stands in `Query.problems` and narrows nothing.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, tzinfo
from typing import NamedTuple

from providers.model import Direction, Outcome
from tui.when import parse_when

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
    "queue": "ring_group",
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
MARKS = ("open-miss", "called-back", "callback", "sla-missed", "flagged", "untriaged")
"""Words of their own; `tui.archive.search` says what each means."""
DURATIONS = {"dur": "duration_s", "wait": "wait_s", "talk": "talk_s"}

_TOKEN = re.compile(
    r'(?=\S)(?P<minus>-?)(?P<key>[a-z]+:)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]\S*))?', re.I
)
_COMPARE = re.compile(r"(dur|wait|talk)(>=|<=|>|<|=)(\d{1,6})(s|m)?", re.I)
_NUMBER = re.compile(r"[#…]\s*([\d\s()./+-]*\d[\d\s()./+-]*)|(\+?\d[\d()./-]{2,})")


class Term(NamedTuple):
    """One condition. `kind` says how `value` is meant; see `tui.archive.search`."""

    kind: str
    """word, number, direction, outcome, recording, mark, state, field, compare, period, triaged
    (a period of decisions), or bound: a period that every other one is narrowed by."""
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


class Query(NamedTuple):
    """What to show. Two queries with the same terms are the same."""

    terms: tuple[Term, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __and__(self, other: Query) -> Query:
        return Query(self.terms + other.terms, self.problems + other.problems)


EVERYTHING = Query()


def fold(text: str) -> str:
    """Lower case without accents, so that *Muller* finds *Müller*."""
    if text.isascii():  # most text is, and an archive folds a lot of it
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def parse(text: str, now: datetime, zone: tzinfo) -> Query:
    """The query that a line means. Never raises."""
    terms: list[Term] = []
    problems: list[Problem] = []
    for match in _TOKEN.finditer(text):
        negated = bool(match["minus"])
        quoted = match["quoted"]
        try:
            if match["key"]:
                value = quoted or match["bare"] or ""
                term = _field(match["key"][:-1].lower(), value, now, zone)
            elif quoted is not None:
                term = Term("word", fold(quoted))
            else:
                term = _bare(match["bare"] or "", now, zone)
        except ValueError as error:
            problems.append(Problem(match.start(), match.end(), str(error)))
            continue
        if term.value or term.kind == "period":
            terms.append(_negate(term) if negated else term)
    return Query(tuple(terms), tuple(problems))


def _negate(term: Term) -> Term:
    return Term(term.kind, term.value, term.field, term.low, term.high, negated=True)


def _field(key: str, value: str, now: datetime, zone: tzinfo) -> Term:
    if key not in FIELDS:
        raise ValueError(f"{key}: is not a field; known are {', '.join(FIELDS)}")
    if not value:
        raise ValueError(f"{key}: needs a value, for example {key}:name")
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
    if match := _NUMBER.fullmatch(word):
        return Term("number", digits(match[0]))
    return Term("word", fold(word))


def _period(word: str, now: datetime, zone: tzinfo) -> Term | None:
    first, dots, last = word.partition("..")
    try:
        begin, end = parse_when(first, now, zone)
        if dots:
            end = parse_when(last, now, zone)[1] if last else now
    except ValueError:
        if dots and re.match(r"\d{4}-", word):
            raise ValueError(
                f"{word} is not a period, for example 2026-11-02..2026-11-05"
            ) from None
        return None
    return Term("period", word, low=begin.timestamp(), high=end.timestamp())
