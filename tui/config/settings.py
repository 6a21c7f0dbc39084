"""What the user wrote in `config.toml`: typed, with defaults; and how Ringback writes into it.

    [app] [table] [audio] [retention] [privacy]   see the classes below
    [keys]                  command id = "key" or "key,key"
    [views.NAME]            a saved query: query, title, key, sort
    [aliases]               name = "words of a command line"
    [accounts.NAME]         see `tui.config.accounts`

What is wrong becomes a line in `Settings.problems`, and its default holds. What is unknown is
left alone. Writing keeps the user's comments and order.
"""

from __future__ import annotations

import errno
import math
import os
import re
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from providers.errors import reason
from providers.sanitize import SAID, safe_text
from tui.config.paths import Paths, atomic_write, open_file, read_file
from tui.query.dates import zone_of

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_LOCK_S = 5.0
_S = TypeVar("_S")


CORRECT = "Correct it; until then defaults hold, names are masked, and no account is known."


class SettingsError(Exception):
    """`config.toml` cannot be read or changed; `message` names the file and the place."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class AppSettings:
    """[app]"""

    theme: str = ""
    """Name of a Textual theme; empty: Ringback's own."""
    refresh_s: int = 120
    """Seconds between two looks at the vendors; 0: only on `r`."""
    time_zone: str = ""
    """IANA name such as ``Asia/Hong_Kong``; empty: the system's."""
    keep_days: int = 30
    """Days that recordings stay in the cache after they were heard; 0: until the next start."""
    builtin_views: bool = True
    """Whether the views that Ringback brings stand before the user's own."""
    masked: bool = False
    """Whether numbers and names are masked at the start, for a screen that is shared."""


@dataclass(frozen=True, slots=True)
class TableSettings:
    """[table]"""

    columns: tuple[str, ...] = ()
    """Names of the columns from left to right; empty: as many of the usual ones as fit."""
    sort: str = "-time"
    """Column to sort by at the start; a leading ``-``: the largest first."""


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """[audio]"""

    volume: int = 100
    """Percent, 0 to 200."""
    speed: float = 1.0
    """Speed at the start, 0.5 to 3."""
    rewind_s: float = 1.5
    """How far playing goes back after a pause, in seconds, 0 to 10."""
    skip_silence: bool = False
    """Whether long silences are shortened."""
    autoplay: bool = False
    """Whether the next call's recording is played when one has ended, or its call is done."""


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """[retention]"""

    calls_days: int = 0
    """Days that calls stay after they began, with all that was decided about them; 0: for ever."""


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """[privacy]"""

    delete_when_vendor_deletes: bool = True
    """Whether a call that its vendor has no more goes here too, unless somebody decided of it."""


