"""Calls as CSV or JSON Lines, one after the other: a million of them in the memory of one.

CSV is RFC 4180 in UTF-8, and no spreadsheet takes a cell of it for a formula: text that begins
with ``= + - @`` (also behind blanks or quotes, or in full width), a tab or a return gets an
apostrophe in front. So does each such sign right behind a ``;``, a ``|`` or the end of a line
within the text: where a spreadsheet parts cells by these instead of the comma, as Excel does in
much of Europe, quotes hold no cell together, and the sign would begin one. A phone number such
as +12025550123 is such a text; with `plain_numbers` a number in strict E.164 form stays as it
is, for programs. A file begins with a byte order mark, without which spreadsheets misread names;
standard output has none. JSON Lines hold everything unchanged.
"""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tui.archive import codec

Body = tuple[str, dict[str, Any]]
"""Account, and the call as the archive keeps it (`Archive.bodies`)."""
Said = Callable[[int], bool]
"""Told how many calls are written, once for every `STEP`; False ends the export."""
STEP = 200
ALL_FIELDS = tuple(name for name in codec.names() if name != "recording_events")
"""The columns of a CSV of everything, by their names in ``--json``."""
OF_COLUMN = {
    "time": ("started_at",),
    "direction": ("direction",),
    "outcome": ("outcome",),
    "contact": ("contact.name",),
    "number": ("contact.number",),
    "agents": ("agents",),
    "group": ("ring_group", "queue"),
    "duration": ("duration_s",),
    "wait": ("wait_s",),
    "talk": ("talk_s",),
    "recording": ("has_recording", "recordings"),
    "closed": (),
    "state": ("triage.state", "triage.note", "triage.tags"),
    "disposition": ("disposition.code",),
    "note": ("disposition.note",),
    "tags": ("tags",),
    "line": ("company_number.number", "company_number.name"),
    "campaign": ("campaign",),
    "status": ("status",),
    "account": ("account",),
    "vendor": ("provider",),
    "id": ("id",),
}
"""What of a call each of the table's columns shows."""
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.A)
_HARMLESS = re.compile("[A-Za-z0-9][ -:<-{}~]*")
"""Most cells: they need no look."""
_FORMULA = r'[\s"]*[=+\-@＝＋－＠]'
_STEERED = re.compile(_FORMULA)
_PARTED_OFF = re.compile(rf"([;|\n])(?={_FORMULA})")


class Sink(Protocol):
    """Where text goes."""

    def write(self, text: str, /) -> object: ...


class Cancelled(Exception):
    """The export was stopped; nothing of it is left."""


@dataclass(slots=True)
class Exported:
    """What went out so far."""

    calls: int = 0
    accounts: set[str] = field(default_factory=set)

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
    plain_numbers: bool = False,
) -> None:
    """CSV with a header. Raises what `sink` and `bodies` raise."""
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(fields)
    for account, body in bodies:
        call = codec.printed(body, account)
        cells = (_value(call, name) for name in fields)
        writer.writerow([csv_cell(cell, plain_numbers) for cell in cells])


def write_json(sink: Sink, bodies: Iterable[Body]) -> None:
    """JSON Lines, as ``--json`` prints them. Raises what `sink` and `bodies` raise."""
    for account, body in bodies:
        sink.write(codec.dumps(codec.printed(body, account)) + "\n")


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


def csv_cell(value: Any, plain_numbers: bool = False) -> Any:
    """One cell, harmless in a spreadsheet (see the module) and on a terminal: control
    characters are replaced.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str) or _HARMLESS.fullmatch(value):
        return value
    from widgets.safe import safe_text

    text = safe_text(value, limit=len(value), multiline=True)
    if plain_numbers and _E164.fullmatch(text):
        return text
    steered = value[:1] in ("\t", "\r", "\n") or _STEERED.match(text)
    text = _PARTED_OFF.sub(r"\1'", text)
    return f"'{text}" if steered else text


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
