"""What is cut of a call that is too large, and that it is told at every reading."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import limits
from providers.decoding import TooMany, flattened, loads
from providers.limits import LEFT_OUT, bounded
from providers.sanitize import ELLIPSIS
from tests.providers import cinnox_bodies, liner_bodies, nectar_bodies

CALL: dict[str, Any] = nectar_bodies.REST
LONG = "x" * 50_000_000


@pytest.mark.parametrize(
    "body",
    [liner_bodies.CALL, cinnox_bodies.RECORD, [cinnox_bodies.RECORD] * 40, nectar_bodies.REST,
     nectar_bodies.HOOK, {**CALL, "all_agents": [nectar_bodies.AGENT] * 200},
     {**CALL, "disposition": {"note": "y" * limits.TEXT}}, None, 1, "x", [], {}],
)  # fmt: skip
def test_what_is_small_stays_as_it_is(body: Any) -> None:
    kept, told = bounded(body)
    assert kept is body and told == ()


def test_a_long_text_keeps_its_beginning_and_says_its_length() -> None:
    kept, told = bounded({**CALL, "disposition": {"note": "é" + LONG}})
    note = kept["disposition"]["note"]
    assert told == ("disposition.note: cut, it had 50,000,001 characters",)
    assert note.startswith("éxxx") and "50,000,001" in note and len(note) < limits.TEXT + 60
    assert {**kept, "disposition": 0} == {**CALL, "disposition": 0}
    other = bounded({"id": LONG + "y"})[0]["id"]
    assert other != bounded({"id": LONG + "z"})[0]["id"], "two long ids stay two"


@pytest.mark.parametrize("length", [39, 40, 41, 200])
def test_of_a_fields_name_so_much_is_told(length: int) -> None:
    name = "n" * length
    [told] = bounded({**CALL, name: [True] * 32_000})[1]
    shown = told.removesuffix(": 31,800 or more left out")
    assert shown == name if length <= 40 else (len(shown) == 40 and shown.endswith(ELLIPSIS))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"tags": [True] * 32_000}, "tags: 31,800 or more left out"),
        ({"all_agents": [nectar_bodies.AGENT] * 10_000}, "all_agents: 9,800 or more left out"),
        ({f"x{n}": "y" * 9 for n in range(5_000)}, "4,701 or more fields left out"),
        ({"n" * 300: 1}, "1 or more fields left out"),
        ({"a": [[["y"] * 150] * 150] * 150}, "a: 140 or more left out"),
        ({"a": {"b\x1b[31m": [1] * 300}}, "a.b�[31m: 100 or more left out"),
        ({f"x{n}": "y" * 9_000 for n in range(9)}, "x8: left out"),
        ({"a": json.loads("[" * 150 + "]" * 150)}, "a: 1 or more left out"),
    ],
)
def test_what_is_left_out_is_told(body: dict[str, Any], told: str) -> None:
    kept, lines = bounded(
        {"note": "kept", **body} if len(body) > 3_000 else {**body, "note": "kept"}
    )
    assert told in lines
    assert kept["note"] == "kept", "small values go before large ones"
    assert len(json.dumps(kept)) < 4 * limits.CALL_TEXT
    assert bounded(json.loads(json.dumps(kept))) == (kept, lines)


def test_of_many_records_the_first_stay_whole() -> None:
    records = [{**cinnox_bodies.RECORD, "id": f"r{n}"} for n in range(500)]
    kept, told = bounded(records, "records")
    assert kept[:-1] == records[: len(kept) - 1] and len(kept) > 35
    assert told == (f"records: {501 - len(kept)} or more left out",)


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=150)
ANYTHING = st.recursive(
    SCALARS | st.just({LEFT_OUT: 1}) | st.just([1] * 9),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.text("abc" + LEFT_OUT, max_size=6), inner, max_size=8)
    ),
    max_leaves=50,
)


@settings(max_examples=60)
@given(ANYTHING)
def test_what_was_cut_is_not_cut_again_and_told_again(body: Any) -> None:
    small = {"TEXT": 60, "ITEMS": 4, "FIELDS": 4, "NAME": 5, "CALL_DEEPEST": 4}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**small, "CALL_VALUES": 30, "CALL_TEXT": 300}.items():
            patch.setattr(limits, name, value)
        kept, told = bounded(body)
        assert bounded(kept) == (kept, told)
        assert (kept == body) is not bool(told) or LEFT_OUT in json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize(
    ("part", "times", "end"),
    [("{},", 1_500, "{}]"), ("1,", 1_500, "1]"), ('"",', 1_500, "1]"), ('[",",', 600, "]"),
     ('{"a":', 1_200, ""), ('"', 4_000, "," * 1_100)],
)  # fmt: skip
def test_many_values_are_refused_before_they_are_built(
    part: str, times: int, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.decoding.VALUES", 1_000)
    with pytest.raises(TooMany, match="1,000 values"):
        loads(f"[{part * times}{end}")


def test_signs_within_a_text_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.decoding.VALUES", 1_000)
    text = ',[{"\\' * 700
    assert loads(json.dumps({"note": text})) == {"note": text}


def test_what_is_too_deep_costs_nothing_else() -> None:
    deep = '{"a": "]}", "b": [' * 5_000 + "]}" * 5_000
    found = loads(f'[{{"id": 1, "x": {deep}}}, {{"id": 2}}]')
    assert [row["id"] for row in found] == [1, 2]
    assert bounded(found[0])[1] == (f"x{'.b' * 10}: left out",)
    assert flattened('[{"a": [1, "]"]}]') == '[{"a": [1, "]"]}]'
    for broken in ("[" * 100_000, '{"a":' * 100_000, "]" * 100_000):
        with pytest.raises(ValueError):
            loads(broken)


def test_numbers_of_many_digits_are_text() -> None:
    assert loads(f"[{'9' * 5_000}, -{'1' * 40}, 1e999, 12]") == [
        "9" * 5_000,
        f"-{'1' * 40}",
        "1e999",
        12,
    ]
