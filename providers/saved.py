"""Saved bodies, however people keep them: the JSON values in a file's bytes, one after the other.

A file is JSON, JSON Lines, or values one behind the other (``cat hook*.json``, ``jq .``), in lists
or not, in UTF-8, -16 or -32 with or without a byte order mark, as it is or in gzip. What cannot
be read is told with its line and costs no other value.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from providers import limits
from providers.decoding import DECODER, TEXT
from providers.model import Json

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS = {"0111": "utf-32-le", "1110": "utf-32-be", "0101": "utf-16-le", "1010": "utf-16-be"}
"""Which of each four bytes are mostly zero in ASCII text of an encoding."""
_SAMPLE = 64 * 1024
FIRST_PART = 4096
_LONGEST_SIGN = 12
"""So near its end a part is no proof of an error: ``\\ud83d\\ude00`` and ``-Infinity`` go on."""
_UNDECODED = re.compile("[\ud800-\udfff]")
_BETWEEN = re.compile(r"(?:[\s,\[\]\x00\x1e\ufeff]++|\{\s*+\}(?=\s*+,\s*+\{\s*+\}))*+")
"""What may stand between values: lists' brackets too, so that no list is held whole, and of empty
objects all but the last.
"""
_ENDED = re.compile(r"[\s,\[\]{\x00\x1e\ufeff]|$")
_NO_OBJECT = re.compile(r"[^{\n]*")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]\n]')
_COUNTED = re.compile(rf"{TEXT}|[,{{}}\[\]]", re.S)
_LARGE = 1 << 20
_BLANKS = re.compile(r"[ \t]*")
_REST = re.compile(r"[ \t\r]*(?:$|[\]}\":,])", re.M)
"""A line that is no beginning of a value, but the rest of one."""
NOT_JSON = "not JSON"
TOO_LARGE = "too large"
_HELD = 1000
"""So much that stands before the first object is told."""


class Found(NamedTuple):
    """One value, or what could not be read in `problem`; `place` is where it begins."""

    place: str
    value: Json = None
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" if self.place else self.problem


def read_values(data: bytes) -> Iterator[Found]:
    """Every JSON value in a file, a list's items each for themselves."""
    data, damaged = _unzipped(data)
    text, encoding = _decoded(data)
    del data
    more = 0
    early: list[Found] | None = []
    """What stands before the first object: a file without one has one thing to say, not many."""
    for found in _found(text, encoding):
        if early is not None and (found.problem == NOT_JSON or not isinstance(found.value, dict)):
            more += len(early) >= _HELD
            early += [found][: _HELD - len(early)]
            continue
        yield from early or ()
        if more:
            yield Found("", problem=f"{more:,} more before {found.place}: {NOT_JSON}")
        early, more = None, 0
        yield found
    wrong = next((found for found in early or () if found.problem == NOT_JSON), None)
    if wrong:
        yield Found("", problem=f"{NOT_JSON} ({wrong.place})")
    else:
        yield from early or ()
    if damaged:
        yield Found("", problem=damaged)


def _unzipped(data: bytes) -> tuple[bytes, str]:
    """What gzip holds (several behind each other too), and what is wrong with it."""
    if not data.startswith(b"\x1f\x8b"):
        return data, ""
    parts: list[bytes] = []
    most = min(limits.SAVED, max(limits.UNPACKED_AT_LEAST, limits.RATIO * len(data)))
    wrong, left = "", most
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while part := file.read1(_SAMPLE):  # what came before an error is given before it
                parts.append(part)
                left -= len(part)
                if left < 0:
                    much = f"{limits.RATIO} times its size"
                    if most == limits.SAVED:
                        much = f"{limits.SAVED // limits.MB:,} MB; split it, or unpack it first"
                    wrong = f"the gzip data unpacks to more than {much}"
                    break
    except EOFError:
        wrong = "the gzip data ends too early"
    except (OSError, zlib.error):
        wrong = "the gzip data is damaged, or something else stands behind it"
    return b"".join(parts), wrong


def _decoded(data: bytes) -> tuple[str, str]:
    """The text and its encoding. What is no character of it is a lone surrogate in the text."""
    mark, name = next((m for m in _MARKS if data.startswith(m[0])), (b"", ""))
    name = name or _guessed(data[:_SAMPLE])
    if name == "utf-8":
        return data[len(mark) :].decode(name, "surrogateescape"), "UTF-8"
    size = 2 if name.startswith("utf-16") else 4
    whole = len(data) - len(data) % size
    try:
        text = data[len(mark) : whole].decode(name, "surrogatepass")
    except UnicodeDecodeError:
        text = data[len(mark) : whole].decode(name, "replace").replace("\ufffd", "\udcff")
    return text + "\udcff" * (whole < len(data)), name[:6].upper()


def _guessed(head: bytes) -> str:
    """The encoding of a file without a mark: JSON is mostly ASCII, which leaves zeros."""
    quarters = [head[place::4] for place in range(4)]
    if not all(quarters):
        return "utf-8"
    shares = [quarter.count(0) / len(quarter) for quarter in quarters]
    signs = ("1" if share > 0.4 else "0" if share < 0.1 else "?" for share in shares)
    return _ZEROS.get("".join(signs), "utf-8")


