"""A query line as text that goes on: what of it was begun, completed, added or taken away."""

from __future__ import annotations

import re
import unicodedata

from tui.query.fields import field_of
from tui.query.text_cache import cached

_BEGUN = re.compile(
    r'(?:^|\s)-?(?P<key>[a-z][a-z0-9_]*):=?(?:"[^"]*",|[^\s",]+,)*=?(?P<value>"[^"]*|[^\s",]*)$',
    re.I,
)


def begun(text: str) -> tuple[str, str] | None:
    """The word before the colon, and the beginning of a name behind it, that end a line."""
    match = _BEGUN.search(text)
    if match is None or field_of(match["key"]) is None:
        return None
    return match["key"].lower(), match["value"].removeprefix('"')


def completed(text: str, name: str) -> str:
    """A line whose end is `begun`, with the whole name there, ready for the next word."""
    match = _BEGUN.search(text)
    start = match.start("value") if match else len(text)
    plain = name.replace('"', " ")
    shown = f'"{plain}"' if not plain or re.search(r"[\s,=]", plain) else plain
    return f"{text[:start]}{shown} "


def written(name: str) -> str:
    """A name as a line can hold it: without quotes and signs that nobody sees."""
    shown = (char if char.isprintable() and char not in '"\ufffd' else " " for char in name)
    return " ".join("".join(shown).split())


@cached(8192)  # the same names come again and again
def same_name(name: str) -> str:
    """Equal for two spellings of one name: those that differ in case, in the low commas of
    `tui.archive.sqlite.call_columns`, or in what a line cannot hold.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name.replace("\u201a", ","))
    return written(name).casefold()


def exactly(kind: str, name: str) -> str:
    """What finds the calls that have just this name."""
    return f'{kind}:="{written(name)}"'


def with_or_without(text: str, piece: str) -> str:
    """A line with one more piece at its end; without it, where it stands there already, in
    whatever case.
    """
    padded = f" {text.strip()} "
    if found := re.search(re.escape(f" {piece} "), padded, re.I):
        return f"{padded[: found.start()]} {padded[found.end() :]}".strip()
    return f"{padded}{piece}".strip()
