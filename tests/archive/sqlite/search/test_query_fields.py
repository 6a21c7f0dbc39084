"""What a call's page shows is found by its field; and what a word that finds nothing may mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from providers.model import Agent, CompanyNumber, Contact, Disposition, Hangup
from tests.archive.calls import START, call
from tui.archive.sqlite import Archive
from tui.archive.triage_events import note, tag
from tui.query.parser import Query, parse
from tui.screens import state

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    calls = [
        call(
            1,
            from_="sip:bob@pbx7.example.com",
            to="+49 30 1234567",
            contact=Contact("4711", "Anna Lee", "sip:bob@pbx7.example.com", "anna@example.com"),
            company_number=CompanyNumber("+49301234567", "Berlin office"),
            hangup=Hangup("agent", "normal clearing", "16", "Zoë Müller"),
            ring_group="Support",
            vendor_fields={"callType": "offnet", "fromRegion": "Hong Kong", "isPredictive": True},
        ),
        call(
            2,
            from_="anonymous",
            contact=Contact("47110", "Anna Lee-Smith", "anonymous"),
            ring_group="Support EU",
            outcome="in_progress",
            summary="wants a refund",
            vendor_fields={"callType": "onnet", "list_ids": ["12", "34"], "mood": "angry"},
        ),
        call(
            3,
            to="1-800-FLOWERS",
            company_number=CompanyNumber("1-800-FLOWERS"),
            ring_group="support",
            outcome="missed",
            agents=(
                Agent("1", "Müller, Anna", "host", "Sales", hangup_reason="declined"),
                Agent("2", "Ben"),
            ),
            vendor_fields={"transferred_to": "+1 (202) 555-0199", "is_in_queue": False},
        ),
        call(
            4,
            from_="0049301234567",
            contact=Contact(None, "Bob", "030 1234567"),
            agents=(Agent("2", "Ben"),),
            ivr="Main menu",
            sla_met=False,
            original_call_id="77",
            disposition=Disposition("Sale", "refund promised"),
        ),
    ]
    with Archive(tmp_path_factory.mktemp("fields") / "archive.db") as archive:
        with archive.transaction():
            archive.set_region("desk", "DE")
            archive.save("desk", calls)
        archive.triage.append([("desk", "1")], [note("ring again"), tag("Support")], "ann")
        yield archive


def found(archive: Archive, text: str, zone: str = "UTC") -> str:
    query = parse(text, NOW, ZoneInfo(zone), archive.has_field)
    assert not query.problems, query.problems
    ids = [row.id for row in archive.rows(archive.keys(query)).window(0, 99)]
    assert archive.count(query) == len(ids)
    return "".join(sorted(ids))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ongoing", "2"),
        ("outcome:missed,ongoing", "23"),
        ("-outcome:missed,ongoing", "14"),
        ("agent:ben,zoe", "1234"),
        ('agent:"müller, anna"', "3"),
        ('agent:="Müller, Anna"', "3"),
        ("agent:=Müller", ""),
        ("agent:=ben", "34"),
        ("group:support", "123"),
        ('group:="Support"', "13"),
        ('group:="Support EU"', "2"),
        ('group:="Support",="Support EU"', "123"),
        ('-group:="Support"', "24"),
        ('contact:="anna lee"', "1"),
        ("name:anna", "12"),
        ("lead:4711", "12"),
        ("lead:=4711", "1"),
        ("email:anna@example.com", "1"),
        ("hangup:normal", "1"),
        ("hangup:16 hangup:zoe", "1"),
        ("ivr:main", "4"),
        ("original:77", "4"),
        ("sla:no", "4"),
        ("department:sales role:host leg:declined", "3"),
        ("note:refund", "4"),
        ('note:"ring again"', "1"),
        ("note:support", ""),
        ("summary:refund", "2"),
        ("refund", "24"),
        ("calltype:offnet", "1"),
        ("callType:on,off", "12"),
        ('fromregion:="hong kong"', "1"),
        ("fromregion:hong -hangup:customer", "1"),
        ("list_ids:34", "2"),
        ("ispredictive:yes", "1"),
        ("ispredictive:true", "1"),
        ("is_in_queue:no", "3"),
        ("mood:angry", "2"),
        ("transferred_to:5550199", "3"),
        ("2025550199", "3"),
        ("anonymous", "2"),
        ("from:anonymous", "2"),
        ("-anonymous", "134"),
        ("sip:bob@pbx7.example.com", "1"),
        ("bob@pbx7.example.com", "1"),
        ("number:bob", "1"),
        ("from:bob", "1"),
        ("to:bob", ""),
        ("line:berlin", "1"),
        ("line:+49301234567", "1"),
        ("line:=Berlin", ""),
        ('line:="Berlin office"', "1"),
        ("1-800-FLOWERS", "3"),
        ("1-800-356-9377", "3"),
        ("3569377", "3"),
        ("flowers", "3"),
        ("to:flowers", "3"),
        ("to:1-800-flowers", "3"),
        ("number:+49301234567", "4"),
        ("from:+49 ", "4"),
        ("from:030", ""),
        ("number:030,sip", "14"),
        ("to:030", ""),
        ("to:301234567", "1"),
        ("from:0301234567", "4"),
        ("ended:2026-11-02", ""),
    ],
)
def test_a_field_finds(archive: Archive, text: str, ids: str) -> None:
    assert found(archive, text) == ids


def test_choosing_a_facet_shows_as_many_calls_as_it_counts(archive: Archive) -> None:
    counts = archive.facets(newest=None).counts
    assert counts["group"] == {"Support": 2, "Support EU": 1}
    for kind, names in counts.items():
        for name, calls in names.items():
            piece = state.piece_of(kind, name)
            assert archive.count(parse(piece, NOW, UTC)) == calls, piece


HOURS = [START.replace(hour=0) + timedelta(hours=hour, minutes=30) for hour in range(48)]


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """A call each hour: two days in winter, two in summer, one without a time."""
    summer = [moment - timedelta(days=120) for moment in HOURS]
    calls = [call(n, started_at=moment) for n, moment in enumerate([*HOURS, *summer])]
    with Archive(tmp_path_factory.mktemp("hours") / "archive.db") as archive:
        with archive.transaction():
            ended = [one.started_at + timedelta(hours=1) for one in calls if one.started_at]
            calls = [
                call(int(c.id), started_at=c.started_at, ended_at=e)
                for c, e in zip(calls, ended, strict=True)
            ]
            archive.save("desk", [*calls, call(999, started_at=None)])
        yield archive


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("9:00..12:00", (9, 0), (12, 0)),
        ("9:00..9:30", (9, 0), (9, 30)),
        ("22:00..6:00", (22, 0), (6, 0)),
        ("..6:29", (0, 0), (6, 29)),
        ("18:31..", (18, 31), (23, 59)),
    ],
)
def test_a_time_of_day_is_that_of_the_users_zone_in_summer_and_winter(
    around: Archive, zone: str, text: str, low: tuple[int, int], high: tuple[int, int]
) -> None:
    def fits(moment: datetime) -> bool:
        there = moment.astimezone(ZoneInfo(zone))
        at = (there.hour, there.minute)
        return low <= at <= high if low <= high else at >= low or at <= high

    rows = around.rows(around.keys()).window(0, 200)
    times = {row.id: datetime.fromtimestamp(row.started_at, UTC) for row in rows if row.started_at}

    def ids(line: str) -> set[str]:
        query = parse(line, NOW, ZoneInfo(zone))
        return {row.id for row in around.rows(around.keys(query)).window(0, 200)}

    want = {id_ for id_, moment in times.items() if fits(moment)}
    assert ids(text) == want != set()
    assert ids(f"-{text}") == {row.id for row in rows} - want
    day = {id_ for id_, at in times.items() if f"{at.astimezone(ZoneInfo(zone)):%m-%d}" == "11-02"}
    assert ids(f"2026-11-02 {text}") == want & day
    assert ids(f"{text} 3:15..3:45") >= want


def test_when_a_call_ended(around: Archive) -> None:
    def count(line: str) -> int:
        return around.count(parse(line, NOW, UTC))

    assert count("started:2026-11-02") == 24
    assert count("ended:2026-11-02") == 23
    assert count("ended:2026-11-03 -started:2026-11-03") == 1
    assert count("-ended:2026-11-02") == 97 - 23


SLIPS = (
    ("mised", "did you mean missed?"),
    ("in answerd", "did you mean answered?"),
    ("refnud", "did you mean refund?"),
    ("yesterdy", "did you mean yesterday?"),
    ("xqzzt", None),
)


@pytest.mark.parametrize(("text", "said"), SLIPS)
def test_a_word_that_finds_nothing_is_asked_about(
    archive: Archive, text: str, said: str | None
) -> None:
    query = parse(text, NOW, UTC)
    assert archive.count(query) == 0
    slips = archive.spelling_suggestions(query)
    assert [slip.message for slip in slips] == ([said] if said else [])
    for slip in slips:
        assert text[slip.start : slip.stop] == text.split()[-1]


def test_names_of_fields_that_no_call_has_are_problems_of(archive: Archive) -> None:
    def problems_of(text: str) -> list[str]:
        query = parse(text, NOW, UTC, archive.has_field)
        return [doubt.message for doubt in archive.unknown_names(query)]

    assert problems_of("calltype:offnet lead:4711 contact:anna from:bob mood:angry") == []
    assert problems_of("calltype:ofnet") == ['no calltype "ofnet"; the nearest is offnet']
    assert problems_of("mood:happy") == ['no mood "happy"; there are: angry']
    assert problems_of("agent:ben,benn") == ['no agent "benn"; the nearest is Ben']
    assert problems_of('group:="Supp"') == ['no group "Supp"; the nearest is Support']
    assert problems_of("ivr:xyz")[0].startswith('no ivr "xyz"')
    assert archive.suggest("calltype", "o") == ["offnet", "onnet"]
    assert archive.suggest("outcome", "an") == ["answered"]
    assert Query() == parse("", NOW, UTC)


def test_an_archive_without_calls_has_no_field_of_a_vendor(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        assert not archive.has_field("mood") and not archive.index.unfilled()
