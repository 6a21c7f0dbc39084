"""One line of text as a query: its terms, what is wrong with it, and how it is completed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from providers.call_fields import plain
from tests.archive.calls import call
from tui.query.editing import begun, completed, with_or_without
from tui.query.fields import FIELDS, TABLE
from tui.query.parser import CHOICES, Query, Term, fold, parse, unknown
from widgets.call_document import Extra, Page, pairs
from widgets.columns import COLUMNS, Clock

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
        ("length>=1:02:03", Term("compare", ">=", "duration_s", 3723.0)),
        ("ongoing", Term("outcome", "in_progress")),
        ("outcome:Ongoing", Term("outcome", "in_progress")),
        ("dir:out", Term("direction", "outbound")),
        ("direction:int", Term("direction", "internal")),
        ("state:follow", Term("state", "follow-up")),
        ("rec:yes", Term("recording", "rec")),
        ("contact:Anna", Term("text", "anna", "contact")),
        ("name:=Anna", Term("text", "Anna", "contact", exact=True)),
        ('group:="Support"', Term("field", "Support", "ring_group", exact=True)),
        ('-agent:="Müller, Anna"', Term("field", "Müller, Anna", "agents", 0, 0, True, True)),
        ('tag:="***"', Term("field", "***", "tags", exact=True)),
        ("lead:77", Term("kept", "77", "lead")),
        ("callType:offnet", Term("kept", "offnet", "calltype")),
        ("is_in_queue:yes", Term("kept", "yes", "isinqueue")),
        ("from:+49 ", Term("number", "49", "from")),
        ("to:anonymous", Term("text", "anonymous", "to")),
        ("number:1-800-FLOWERS", Term("number", "18003569377", "number")),
        ("transferred_to:0123", Term("number", "0123", "transferred_to")),
        ("sip:bob@example.com", Term("word", "bob@example.com")),
        ("sips:bob", Term("word", "bob")),
        ("tel:+4930123", Term("number", "4930123")),
        ("9:00..12:00", Term("clock", "9:00..12:00", "", 32400, 43259, zone=UTC)),
        ("22:00..6:00:30", Term("clock", "22:00..6:00:30", "", 79200, 21630, zone=UTC)),
        ("..24:00", Term("clock", "..24:00", "", 0, 86399, zone=UTC)),
        ("started:9:00..", Term("clock", "9:00..", "", 32400, 86399, zone=UTC)),
    ],
)
def test_each_kind_of_term(text: str, term: Term) -> None:
    assert terms(text) == [term]


@pytest.mark.parametrize(
    ("text", "values", "places"),
    [
        ("agent:anna,ben", ["anna", "ben"], ["agent:anna", "ben"]),
        ('in agent:"Müller, Anna",ben', ["muller, anna", "ben"], ['agent:"Müller, Anna"', "ben"]),
        ('group:="Support","EU"', ["=Support", "=EU"], ['group:="Support"', '"EU"']),
        ('group:="Support",eu', ["=Support", "=eu"], ['group:="Support"', "eu"]),
        ('group:sales,="EU"', ["sales", "=EU"], ["group:sales", '="EU"']),
        ("list_ids:1,2,", ["1", "2"], ["list_ids:1", "2"]),
    ],
)
def test_values_with_commas_between_are_meant_by_or(
    text: str, values: list[str], places: list[str]
) -> None:
    query = parse(text, NOW, UTC)
    found = [term for term in query.terms if term.either]
    assert ["=" * term.exact + term.value for term in found] == values
    assert len({term.either for term in found}) == 1
    assert [text[name.start : name.stop] for name in query.names] == places
    without = terms(text.replace("agent", "-agent").replace("group", "-group"))
    assert not any(term.either and term.negated for term in without)


def test_letters_of_a_number_are_its_digits_or_themselves() -> None:
    number, word = terms("1-800-FLOWERS")
    assert (number.kind, number.value, word.kind) == ("number", "18003569377", "word")
    assert number.either == word.either != ""
    for other in ("4th-floor", "24-hours", "x-800-flowers", "800", "3-way-call"):
        assert all(not term.either for term in terms(other)), other


def test_a_field_of_one_vendor_is_known_by_its_calls() -> None:
    [problem] = parse("tone:angry", NOW, UTC).problems
    assert "is not a field" in problem.message
    query = parse("Tone:angry", NOW, UTC, lambda word: word == "tone")
    assert query.terms == (Term("kept", "angry", "tone"),) and not query.problems


def test_every_field_is_understood_and_no_two_have_a_word_in_common() -> None:
    spoken = [plain(word) for field in TABLE for word in (field.name, *field.also)]
    assert len(spoken) == len(set(spoken)) == len(FIELDS)
    for field in TABLE:
        value = {"time": "today", **{c: next(iter(v)) for c, v in CHOICES.items()}}
        said = value.get(field.kind) or value.get(field.column) or "x"
        for word in (field.name, *field.also):
            assert len(terms(f"{word}:{said}")) == 1


def test_every_column_and_label_of_a_page_can_be_asked_for() -> None:
    """By its own name, or by a word of its own for what is none (``called-back``, ``dur>``)."""
    otherwise = {
        *("Length", "Wait", "Talk"),  # dur>120 wait>30 talk<6
        "Called back",  # called-back
        "Dir",  # short for Direction
        "Group",  # short for Ring group
    }
    page = Page.of(call(1), "desk", Clock(NOW, UTC), Extra(), 80)
    named = {label for label, _ in pairs(page)} | {one.title for one in COLUMNS.values()}
    titles = {field.title for field in TABLE}
    words = {plain(word) for word in FIELDS}
    lost = {name for name in named - otherwise if name not in titles and plain(name) not in words}
    assert not lost


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
        ("agnet:anna", 0, 10, "did you mean agent:?"),
        ("in calltyp:x", 3, 12, "did you mean calltype:?"),
        ("agent:=", 0, 7, "agent:name"),
        ("dir:", 0, 4, "dir:in"),
        ("outcome:mised", 0, 13, "did you mean missed?"),
        ("dir:sideways", 0, 12, "there are in, inbound"),
        ("state:lost", 0, 10, "there are new, open"),
        ("9:00..12", 0, 8, "9:00..12:00"),
        ("9:00..25:00", 0, 11, "9:00..12:00"),
        ("noon..12:00", 0, 11, "9:00..12:00"),
        ("ended:soon", 0, 10, "ended:today"),
        ("9:00-12:00", 0, 10, "9:00..12:00"),
        ("dur:>120", 0, 8, "dur>120"),
        ("talk:5", 0, 6, "talk>120"),
        ("missed OR busy", 7, 9, "outcome:missed,busy"),
        ("NOT missed", 0, 3, "-missed"),
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
        ("in agent:ben,an", ("agent", "an"), 'in agent:ben,"Anna Lee" '),
        ('agent:="Ben, Z","an', ("agent", "an"), 'agent:="Ben, Z","Anna Lee" '),
        ("group:=an", ("group", "an"), 'group:="Anna Lee" '),
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
