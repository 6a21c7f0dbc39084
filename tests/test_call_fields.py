"""The one table of a call's fields, and that what is made from it fits together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from providers.call_fields import CALL_FIELDS, COLUMN_FIELDS, plain
from providers.model import Agent, CallRow, CompanyNumber, Contact, Disposition
from tests.archive.calls import call
from tui.archive import codec
from tui.archive.sqlite import Archive
from tui.archive.sqlite.call_columns import to_row
from tui.archive.sqlite.migrations import expected
from tui.archive.sqlite.search.facet_counts import COUNTED
from tui.archive.sqlite.search.search_index import FACETS, INDEXED, LENGTHS, LISTS, SINGLE
from tui.archive.sqlite.search.sort_orders import ORDERS
from tui.cli.calls import TABLE_COLUMNS
from tui.export.csv_json import OF_COLUMN
from tui.query.fields import COMMON, DURATIONS, FIELDS, IMPERSONAL, TABLE, Field
from tui.query.parser import CHOICES, EXACT, parse
from tui.screens.state import FACET_TITLES
from widgets.columns import (
    COLUMNS,
    DEFAULT_COLUMNS,
    DESCENDING_FIRST,
    OWN_FORMS,
    SHORT_FORMS,
    Clock,
)
from widgets.masking import masked_row

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
UNMASKED = {
    *("account", "id", "provider", "outcome", "state", "closed_by", "heard", "trouble"),
}
"""Texts of a row that tell calls apart and no person."""


def repeated(values: Iterable[object]) -> list[object]:
    known = list(values)
    return [value for value in known if known.count(value) > 1]


def test_names_and_places_are_each_fields_own() -> None:
    assert repeated(field.id for field in CALL_FIELDS) == []
    assert repeated(field.column for field in CALL_FIELDS if field.column) == []
    shown = [field.shown for field in CALL_FIELDS if field.shown]
    assert sorted(one.order for one in shown) == list(range(len(shown)))
    assert sorted(one.priority for one in shown) == list(range(len(shown)))
    counted = [field.counted for field in CALL_FIELDS if field.counted]
    assert sorted(one.order for one in counted) == list(range(len(counted)))


def test_the_columns_of_the_table_have_all_that_they_need() -> None:
    assert [*COLUMNS] == [*OF_COLUMN] == [field.id for field in COLUMN_FIELDS]
    assert {*DEFAULT_COLUMNS, *TABLE_COLUMNS, *SHORT_FORMS, *DESCENDING_FIRST} <= {*COLUMNS}
    own = {field.id for field in COLUMN_FIELDS if field.shown and field.shown.form == "own"}
    assert own == {*OWN_FORMS}
    for field in COLUMN_FIELDS:
        assert field.column in CallRow._fields, field.id
        assert not COLUMNS[field.id].sort or field.id in ORDERS
        assert {*field.export} <= {*codec.names()}


def test_the_archive_has_the_columns_that_are_named() -> None:
    columns = {*expected()["call"]}
    assert {field.column for field in CALL_FIELDS if field.column} <= columns
    assert {*FACETS, *LENGTHS, *COUNTED.values(), *EXACT} <= columns
    assert {*FACETS, *LENGTHS} <= {*INDEXED} and {*LISTS, *SINGLE} <= {*FACETS}
    written = to_row("desk", call(1))
    assert {field.column for field in CALL_FIELDS if field.column and field.value} <= {*written}


def test_a_row_of_the_table_has_what_the_archive_keeps(tmp_path: Path) -> None:
    whole = call(
        1,
        direction="inbound",
        status="done",
        contact=Contact(name="Ann", number="+49301"),
        company_number=CompanyNumber(name="Rome"),
        agents=(Agent("7", "Ben"),),
        ring_group="Support",
        queue="Queue",
        campaign="Spring",
        disposition=Disposition("sold", "a note"),
        tags=("vip",),
        duration_s=3.5,
        wait_s=1.5,
        talk_s=2.0,
        has_recording=True,
    )
    written = to_row("desk", whole)
    with Archive(tmp_path / "calls.db") as archive:
        with archive.transaction():
            archive.save("desk", [whole])
        [row] = archive.rows(archive.keys()).window(0, 1)
    for field in COLUMN_FIELDS:
        if field.value:
            assert written[field.column] is not None, field.id
            assert getattr(row, field.column) == written[field.column], field.id
            assert COLUMNS[field.id].value(row, Clock(NOW, UTC)), field.id


def test_what_can_be_asked_for_is_kept_somewhere() -> None:
    for field in CALL_FIELDS:
        if field.asked and field.asked.kind == "kept" and not field.vendors_own:
            assert field.value or field.leg, field.id
        if field.asked and field.asked.kind == "name":
            assert field.column in FACETS, field.id
        if field.asked and field.asked.kind == "choice":
            assert (field.asked.column or field.column) in CHOICES
    assert {*COMMON} <= {field.name for field in TABLE}
    assert {*DURATIONS.values()} == {*LENGTHS}
    assert {*COUNTED} == {*FACET_TITLES} <= {field.name for field in TABLE}
    assert {field.column for field in TABLE} >= IMPERSONAL


def test_every_text_of_a_row_is_masked_or_said_to_be_harmless() -> None:
    texts = {
        name: "Mr Q 0301234567"
        for name, kind in get_type_hints(CallRow).items()
        if str in (get_args(kind) or (kind,)) and name not in UNMASKED
    }
    blank = dict.fromkeys(CallRow._fields)
    masked = masked_row(CallRow(**{**blank, **texts}))  # type: ignore[arg-type]
    assert [name for name in texts if "1234567" in getattr(masked, name)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("desk_line:rome", "23"),
        ("desk_line:'bureau", "3"),
        ('desk_line:="rome office"', "2"),
        ("-desk_line:rome", "1"),
        ("desk_line:rome #100", ""),
        ("desk_line:paris", ""),
    ],
)
def test_a_new_word_of_the_kind_detail_finds_calls_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: str
) -> None:
    """Nothing is indexed anew for it, and what no call has is said by no more than no row."""
    names = {1: None, 2: "Rome Office", 3: "Rome Bureau"}
    calls = [call(n, company_number=CompanyNumber(name=name)) for n, name in names.items()]
    with Archive(tmp_path / "calls.db") as archive:
        with archive.transaction():
            archive.save("desk", calls)
        new = Field("desk_line", "detail", "company_number.name", "The line's name")
        monkeypatch.setitem(FIELDS, plain("desk_line"), new)
        query = parse(text.replace("'", ""), NOW, UTC)
        assert query.problems == () and query.names == ()
        rows = archive.rows(archive.keys(query)).window(0, 10)
        assert "".join(sorted(row.id for row in rows)) == found
        assert archive.count(query) == len(found)
