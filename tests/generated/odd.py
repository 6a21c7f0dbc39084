"""Bodies that no vendor documents: seeded changes of those that they do, as JSON text."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies

Row = dict[str, Any]
_TOKEN = "@@token:{}@@"
TOKENS = ("9" * 5_000, "-" + "1" * 400, "1e400", "-1E-400", "NaN", "-Infinity", "0.1" + "0" * 900)
"""What stands in JSON without quotes and is no number of Python's."""
DEEP = tuple('{"a":[' * depth + "]}" * depth for depth in (8, 90, 600, 5_000))
_LITERALS = TOKENS + DEEP
TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "\ud800",
        "\udfff\ud800",
        "\u202eabc",
        "\x1b]52;c;eA==\x07",
        "\x9b2J",
        "\ufeff",
    ),
    *("[red]x[/]", "[/nope]", "'; DROP TABLE call; --", "=1+1", "../../etc/passwd", "%s%n{0}", "…"),
    *("٣٤", "１２３", "½", "1e5", "1_000", "0x10", "+", "-", "00", "NaN", "inf", "true", "None"),
    *(
        "2024-02-30T25:61:61Z",
        "0000-00-00 00:00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ),
    *(
        "2024-01-01",
        "20240101",
        "2024-W01-1",
        "1969-12-31T23:59:59+14:00",
        "2024-01-01T00:00:00-23:59",
    ),
    *("http://[", "https://x@y:99999999/", "//", "///", "http://xn--a/", "data:,x", "ftp://h/x"),
    *("(" * 64_000, " " * 64_000, "1 " * 9_000, "ﷺ" * 5_000, "e\u0301" * 9_000, "a," * 20_000),
    *("9" * 100_000, "word " * 30_000, "👨\u200d👩" * 4_000, "x" * 300, "\n" * 9_000, "/" * 20_000),
)
NUMBERS: tuple[Any, ...] = (
    *(
        0,
        -1,
        1,
        2**31,
        2**53 + 1,
        2**63,
        -(2**63) - 1,
        10**30,
        1e-300,
        1e308,
        -0.0,
        0.5,
        253402300800,
    ),
    *(1747839084000, 1e11, 99999999999, True, False, None),
)


def values(chance: random.Random) -> Any:
    """One odd value, its kind as likely as any other."""
    kind = chance.randrange(8)
    if kind < 2:
        return chance.choice(NUMBERS)
    if kind < 4:
        return chance.choice(TEXTS)
    if kind == 4:
        return _TOKEN.format(chance.randrange(len(_LITERALS)))
    if kind == 5:
        return chance.choice(
            ({}, [], [None], {"": ""}, {"id": {}}, [[]], [[{}]], {"0": {}, "1": 1}, {"…": 3})
        )
    size = chance.choice((1, 3, 30, 300, 3_000))
    item: Any = chance.choice((True, None, "x", 1, {}, [], {"id": 1, "name": "n" * 30}, "y" * 40))
    if kind == 6:
        return [copy.deepcopy(item) for _ in range(size)]
    return {f"k{n}": item for n in range(size)}


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every place in a body: what holds it, and the key there."""
    for key in value if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], dict | list):
            _places(value[key], found)
    return found


LONGEST = 300_000
"""Bytes of a body: many stand in one answer, which has a limit of its own."""


def changed(body: Row, chance: random.Random) -> Row:
    """A body with one to four things changed anywhere in it; mostly not its id."""
    while len(written(found := _changed(body, chance))) > LONGEST:
        continue
    return found


def _changed(body: Row, chance: random.Random) -> Row:
    body = copy.deepcopy(body)
    for _ in range(chance.choice((1, 1, 2, 4))):
        holder, key = chance.choice(_places(body, []) or [(body, "id")])
        if (holder is body and not body) or (
            key in ("id", "callID", "hid") and chance.random() < 0.8
        ):
            continue
        what = chance.randrange(12)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder[key], list) and holder[key]:
            holder[key] = _many(holder[key], chance.choice((2, 50, 2_000)))
        elif what == 2 and isinstance(holder[key], str | int | float):
            holder[key] = str(holder[key])
        elif what == 3:
            holder[key] = [holder[key]]
        elif what == 4 and isinstance(holder, dict):
            holder[chance.choice((key.upper(), f"{key}_", "x" * 400))] = holder[key]
        elif what == 5:
            holder[key] = copy.deepcopy(chance.choice(_places(body, []))[1])
        else:
            holder[key] = values(chance)
    return body


def _many(items: list[Any], times: int) -> list[Any]:
    found = [copy.deepcopy(items[n % len(items)]) for n in range(times)]
    for number, item in enumerate(found):
        if isinstance(item, dict) and "id" in item:
            item["id"] = f"{item['id']}-{number}"
    return found


def written(value: Any) -> str:
    """As JSON text, with the literals that Python has no values for."""
    text = json.dumps(value)
    for number, literal in enumerate(_LITERALS):
        text = text.replace(f'"{_TOKEN.format(number)}"', literal)
    return text


def hypothetical(bodies: list[Row]) -> strategies.SearchStrategy[Row]:
    """The documented bodies with any JSON in the place of some of their fields."""
    scalars = (
        strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats()
    )
    anything = strategies.recursive(
        scalars | strategies.text() | strategies.sampled_from(TEXTS),
        lambda inner: (
            strategies.lists(inner, max_size=6)
            | strategies.dictionaries(strategies.text(max_size=9), inner, max_size=6)
        ),
        max_leaves=20,
    )

    def one(body: Row) -> strategies.SearchStrategy[Row]:
        fields = strategies.sampled_from(sorted(body))
        return strategies.dictionaries(fields, anything, max_size=6).map(
            lambda odd: {**body, **odd}
        )

    return strategies.sampled_from(bodies).flatmap(one)


Make = Callable[[random.Random], Row]
