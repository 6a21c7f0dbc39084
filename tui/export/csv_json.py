"""Calls as CSV or JSON Lines, one after the other: a million of them in the memory of one.

CSV is RFC 4180 in UTF-8, and a spreadsheet keeps each text in it as that text, whether Excel,
LibreOffice or Google Sheets and in whatever country. What it would take for something else gets
an apostrophe in front:

* formulas: text that begins with ``= + - @`` (also behind blanks or quotes, or in full width), a
  tab or a return. So does each such sign right behind a ``;``, a ``|`` or the end of a line
  within the text: where a spreadsheet parts cells by these instead of the comma, as Excel does
  in much of Europe, quotes hold no cell together, and the sign would begin one;
* numbers that would not be written as before (``02079460123``, more than 11 digits, ``1E5``,
  ``1,5``), dates and times (``12/11``, ``MARCH1``, ``9:30``), ``TRUE``.

The apostrophe is the spreadsheets' own sign for text. The form ``="0123"`` would show less, but
is itself a formula. With `for_programs` only formulas have the apostrophe, and a phone number in
strict E.164 form, such as +12025550123, has none. A file begins with a byte order mark, without
which spreadsheets misread names; standard output has none. JSON Lines hold everything unchanged.
"""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from providers.call_fields import COLUMN_FIELDS
from tui.archive import codec
from tui.console import Sink

Body = tuple[str, dict[str, Any]]
"""Account, and the call as the archive keeps it (`CallReader.export`)."""
Said = Callable[[int], bool]
"""Told how many calls are written, once for every `STEP`; False ends the export."""
STEP = 200
ALL_FIELDS = tuple(name for name in codec.names() if name != "recording_events")
"""The columns of a CSV of everything, by their names in ``--json``."""
OF_COLUMN = {field.id: field.export for field in COLUMN_FIELDS}
"""What of a call each of the table's columns shows."""
_LONGEST = 60
"""More characters than these are no date or time; a number they may be."""
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.A)
_HARMLESS = re.compile("[A-Za-z0-9][ -:<-{}~]*")
"""Most cells: they need no look."""
_MONTH = (
    "(?:jan|ene|gen|feb|f[eé]v|mar|mär|mrt|a[pvb]r|ma[iygj]|mei|jun|jui|giu|jul|lug|aug|ao[uû]|ago"
    "|sep|set|o[ckt]t|out|nov|de[cz]|déc|dic|янв|фев|мар|апр|ма[йя]|ию[нл]|авг|сен|окт|ноя|дек)"
    r"[^\W\d_]{0,7}\.?"
)
_NUMBER = (
    r"[($€£¥+\-\s]*(?:\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d+)?|[.,]?\d[\d.,]*)"
    r"(?:\s*e\s*[+-]?\d+[.,]?)?\s*[%€$£¥)+-]*"
)
_TRUTHS = {
    *("true", "false", "wahr", "falsch", "vrai", "faux", "vero", "falso", "verdadero"),
    *("verdadeiro", "waar", "onwaar", "prawda", "fałsz", "истина", "ложь"),
}
_DIGIT = re.compile(r"\d")
_BLANKS = re.compile(r"\s+")
_PART = r"(?:\d{1,2}|\d{4})"
_DATE = (
    rf"(?:{_PART}\s*[-/.]\s*{_PART}(?:\s*[-/.]\s*{_PART})?"
    rf"|(?:[^\W\d_]{{2,10}}[., ]+)?(?:{_MONTH}[-/., ]*\d{{1,4}}(?:[-/., ]+\d{{1,4}})?"
    rf"|\d{{1,4}}[-/., ]*{_MONTH}(?:[-/., ]*\d{{1,4}})?))"
)
_TIME = r"[.,]?\d[\d\s+-]*(?:(?::\d*){1,2}(?:[.,]\d+)?(?:\s*[ap]m?)?|\s*[ap]m?)"
_NO_TEXT = re.compile(
    rf"\s*(?:{_NUMBER}|\d+\s+\d+/\d+|{_DATE}(?:(?:\s+|t){_TIME})?|{_TIME}"
    rf"|{'|'.join(_TRUTHS)}|0x[0-9a-f]+)\s*",
    re.I,
)
"""What some spreadsheet takes for a number, a date, a time or a truth value."""
_SAME_NUMBER = re.compile("0|[1-9][0-9]{0,10}")
"""A number that spreadsheets write as it was."""
_STEERED = re.compile(r'[\s"]*[=+\-@＝＋－＠]')
_PARTED_OFF = re.compile(r'([;|\n][\s"]*)([=+\-@＝＋－＠]?)')


class Cancelled(Exception):
    """The export was stopped; nothing of it is left."""


@dataclass(slots=True)
class Exported:
    """What went out so far."""

    calls: int = 0
    accounts: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    """The calls that cannot be read and are not in it."""

    def count(self, bodies: Iterable[Body], said: Said = lambda _: True) -> Iterator[Body]:
        """The same calls, counted as each has been written. Raises `Cancelled`."""
        for account, body in bodies:
            yield account, body
            self.calls += 1
            self.accounts.add(account)
            if self.calls % STEP == 0 and not said(self.calls):
                raise Cancelled


