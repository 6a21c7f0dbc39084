from datetime import UTC, datetime

import pytest

from tui.query import Query, Term, fold, parse, unknown
from tui.query_text import begun, completed, with_or_without

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def terms(text: str) -> list[Term]:
    query = parse(text, NOW, UTC)
    assert query.problems == ()
    return list(query.terms)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Müller", Term("word", "muller")),
        ('"two words"', Term("phrase", "two words")),
        ("-refund", Term("word", "refund", negated=True)),
        ("#4567", Term("number", "4567")),
        ("…45-67", Term("number", "4567")),
        ("+1(202)555", Term("number", "1202555")),
        ("4567", Term("number", "4567")),
        ("45", Term("word", "45")),
        ("...4567", Term("number", "4567")),
        ("٤٥٦٧", Term("number", "4567")),
        ("20301012", Term("number", "20301012")),
        ("(030) 123-4567", Term("number", "301234567")),
        ("0049 30 1234567", Term("number", "49301234567")),
        ("+49 (0)30 1234567", Term("number", "49301234567")),
        ("-+1 212 555 0123 ext. 5", Term("number", "12125550123", negated=True)),
        ("in", Term("direction", "inbound")),
        ("Missed", Term("outcome", "missed")),
        ("in_progress", Term("outcome", "in_progress")),
        ("rec", Term("recording", "rec")),
        ("-rec", Term("recording", "rec", negated=True)),
        ("agent:Anna", Term("field", "anna", "agents")),
        ('dispo:"Call Back"', Term("field", "call back", "disposition")),
        ("account:EU-1", Term("field", "EU-1", "account")),
        ("dur>120", Term("compare", ">", "duration_s", 120.0)),
        ("talk<=2m", Term("compare", "<=", "talk_s", 120.0)),
    ],
)
def test_each_kind_of_term(text: str, term: Term) -> None:
    assert terms(text) == [term]


def test_periods() -> None:
    [day] = terms("2026-11-02")
    assert (day.low, day.high) == (1793577600.0, 1793663999.999)
    [span] = terms("2026-11-01..2026-11-02")
    assert (span.low, span.high) == (1793491200.0, 1793663999.999)
    [open_end] = terms("2026-11-01..")
    assert open_end.high == NOW.timestamp()
    assert terms("7d")[0].low == NOW.timestamp() - 7 * 86400
    [until] = terms("..2026-11-01")
    assert (until.low, until.high) == (946684800.0, 1793577599.999)
    [weeks] = terms("14d..7d")
    assert weeks.high == terms("7d")[0].low


@pytest.mark.parametrize(
    ("text", "start", "stop", "hint"),
    [
        ("in nonsense:x", 3, 13, "known are account"),
        ("agent:", 0, 6, "agent:name"),
        ("in dur>soon", 3, 11, "dur>120"),
        ("2026-11-02..x", 0, 13, "2026-11-02..2026-11-05"),
        ("in yesterday..x", 3, 15, "2026-11-02..2026-11-05"),
        ("x..today", 0, 8, "2026-11-02..2026-11-05"),
        ("2026-11-31..2026-12-45", 0, 22, "2026-11-02..2026-11-05"),
        ("2026-11-31", 0, 10, "no day"),
        ("2026-11-05..2026-11-02", 0, 22, "before it begins"),
        ("anna - missed", 5, 6, "no word"),
        ('anna ""', 5, 7, "no word"),
        ("#abc", 0, 4, "#4567"),
        ("len>60", 0, 6, "dur>120"),
    ],
)
def test_what_is_not_understood_is_marked_and_explained(
    text: str, start: int, stop: int, hint: str
) -> None:
    query = parse(text, NOW, UTC)
    [problem] = query.problems
    assert (problem.start, problem.stop) == (start, stop)
    assert hint in problem.message


NAMES = ("liner", "nectar", "cinnox")


@pytest.mark.parametrize(
    ("text", "known", "said"),
    [
        ("in vendor:nosuch", NAMES, 'no vendor "nosuch"; there are: liner, nectar, cinnox'),
        ("in -vendor:Linner", NAMES, 'no vendor "Linner"; the nearest is liner'),
        ('agent:"anja L"', ("Bo", "Anna Lee"), 'no agent "anja L"; the nearest is Anna Lee'),
        ("agent:smiht", ("Bo", "Ann Smith"), 'no agent "smiht"; the nearest is Ann Smith'),
        ("tag:x", tuple("abcdefg"), 'no tag "x"; there are: a, b, c, d, e, ...'),
        ("queue:x", (), 'no queue "x"; no call has one'),
        ("id:77", (), 'no id "77" here'),
    ],
)
def test_a_name_that_there_is_not_is_marked_with_what_there_is(
    text: str, known: tuple[str, ...], said: str
) -> None:
    query = parse(text, NOW, UTC)
    assert not query.problems and query.terms[-1].kind == "field"
    [name] = query.names
    problem = unknown(name, known)
    assert problem.message == said
    assert text[problem.start : problem.stop] == text.removeprefix("in ")


def test_several_terms_and_joining() -> None:
    query = parse("in missed anna", NOW, UTC) & parse("rec", NOW, UTC)
    assert [term.kind for term in query.terms] == ["direction", "outcome", "word", "recording"]
    assert parse("", NOW, UTC) == parse(" ", NOW, UTC) == Query()


def test_fold() -> None:
    assert fold("ÅngSTRÖM ſ") == "angstrom s"


@pytest.mark.parametrize(
    ("text", "found", "whole"),
    [
        ("in agent:an", ("agent", "an"), 'in agent:"Anna Lee" '),
        ('-agent:"anna l', ("agent", "anna l"), '-agent:"Anna Lee" '),
        ("Tag:", ("tag", ""), 'Tag:"Anna Lee" '),
    ],
)
def test_a_name_that_was_begun_is_completed(text: str, found: object, whole: str) -> None:
    assert begun(text) == found
    assert completed(text, "Anna Lee") == whole
    assert not parse(whole, NOW, UTC).problems


def test_nothing_else_is_begun() -> None:
    for text in ("", "anna", "agnt:a", "agent:a in", 'agent:"a" ', "dur>1"):
        assert begun(text) is None
    assert completed("tag:s", "spam") == "tag:spam "


def test_a_piece_is_added_once_and_taken_away_again() -> None:
    assert with_or_without("", "missed") == "missed"
    assert with_or_without("in ", 'agent:"Anna Lee"') == 'in agent:"Anna Lee"'
    assert with_or_without('agent:"Anna Lee" in', 'agent:"Anna Lee"') == "in"
    assert with_or_without("in tag:vip rec", "tag:VIP") == "in rec"
