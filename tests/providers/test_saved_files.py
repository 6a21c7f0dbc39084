"""Saved bodies in every way that people keep them: encodings, lists, lines, damage."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import Any

import pytest

from providers import limits
from providers.decoding import DECODER, loads
from providers.nectar import Nectar
from providers.saved import FIRST_PART, read_values
from tests.slow_params import few

ONE, TWO, THREE = ({"id": n, "name": f"Zoë {n}", "in": {"id": 9, "list": [n]}} for n in (1, 2, 3))
ALL = [ONE, TWO, THREE]
LINES = "\n".join(json.dumps(one, ensure_ascii=False) for one in ALL)
PRETTY = "\n".join(json.dumps(one, ensure_ascii=False, indent=2) for one in ALL)


def read(data: bytes | str) -> tuple[list[Any], list[str]]:
    found = list(read_values(data.encode() if isinstance(data, str) else data))
    return [one.value for one in found if not one.problem], [str(o) for o in found if o.problem]


TEXTS = [
    LINES,
    LINES + "\n",
    LINES.replace("\n", "\r\n"),
    LINES.replace("\n", ""),
    LINES.replace("\n", " , "),
    LINES.replace("\n", "\n\n \t\n"),
    "\ufeff" + LINES.replace("\n", "\n\ufeff"),
    "\x1e" + LINES.replace("\n", "\n\x1e"),
    " \0\0\0" + LINES.replace("\n", "\0\0\0\n\0"),
    PRETTY,
    PRETTY.replace("}\n{", "}{"),
    PRETTY.replace("\n", "\r\n"),
    json.dumps(ALL),
    json.dumps(ALL, indent=4),
    "[" + LINES.replace("\n", "\n,") + "]",
    json.dumps([[ONE], [TWO, THREE]]),
    json.dumps([ONE]) + json.dumps([TWO]) + json.dumps(THREE),
]
"""The same three values, as people have them."""


@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"),
        *("utf-32", "utf-32-le", "utf-32-be"),
    ],
)
def test_values_are_found_in_every_form(encoding: str) -> None:
    for text in TEXTS:
        data = text.encode(encoding)
        assert read(data) == read(gzip.compress(data)) == (ALL, []), text


@pytest.mark.parametrize(
    ("text", "kept", "problems"),
    [
        (LINES.replace('"id": 2', '"id": '), [ONE, THREE], ["line 2: not JSON"]),
        (LINES.replace('"Zoë 2"', '"Zoë 2'), [ONE, THREE], ["line 2: not JSON"]),
        (LINES.replace("[2]}}", "[2"), [ONE, THREE], ["line 2: not JSON"]),
        (LINES.replace("\n", "").replace('"id": 2', '"id"'), [ONE, THREE],
         ["line 1, object 2: not JSON"]),
        (PRETTY.replace('"id": 2', '"id": '), [ONE, THREE], ["line 11: not JSON"]),
        (PRETTY.replace('"Zoë 2"', '"Zoë 2'), [ONE, THREE], ["line 11: not JSON"]),
        (json.dumps(ALL, indent=2).replace('"id": 2', "no"), [ONE, THREE], ["line 12: not JSON"]),
        (LINES + "\ngarbage\nmore", ALL, ["line 4: not JSON", "line 5: not JSON"]),
        (LINES + "}", ALL, ["line 3, object 2: not JSON"]),
        (LINES.replace("{\"id\": 2", "POST 200 {\"id\": 2"), ALL, ["line 2: not JSON"]),
        (LINES[:-5], [ONE, TWO], ["line 3: not JSON"]),
        (json.dumps(ALL)[:-1], ALL, ["a list in it has no end"]),
        (json.dumps(ALL)[:-9], [ONE, TWO], ["line 1, object 3: not JSON"]),
        (LINES + "]", ALL, ["a list in it has no beginning"]),
        ("<html>\nno\n{}x</html>", [{}], ["line 1: not JSON", "line 2: not JSON",
                                          "line 3, object 2: not JSON"]),
        ("<html>\nnothing\n0\nhere\n", [], ["not JSON (line 1)"]),
        ("[1, 2]", [1, 2], []),
        (LINES + '{"a":' + "[" * 900 + "]" * 900 + "}", ALL,
         ["line 3, object 2: nested too deeply"]),
        ("[" * 100_000, [], ["a list in it has no end"]),
        ('{"a":' * 100_000, [], ["not JSON (line 1)"]),
        ("{" * 100_000, [], ["not JSON (line 1)"]),
        ("", [], []),
        ("[]", [], []),
        ("[[], []]\n\n", [], []),
    ],
)  # fmt: skip
def test_what_cannot_be_read_costs_no_other(
    text: str, kept: list[Any], problems: list[str]
) -> None:
    assert read(text) == (kept, problems)


@pytest.mark.parametrize("end", ["\n", ""])
def test_an_object_in_another_encoding_is_told_and_the_others_are_kept(end: str) -> None:
    parts = [json.dumps(one, ensure_ascii=False) + end for one in ALL]
    data = parts[0].encode() + parts[1].encode("latin-1") + parts[2].encode()
    place = "line 2" if end else "line 1, object 2"
    assert read(data) == ([ONE, THREE], [f"{place}: not UTF-8 text"])


def test_a_lone_surrogate_in_utf_16_is_told() -> None:
    data = LINES.replace("Zoë 2", "Zo\ud800").encode("utf-16", "surrogatepass")
    assert read(data) == ([ONE, THREE], ["line 2: not UTF-16 text"])
    assert read(LINES.encode("utf-16") + b"\0") == (ALL, ["line 3, object 2: not JSON"])
    assert read((LINES + "\n").encode("utf-32") + b"\0\0") == (ALL, ["line 4: not JSON"])
    escaped = LINES.replace("Zoë 2", "\\ud800")
    assert read(escaped)[1] == []


def test_damaged_gzip_gives_what_it_has_and_says_so() -> None:
    packed = gzip.compress(LINES.encode() + b"\n")
    assert read(packed + packed) == (ALL * 2, [])
    assert read(packed + b"\0\0\0") == (ALL, [])
    for data, words in ((packed + b"rest", "behind"), (packed[:-4], "too early")):
        values, [problem] = read(data)
        assert values == ALL and problem.startswith("the gzip data") and words in problem
    values, problems = read(packed[:10] + b"\xff" * 40)
    assert values == [] and ["damaged" in line for line in problems] == [True]


@pytest.mark.parametrize("form", few(1, ["lines", "list", "pretty"]))
def test_a_large_file_is_never_held_parsed(form: str) -> None:
    body = {"id": 1, "sub_type": "Missed", "agents": [{"id": n} for n in range(20)]}
    text = json.dumps(body, indent=2 if form == "pretty" else None)
    data = "\n".join([text] * 3000) if form != "list" else json.dumps([body] * 3000)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    count = sum(bool(found) for found, _ in Nectar.read_saved(data.encode()))
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert count == 3000 and peak < 2.2 * len(data) + 200_000


def test_a_large_file_without_any_json_is_read_to_its_end() -> None:
    """It would take many minutes, which the time limit of tests ends."""
    found = [*read_values(b"{'id': 1}\n" * 400_000)]
    assert [str(one) for one in found] == ["not JSON (line 1)"]


def test_what_is_packed_does_not_become_huge() -> None:
    packed = gzip.compress(LINES.encode() + b"\n" + b" " * 40_000_000)
    values, problems = read(packed)
    assert values == ALL
    assert problems == ["the gzip data unpacks to more than 250 times its size"]


def test_a_body_that_is_too_large_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.limits.VALUES", 1_000)
    monkeypatch.setattr("providers.saved._LARGE", 10_000)
    large = '{"id": 9, "tags": [%s1]}' % ("1," * 70_000)
    long = '{"id": 8, "note": "%s"}' % (",[" * 70_000)
    text = f"{json.dumps(ONE)}\n{large}\n{long}\n{json.dumps(TWO)}"
    values, problems = read(text)
    assert [value["id"] for value in values] == [1, 8, 2]
    assert problems == ["line 2: too large"]
    monkeypatch.setattr("providers.limits.BODY", 100_000)
    assert read(text)[1] == ["line 2: too large", "line 3: too large"]


def test_many_problems_are_counted() -> None:
    values, problems = read("no\n" * 5_000 + json.dumps(ONE))
    assert values == [ONE]
    assert problems[0] == "line 1: not JSON" and len(problems) == 1_001
    assert problems[-1] == "4,000 more before line 5001: not JSON"


def test_empty_objects_say_nothing_however_many() -> None:
    assert read("[" + "{}," * 300_000 + json.dumps(ONE) + "]") == ([{}, ONE], [])


@pytest.mark.parametrize(
    "piece",
    [
        *('{"id": 1,\n', '{"id": {\n', '{"id": [\n', '[{"id": 1,\n', '  {"id": 1, "in": [\n'),
        *('{"in": [{"id": 1},\n', '{"id": 1,\n"in":', '{"id": "x\n', '{"id": 1]\n'),
        '{"note": "%s", "in": [\n' % ("y" * 300),
    ],
)
def test_objects_without_an_end_are_read_once(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    class Decoder:
        def raw_decode(self, part: str) -> tuple[Any, int]:
            given.append(len(part))
            return DECODER.raw_decode(part)

    monkeypatch.setattr("providers.saved.DECODER", Decoder())
    text = piece * 4_000
    values, problems = read(f"{json.dumps(ONE)}\n{text}\n{json.dumps(TWO)}")
    assert ONE in values and TWO in values and problems
    cheap = 4_000 * FIRST_PART
    assert sum(given) < cheap + 40 * len(text), "each is read as far as the last that failed"


def test_what_is_whole_within_an_unfinished_object_is_read() -> None:
    whole = "\n".join(json.dumps(one) for one in ALL)
    assert read('{"calls": [\n' + whole.replace("\n", ",\n"))[0] == ALL
    assert read('{"a": 1,\n' * 2_000 + whole)[0] == ALL


def test_gzip_unpacks_to_so_much_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress((json.dumps(ONE) + "\n").encode() + b" " * (3 << 20))
    monkeypatch.setattr("providers.limits.SAVED", 1 << 20)
    told = "the gzip data unpacks to more than 1 MB; split it, or unpack it first"
    assert read(data) == ([ONE], [told])


@pytest.mark.parametrize("deep", [limits.DEEPEST - 1, limits.DEEPEST, limits.DEEPEST + 1])
def test_so_deep_a_value_is_read(deep: int) -> None:
    """What stands beside it is read either way, and many brackets are not deep by themselves."""
    nested, wide = '{"a":' * deep + "1" + "}" * deep, json.dumps({"wide": [[]] * limits.DEEPEST})
    values, problems = read(f"{nested}\n{json.dumps(ONE)}\n{wide}")
    assert ONE in values
    assert (len(values), len(problems)) == ((3, 0) if deep < limits.DEEPEST else (2, 1))
    assert all("nested too deeply" in problem for problem in problems)


@pytest.mark.parametrize(
    "sign", ["true", "false", "null", "-Infinity", "-12.5e+30", '"\\ud83d\\ude00"']
)
def test_a_sign_across_the_end_of_a_part_is_read_whole(sign: str) -> None:
    """A value is looked for in a part of the text first, which may end anywhere in it."""
    for room in range(len(sign) + 6):
        text = f'{{"a": "{"x" * (FIRST_PART - 13 - room)}", "b": {sign}, "c": 1}}'
        assert len(text) > FIRST_PART - len(sign)
        values, problems = read(f"{text}\n{json.dumps(ONE)}")
        assert problems == [] and values == [loads(text), ONE], room