def fields_of(columns: Sequence[str]) -> tuple[str, ...]:
    """The CSV's columns for those of the table, in their order, with what names the call."""
    shown = [name for column in columns for name in OF_COLUMN.get(column, ())]
    return tuple(dict.fromkeys((*shown, "account", "id")))


def write_csv(
    sink: Sink,
    bodies: Iterable[Body],
    fields: Sequence[str] = ALL_FIELDS,
    *,
    for_programs: bool = False,
) -> None:
    """CSV with a header. Raises what `sink` and `bodies` raise."""
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(fields)
    for account, body in bodies:
        call = codec.printed(body, account)
        cells = (_value(call, name) for name in fields)
        writer.writerow([csv_cell(cell, for_programs) for cell in cells])


def write_json(
    sink: Sink,
    bodies: Iterable[Body],
    pick: Callable[[dict[str, Any]], dict[str, Any]] = lambda call: call,
) -> None:
    """JSON Lines, as ``--json`` prints them, of each call what `pick` leaves. Raises what `sink`
    and `bodies` raise.
    """
    for account, body in bodies:
        sink.write(codec.dumps(pick(codec.printed(body, account))) + "\n")


def _value(call: dict[str, Any], name: str) -> Any:
    if name == "agents":
        return ", ".join(agent["name"] or agent["id"] or "" for agent in call["agents"])
    if name == "recordings":
        return len(call["recordings"])
    outer, _, inner = name.partition(".")
    value = call[outer][inner] if inner else call[outer]
    if isinstance(value, dict):
        return codec.dumps(value) if value else None
    return ", ".join(value) if isinstance(value, list) else value


def csv_cell(value: Any, for_programs: bool = False) -> Any:
    """One cell, the same text in a spreadsheet (see the module) and harmless on a terminal:
    control characters are replaced.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return value
    changed = not for_programs and _is_changed(value)
    if _HARMLESS.fullmatch(value):
        return f"'{value}" if changed else value
    from providers.sanitize import safe_text

    text = safe_text(value, limit=len(value), multiline=True)
    if for_programs and _E164.fullmatch(text):
        return text
    steered = changed or value[:1] in ("\t", "\r", "\n") or _STEERED.match(text)
    text = _PARTED_OFF.sub(_behind_parting, text)
    return f"'{text}" if steered else text


def _behind_parting(match: re.Match[str]) -> str:
    """What parts cells, with an apostrophe behind it where a formula follows."""
    parting, sign = match.groups()
    return re.sub(r"[;|\n]", r"\g<0>'", parting) + sign if sign else parting


def _is_changed(text: str) -> bool:
    """Whether a spreadsheet would write this otherwise."""
    if text.endswith("Z"):  # times of our own
        return False
    text = _BLANKS.sub(" ", text)  # many say no more than one, and the look at them takes long
    if len(text) > _LONGEST:
        return text[0].isdigit() and _NO_TEXT.fullmatch(text) is not None
    return _is_no_text(text)


@lru_cache(4096)  # most cells are like many others
def _is_no_text(text: str) -> bool:
    if not (_DIGIT.search(text) or text.strip().lower() in _TRUTHS):
        return False
    return not _SAME_NUMBER.fullmatch(text) and _NO_TEXT.fullmatch(text) is not None


class Form(NamedTuple):
    """One kind of file."""

    title: str
    ending: str


FORMS = {
    "csv": Form("CSV, the table's columns", "csv"),
    "csv-all": Form("CSV, all that is known", "csv"),
    "json": Form("JSON Lines", "jsonl"),
}


def save(
    bodies: Iterable[Body],
    path: Path,
    form: str,
    columns: Sequence[str],
    *,
    replace: bool = False,
    said: Said = lambda _: True,
) -> Exported:
    """Calls as a file of a form of `FORMS`; `columns` are the table's, for those that want them.

    Raises as `to_file`, and `Cancelled`; then there is no file.
    """
    exported = Exported()
    counted = exported.count(bodies, said)
    fields = fields_of(columns) if form == "csv" else ALL_FIELDS

    def write(sink: Sink) -> None:
        if form == "json":
            write_json(sink, counted)
        else:
            write_csv(sink, counted, fields)

    to_file(path, write, replace=replace, mark=form != "json")
    return exported


def to_file(path: Path, write: Callable[[Sink], None], *, replace: bool, mark: bool) -> None:
    """Let `write` fill a new file, 0600, whole or not at all; `mark` puts a byte order mark
    in front.

    Raises FileExistsError when the name is taken and `replace` is not given, OSError, and what
    `write` raises.
    """
    if not replace and (path.exists() or path.is_symlink()):
        raise FileExistsError(f"{path} exists")
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", suffix=".part", dir=path.parent)
    partial = Path(name)
    try:
        # the writers end their lines themselves
        encoding = "utf-8-sig" if mark else "utf-8"
        with os.fdopen(handle, "w", encoding=encoding, newline="", errors="replace") as sink:
            write(sink)
        _rename(partial, path, replace)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _rename(partial: Path, path: Path, replace: bool) -> None:
    if replace:
        os.replace(partial, path)
        return
    try:
        os.link(partial, path, follow_symlinks=False)  # fails where somebody was first
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(f"{path} exists") from None
        os.rename(partial, path)