@dataclass(frozen=True, slots=True)
class View:
    """[views.NAME]: a saved query."""

    name: str
    query: str
    title: str
    """What the sidebar shows; the name, where none is given."""
    key: str | None = None
    """``1`` to ``9``; without one, the order in the file gives the free ones."""
    sort: str = ""
    """Column to sort by, as `TableSettings.sort`; empty: the table's order."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of `config.toml`."""

    app: AppSettings = AppSettings()
    table: TableSettings = TableSettings()
    audio: AudioSettings = AudioSettings()
    retention: RetentionSettings = RetentionSettings()
    privacy: PrivacySettings = PrivacySettings()
    keys: Mapping[str, str] = field(default_factory=dict)
    """Command id -> key or keys, comma-separated; an empty text takes the command's key away."""
    views: tuple[View, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Name -> the words of a command line that it stands for."""
    accounts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As written; accounts.py reads them. Not in repr: a user may have put a token there."""
    problems: tuple[str, ...] = ()
    """What was wrong, a line each, with file and key; never the value of an account's setting."""
    broken: SettingsError | None = None
    """Why nothing of the file can be read."""


_RANGES: dict[tuple[str, str], tuple[float, float]] = {
    ("app", "refresh_s"): (0, 86_400),
    ("app", "keep_days"): (0, 36_500),
    ("retention", "calls_days"): (0, 36_500),
    ("audio", "volume"): (0, 200),
    ("audio", "speed"): (0.5, 3),
    ("audio", "rewind_s"): (0, 10),
}
# what others have seen cannot be taken back
_WHERE_UNREAD: dict[str, dict[str, Any]] = {"app": {"masked": True}}
"""What holds in place of a default where a value, or the file, cannot be read."""


def load_settings(paths: Paths) -> Settings:
    """Read `config.toml`. Never raises: without a readable file there are the defaults."""
    try:
        table = read_table(paths)
    except SettingsError as error:
        app = AppSettings(**_WHERE_UNREAD["app"])
        return Settings(app=app, problems=(error.message,), broken=error)
    reader = _Reader(paths.config_file)
    app = reader.section("app", table, AppSettings)
    if app.time_zone and zone_of(app.time_zone) is None:
        reader.tell("app.time_zone", "is a name such as Europe/Berlin")
        app = replace(app, time_zone="")
    return Settings(
        app=app,
        table=reader.section("table", table, TableSettings),
        audio=reader.section("audio", table, AudioSettings),
        retention=reader.section("retention", table, RetentionSettings),
        privacy=reader.section("privacy", table, PrivacySettings),
        keys=reader.keys(table),
        views=reader.views(table),
        aliases=reader.texts("aliases", table),
        accounts=reader.subtables("accounts", table),
        problems=tuple(reader.problems),
    )


def read_table(paths: Paths) -> dict[str, Any]:
    """The file as plain values; {} when there is none. Raises `SettingsError`."""
    return _parse(paths.config_file, _read(paths.config_file))


def _read(file: Path) -> str:
    try:
        return read_file(file).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file}, line {line}: not UTF-8 text", CORRECT) from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {reason(error)}", CORRECT) from None


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}{_placed(str(error), text)}", CORRECT) from None
    except RecursionError:
        raise SettingsError(f"{file}: nested too deeply", CORRECT) from None
    except ValueError:  # Python's own, of thousands of digits
        raise SettingsError(f"{file}: a number in it is too long", CORRECT) from None


def _placed(wrong: str, text: str) -> str:
    """``, line 6: what is wrong``, as the parser says ``what is wrong (at line 6, column 2)``."""
    what, _, place = wrong.rpartition(" (at ")
    found = re.match(r"line (\d+)", place)
    line = int(found[1]) if found else text.rstrip("\n").count("\n") + 1
    return f", line {line}: {safe_text(what or wrong, SAID)}"