def _found(text: str, encoding: str) -> Iterator[Found]:
    """What stands in a text, in order."""
    where, open_lists, whole = _Places(text), 0, True
    unfinished: set[int] = set()
    sound = text.isascii() or not _UNDECODED.search(text)
    place = 0
    while True:
        between = _BETWEEN.match(text, place)
        assert between
        open_lists += between[0].count("[") - between[0].count("]")
        place = between.end()
        if place == len(text):
            break
        name = where.name(place)
        value, end, problem = _value(text, place, unfinished)
        if end is None:
            whole = False
            yield Found(name, problem=problem)
            place = _behind(text, place)
        elif not sound and _UNDECODED.search(text, place, end):
            yield Found(name, problem=f"not {encoding} text")
            place = end
        elif _is_too_deep(text, place, end):
            yield Found(name, problem="nested too deeply")
            place = end
        else:
            yield Found(name, value)
            place = end
    if open_lists and whole:
        lacks = "end" if open_lists > 0 else "beginning"
        yield Found("", problem=f"a list in it has no {lacks}")


def _value(text: str, place: int, unfinished: set[int]) -> tuple[Json, int | None, str]:
    """The value that begins at `place` and where it ends; None and why where there is none.

    It is looked for in a part of the text that grows: an error of the decoder counts the lines
    of all that it was given. `unfinished` are the values within the last one that failed which
    fail with it: to read each of them as far again would take too long.
    """
    if place in unfinished:
        return None, None, NOT_JSON
    size = FIRST_PART
    while True:
        part = text[place : place + size]
        cut = place + size < len(text)
        if len(part) > _LARGE and _is_too_large(text, place):
            return None, None, TOO_LARGE
        size *= 16
        try:
            value, end = DECODER.raw_decode(part)
        except RecursionError:
            unfinished.clear()
            unfinished.update(_open(text, place, len(text), 4 * limits.DEEPEST)[: -limits.DEEPEST])
            return None, None, NOT_JSON
        except json.JSONDecodeError as error:
            if cut and (error.pos > len(part) - _LONGEST_SIGN or "Unterminated" in error.msg):
                continue
            unfinished.clear()
            unfinished.update(_open(text, place, place + error.pos))
            return None, None, NOT_JSON
        if isinstance(value, dict):
            return value, place + end, ""
        if cut and end > len(part) - _LONGEST_SIGN:  # a number may go on
            continue
        ended = _ENDED.match(text, place + end)
        return (value, place + end, "") if ended else (None, None, NOT_JSON)


def _open(text: str, place: int, end: int, most: int | None = None) -> list[int]:
    """Where each list and object begins that is not ended at `end`, or where there are `most`."""
    begun: list[int] = []
    for token in _TOKEN.finditer(text, place, end):
        if token[0] in "{[":
            begun.append(token.start())
            if len(begun) == most:
                break
        elif token[0] in "}]" and begun:
            begun.pop()
    return begun


def _is_too_large(text: str, place: int) -> bool:
    """Whether a value is larger than an answer may be, or has more values in it."""
    depth = count = 0
    for token in _COUNTED.finditer(text, place):
        depth += (token[0] in "{[") - (token[0] in "}]")
        count += token[0] in "{[,"
        if count > limits.VALUES or token.end() - place > limits.BODY:
            return True
        if depth <= 0:
            break
    return False


def _is_too_deep(text: str, place: int, end: int) -> bool:
    """Whether a value could be read, but not be written again."""
    if text.count("[", place, end) + text.count("{", place, end) < limits.DEEPEST:
        return False  # nearly all
    depth = 0
    for token in _TOKEN.finditer(text, place, end):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth >= limits.DEEPEST:
            return True
    return False


def _behind(text: str, place: int) -> int:
    """Where to go on behind what is no JSON: at an object's own end, or else at the next line
    that is not the rest of it; behind other text at the next object of the line.
    """
    if text[place] != "{":
        other = _NO_OBJECT.match(text, place)
        assert other
        return other.end()
    depth = 0
    for token in _TOKEN.finditer(text, place):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if token[0] == "\n":
            break
        if not depth and _ENDED.match(text, token.end()):
            return token.end()
    indent = _indent(text, text.rfind("\n", 0, place) + 1)
    while (end := text.find("\n", place)) >= 0:
        place = end + 1
        if _indent(text, place) <= indent and not _REST.match(text, place):
            return place
    return len(text)


def _indent(text: str, place: int) -> int:
    """How many blanks a line begins with."""
    blanks = _BLANKS.match(text, place)
    return blanks.end() - place if blanks else 0


class _Places:
    """Names of places that come one behind the other: ``line 3``, ``line 3, object 2``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._counted, self._on_line = 1, 0, 0

    def name(self, place: int) -> str:
        more = self._text.count("\n", self._counted, place)
        self._on_line = 1 if more else self._on_line + 1
        self._line, self._counted = self._line + more, place
        return f"line {self._line}" + (f", object {self._on_line}" if self._on_line > 1 else "")
