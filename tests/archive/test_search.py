from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.model import Agent, CompanyNumber, Contact, Disposition
from tests.archive.calls import START, call
from tui.archive import Archive
from tui.archive.places import ORDERS
from tui.query import parse
from widgets.columns import COLUMNS

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive(tmp_path_factory.mktemp("search") / "archive.db")
    calls = [
        call(1, outcome="missed", agents=(), wait_s=40.0, tags=("VIP", "refund")),
        call(2, direction="outbound", has_recording=True, summary="Wants 100% back_up"),
        call(3, contact=Contact(name="José Núñez", number="+44 (20) 7946-0123"), ring_group="Desk"),
        call(
            4, outcome="abandoned", has_recording=False, company_number=CompanyNumber("0800 1234")
        ),
        call(5, disposition=Disposition("Call back", None), agents=(Agent(id="9"),), campaign="X"),
    ]
    with archive.transaction():
        archive.save("EU-1", calls)
        archive.save("two", [call(6, provider="liner", direction=None, started_at=None)])
    return archive


FORMS = (
    *("+44 20 7946 0123", "+44 (0)20 7946 0123", "0044 20 7946 0123", "442079460123"),
    *("020 7946 0123", "(020) 7946-0123", "#02079460123", "+442079460123 ext. 7"),
)
"""How people write one number."""


@pytest.mark.parametrize("typed", FORMS)
@pytest.mark.parametrize("stored", FORMS)
def test_any_form_of_a_number_finds_any_other(tmp_path: Path, stored: str, typed: str) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        with archive.transaction():
            archive.closing.set_region("desk", "GB")
            calls = [call(1, contact=Contact(number=stored)), call(2)]
            archive.save("desk", calls)
        for text, found in ((typed, ["1"]), (f"-{typed}", ["2"]), (f"in {typed}", ["1"])):
            keys = archive.keys(parse(text, NOW, UTC))
            assert [row.id for row in archive.rows(keys).window(0, 10)] == found, text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "123456"),
        ("jose", "3"),
        ("NUNEZ", "3"),
        ("muller", "2346"),
        ("-muller", "15"),
        ("100%", "2"),
        ("back_up", "2"),
        ("backXup", ""),
        ('"note of 2"', "2"),
        ("refund vip", "1"),
        ("#0123", "34"),
        ("2079460", "3"),
        ("08001234", "4"),
        ("in", "1345"),
        ("-in", "26"),
        ("in out", "12345"),
        ("missed abandoned", "14"),
        ("-missed -abandoned", "2356"),
        ("rec", "2"),
        ("-rec", "13456"),
        ("agent:müll", "2346"),
        ("agent:9", "5"),
        ("group:desk", "3"),
        ("tag:vip", "1"),
        ('dispo:"call back"', "5"),
        ("campaign:x", "5"),
        ("account:eu-1 in", "1345"),
        ("account:eu-1 account:two", "123456"),
        ("vendor:Liner", "6"),
        ("id:4", "4"),
        ("dur>3", "456"),
        ("dur<=2", "12"),
        ("wait>30", "1"),
        ("-wait>30", "23456"),
        ("2026-11-02", "12345"),
        ("2026-11-03", ""),
        ("2026-11-02T09:02..2026-11-02T09:04", "234"),
        ("-2026-11-02", "6"),
    ],
)
def test_a_query_finds(archive: Archive, text: str, found: str) -> None:
    query = parse(text, NOW, UTC)
    assert query.problems == ()
    rows = archive.rows(archive.keys(query))
    assert "".join(sorted(row.id for row in rows.window(0, 10))) == found
    assert archive.count(query) == len(found)


def test_every_column_that_says_so_can_be_sorted_by(archive: Archive) -> None:
    for column in COLUMNS.values():
        if column.sort:
            assert column.id in ORDERS
    for column_id in ORDERS:
        assert len(archive.keys(column=column_id)) == 6


def test_the_fixture_is_what_the_cases_assume() -> None:
    assert datetime(2026, 11, 2, 9, tzinfo=UTC) == START
