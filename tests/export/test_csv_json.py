"""CSV that no spreadsheet takes for formulas, JSON Lines unchanged, files whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from providers.model import Call, Contact, Disposition, Hangup
from tests.archive.calls import call
from tests.slow_params import few
from tui.archive import codec
from tui.console import Sink
from tui.export import csv_json
from widgets.columns import COLUMNS


def bodies(*calls: Call) -> Iterator[csv_json.Body]:
    return (("desk", codec.encode(one)) for one in calls)


def written(*calls: Call, **options: Any) -> list[dict[str, str]]:
    sink = io.StringIO(newline="")
    csv_json.write_csv(sink, bodies(*calls), **options)
    return list(csv.DictReader(io.StringIO(sink.getvalue(), newline="")))


FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1-1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\tplain",
    "\r=1",
    "\rplain",
    "\nplain",
    "  =1",
    "\u00a0=1",
    "\u200b=1",
    "＝1",
    "=1,2;3",
    '="x"',
    "+1 (202) 555-0123",
]


@pytest.mark.parametrize("blank", [" ", "\n"])
def test_a_text_of_blanks_does_not_hold_up_an_export(blank: str) -> None:
    """It would for minutes, which the time limit of tests ends."""
    text = f"1{blank * 200_000}x"
    same = csv_json.csv_cell(text) == text
    assert same


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_as_a_formula(text: str) -> None:
    [row] = written(call(1, disposition=Disposition("x", text)))
    assert row["disposition.note"].startswith("'")
    assert not row["disposition.note"][1:].startswith(("\t", "\r"))


@pytest.mark.parametrize(
    "text", ["a=b", "a-1", "a,b;c", 'say "hi"', "two\nlines", "Zoë", "漢字", "'"]
)
def test_other_text_comes_back_as_it_was(text: str) -> None:
    [row] = written(call(1, disposition=Disposition("x", text)))
    assert row["disposition.note"] == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        (";=cmd", ";'=cmd"),
        ("call back; +49 30 1234567", "call back;' +49 30 1234567"),
        ('x;""=cmd;y', 'x;\'""=cmd;y'),
        ("x\n-1", "x\n'-1"),
        ("a|@b;＝c", "a|'@b;'＝c"),
        ("a, -5 and 3-4; b", "a, -5 and 3-4; b"),
    ],
)
def test_a_piece_that_other_spreadsheets_part_off_is_no_formula_either(
    text: str, cell: str
) -> None:
    [row] = written(call(1, disposition=Disposition("x", text)))
    assert row["disposition.note"] == cell


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONE])
def test_no_spreadsheet_sees_a_formula_however_it_parts_the_cells(
    delimiter: str, quoting: Any
) -> None:
    if (delimiter, quoting) == (",", csv.QUOTE_NONE):
        return  # no reader of comma-separated values ignores quotes
    dice, sink = Random(1), io.StringIO(newline="")
    texts = ("".join(dice.choices(';;|",\n\t =+-@＝a', k=dice.randint(1, 9))) for _ in range(6000))
    calls = [
        call(n, disposition=Disposition(next(texts), next(texts)), summary=next(texts))
        for n in range(2000)
    ]
    fields = ("summary", "disposition.code", "id", "disposition.note")
    csv_json.write_csv(sink, bodies(*calls), fields)
    # as a spreadsheet ends a row: at any sign for it
    lines = io.StringIO(sink.getvalue(), newline=None)
    rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
    cells = [cell.lstrip(' "') for row in rows for cell in row]
    assert len(cells) > 2000
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@＝"))]


CHANGED = [
    *("0123", "00042", "00", "02079460123", "442079460125", "1793610000123456789", "1E5", "1e-5"),
    *(
        "1" * 80,
        "9," * 300,
        "73928e05",
        "0x10",
        "1.50",
        "2.0",
        ".5",
        "5.",
        "1,5",
        "1.234,5",
        "1 000",
        "1\u00a0000",
    ),
    *("1'000", "1’000", "50%", "50 %", "$5", "5 €", "(5)", "5-", "１２３", "١٢٣"),
    *("12/11", "1-2", "3-4", "1/2", "1 1/2", "2026-11-02", "02.11.2026", "2.11", "12/2026"),
    *("2026-11-02 09:30", "2026-11-02T09:00", "9:30", "9:30:15", "12:30 PM", "7 am", "12:"),
    *("MARCH1", "SEPT2", "DEC-1", "Nov 2026", "5 Nov", "Nov 5, 2026", "Fri 5 Nov", "3. März"),
    *("1 mai", "5 ene 2026", "5 мая", "TRUE", "false", "Wahr", " 0123 "),
]
"""What Excel, LibreOffice or Google Sheets writes otherwise, each in some country."""
SAME = [
    *("0", "7", "1619", "12025550143", "(202) 555-0123", "555-0123", "1-800-555-0199"),
    *("020 7946 0123", "1-800-FLOWERS", "2026-11-02T09:00:00Z", "2026-11-02T09:00:00.125Z"),
    *("no-id-0f3a", "Support 2", "Line 1", "3 calls", "#4321", "truth", "Anna", "12a4", ""),
]


@pytest.mark.parametrize("text", CHANGED)
def test_what_a_spreadsheet_would_write_otherwise_is_marked_as_text(text: str) -> None:
    one = call(1, contact=Contact(id=text, name=text, number=text), tags=(text,))
    [row] = written(one)
    for name in ("contact.id", "contact.name", "contact.number", "tags"):
        assert row[name] == f"'{text}"
    [row] = written(one, for_programs=True)
    assert row["contact.id"] == row["contact.number"] == text


@pytest.mark.parametrize("text", SAME)
def test_what_stays_the_same_text_in_a_spreadsheet_is_not_touched(text: str) -> None:
    [row] = written(call(1, contact=Contact(id=text, name=text, number=text)))
    assert row["contact.id"] == row["contact.name"] == row["contact.number"] == text


def test_times_lengths_and_truth_values_of_our_own_stay_what_they_are() -> None:
    [row] = written(call(1, duration_s=95.5, talk_s=80.0, has_recording=True))
    assert (row["duration_s"], row["talk_s"], row["has_recording"]) == ("95.5", "80", "true")
    assert row["started_at"].endswith("Z") and not row["started_at"].startswith("'")
    assert row["id"] == "1"


def test_no_number_survives_that_a_spreadsheet_would_read_otherwise() -> None:
    """A spreadsheet's reading, in Python's terms: digits and signs that make another number."""
    dice = Random(5)
    for _ in range(20_000):
        text = "".join(dice.choices("0123456789.,eE/-:+ ", k=dice.randint(1, 14)))
        cell = str(csv_json.csv_cell(text))
        if cell == text:
            with suppress(ValueError):
                assert format(float(text), "g") == text or str(int(text)) == text


def test_numbers_are_text_by_rule() -> None:
    one = call(1, contact=Contact(number="+12025550123"), to="+1-202", from_="0049301234")
    [row] = written(one)
    assert (row["contact.number"], row["to"], row["from"]) == (
        "'+12025550123",
        "'+1-202",
        "'0049301234",
    )
    [row] = written(one, for_programs=True)
    assert (row["contact.number"], row["to"], row["from"]) == (
        "+12025550123",
        "'+1-202",
        "0049301234",
    )


def test_every_column_of_the_table_has_its_fields() -> None:
    assert csv_json.OF_COLUMN.keys() == COLUMNS.keys()
    known = {name for names in csv_json.OF_COLUMN.values() for name in names}
    assert known <= set(csv_json.ALL_FIELDS)
    assert csv_json.fields_of(("number", "time")) == (
        "contact.number",
        "started_at",
        "account",
        "id",
    )
    assert csv_json.fields_of(("id",)) == ("id", "account")


def test_a_csv_of_everything_lacks_nothing_that_json_has() -> None:
    one = codec.printed(codec.encode(call(1)), "desk")
    wanted = [
        f"{name}.{inner}" if inner else name
        for name, value in one.items()
        for inner in (value if isinstance(value, dict) and name != "vendor_fields" else ("",))
    ]
    assert list(csv_json.ALL_FIELDS) == [name for name in wanted if name != "recording_events"]
    full = call(1, original_call_id="0", derived=("wait_s", "ended_at"), hangup=Hangup(code="16"))
    [row] = written(full)
    assert (row["original_call_id"], row["hangup.code"]) == ("0", "16")
    assert row["derived"] == "wait_s, ended_at"


def test_json_lines_hold_what_json_prints() -> None:
    one = call(1, disposition=Disposition("x", "=1\u202e"))
    sink = io.StringIO()
    csv_json.write_json(sink, bodies(one))
    assert json.loads(sink.getvalue()) == codec.printed(codec.encode(one), "desk")
    assert "\u202e" not in sink.getvalue()


def test_a_file_is_private_marked_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    exported = csv_json.save(bodies(call(1), call(2)), path, "csv", ("time", "contact"))
    assert (exported.calls, exported.accounts) == (2, {"desk"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfstarted_at,contact.name,account,id\r\n")
    with pytest.raises(FileExistsError):
        csv_json.save(bodies(call(3)), path, "json", ())
    assert path.read_bytes() == data
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        csv_json.save(bodies(call(3)), link, "csv", ())
    csv_json.save(bodies(call(3)), link, "json", (), replace=True)
    assert not link.is_symlink() and not (tmp_path / "elsewhere").exists()
    assert json.loads(link.read_text("utf-8"))["id"] == "3"
    assert sorted(os.listdir(tmp_path)) == ["calls.csv", "link.csv"]


def test_one_that_appears_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"

    def late() -> Iterator[csv_json.Body]:
        path.write_text("somebody's")
        yield from bodies(call(1))

    with pytest.raises(FileExistsError):
        csv_json.save(late(), path, "csv", ())
    assert path.read_text() == "somebody's" and os.listdir(tmp_path) == ["calls.csv"]


def test_a_cancelled_or_failed_export_leaves_nothing(tmp_path: Path) -> None:
    many = bodies(*(call(n) for n in range(1000)))
    with pytest.raises(csv_json.Cancelled):
        csv_json.save(many, tmp_path / "a.csv", "csv-all", (), said=lambda calls: calls < 400)
    assert os.listdir(tmp_path) == []

    def broken() -> Iterator[csv_json.Body]:
        yield from bodies(call(1))
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        csv_json.save(broken(), tmp_path / "a.csv", "json", ())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("form", few(1, ["csv", "json"]))
def test_memory_does_not_grow_with_the_calls(tmp_path: Path, form: str) -> None:
    body = codec.encode(call(1))

    def peak(count: int) -> int:
        tracemalloc.start()
        csv_json.save(
            (("desk", body) for _ in range(count)), tmp_path / str(count), form, ("time",)
        )
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(4_000) < peak(500) * 1.5 + 100_000


def test_nothing_is_written_where_the_name_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ours")

    def write(sink: Sink) -> None:
        raise AssertionError("nobody needs it")

    with pytest.raises(FileExistsError, match=r"a\.csv exists"):
        csv_json.to_file(path, write, replace=False, mark=False)
    assert path.read_text() == "ours"


@pytest.mark.parametrize("appears", [False, True])
def test_a_file_system_without_links_writes_over_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, appears: bool
) -> None:
    path = tmp_path / "a.csv"

    def link(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    def write(sink: Sink) -> None:
        sink.write("new")
        if appears:
            path.write_text("theirs")

    monkeypatch.setattr(os, "link", link)
    if appears:
        with pytest.raises(FileExistsError, match=r"a\.csv exists"):
            csv_json.to_file(path, write, replace=False, mark=False)
    else:
        csv_json.to_file(path, write, replace=False, mark=False)
    assert path.read_text() == ("theirs" if appears else "new")
    assert os.listdir(tmp_path) == ["a.csv"]
