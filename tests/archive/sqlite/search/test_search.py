from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers.model import Agent, CompanyNumber, Contact, Disposition
from tests.archive.calls import START, call
from tui.archive.records import SortOrder
from tui.archive.sqlite import Archive
from tui.archive.sqlite.search.sort_orders import ORDERS
from tui.query.editing import exactly
from tui.query.parser import parse
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
            archive.set_region("desk", "GB")
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
        assert len(archive.keys(sort=SortOrder(column_id))) == 6


def test_the_fixture_is_what_the_cases_assume() -> None:
    assert datetime(2026, 11, 2, 9, tzinfo=UTC) == START


def test_what_is_found_by_of_very_long_texts(tmp_path: Path) -> None:
    """Names are cut in the table, and the first words of a note find it; none takes long."""
    note = " ".join(f"word{n}" for n in range(5_000))
    odd = call(
        1,
        disposition=Disposition("sold " * 300, note),
        agents=tuple(Agent(str(n), f"Agent {n} " + "x" * 600) for n in range(200)),
        contact=Contact(name="Ann " * 200, number=" " * 20_000 + "+12025550100"),
        vendor_fields={"callType": ["kind " * 2_000, *(f"k{n}" for n in range(2_000))]},
    )
    with Archive(tmp_path / "long.db") as archive:
        with archive.transaction():
            archive.save("desk", [odd, call(2)])
        for text, found in (
            ("word1400", True), ("word4900", False), ("calltype:kind", True), ("agent:150", True),
            ("disposition:sold", True), ("ann", True),
        ):  # fmt: skip
            keys = archive.keys(parse(text, NOW, UTC, archive.has_field))
            assert (archive.key_of("desk", "1") in keys) is found, text
        [row, _] = archive.rows(archive.keys(sort=SortOrder("id", False))).window(0, 2)
        assert row.contact is not None and len(row.contact) == 500 and row.contact.endswith("…")
        kept = archive.call_by_id("desk", "1")
        assert kept is not None and kept == odd, "the details keep all of it"
        names = archive.facets(newest=None).counts["agent"]
        name = next(name for name in names if name.startswith("Agent 42 "))
        exact = exactly("agent", name)
        assert len(archive.keys(parse(exact, NOW, UTC))) == 1