class _Reader:
    """Plain values to typed ones; what does not fit is told and left at its default."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.problems: list[str] = []

    def tell(self, key: str, wrong: str) -> None:
        self.problems.append(f"{self._file}: {safe_text(key, 80)}: {wrong}")

    def table(self, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
        value = table.get(name, {})
        if isinstance(value, dict):
            return value
        self.tell(name, f"is a section: write [{name}]")
        return {}

    def subtables(self, name: str, table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        kept = {}
        for key, value in self.table(name, table).items():
            if isinstance(value, dict):
                kept[key] = value
            else:
                self.tell(f"{name}.{key}", f"is a section: write [{name}.NAME]")
        return kept

    def section(self, name: str, table: Mapping[str, Any], kind: type[_S]) -> _S:
        given, kept = self.table(name, table), {}
        for item in fields(kind):  # type: ignore[arg-type]
            if item.name not in given:
                continue
            try:
                kept[item.name] = _fit(
                    given[item.name], item.default, _RANGES.get((name, item.name))
                )
            except ValueError as error:
                self.tell(f"{name}.{item.name}", str(error))
                if item.name in (safe := _WHERE_UNREAD.get(name, {})):
                    kept[item.name] = safe[item.name]
        return kind(**kept)

    def keys(self, table: Mapping[str, Any]) -> dict[str, str]:
        kept = {}
        for command, key in self.table("keys", table).items():
            if isinstance(key, list) and all(isinstance(one, str) for one in key):
                key = ",".join(key)
            if isinstance(key, str):
                kept[command] = key
            else:
                self.tell(f"keys.{command}", 'is a key in quotes, such as "ctrl+t"')
        return kept

    def texts(self, name: str, table: Mapping[str, Any]) -> dict[str, str]:
        kept = {}
        for key, value in self.table(name, table).items():
            if isinstance(value, str):
                kept[key] = value
            else:
                self.tell(f"{name}.{key}", f"is {_WORDS[str]}")
        return kept

    def views(self, table: Mapping[str, Any]) -> tuple[View, ...]:
        kept: list[View] = []
        for name, given in self.subtables("views", table).items():
            query, title, key = given.get("query"), given.get("title", name), given.get("key")
            if isinstance(key, int):
                key = str(key)
            if not isinstance(query, str):
                self.tell(f"views.{name}.query", "is missing, or not text in quotes")
                continue
            if key is not None and key not in tuple("123456789"):
                self.tell(f"views.{name}.key", 'is one of "1" to "9"')
                key = None
            if key is not None and key in {view.key for view in kept}:
                self.tell(f"views.{name}.key", f"{key} is taken by another view")
                key = None
            sort = given.get("sort", "")
            if not isinstance(sort, str):
                self.tell(f"views.{name}.sort", 'is a column such as "-wait"')
                sort = ""
            kept.append(View(name, query, title if isinstance(title, str) else name, key, sort))
        return tuple(kept)


def _fit(value: Any, default: Any, limits: tuple[float, float] | None) -> Any:
    """`value` as the type of its default. Raises ValueError with what is expected."""
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise ValueError('is a list of names, such as ["started_at", "contact"]')
    kind: Any = type(default)
    if type(value) not in ((int, float) if kind is float else (kind,)):  # True is an int
        raise ValueError(f"is {_WORDS[kind]}")
    if limits and not (limits[0] <= value <= limits[1] and math.isfinite(value)):
        raise ValueError(f"is between {limits[0]:g} and {limits[1]:g}")
    return kind(value)


_WORDS = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}


def edit_settings(paths: Paths, change: Callable[[TOMLDocument], None]) -> None:
    """Let `change` work on the file as it is now, and write it back.

    Two writers do not lose each other's changes: a lock is held from reading to renaming.
    Nothing is written when `change` raises, when the file is not valid TOML (it stays as it
    is), or when nothing changed. Raises `SettingsError`.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    file = paths.config_file
    by_hand = f"{file}: cannot be changed by program; edit it by hand"
    try:
        file.parent.mkdir(0o700, parents=True, exist_ok=True)
        with locked(file.with_name(file.name + ".lock")):
            before = _read(file)
            _parse(file, before)
            try:
                document = tomlkit.parse(before)
            except (TOMLKitError, RecursionError):  # it takes less than Python's own reader
                raise SettingsError(by_hand) from None
            change(document)
            after = tomlkit.dumps(document)
            if after == before:
                return
            # tomlkit and tables out of order
            if not _is_same(_parse(file, after), document.unwrap()):
                raise SettingsError(by_hand)
            atomic_write(file, after)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be written: {reason(error)}") from None


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values of TOML are equal; a number that is none (`nan`) is one like others."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def put(paths: Paths, section: str, key: str, value: str | int | float | bool | list[str]) -> None:
    """Set one value of ``[section]``. Raises `SettingsError`."""

    def change(document: TOMLDocument) -> None:
        subtable(document, section)[key] = value

    edit_settings(paths, change)


def keep_view(paths: Paths, name: str, query: str) -> None:
    """Write a query as ``[views.NAME]``, or into the one of that name. Raises `SettingsError`."""

    def change(document: TOMLDocument) -> None:
        subtable(document, "views", name)["query"] = query

    edit_settings(paths, change)


def subtable(document: Any, *names: str) -> Any:
    """The table ``[a.b]`` of a tomlkit document, made when missing."""
    import tomlkit

    table = document
    for depth, name in enumerate(names, 1):
        if name not in table:
            table[name] = tomlkit.table(is_super_table=depth < len(names))
        table = table[name]
        if not isinstance(table, dict):
            raise SettingsError(f"{'.'.join(names[:depth])} is not a section in config.toml")
    return table


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """An advisory lock that the system drops when its holder dies."""
    handle = open_file(file, os.O_RDWR | os.O_CREAT)
    try:
        deadline = time.monotonic() + _LOCK_S
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise SettingsError(f"{file}: another ringback has held it for {_LOCK_S:g} s")
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)  # which also unlocks


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
            raise  # those two: a network's file system without locks; the rename is whole anyway
    return True
